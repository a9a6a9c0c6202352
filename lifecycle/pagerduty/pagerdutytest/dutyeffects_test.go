package pagerdutytest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

const day = 24 * time.Hour

// rota says who is on call from a moment on, one letter for each step: users are a, b, c … in the order of ids.
func rota(a *pagerdutytest.Account, schedule string, ids []string, from time.Time, step time.Duration, steps int) string {
	var b strings.Builder
	shifts := a.Shifts(schedule, from, from.Add(time.Duration(steps)*step))
	for i := range steps {
		at, letter := from.Add(time.Duration(i)*step), "-"
		for _, s := range shifts {
			if !at.Before(s.From) && at.Before(s.To) {
				for j, id := range ids {
					if id == s.UserID {
						letter = string(rune('a' + j))
					}
				}
			}
		}
		b.WriteString(letter)
	}
	return b.String()
}

// daily is an account whose schedule has three people in daily turns; three more are on none.
func daily(t *testing.T) (*pagerdutytest.Account, *clock, []string, pagerdutytest.Schedule) {
	t.Helper()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key})
	ids := populate(a, 6)
	s := a.AddSchedule(pagerdutytest.Schedule{Name: "Daily", Layers: []pagerdutytest.Layer{{Start: c.now(), Turn: day, UserIDs: ids[:3]}}})
	return a, c, ids, s
}

func put(t *testing.T, a *pagerdutytest.Account, path, body string) {
	t.Helper()
	if w := ask(t, a, "PUT", path, body); w.Code != 200 {
		t.Fatalf("PUT %s answers %d %s", path, w.Code, w.Body)
	}
}

// Taking somebody out of a layer moves everybody else; putting somebody in their place moves nobody.
func TestWhatAChangeOfALayerDoesToTheOthers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(s *pagerdutytest.Schedule, ids []string, now time.Time)
		want   string
	}{
		"nothing":   {nil, "abcabcabc"},
		"taken out": {func(s *pagerdutytest.Schedule, ids []string, _ time.Time) { s.Layers[0].UserIDs = ids[1:3] }, "bcbcbcbcb"},
		"put in place": {func(s *pagerdutytest.Schedule, ids []string, _ time.Time) {
			s.Layers[0].UserIDs = []string{ids[3], ids[1], ids[2]}
		}, "dbcdbcdbc"},
		"begun earlier":  {func(s *pagerdutytest.Schedule, _ []string, now time.Time) { s.Layers[0].VirtualStart = now.Add(-day) }, "bcabcabca"},
		"longer turns":   {func(s *pagerdutytest.Schedule, _ []string, _ time.Time) { s.Layers[0].Turn = 2 * day }, "aabbccaab"},
		"ended":          {func(s *pagerdutytest.Schedule, _ []string, now time.Time) { s.Layers[0].End = now.Add(2 * day) }, "ab-------"},
		"only on Monday": {func(s *pagerdutytest.Schedule, _ []string, _ time.Time) { s.Layers[0].Restrictions = weekly(1) }, "a------b-"},
		"a layer above": {func(s *pagerdutytest.Schedule, ids []string, now time.Time) {
			s.Layers = append(s.Layers, pagerdutytest.Layer{Start: now.Add(day), End: now.Add(3 * day), VirtualStart: now, Turn: day, UserIDs: ids[4:5]})
		}, "aeeabcabc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c, ids, s := daily(t)
			put(t, a, "/schedules/"+s.ID, scheduleBody(s, func(s *pagerdutytest.Schedule) {
				if tt.change != nil {
					tt.change(s, ids, c.now())
				}
			}))
			if got := rota(a, s.ID, ids, c.now(), day, 9); got != tt.want {
				t.Errorf("on call is %s, want %s", got, tt.want)
			}
			if got := len(a.Effects()); (got == 0) != (tt.change == nil) {
				t.Errorf("%d effects", got)
			}
		})
	}
}

func weekly(day int) []pagerdutytest.Restriction {
	return []pagerdutytest.Restriction{{Weekday: day, Length: 24 * time.Hour}}
}

