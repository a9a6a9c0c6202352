package bot

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// status says where the request stands: when, and by whom. It carries a tick
// only when PagerDuty was seen to be as it should.
func (m cardMaker) status() string {
	s := m.stands()
	d, ok := m.handledBy()
	switch {
	case ok:
		return m.handled(d) + " " + s
	case m.r.State == lifecycle.Pending && m.v.Email != "" && !m.asked():
		return "You are no longer asked about this. " + s
	default:
		return s
	}
}

// handledBy returns the decision that an approver's own copy begins with.
func (m cardMaker) handledBy() (lifecycle.Decision, bool) {
	d, ok := m.r.DecidedBy()
	return d, ok && m.v.Email != "" && d.Via != lifecycle.ViaPolicy
}

// handled tells an approver that there is nothing left to decide, and through whom.
func (m cardMaker) handled(d lifecycle.Decision) string {
	if d.By == m.v.Email {
		return fmt.Sprintf("You %s, %s.", m.verdict(d), moment(d.At, m.loc))
	}
	s := fmt.Sprintf("Handled by %s, who %s, %s.", m.decider(d), m.verdict(d), moment(d.At, m.loc))
	if m.r.State != lifecycle.Holding && m.r.State != lifecycle.Failed {
		s += " Nothing is left for you."
	}
	return s
}

func (m cardMaker) stands() string {
	note := foreign(fullStop(m.r.Note), maxPhrase)
	switch m.r.State {
	case lifecycle.Pending:
		return m.waiting()
	case lifecycle.Approved:
		return m.approved()
	case lifecycle.Holding:
		return fmt.Sprintf("Approved%s. Nothing is changed before %s; it can be undone until then.", m.by(), moment(m.r.HoldUntil, m.loc))
	case lifecycle.Applying:
		return m.applying(note)
	case lifecycle.Done:
		return m.done()
	case lifecycle.Failed:
		return m.failed(note)
	case lifecycle.Blocked:
		return "Stopped before anything was changed: " + note + " The approval does not cover that. What is still to be done, if anything, is asked again."
	case lifecycle.Denied:
		return m.denied()
	case lifecycle.Expired:
		return "Expired: " + strings.TrimSpace(note)
	case lifecycle.Withdrawn:
		return m.withdrawn(note)
	default:
		return string(m.r.State)
	}
}

func (m cardMaker) waiting() string {
	r := m.r
	switch given := r.Approvals(); {
	case unchosen(r) > 0:
		return fmt.Sprintf("Waiting: somebody must be chosen for %s before this can be approved.", count(unchosen(r), "duty", "duties"))
	case given > 0:
		return fmt.Sprintf("Waiting: %d of %d approvals, %s.", given, r.Needed, m.lastApproval())
	case r.Needed > 1:
		return fmt.Sprintf("Waiting for %d approvals.", r.Needed)
	case r.Escalated:
		return "Waiting for a decision; Security is asked too."
	default:
		return "Waiting for a decision."
	}
}

// lastApproval says who gave the last approval that counts; there is one.
func (m cardMaker) lastApproval() string {
	counting := slices.DeleteFunc(slices.Clone(m.r.Decisions), func(d lifecycle.Decision) bool { return d.Lapsed })
	d := counting[len(counting)-1]
	if d.By == m.v.Email {
		return "one of them yours"
	}
	return "the last by " + m.decider(d) + " " + moment(d.At, m.loc)
}

// withdrawn says what stands of a request that was given up, which a failed one
// can be when some of it is done.
func (m cardMaker) withdrawn(note string) string {
	words := []string{"Withdrawn.", note, "Nothing is left to decide."}
	if m.begun() {
		words = []string{"Withdrawn.", note, m.made(), "Nothing more happens."}
	}
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " ")
}

// begun reports whether any change may have reached PagerDuty.
func (m cardMaker) begun() bool {
	return slices.ContainsFunc(m.r.Changes, func(c lifecycle.Change) bool {
		return c.State == lifecycle.ChangeApplied || c.State == lifecycle.ChangeVerified || c.State == lifecycle.ChangeFailed
	})
}

// verified counts the changes that were read back.
func (m cardMaker) verified() int {
	n := 0
	for _, c := range m.r.Changes {
		if c.State == lifecycle.ChangeVerified {
			n++
		}
	}
	return n
}

// made says how many changes were made: one that was withdrawn may have been
// undone since, by a request of its own.
func (m cardMaker) made() string {
	if m.verified() == 0 {
		return "No change is known to have been made."
	}
	return fmt.Sprintf("%d of %d changes had been made.", m.verified(), len(m.r.Changes))
}

// stand says how many changes stand.
func (m cardMaker) stand() string {
	if m.verified() == 0 {
		return "No change is known to stand."
	}
	return fmt.Sprintf("%d of %d changes stand.", m.verified(), len(m.r.Changes))
}

