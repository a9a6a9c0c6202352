package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

const (
	manyDuties = 12 // that a card tells in full; the others get a line
	manyOthers = 4
	manyShifts = 2
)

// handed is one duty that changes hands, and the change by which it does.
type handed struct {
	lifecycle.Duty
	Known  bool // by what was seen of it, and not only by the change
	Change lifecycle.Change
}

// handovers returns what the request hands over, in the order of its changes.
func handovers(r lifecycle.Request) []handed {
	duties := make(map[string]lifecycle.Duty, len(r.Duties))
	for _, d := range r.Duties {
		duties[d.Key()] = d
	}
	var all []handed
	for _, c := range r.Changes {
		if c.Op != lifecycle.OpHandover {
			continue
		}
		e := c.Entitlement
		d := lifecycle.Duty{Kind: e.Kind, Object: e.Object, Level: e.Level, Override: e.Override, Team: e.Team.ID}
		known, ok := duties[d.Key()]
		if ok {
			d = known
		}
		all = append(all, handed{d, ok, c})
	}
	return all
}

// unchosen counts the duties that nobody takes over yet.
func unchosen(r lifecycle.Request) int {
	n := 0
	for _, c := range r.Changes {
		if c.Unchosen() {
			n++
		}
	}
	return n
}

// duties tells each duty that is to change hands, while that is to be decided
// or waits: later the steps tell it.
func (m cardMaker) duties() []string {
	switch m.r.State {
	case lifecycle.Pending, lifecycle.Approved, lifecycle.Holding:
	case lifecycle.Applying, lifecycle.Done, lifecycle.Failed, lifecycle.Blocked, lifecycle.Denied, lifecycle.Expired, lifecycle.Withdrawn:
		return nil
	}
	all := handovers(m.r)
	var told []string
	for i, h := range all {
		if i == manyDuties {
			return append(told, m.briefly(all[i:]))
		}
		told = append(told, m.duty(h))
	}
	return told
}

// duty says what it is, when it is next, who takes over, and who is left.
func (m cardMaker) duty(h handed) string {
	lines := []string{"*" + capital(dutyName(h.Entitlement())) + "*"}
	if serves := m.serves(h.Duty); serves != "" {
		lines[0] += "  " + serves
	}
	if next := m.next(h.Duty, m.date); next != "" {
		lines = append(lines, next)
	}
	lines = append(lines, m.successor(h))
	if words := others(m.r, h, func(s string) string { return foreign(s, maxName) }); words != "" {
		lines = append(lines, words)
	}
	return strings.Join(lines, "\n")
}

func (m cardMaker) briefly(rest []handed) string {
	lines := make([]string, len(rest))
	for i, h := range rest {
		lines[i] = "• " + handoverWords(h.Change)
		if h.OnCall(m.now) {
			lines[i] += " · 🔴 on call now"
		}
	}
	return packLines(lines, len(lines), seeMore("`rolecall request show`"))
}

func (m cardMaker) serves(d lifecycle.Duty) string {
	if len(d.Serves) == 0 {
		return ""
	}
	levels := make([]string, len(d.Serves))
	for i, s := range d.Serves {
		levels[i] = foreign(s, maxName)
	}
	return "called by " + listed(levels, manyOthers, ", ")
}

// next says when the account is on call by the duty, loudest when it is now.
func (m cardMaker) next(d lifecycle.Duty, say func(time.Time) string) string {
	if d.Kind == lifecycle.KindIncident {
		return "🔴 *Open now*"
	}
	ahead := slices.DeleteFunc(slices.Clone(d.Shifts), func(s lifecycle.Shift) bool { return !s.Until.IsZero() && !s.Until.After(m.now) })
	if len(ahead) == 0 {
		return ""
	}
	var words []string
	for i, s := range ahead {
		if i == manyShifts {
			words = append(words, fmt.Sprintf("%d more", len(ahead)-i))
			break
		}
		words = append(words, m.shift(s, i == 0, say))
	}
	return strings.Join(words, ", then ")
}

