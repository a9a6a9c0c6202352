package bot

import (
	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// answerModal restates the answer and what follows from it, and asks why it is
// right. meta is what encodeMeta returns.
func answerModal(c lifecycle.Case, o lifecycle.CaseOption, f frame, meta string) slack.ModalViewRequest {
	m := caseMaker{f, c}
	blocks := []slack.Block{
		section("*" + m.title() + "*\n*In doubt*  " + foreign(ended(c.Why), maxWhy)),
		section("*Your answer*\n" + answerWords(o)),
	}
	if m.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	blocks = append(blocks, reasonInput("How do you know?", reasonHint))
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: ModalAnswer, PrivateMetadata: meta,
		Title: plainText("Answer", maxTitle), Submit: plainText("Answer", maxTitle), Close: plainText("Cancel", maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}
