package bot

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const longestUntil = 366 * 24 * time.Hour

// askReason opens the modal in which the decision is made, or what it needs first.
func (b *Bot) askReason(ctx context.Context, in interaction, a action, r lifecycle.Request) error {
	policy, err := b.cfg.Policies.Current(ctx)
	if err != nil {
		return fmt.Errorf("read the policy in force: %w", err)
	}
	f := frame{p: policy, mode: b.cfg.Mode, now: b.cfg.Now(), loc: b.cfg.Location}
	at := place{Channel: in.where().channel, TS: in.Container.MessageTS}
	meta := encodeMeta(a.chosen(), at)
	var v slack.ModalViewRequest
	switch {
	case a.ActionID == ActionChoose || verdictOf(a.ActionID) == lifecycle.Approve && unchosen(r) > 0:
		v = chooseModal(r, f, encodeValue(r.ID, r.Revision), at)
	case a.ActionID == ActionUndo:
		v = undoModal(r, f, meta)
	case verdictOf(a.ActionID) == lifecycle.Approve && r.IsFinding():
		v = revokeModal(r, f, meta)
	case verdictOf(a.ActionID) == lifecycle.Approve:
		v = approveModal(r, f, meta)
	case r.IsFinding():
		v = keepModal(r, f, meta)
	default:
		v = denyModal(r, f, meta)
	}
	return b.openModal(ctx, in.TriggerID, v)
}

// openModal opens v. Slack lets three seconds pass for that, once.
func (b *Bot) openModal(ctx context.Context, trigger string, v slack.ModalViewRequest) error {
	err := b.out.openView(ctx, trigger, v)
	if isCode(err, "expired_trigger_id", "exchanged_trigger_id") {
		return lifecycle.Refuse(lifecycle.ErrConflict, "That took longer than Slack allows, and nothing was changed. Please press again.")
	}
	if err != nil {
		return fmt.Errorf("open modal: %w", err)
	}
	return nil
}

// A submission is what comes of a modal that was filled in.
type submission struct {
	act   func(context.Context, interaction) error
	input string // the block that stands for the whole of it
	// goes is act for a modal that is answered with more than that it closes.
	goes func(context.Context, interaction) (any, error)
}

// do acts, and returns what the modal is answered with; nil closes it.
func (s submission) do(ctx context.Context, in interaction) (any, error) {
	if s.goes != nil {
		return s.goes(ctx, in)
	}
	return nil, s.act(ctx, in)
}

// submission returns what the modal does, and false for one that is not ours.
func (b *Bot) submission(callback string) (submission, bool) {
	switch callback {
	case ModalApprove, ModalRevoke:
		return submission{act: b.decideModal(lifecycle.Approve), input: InputReason}, true
	case ModalDeny, ModalKeep:
		return submission{act: b.decideModal(lifecycle.Deny), input: InputReason}, true
	case ModalWish:
		return submission{act: b.wishSubmitted, input: InputRole}, true
	case ModalUndo:
		return submission{act: b.undoModal, input: InputReason}, true
	case ModalChoose:
		return submission{act: b.chooseModal, input: InputReplacement}, true
	case ModalReduce:
		return submission{act: b.findingModal, input: InputReason}, true
	case ModalBulk:
		return submission{goes: b.reviewModal, input: InputWhat}, true
	case ModalConfirm:
		return submission{goes: b.confirmedModal, input: InputReason}, true
	case ModalAsk:
		return submission{act: b.askedModal, input: InputQuestion}, true
	case ModalReply:
		return submission{act: b.repliedModal, input: InputAnswer}, true
	case ModalAssign:
		return submission{act: b.assignedModal, input: InputTo}, true
	case ModalAway:
		return submission{act: b.awayModal, input: InputUntil}, true
	case ModalAnswer:
		return submission{act: b.answerModal, input: InputReason}, true
	case ModalRelease:
		return submission{act: b.releaseModal, input: InputReason}, true
	case ModalRefuse:
		return submission{act: b.refuseModal, input: InputReason}, true
	default:
		return submission{}, false
	}
}

// takeSubmit has a filled-in modal decided. What is wrong with it is shown in
// the modal, which only the acknowledgement can do; when that is not known
// within two seconds, the modal closes and the person is told apart.
func (b *Bot) takeSubmit(ctx context.Context, in interaction, ack ack) {
	does, ours := b.submission(in.View.Callback)
	key := []string{in.Type, in.View.ID, in.View.Hash}
	if !ours || !b.seen.first(key...) {
		ack(nil)
		return
	}
	ctx = context.WithoutCancel(ctx)
	var first sync.Once
	reply := func(answer any) (mine bool) {
		first.Do(func() { mine = true; ack(answer) })
		return mine
	}
	late := time.AfterFunc(patience, func() { reply(nil) })
	started := b.working.try(func() {
		defer late.Stop()
		b.submit(ctx, in, does, key, reply)
	})
	if !started {
		late.Stop()
		b.seen.forget(key...)
		reply(slack.NewErrorsViewSubmissionResponse(map[string]string{does.input: tooBusy}))
	}
}

