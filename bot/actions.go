package bot

import (
	"strconv"
	"strings"

	"rolecall/lifecycle"
)

// What buttons, modals and shortcuts are called. They stand in messages already
// sent: none ever changes its meaning.
const (
	ActionApprove = "request.approve.v1"
	ActionDeny    = "request.deny.v1"
	ActionUndo    = "request.undo.v1"
	ActionRetry   = "request.retry.v1"
	ActionKeep    = "finding.keep.v1"
	ActionRevoke  = "finding.revoke.v1"
	ActionChoose  = "handover.choose.v1"
	ActionHistory = "request.history.v1" // callback of the message shortcut
	ActionAnswer  = "case.answer.v1"
	ActionPick    = "case.pick.v1" // which answer, where there are many; it does nothing by itself
	ActionRelease = "hold.release.v1"
	ActionConfirm = "hold.confirm.v1"
	ActionRefuse  = "hold.refuse.v1"
	ActionStart   = "source.start.v1"
	ActionBack    = "away.back.v1"
	ActionAsk     = "request.ask.v1"
	ActionReply   = "question.reply.v1"
	ActionMore    = "request.more.v1"
	ActionReduce  = "finding.reduce.v1"
	ActionReview  = "bundle.review.v1"

	ActionNudge  = "request.nudge.v1" // these four are on what somebody has asked for themselves
	ActionCancel = "request.cancel.v1"
	ActionEnd    = "grant.end.v1"
	ActionWish   = "wish.open.v1"

	ModalWish    = "modal.wish.v1"
	ModalApprove = "modal.approve.v1"
	ModalDeny    = "modal.deny.v1"
	ModalKeep    = "modal.keep.v1"
	ModalRevoke  = "modal.revoke.v1"
	ModalChoose  = "modal.choose.v1"
	ModalUndo    = "modal.undo.v1"
	ModalAnswer  = "modal.answer.v1"
	ModalRelease = "modal.release.v1"
	ModalRefuse  = "modal.refuse.v1"
	ModalAway    = "modal.away.v1"
	ModalAsk     = "modal.ask.v1"
	ModalReply   = "modal.reply.v1"
	ModalAssign  = "modal.assign.v1"
	ModalPlan    = "modal.plan.v1"
	ModalReduce  = "modal.reduce.v1"
	ModalBulk    = "modal.bulk.v1"
	ModalConfirm = "modal.bulkconfirm.v1"

	InputReason = "reason" // block id and action id
	InputUntil  = "until"
	// InputReplacement is the first duty's; the next is replacement_2.
	InputReplacement = "replacement"
	InputScope       = "scope"  // of a release: all, or these
	InputWhat        = "what"   // to do with findings
	InputPicked      = "picked" // block id of the first ten findings; the next are picked_2
	InputPeople      = "people"
	InputTeam        = "team" // of a wish, as are the next three
	InputRole        = "role"
	InputFor         = "for"
	InputIncident    = "incident"
	InputFrom        = "from"
	InputDelegate    = "delegate"
	InputQuestion    = "question"
	InputAnswer      = "answer"
	InputTo          = "to"
)

const maxValue = 200 // bytes of a button's value that is ours

// MetadataEvent is the event type of the metadata that every message carries,
// and its payload's key: by it a message is found again after a crash.
const (
	MetadataEvent = "rolecall_message"
	MetadataKey   = "key"
)

// encodeValue returns what a button carries: the request and the revision of
// it that is shown, and no authority.
func encodeValue(id lifecycle.RequestID, revision int) string {
	return string(id) + ":" + strconv.Itoa(revision)
}

// decodeValue returns what encodeValue put in, or a Refusal.
func decodeValue(value string) (lifecycle.RequestID, int, error) {
	id, number, ok := strings.Cut(value, ":")
	revision, err := strconv.Atoi(number)
	if !ok || err != nil || revision < 1 || !strings.HasPrefix(id, "req_") || len(value) > 100 {
		return "", 0, lifecycle.Refuse(lifecycle.ErrInvalid, "This button does not say which request it is for. Run `/rolecall inbox` and use the card there.")
	}
	return lifecycle.RequestID(id), revision, nil
}

// encodeAnswer returns what a button of a case carries: the case, the revision
// of it that is shown, and the answer; "" is the one that is picked beside it.
func encodeAnswer(c lifecycle.Case, answer string) string {
	return string(c.ID) + ":" + strconv.Itoa(c.Revision) + ":" + answer
}

// decodeAnswer returns what encodeAnswer put in, or a Refusal.
func decodeAnswer(value string) (id lifecycle.CaseID, revision int, answer string, err error) {
	parts := append(strings.SplitN(value, ":", 3), "", "")
	revision, err = strconv.Atoi(parts[1])
	if err != nil || revision < 1 || !strings.HasPrefix(parts[0], "cas_") || len(value) > maxValue {
		return "", 0, "", lifecycle.Refuse(lifecycle.ErrInvalid, "This button does not say which question it answers. Run `%s inbox` and use the buttons there.", Command)
	}
	return lifecycle.CaseID(parts[0]), revision, parts[2], nil
}

// encodeHold returns what a button of a hold carries.
func encodeHold(h lifecycle.Hold) string { return string(h.ID) + ":" + strconv.Itoa(h.Revision) }

// decodeHold returns what encodeHold put in, or a Refusal.
func decodeHold(value string) (lifecycle.HoldID, int, error) {
	id, number, ok := strings.Cut(value, ":")
	revision, err := strconv.Atoi(number)
	if !ok || err != nil || revision < 1 || !strings.HasPrefix(id, "hld_") || len(value) > maxValue {
		return "", 0, lifecycle.Refuse(lifecycle.ErrInvalid, "This button does not say what it would release. Run `%s inbox` and use the buttons there.", Command)
	}
	return lifecycle.HoldID(id), revision, nil
}

// A place is the message from which a modal was opened; zero: an App Home.
type place struct {
	Channel string
	TS      string
}

// encodeMeta returns a modal's private metadata: the value of the button, and
// where that was pressed.
func encodeMeta(value string, at place) string {
	return strings.Join([]string{value, at.Channel, at.TS}, "|")
}

// decodeMeta returns what encodeMeta put in, whatever follows that.
func decodeMeta(meta string) (value string, at place) {
	parts := append(strings.SplitN(meta, "|", 4), "", "", "")
	return parts[0], place{Channel: parts[1], TS: parts[2]}
}

// asksReason reports whether the press opens a modal: what destroys or gives
// great power takes a reason, and so does every no.
func asksReason(r lifecycle.Request, action string) bool {
	switch action {
	case ActionDeny, ActionKeep:
		return true
	case ActionApprove, ActionRevoke:
		return r.Risk() != lifecycle.Routine
	default:
		return false
	}
}
