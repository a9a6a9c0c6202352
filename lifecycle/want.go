package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// Want is what the policy says one person should hold, and which rules say so.
type Want struct {
	Rules        []string // that matched and act
	Observed     []string // that matched, but are only observed
	Undetermined []string // that could not be told, for lack of an attribute
	Untold       []string // the same, with why
	BaseRole     BaseRole // "" when no rule grants one
	Teams        []Membership
	Capped       []string // what a ceiling took from what rules grant, in words
	Excepted     []string // what they may hold beyond that, until when, in words
	Until        Date     // the last day of what a rule grants until their end date; "" when none does
	Conflict     string   // rules that disagree, or grant what nobody may hold together, in words; nothing is concluded

	approvals []approvalFor
	excepted  Account // what exceptions let them hold
	ceiling   roof
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
// counts; teams add up; a ceiling caps both. A policy must be resolved first, so
// that teams have ids, and dated, so that what has an end ends (see Policy.At).
func (p Policy) Want(person Person) Want {
	want, _ := p.Bounds(person)
	return want
}

// Bounds returns what p should hold, and the most that p could be meant to
// hold: for that, rules that are only observed, or cannot be told for lack of
// an attribute, count too, and so do exceptions. What is beyond it is beyond
// policy in any reading.
func (p Policy) Bounds(person Person) (want, most Want) {
	h := fold(person)
	want.ceiling = p.ceilingOf(person.Employment)
	most.ceiling = want.ceiling
	for i := range p.speaking(&h) {
		r := &p.Rules[i]
		truth := p.applies(r, &h, &person)
		if truth == No {
			continue
		}
		p.add(&most, r)
		switch {
		case r.Rollout == RolloutObserve:
			want.observe(r, truth)
		case truth == Undetermined:
			want.Undetermined = append(want.Undetermined, r.Name)
			want.Untold = append(want.Untold, r.Name+", because "+p.untold(r, &h, &person))
		default:
			p.add(&want, r)
			if r.Expires == ExpiryEndDate {
				want.Until = person.EndDate
			}
		}
	}
	p.except(&want, &most, person.Email())
	if want.Conflict == "" {
		want.Conflict = p.forbids(Account{BaseRole: want.BaseRole, Teams: want.Teams})
	}
	return want, most
}

// observe notes a rule that does nothing yet, so that it holds nobody up either.
func (w *Want) observe(r *Rule, truth Truth) {
	if truth == Yes {
		w.Observed = append(w.Observed, r.Name)
	}
}

// Applies returns whether the rule grants the person what it grants, and when
// that cannot be told, why not, in words.
func (p Policy) Applies(r Rule, person Person) (Truth, string) {
	h := fold(person)
	truth := p.applies(&r, &h, &person)
	if truth != Undetermined {
		return truth, ""
	}
	return truth, p.untold(&r, &h, &person)
}

func (p *Policy) applies(r *Rule, h *holder, person *Person) Truth {
	truth := r.When.eval(h, false)
	switch {
	case truth == No:
		return No
	case r.Expires == ExpiryEndDate && person.EndDate != "" && p.past(person, person.EndDate):
		return No
	case r.Expires == ExpiryEndDate && person.EndDate == "", p.unsure(r, h):
		return Undetermined
	default:
		return truth
	}
}

// past reports whether the day is over, where the person is.
func (p *Policy) past(person *Person, d Date) bool {
	return !p.now.IsZero() && d.endedBy(p.now, person.Timezone)
}

// untold returns why it cannot be told whether the rule applies, or how much it grants.
func (p *Policy) untold(r *Rule, h *holder, person *Person) string {
	var why []string
	if r.When.eval(h, false) == Undetermined {
		why = append(why, fmt.Sprintf("it excludes by %s, and none was sent", strings.Join(r.When.unsent(h, false), " and ")))
	}
	if r.Expires == ExpiryEndDate && person.EndDate == "" {
		why = append(why, "it ends with their end date, and none was sent")
	}
	if p.unsure(r, h) {
		why = append(why, "a ceiling may cap it for their employment, and none was sent")
	}
	return strings.Join(why, " and ")
}

func (p *Policy) add(w *Want, r *Rule) {
	w.Rules = append(w.Rules, r.Name)
	base := w.ceiling.base(r.BaseRole)
	if base != r.BaseRole {
		w.capped(r, r.BaseRole.String(), base.String())
	}
	w.BaseRole = higherBaseRole(w.BaseRole, base)
	a := approvalFor{rule: r.Name, approval: p.approval(r), base: base}
	for _, g := range r.Teams {
		if t, ok := p.Team(g.Team); ok { // a rule may name it by its id, a change never does
			a.teams = append(a.teams, t.Name)
		}
		p.addTeam(w, r, g)
	}
	w.approvals = append(w.approvals, a)
}

func (p *Policy) addTeam(w *Want, r *Rule, g TeamGrant) {
	t, ok := p.Team(g.Team)
	if !ok {
		w.Conflict = fmt.Sprintf("rule %s grants a role on %s, which is not a team of the policy", r.Name, g.Team)
		return
	}
	m := Membership{Team: Team{ID: t.ID, Name: t.Name}, Role: w.ceiling.team(g.Role)}
	if m.Role != g.Role {
		w.capped(r, OnTeam(m.Team, g.Role).String(), string(m.Role))
	}
	i := slices.IndexFunc(w.Teams, func(have Membership) bool { return have.Team == m.Team })
	switch {
	case i < 0:
		w.Teams = append(w.Teams, m)
	case w.Teams[i].Role != m.Role:
		w.Teams[i].Role = higherTeamRole(w.Teams[i].Role, m.Role)
		w.Conflict = fmt.Sprintf("rules give %s different roles on one team, and rule %s makes it %s", t.Name, r.Name, m.Role)
	}
}

func (p *Policy) approval(r *Rule) Approval {
	a := p.Defaults.Approval
	if r.Approval != nil {
		a = *r.Approval
	}
	if r.Rollout == RolloutPropose && a.Mode == ApprovalAuto {
		a.Mode, a.N = ApprovalQuorum, max(a.N, 1)
	}
	return a
}
