package bot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// pickedBlock is the block id of the nth ten boxes.
func pickedBlock(n int) string {
	if n == 0 {
		return InputPicked
	}
	return fmt.Sprintf("%s_%d", InputPicked, n+1)
}

// bulkModal shows every finding of a bundle with what becomes of it, and asks
// what is to be done to which. Nothing is chosen from the start: whoever decides
// over many must say so, also that they mean all.
func bulkModal(k lifecycle.Bundle, items []bulkItem, f frame, meta string) slack.ModalViewRequest {
	blocks := []slack.Block{section(bulkHead(k, len(items)))}
	if f.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	if left := len(k.Findings) - len(items); left > 0 {
		blocks = append(blocks, contextLine(fmt.Sprintf("%d more are like these. Slack takes no more than %d at once: review the rest afterwards.", left, len(items))))
	}
	blocks = append(blocks, whatInput(k), scopeInput(len(items)))
	for n := 0; n*10 < len(items); n++ {
		blocks = append(blocks, boxes(items[n*10:min(len(items), n*10+10)], n, len(items)))
	}
	blocks = append(blocks, untilInput(f, true), reasonInput("Why is this right, for each of them?", reasonHint))
	v := slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: ModalBulk, PrivateMetadata: meta + "|" + strconv.Itoa(len(items)),
		Title: plainText("Review", maxTitle), Submit: plainText("Continue", maxTitle), Close: plainText("Cancel", maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
	if raw, err := json.Marshal(v); err == nil && len(raw) <= maxViewSize || len(items) <= 10 {
		return v
	}
	return bulkModal(k, items[:len(items)*3/4], f, meta)
}

func bulkHead(k lifecycle.Bundle, shown int) string {
	return fmt.Sprintf("*%d of the same risk:* each %s, %s severity.\nEach is decided by itself and stands on the record with your name. You see what becomes of each before anything counts.", shown, heldWords(k), k.Severity)
}

func whatInput(k lifecycle.Bundle) slack.Block {
	options := []*slack.OptionBlockObject{option(string(lifecycle.ReviewRevoke), "Revoke", "Take away what is beyond policy, or all that is not used")}
	if k.Reducible {
		options = append(options, option(string(lifecycle.ReviewReduce), "Reduce", "Observer: they can still look on, and not act"))
	}
	options = append(options, option(string(lifecycle.ReviewKeep), "Keep until a day", "Nothing is changed, and it is asked again then"))
	return slack.NewInputBlock(InputWhat, plainText("What is to be done?", maxButton), nil, slack.NewRadioButtonsBlockElement(InputWhat, options...))
}

func scopeInput(n int) slack.Block {
	return slack.NewInputBlock(InputScope, plainText("To whom?", maxButton), nil, slack.NewRadioButtonsBlockElement(InputScope,
		option(scopeThese, "Only those that I tick below", "The others stay as they are"),
		option(scopeAll, fmt.Sprintf("All %d of them", n), "I have looked at each")))
}

// boxes are up to ten findings to tick, each with its own effect.
func boxes(items []bulkItem, n, all int) slack.Block {
	options := make([]*slack.OptionBlockObject, len(items))
	for i, item := range items {
		options[i] = option(string(item.finding.ID), accountLine(item.finding), bulkEffect(item))
	}
	label := fmt.Sprintf("%d to %d of %d", n*10+1, n*10+len(items), all)
	return slack.NewInputBlock(pickedBlock(n), plainText(label, maxButton), nil, slack.NewCheckboxGroupsBlockElement(pickedBlock(n), options...)).WithOptional(true)
}

// accountLine is what tells one finding from the next.
func accountLine(f lifecycle.Finding) string {
	name := short(plain(f.Account.Name), 40)
	if name == "" {
		name = plain(f.Account.Email)
	}
	return short(name+" · "+plain(f.Note), maxOption)
}

func bulkEffect(item bulkItem) string {
	switch {
	case item.revoke.Held != "":
		return short("Not to be revoked: "+plain(item.revoke.Held), maxOption)
	default:
		return short("Revoked: "+unmarked(changesWords(item.revoke.Changes)), maxOption)
	}
}

// confirmModal says how many, what becomes of each, and what is left out. The
// reason can still be changed.
func confirmModal(k bulkChoice, seen []lifecycle.Preview, reason string, f frame) slack.ModalViewRequest {
	var does, not []string
	for _, p := range seen {
		name := accountName(p.Finding.Account, maxName)
		switch {
		case p.Held != "":
			not = append(not, "• "+name+": "+foreign(fullStop(p.Held), maxPhrase))
		case k.what == lifecycle.ReviewKeep:
			does = append(does, "• "+name+": stays as it is")
		default:
			does = append(does, "• "+name+": "+clipMarkup(changesWords(p.Changes), maxPhrase))
		}
	}
	verb := reviewVerb(k.what)
	blocks := []slack.Block{section(fmt.Sprintf("*%s %d?* %s", verb, len(does), confirmWords(k, f)))}
	blocks = append(blocks, paragraphs(does)...)
	if len(not) > 0 {
		blocks = append(blocks, section(fmt.Sprintf("*Left out* (%d)\n%s", len(not), packLines(not, digestFindings, seeMore("they stay as they are")))))
	}
	if f.paused() {
		blocks = append(blocks, contextLine(observing))
	}
	input := slack.NewPlainTextInputBlockElement(nil, InputReason)
	input.Multiline, input.MinLength, input.MaxLength, input.InitialValue = true, 1, maxReason, reason
	blocks = append(blocks, slack.NewInputBlock(InputReason, plainText("Why is this right, for each of them?", maxButton), plainText(reasonHint, maxButton), input))
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: ModalConfirm, PrivateMetadata: k.encode(),
		Title: plainText("Is that meant?", maxTitle), Submit: plainText(fmt.Sprintf("%s %d", verb, len(does)), maxTitle), Close: plainText("Back", maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}

func reviewVerb(what lifecycle.Review) string {
	return map[lifecycle.Review]string{lifecycle.ReviewKeep: "Keep", lifecycle.ReviewReduce: "Reduce", lifecycle.ReviewRevoke: "Revoke"}[what]
}

func confirmWords(k bulkChoice, f frame) string {
	switch {
	case k.what != lifecycle.ReviewKeep:
		return "This is what becomes of each, by what the last roll call saw; each is looked at again before it is changed:"
	case k.until.IsZero():
		return fmt.Sprintf("Nothing is changed in PagerDuty, and each is asked again in %d days:", keepDays)
	default:
		return "Nothing is changed in PagerDuty, and each is asked again after " + day(k.until, f.loc) + ":"
	}
}

// unmarked returns words of ours as they are said where nothing is marked up.
func unmarked(s string) string {
	return strings.NewReplacer("`", "", "*", "", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}
