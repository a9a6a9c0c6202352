package pagerduty

import (
	"slices"

	"rolecall/lifecycle"
)

// A spot is where a user stands in something of PagerDuty's: the target of a level, a turn in a layer, a member of an
// event, an assignee.
type spot struct {
	user  func(object) string                  // who stands there; "" when nobody does, or something else
	given func(was object, user string) object // the spot as another has it
}

func targetSpot() spot {
	return spot{
		user: func(t object) string {
			if typ := t.text("type"); typ != "user_reference" && typ != "user" {
				return ""
			}
			return t.text("id")
		},
		given: func(_ object, user string) object { return userReference(user) },
	}
}

func turnSpot() spot { return inside("user") }

func assigneeSpot() spot { return inside("assignee") }

// inside is a place that is nothing but a reference to a user under a name.
func inside(name string) spot {
	return spot{
		user: func(p object) string {
			u, err := p.child(name)
			if err != nil {
				return ""
			}
			return u.text("id")
		},
		given: func(_ object, user string) object { return object{}.with(name, userReference(user)) },
	}
}

func memberSpot() spot {
	return spot{
		user:  func(m object) string { return m.text("user_id") },
		given: func(was object, user string) object { return was.with("type", "user_member").with("user_id", user) },
	}
}

func (p spot) holds(all []object, user string) bool {
	return slices.ContainsFunc(all, func(o object) bool { return p.user(o) == user })
}

// turns gives every place of one user to another. Nobody else's moves: who takes turns with others keeps their turn only
// when the number of places stays as it is.
func (p spot) turns(all []object, from, to string) []object {
	out := slices.Clone(all)
	for i, o := range out {
		if p.user(o) == from {
			out[i] = p.given(o, to)
		}
	}
	return out
}

// once gives the place of one user among those who stand there together to another, and drops it when that one stands
// there already, or nobody is to follow.
func (p spot) once(all []object, from, to string) []object {
	there := to == lifecycle.NoSuccessor || p.holds(all, to)
	var out []object
	for _, o := range all {
		switch {
		case p.user(o) != from:
			out = append(out, o)
		case !there:
			out = append(out, p.given(o, to))
			there = true
		}
	}
	return out
}
