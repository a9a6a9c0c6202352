package lifecycle

import (
	"fmt"
	"slices"
)

// Want is what the policy says one person should hold, and which rules say so.
type Want struct {
	Rules        []string // that matched and act
	Observed     []string // that matched, but are only observed
	Undetermined []string // that could not be told, for lack of an attribute
	BaseRole     BaseRole // "" when no rule grants one
	Teams        []Membership
	Conflict     string // two rules that disagree, in words; nothing is concluded
	approvals    []approvalFor
}

type approvalFor struct {
	rule     string
	approval Approval
	teams    []string
	base     BaseRole
}

// Matched reports whether any acting rule speaks of the person.
func (w Want) Matched() bool { return len(w.Rules) > 0 }

// Role returns the wanted role on the team, or "".
func (w Want) Role(team TeamID) TeamRole { return Account{Teams: w.Teams}.On(team) }

// Want returns what p should hold. The highest base role of all matching rules
// counts; teams add up. A policy must be resolved first, so that teams have ids.
func (p Policy) Want(person Person) Want {
	want, _ := p.Bounds(person)
	return want
}

// Bounds returns what p should hold, and the most that p could be meant to
// hold: for that, rules that are only observed, or cannot be told for lack of
// an attribute, count too. What is beyond it is beyond policy in any reading.
func (p Policy) Bounds(person Person) (want, most Want) {
	h := fold(person)
	for i := range p.Rules {
		r := &p.Rules[i]
		truth := r.When.eval(&h, false)
		if truth == No {
			continue
		}
		p.add(&most, r)
		switch {
		case truth == Undetermined:
			want.Undetermined = append(want.Undetermined, r.Name)
		case r.Rollout == RolloutObserve:
			want.Observed = append(want.Observed, r.Name)
		default:
			p.add(&want, r)
		}
	}
	return want, most
}

func (p Policy) add(w *Want, r *Rule) {
	w.Rules = append(w.Rules, r.Name)
	if r.BaseRole.Rank() > w.BaseRole.Rank() {
		w.BaseRole = r.BaseRole
	}
	a := approvalFor{rule: r.Name, approval: p.approval(r), base: r.BaseRole}
	for _, g := range r.Teams {
		if t, ok := p.Team(g.Team); ok { // a rule may name it by its id, a change never does
			a.teams = append(a.teams, t.Name)
		}
		p.addTeam(w, r, g)
	}
	w.approvals = append(w.approvals, a)
}

func (p Policy) addTeam(w *Want, r *Rule, g TeamGrant) {
	t, ok := p.Team(g.Team)
	if !ok {
		w.Conflict = fmt.Sprintf("rule %s grants a role on %s, which is not a team of the policy", r.Name, g.Team)
		return
	}
	m := Membership{Team: Team{ID: t.ID, Name: t.Name}, Role: g.Role}
	i := slices.IndexFunc(w.Teams, func(have Membership) bool { return have.Team == m.Team })
	switch {
	case i < 0:
		w.Teams = append(w.Teams, m)
	case w.Teams[i].Role != g.Role:
		w.Teams[i].Role = teamRoles[max(w.Teams[i].Role.Rank(), g.Role.Rank())-1]
		w.Conflict = fmt.Sprintf("rules give %s different roles on one team, and rule %s makes it %s", t.Name, r.Name, g.Role)
	}
}

func (p Policy) approval(r *Rule) Approval {
	a := p.Defaults.Approval
	if r.Approval != nil {
		a = *r.Approval
	}
	if r.Rollout == RolloutPropose && a.Mode == ApprovalAuto {
		a.Mode, a.N = ApprovalQuorum, max(a.N, 1)
	}
	return a
}
