package lifecycle

// Risk is how carefully a request must be decided.
type Risk int

// Routine is one click; privileged and destructive take a reason, and wait.
const (
	Routine Risk = iota
	Privileged
	Destructive
)

// Risk returns the highest risk of the request's changes.
func (r Request) Risk() Risk {
	risk := Routine
	for _, c := range r.Changes {
		switch {
		case c.Op == OpDelete:
			return Destructive
		case c.Entitlement.Kind != KindTeamRole && !c.Removes() && BaseRole(c.To).Privileged():
			risk = Privileged
		}
	}
	return risk
}

// keepsPower reports whether denying the request keeps a privileged base role
// that was found: keeping it is giving it, which is security's to do.
func (r Request) keepsPower() bool { return r.IsFinding() && BaseRole(r.Why.Held).Privileged() }
