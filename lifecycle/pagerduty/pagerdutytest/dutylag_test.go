package pagerdutytest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// What was written to policies and schedules stays unseen for a while too, in lists and alone.
func TestDutiesLagToo(t *testing.T) {
	t.Parallel()
	d := newDuty(pagerdutytest.Config{ReadLag: pagerdutytest.ReadLag{Reads: 2}})
	layers, policy := "/schedules/"+d.layers.ID, "/escalation_policies/"+d.policy.ID
	events := "/v3/schedules/" + d.shifts.ID + "/rotations/" + d.rotation + "/events"
	put(t, d.a, layers, scheduleBody(d.layers, func(s *pagerdutytest.Schedule) { s.Name = "New" }))
	put(t, d.a, policy, `{"escalation_policy":{"name":"New"}}`)
	if got := ask(t, d.a, "DELETE", events+"/"+d.future, "").Code; got != 204 {
		t.Fatalf("DELETE answers %d, want 204", got)
	}
	type page struct {
		Schedule, Policy struct{ Name string }
		Schedules        []struct{ Name string }
		Events           []struct{}
	}
	var names []string
	var counts []int
	names = append(names, into[page](t, d.a, layers).Schedule.Name, into[page](t, d.a, "/schedules").Schedules[0].Name, into[page](t, d.a, layers).Schedule.Name)
	for range 3 {
		names = append(names, into[struct {
			Policy struct{ Name string } `json:"escalation_policy"`
		}](t, d.a, policy).Policy.Name)
		counts = append(counts, len(into[page](t, d.a, events).Events))
	}
	if diff := cmp.Diff([]string{"Layers", "Layers", "New", "Both", "Both", "New"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{2, 2, 1}, counts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPeopleChangeSchedulesBehindTheClient(t *testing.T) {
	t.Parallel()
	d := newDuty(pagerdutytest.Config{})
	layers, shifts := d.layers, d.shifts
	layers.Layers[0].UserIDs = d.ids[4:]
	shifts.Rotations[0].Events[0].Members = d.ids[4:]
	stranger, nobody := layers, shifts
	stranger.Layers = []pagerdutytest.Layer{{UserIDs: []string{"PNONE"}}}
	nobody.Rotations = []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{{}}}}
	const olga = "olga@example.com"
	for name, tt := range map[string]struct {
		err  error
		want bool
	}{
		"layers": {d.a.SetScheduleAs(olga, layers), true}, "shifts": {d.a.SetShiftScheduleAs(olga, shifts), true},
		"a stranger": {d.a.SetScheduleAs(olga, stranger), false}, "nobody": {d.a.SetShiftScheduleAs(olga, nobody), false},
		"the other kind":  {d.a.SetScheduleAs(olga, pagerdutytest.Schedule{ID: d.shifts.ID}), false},
		"the other other": {d.a.SetShiftScheduleAs(olga, pagerdutytest.ShiftSchedule{ID: d.layers.ID}), false},
	} {
		if (tt.err == nil) != tt.want {
			t.Errorf("%s: %v", name, tt.err)
		}
	}
	if diff := cmp.Diff([]pagerdutytest.Schedule{layers}, d.a.Schedules()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := d.a.ShiftSchedules()[0].Rotations[0].Events[0].Members[0]; got != d.ids[4] {
		t.Errorf("the member is %s, want %s", got, d.ids[4])
	}
}
