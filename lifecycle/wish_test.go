package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// wishing is a house in which Ben is known, and has the account.
func wishing(t testing.TB, a lifecycle.Account) *house {
	t.Helper()
	h := newHouse(t)
	h.pager.put(a)
	h.known(t, person("Payments"))
	return h
}

// wish is what Ben asks for: a role for so long.
func (h *house) wish(t testing.TB, team, role string, lasts time.Duration) (lifecycle.Request, error) {
	t.Helper()
	return h.planner().Wish(t.Context(), lifecycle.Wish{
		By: h.who(t, "ben"), Team: team, Role: role, Until: h.now().Add(lasts), Why: "Helps with the migration", Incident: "INC-7", Via: lifecycle.ViaSlack,
	})
}

// given is what Ben has asked for and been given.
func (h *house) given(t testing.TB, team, role string, lasts time.Duration, by string) lifecycle.Request {
	t.Helper()
	r, err := h.wish(t, team, role, lasts)
	must(t, err)
	r = h.approve(t, r, by)
	h.later(t, 11*time.Minute) // what gives great power waits
	if r = h.request(t, r.ID); r.State != lifecycle.Done {
		t.Fatalf("%s %s is %s: %s", team, role, r.State, r.Note)
	}
	return r
}

func (h *house) ben(t testing.TB) lifecycle.Account {
	t.Helper()
	a, ok := h.pager.see("PBEN")
	if !ok {
		t.Fatal("Ben has no account any more")
	}
	return a
}

func TestWish(t *testing.T) {
	t.Parallel()
	inPayments := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	for name, tt := range map[string]struct {
		have       lifecycle.Account
		team, role string
		want       string
	}{
		"a role on another team":                     {inPayments, "Platform", "responder", "[grant Platform:  → responder]"},
		"more on their own team":                     {inPayments, "Payments", "manager", "[replace Payments: responder → manager]"},
		"a team by its id, a role in any case":       {inPayments, "PPLA", "Manager", "[grant Platform:  → manager]"},
		"a base role by PagerDuty's own name":        {inPayments, "", "Manager", "[replace base_role: limited_user → user]"},
		"a base role by its API name":                {inPayments, "", "admin", "[replace base_role: limited_user → admin]"},
		"a stakeholder needs another base role":      {account(lifecycle.RoleStakeholder), "Platform", "responder", "[replace base_role: read_only_user → observer grant Platform:  → responder]"},
		"an observer acts where a team role lets it": {account(lifecycle.RoleObserver), "Platform", "responder", "[grant Platform:  → responder]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := wishing(t, tt.have)
			r, err := h.wish(t, tt.team, tt.role, 8*time.Hour)
			must(t, err)
			if got := cmp.Diff(tt.want, "["+strings.Join(say(r.Changes), " ")+"]"); got != "" {
				t.Errorf("changes (-want +got):\n%s", got)
			}
			if r.State != lifecycle.Pending || r.Needed < 1 || r.Kind != lifecycle.RequestSelf || !r.Until.Equal(monday.Add(8*time.Hour)) || r.Asked == "" || r.Incident != "INC-7" {
				t.Errorf("opened %+v", r)
			}
			if r.DecideBy.After(r.Until) {
				t.Errorf("may be decided until %s, and ends at %s", r.DecideBy, r.Until)
			}
		})
	}
}

