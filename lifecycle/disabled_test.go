package lifecycle_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// disabled is what a signal says of Ben: that his account there was disabled.
func disabled() lifecycle.Fact {
	return lifecycle.Fact{Source: "set:idp.acme.test", Kind: lifecycle.FactDisabled, Key: "sub_ben", Person: lifecycle.Person{Status: lifecycle.StatusSuspended, Emails: []string{"ben@acme.test"}}}
}

// enabled is what the same source says when the account is enabled again.
func enabled() lifecycle.Fact {
	f := disabled()
	f.Kind, f.Person.Status = lifecycle.FactStatus, lifecycle.StatusActive
	return f
}

func TestWhoseAccountWasDisabledIsContainedAndNothingElse(t *testing.T) {
	t.Parallel()
	contained := "leaver done [contain base_role: limited_user → restricted_access contain Payments: responder → ]"
	for name, tt := range map[string]struct {
		begin func(*house)
		then  func(*testing.T, *house)
		story []string
		held  lifecycle.BaseRole
	}{
		"they are contained at once, and neither handed over nor deleted": {story: []string{contained}, held: lifecycle.RoleRestricted},
		"what on-call expects of them is not handed over": {
			begin: func(h *house) { h.pager.duties["PBEN"] = []lifecycle.Duty{level(payments.ID, 1)} },
			story: []string{"leaver done [contain base_role: limited_user → restricted_access contain Payments: responder → observer]"}, held: lifecycle.RoleRestricted,
		},
		"said again it takes nothing more": {
			then:  func(t *testing.T, h *house) { h.say(t, disabled()) },
			story: []string{contained}, held: lifecycle.RoleRestricted,
		},
		"enabled again they are given back what was taken": {
			then:  func(t *testing.T, h *house) { h.say(t, enabled()); h.approve(t, h.only(t, lifecycle.Pending), "marco") },
			story: []string{contained, "mover done [grant Payments:  → responder replace base_role: restricted_access → limited_user]"}, held: lifecycle.RoleResponder,
		},
		"another source that says active does not enable them": {
			then:  func(t *testing.T, h *house) { h.say(t, from("hr", in("Platform"))) },
			story: []string{contained}, held: lifecycle.RoleRestricted,
		},
		"who has left meanwhile is a leaver": {
			then:  func(t *testing.T, h *house) { h.say(t, from("hr", as("ended"))) },
			story: []string{contained, "leaver pending [delete account: restricted_access → ]"}, held: lifecycle.RoleRestricted,
		},
		"disabled and enabled twice it is all given back": {
			then: func(t *testing.T, h *house) {
				h.say(t, enabled())
				h.approve(t, h.only(t, lifecycle.Pending), "marco")
				h.later(t, time.Hour)
				h.say(t, disabled())
				h.later(t, time.Hour)
				h.say(t, enabled())
				h.approve(t, h.only(t, lifecycle.Pending), "marco")
			},
			story: []string{
				contained, contained, "mover done [grant Payments:  → responder replace base_role: restricted_access → limited_user]",
				"mover done [grant Payments:  → responder replace base_role: restricted_access → limited_user]",
			}, held: lifecycle.RoleResponder,
		},
		"it is asked where the policy asks to contain": {
			begin: func(h *house) { h.policy.Leaver.AskToContain = true },
			story: []string{"leaver pending [contain base_role: limited_user → restricted_access contain Payments: responder → ]"}, held: lifecycle.RoleResponder,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
			h.say(t, from("hr"))
			h.later(t, time.Hour)
			if tt.begin != nil {
				tt.begin(h)
			}
			h.say(t, disabled())
			h.later(t, time.Hour)
			if tt.then != nil {
				tt.then(t, h)
			}
			h.later(t, time.Hour)
			if diff := cmp.Diff(tt.story, h.story(t), equateEmpty); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if a, there := h.pager.see("PBEN"); !there || a.BaseRole != tt.held {
				t.Errorf("holds %s, there %v; want %s", a.BaseRole, there, tt.held)
			}
			if len(h.failed) != 0 || slices.ContainsFunc(h.requests(t), func(r lifecycle.Request) bool { return r.HandsOver() }) {
				t.Errorf("failed %v, story %v", h.failed, h.story(t))
			}
			h.call(t)
			if len(h.failed) != 0 {
				t.Error(h.failed)
			}
		})
	}
}

