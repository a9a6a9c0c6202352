package pagerduty_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func holdings(t *testing.T, c *pagerduty.Client, user string) lifecycle.Holdings {
	t.Helper()
	h, err := c.Holdings(t.Context(), lifecycle.AccountID(user))
	if err != nil {
		t.Fatalf("holdings: %v", err)
	}
	return h
}

// duty says a duty in one line: what it is, who else is there, whose team it is, which levels call it.
func (w *watch) line(d lifecycle.Duty) string {
	names := map[string]string{}
	for _, u := range w.fake.Users() {
		names[u.ID] = u.Name[:2]
	}
	var others []string
	for _, id := range d.Others {
		others = append(others, strings.TrimSpace(names[string(id)]))
	}
	team := ""
	if d.Team == lifecycle.TeamID(w.core.ID) {
		team = " of Core"
	}
	return fmt.Sprintf("%s %s%s, others %v, serves %v", d.Override, d, team, others, d.Serves)
}

func TestHoldingsAreEveryDuty(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	h := holdings(t, w.client, w.ann.ID)
	const policy = "Core <Crit> & more"
	want := []string{
		" level 1 of " + policy + " of Core, others [Bo Da Ad], serves []",
		" level 2 of " + policy + " of Core, others [], serves []",
		" level 2 of Core-Crit of Core, others [], serves []",
		" level 3 of " + policy + " of Core, others [Cy Bo Da Ad], serves []",
		" a seat in Core shifts of Core, others [Bo Da Ad], serves [level 3 of " + policy + "]",
		" a seat in Core weekly of Core, others [Ad Bo Da], serves [level 1 of " + policy + "]",
		"EXTRACOMING an override in Core shifts of Core, others [], serves [level 3 of " + policy + "]",
		"EXTRARUNNING an override in Core shifts of Core, others [], serves [level 3 of " + policy + "]",
		"QCOMING an override in Core weekly of Core, others [], serves [level 1 of " + policy + "]",
		"QRUNNING an override in Core weekly of Core, others [], serves [level 1 of " + policy + "]",
		"TAKEN an override in Core shifts of Core, others [], serves [level 3 of " + policy + "]",
		" incident #1 Checkout is down, others [Bo], serves []",
	}
	var got []string
	for _, d := range h.Duties {
		got = append(got, w.line(d))
		if d.Pin == "" || d.Object.URL == "" {
			t.Errorf("%s has no pin or no address: %+v", d, d)
		}
	}
	slices.SortFunc(want, strings.Compare)
	slices.SortFunc(got, strings.Compare)
	for i, g := range got { // in which order others sit in layers is not the matter
		got[i] = sorted(g)
	}
	for i, x := range want {
		want[i] = sorted(x)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("duties (-want +got):\n%s", diff)
	}
	if h.Sessions != 2 || len(h.Calendar) != 12 || h.OtherAdmins != -1 {
		t.Errorf("%d sessions, calendar %q, %d other admins; want 2, a fingerprint, and nobody counted", h.Sessions, h.Calendar, h.OtherAdmins)
	}
	if !slices.Equal(h.Blind, []string{"Roles on single objects and other people's API keys cannot be seen by API."}) {
		t.Errorf("blind to %q", h.Blind)
	}
}

func sorted(line string) string {
	from, to := strings.Index(line, "["), strings.Index(line, "]")
	names := strings.Fields(line[from+1 : to])
	slices.Sort(names)
	return line[:from+1] + strings.Join(names, " ") + line[to:]
}

func TestHoldingsTellShiftsAhead(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	h := holdings(t, w.client, w.ann.ID)
	now := w.time()
	for _, d := range h.Duties {
		switch {
		case d.Kind == lifecycle.KindEscalationPolicy && (len(d.Shifts) != 1 || !d.OnCall(now) || !d.OnCall(now.AddDate(1, 0, 0))):
			t.Errorf("%s is on call %v, want for good", d, d.Shifts)
		case d.Kind == lifecycle.KindSchedule && (len(d.Shifts) == 0 || len(d.Shifts) > 5):
			t.Errorf("%s has %d shifts", d, len(d.Shifts))
		}
		for i, s := range d.Shifts {
			if i > 0 && !s.From.After(d.Shifts[i-1].Until) {
				t.Errorf("%s has %v after %v, which is one shift", d, s, d.Shifts[i-1])
			}
		}
	}
	seat := h.Duties[slices.IndexFunc(h.Duties, func(d lifecycle.Duty) bool { return d.Object.ID == w.weekly.ID && d.Override == "" })]
	var truth []lifecycle.Shift
	for _, s := range w.fake.Shifts(w.weekly.ID, now, now.Add(30*24*time.Hour)) {
		if s.UserID == w.ann.ID && len(truth) < 5 {
			truth = append(truth, lifecycle.Shift{From: s.From, Until: s.To})
		}
	}
	if diff := cmp.Diff(truth, seat.Shifts); diff != "" {
		t.Errorf("shifts of the seat (-rendered +got):\n%s", diff)
	}
}