func (m cardMaker) shift(s lifecycle.Shift, first bool, say func(time.Time) string) string {
	now := !m.now.Before(s.From)
	switch {
	case now && s.Until.IsZero():
		return "🔴 *On call now*, for good"
	case now:
		return "🔴 *On call now*, until " + say(s.Until)
	case s.Until.IsZero():
		return "on call from " + say(s.From) + " for good"
	case first:
		return "Next on call " + say(s.From) + " to " + say(s.Until)
	default:
		return say(s.From) + " to " + say(s.Until)
	}
}

// date says a moment so that Slack shows it in the reader's own time.
func (m cardMaker) date(t time.Time) string {
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", t.Unix(), moment(t, m.loc))
}

// successor says who takes over, and what speaks against them.
func (m cardMaker) successor(h handed) string {
	c := h.Change
	switch {
	case c.Unchosen():
		return "⚠️ *Needs somebody*"
	case c.To == lifecycle.NoSuccessor:
		return "→ *nobody*: the others there stay"
	}
	line := "→ *" + successorName(c) + "*"
	if c.Restores != "" {
		return line + " (gets it back)"
	}
	if m.r.State == lifecycle.Pending && m.proposed() {
		line += " (proposed)"
	}
	if k := candidate(m.r, c.To); k >= 0 && !m.r.Candidates[k].Reachable {
		line += " ⚠️ has no phone, so cannot be woken"
	}
	return line
}

// proposed reports whether those who take over are our own proposal: nobody has
// chosen them.
func (m cardMaker) proposed() bool { return m.r.Chosen.By == "" }

func candidate(r lifecycle.Request, id string) int {
	return slices.IndexFunc(r.Candidates, func(c lifecycle.Candidate) bool { return string(c.ID) == id })
}

// others says who answers there beside the account, where that was seen.
func others(r lifecycle.Request, h handed, name func(string) string) string {
	names, unknown := knownOthers(r, h.Duty)
	for i, n := range names {
		names[i] = name(n)
	}
	if len(names) > manyOthers {
		unknown += len(names) - manyOthers
		names = names[:manyOthers]
	}
	if unknown > 0 {
		names = append(names, count(unknown, "other", "others"))
	}
	switch {
	case !h.Known:
		return ""
	case len(names) == 0 && h.Kind == lifecycle.KindIncident:
		return "Nobody else is assigned."
	case len(names) == 0:
		return "Nobody else answers there."
	case h.Kind == lifecycle.KindIncident:
		return "Also assigned: " + strings.Join(names, ", ")
	default:
		return "Also there: " + strings.Join(names, ", ")
	}
}

// knownOthers returns the names of who else answers, and how many have none here.
func knownOthers(r lifecycle.Request, d lifecycle.Duty) (names []string, unknown int) {
	for _, id := range d.Others {
		if k := candidate(r, string(id)); k >= 0 && r.Candidates[k].Name != "" {
			names = append(names, r.Candidates[k].Name)
		} else {
			unknown++
		}
	}
	return names, unknown
}

// onCall sums up the duties, for wherever they are not told one by one.
func (m cardMaker) onCall() string {
	all := handovers(m.r)
	now := 0
	for _, h := range all {
		if h.OnCall(m.now) || h.Kind == lifecycle.KindIncident {
			now++
		}
	}
	words := count(len(all), "duty changes hands", "duties change hands")
	if n := unchosen(m.r); n > 0 {
		words += fmt.Sprintf(", %s *somebody*", count(n, "needs", "need"))
	}
	if now > 0 {
		words += ", 🔴 " + count(now, "is", "are") + " *live now*"
	}
	words += "."
	if by := m.r.Chosen.By; by != "" {
		words += " Chosen by " + m.person(by) + ", " + moment(m.r.Chosen.At, m.loc) + "."
	}
	return words
}