func (m cardMaker) approved() string {
	if m.r.Observe {
		return fmt.Sprintf("Approved%s. Opened in observe mode: nothing was changed in PagerDuty, and nothing will be.", m.by())
	}
	if m.paused() {
		return fmt.Sprintf("Approved%s. Not applied: it waits until writing to PagerDuty is switched on again.", m.by())
	}
	return fmt.Sprintf("Approved%s. Not applied yet: it is about to start.", m.by())
}

func (m cardMaker) done() string {
	s := "✅ Done, checked in PagerDuty " + moment(m.checked(), m.loc) + "."
	if by := m.by(); by != "" {
		s += " Approved" + by + "."
	}
	return strings.TrimSpace(s + " " + m.left())
}

// left says what is still to come when all that was asked is done: a leaver is
// asked about in stages.
func (m cardMaker) left() string {
	deletes := slices.ContainsFunc(m.r.Changes, func(c lifecycle.Change) bool { return c.Op == lifecycle.OpDelete })
	switch {
	case isWish(m.r) && m.over():
		return "That is over. Nothing is left to do."
	case isWish(m.r):
		return "It ends by itself. Nothing is left to do."
	case m.r.Kind != lifecycle.RequestLeaver || deletes:
		return "Nothing is left to do."
	case m.r.Undoes != "": // whether that is how it stays is for the next roll call to say
		return ""
	case m.r.Contains():
		return "Whatever on-call still needs them for, and the deletion of the account, are asked apart."
	default:
		return "The deletion of the account is asked apart."
	}
}

// by says who approved, and when, where that has not been said already.
func (m cardMaker) by() string {
	d, ok := m.r.DecidedBy()
	if _, said := m.handledBy(); said || !ok {
		return ""
	}
	return fmt.Sprintf(" by %s, %s", m.decider(d), moment(d.At, m.loc))
}

func (m cardMaker) applying(note string) string {
	s := fmt.Sprintf("Applying: %d of %d checked in PagerDuty.", m.verified(), len(m.r.Changes))
	return strings.TrimSpace(s + " " + note)
}

// failed says what stands and what does not.
func (m cardMaker) failed(note string) string {
	where := "Failed"
	if at := slices.IndexFunc(m.r.Changes, func(c lifecycle.Change) bool { return c.State == lifecycle.ChangeFailed }); at >= 0 {
		where = fmt.Sprintf("Failed at step %d of %d", at+1, len(m.r.Changes))
	}
	return strings.TrimSpace(where+": "+note) + " " + m.stand() + " Nothing more happens until somebody who may decide this presses Retry."
}

func (m cardMaker) denied() string {
	d, ok := m.r.DecidedBy()
	_, said := m.handledBy()
	switch {
	case said:
		return "Reason: " + foreign(fullStop(d.Reason), maxPhrase) + " Nothing was changed."
	case ok && m.r.IsFinding() && !d.Until.IsZero():
		return fmt.Sprintf("Kept until %s by %s: %s Nothing was changed; it is asked again then.", day(d.Until, m.loc), m.decider(d), foreign(fullStop(d.Reason), maxPhrase))
	case ok:
		return fmt.Sprintf("Denied by %s, %s: %s Nothing was changed.", m.decider(d), moment(d.At, m.loc), foreign(fullStop(d.Reason), maxPhrase))
	default:
		return "Denied. Nothing was changed."
	}
}

// checked returns when the last change was read back.
func (m cardMaker) checked() time.Time {
	at := time.Time{}
	for _, c := range m.r.Changes {
		if c.VerifiedAt.After(at) {
			at = c.VerifiedAt
		}
	}
	if at.IsZero() {
		return m.r.UpdatedAt
	}
	return at
}

const manySteps = 25

// steps lists the changes one by one, once there is something to tell of each.
func (m cardMaker) steps() []string {
	switch m.r.State {
	case lifecycle.Applying, lifecycle.Done, lifecycle.Failed:
	case lifecycle.Pending, lifecycle.Approved, lifecycle.Holding, lifecycle.Blocked, lifecycle.Denied,
		lifecycle.Expired, lifecycle.Withdrawn:
		if !m.begun() {
			return nil
		}
	}
	steps := make([]string, len(m.r.Changes))
	for i, c := range m.r.Changes {
		steps[i] = fmt.Sprintf("%d. %s: %s", i+1, changeWords(c), m.step(c))
	}
	return steps
}

func (m cardMaker) step(c lifecycle.Change) string {
	switch c.State {
	case lifecycle.ChangeVerified:
		return "✓ checked in PagerDuty " + moment(c.VerifiedAt, m.loc)
	case lifecycle.ChangeApplied:
		return "sent, not seen in PagerDuty yet"
	case lifecycle.ChangeFailed:
		return "failed. " + foreign(fullStop(c.Error), maxPhrase)
	case lifecycle.ChangePlanned:
		return "not started"
	default:
		return string(c.State)
	}
}