// Restrictions are on the clocks of the schedule's zone, summer and winter.
func TestRestrictionsFollowTheZone(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key})
	ids := populate(a, 1)
	s := a.AddSchedule(pagerdutytest.Schedule{Name: "Office", TimeZone: "Europe/Berlin", Layers: []pagerdutytest.Layer{{
		UserIDs: ids, Restrictions: []pagerdutytest.Restriction{{From: 9 * time.Hour, Length: 8 * time.Hour}, {Weekday: 5, From: 22 * time.Hour, Length: 4 * time.Hour}},
	}}})
	var got []string
	for _, from := range []string{"2026-03-27T00:00:00Z", "2026-03-30T00:00:00Z"} { // summer begins on the 29th
		since, _ := time.Parse(time.RFC3339, from)
		for _, x := range a.Shifts(s.ID, since, since.Add(day)) {
			got = append(got, x.From.Format("02 15:04")+"-"+x.To.Format("15:04"))
		}
	}
	if diff := cmp.Diff([]string{"27 08:00-16:00", "27 21:00-00:00", "30 07:00-15:00"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

type layerNames struct {
	Schedule struct {
		Users  []struct{ ID string }
		Layers []struct {
			ID, Name string
			Start    string `json:"rotation_virtual_start"`
		} `json:"schedule_layers"`
	}
}

// A client that sends the layers as it got them turns their order round: the fake lets it, as PagerDuty does.
func TestGetAndPutOrderLayersTheOtherWayRound(t *testing.T) {
	t.Parallel()
	a, c, ids, s := daily(t)
	put(t, a, "/schedules/"+s.ID, scheduleBody(s, func(s *pagerdutytest.Schedule) {
		s.Layers = append(s.Layers, pagerdutytest.Layer{Name: "Top", Start: c.now(), VirtualStart: c.now(), Turn: day, UserIDs: ids[3:4]})
	}))
	if got := rota(a, s.ID, ids, c.now(), day, 3); got != "ddd" {
		t.Fatalf("on call is %s, want ddd", got)
	}
	got := into[layerNames](t, a, "/schedules/"+s.ID).Schedule
	if len(got.Layers) != 2 || got.Layers[0].Name != "Top" || len(got.Users) != 4 {
		t.Errorf("GET answers %+v, want Top first and four users", got)
	}
	now := a.Schedules()[0]
	put(t, a, "/schedules/"+s.ID, scheduleBody(now, func(s *pagerdutytest.Schedule) {
		s.Layers = []pagerdutytest.Layer{s.Layers[1], s.Layers[0]}
	}))
	if got := rota(a, s.ID, ids, c.now(), day, 3); got != "abc" {
		t.Errorf("on call is %s, want abc: the order was turned round", got)
	}
}

// Times come in the schedule's zone, so that what is sent back as it came is noted.
func TestAStartThatIsNotInUTCIsNoted(t *testing.T) {
	t.Parallel()
	a, _, _, s := daily(t)
	s.TimeZone = "America/Lima"
	put(t, a, "/schedules/"+s.ID, scheduleBody(s, nil))
	start := into[layerNames](t, a, "/schedules/"+s.ID).Schedule.Layers[0].Start
	if start != "2026-03-02T04:00:00-05:00" {
		t.Errorf("rotation_virtual_start is %s, want it in the zone", start)
	}
	a.Forget()
	put(t, a, "/schedules/"+s.ID, strings.ReplaceAll(scheduleBody(s, nil), `"rotation_virtual_start":"2026-03-02T09:00:00Z"`,
		`"rotation_virtual_start":"`+start+`"`))
	if got := a.Violations(); len(got) != 1 || !strings.Contains(got[0].Rule, "is not in UTC") {
		t.Errorf("violations are %v, want the one about UTC", got)
	}
}

// A layer that has ended may be left out of a PUT: it stays, and holds nobody.
func TestAnEndedLayerStaysAndHoldsNobody(t *testing.T) {
	t.Parallel()
	a, c, ids, s := daily(t)
	s.Layers[0].End = c.now()
	s.Layers[0].Start = c.now().Add(-day)
	s.Layers = append(s.Layers, pagerdutytest.Layer{Name: "New", Start: c.now(), VirtualStart: c.now(), Turn: day, UserIDs: ids[1:2]})
	put(t, a, "/schedules/"+s.ID, scheduleBody(s, nil))
	put(t, a, "/schedules/"+s.ID, scheduleBody(a.Schedules()[0], func(s *pagerdutytest.Schedule) { s.Layers = s.Layers[1:] }))
	if got := len(a.Schedules()[0].Layers); got != 2 {
		t.Errorf("%d layers, want both", got)
	}
	if got := ask(t, a, "DELETE", "/users/"+ids[0], "").Code; got != 204 {
		t.Errorf("who was in the ended layer alone cannot be deleted: %d", got)
	}
	if got := said(t, ask(t, a, "DELETE", "/users/"+ids[1], "")); got.Text != "User cannot be deleted as they are on a schedule" {
		t.Errorf("who is in the new layer: %+v", got)
	}
}

func TestOverridesOfLayers(t *testing.T) {
	t.Parallel()
	a, c, ids, s := daily(t)
	c.pass(time.Hour)
	body := fmt.Sprintf(`{"overrides":[
		{"start":%q,"end":%q,"user":{"id":%q,"type":"user_reference"}},
		{"start":%q,"end":%q,"user":{"id":%q,"type":"user_reference"}},
		{"start":%[2]q,"end":%[1]q,"user":{"id":%[3]q,"type":"user_reference"}}]}`,
		stamp(c.now()), stamp(c.now().Add(2*day)), ids[3], stamp(c.now().Add(day)), stamp(c.now().Add(3*day)), ids[4])
	w := ask(t, a, "POST", "/schedules/"+s.ID+"/overrides", body)
	var got []int
	var rows []struct{ Status int }
	unmarshal(t, w.Body.Bytes(), &rows)
	for _, r := range rows {
		got = append(got, r.Status)
	}
	if diff := cmp.Diff([]int{201, 201, 400}, got); diff != "" || w.Code != 201 {
		t.Fatalf("POST answers %d (-want +got):\n%s", w.Code, diff)
	}
	if got := rota(a, s.ID, ids, c.now(), day, 5); got != "deeab" {
		t.Errorf("on call is %s, want deeab: the override made last wins", got)
	}
	c.pass(12 * time.Hour)
	made := a.Schedules()[0].Overrides
	for i, want := range []int{200, 204} { // the first has begun
		if got := ask(t, a, "DELETE", "/schedules/"+s.ID+"/overrides/"+made[i].ID, "").Code; got != want {
			t.Errorf("DELETE of override %d answers %d, want %d", i, got, want)
		}
	}
	if got := rota(a, s.ID, ids, c.now().Add(-12*time.Hour), 6*time.Hour, 4); got != "ddaa" {
		t.Errorf("on call is %s, want ddaa: the first was cut", got)
	}
}

// As the document has it, ids come only with editable, and what is over does not come then.
func TestWhichOverridesAreListed(t *testing.T) {
	t.Parallel()
	a, c, ids, s := daily(t)
	s.ID, s.Layers[0].ID = "", ""
	s.Overrides = []pagerdutytest.Override{
		{UserID: ids[3], Start: c.now().Add(-2 * day), End: c.now().Add(-day)},
		{UserID: ids[4], Start: c.now().Add(-day), End: c.now().Add(day)},
	}
	s = a.AddSchedule(s)
	for name, tt := range map[string]struct {
		query string
		want  []string
	}{
		"all, cut, without ids":        {"", []string{" 2026-03-01T09:00:00Z 2026-03-03T00:00:00Z"}},
		"uncut":                        {"&overflow=true", []string{" 2026-03-01T09:00:00Z 2026-03-03T09:00:00Z"}},
		"with ids, what can be edited": {"&editable=true", []string{s.Overrides[1].ID + " 2026-03-01T09:00:00Z 2026-03-03T00:00:00Z"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ask(t, a, "GET", "/schedules/"+s.ID+"/overrides?since=2026-03-01T09:00:00Z&until=2026-03-03T00:00:00Z"+tt.query, "")
			var page struct {
				Overrides []struct{ ID, Start, End string }
			}
			unmarshal(t, w.Body.Bytes(), &page)
			var got []string
			for _, o := range page.Overrides {
				got = append(got, o.ID+" "+o.Start+" "+o.End)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Who is called follows from policies, schedules of both kinds and overrides.
func TestOnCallsFollowFromAllOfIt(t *testing.T) {
	t.Parallel()
	a, c, ids, s := daily(t)
	v3 := a.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "Shifts", Rotations: []pagerdutytest.Rotation{
		{Events: []pagerdutytest.Event{{Start: c.now(), End: c.now().Add(day), Recurrence: []string{"RRULE:FREQ=DAILY"}, Members: ids[3:5]}}},
	}, CustomShifts: []pagerdutytest.CustomShift{{UserID: ids[5], Start: c.now(), End: c.now().Add(time.Hour)}}})
	a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "P", Rules: []pagerdutytest.Rule{
		{Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(s.ID), pagerdutytest.UserTarget(ids[0])}},
		{Targets: []pagerdutytest.Target{pagerdutytest.ShiftScheduleTarget(v3.ID)}},
	}})
	for name, tt := range map[string]struct {
		query string
		want  []string
	}{
		"now":          {"", []string{"1 a " + s.ID + " +0 +24", "1 a  permanent", "2 f " + v3.ID + " +0 +1", "2 d " + v3.ID + " +0 +24"}},
		"of one user":  {"&user_ids[]=" + ids[3], []string{"2 d " + v3.ID + " +0 +24"}},
		"without any":  {"&schedule_ids[]=null", []string{"1 a  permanent"}},
		"the earliest": {"&earliest=true&schedule_ids[]=" + s.ID + "&until=" + stamp(c.now().Add(4*day)), []string{"1 a " + s.ID + " +0 +24", "1 b " + s.ID + " +24 +48", "1 c " + s.ID + " +48 +72"}},
		"in two days":  {"&schedule_ids[]=" + s.ID + "&since=" + stamp(c.now().Add(50*time.Hour)) + "&until=" + stamp(c.now().Add(51*time.Hour)), []string{"1 c " + s.ID + " +48 +72"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := into[struct {
				Oncalls []struct {
					Level      int `json:"escalation_level"`
					User       struct{ ID string }
					Schedule   struct{ ID string }
					Start, End time.Time
				}
			}](t, a, "/oncalls?total=true"+tt.query)
			var got []string
			for _, o := range page.Oncalls {
				when := "permanent"
				if !o.Start.IsZero() {
					when = fmt.Sprintf("%+d %+d", int(o.Start.Sub(c.now()).Hours()), int(o.End.Sub(c.now()).Hours()))
				}
				for i, id := range ids {
					if id == o.User.ID {
						got = append(got, fmt.Sprintf("%d %c %s %s", o.Level, 'a'+i, o.Schedule.ID, when))
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := ask(t, a, "GET", "/oncalls?until="+url.QueryEscape(stamp(c.now().Add(91*day))), "").Code; got != 400 {
		t.Errorf("91 days answer %d, want 400", got)
	}
}
