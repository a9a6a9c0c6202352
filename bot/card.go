package bot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// A viewer is who a card is drawn for: the zero viewer is a channel, else it
// is the approver with that address, in a direct message or on their Home tab.
type viewer struct{ Email string }

// cardData is what one card says, in the order in which it is read. Its text
// is escaped already.
type cardData struct {
	ID       lifecycle.RequestID
	Revision int
	Banner   string // that nothing will be written
	Title    string // in words: who, and what
	Status   string // where it stands, when, by whom
	Facts    []fact
	Duties   []string // that change hands, each in a few lines
	Steps    []string
	Question string   // the last that was asked, and what was answered
	Record   []string // who decided what, and why
	Buttons  []cardButton
	Menu     bool // beside the buttons
	Foot     string
	Push     string // the whole of it in a sentence or three
}

const (
	observing = "Observe mode: rolecall plans, asks and records this, and writes nothing to PagerDuty."
	observed  = "Opened in observe mode: what is decided here is recorded, and changes nothing in PagerDuty."
	pausing   = "Observe mode: rolecall writes nothing to PagerDuty for now. What is approved is done once writing is switched on again."
)

// banner says that nothing is written: for good, to what was opened in observe
// mode; for now, to what was opened before that was switched on.
func (m cardMaker) banner() string {
	switch {
	case m.r.Observe && m.paused():
		return observing
	case m.r.Observe:
		return observed
	case m.paused() && m.r.State.Open():
		return pausing
	default:
		return ""
	}
}

// paused reports whether nothing is written for now.
func (f frame) paused() bool { return f.mode == lifecycle.Observe }

type fact struct{ Label, Text string }

// A cardButton is loud when it is what is to be done next.
type cardButton struct {
	Action, Label string
	Loud          bool
}

// A frame is what every request is drawn in, whoever looks. Names are the
// Slack users of addresses, where known.
type frame struct {
	p     lifecycle.Policy
	mode  lifecycle.Mode
	now   time.Time
	loc   *time.Location
	names map[string]lifecycle.SlackID
	route lifecycle.Route // who may decide, and why; nil where only the request says
}

// cardMaker is what a card is made from.
type cardMaker struct {
	frame
	r lifecycle.Request
	v viewer
}

// newCard returns what the card of r says to v. It is pure. r.Approvers are
// those who may decide now.
func newCard(r lifecycle.Request, f frame, v viewer) cardData {
	m := cardMaker{frame: f, r: r, v: v}
	c := cardData{
		ID: r.ID, Revision: r.Revision, Title: m.title(), Status: m.status(), Facts: m.facts(),
		Duties: m.duties(), Steps: m.steps(), Record: m.record(), Buttons: m.buttons(), Foot: m.foot(),
	}
	c.Banner, c.Question = m.banner(), m.question()
	c.Menu = m.r.State == lifecycle.Pending && len(c.Buttons) > 0
	c.Push = m.push(c)
	return c
}

const titleChanges = 4

func (m cardMaker) title() string {
	return subjectName(m.r.Subject) + ": " + listed(titleWords(m.r), titleChanges, " · ")
}

