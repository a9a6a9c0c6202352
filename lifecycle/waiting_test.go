package lifecycle_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// at returns when the jobs of the kind about the request are due.
func (s *store) at(kind lifecycle.JobKind, ref string) []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	var at []time.Time
	for _, j := range s.jobs {
		if j.Kind == kind && j.Ref == ref {
			at = append(at, j.At)
		}
	}
	return at
}

// officeHouse waits in office hours: it opens on a Monday at eleven in Berlin.
func officeHouse(t *testing.T, zone string) *house {
	t.Helper()
	h := newHouse(t)
	h.policy.Defaults.Hours = office
	h.policy.Teams[0].Zone = zone
	a := &h.policy.Defaults.Approval
	a.RemindAfter, a.EscalateAfter, a.ExpireAfter = 4*time.Hour, 8*time.Hour, 20*time.Hour
	return h
}

func TestADeadlineCountsTheHoursInWhichPeopleWork(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		zone, owner                      string // the team's, and that of its first owner
		hours                            lifecycle.Hours
		pinned                           string
		remind, escalate, expire, second string // in Berlin
	}{
		"where the team is":                     {zone: "Europe/Berlin", owner: "Asia/Tokyo", hours: office, pinned: "Europe/Berlin", remind: "Mon 2026-05-04 15:00", escalate: "Tue 2026-05-05 10:30", expire: "Wed 2026-05-06 14:00", second: "Fri 2026-05-08 17:00"},
		"where the nearest owner is":            {owner: "Europe/London", hours: office, pinned: "Europe/London", remind: "Mon 2026-05-04 15:00", escalate: "Tue 2026-05-05 10:30", expire: "Wed 2026-05-06 14:00", second: "Fri 2026-05-08 17:00"},
		"and in all hours where there are none": {zone: "Europe/Berlin", remind: "Mon 2026-05-04 15:00", escalate: "Mon 2026-05-04 19:00", expire: "Tue 2026-05-05 07:00", second: "Wed 2026-05-06 03:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := officeHouse(t, tt.zone)
			h.policy.Defaults.Hours, h.policy.Defaults.Approval.OnExpiry = tt.hours, lifecycle.SilenceEscalate
			if tt.owner != "" {
				marco := h.who(t, "marco")
				marco.Person.Timezone, marco.Revision = tt.owner, marco.Revision+1
				must(t, h.store.SaveIdentity(t.Context(), marco, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(marco.ID)}))
			}
			r := losing(t, h)
			if r.Zone != tt.pinned || !cmp.Equal(r.Hours, tt.hours) {
				t.Errorf("it waits in %v of %q, want %v of %q", r.Hours, r.Zone, tt.hours, tt.pinned)
			}
			berlin := zoneOf(t, "Europe/Berlin")
			for kind, want := range map[lifecycle.JobKind]string{lifecycle.JobRemind: tt.remind, lifecycle.JobEscalate: tt.escalate, lifecycle.JobExpire: tt.expire} {
				if at := h.store.at(kind, string(r.ID)); len(at) != 1 || !strings.HasPrefix(at[0].In(berlin).Format("Mon 2006-01-02 15:04"), want) {
					t.Errorf("%s is due at %v, want %s in Berlin", kind, at, want)
				}
			}
			h.store.take(lifecycle.JobEscalate, string(r.ID))
			h.policy.Defaults.Hours = lifecycle.Hours{Days: []time.Weekday{time.Sunday}, To: 24 * time.Hour} // the file may change meanwhile
			h.later(t, r.DecideBy.Sub(h.now()))
			got := h.request(t, r.ID)
			if !got.Escalated || got.DecideBy.In(berlin).Format("Mon 2006-01-02 15:04") != tt.second {
				t.Errorf("escalated %t, then Security has until %s, want as much working time: until %s", got.Escalated, got.DecideBy.In(berlin), tt.second)
			}
			if at := h.store.at(lifecycle.JobExpire, string(r.ID)); len(at) != 1 || !at[0].Equal(got.DecideBy) {
				t.Errorf("it is over at %v, want %s", at, got.DecideBy)
			}
		})
	}
}

func TestAClockThatJumps(t *testing.T) {
	t.Parallel()
	h := officeHouse(t, "Europe/Berlin")
	r := losing(t, h)
	h.pass(24 * time.Hour) // a day of all hours, of which ten and a half were worked
	told, early := errors.AsType[*lifecycle.JobError](h.keeper().Expire(t.Context(), r.ID))
	if !early || told.RetryAfter != r.DecideBy.Sub(h.now()) {
		t.Errorf("called too early: got %+v, want to be called at %s", told, r.DecideBy)
	}
	h.pass(365 * 24 * time.Hour)
	for range 2 { // as after a crash
		must(t, h.keeper().Expire(t.Context(), r.ID))
	}
	if got := h.request(t, r.ID); got.State != lifecycle.Expired || h.trail(lifecycle.EventRequestExpired) != 1 {
		t.Errorf("called a year late, twice: it is %s, %d times", got.State, h.trail(lifecycle.EventRequestExpired))
	}
}

