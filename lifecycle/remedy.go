package lifecycle

import (
	"fmt"
	"slices"
)

const (
	goneAlready = "The account is gone already."
	agreesAgain = "PagerDuty agrees with policy again."
	nothingLeft = "The account holds nothing that could be taken from it: delete it in PagerDuty's own pages, or let a source of truth say whose it is."
)

// PlanFinding returns the changes that mend the finding: take back what is
// beyond policy, give what is missing, contain what should not be there at all.
func PlanFinding(p Policy, f Finding, i Identity, account *Account, h Holdings) Plan {
	whole := f.Entitlement.Kind == KindAccount
	switch {
	case !f.Decidable():
		return Plan{Held: "A person must look at this; there is nothing to change."}
	case f.Kind == FoundMissing:
		return planMissing(p, f, i, account)
	case account == nil:
		return Plan{Held: goneAlready}
	case f.leftBehind() && account.Contained() && len(h.Duties) == 0:
		return PlanDelete(*account)
	case whole || f.Kind == FoundOrphan || f.Kind == FoundLeaverPresent:
		plan := planAway(*account, h)
		if plan.Held == agreesAgain && f.Kind == FoundOrphan {
			plan.Held = nothingLeft
		}
		return plan
	case f.Entitlement.Kind == KindBaseRole || f.Entitlement.Kind == KindTeamRole:
		return planBack(p, f, i, *account)
	default: // only another tool speaks of these
		return Plan{Held: fmt.Sprintf("rolecall cannot change the %s of an account: a person must do that in PagerDuty.", f.Entitlement.Kind)}
	}
}

// planAway contains the account; where only on-call holds it, what it answers
// for is handed over, and it leaves.
func planAway(account Account, h Holdings) Plan {
	plan := PlanContain(account, h)
	if len(plan.Changes) > 0 {
		return plan
	}
	plan = Plan{}
	for _, m := range account.Teams {
		plan.Changes = append(plan.Changes, contain(OnTeam(m.Team, m.Role), string(m.Role), ""))
	}
	if loose := dutiesOn(h.Duties, ""); len(loose) > 0 {
		plan.Changes = append(handOver(account.ID, loose, nil), plan.Changes...)
	}
	if len(plan.Changes) == 0 {
		plan.Held = agreesAgain
	}
	return plan
}

// planMissing gives what the finding misses: its own team's role with the base
// role beneath it, not what other findings of the same person are about.
func planMissing(p Policy, f Finding, i Identity, account *Account) Plan {
	if !i.Sourced() {
		return Plan{Held: "No source of truth knows who this is, so nothing is granted."}
	}
	if account == nil && f.Entitlement.Kind != KindAccount {
		return Plan{Held: goneAlready}
	}
	plan := PlanJoin(p, i.Person, account)
	if f.Entitlement.Kind != KindAccount {
		plan.Changes = slices.DeleteFunc(plan.Changes, func(c Change) bool {
			return c.Entitlement.Kind == KindTeamRole && c.Entitlement.Team.ID != f.Entitlement.Team.ID
		})
	}
	return plan
}

func planBack(p Policy, f Finding, i Identity, account Account) Plan {
	to := f.To
	if f.Source != rollCallSource { // another tool does not know what policy says
		to = p.atLeast(i, f.Entitlement)
	}
	c := newChange(OpReplace, f.Entitlement, "", to)
	c.From = c.Current(&account)
	switch {
	case c.From == c.To:
		return Plan{Held: agreesAgain}
	case c.To == "":
		c = newChange(OpRevoke, f.Entitlement, c.From, "")
	}
	if !c.Removes() {
		return Plan{Held: agreesAgain}
	}
	return Plan{Changes: []Change{c}}
}

// atLeast returns the role that is left to i of the entitlement: what policy
// wants or makes an exception for, else none, which is Restricted Access for a base role.
func (p Policy) atLeast(i Identity, e Entitlement) string {
	var want Want
	if i.Sourced() {
		want = p.Want(i.Person)
	}
	if e.Kind == KindTeamRole {
		return string(higherTeamRole(want.Role(e.Team.ID), want.excepted.On(e.Team.ID)))
	}
	return string(higherBaseRole(createRole(want), want.excepted.BaseRole))
}
