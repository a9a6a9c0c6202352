package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// A Plan is the changes that take an account from what it holds to what it
// should, gains before losses, and why.
type Plan struct {
	Changes []Change
	Rules   []string // that ask for it
	Effects []string // what else is to be known, in sentences
	Held    string   // why nothing is done although something could be, or ""
	want    Want
}

// PlanJoin returns how account (nil: none yet) comes to hold what p wants for
// person. It only ever adds: what a joiner holds beyond policy is a finding.
func PlanJoin(p Policy, person Person, account *Account) Plan {
	plan := planGains(p, person, account)
	if why := p.breaks(plan.Changes, account); why != "" {
		return Plan{Held: why, want: plan.want}
	}
	return plan
}

func planGains(p Policy, person Person, account *Account) Plan {
	want := p.Want(person)
	if held := held(want); held != "" {
		return Plan{Held: held, want: want}
	}
	plan := Plan{Rules: want.Rules, want: want}
	if account == nil {
		plan.Changes = append(plan.Changes, newChange(OpCreate, Entitlement{Kind: KindAccount}, "", string(createRole(want))))
		account = &Account{BaseRole: createRole(want)}
	}
	plan.Changes = append(plan.Changes, gains(want, *account)...)
	return plan
}

// PlanMove returns how the account goes from what before asked for to what
// after asks for: the new arrives, then the old leaves. What the account
// holds that neither asked for is left for the roll call to find.
func PlanMove(p Policy, before, after Person, account *Account) Plan {
	plan := planGains(p, after, account)
	if plan.Held != "" || account == nil {
		return plan
	}
	arrivals := plan.Changes
	was := p.Want(before)
	lower, lowers := stepDown(was, plan.want, *account)
	if lowers && account.BaseRole.fixesTeamRoles() { // no role on a team can be given before that
		lowered := *account
		lowered.BaseRole = BaseRole(lower.To)
		plan.Changes = append([]Change{lower}, gains(plan.want, lowered)...)
	}
	for _, old := range was.Teams {
		plan.leave(old, *account)
	}
	if lowers && !account.BaseRole.fixesTeamRoles() {
		plan.Changes = append(plan.Changes, lower)
	}
	return plan.segregated(p, arrivals, *account)
}

// leave takes the account off a team that policy does not grant any more, or
// down to what it grants or makes an exception for there. A higher role on a team
// that is still granted, given by hand, is not the mover's to lose unasked.
func (plan *Plan) leave(old Membership, account Account) {
	role, granted, excepted := account.On(old.Team.ID), plan.want.Role(old.Team.ID), plan.want.excepted.On(old.Team.ID)
	to := higherTeamRole(granted, excepted)
	switch {
	case role == "" || granted != "" && (role != old.Role || account.BaseRole.fixesTeamRoles()):
	case role.Rank() <= to.Rank() && granted == "":
		plan.Effects = append(plan.Effects, fmt.Sprintf("Keeps %s: the policy makes an exception.", OnTeam(old.Team, role)))
	case role.Rank() <= to.Rank():
	case to == "" || account.BaseRole.fixesTeamRoles():
		plan.Changes = append(plan.Changes, newChange(OpRevoke, OnTeam(old.Team, role), string(role), ""))
	default:
		plan.Changes = append(plan.Changes, newChange(OpReplace, OnTeam(old.Team, to), string(role), string(to)))
	}
}

// segregated holds the plan when it would put together what nobody may hold
// together. Where it is the old that is in the way, the old leaves first: a plan
// that breaks off half way must not leave both behind.
func (plan Plan) segregated(p Policy, arrivals []Change, account Account) Plan {
	if why := p.breaks(plan.Changes, &account); why != "" {
		return Plan{Held: why, want: plan.want}
	}
	if p.breaks(arrivals, &account) != "" {
		slices.SortStableFunc(plan.Changes, func(a, b Change) int { return gainsLast(a) - gainsLast(b) })
	}
	return plan
}

func gainsLast(c Change) int {
	if c.Removes() {
		return 0
	}
	return 1
}

// PlanContain returns how a leaver's account loses at once what can be given
// back: sessions, the calendar feed, the base role down to the lowest that
// on-call can bear, and every team that does not need it. A team whose on-call
// does is kept until somebody has taken over, in the lowest role there is.
// Which sessions are open cannot always be seen; then they are ended with the rest.
func PlanContain(account Account, h Holdings) Plan {
	roles, effects := containRoles(account, h)
	var sessions []Change
	if h.Sessions > 0 || h.Sessions < 0 && len(roles) > 0 {
		sessions = append(sessions, contain(Entitlement{Kind: KindSession, Role: SessionSignIns}, "open", ""))
	}
	if h.Calendar != "" && len(roles)+len(sessions) > 0 {
		sessions = append(sessions, contain(Entitlement{Kind: KindSession, Role: SessionCalendar}, h.Calendar, ""))
	}
	return Plan{Changes: append(sessions, roles...), Effects: effects}
}

