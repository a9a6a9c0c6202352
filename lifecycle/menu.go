package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Menu is what somebody may ask for, as of the last roll call.
type Menu struct {
	Closed  string        // why nothing can be asked for, in a sentence; "" where something can
	Longest time.Duration // that it may last
	Teams   []MenuTeam    // on which there is a role to ask for
	Base    []BaseRole    // above theirs, the lowest first
	Holds   BaseRole      // their base role
	Without []string      // what is above what they hold and cannot be asked for, and why, in sentences
}

// A MenuTeam is a team, and the roles on it that somebody may ask for.
type MenuTeam struct {
	Team  Team
	Holds TeamRole // "" for none
	Roles []TeamRole
}

// Team returns the team of the menu with that name, whatever its case, or id.
func (m Menu) Team(name string) (MenuTeam, bool) {
	k := slices.IndexFunc(m.Teams, func(t MenuTeam) bool { return strings.EqualFold(t.Team.Name, name) || string(t.Team.ID) == name })
	if k < 0 {
		return MenuTeam{}, false
	}
	return m.Teams[k], true
}

// Menu returns what i may ask for themselves: on each team of the policy the roles
// above what they hold, and the base roles above theirs. What a ceiling or a
// segregation of duties forbids is left out, and says why. PagerDuty is not asked:
// what has changed since the last roll call is seen when something is asked for.
func (d *Desk) Menu(ctx context.Context, i Identity) (Menu, error) {
	policy, err := d.policies.Current(ctx)
	if err != nil {
		return Menu{}, fmt.Errorf("read the policy in force: %w", err)
	}
	accounts, err := d.store.Baseline(ctx)
	if err != nil {
		return Menu{}, fmt.Errorf("load the last roll call: %w", err)
	}
	about, err := d.store.Requests(ctx, RequestFilter{Subject: i.ID})
	if err != nil {
		return Menu{}, fmt.Errorf("list requests about %s: %w", i.ID, err)
	}
	c := planning{policy: policy, identity: i, link: Correlate(i, accounts, policy)}
	m := Menu{Longest: policy.Defaults.Ask.longest()}
	if err := c.mayWish(d.now()); err != nil {
		m.Closed = ReasonOf(err)
		return m, nil
	}
	if err := c.hasAccount(); err != nil {
		m.Closed = ReasonOf(err)
		return m, nil
	}
	m.fill(c, grantsOf(about), d.now())
	return m, nil
}

// fill adds what may be asked for, and why what may not may not.
func (m *Menu) fill(c planning, given grants, now time.Time) {
	account := *c.link.Account
	may := func(e Entitlement) bool {
		_, err := c.policy.planWish(c.identity.Person, account, e, given, now)
		if err != nil && e.rank() > roleRank(e.Kind, (Change{Entitlement: e}).Current(&account)) && !slices.Contains(m.Without, ReasonOf(err)) {
			m.Without = append(m.Without, ReasonOf(err))
		}
		return err == nil
	}
	m.Holds = account.BaseRole
	for _, t := range c.policy.Teams {
		team := Team{ID: t.ID, Name: t.Name}
		choice := MenuTeam{Team: team, Holds: account.On(t.ID)}
		for _, role := range teamRoles {
			if t.ID != "" && may(OnTeam(team, role)) {
				choice.Roles = append(choice.Roles, role)
			}
		}
		if len(choice.Roles) > 0 {
			m.Teams = append(m.Teams, choice)
		}
	}
	for _, role := range wishableBase() {
		if may(Entitlement{Kind: KindBaseRole, Role: string(role)}) {
			m.Base = append(m.Base, role)
		}
	}
	if len(m.Teams)+len(m.Base) == 0 {
		m.Closed = strings.Join(append([]string{"There is nothing that you could ask for beyond what you hold."}, m.Without...), " ")
	}
}

// An Access is one thing that somebody holds, and why.
type Access struct {
	Entitlement Entitlement
	Why         string    // in words: a rule, an exception, a grant that ends
	Until       time.Time // when it ends by itself; zero where it does not
	Grant       RequestID // that gave it until then, and can be given back; "" where none did
}

// access returns what the account holds and why, the base role first: by a grant
// that runs, by the rules, by an exception, or by nothing that policy knows of.
func access(p Policy, who Person, a Account, about []Request, now time.Time) []Access {
	given := grantsOf(about).on(a.ID)
	want := p.At(now).Want(who)
	var all []Access
	for _, g := range a.Grants() {
		is := Access{Entitlement: g.Entitlement}
		for _, r := range given {
			if c, ok := r.gave(g.Entitlement); ok && c.To == g.Entitlement.Role && r.Runs(now) && r.Until.After(is.Until) {
				is.Until, is.Grant, is.Why = r.Until, r.ID, "asked for: "+r.Asked
			}
		}
		if is.Grant == "" {
			is.Why = want.why(g.Entitlement)
		}
		all = append(all, is)
	}
	return all
}

// why says by what the entitlement is held.
func (w Want) why(e Entitlement) string {
	wanted := roleRank(e.Kind, w.role(e))
	excepted := w.excepted.On(e.Team.ID).Rank()
	if e.Kind == KindBaseRole {
		excepted = w.excepted.BaseRole.Rank()
	}
	switch {
	case wanted >= e.rank():
		return "rule " + strings.Join(w.granting(e), ", ")
	case excepted >= e.rank():
		return "an exception of the policy"
	case e.Kind == KindBaseRole && !w.Matched():
		return "no rule speaks of you"
	default:
		return "nothing in the policy: it can be asked about"
	}
}

// granting names the rules that grant as much of the entitlement as is wanted.
func (w Want) granting(e Entitlement) []string {
	var rules []string
	for _, a := range w.approvals {
		if e.Kind == KindTeamRole && slices.Contains(a.teams, e.Team.Name) || e.Kind == KindBaseRole && a.base == w.BaseRole {
			rules = append(rules, a.rule)
		}
	}
	return rules
}