// push says what the phone shows: who, what, why, and what comes of waiting.
func (m cardMaker) push(c cardData) string {
	parts := []string{fullStop(strings.ReplaceAll(c.Title, "`", ""))}
	if c.Banner != "" {
		parts = append(parts, c.Banner)
	}
	parts = append(parts, foreign(fullStop(m.r.Why.Event), maxPhrase))
	if isWish(m.r) {
		parts = append(parts, foreign(fullStop(m.r.Asked), maxPhrase))
	}
	if m.r.State != lifecycle.Pending || len(m.r.Decisions) > 0 || m.r.Escalated {
		parts = append(parts, c.Status)
	}
	if m.r.State == lifecycle.Pending {
		if len(handovers(m.r)) > 0 {
			parts = append(parts, strings.ReplaceAll(m.onCall(), "*", ""))
		}
		parts = append(parts, m.asks()+" "+m.deadline())
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func (m cardMaker) asks() string {
	yes, no := "Approve", "deny"
	if m.revokes() {
		yes, no = "Revoke", "keep"
	} else if m.r.IsFinding() {
		no = "keep things as they are"
	}
	if unchosen(m.r) > 0 {
		yes = "Choose who takes over,"
	}
	return yes + " or " + no + "?"
}

// revokes reports whether approving takes away what was found, so that the
// buttons say Revoke and Keep.
func (m cardMaker) revokes() bool { return m.r.IsFinding() && takesAway(m.r) }

// takesAway reports whether the request only takes power away: what is handed
// over on the way there is not given to its subject.
func takesAway(r lifecycle.Request) bool {
	gives := func(c lifecycle.Change) bool {
		return !c.Removes() && (c.Op != lifecycle.OpHandover || c.Restores != "")
	}
	return len(r.Changes) > 0 && !slices.ContainsFunc(r.Changes, gives)
}

func (m cardMaker) deadline() string {
	if m.r.DecideBy.IsZero() {
		return "There is no deadline; until somebody decides, nothing changes."
	}
	counted := ""
	if m.r.InWorkingHours() {
		counted = ", counted in working hours"
	}
	return "Decide by " + moment(m.r.DecideBy, m.loc) + counted + "; " + silenceWords(m.r) + "."
}

// person says who has the address: as Slack knows them, where it does.
func (f frame) person(email string) string {
	if email == string(lifecycle.ViaPolicy) {
		return "the policy"
	}
	if id := f.names[lifecycle.FoldEmail(email)]; id != "" {
		return "<@" + string(id) + ">"
	}
	return foreign(email, maxName)
}

// record says who decided what. What settles a denied request is its status,
// and is not said twice.
func (m cardMaker) record() []string {
	decisions := m.r.Decisions
	if m.r.State == lifecycle.Denied && len(decisions) > 0 {
		decisions = decisions[:len(decisions)-1]
	}
	return m.decisions(decisions)
}

func (m cardMaker) decisions(decisions []lifecycle.Decision) []string {
	var lines []string
	for _, d := range decisions {
		line := fmt.Sprintf("%s %s, %s", m.decider(d), m.verdict(d), moment(d.At, m.loc))
		switch d.Via {
		case lifecycle.ViaCLI:
			line += ", at the command line"
		case lifecycle.ViaSlack, lifecycle.ViaPolicy:
		}
		if d.Reason != "" {
			line += ": " + foreign(d.Reason, maxPhrase)
		}
		line = fullStop(line)
		if d.Lapsed {
			line += " This counts no more, because they may not decide any more."
		}
		lines = append(lines, line)
	}
	return lines
}

// decider says who decided, and for whom.
func (m cardMaker) decider(d lifecycle.Decision) string {
	if d.For == "" {
		return m.person(d.By)
	}
	return m.person(d.By) + " for " + m.person(d.For)
}

// verdict says what one person decided.
func (m cardMaker) verdict(d lifecycle.Decision) string {
	switch {
	case d.Verdict == lifecycle.Approve && m.revokes():
		return "chose to revoke"
	case d.Verdict == lifecycle.Approve:
		return "approved"
	case m.r.IsFinding() && !d.Until.IsZero():
		return "chose to keep it until " + day(d.Until, m.loc)
	case m.r.IsFinding():
		return "chose to keep it"
	default:
		return "denied"
	}
}

func (m cardMaker) buttons() []cardButton {
	r := m.r
	switch r.State {
	case lifecycle.Pending:
		if m.v.Email != "" && (!m.asked() || m.decidedAlready()) {
			return nil
		}
		return m.choices()
	case lifecycle.Holding:
		return []cardButton{{Action: ActionUndo, Label: "Undo"}}
	case lifecycle.Failed:
		return append(append([]cardButton{{Action: ActionRetry, Label: "Retry"}}, m.choose()...), m.undo()...)
	case lifecycle.Done:
		return m.undo()
	case lifecycle.Approved, lifecycle.Applying, lifecycle.Blocked, lifecycle.Denied, lifecycle.Expired, lifecycle.Withdrawn:
		return nil
	default:
		return nil
	}
}

// asked reports whether the viewer may decide, as it was last computed.
func (m cardMaker) asked() bool { return slices.Contains(m.r.Approvers, m.v.Email) }

func (m cardMaker) decidedAlready() bool {
	return slices.ContainsFunc(m.r.Decisions, func(d lifecycle.Decision) bool { return d.By == m.v.Email && !d.Lapsed })
}

func (m cardMaker) choices() []cardButton {
	labelled := func(action, label string) cardButton {
		if asksReason(m.r, action) {
			label += "…"
		}
		return cardButton{Action: action, Label: label, Loud: action == ActionApprove}
	}
	yes, no := labelled(ActionApprove, "Approve"), labelled(ActionDeny, "Deny")
	if m.revokes() {
		yes, no = labelled(ActionRevoke, "Revoke"), labelled(ActionKeep, "Keep")
	}
	all := m.choose()
	if unchosen(m.r) == 0 {
		all = append(all, yes)
	}
	if m.mayKeep() {
		all = append(all, no)
	}
	return append(all, cardButton{Action: ActionAsk, Label: "Ask…"})
}

// keepsPower reports whether keeping what was found gives great power, which
// only Security can.
func (m cardMaker) keepsPower() bool {
	return m.r.IsFinding() && lifecycle.BaseRole(m.r.Why.Held).Privileged()
}

// mayKeep reports whether the viewer, where one is known, can say no.
func (m cardMaker) mayKeep() bool {
	return !m.keepsPower() || m.v.Email == "" || slices.Contains(m.p.Security.Members, m.v.Email)
}

func (m cardMaker) foot() string {
	policy := m.r.Why.Policy
	if len(policy) > 8 {
		policy = policy[:8] + "…"
	}
	return fmt.Sprintf("%s · policy %s · %s · revision %d · opened %s",
		kindWords(m.r.Kind), cmp.Or(foreign(policy, 12), "unknown"), m.r.ID, m.r.Revision, moment(m.r.OpenedAt, m.loc))
}
