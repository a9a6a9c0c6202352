package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// wished returns the entitlement that the words name, or what is wrong with them.
func (p *Policy) wished(team, role string) (Entitlement, []FieldError) {
	team, role = strings.TrimSpace(team), strings.TrimSpace(role)
	if team == "" {
		base, wrong := wishedBase(role)
		return Entitlement{Kind: KindBaseRole, Role: string(base)}, wrong
	}
	var wrong []FieldError
	t, ok := p.teamCalled(team)
	if !ok {
		wrong = append(wrong, FieldError{Path: WishTeam, Message: fmt.Sprintf("No team of the policy is called %q; %s.", clipped(team), p.teamsLike(team))})
	}
	is := TeamRole(strings.ToLower(role))
	if is.Rank() == 0 {
		wrong = append(wrong, FieldError{Path: WishRole, Message: fmt.Sprintf("%q is no role on a team; there are observer, responder and manager.", clipped(role))})
	}
	return OnTeam(Team{ID: t.ID, Name: t.Name}, is), wrong
}

// teamCalled returns the one team of the policy with that name, whatever its case,
// or with that id.
func (p *Policy) teamCalled(name string) (TeamPolicy, bool) {
	k := slices.IndexFunc(p.Teams, func(t TeamPolicy) bool { return strings.EqualFold(t.Name, name) || string(t.ID) == name })
	if k < 0 || p.Teams[k].ID == "" {
		return TeamPolicy{}, false
	}
	return p.Teams[k], true
}

// wishedBase returns the base role of that name: PagerDuty's own pages have
// another than its API, and people know either.
func wishedBase(role string) (BaseRole, []FieldError) {
	all := wishableBase()
	k := slices.IndexFunc(all, func(r BaseRole) bool { return strings.EqualFold(string(r), role) || strings.EqualFold(r.Title(), role) })
	if k < 0 {
		return "", []FieldError{{Path: WishRole, Message: fmt.Sprintf("%q is no base role that can be asked for; there are %s.", clipped(role), baseRolesAsked())}}
	}
	return all[k], nil
}

func baseRolesAsked() string {
	var words []string
	for _, r := range wishableBase() {
		words = append(words, r.String())
	}
	return strings.Join(words, ", ")
}

// wishableBase returns the base roles that anybody may ask for, the lowest first:
// the Account Owner is changed in PagerDuty's own pages only, and what is beneath
// Observer is no gain.
func wishableBase() []BaseRole {
	return slices.DeleteFunc(slices.Clone(baseRoles), func(r BaseRole) bool { return r == RoleOwner || r.Rank() <= RoleRestricted.Rank() })
}

const quoted = 40 // characters of what somebody has written, where it is said back

func clipped(s string) string {
	if r := []rune(s); len(r) > quoted {
		return string(r[:quoted]) + "…"
	}
	return s
}

// planWish returns the changes that give the account the entitlement: the base
// role that it needs first, then itself. What is held already by a grant that
// ends is asked for anew, for longer. Anything else that is in the way is a Refusal.
func (p *Policy) planWish(who Person, a Account, e Entitlement, given grants, now time.Time) ([]Change, error) {
	given = given.on(a.ID)
	c := Change{Entitlement: e}
	held := c.Current(&a)
	switch {
	case e.Kind == KindTeamRole && a.BaseRole == RoleAdmin:
		return nil, notThat("You are %s, which is manager of every team already.", RoleAdmin)
	case held == e.Role && given.runs(e, now):
		c = newChange(OpReplace, e, held, held) // for longer
	case e.rank() <= roleRank(e.Kind, held):
		return nil, notThat("You hold %s already.", roleWords(e, held))
	case held == "":
		c = newChange(OpGrant, e, "", e.Role)
	default:
		c = newChange(OpReplace, e, held, e.Role)
	}
	changes := append(basis(a, e, given, now), c)
	if why := p.overCeiling(who, changes); why != "" {
		return nil, notThat("%s", why)
	}
	if why := p.breaks(changes, &a); why != "" {
		return nil, notThat("%s", why)
	}
	return changes, nil
}

// basis returns the change of the base role that a role on a team needs: no
// stakeholder can have one. Where that was given by another grant it is asked for
// too, as it is, so that it stays for as long as either does. Source: PagerDuty's
// pages on team permissions.
func basis(a Account, e Entitlement, given grants, now time.Time) []Change {
	if e.Kind != KindTeamRole {
		return nil
	}
	base := Entitlement{Kind: KindBaseRole}
	switch {
	case a.BaseRole.fixesTeamRoles():
		return []Change{newChange(OpReplace, base, string(a.BaseRole), string(RoleObserver))}
	case given.runs(Entitlement{Kind: KindBaseRole, Role: string(a.BaseRole)}, now) && BaseRole(given.beneath(base, string(a.BaseRole))).fixesTeamRoles():
		return []Change{newChange(OpReplace, base, string(a.BaseRole), string(a.BaseRole))}
	default:
		return nil
	}
}

// overCeiling returns, in a sentence, which ceiling forbids the changes, or "".
// Whose ceiling cannot be told is given nothing that any would forbid.
func (p *Policy) overCeiling(who Person, changes []Change) string {
	for _, c := range changes {
		if c.From == c.To {
			continue
		}
		if who.Employment == "" {
			for of, most := range p.Ceilings {
				if most.below(c) {
					return fmt.Sprintf("A ceiling of the policy (line %d) forbids %s to %s, and no source has said what you are.", most.Line, c.Entitlement, plural(of))
				}
			}
			continue
		}
		if most := p.ceilingOf(who.Employment); most.below(c) {
			return fmt.Sprintf("You cannot be given %s: that is above %s of the policy.", c.Entitlement, strings.TrimPrefix(most.String(), "by "))
		}
	}
	return ""
}

// below reports whether the ceiling does not let the change through.
func (c Ceiling) below(x Change) bool {
	switch x.Entitlement.Kind {
	case KindBaseRole:
		return string(c.base(BaseRole(x.To))) != x.To
	case KindTeamRole:
		return string(c.team(TeamRole(x.To))) != x.To
	default:
		return false
	}
}

func plural(e Employment) string { return string(e) + "s" }

func (e Entitlement) rank() int { return roleRank(e.Kind, e.Role) }

// roleRank orders the roles of one kind; 0 is none.
func roleRank(k EntitlementKind, role string) int {
	if k == KindTeamRole {
		return TeamRole(role).Rank()
	}
	return BaseRole(role).Rank()
}
