package lifecycle

import (
	"fmt"
	"strings"
)

// AskedDiff is somebody whose access would be given in another way: at once
// where owners were asked before, say.
type AskedDiff struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	From  string `json:"from"` // in words
	To    string `json:"to"`
}

// UnclearDiff is somebody of whom the new policy concludes nothing although the
// old one did, or the other way round.
type UnclearDiff struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Why   string `json:"why"` // "" where it is clear now
	Was   string `json:"was"` // "" where it was clear before
}

// asked notes when somebody who keeps what they have would be given it in
// another way.
func (d *differ) asked(i Identity) {
	before, after := PlanJoin(d.old.Policy, i.Person, nil), PlanJoin(d.new.Policy, i.Person, nil)
	if before.Held != "" || after.Held != "" {
		return
	}
	if was, is := d.old.Policy.asks(before), d.new.Policy.asks(after); was != is {
		d.diff.Asked = append(d.diff.Asked, AskedDiff{Name: i.Person.Name, Email: i.Person.Email(), From: was, To: is})
	}
}

// asks says in words who is asked about the plan.
func (p Policy) asks(plan Plan) string {
	j := p.Judge(plan)
	switch {
	case plan.Held != "" || len(plan.Changes) == 0:
		return ""
	case j.Mode == ApprovalAuto:
		return "given at once"
	case j.Mode == ApprovalDeny:
		return "refused"
	default:
		return "asked of " + j.askedOf()
	}
}

// askedOf says in words who is asked, and how many of them must agree.
func (j Judgement) askedOf() string {
	one := map[ApproverSource]string{FromTeamOwners: "an owner of the team", FromTeamManagers: "a PagerDuty manager of the team", FromManager: "their manager", FromSecurity: "one of Security"}
	many := map[ApproverSource]string{FromTeamOwners: "owners of the team", FromTeamManagers: "PagerDuty managers of the team", FromManager: "their manager", FromSecurity: "Security"}
	words := make([]string, len(j.From))
	for i, from := range j.From {
		words[i] = one[from]
		if j.N > 1 {
			words[i] = many[from]
		}
	}
	if j.N > 1 {
		return fmt.Sprintf("%d people: %s", j.N, listOr(words, "nobody"))
	}
	return listOr(words, "nobody")
}

func joinWords[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// unclear notes when one of the policies concludes nothing of somebody, and the
// other does. That no rule speaks of them is said where one did.
func (d *differ) unclear(i Identity, before, after Want) {
	was, is := held(before), held(after)
	if (was == "") == (is == "") {
		return
	}
	d.diff.Unclear = append(d.diff.Unclear, UnclearDiff{Name: i.Person.Name, Email: i.Person.Email(), Why: is, Was: was})
}
