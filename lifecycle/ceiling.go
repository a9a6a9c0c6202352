package lifecycle

import (
	"fmt"
	"strings"
)

// roof is the ceiling of one employment; the zero roof is none.
type roof struct {
	Ceiling
	of Employment
}

func (p *Policy) ceilingOf(e Employment) roof {
	if len(p.Ceilings) == 0 || e == "" {
		return roof{}
	}
	e = Employment(strings.ToLower(string(e)))
	return roof{Ceiling: p.Ceilings[e], of: e}
}

// base returns the role, or the highest beneath it that the ceiling lets through.
func (c Ceiling) base(r BaseRole) BaseRole {
	if c.BaseRole != "" && r.Rank() > c.BaseRole.Rank() {
		return c.BaseRole
	}
	return r
}

// team returns the role, or the highest beneath it that the ceiling lets through.
func (c Ceiling) team(r TeamRole) TeamRole {
	if c.TeamRole != "" && r.Rank() > c.TeamRole.Rank() {
		return c.TeamRole
	}
	return r
}

// Caps reports whether the ceiling takes anything from what the rule grants.
func (c Ceiling) Caps(r Rule) bool { return c.caps(&r) }

func (c Ceiling) caps(r *Rule) bool {
	if c.base(r.BaseRole) != r.BaseRole {
		return true
	}
	for _, g := range r.Teams {
		if c.team(g.Role) != g.Role {
			return true
		}
	}
	return false
}

// unsure reports whether a ceiling might cap the rule for somebody whose
// employment was not sent: which ceiling is theirs cannot be told.
func (p *Policy) unsure(r *Rule, h *holder) bool {
	if len(p.Ceilings) == 0 || h.single[atEmployment] != "" {
		return false
	}
	for _, c := range p.Ceilings {
		if c.caps(r) {
			return true
		}
	}
	return false
}

// capped notes that the rule grants from, and the ceiling lets through only to.
func (w *Want) capped(r *Rule, from, to string) {
	w.Capped = append(w.Capped, fmt.Sprintf("%s of rule %s down to %s, %s", from, r.Name, to, w.ceiling))
}

// String names the ceiling, and where it is written.
func (c roof) String() string { return fmt.Sprintf("by the ceiling of %s in line %d", c.of, c.Line) }

// atMost returns the highest base role that may be held in any reading, when base
// is held: of whom no rule speaks keeps an ordinary one beneath their ceiling, as
// the policy's `unmatched: hold` says, and is left Restricted of a privileged one.
func (w *Want) atMost(base BaseRole) BaseRole {
	most := w.BaseRole
	if most == "" {
		if most = w.ceiling.base(base); most.Privileged() {
			most = RoleRestricted
		}
	}
	return higherBaseRole(most, w.excepted.BaseRole)
}