// A shift that goes on past what is read ahead ends when it does, and not where reading ended.
func TestHoldingsTellWhenTheLastShiftEnds(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	now := w.time()
	days := func(n int) time.Time { return now.AddDate(0, 0, n) }
	two, alone := []string{w.ann.ID, w.bo.ID}, []string{w.ann.ID}
	weekly := func(members []string) []pagerdutytest.Rotation {
		return []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{{Name: "Weekly", Start: days(-3), End: days(4), Members: members}}}}
	}
	layers := func(members []string) []pagerdutytest.Layer {
		return []pagerdutytest.Layer{{Name: "Weekly", Turn: 7 * 24 * time.Hour, Start: days(-3), UserIDs: members}}
	}
	in := []lifecycle.Shift{{From: now, Until: days(4)}, {From: days(11), Until: days(18)}, {From: days(25), Until: days(32)}}
	for name, tt := range map[string]struct {
		id   string
		want []lifecycle.Shift
	}{
		"layers":                     {w.fake.AddSchedule(pagerdutytest.Schedule{Name: "L2", Layers: layers(two)}).ID, in},
		"shifts":                     {w.fake.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "S2", Rotations: weekly(two)}).ID, in},
		"shifts, and nobody beside":  {w.fake.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "S1", Rotations: weekly(alone)}).ID, []lifecycle.Shift{{From: now}}},
		"layers, and nobody besides": {w.fake.AddSchedule(pagerdutytest.Schedule{Name: "L1", Layers: layers(alone)}).ID, []lifecycle.Shift{{From: now}}},
	} {
		t.Run(name, func(t *testing.T) {
			h := holdings(t, w.client, w.ann.ID)
			seat := h.Duties[slices.IndexFunc(h.Duties, func(d lifecycle.Duty) bool { return d.Object.ID == tt.id })]
			if diff := cmp.Diff(tt.want, seat.Shifts); diff != "" {
				t.Errorf("shifts (-want +got):\n%s", diff)
			}
		})
	}
}

// While the shift that runs changes hands, it is on call by what was handed over, and by nothing unheard of.
func TestHoldingsExplainASeatThatIsOverInAMoment(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	start := w.time().AddDate(0, 0, -1)
	s := w.fake.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "Handed", Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{
		{Name: "Weekly", Start: start, End: start.AddDate(0, 0, 7), Members: []string{w.ann.ID, w.bo.ID}},
	}}}})
	w.fake.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "Handed", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.ShiftScheduleTarget(s.ID)}}}})
	h := holdings(t, w.client, w.ann.ID)
	seat := h.Duties[slices.IndexFunc(h.Duties, func(d lifecycle.Duty) bool { return d.Object.ID == s.ID })]
	if _, err := w.client.Apply(t.Context(), w.handover(seat.Entitlement(), w.cy)); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(w.fake.Shifts(s.ID, w.time(), w.time().Add(time.Second)), func(s pagerdutytest.Shift) bool { return s.UserID == w.ann.ID }) {
		t.Error("the shift has changed hands at once, which this is not about")
	}
	for _, b := range holdings(t, w.client, w.ann.ID).Blind {
		if strings.Contains(b, "Handed") {
			t.Errorf("it is said that %s", b)
		}
	}
}

