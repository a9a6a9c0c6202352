package lifecycle

import (
	"slices"
	"time"
)

// grants are requests by which somebody was given something that ends, the oldest first.
type grants []Request

// grantsOf returns those of the requests that have given anything that ends.
func grantsOf(about []Request) grants {
	return slices.DeleteFunc(slices.Clone(about), func(r Request) bool {
		return r.Until.IsZero() || r.Ends != "" || r.Undoes != "" || !slices.ContainsFunc(r.Changes, Change.stands)
	})
}

// stands reports whether the change is known to have been made.
func (c Change) stands() bool { return c.State == ChangeVerified || c.State == ChangeApplied }

// Runs reports whether what the request gave stands at t by its word: it was done,
// it ends later, and nobody has ended it before.
func (r Request) Runs(t time.Time) bool {
	return r.State == Done && r.EndedBy == "" && r.GivenBack.IsZero() && t.Before(r.Until)
}

// over returns when what the request gave has ended, or will.
func (r Request) over() time.Time {
	switch {
	case !r.GivenBack.IsZero():
		return r.GivenBack
	case !r.Ended.IsZero():
		return r.Ended
	default:
		return r.Until
	}
}

// gave returns the change by which the request gave something of the entitlement.
func (r Request) gave(e Entitlement) (Change, bool) {
	k := slices.IndexFunc(r.Changes, func(c Change) bool { return c.stands() && c.about(Change{Entitlement: e}) })
	if k < 0 {
		return Change{}, false
	}
	return r.Changes[k], true
}

// on returns the grants of one account.
func (g grants) on(account AccountID) grants {
	return slices.DeleteFunc(slices.Clone(g), func(r Request) bool { return r.Account.ID != account })
}

// but returns the grants without one.
func (g grants) but(id RequestID) grants {
	return slices.DeleteFunc(slices.Clone(g), func(r Request) bool { return r.ID == id })
}

// runs reports whether the entitlement, in its role, is given by a grant that runs.
func (g grants) runs(e Entitlement, now time.Time) bool { return g.running(e, now) == e.Role }

// running returns the highest role that grants which run give of the entitlement, or "".
func (g grants) running(e Entitlement, now time.Time) string {
	most := ""
	for _, r := range g {
		if c, ok := r.gave(e); ok && r.Runs(now) && roleRank(e.Kind, c.To) > roleRank(e.Kind, most) {
			most = c.To
		}
	}
	return most
}

// beneath returns the role of the entitlement that was held before any grant gave
// the role that is held.
func (g grants) beneath(e Entitlement, held string) string {
	for _, r := range slices.Backward(g) {
		if c, ok := r.gave(e); ok && c.To == held {
			return g.before(r, c, time.Time{})
		}
	}
	return held
}

// before returns the role that was held before the change c of r: what another
// grant had given, and has ended by now, counts as what was held before that one,
// and so on. Where now is zero, all other grants count as ended.
func (g grants) before(r Request, c Change, now time.Time) string {
	role, at := c.From, c.VerifiedAt
	left := g.but(r.ID)
	for {
		k := slices.IndexFunc(left, func(o Request) bool {
			was, ok := o.gave(c.Entitlement)
			return ok && was.To == role && was.VerifiedAt.Before(at) && o.over().After(at) && (now.IsZero() || !o.Runs(now))
		})
		if k < 0 {
			return role
		}
		was, _ := left[k].gave(c.Entitlement)
		role, at = was.From, was.VerifiedAt
		left = left.but(left[k].ID)
	}
}

// trimmed returns a change that would give back what was held at that time: where
// that was by a grant that is over by now, no more than was held before it, or than
// is wanted.
func (g grants) trimmed(c Change, want Want, at, now time.Time) Change {
	if !c.OnAccount() || c.Removes() || roleRank(c.Entitlement.Kind, c.To) <= roleRank(c.Entitlement.Kind, want.role(c.Entitlement)) {
		return c
	}
	for _, r := range slices.Backward(g) {
		gave, ok := r.gave(c.Entitlement)
		if !ok || gave.To != c.To || r.Runs(now) || !r.over().After(at) {
			continue
		}
		to := g.before(r, gave, now)
		if least := want.role(c.Entitlement); roleRank(c.Entitlement.Kind, least) > roleRank(c.Entitlement.Kind, to) {
			to = least
		}
		return newChange(c.Op, c.Entitlement, c.From, to)
	}
	return c
}
