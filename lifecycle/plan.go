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
// after asks for: the new arrives, then the old team leaves. What the account
// holds that neither asked for is left for the roll call to find.
func PlanMove(p Policy, before, after Person, account *Account) Plan {
	plan := PlanJoin(p, after, account)
	if plan.Held != "" || account == nil {
		return plan
	}
	was := p.Want(before)
	for _, old := range was.Teams {
		if role := account.On(old.Team.ID); role != "" && plan.want.Role(old.Team.ID) == "" {
			plan.Changes = append(plan.Changes, newChange(OpRevoke, OnTeam(old.Team, role), string(role), ""))
		}
	}
	if c, ok := stepDown(was, plan.want, *account); ok {
		plan.Changes = append(plan.Changes, c)
	}
	return plan
}

// PlanContain returns how a leaver's account is taken to the lowest role that
// on-call can bear, out of every team that does not need it.
// PagerDuty refuses to take somebody off a team whose escalation policy still
// points at them, so those teams wait for the handover and are named.
func PlanContain(account Account, duties []Duty) Plan {
	var plan Plan
	if account.BaseRole.Rank() > RoleRestricted.Rank() {
		plan.Changes = append(plan.Changes, newChange(OpContain, Entitlement{Kind: KindBaseRole}, string(account.BaseRole), string(RoleRestricted)))
	}
	for _, m := range account.Teams {
		if needs := dutiesOn(duties, m.Team.ID); len(needs) > 0 {
			plan.Effects = append(plan.Effects, fmt.Sprintf("Stays on %s for now: still %s.", m.Team.Name, joinDuties(needs)))
			continue
		}
		plan.Changes = append(plan.Changes, newChange(OpContain, OnTeam(m.Team, m.Role), string(m.Role), ""))
	}
	return plan
}

// PlanDelete returns the deletion of the account, which PagerDuty cannot undo.
func PlanDelete(account Account, duties []Duty) Plan {
	plan := Plan{Changes: []Change{newChange(OpDelete, Entitlement{Kind: KindAccount}, string(account.BaseRole), "")}}
	plan.Effects = append(plan.Effects, "Deletion is final: contact methods, notification rules and personal API keys go with the account.")
	if len(duties) > 0 {
		plan.Effects = append(plan.Effects, fmt.Sprintf("Still %s: hand that over first, or the deletion stops there.", joinDuties(duties)))
	}
	return plan
}

// LossEffects says what a plan's removals would do to on-call, in sentences.
func LossEffects(changes []Change, duties []Duty) []string {
	var effects []string
	for _, c := range changes {
		if !c.Removes() || c.Entitlement.Kind != KindTeamRole {
			continue
		}
		if needs := dutiesOn(duties, c.Entitlement.Team.ID); len(needs) > 0 {
			effects = append(effects, fmt.Sprintf("Is %s on %s: PagerDuty refuses the removal until somebody else takes that.", joinDuties(needs), c.Entitlement.Team.Name))
		}
	}
	return effects
}

func held(w Want) string {
	switch {
	case w.Conflict != "":
		return "The policy disagrees with itself here: " + w.Conflict + "."
	case len(w.Undetermined) > 0:
		return "Cannot tell whether these rules apply, because an attribute they exclude by was not sent: " + strings.Join(w.Undetermined, ", ") + "."
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
	if have.BaseRole != RoleOwner && w.BaseRole.Rank() > have.BaseRole.Rank() {
		changes = append(changes, newChange(OpReplace, Entitlement{Kind: KindBaseRole}, string(have.BaseRole), string(w.BaseRole)))
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
	if is.BaseRole == "" || have.BaseRole == RoleOwner || have.BaseRole != was.BaseRole || is.BaseRole.Rank() >= have.BaseRole.Rank() {
		return Change{}, false
	}
	return newChange(OpReplace, Entitlement{Kind: KindBaseRole}, string(have.BaseRole), string(is.BaseRole)), true
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