func containRoles(account Account, h Holdings) (changes []Change, effects []string) {
	if account.BaseRole.Rank() > RoleRestricted.Rank() {
		changes = append(changes, contain(Entitlement{Kind: KindBaseRole}, string(account.BaseRole), string(RoleRestricted)))
	}
	for _, m := range account.Teams {
		needs := dutiesOn(h.Duties, m.Team.ID)
		switch {
		case len(needs) == 0 && h.Unread == "":
			changes = append(changes, contain(OnTeam(m.Team, m.Role), string(m.Role), ""))
			continue
		case m.Role.Rank() > TeamObserver.Rank() && account.BaseRole != RoleAdmin: // an admin's role on a team is fixed
			changes = append(changes, contain(OnTeam(m.Team, m.Role), string(m.Role), string(TeamObserver)))
		}
		if h.Unread != "" {
			effects = append(effects, fmt.Sprintf("Stays on %s until it can be read what on-call expects of them there.", m.Team.Name))
			continue
		}
		effects = append(effects, fmt.Sprintf("Stays on %s until somebody takes over: %s.", m.Team.Name, joinDuties(needs)))
	}
	return changes, effects
}

// contain is a loss that policy orders for a leaver. A session keeps the role
// that says which it is.
func contain(e Entitlement, from, to string) Change {
	c := newChange(OpContain, e, from, to)
	if e.Kind == KindSession {
		c.Entitlement = e
	}
	return c
}

// PlanHandover returns how somebody takes over the duties of one team from a
// leaver, and how the leaver then leaves it. No team is the one of duties that
// belong to none.
func PlanHandover(account Account, team TeamID, h Holdings, candidates []Candidate) Plan {
	plan := Plan{Changes: handOver(account.ID, dutiesOn(h.Duties, team), candidates)}
	if role := account.On(team); role != "" {
		plan.Changes = append(plan.Changes, contain(OnTeam(Team{ID: team, Name: account.teamName(team)}, role), string(role), ""))
	}
	return plan
}

// PlanDelete returns the deletion of the account, which PagerDuty cannot undo.
func PlanDelete(account Account) Plan {
	return Plan{
		Changes: []Change{newChange(OpDelete, Entitlement{Kind: KindAccount}, string(account.BaseRole), "")},
		Effects: []string{"Deletion is final: contact methods, notification rules and personal API keys go with the account."},
	}
}

func held(w Want) string {
	switch {
	case w.Conflict != "":
		return "The policy disagrees with itself here: " + w.Conflict + "."
	case len(w.Undetermined) > 0:
		return "Cannot tell whether these rules apply: " + strings.Join(w.Untold, "; ") + "."
	case !w.Matched() && len(w.Observed) > 0:
		return "Only rules that are being observed apply: " + strings.Join(w.Observed, ", ") + "."
	case !w.Matched():
		return "No rule of the policy speaks of this person."
	default:
		return ""
	}
}

// createRole is the base role of a new account: never PagerDuty's own default,
// which has been Manager.
func createRole(w Want) BaseRole {
	if w.BaseRole == "" {
		return RoleRestricted
	}
	return w.BaseRole
}

func gains(w Want, have Account) []Change {
	var changes []Change
	base := have.BaseRole
	if base != RoleOwner && w.BaseRole.Rank() > base.Rank() {
		changes = append(changes, newChange(OpReplace, Entitlement{Kind: KindBaseRole}, string(base), string(w.BaseRole)))
		base = w.BaseRole
	}
	if base.fixesTeamRoles() {
		return changes
	}
	for _, m := range w.Teams {
		switch role := have.On(m.Team.ID); {
		case role == "":
			changes = append(changes, newChange(OpGrant, OnTeam(m.Team, m.Role), "", string(m.Role)))
		case role.Rank() < m.Role.Rank():
			changes = append(changes, newChange(OpReplace, OnTeam(m.Team, m.Role), string(role), string(m.Role)))
		}
	}
	return changes
}

// stepDown lowers the base role only where the old state asked for exactly
// what is held: a role given by hand is not the mover's to lose unasked.
func stepDown(was, is Want, have Account) (Change, bool) {
	to := higherBaseRole(is.BaseRole, is.excepted.BaseRole)
	if is.BaseRole == "" || have.BaseRole == RoleOwner || have.BaseRole != was.BaseRole || to.Rank() >= have.BaseRole.Rank() {
		return Change{}, false
	}
	return newChange(OpReplace, Entitlement{Kind: KindBaseRole}, string(have.BaseRole), string(to)), true
}

// teamsOfDuties returns the teams that the duties belong to, each once, in order;
// "" is for those that belong to none.
func teamsOfDuties(duties []Duty) []TeamID {
	var teams []TeamID
	for _, d := range duties {
		if !slices.Contains(teams, d.Team) {
			teams = append(teams, d.Team)
		}
	}
	return teams
}

func dutiesOn(duties []Duty, team TeamID) []Duty {
	return slices.DeleteFunc(slices.Clone(duties), func(d Duty) bool { return d.Team != team })
}

func joinDuties(duties []Duty) string {
	words := make([]string, len(duties))
	for i, d := range duties {
		words[i] = d.String()
	}
	return strings.Join(words, " and ")
}
