package bot

import (
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// approver returns why the address may decide: as it was last computed, or else
// as the policy says.
func (m cardMaker) approver(email string) lifecycle.Approver {
	if a, ok := m.route.Of(email); ok {
		return a
	}
	return lifecycle.Approver{Email: email, As: m.p.Stands(m.r, email), Asked: true}
}

// isAway reports whether somebody could decide, and is away.
func isAway(a lifecycle.Approver) bool { return !a.Asked && a.For == "" && !a.Until.IsZero() }

// hasSpoken reports whether somebody is there only for what they have decided in
// the name of somebody who is back.
func hasSpoken(a lifecycle.Approver) bool { return !a.Asked && a.For != "" && a.Until.IsZero() }

// who says why this is asked of whom it is asked, and who else can decide.
func (m cardMaker) who() fact {
	var others, away []string
	for _, email := range m.r.Approvers {
		switch a := m.approver(email); {
		case email == m.v.Email, hasSpoken(a):
		case isAway(a):
			away = append(away, m.person(email)+" is away until "+lastDay(a.Until, m.loc)+".")
		default:
			if words := m.withStanding(a); !slices.Contains(others, words) { // a group is named once
				others = append(others, words)
			}
		}
	}
	text := "Nobody can decide this now. Ask Security to name an owner in the policy."
	label := "Who decides"
	mine := m.v.Email != "" && m.asked()
	switch {
	case mine && len(others) > 0:
		label, text = "Why you", m.mine()+" "+orList(few(others))+" can decide too."
	case mine:
		label, text = "Why you", m.mine()+" Nobody else can decide."
	case len(others) > 0:
		text = orList(few(others)) + "."
	case len(away) > 0:
		text = "Nobody who is here."
	}
	if len(away) > 0 {
		text += " " + strings.Join(few(away), " ")
	}
	if m.r.Needed > 1 {
		text += fmt.Sprintf(" %d approvals are needed; given so far: %d.", m.r.Needed, m.r.Approvals())
	}
	if m.r.Escalated {
		text += " Security is asked too, because nobody answered."
	}
	return fact{label, text}
}

func (m cardMaker) mine() string {
	a := m.approver(m.v.Email)
	if a.For != "" {
		return m.standingIn(a)
	}
	words := "The policy names you."
	switch verb, what, _ := strings.Cut(a.As, " "); {
	case verb == "owns":
		words = "You own " + foreign(what, maxTeam) + "."
		if a.Group != "" {
			words = "You are in " + mentionGroup(a.Group) + ", who own " + foreign(what, maxTeam) + "."
		}
	case verb == "manages":
		words = "You manage " + foreign(what, maxTeam) + "."
	case a.As == "security":
		words = "You are Security."
	}
	if isAway(a) {
		words += " You said that you are away until " + lastDay(a.Until, m.loc) + ", and can still decide."
	}
	return words
}

func (m cardMaker) standingIn(a lifecycle.Approver) string {
	if a.Until.IsZero() {
		return m.person(a.For) + " has handed this to you."
	}
	return "You stand in for " + m.person(a.For) + " until " + lastDay(a.Until, m.loc) + "."
}

// mentionGroup calls a user group, which tells whoever is in it.
func mentionGroup(id lifecycle.GroupID) string { return "<!subteam^" + string(id) + ">" }

func (m cardMaker) withStanding(a lifecycle.Approver) string {
	switch {
	case a.Group != "" && a.For == "":
		return "somebody of " + mentionGroup(a.Group) + " (" + foreign(a.As, maxTeam) + ")"
	case a.For != "" && a.Until.IsZero():
		return m.person(a.Email) + " (handed to them by " + m.person(a.For) + ")"
	case a.For != "":
		return m.person(a.Email) + " (for " + m.person(a.For) + ", who is away until " + lastDay(a.Until, m.loc) + ")"
	case a.As != "":
		return m.person(a.Email) + " (" + foreign(a.As, maxTeam) + ")"
	default:
		return m.person(a.Email)
	}
}