// An approval is for what was seen: pins stay while only time passes, and move when somebody changes who is called.
func TestPinsMoveOnlyWhenSomebodyMovesThem(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	before := pins(holdings(t, w.client, w.ann.ID))
	w.pass(90 * time.Minute)
	if diff := cmp.Diff(before, pins(holdings(t, w.client, w.ann.ID))); diff != "" {
		t.Errorf("time has moved pins (-before +after):\n%s", diff)
	}
	w.pass(55 * 24 * time.Hour) // every override is over
	for key, pin := range pins(holdings(t, w.client, w.ann.ID)) {
		if before[key] != pin {
			t.Errorf("time has moved the pin of %s from %q to %q", key, before[key], pin)
		}
		delete(before, key)
	}
	for key := range before {
		if strings.HasSuffix(key, "/") {
			t.Errorf("time has taken %s away", key)
		}
	}
	before = pins(holdings(t, w.client, w.ann.ID))
	all := w.fake.EscalationPolicies()
	p := all[slices.IndexFunc(all, func(p pagerdutytest.EscalationPolicy) bool { return p.ID == w.policy.ID })]
	p.Rules[1].Targets = append(p.Rules[1].Targets, pagerdutytest.UserTarget(w.dan.ID))
	must(w.fake.SetPolicyAs("olga@example.com", p))
	after := pins(holdings(t, w.client, w.ann.ID))
	for key, pin := range before {
		moved := strings.HasSuffix(key, w.policy.ID+"/2/")
		if (after[key] != pin) != moved {
			t.Errorf("pin of %s was %q and is %q", key, pin, after[key])
		}
	}
}

func pins(h lifecycle.Holdings) map[string]string {
	all := map[string]string{}
	for _, d := range h.Duties {
		all[d.Key()] = d.Pin
	}
	return all
}

// Who was deleted and left a placeholder is nobody who would be left.
func TestHoldingsCountNoPlaceholders(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{Offboarding: pagerdutytest.Offboarding{Enabled: true, RestartIncidents: true}})
	for _, u := range []pagerdutytest.User{w.bo, w.dan, w.cy, w.ada} {
		must(w.fake.DeleteUserAs("olga@example.com", u.ID))
	}
	for _, d := range holdings(t, w.client, w.ann.ID).Duties {
		if d.Kind != lifecycle.KindIncident && !d.Alone() {
			t.Errorf("of %s there would be left %v, who do not exist", d, d.Others)
		}
	}
}

func TestHoldingsOfAnAdmin(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	a.SetSeats("FullUser", 9)
	h := holdings(t, c, w.ada.ID)
	if h.OtherAdmins != 1 {
		t.Errorf("%d other admins, want the owner", h.OtherAdmins)
	}
	want := []lifecycle.Seats{
		{Licence: "Business (Full User)", Roles: []lifecycle.BaseRole{lifecycle.RoleOwner, lifecycle.RoleAdmin, lifecycle.RoleManager, lifecycle.RoleResponder, lifecycle.RoleObserver, lifecycle.RoleRestricted}, Free: 5},
		{Licence: "Business (Stakeholder)", Roles: []lifecycle.BaseRole{lifecycle.RoleStakeholder, lifecycle.RoleLimitedStakeholder}, Free: -1},
	}
	if diff := cmp.Diff(want, h.Seats, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("seats (-want +got):\n%s", diff)
	}
	if len(h.Duties) != 0 || h.Used.Proxy == "" {
		t.Errorf("duties %v, used %+v", h.Duties, h.Used)
	}
}

// What is not to be seen is not none, and a list that PagerDuty does not have here hides nobody's duties.
func TestHoldingsThatAreWithheld(t *testing.T) {
	t.Parallel()
	for name, no := range map[string]pagerdutytest.Kind{
		"no right":                pagerdutytest.Refuses(403, 2010, "Access Denied", pagerdutytest.ErrorsList),
		"not on this plan":        pagerdutytest.Refuses(402, 2014, "Required abilities are unavailable", pagerdutytest.NoErrors),
		"no such list":            pagerdutytest.Refuses(404, 2100, "Not Found", pagerdutytest.NoErrors),
		"no such path, as a text": pagerdutytest.Refuses(404, 0, "no such path", pagerdutytest.PlainText),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{})
			for _, path := range []string{"/users/*/oauth_delegations", "/licenses"} {
				w.fake.Fail(pagerdutytest.Fault{Method: "GET", Path: path, Times: -1, Kind: no})
			}
			h := holdings(t, w.client, w.ann.ID)
			if all := strings.Join(h.Blind, "\n"); h.Sessions != -1 || len(h.Blind) != 3 || !strings.Contains(all, "Whether they are signed in") || !strings.Contains(all, "Licence seats") {
				t.Errorf("%d sessions, blind to %q; want neither sessions nor licences to be seen", h.Sessions, h.Blind)
			}
			w.done(t, deeds()["sessions"].order(w), 1)
		})
	}
}

