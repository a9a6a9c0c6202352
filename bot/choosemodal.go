package bot

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// Slack's limits of a modal (docs.slack.dev: Block Kit reference, views.open).
const (
	maxOptions  = 100
	maxOption   = 75
	maxLabel    = 150     // ours: what fits on a phone
	maxViewSize = 240_000 // bytes; Slack takes 250 kB
	maxMeta     = 3000
)

const (
	manyInputs = 40 // duties that one modal asks about
	fewOptions = 10 // people that are offered even when there are many duties
)

// replacementBlock names the input of the i-th duty, counted from 0.
func replacementBlock(i int) string {
	if i == 0 {
		return InputReplacement
	}
	return fmt.Sprintf("%s_%d", InputReplacement, i+1)
}

// asked is a change that a modal asks about, and whom it went to then.
type asked struct {
	Change lifecycle.ChangeID
	To     string
}

// encodeChoosing returns the private metadata of a modal that asks about the changes.
func encodeChoosing(value string, at place, about []asked) string {
	pairs := make([]string, len(about))
	for i, a := range about {
		pairs[i] = string(a.Change) + "=" + a.To
	}
	return encodeMeta(value, at) + "|" + strings.Join(pairs, ",")
}

// decodeChoosing returns the changes that encodeChoosing was given, in their order.
func decodeChoosing(meta string) []asked {
	parts := strings.SplitN(meta, "|", 4)
	if len(parts) < 4 || parts[3] == "" {
		return nil
	}
	var about []asked
	for _, pair := range strings.Split(parts[3], ",") {
		id, to, _ := strings.Cut(pair, "=")
		about = append(about, asked{lifecycle.ChangeID(id), to})
	}
	return about
}

// choosing is a modal that asks who takes over.
type choosing struct {
	cardMaker
	value string
	at    place
	names map[lifecycle.AccountID]string
}

// chooseModal asks who takes over each duty. It is drawn from the request
// alone: Slack lets three seconds pass. As many duties, and as many people for
// each, are in it as Slack takes; what is left out is said.
func chooseModal(r lifecycle.Request, f frame, value string, at place) slack.ModalViewRequest {
	c := choosing{cardMaker{frame: f, r: r}, value, at, called(r.Candidates)}
	all := choosable(r)
	page, most := min(len(all), manyInputs), maxOptions
	for {
		v := c.draw(all, page, most)
		raw, err := json.Marshal(v)
		fits := err == nil && len(raw) <= maxViewSize && len(v.PrivateMetadata) <= maxMeta
		switch {
		case fits || page <= 1 && most <= fewOptions:
			return v
		case most > fewOptions:
			most = max(fewOptions, most*3/4)
		default:
			page = max(1, page*3/4)
		}
	}
}

// choosable returns the duties that somebody can be chosen for, those that
// nobody was found for first.
func choosable(r lifecycle.Request) []handed {
	all := slices.DeleteFunc(handovers(r), func(h handed) bool {
		return h.Change.Restores != "" || h.Change.State == lifecycle.ChangeApplied || h.Change.State == lifecycle.ChangeVerified
	})
	slices.SortStableFunc(all, func(a, b handed) int {
		rank := func(h handed) int {
			if h.Change.Unchosen() {
				return 0
			}
			return 1
		}
		return rank(a) - rank(b)
	})
	return all
}

func (c choosing) draw(all []handed, page, most int) slack.ModalViewRequest {
	blocks := []slack.Block{section("*" + c.title() + "*\nChoose who takes over. Nothing is changed in PagerDuty by that: it is the plan, and the plan is approved by itself.")}
	blocks = append(blocks, contextLine("Once approved, it is done one by one: open incidents, then who is called, then who is in line. No place is left empty on the way, and every step is checked in PagerDuty."))
	if words := c.leftOut(all[page:]); words != "" {
		blocks = append(blocks, section(words))
	}
	if banner := c.banner(); banner != "" {
		blocks = append(blocks, contextLine(banner))
	}
	var about []asked
	clipped := false
	for _, h := range all[:page] {
		options, more := c.options(h, most)
		clipped = clipped || more
		if len(options) == 0 {
			blocks = append(blocks, section("*"+capital(dutyName(h.Entitlement()))+"*\nPagerDuty knows nobody who could take this: put somebody who can be on call on its team there. They are offered when this is asked anew."))
			continue
		}
		blocks = append(blocks, c.input(len(about), h, options))
		about = append(about, asked{h.Change.ID, h.Change.To})
	}
	if clipped {
		blocks = append(blocks, contextLine("The nearest are offered. Anybody else: `rolecall request choose "+string(c.r.ID)+"`."))
	}
	v := slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: ModalChoose, PrivateMetadata: encodeChoosing(c.value, c.at, about),
		Title: plainText("Choose replacement", maxTitle), Close: plainText("Cancel", maxTitle), Blocks: slack.Blocks{BlockSet: blocks},
	}
	if len(about) > 0 {
		v.Submit = plainText("Choose", maxTitle)
	}
	return v
}

// leftOut says what becomes of the duties that did not fit.
func (c choosing) leftOut(rest []handed) string {
	left := 0
	for _, h := range rest {
		if h.Change.Unchosen() {
			left++
		}
	}
	switch {
	case len(rest) == 0:
		return ""
	case left > 0:
		return fmt.Sprintf("*%d more do not fit here.* Choose for these, and press again for the rest.", len(rest))
	default:
		return fmt.Sprintf("*%d more do not fit here*, and have somebody already. Change those with `rolecall request choose %s`.", len(rest), c.r.ID)
	}
}

