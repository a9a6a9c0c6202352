package bot

import (
	"cmp"
	"fmt"
	"strings"

	"rolecall/lifecycle"
)

// changeWords says what a change does to whom it is about: what it will do and,
// once it was read back, what it did.
func changeWords(c lifecycle.Change) string {
	e := c.Entitlement
	switch {
	case c.Op == lifecycle.OpHandover:
		return handoverWords(c)
	case c.Op == lifecycle.OpDelete:
		return inTime(c, "delete the PagerDuty account for good", "PagerDuty account deleted for good")
	case c.Op == lifecycle.OpCreate:
		return "new PagerDuty account as " + roleWords(c.To)
	case e.Kind == lifecycle.KindSession && e.Role == lifecycle.SessionCalendar:
		return inTime(c, "replace the key of the calendar feed", "calendar feed key replaced")
	case e.Kind == lifecycle.KindSession:
		return inTime(c, "end web and mobile sessions", "sessions ended")
	case e.Kind == lifecycle.KindBaseRole && c.From == c.To:
		return "stays " + roleWords(c.To)
	case e.Kind == lifecycle.KindBaseRole:
		return roleWords(c.From) + " → " + roleWords(c.To)
	case e.Kind == lifecycle.KindTeamRole:
		return teamWords(c)
	default:
		return string(c.Op) + " " + strings.ReplaceAll(string(e.Kind), "_", " ")
	}
}

// inTime returns what is said of a change before it was read back, or after.
func inTime(c lifecycle.Change, before, after string) string {
	if c.State == lifecycle.ChangeVerified {
		return after
	}
	return before
}

func teamWords(c lifecycle.Change) string {
	team, from, to := teamName(c.Entitlement.Team), foreign(c.From, maxTeam), foreign(c.To, maxTeam)
	switch {
	case c.From == c.To:
		return "stays " + to + " on " + team
	case c.From == "":
		return "joins " + team + " as " + to
	case c.To == "":
		return "off " + team + " (was " + from + ")"
	case c.Op == lifecycle.OpContain:
		return "stays on " + team + " only as " + to + " (was " + from + ")"
	default:
		return team + ": " + from + " → " + to
	}
}

// handoverWords says of a duty who has it next.
func handoverWords(c lifecycle.Change) string {
	duty := dutyName(c.Entitlement)
	switch {
	case c.Unchosen():
		return duty + ": needs somebody"
	case c.To == lifecycle.NoSuccessor:
		return duty + ": nobody follows, the others there stay"
	case c.Restores != "":
		return duty + " back to " + successorName(c)
	default:
		return duty + " → " + successorName(c)
	}
}

// successorName returns what a card calls whoever takes over.
func successorName(c lifecycle.Change) string {
	s := c.Successor
	return cmp.Or(strings.TrimSpace(foreign(s.Name, maxName)), foreign(s.Email, maxName), foreign(c.To, maxName))
}

// dutyName says a level, a seat, an override or an incident.
func dutyName(e lifecycle.Entitlement) string {
	e.Object.Name = cmp.Or(strings.TrimSpace(clip(e.Object.Name, maxTeam)), e.Object.ID)
	return escape(e.String())
}

// titleWords says the changes in as few words as tell them from others: what is
// handed over is counted, and listed below.
func titleWords(r lifecycle.Request) []string {
	var words, sessions []string
	if stage := stageWords(r); stage != "" {
		words = append(words, stage)
	}
	counted := map[bool]bool{}
	for _, c := range r.Changes {
		switch back := c.Restores != ""; {
		case c.Entitlement.Kind == lifecycle.KindSession: // last: a role says more
			sessions = append(sessions, changeWords(c))
		case c.Op != lifecycle.OpHandover:
			words = append(words, changeWords(c))
		case !counted[back]:
			counted[back] = true
			words = append(words, countedDuties(r, back))
		}
	}
	return append(words, sessions...)
}

// countedDuties says how many duties go to somebody else or, back, return.
func countedDuties(r lifecycle.Request, back bool) string {
	n, done := 0, true
	for _, c := range r.Changes {
		if c.Op == lifecycle.OpHandover && (c.Restores != "") == back {
			n++
			done = done && c.State == lifecycle.ChangeVerified
		}
	}
	verb := map[[2]bool]string{{false, false}: "hand over", {false, true}: "handed over", {true, false}: "take back", {true, true}: "took back"}[[2]bool{back, done}]
	return fmt.Sprintf("%s %s", verb, count(n, "on-call duty", "on-call duties"))
}

// stageWords says which stage of a leaver it is, where the changes do not, or
// that something is undone.
func stageWords(r lifecycle.Request) string {
	done := r.State == lifecycle.Done
	switch {
	case r.Undoes != "" && done:
		return "undone"
	case r.Undoes != "":
		return "undo"
	case r.Ends != "":
		return "its time is over"
	case r.Contains() && done:
		return "contained"
	case r.Contains():
		return "contain"
	default:
		return ""
	}
}