// What is no duty may stay unseen, and is said; duties may not.
func TestHoldingsWithoutEveryRight(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		path           string
		blind, refused string
	}{
		"sessions":          {path: "/users/*/oauth_delegations", blind: "Whether they are signed in could not be seen."},
		"licences":          {path: "/licenses", blind: "Licence seats could not be seen."},
		"policies":          {path: "/escalation_policies", refused: "does not let rolecall's key"},
		"schedules":         {path: "/schedules", refused: "does not let rolecall's key"},
		"shift-based":       {path: "/v3/schedules", refused: "does not let rolecall's key"},
		"on-calls":          {path: "/oncalls", refused: "does not let rolecall's key"},
		"overrides":         {path: "/schedules/*/overrides", refused: "does not let rolecall's key"},
		"overrides, shifts": {path: "/v3/schedules/*/overrides", refused: "does not let rolecall's key"},
		"custom shifts":     {path: "/v3/schedules/*/custom_shifts", refused: "does not let rolecall's key"},
		"incidents":         {path: "/incidents", refused: "does not let rolecall's key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{})
			w.fake.Fail(pagerdutytest.Fault{Method: "GET", Path: tt.path, Times: -1, Kind: pagerdutytest.Refuses(403, 2010, "Access Denied", pagerdutytest.ErrorsList)})
			h, err := w.client.Holdings(t.Context(), lifecycle.AccountID(w.ann.ID))
			if reason := lifecycle.ReasonOf(err); (err != nil) != (tt.refused != "") || !strings.Contains(reason, tt.refused) {
				t.Fatalf("holdings: %v, want a refusal that says %q", err, tt.refused)
			}
			if all := strings.Join(h.Blind, "\n"); !strings.Contains(all, tt.blind) {
				t.Errorf("blind to %q, want %q", h.Blind, tt.blind)
			}
		})
	}
}

func TestHoldingsThatCannotBe(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	for _, id := range []lifecycle.AccountID{"PNOBODY", "../teams"} {
		if _, err := w.client.Holdings(t.Context(), id); !errors.Is(err, lifecycle.ErrNotFound) {
			t.Errorf("holdings of %s: %v, want ErrNotFound", id, err)
		}
	}
	w.fake.Fail(pagerdutytest.Fault{Method: "GET", Path: "/schedules/*", Times: -1, Kind: pagerdutytest.Status(500, "")})
	if h, err := w.client.Holdings(t.Context(), lifecycle.AccountID(w.ann.ID)); err == nil {
		t.Errorf("holdings are %+v, want a fault", h)
	}
}

// A schedule that is upgraded between its list and its shifts is read again as what it is.
func TestHoldingsFollowUpgrades(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"before its shifts": "/schedules/*", "before its overrides": "/schedules/*/overrides", "before the lists": "/schedules"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			w := watched(a)
			a.Fail(pagerdutytest.Fault{Method: "GET", Path: path, Kind: pagerdutytest.Before(func() { a.UpgradeSchedule(w.layers.ID) })})
			h := holdings(t, c, w.ann.ID)
			if !slices.ContainsFunc(h.Duties, func(d lifecycle.Duty) bool { return d.Object.ID == w.layers.ID && len(d.Shifts) > 0 }) {
				t.Errorf("duties are %v, without the schedule that was upgraded", h.Duties)
			}
		})
	}
}

// An override is a duty although there is no seat.
func TestHoldingsFindOverridesWithoutASeat(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{})
	now := w.time()
	s := w.fake.AddSchedule(pagerdutytest.Schedule{
		Name: "Others'", Layers: []pagerdutytest.Layer{{UserIDs: []string{w.dan.ID}}},
		Overrides: []pagerdutytest.Override{{ID: "QALONE", UserID: w.cy.ID, Start: now.Add(60 * 24 * time.Hour), End: now.Add(61 * 24 * time.Hour)}},
	})
	w.fake.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "Others'", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(s.ID)}}}})
	h := holdings(t, w.client, w.cy.ID)
	if !slices.ContainsFunc(h.Duties, func(d lifecycle.Duty) bool { return d.Override == "QALONE" && d.Object.ID == s.ID }) {
		t.Errorf("duties are %v, want the override", h.Duties)
	}
}