func (c choosing) input(i int, h handed, options []*slack.OptionBlockObject) slack.Block {
	menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plainText("Choose somebody", maxOption), InputReplacement, options...)
	if k := slices.IndexFunc(options, func(o *slack.OptionBlockObject) bool { return o.Value == h.Change.To }); k >= 0 {
		menu.InitialOption = options[k]
	}
	hint := strings.ReplaceAll(c.next(h.Duty, func(t time.Time) string { return moment(t, c.loc) }), "*", "")
	if hint != "" {
		hint = fullStop(hint) + " "
	}
	hint += fullStop(others(c.r, h, func(s string) string { return short(s, maxName) }))
	e := h.Entitlement()
	e.Object.Name = cmp.Or(short(e.Object.Name, maxName), e.Object.ID)
	return slack.NewInputBlock(replacementBlock(i), plainText(capital(e.String()), maxLabel), plainText(hint, maxPhrase), menu)
}

// options returns who can be chosen for the duty, the proposed or chosen one
// first, and whether some did not fit.
func (c choosing) options(h handed, most int) (options []*slack.OptionBlockObject, more bool) {
	people := slices.DeleteFunc(slices.Clone(c.r.Candidates), func(p lifecycle.Candidate) bool { return string(p.ID) == h.Change.From })
	slices.SortStableFunc(people, func(a, b lifecycle.Candidate) int { return far(h, a) - far(h, b) })
	if h.Optional() {
		most--
	}
	if more = len(people) > most; more {
		people = people[:most]
	}
	for _, p := range people {
		options = append(options, option(string(p.ID), c.names[p.ID], c.because(h, p)))
	}
	if h.Optional() {
		options = append(options, option(lifecycle.NoSuccessor, "Nobody: "+c.stays(h), "the others there are enough"))
	}
	return options, more
}

// far orders who is offered for a duty: whom the plan has, the duty's own team,
// and who can be woken.
func far(h handed, p lifecycle.Candidate) int {
	rank := 0
	if string(p.ID) != h.Change.To {
		rank = 4
	}
	if h.Team != "" && !slices.Contains(p.Teams, h.Team) {
		rank += 2
	}
	if !p.Reachable {
		rank++
	}
	return rank
}

func option(value, text, why string) *slack.OptionBlockObject {
	return slack.NewOptionBlockObject(value, plainText(text, maxOption), plainText(why, maxOption))
}

// called names people, by their address too where a name could be another's.
func called(people []lifecycle.Candidate) map[lifecycle.AccountID]string {
	same := map[string]int{}
	for _, p := range people {
		same[short(p.Name, maxOption)]++
	}
	names := make(map[lifecycle.AccountID]string, len(people))
	for _, p := range people {
		name, address := short(p.Name, maxOption), cmp.Or(short(p.Email, maxOption), string(p.ID))
		switch {
		case name == "":
			name = address
		case same[name] > 1:
			name = clip(name, maxOption/2) + " · " + clip(address, maxOption/2)
		}
		names[p.ID] = name
	}
	return names
}

// short returns foreign text for where Slack takes no mark-up, clipped before
// anything is done with it: a name can be of any length.
func short(s string, n int) string { return plain(clip(strings.TrimSpace(s), n)) }

// because says what speaks for somebody and, first of all, what speaks against them.
func (c choosing) because(h handed, p lifecycle.Candidate) string {
	var why []string
	if !p.Reachable {
		why = append(why, "⚠️ no phone: cannot be woken")
	}
	switch {
	case slices.Contains(h.Others, p.ID):
		why = append(why, "there already")
	case slices.Contains(p.Duties, h.Object.ID):
		why = append(why, "knows it already")
	}
	if h.Team != "" && slices.Contains(p.Teams, h.Team) {
		why = append(why, "on "+c.teamCalled(h.Team)+" too")
	}
	if p.Load == 0 {
		why = append(why, "no duties yet")
	} else {
		why = append(why, count(p.Load, "duty", "duties"))
	}
	if p.Reachable {
		why = append(why, "has a phone")
	}
	return strings.Join(why, " · ")
}

// stays names who is left when nobody follows.
func (c choosing) stays(h handed) string {
	names, unknown := knownOthers(c.r, h.Duty)
	switch {
	case len(names) == 1 && unknown == 0:
		return short(names[0], maxOption/2) + " stays"
	case len(names) > 0:
		return short(names[0], maxOption/2) + fmt.Sprintf(" and %d more stay", len(names)+unknown-1)
	default:
		return count(unknown, "other stays", "others stay")
	}
}

// teamCalled returns the name of a team that the policy or the request knows, in plain text.
func (c choosing) teamCalled(id lifecycle.TeamID) string {
	if t, ok := c.p.TeamByID(id); ok {
		return short(t.Name, maxTeam/2)
	}
	for _, g := range c.r.Holds {
		if g.Entitlement.Team.ID == id && g.Entitlement.Team.Name != "" {
			return short(g.Entitlement.Team.Name, maxTeam/2)
		}
	}
	return "its team"
}