func TestAnUndoIsWaitedForInWorkingHoursToo(t *testing.T) {
	t.Parallel()
	h := officeHouse(t, "Europe/Berlin")
	r := h.approve(t, losing(t, h), "marco")
	if r.State != lifecycle.Done {
		t.Fatalf("it is %s", r.State)
	}
	h.policy.Defaults.Approval.N = 2
	undo, err := h.approvals().Undo(t.Context(), lifecycle.Press{Request: r.ID, Seen: r.Revision, By: h.who(t, "marco"), Reason: "too soon"})
	must(t, err)
	if want := office.Add(h.now(), 20*time.Hour, zoneOf(t, "Europe/Berlin")); undo.State != lifecycle.Pending || !undo.DecideBy.Equal(want) {
		t.Errorf("it is %s until %s, want until %s", undo.State, undo.DecideBy, want)
	}
}

func (h *house) snooze(t *testing.T, r lifecycle.Request, name string, until time.Time) (lifecycle.Request, error) {
	t.Helper()
	return h.approvals().Snooze(t.Context(), lifecycle.Snoozing{Request: r.ID, By: h.who(t, name), Until: until, Via: lifecycle.ViaSlack})
}

// waitsFor returns whose inbox the request is in.
func (h *house) waitsFor(t *testing.T, id lifecycle.RequestID, names ...string) []string {
	t.Helper()
	var has []string
	for _, name := range names {
		inbox, err := h.desk().Inbox(t.Context(), h.who(t, name))
		must(t, err)
		if slices.ContainsFunc(inbox, func(r lifecycle.Request) bool { return r.ID == id }) {
			has = append(has, name)
		}
	}
	return has
}

func TestASnoozeLeavesOneInboxForAWhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := losing(t, h)
	until := h.now().Add(20 * time.Hour)
	is, err := h.snooze(t, r, "marco", h.now().Add(time.Hour))
	must(t, err)
	is, err = h.snooze(t, is, "marco", until) // the last word counts
	must(t, err)
	if got := h.waitsFor(t, r.ID, "marco", "ines"); !slices.Equal(got, []string{"ines"}) {
		t.Errorf("meanwhile it waits for %v, want ines alone", got)
	}
	if !is.DecideBy.Equal(r.DecideBy) || len(is.Snoozed) != 1 || !is.SnoozedBy("Marco@acme.test").Equal(until) {
		t.Errorf("got %+v until %s, want the deadline as it was", is.Snoozed, is.DecideBy)
	}
	if at := h.store.at(lifecycle.JobRemind, string(r.ID)); !slices.ContainsFunc(at, until.Equal) {
		t.Errorf("reminders are due at %v, want one at %s", at, until)
	}
	h.later(t, 20*time.Hour)
	if got := h.waitsFor(t, r.ID, "marco", "ines"); len(got) != 2 {
		t.Errorf("after it, it waits for %v, want both", got)
	}
	if n := h.trail(lifecycle.EventRequestSnoozed); n != 2 {
		t.Errorf("%d lines of the trail, want 2", n)
	}
	if got := h.approve(t, h.request(t, r.ID), "marco"); got.State != lifecycle.Done {
		t.Errorf("who has put it off decides: it is %s", got.State)
	}
}

