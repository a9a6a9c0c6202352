package bot

import (
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// undo offers to take back what was done, where that can be.
func (m cardMaker) undo() []cardButton {
	if !m.r.Undoable() {
		return nil
	}
	return []cardButton{{Action: ActionUndo, Label: "Undo…"}}
}

const undoing = "What somebody has changed since is left as it is, and that step says so. It becomes a request of its own: your reason approves it as far as you may decide on giving this back; where you may not, those who may are asked."

// undoModal restates what would be put back, and what cannot be.
func undoModal(r lifecycle.Request, f frame, meta string) slack.ModalViewRequest {
	m := cardMaker{frame: f, r: r}
	back, lost := r.TakesBack()
	lines := make([]string, len(back))
	for i, c := range back {
		lines[i] = "• " + changeWords(c)
	}
	blocks := []slack.Block{
		section("*" + m.title() + "*"),
		section("*Is put back*\n" + packLines(lines, manySteps, seeMore("`rolecall request show`"))),
	}
	if len(lost) > 0 {
		words := make([]string, len(lost))
		for i, l := range lost {
			words[i] = "• " + foreign(l, maxPhrase)
		}
		blocks = append(blocks, section("*Cannot be put back*\n"+strings.Join(words, "\n")))
	}
	blocks = append(blocks, contextLine(undoing))
	if banner := m.banner(); banner != "" {
		blocks = append(blocks, contextLine(banner))
	}
	blocks = append(blocks, reasonInput("Why is this put back?", reasonHint))
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: ModalUndo, PrivateMetadata: meta,
		Title: plainText("Undo", maxTitle), Submit: plainText("Undo", maxTitle), Close: plainText("Cancel", maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}
