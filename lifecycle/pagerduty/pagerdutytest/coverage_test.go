package pagerdutytest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// watched is an account with one person on each of: a level, a schedule of layers, a schedule of shifts. Two more are free.
type watched struct {
	a      *pagerdutytest.Account
	c      *clock
	ids    []string
	policy pagerdutytest.EscalationPolicy
	layers pagerdutytest.Schedule
	shifts pagerdutytest.ShiftSchedule
}

func newWatched() watched {
	w := watched{c: newClock()}
	cfg := offboarding(true)
	cfg.Now, cfg.Token = w.c.now, key
	w.a = pagerdutytest.New(cfg)
	w.ids = populate(w.a, 5)
	w.layers = w.a.AddSchedule(pagerdutytest.Schedule{ID: "PLAYERS", Name: "Layers", Layers: []pagerdutytest.Layer{{UserIDs: w.ids[1:2]}}})
	w.shifts = w.a.AddShiftSchedule(pagerdutytest.ShiftSchedule{ID: "PSHIFTS", Name: "Shifts", Rotations: []pagerdutytest.Rotation{
		{Events: []pagerdutytest.Event{{Members: []string{w.ids[2], pagerdutytest.EmptyMember}}}},
	}})
	w.policy = w.a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{ID: "PPOLICY", Name: "P", Rules: []pagerdutytest.Rule{
		{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(w.ids[0])}},
		{Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(w.layers.ID)}},
		{Targets: []pagerdutytest.Target{pagerdutytest.ShiftScheduleTarget(w.shifts.ID)}},
	}})
	return w
}

func (w watched) seen() []string {
	out := []string{}
	for _, g := range w.a.GapsSeen() {
		out = append(out, g.String())
	}
	return out
}

func TestGapsAreSeenWhenTheyOpen(t *testing.T) {
	t.Parallel()
	event := func(w watched) string {
		r := w.shifts.Rotations[0]
		return "/v3/schedules/PSHIFTS/rotations/" + r.ID + "/events/" + r.Events[0].ID
	}
	for name, tt := range map[string]struct {
		write func(*testing.T, watched)
		now   []string // of Gaps
		seen  int      // of GapsSeen
		first string
	}{
		"nothing": {write: func(*testing.T, watched) {}, now: []string{}},
		"the only target is deleted": {
			write: func(t *testing.T, w watched) { ask(t, w.a, "DELETE", "/users/"+w.ids[0], "") },
			now:   []string{`level 1 of escalation policy PPOLICY "P"`}, seen: 1, first: `level 1 of escalation policy PPOLICY "P"`,
		},
		"the only one in the layers is deleted": {
			write: func(t *testing.T, w watched) { ask(t, w.a, "DELETE", "/users/"+w.ids[1], "") },
			now:   []string{`schedule PLAYERS "Layers"`, `level 2 of escalation policy PPOLICY "P"`}, seen: 2, first: `schedule PLAYERS "Layers"`,
		},
		"the only layer is ended": {
			write: func(t *testing.T, w watched) {
				put(t, w.a, "/schedules/PLAYERS", scheduleBody(w.layers, func(s *pagerdutytest.Schedule) { s.Layers[0].End = w.c.now() }))
			},
			now: []string{`schedule PLAYERS "Layers"`, `level 2 of escalation policy PPOLICY "P"`}, seen: 2, first: `schedule PLAYERS "Layers"`,
		},
		"the only event is deleted, though others would fill its place": {
			write: func(t *testing.T, w watched) {
				ask(t, w.a, "DELETE", event(w), "")
				body := eventBody(w.shifts.Rotations[0].Events[0], func(e *pagerdutytest.Event) { e.Members = w.ids[3:4] })
				ask(t, w.a, "POST", event(w)[:len(event(w))-27], body)
			},
			now: []string{}, seen: 2, first: `schedule PSHIFTS "Shifts"`,
		},
		"an override is no seat": {
			write: func(t *testing.T, w watched) {
				ask(t, w.a, "POST", "/schedules/PLAYERS/overrides", fmt.Sprintf(`{"overrides":[{"start":%q,"end":%q,"user":{"id":%q,"type":"user_reference"}}]}`,
					stamp(w.c.now()), stamp(w.c.now().Add(time.Hour)), w.ids[3]))
				ask(t, w.a, "DELETE", "/users/"+w.ids[1], "")
			},
			now: []string{`schedule PLAYERS "Layers"`, `level 2 of escalation policy PPOLICY "P"`}, seen: 2, first: `schedule PLAYERS "Layers"`,
		},
		"somebody steps in first": {
			write: func(t *testing.T, w watched) {
				put(t, w.a, "/schedules/PLAYERS", scheduleBody(w.layers, func(s *pagerdutytest.Schedule) { s.Layers[0].UserIDs = w.ids[3:4] }))
				ask(t, w.a, "DELETE", "/users/"+w.ids[1], "")
			},
			now: []string{},
		},
		"a person did it in the web app": {
			write: func(t *testing.T, w watched) {
				w.a.AddUser(pagerdutytest.User{Name: "Olga", Email: "olga@example.com", Role: pagerdutytest.Owner})
				if err := w.a.DeleteUserAs("olga@example.com", w.ids[0]); err != nil {
					t.Fatalf("delete: %v", err)
				}
				put(t, w.a, "/escalation_policies/PPOLICY", `{"escalation_policy":{"name":"Renamed"}}`)
			},
			now: []string{`level 1 of escalation policy PPOLICY "Renamed"`},
		},
		"a refused write": {
			write: func(t *testing.T, w watched) {
				ask(t, w.a, "PUT", "/escalation_policies/PPOLICY", `{"escalation_policy":{"escalation_rules":[]}}`)
			},
			now: []string{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatched()
			tt.write(t, w)
			if diff := cmp.Diff(tt.now, w.a.Gaps()); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
			seen := w.a.GapsSeen()
			if len(seen) != tt.seen {
				t.Fatalf("gaps seen are %v, want %d", seen, tt.seen)
			}
			if tt.seen > 0 && (seen[0].What != tt.first || seen[0].Method == "" || seen[0].Path == "") {
				t.Errorf("the first gap is %q, want %s by a write", seen[0], tt.first)
			}
		})
	}
}