func TestAContainmentThatWaitsIsOvertakenWhenTheyAreEnabled(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.say(t, from("hr"))
	h.later(t, time.Hour)
	h.policy.Leaver.AskToContain = true
	h.say(t, disabled())
	r := h.only(t, lifecycle.Pending)
	h.later(t, time.Hour)
	h.say(t, enabled())
	if got := h.request(t, r.ID); got.State != lifecycle.Withdrawn {
		t.Errorf("the containment is %s: %v", got.State, h.story(t))
	}
	if a, _ := h.pager.see("PBEN"); a.BaseRole != lifecycle.RoleResponder {
		t.Errorf("holds %s", a.BaseRole)
	}
}

func TestDaysBeginAndEndWhereThePersonIs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		zone string
		ends time.Time
	}{
		"in UTC where nothing is said":    {"", time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},
		"in UTC where the name is none":   {"Mars/Olympus", time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},
		"never where this machine is":     {"Local", time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)},
		"earlier in Tokyo":                {"Asia/Tokyo", time.Date(2026, 5, 31, 15, 0, 0, 0, time.UTC)},
		"first of all on Kiritimati":      {"Pacific/Kiritimati", time.Date(2026, 5, 31, 10, 0, 0, 0, time.UTC)},
		"later in Los Angeles":            {"America/Los_Angeles", time.Date(2026, 6, 1, 7, 0, 0, 0, time.UTC)},
		"last of all in Etc/GMT+12":       {"Etc/GMT+12", time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)},
		"by summer time where there is":   {"Europe/Berlin", time.Date(2026, 5, 31, 22, 0, 0, 0, time.UTC)},
		"on the half hour where that is":  {"Asia/Kolkata", time.Date(2026, 5, 31, 18, 30, 0, 0, time.UTC)},
		"quarter past where that is":      {"Asia/Kathmandu", time.Date(2026, 5, 31, 18, 15, 0, 0, time.UTC)},
		"when Chatham's day is over":      {"Pacific/Chatham", time.Date(2026, 5, 31, 11, 15, 0, 0, time.UTC)},
		"when the Marquesas' day is over": {"Pacific/Marquesas", time.Date(2026, 6, 1, 9, 30, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := person("Payments")
			p.EndDate, p.Timezone = "2026-05-31", tt.zone
			i := lifecycle.Identity{Person: p}
			if i.StatusAt(tt.ends.Add(-time.Nanosecond)) != lifecycle.StatusActive || i.StatusAt(tt.ends) != lifecycle.StatusEnded {
				t.Errorf("does not end at %s", tt.ends)
			}
			f := lifecycle.Fact{Person: person("Payments")}
			f.Person.StartDate, f.Person.Timezone = "2026-06-01", tt.zone
			if got := f.DueAt(); !got.Equal(tt.ends) {
				t.Errorf("the next day begins at %s, want %s", got, tt.ends)
			}
		})
	}
}

func TestALastDayEndsWhereTheyAre(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(t, from("hr", until("2026-05-04"), func(p *lifecycle.Person) { p.Timezone = "Asia/Tokyo" })) // at 18:00 there
	h.later(t, 6*time.Hour-time.Second)
	if got := h.notices(t); len(got) != 1 {
		t.Errorf("before midnight in Tokyo: %v", got)
	}
	h.later(t, time.Second)
	if diff := cmp.Diff([]string{"joiner  → Payments", "leaver Payments → Payments"}, h.notices(t)); diff != "" {
		t.Errorf("at midnight in Tokyo (-want +got):\n%s", diff)
	}
}

// A day that is looked up only near its end is over exactly when it is by looking up always.
func FuzzADayIsOver(f *testing.F) {
	f.Add("Asia/Tokyo", int64(0))
	f.Add("Pacific/Apia", int64(-14*3600))
	f.Add("America/Nuuk", int64(3*3600))
	f.Fuzz(func(t *testing.T, zone string, seconds int64) {
		p := person("Payments")
		p.EndDate, p.Timezone = "2026-03-28", zone
		at := time.Date(2026, 3, 29, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds%(72*3600)) * time.Second)
		over := !at.Before(p.EndDate.End(p.Zone()))
		if got := (lifecycle.Identity{Person: p}).StatusAt(at) == lifecycle.StatusEnded; got != over {
			t.Errorf("in %q at %s: ended %v, want %v", zone, at, got, over)
		}
	})
}

func BenchmarkStatusOfManyWithALastDay(b *testing.B) {
	p := person("Payments")
	p.EndDate, p.Timezone = "2027-01-31", "Asia/Tokyo"
	i := lifecycle.Identity{Person: p}
	for b.Loop() {
		if i.StatusAt(monday) != lifecycle.StatusActive {
			b.Fatal("has ended")
		}
	}
}
