package bot

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const (
	scopeAll   = "all"
	scopeThese = "these"
)

// releaseModal asks what to release, and why. As many people as Slack takes are
// offered by name, those of a department together with all of it; what is left
// out is said.
func (m holdMaker) releaseModal(meta string) slack.ModalViewRequest {
	meta += "|" + strconv.Itoa(len(m.waiting))
	groups := grouped(m.waiting)
	for most := maxOptions; ; most = most * 3 / 4 {
		v := m.drawRelease(meta, groups, most)
		raw, err := json.Marshal(v)
		if most <= 1 || err == nil && len(raw) <= maxViewSize {
			return v
		}
	}
}

func (m holdMaker) drawRelease(meta string, groups []group, most int) slack.ModalViewRequest {
	blocks := append(m.head(), section(factLines([]fact{{"If released", m.follows()}, {"How", "Nothing happens yet: a second person of Security confirms what you propose, or proposes otherwise."}})))
	if len(m.waiting) > 0 {
		offered, left := m.offers(groups, most)
		all := option(scopeAll, fmt.Sprintf("All of them (%d)", len(m.waiting)), "Everybody whom this card is about")
		these := option(scopeThese, "Only those whom I name below", "The others stay stopped")
		blocks = append(blocks,
			slack.NewInputBlock(InputScope, plainText("Release", maxButton), nil, slack.NewRadioButtonsBlockElement(InputScope, all, these)),
			slack.NewInputBlock(InputPeople, plainText("These people", maxButton), plainText("Whole departments come first under their name.", maxButton),
				slack.NewOptionsGroupMultiSelectBlockElement(slack.MultiOptTypeStatic, plainText("Pick people or departments", maxOption), InputPeople, offered...)).WithOptional(true))
		if left > 0 {
			blocks = append(blocks, contextLine(fmt.Sprintf("%s not offered by name here: Slack takes no more. Anybody: `rolecall hold release %s`.", count(left, "person is", "people are"), m.h.ID)))
		}
	}
	blocks = append(blocks, reasonInput("Why is this right?", reasonHint))
	v := m.modal(ModalRelease, "Release", meta, blocks)
	v.Submit = plainText("Propose", maxTitle)
	return v
}

// offers returns the groups as a menu has them, with as many people of each as
// most, and how many people are not in it by name.
func (m holdMaker) offers(groups []group, most int) (offered []*slack.OptionGroupBlockObject, left int) {
	same := map[string]int{}
	for i := range m.waiting {
		same[personName(&m.waiting[i], maxOption)]++
	}
	for i, g := range groups {
		if i >= maxOptions {
			left += len(g.People)
			continue
		}
		var options []*slack.OptionBlockObject
		if len(g.People) > 1 {
			options = append(options, slack.NewOptionBlockObject(g.value(), plainText(fmt.Sprintf("Everybody: %s (%d)", g.name(maxOption-25), len(g.People)), maxOption), nil))
		}
		named := min(len(g.People), max(most-len(options), 0))
		for _, r := range g.People[:named] {
			options = append(options, personOption(r, same))
		}
		left += len(g.People) - named
		offered = append(offered, slack.NewOptionGroupBlockElement(plainText(g.name(maxOption), maxOption), options...))
	}
	return offered, left
}

// personOption tells people apart where two have the same name.
func personOption(r *lifecycle.Removal, same map[string]int) *slack.OptionBlockObject {
	name := personName(r, maxOption)
	o := slack.NewOptionBlockObject(string(r.Notice), plainText(name, maxOption), nil)
	if same[name] > 1 {
		o.Description = plainText(string(r.Identity), maxOption)
	}
	return o
}

// refuseModal says what a refusal means, and asks why.
func (m holdMaker) refuseModal(meta string) slack.ModalViewRequest {
	blocks := append(m.head(), section(factLines([]fact{{"If refused", m.ifRefused()}, {"How", "You alone can refuse it, and it cannot be taken back."}})), reasonInput("Why not?", reasonHint))
	return m.modal(ModalRefuse, "Refuse", meta, blocks)
}

func (m holdMaker) modal(callback, title, meta string, blocks []slack.Block) slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: callback, PrivateMetadata: meta,
		Title: plainText(title, maxTitle), Submit: plainText(title, maxTitle), Close: plainText("Cancel", maxTitle),
		Blocks: slack.Blocks{BlockSet: blocks},
	}
}

// picking is what was chosen in a release modal.
type picking struct {
	all    bool
	values []string // notices, and groups
	seen   int      // how many waited when the modal was opened
}

// pickedIn returns what was chosen, or a Refusal that names the field.
func pickedIn(v view) (picking, error) {
	parts := strings.SplitN(v.Metadata, "|", 4)
	seen, err := strconv.Atoi(parts[len(parts)-1])
	if err != nil {
		return picking{}, fmt.Errorf("read what the modal was opened with: %w", err)
	}
	p := picking{values: v.all(InputPeople), seen: seen}
	switch scope := v.entered(InputScope); {
	case scope == "" && seen == 0: // a policy is let in force whole
		p.all = true
	case scope == scopeAll && len(p.values) > 0:
		return p, wrongInput(InputPeople, "You chose all of them, and named people too. Choose one of the two.")
	case scope == scopeThese && len(p.values) == 0:
		return p, wrongInput(InputPeople, "Name at least one person or department, or choose all of them.")
	default:
		p.all = scope == scopeAll
	}
	return p, nil
}

func wrongInput(block, words string) error {
	return &lifecycle.Refusal{Kind: lifecycle.ErrInvalid, Reason: words, Fields: []lifecycle.FieldError{{Path: block, Message: words}}}
}

// whole reports whether more is meant than those who are named.
func (p picking) whole() bool {
	return p.all || slices.ContainsFunc(p.values, func(v string) bool { return strings.HasPrefix(v, wholeGroup) })
}

// notices returns the notices that are meant, sorted; none when all are. What is
// not there any more, or was not when the modal was opened, is a Refusal.
func (p picking) notices(waiting []lifecycle.Removal) ([]lifecycle.NoticeID, error) {
	if p.whole() && len(waiting) != p.seen {
		return nil, lifecycle.Refuse(lifecycle.ErrConflict, "When you opened this, %d waited; now it is %d. Nothing was proposed: press *Release…* again to see them.", p.seen, len(waiting))
	}
	if p.all {
		return nil, nil
	}
	meant := map[string][]lifecycle.NoticeID{}
	for _, g := range grouped(waiting) {
		for _, r := range g.People {
			meant[g.value()] = append(meant[g.value()], r.Notice)
			meant[string(r.Notice)] = []lifecycle.NoticeID{r.Notice}
		}
	}
	var only []lifecycle.NoticeID
	for _, v := range p.values {
		if len(meant[v]) == 0 {
			return nil, lifecycle.Refuse(lifecycle.ErrConflict, "Somebody whom you named does not wait any more. Nothing was proposed: press *Release…* again.")
		}
		only = append(only, meant[v]...)
	}
	slices.Sort(only)
	return slices.Compact(only), nil
}