// A seat that ends by itself is a gap, and not the fault of the write that comes next.
func TestASeatThatEndsByItselfIsBlamedOnTime(t *testing.T) {
	t.Parallel()
	w := newWatched()
	put(t, w.a, "/schedules/PLAYERS", scheduleBody(w.layers, func(s *pagerdutytest.Schedule) { s.Layers[0].End = w.c.now().Add(time.Hour) }))
	if got := w.seen(); len(got) > 0 {
		t.Errorf("gaps while the layer lasts: %v", got)
	}
	w.c.pass(2 * time.Hour)
	put(t, w.a, "/escalation_policies/PPOLICY", `{"escalation_policy":{"num_loops":1}}`)
	want := []string{`time passed: schedule PLAYERS "Layers"`, `time passed: level 2 of escalation policy PPOLICY "P"`}
	if diff := cmp.Diff(want, w.seen()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.a.Forget()
	if got := w.seen(); len(got) > 0 {
		t.Errorf("gaps after they were forgotten: %v", got)
	}
}

// Deleted users stay where they were as placeholders, in everything that has them, and only there.
func TestPlaceholdersInEveryKind(t *testing.T) {
	t.Parallel()
	w := newWatched()
	for _, id := range w.ids[:3] {
		if got := ask(t, w.a, "DELETE", "/users/"+id, "").Code; got != 204 {
			t.Fatalf("DELETE answers %d, want 204", got)
		}
	}
	type ref map[string]any
	policy := into[struct {
		Policy struct {
			Rules []struct{ Targets []ref } `json:"escalation_rules"`
		} `json:"escalation_policy"`
	}](t, w.a, "/escalation_policies/PPOLICY").Policy.Rules[0].Targets[0]
	layers := into[struct {
		Schedule struct {
			Users  []ref
			Layers []struct{ Users []struct{ User ref } } `json:"schedule_layers"`
		}
	}](t, w.a, "/schedules/PLAYERS").Schedule
	for where, r := range map[string]ref{"policy": policy, "users": layers.Users[0], "layer": layers.Layers[0].Users[0].User} {
		if r["deleted_at"] == nil || r["html_url"] != nil || r["self"] != nil {
			t.Errorf("the reference in %s is %v, want a placeholder", where, r)
		}
	}
	if got := w.a.ShiftSchedules()[0].Rotations[0].Events[0].Members[0]; got != w.ids[2] {
		t.Errorf("the member is %s, want that of the deleted user", got)
	}
	var got []int
	for _, body := range []string{scheduleBody(w.layers, nil), scheduleBody(w.layers, func(s *pagerdutytest.Schedule) { s.Layers[0].UserIDs = w.ids[3:4] })} {
		got = append(got, ask(t, w.a, "PUT", "/schedules/PLAYERS", body).Code)
	}
	if diff := cmp.Diff([]int{400, 200}, got); diff != "" {
		t.Errorf("a placeholder is sent back, then replaced (-want +got):\n%s", diff)
	}
}

func TestWithoutOffboardingDutiesBlockADeletion(t *testing.T) {
	t.Parallel()
	d := newDuty(pagerdutytest.Config{})
	var got []string
	for i := range 5 {
		got = append(got, said(t, ask(t, d.a, "DELETE", "/users/"+d.ids[i], "")).Text)
	}
	const on = "User cannot be deleted as they are on a schedule"
	if diff := cmp.Diff([]string{on, on, on, on, ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
