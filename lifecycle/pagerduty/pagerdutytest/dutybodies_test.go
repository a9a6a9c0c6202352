package pagerdutytest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// scheduleBody is the body of a PUT that leaves the schedule as it is but for the change: oldest layer first, in UTC.
func scheduleBody(s pagerdutytest.Schedule, change func(*pagerdutytest.Schedule)) string {
	layers := make([]pagerdutytest.Layer, len(s.Layers))
	copy(layers, s.Layers)
	s.Layers = layers
	if change != nil {
		change(&s)
	}
	all := []map[string]any{}
	for _, l := range s.Layers {
		all = append(all, layerBody(l))
	}
	return text(map[string]any{"schedule": map[string]any{
		"type": "schedule", "time_zone": s.TimeZone, "name": s.Name, "description": s.Description, "schedule_layers": all,
	}})
}

func layerBody(l pagerdutytest.Layer) map[string]any {
	users, restrictions := []any{}, []any{}
	for _, u := range l.UserIDs {
		users = append(users, map[string]any{"user": map[string]any{"id": u, "type": "user_reference"}})
	}
	for _, r := range l.Restrictions {
		x := map[string]any{
			"type": "daily_restriction", "start_time_of_day": time.Time{}.Add(r.From).Format(time.TimeOnly),
			"duration_seconds": int(r.Length.Seconds()),
		}
		if r.Weekday > 0 {
			x["type"], x["start_day_of_week"] = "weekly_restriction", r.Weekday
		}
		restrictions = append(restrictions, x)
	}
	out := map[string]any{
		"name": l.Name, "start": l.Start.Format(time.RFC3339), "rotation_virtual_start": l.VirtualStart.Format(time.RFC3339),
		"rotation_turn_length_seconds": int(l.Turn.Seconds()), "users": users, "restrictions": restrictions,
	}
	if l.ID != "" {
		out["id"] = l.ID
	}
	if !l.End.IsZero() {
		out["end"] = l.End.Format(time.RFC3339)
	}
	return out
}

// eventBody is the body that makes, or leaves, the event as it is but for the change.
func eventBody(e pagerdutytest.Event, change func(*pagerdutytest.Event)) string {
	if change != nil {
		change(&e)
	}
	members := []any{}
	for _, u := range e.Members {
		m := map[string]any{"type": "user_member", "user_id": u}
		if u == pagerdutytest.EmptyMember {
			m = map[string]any{"type": "empty_member"}
		}
		members = append(members, m)
	}
	zoned := func(t time.Time) map[string]any {
		return map[string]any{"date_time": t.Format(time.RFC3339), "time_zone": e.TimeZone}
	}
	out := map[string]any{
		"name": e.Name, "start_time": zoned(e.Start), "end_time": zoned(e.End),
		"effective_since": e.Since.Format(time.RFC3339), "recurrence": e.Recurrence,
		"assignment_strategy": map[string]any{
			"type": "rotating_member_assignment_strategy", "shifts_per_member": e.ShiftsPerMember, "members": members,
		},
	}
	if !e.Until.IsZero() {
		out["effective_until"] = e.Until.Format(time.RFC3339)
	}
	return text(map[string]any{"event": out})
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("a body cannot be written: %v", err))
	}
	return string(b)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func unmarshal(t *testing.T, b []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("answer %s: %v", b, err)
	}
}
