package bot

import (
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const (
	maxReason  = 2000 // characters; the domain takes no more
	maxTitle   = 24
	keepDays   = 90 // as the domain has it when no end is chosen
	reasonHint = "It goes on the record, and the card shows it."
	denyHint   = "It goes on the record and the card, and the person concerned is told."
)

// approveModal asks for the reason of an approval that is not routine. meta is
// what encodeMeta returns, and comes back as the private metadata.
func approveModal(r lifecycle.Request, f frame, meta string) slack.ModalViewRequest {
	v := decisionModal(ModalApprove, "Approve", meta, r, f, true)
	v.Blocks.BlockSet = append(v.Blocks.BlockSet, reasonInput("Why is this right?", reasonHint))
	return v
}

// revokeModal is approveModal for a finding: what was found is taken back, or
// what is missing is given.
func revokeModal(r lifecycle.Request, f frame, meta string) slack.ModalViewRequest {
	title := "Revoke"
	if !takesAway(r) {
		title = "Approve"
	}
	v := decisionModal(ModalRevoke, title, meta, r, f, true)
	v.Blocks.BlockSet = append(v.Blocks.BlockSet, reasonInput("Why is this right?", reasonHint))
	return v
}

// denyModal asks for the reason of a no.
func denyModal(r lifecycle.Request, f frame, meta string) slack.ModalViewRequest {
	v := decisionModal(ModalDeny, "Deny", meta, r, f, false)
	hint := reasonHint
	r.State = lifecycle.Denied
	if _, told := (cardMaker{frame: f, r: r}).toSubject(); told != "" {
		hint = denyHint
	}
	v.Blocks.BlockSet = append(v.Blocks.BlockSet,
		section("If you deny, nothing is changed in PagerDuty and this request is closed."), reasonInput("Why not?", hint))
	return v
}

// keepModal asks why a finding is kept, and until when.
func keepModal(r lifecycle.Request, f frame, meta string) slack.ModalViewRequest {
	title := "Keep as it is"
	if !takesAway(r) { // the button on the card was Deny: what is missing is not given
		title = "Deny"
	}
	v := decisionModal(ModalKeep, title, meta, r, f, false)
	until := slack.NewDatePickerBlockElement(InputUntil)
	until.InitialDate = f.now.In(f.loc).AddDate(0, 0, keepDays).Format(time.DateOnly)
	v.Blocks.BlockSet = append(v.Blocks.BlockSet,
		section("Then nothing is changed in PagerDuty, and it is asked again when the exception ends."),
		reasonInput("Why is this departure from policy right?", reasonHint),
		slack.NewInputBlock(InputUntil, plainText("Until", maxButton), plainText("The last day of the exception, within a year.", maxButton), until))
	return v
}

// decisionModal restates what is decided, so that nobody has to remember the
// card behind the modal.
func decisionModal(callback, title, meta string, r lifecycle.Request, f frame, yes bool) slack.ModalViewRequest {
	m := cardMaker{frame: f, r: r}
	facts := []fact{{"Why", m.why()}, {"Now", held(r, false)}, {"After", held(r, true)}}
	if yes {
		facts = append(facts, fact{"Then", m.effects()})
	} else {
		facts[2].Label = "Asked for"
	}
	blocks := []slack.Block{section("*" + m.title() + "*"), section(factLines(facts))}
	if all := handovers(r); yes && len(all) > 0 {
		blocks = append(blocks, section(m.briefly(all)))
	}
	if banner := m.banner(); banner != "" {
		blocks = append(blocks, contextLine(banner))
	}
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: callback, PrivateMetadata: meta,
		Title: plainText(title, maxTitle), Submit: plainText(title, maxTitle), Close: plainText("Cancel", maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}

func reasonInput(label, hint string) slack.Block {
	input := slack.NewPlainTextInputBlockElement(nil, InputReason)
	input.Multiline, input.MinLength, input.MaxLength = true, 1, maxReason
	return slack.NewInputBlock(InputReason, plainText(label, maxButton), plainText(hint, maxButton), input)
}
