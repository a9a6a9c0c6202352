package pagerdutytest

import (
	"cmp"
	"slices"
)

// An OnCallMix says how the teams of a large company are called.
type OnCallMix struct {
	Shifts      float64 // share of the schedules that are shift-based: 0 is none, 1 is all
	PerSchedule int     // people on a schedule at most; 5 when 0
}

// AddOnCall gives each team that has members one schedule of weekly turns and one policy: the schedule first, then one
// person, then the schedule again with another person. Stakeholders are left out; a team of nobody else gets nothing. It
// returns how many teams got them.
func (a *Account) AddOnCall(mix OnCallMix) int {
	teams, share := 0, 0.0
	for _, t := range a.Teams() {
		users := a.responders(t.ID)
		if len(users) == 0 {
			continue
		}
		teams++
		share += mix.Shifts
		target := a.addTurns(t, users[:min(len(users), cmp.Or(mix.PerSchedule, 5))], share >= 1)
		if share >= 1 {
			share--
		}
		a.AddEscalationPolicy(EscalationPolicy{
			Name: t.Name + " escalation", TeamIDs: []string{t.ID}, NumLoops: 2, Rules: []Rule{
				{DelayMinutes: 10, Targets: []Target{target}},
				{DelayMinutes: 15, Targets: []Target{UserTarget(users[len(users)-1])}},
				{DelayMinutes: 15, Targets: []Target{target, UserTarget(users[0])}},
			},
		})
	}
	return teams
}

// addTurns adds a schedule of a team, of either kind, and returns the target that calls it.
func (a *Account) addTurns(t Team, users []string, shifts bool) Target {
	name, teams := t.Name+" on call", []string{t.ID}
	if shifts {
		s := ShiftSchedule{Name: name, TeamIDs: teams, Rotations: []Rotation{{Events: []Event{{Members: users}}}}}
		return ShiftScheduleTarget(a.AddShiftSchedule(s).ID)
	}
	return ScheduleTarget(a.AddSchedule(Schedule{Name: name, TeamIDs: teams, Layers: []Layer{{UserIDs: users}}}).ID)
}

// responders returns the members of a team who may be on call, in the order they joined.
func (a *Account) responders(team string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(a.rosters[team].order), func(id string) bool { return a.seatable(id) != "" })
}