func TestWishIsRefused(t *testing.T) {
	t.Parallel()
	ben := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	for name, tt := range map[string]struct {
		have       *lifecycle.Account
		team, role string
		lasts      time.Duration
		house      func(*testing.T, *house)
		kind       error
		field      string // that the refusal names; "" where it is no field's
		words      string
	}{
		"a team that is none":          {team: "Paymnts", role: "responder", kind: lifecycle.ErrInvalid, field: "team", words: "there are Payments, Platform"},
		"a role that is none":          {team: "Payments", role: "owner", kind: lifecycle.ErrInvalid, field: "role", words: "observer, responder and manager"},
		"the Account Owner":            {role: "owner", kind: lifecycle.ErrInvalid, field: "role", words: "Global Admin (admin)"},
		"a time that has passed":       {team: "Platform", role: "responder", lasts: -time.Hour, kind: lifecycle.ErrInvalid, field: "until", words: "passed"},
		"a few minutes":                {team: "Platform", role: "responder", lasts: time.Minute, kind: lifecycle.ErrInvalid, field: "until", words: "15 minutes"},
		"longer than the policy lets":  {team: "Platform", role: "responder", lasts: 31 * day, kind: lifecycle.ErrInvalid, field: "until", words: "30 days"},
		"what they hold":               {team: "Payments", role: "responder", kind: lifecycle.ErrInvalid, field: "role", words: "hold Payments: responder already"},
		"less than they hold":          {team: "Payments", role: "observer", kind: lifecycle.ErrInvalid, field: "role", words: "hold Payments: responder already"},
		"a team role as an admin":      {have: ptr(account(lifecycle.RoleAdmin)), team: "Payments", role: "manager", kind: lifecycle.ErrInvalid, field: "role", words: "manager of every team"},
		"without an account":           {have: &lifecycle.Account{ID: "PX", Email: "x@acme.test", BaseRole: lifecycle.RoleObserver}, team: "Payments", role: "manager", kind: lifecycle.ErrConflict, words: "no PagerDuty account"},
		"the Account Owner's own":      {have: ptr(account(lifecycle.RoleOwner)), team: "Payments", role: "manager", kind: lifecycle.ErrForbidden, words: "Account Owner"},
		"nobody may ask":               {team: "Platform", role: "responder", kind: lifecycle.ErrForbidden, words: "does not let people ask", house: func(_ *testing.T, h *house) { h.policy.Defaults.Ask.Off = true }},
		"shorter is the policy's word": {team: "Platform", role: "responder", lasts: 9 * time.Hour, kind: lifecycle.ErrInvalid, field: "until", words: "8 hours", house: func(_ *testing.T, h *house) { h.policy.Defaults.Ask.Longest = 8 * time.Hour }},
		"a protected address":          {team: "Platform", role: "responder", kind: lifecycle.ErrForbidden, words: "protects", house: func(_ *testing.T, h *house) { h.policy.Protected = []string{"ben@acme.test"} }},
		"a policy that refuses all":    {team: "Platform", role: "responder", kind: lifecycle.ErrInvalid, field: "role", words: "nobody in your place", house: func(_ *testing.T, h *house) { h.policy.Defaults.Approval.Mode = lifecycle.ApprovalDeny }},
		"who is suspended":             {team: "Platform", role: "responder", kind: lifecycle.ErrForbidden, words: "active now", house: func(t *testing.T, h *house) { h.status(t, lifecycle.StatusSuspended) }},
		"an account that is disputed": {team: "Platform", role: "responder", kind: lifecycle.ErrConflict, words: "not clear which", house: func(_ *testing.T, h *house) {
			h.pager.put(lifecycle.Account{ID: "PTWIN", Email: "ben@acme.test", BaseRole: lifecycle.RoleObserver})
		}},
		"a ceiling of their employment": {team: "Platform", role: "manager", kind: lifecycle.ErrInvalid, field: "role", words: "ceiling of contractor in line 7", house: func(t *testing.T, h *house) { h.ceiling(t, lifecycle.Contractor) }},
		"a ceiling that may be theirs":  {team: "Platform", role: "manager", kind: lifecycle.ErrInvalid, field: "role", words: "no source has said", house: func(t *testing.T, h *house) { h.ceiling(t, "") }},
		"what nobody may hold together": {team: "Platform", role: "responder", kind: lifecycle.ErrInvalid, field: "role", words: "segregation two-keys", house: func(_ *testing.T, h *house) {
			h.policy.Segregation = []lifecycle.Segregation{{Name: "two-keys", Why: "Whoever pays does not ship", Line: 9, Not: []lifecycle.Toxic{{Team: "Payments", Role: lifecycle.TeamResponder}, {Team: "Platform", Role: lifecycle.TeamResponder}}}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.have == nil {
				tt.have = &ben
			}
			h := wishing(t, *tt.have)
			if tt.house != nil {
				tt.house(t, h)
			}
			if tt.lasts == 0 {
				tt.lasts = 8 * time.Hour
			}
			_, err := h.wish(t, tt.team, tt.role, tt.lasts)
			if !errors.Is(err, tt.kind) || !strings.Contains(lifecycle.ReasonOf(err), tt.words) {
				t.Fatalf("got %v, want %v with %q", err, tt.kind, tt.words)
			}
			refusal, _ := errors.AsType[*lifecycle.Refusal](err)
			if named := refusal.Fields; (tt.field == "") != (len(named) == 0) || tt.field != "" && named[0].Path != tt.field {
				t.Errorf("names %v, want %q", named, tt.field)
			}
			if rs := h.requests(t); len(rs) > 0 {
				t.Errorf("opened %v", h.story(t))
			}
			if want := errors.Is(tt.kind, lifecycle.ErrForbidden); (h.trail(lifecycle.EventRequestRefused) == 1) != want {
				t.Errorf("on the record: %d", h.trail(lifecycle.EventRequestRefused))
			}
		})
	}
}

// status gives Ben another status than active.
func (h *house) status(t testing.TB, s lifecycle.Status) {
	t.Helper()
	h.remember(t, func(i *lifecycle.Identity) { i.Person.Status = s })
}

// ceiling lets contractors be no manager of a team, and makes Ben of that employment.
func (h *house) ceiling(t testing.TB, e lifecycle.Employment) {
	t.Helper()
	h.policy.Ceilings = map[lifecycle.Employment]lifecycle.Ceiling{lifecycle.Contractor: {TeamRole: lifecycle.TeamResponder, Line: 7}}
	h.remember(t, func(i *lifecycle.Identity) { i.Person.Employment = e })
}

func (h *house) remember(t testing.TB, change func(*lifecycle.Identity)) {
	t.Helper()
	i := h.who(t, "ben")
	change(&i)
	i.Revision++
	must(t, h.store.SaveIdentity(t.Context(), i, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(i.ID)}))
}