// submit acts, and says in the modal what came of it, or privately when the
// modal is closed already.
func (b *Bot) submit(ctx context.Context, in interaction, does submission, key []string, reply func(any) bool) {
	at := in.origin()
	var answer any
	err := b.guarded(ctx, func(ctx context.Context) (err error) { answer, err = does.do(ctx, in); return err })
	if err == nil {
		if !reply(answer) && in.View.Callback == ModalBulk {
			b.say(ctx, at, "That took longer than Slack allows, and nothing was decided. Please press *Review* again.")
		}
		return
	}
	if fields := fieldErrors(err, does.input); fields != nil {
		b.seen.forget(key...) // nothing came of it, and the corrected modal comes back under the same hash
		if reply(slack.NewErrorsViewSubmissionResponse(fields)) {
			return
		}
	}
	words := b.words(ctx, at, err)
	if !reply(slack.NewUpdateViewSubmissionResponse(noticeModal(words))) {
		b.say(ctx, at, words)
	}
}

// decideModal returns what decides with the verdict of a modal.
func (b *Bot) decideModal(verdict lifecycle.Verdict) func(context.Context, interaction) error {
	return func(ctx context.Context, in interaction) error {
		if value, _ := decodeMeta(in.View.Metadata); isFindingID(value) {
			return b.findingModal(ctx, in)
		}
		reason, until, err := b.filledIn(in.View)
		if err != nil {
			return err
		}
		p, from, err := b.pressed(ctx, in)
		if err != nil {
			return err
		}
		p.Verdict, p.Reason, p.Until = verdict, reason, until
		r, err := b.cfg.Approvals.Decide(ctx, p)
		if err != nil {
			return gone(err)
		}
		b.settled(ctx, in.origin(), from.TS, p.By, r)
		return nil
	}
}

// undoModal asks for what was done to be taken back.
func (b *Bot) undoModal(ctx context.Context, in interaction) error {
	reason, _, err := b.filledIn(in.View)
	if err != nil {
		return err
	}
	p, from, err := b.pressed(ctx, in)
	if err != nil {
		return err
	}
	p.Reason = reason
	r, err := b.cfg.Approvals.Undo(ctx, p)
	if err != nil {
		return gone(err)
	}
	b.settled(ctx, in.origin(), from.TS, p.By, r)
	return nil
}

// pressed returns who filled in the modal, and what they saw when it was opened.
func (b *Bot) pressed(ctx context.Context, in interaction) (lifecycle.Press, place, error) {
	by, err := b.people.who(ctx, in.User)
	if err != nil {
		return lifecycle.Press{}, place{}, err
	}
	value, from := decodeMeta(in.View.Metadata)
	id, seen, err := decodeValue(value)
	return lifecycle.Press{Request: id, Seen: seen, By: by, Via: lifecycle.ViaSlack}, from, err
}

// filledIn returns what was entered, or a Refusal that names each field.
func (b *Bot) filledIn(v view) (reason string, until time.Time, err error) {
	var wrong []lifecycle.FieldError
	reason = v.entered(InputReason)
	switch {
	case reason == "":
		wrong = append(wrong, lifecycle.FieldError{Path: InputReason, Message: "Say why, in a sentence. It goes on the record."})
	case utf8.RuneCountInString(reason) > maxReason:
		wrong = append(wrong, lifecycle.FieldError{Path: InputReason, Message: fmt.Sprintf("Keep it under %d characters.", maxReason)})
	}
	if day := v.entered(InputUntil); day != "" {
		var problem string
		if until, problem = b.dayEnd(day); problem != "" {
			wrong = append(wrong, lifecycle.FieldError{Path: InputUntil, Message: problem})
		}
	}
	if len(wrong) > 0 {
		return "", time.Time{}, &lifecycle.Refusal{Kind: lifecycle.ErrInvalid, Reason: wrong[0].Message, Fields: wrong}
	}
	return reason, until, nil
}

// dayEnd returns the last moment of the day where the house says its times, or
// what is wrong with the day.
func (b *Bot) dayEnd(day string) (time.Time, string) {
	start, err := time.ParseInLocation(time.DateOnly, day, b.cfg.Location)
	if err != nil {
		return time.Time{}, "Pick a day, such as 2026-05-31."
	}
	end, now := start.AddDate(0, 0, 1).Add(-time.Second), b.cfg.Now()
	switch {
	case !start.After(now):
		return time.Time{}, "Pick a day after today."
	case end.After(now.Add(longestUntil)):
		return time.Time{}, "Pick a day within a year. It is asked again then."
	default:
		return end, ""
	}
}

// fieldErrors returns what to show under which input, or nil when the trouble
// is not with what was entered. What is wrong with the whole stands under input.
func fieldErrors(err error, input string) map[string]string {
	refusal, ok := errors.AsType[*lifecycle.Refusal](err)
	if !ok || !errors.Is(refusal.Kind, lifecycle.ErrInvalid) {
		return nil
	}
	fields := map[string]string{}
	for _, f := range refusal.Fields {
		fields[f.Path] = f.Message
	}
	if len(fields) == 0 {
		fields[input] = fullStop(refusal.Reason)
	}
	return fields
}

// noticeModal says words where the modal was.
func noticeModal(words string) *slack.ModalViewRequest {
	return &slack.ModalViewRequest{
		Type: slack.VTModal, Title: plainText("rolecall", 24), Close: plainText("Close", 24),
		Blocks: slack.Blocks{BlockSet: []slack.Block{section(words)}},
	}
}

// origin is where the modal was opened from: the conversation, not the thread
// in it, which the modal does not carry.
func (in interaction) origin() where {
	_, from := decodeMeta(in.View.Metadata)
	return where{user: in.User.ID, channel: from.Channel}
}
