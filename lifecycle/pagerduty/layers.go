package pagerduty

import (
	"fmt"
	"slices"
	"time"
)

// A layer-based schedule, as GET gives it, has its layers from the one that wins to the one that gives way; PUT takes
// them the other way round. Source: PagerDuty/public-support-scripts pull request 60, and its offboarding script.

// layersOf returns the layers that are not over, in the order of GET. Those that are over are history: PUT does not need
// them, as PagerDuty's Terraform provider shows, which never sends them.
func layersOf(schedule object, at time.Time) ([]object, error) {
	all, err := schedule.list("schedule_layers")
	if err != nil {
		return nil, err
	}
	current := []object{}
	for _, l := range all {
		if l.has("end") {
			end, err := time.Parse(time.RFC3339, l.text("end"))
			if err != nil {
				return nil, fmt.Errorf("read when a layer ends: %w", err)
			}
			if !at.Before(end) {
				continue
			}
		}
		current = append(current, l)
	}
	return current, nil
}

// seatedInLayers reports whether the user has a turn in a layer that is not over.
func seatedInLayers(schedule object, user string, at time.Time) (bool, error) {
	layers, err := layersOf(schedule, at)
	if err != nil {
		return false, err
	}
	for _, l := range layers {
		users, err := l.list("users")
		if err != nil {
			return false, err
		}
		if turnSpot().holds(users, user) {
			return true, nil
		}
	}
	return false, nil
}

// handLayers returns the schedule with the user's turns handed to another in every layer that is not over. The order of
// the layers stays, and the number of turns in each.
func handLayers(schedule object, from, to string, at time.Time) (object, error) {
	layers, err := layersOf(schedule, at)
	if err != nil {
		return schedule, err
	}
	for i, l := range layers {
		users, err := l.list("users")
		if err != nil {
			return schedule, err
		}
		if turnSpot().holds(users, from) {
			layers[i] = l.with("users", turnSpot().turns(users, from, to))
		}
	}
	return schedule.with("schedule_layers", layers), nil
}

// sentSchedule returns what PUT is to be sent of a schedule: the layers that are not over, turned round unless PagerDuty
// takes them as GET gave them. The virtual start must be in UTC, or it drifts: expandScheduleLayers in PagerDuty's
// Terraform provider says so.
func sentSchedule(schedule object, turned bool, at time.Time) (object, error) {
	layers, err := layersOf(schedule, at)
	if err != nil {
		return schedule, err
	}
	for i, l := range layers {
		start, err := time.Parse(time.RFC3339, l.text("rotation_virtual_start"))
		if err != nil {
			return schedule, fmt.Errorf("read the virtual start of a layer: %w", err)
		}
		layers[i] = l.with("rotation_virtual_start", start.UTC().Format(time.RFC3339Nano)).without("rendered_schedule_entries", "rendered_coverage_percentage")
	}
	if turned {
		slices.Reverse(layers)
	}
	return withoutNoTeams(schedule).with("schedule_layers", layers).without("users", "escalation_policies", "final_schedule",
		"overrides_subschedule", "next_oncall_for_user", "self", "html_url", "summary", "http_cal_url", "web_cal_url"), nil
}