func TestWhoIsNamedOnlyInThePolicyAsksForNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(lifecycle.Account{ID: "PMARCO", Email: "marco@acme.test", BaseRole: lifecycle.RoleResponder})
	_, err := h.planner().Wish(t.Context(), lifecycle.Wish{By: h.who(t, "marco"), Team: "Platform", Role: "responder", Until: h.now().Add(time.Hour), Why: "x"})
	if !errors.Is(err, lifecycle.ErrForbidden) || !strings.Contains(lifecycle.ReasonOf(err), "No source of truth") {
		t.Errorf("got %v", err)
	}
}

func TestEveryFieldThatIsWrongIsNamed(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	_, err := h.planner().Wish(t.Context(), lifecycle.Wish{By: h.who(t, "ben"), Team: "x", Role: "y", Incident: strings.Repeat("i", 201)})
	var got []string
	if refusal, ok := errors.AsType[*lifecycle.Refusal](err); ok {
		for _, f := range refusal.Fields {
			got = append(got, f.Path)
		}
	}
	if diff := cmp.Diff([]string{"team", "role", "until", "reason", "incident"}, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestAWishIsOpenOnce(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	first, err := h.wish(t, "Payments", "responder", 8*time.Hour)
	must(t, err)
	if _, err := h.wish(t, "Payments", "manager", 8*time.Hour); !errors.Is(err, lifecycle.ErrDuplicate) || !strings.Contains(lifecycle.ReasonOf(err), string(first.ID)) {
		t.Errorf("a second for the same team: %v", err)
	}
	if _, err := h.wish(t, "Platform", "responder", 8*time.Hour); err != nil {
		t.Errorf("another team: %v", err)
	}
	if _, err := h.press(t, first, "marco", lifecycle.Deny, "not now"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.wish(t, "Payments", "manager", 8*time.Hour); err != nil {
		t.Errorf("after a no: %v", err)
	}
}

// A policy whose rule grants it by itself does not grant it for the asking.
func TestAWishIsNeverApprovedByItself(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	h.policy.Defaults.Approval.Mode = lifecycle.ApprovalAuto
	r, err := h.wish(t, "Platform", "responder", 8*time.Hour)
	must(t, err)
	if r.State != lifecycle.Pending || r.Needed != 1 {
		t.Errorf("%s, needs %d", r.State, r.Needed)
	}
	if _, err := h.press(t, r, "ben", lifecycle.Approve, "mine"); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("Ben decided on his own: %v", err)
	}
}

func TestAWishThatNobodyDecidesIsOverWhenItWouldEnd(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	r, err := h.wish(t, "Platform", "responder", 4*time.Hour)
	must(t, err)
	h.pass(4 * time.Hour)
	if _, err := h.press(t, r, "omar", lifecycle.Approve, "late"); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("approved at its end: %v", err)
	}
	h.work(t)
	if got := h.request(t, r.ID); got.State != lifecycle.Expired || len(h.pager.made()) > 0 {
		t.Errorf("it is %s; wrote %v", got.State, h.pager.made())
	}
}

func TestWhatIsApprovedIsNotGivenAfterItsEnd(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	r, err := h.wish(t, "Platform", "responder", 4*time.Hour)
	must(t, err)
	_, err = h.press(t, r, "omar", lifecycle.Approve, "as agreed")
	must(t, err)
	h.later(t, 5*time.Hour) // nothing worked meanwhile
	if got := h.request(t, r.ID).State; got.Open() || len(h.pager.made()) > 0 {
		t.Errorf("it is %s; wrote %v", got, h.pager.made())
	}
}

// A roll call does not take for drift what somebody has approved, as long as it runs.
func TestWhatRunsIsNoFinding(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.given(t, "Payments", "manager", 8*time.Hour, "marco")
	h.pass(time.Hour)
	if found := h.call(t).Open; len(found) > 0 {
		t.Errorf("while it runs: %s", found[0].Sentence())
	}
	h.later(t, 8*time.Hour)
	if found := h.call(t).Open; len(found) > 0 {
		t.Errorf("after it: %s", found[0].Sentence())
	}
}

// What a mover holds for a time is not theirs to lose before that, and what they
// go back to is asked about then.
func TestWhoMovesWhileTheyHoldMoreGoesBackAndIsAskedAbout(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.given(t, "Payments", "manager", 48*time.Hour, "marco")
	h.hear(t, person("Platform"))
	if got := h.roles(t); got != "limited_user Payments:manager Platform:responder" {
		t.Fatalf("moved: %s\n%s", got, strings.Join(h.story(t), "\n"))
	}
	h.later(t, 49*time.Hour)
	if got := h.roles(t); got != "limited_user Payments:responder Platform:responder" {
		t.Errorf("in the end: %s", got)
	}
	h.call(t)
	if r := h.only(t, lifecycle.Pending); say(r.Changes)[0] != "revoke Payments: responder → " {
		t.Errorf("asked about: %v", say(r.Changes))
	}
}

func TestANudgeIsSentOnceInFourHours(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder))
	r, err := h.wish(t, "Platform", "responder", 48*time.Hour)
	must(t, err)
	nudge := func(name string) error {
		_, err := h.approvals().Nudge(t.Context(), r.ID, h.who(t, name), lifecycle.ViaSlack)
		return err
	}
	if err := nudge("omar"); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("omar nudges: %v", err)
	}
	must(t, nudge("ben"))
	if n := h.store.waiting(lifecycle.JobRemind); n != 1 {
		t.Errorf("%d reminders", n)
	}
	if err := nudge("ben"); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("again at once: %v", err)
	}
	h.pass(4 * time.Hour)
	must(t, nudge("ben"))
	h.approve(t, h.request(t, r.ID), "omar")
	h.pass(4 * time.Hour)
	if err := nudge("ben"); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("once it is done: %v", err)
	}
}
