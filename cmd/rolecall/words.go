package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

func changesInWords(r lifecycle.Request) string {
	words := make([]string, len(r.Changes))
	for i, c := range r.Changes {
		words[i] = changeInWords(r, c)
	}
	return strings.Join(words, "; ")
}

// changeInWords says a change of the request, with both of PagerDuty's names for a base role.
func changeInWords(r lifecycle.Request, c lifecycle.Change) string {
	switch c.Entitlement.Kind {
	case lifecycle.KindTeamRole:
		return fmt.Sprintf("%s: %s → %s", c.Entitlement.Team.Name, orNone(c.From), orNone(c.To))
	case lifecycle.KindAccount:
		return fmt.Sprintf("account: %s → %s", baseRole(c.From), baseRole(c.To))
	case lifecycle.KindBaseRole:
		return fmt.Sprintf("base role: %s → %s", baseRole(c.From), baseRole(c.To))
	case lifecycle.KindSession:
		return c.Entitlement.String() + ": " + sessionEnd(c)
	case lifecycle.KindEscalationPolicy, lifecycle.KindSchedule, lifecycle.KindIncident:
		return c.Entitlement.String() + ": " + passesTo(r, c)
	default:
		return string(c.Op) + " " + c.Entitlement.String()
	}
}

func sessionEnd(c lifecycle.Change) string {
	if c.Entitlement.Role == lifecycle.SessionCalendar {
		return "its secret address → a new one"
	}
	return "open → ended"
}

// passesTo says of a duty who has it and who has it next.
func passesTo(r lifecycle.Request, c lifecycle.Change) string {
	switch {
	case c.Restores != "":
		return "back to " + taker(c)
	case c.Unchosen():
		return r.Subject.Label() + " → nobody chosen yet"
	case c.To == lifecycle.NoSuccessor:
		return r.Subject.Label() + " → nobody: the others there stay"
	default:
		return r.Subject.Label() + " → " + taker(c)
	}
}

// taker returns what whoever takes over is called.
func taker(c lifecycle.Change) string { return cmp.Or(c.Successor.Name, c.Successor.Email, c.To) }

func baseRole(role string) string {
	if role == "" {
		return "none"
	}
	return lifecycle.BaseRole(role).String()
}

func orNone(role string) string {
	if role == "" {
		return "none"
	}
	return role
}

// dutyInWords says what on-call expects of somebody: where, when, for what, and who else is there.
func dutyInWords(d lifecycle.Duty, now time.Time) string {
	words := []string{d.String()}
	if len(d.Serves) > 0 {
		words = append(words, "called by "+strings.Join(d.Serves, ", "))
	}
	if when := shiftsInWords(d, now); when != "" {
		words = append(words, when)
	}
	return strings.Join(append(words, othersInWords(d)), "; ")
}

func othersInWords(d lifecycle.Duty) string {
	if d.Alone() {
		return "nobody else"
	}
	return count(len(d.Others), "other")
}

const manyShifts = 2

// shiftsInWords says when the next shifts are, the one that runs first; "" for none.
func shiftsInWords(d lifecycle.Duty, now time.Time) string {
	ahead := slices.DeleteFunc(slices.Clone(d.Shifts), func(s lifecycle.Shift) bool { return !s.Until.IsZero() && !s.Until.After(now) })
	var words []string
	for i, s := range ahead {
		if i == manyShifts {
			words = append(words, fmt.Sprintf("%d more", len(ahead)-i))
			break
		}
		words = append(words, shiftInWords(s, now))
	}
	return strings.Join(words, ", then ")
}

func shiftInWords(s lifecycle.Shift, now time.Time) string {
	running := !now.Before(s.From)
	switch {
	case running && s.Until.IsZero():
		return "on call now"
	case running:
		return "on call now until " + at(s.Until)
	case s.Until.IsZero():
		return "on call from " + at(s.From)
	default:
		return "on call " + at(s.From) + " to " + at(s.Until)
	}
}

// usedInWords says when an account was last used, and what that rests on.
func usedInWords(s lifecycle.Signal) string {
	switch {
	case s.Proxy == "":
		return "not known"
	case s.At.IsZero():
		return s.Proxy
	default:
		return at(s.At) + " (" + s.Proxy + ")"
	}
}
