package lifecycle

import (
	"fmt"
	"slices"
	"time"
)

// Preflight says, in sentences, what the changes of an account would do beside
// what they say: to on-call, to what its team roles still allow, to who runs the
// account, and to licences.
func Preflight(changes []Change, account Account, h Holdings, now time.Time) []string {
	var effects []string
	for _, d := range touchedBy(changes, h.Duties) {
		effects = append(effects, dutyEffects(d, changes, now)...)
	}
	effects = append(effects, outlives(changes, account)...)
	for _, c := range changes {
		effects = append(effects, adminEffects(c, h)...)
		effects = append(effects, seatEffects(c, h)...)
	}
	if slices.ContainsFunc(changes, func(c Change) bool { return c.Op == OpDelete || c.Op == OpContain }) {
		effects = append(effects, h.Blind...)
	}
	return effects
}

func dutyEffects(d Duty, changes []Change, now time.Time) []string {
	var effects []string
	if d.OnCall(now) {
		effects = append(effects, fmt.Sprintf("Is on call now, by %s.", d))
	}
	handed := slices.ContainsFunc(changes, func(c Change) bool { return c.Op == OpHandover && c.duty() == d.Key() })
	switch {
	case d.Override != "": // a stretch of time is one person's, whoever else has a seat in the schedule
	case d.Alone() && d.Kind == KindIncident:
		effects = append(effects, fmt.Sprintf("Nobody else is assigned to %s.", d))
	case d.Alone():
		effects = append(effects, fmt.Sprintf("Nobody else is in %s.", place(d)))
	}
	if !handed {
		effects = append(effects, fmt.Sprintf("Still has %s: that must be handed over first.", d))
	}
	return effects
}

// place says where the duty is: a seat is in a schedule, a level is a place itself.
func place(d Duty) string {
	if d.Kind == KindSchedule {
		return d.Object.Name
	}
	return d.String()
}

// outlives names the team roles that a cut of the base role leaves in force: for
// objects of a team PagerDuty looks at the role on it, and at the base role only
// where there is none. Source: PagerDuty's pages on team permissions.
func outlives(changes []Change, account Account) []string {
	k := slices.IndexFunc(changes, func(c Change) bool { return c.Entitlement.Kind == KindBaseRole && c.Removes() })
	if k < 0 {
		return nil
	}
	var effects []string
	for _, m := range account.Teams {
		role := string(m.Role)
		for _, c := range changes {
			if c.Entitlement.Kind == KindTeamRole && c.Entitlement.Team.ID == m.Team.ID {
				role = c.To
			}
		}
		if TeamRole(role).Rank() > TeamObserver.Rank() {
			effects = append(effects, fmt.Sprintf("Stays %s on %s: a role on a team counts more there than the base role.", role, m.Team.Name))
		}
	}
	return effects
}

func adminEffects(c Change, h Holdings) []string {
	ends := c.Entitlement.Kind == KindBaseRole && c.Removes() || c.Op == OpDelete
	if !ends || BaseRole(c.From) != RoleAdmin {
		return nil
	}
	switch h.OtherAdmins {
	case -1:
		return []string{"How many others run the account could not be counted."}
	case 0:
		return []string{fmt.Sprintf("Is the last %s: rolecall will not leave the account without one. Make somebody else one first.", RoleAdmin)}
	case 1:
		return []string{"Leaves one other person who runs the whole account."}
	default:
		return nil
	}
}

// seatEffects looks at the licence that a new base role needs, when it is
// another than the old one's. What is free now may be taken by then.
func seatEffects(c Change, h Holdings) []string {
	if c.Entitlement.Kind != KindBaseRole || c.To == "" || c.From == "" {
		return nil
	}
	holds := func(role string) func(Seats) bool {
		return func(s Seats) bool { return slices.Contains(s.Roles, BaseRole(role)) }
	}
	if slices.ContainsFunc(h.Seats, func(s Seats) bool { return holds(c.From)(s) && holds(c.To)(s) }) {
		return nil
	}
	k := slices.IndexFunc(h.Seats, holds(c.To))
	switch {
	case k < 0:
		return nil
	case h.Seats[k].Free == 0:
		return []string{fmt.Sprintf("No seat of the licence %s is free, so PagerDuty will refuse this until one is.", h.Seats[k].Licence)}
	default:
		return []string{fmt.Sprintf("Takes a seat of the licence %s and frees one of another.", h.Seats[k].Licence)}
	}
}
