package sandbox

import (
	"fmt"
	"strings"
)

// PanelOnCall is who answers: every level of every escalation policy, and what is open.
type PanelOnCall struct {
	Levels    []PanelLevel
	Incidents []PanelIncident
	Gaps      []string // what has nobody, in words
}

// PanelLevel is one level of an escalation policy. No answers: nobody is called there.
type PanelLevel struct {
	Policy  string
	N       int // from 1
	Answers []PanelAnswer
}

// PanelAnswer is one of those whom a level calls.
type PanelAnswer struct {
	Who     string // "" where the schedule has nobody at this moment
	Through string // the schedule that names them; "" for somebody who is called directly
	Line    string // who else is in line there
}

// PanelIncident is an incident that is open.
type PanelIncident struct{ Name, Assigned string }

// levelView is one level in the panel.
type levelView struct {
	PanelLevel
	Key, State string
}

func levels(on PanelOnCall) []levelView {
	out := make([]levelView, len(on.Levels))
	for i, l := range on.Levels {
		var state []string
		for _, a := range l.Answers {
			state = append(state, a.Who, a.Through, a.Line)
		}
		out[i] = levelView{l, fmt.Sprintf("%s-%d", slug(l.Policy), l.N), strings.Join(state, "|")}
	}
	return out
}