func TestWhatIsNotPutOff(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		by     string
		after  time.Duration
		before func(*testing.T, *house, lifecycle.Request)
		kind   error
		says   string
	}{
		"by somebody who may not decide it":     {by: "omar", after: time.Hour, kind: lifecycle.ErrForbidden, says: "Only marco@acme.test or ines@acme.test"},
		"until after its deadline":              {by: "marco", after: 72 * time.Hour, kind: lifecycle.ErrInvalid, says: "It has to be decided by Thu 7 May 09:00 UTC"},
		"until a time that has passed":          {by: "marco", after: -time.Minute, kind: lifecycle.ErrInvalid, says: "within the next seven days"},
		"for longer than a week":                {by: "marco", after: 169 * time.Hour, kind: lifecycle.ErrInvalid, says: "within the next seven days"},
		"when it is late":                       {by: "marco", after: time.Hour, before: func(_ *testing.T, h *house, _ lifecycle.Request) { h.pass(73 * time.Hour) }, kind: lifecycle.ErrConflict, says: "expired"},
		"when it is decided":                    {by: "ines", after: time.Hour, before: func(t *testing.T, h *house, r lifecycle.Request) { h.approve(t, r, "marco") }, kind: lifecycle.ErrConflict, says: "already done"},
		"by who has decided, and waits for two": {by: "marco", after: time.Hour, before: func(t *testing.T, h *house, _ lifecycle.Request) { h.approve(t, h.only(t, lifecycle.Pending), "marco") }, kind: lifecycle.ErrConflict, says: "You have decided on this already"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if strings.HasSuffix(name, "for two") {
				h.policy.Defaults.Approval.N = 2
			}
			r := losing(t, h)
			until := h.now().Add(tt.after)
			if tt.before != nil {
				tt.before(t, h, r)
				until = h.now().Add(tt.after)
			}
			_, err := h.snooze(t, r, tt.by, until)
			if !errors.Is(err, tt.kind) || !strings.Contains(lifecycle.ReasonOf(err), tt.says) {
				t.Errorf("got %v, want it refused with %q", err, tt.says)
			}
			if got := h.request(t, r.ID); len(got.Snoozed) != 0 {
				t.Errorf("it is put off all the same: %+v", got.Snoozed)
			}
		})
	}
}

// Of two who put it off in the same moment, both have.
func TestTwoPutItOffAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := losing(t, h)
	s := &hurried{store: h.store, faster: 1, first: func() {
		_, err := h.snooze(t, r, "ines", h.now().Add(time.Hour))
		must(t, err)
	}}
	_, err := lifecycle.NewApprovals(s, h, h.now).Snooze(t.Context(), lifecycle.Snoozing{Request: r.ID, By: h.who(t, "marco"), Until: h.now().Add(time.Hour)})
	must(t, err)
	if got := h.waitsFor(t, r.ID, "marco", "ines"); len(got) != 0 {
		t.Errorf("it waits for %v, want nobody for an hour", got)
	}
}

func TestWhatWasKeptIsAskedAgainWhenTheExceptionEnds(t *testing.T) {
	t.Parallel()
	for name, rollFirst := range map[string]bool{"at that moment": false, "though a roll call was first to see it": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, f := drifted(t)
			kept, err := h.approvals().Decide(t.Context(), lifecycle.Press{
				Request: f.Request, Seen: 1, By: h.who(t, "priya"), Verdict: lifecycle.Deny, Reason: "covers for Sam", Until: h.now().Add(30 * day), Via: lifecycle.ViaSlack,
			})
			must(t, err)
			h.later(t, 30*day-30*time.Minute)
			if told, early := errors.AsType[*lifecycle.JobError](h.planner().Ask(t.Context(), f.ID)); !early || told.RetryAfter != 30*time.Minute {
				t.Errorf("called too early: got %+v, want to be called in half an hour", told)
			}
			if n := len(h.requests(t, lifecycle.Pending)); n != 0 {
				t.Fatalf("%d are asked before it has ended", n)
			}
			h.pass(30 * time.Minute)
			if rollFirst {
				_, err := h.rollCall().Run(t.Context(), lifecycle.System)
				must(t, err)
			}
			h.work(t)
			must(t, h.planner().Ask(t.Context(), f.ID)) // as after a crash
			again := h.only(t, lifecycle.Pending)
			if again.ID == kept.ID || !strings.HasPrefix(again.Why.Event, "The exception that priya@acme.test gave until 3 Jun has ended. Ben Ode ") {
				t.Errorf("it is asked because %q", again.Why.Event)
			}
			if is := h.found(t); is.Request != again.ID || is.Exception != "" {
				t.Errorf("the roll call after that finds %+v, want it asked by %s", is, again.ID)
			}
			h.only(t, lifecycle.Pending)
			_, err = h.press(t, again, "priya", lifecycle.Deny, "still does")
			must(t, err)
			must(t, h.planner().Ask(t.Context(), f.ID)) // the step of the first exception, once more
			if n := len(h.requests(t, lifecycle.Pending)); n != 0 {
				t.Errorf("%d are asked while the second exception stands", n)
			}
		})
	}
}

func TestWhatIsMendedMeanwhileIsNotAskedWhenItsExceptionEnds(t *testing.T) {
	t.Parallel()
	h, f := drifted(t)
	_, err := h.press(t, h.request(t, f.Request), "priya", lifecycle.Deny, "covers for Sam")
	must(t, err)
	h.setBase(lifecycle.RoleResponder)
	h.pass(4 * time.Hour)
	h.call(t)
	h.later(t, 91*day)
	if n := len(h.requests(t, lifecycle.Pending)); n != 0 || len(h.failed) != 0 {
		t.Errorf("%d are asked, and failed: %v", n, h.failed)
	}
}
