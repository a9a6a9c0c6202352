package bot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

const (
	bundleNames   = 3 // of a bundle, that stand on its row; a press shows them all
	bundleSettled = 5
)

// bundleKey names what the findings of a bundle have in common. It is the same
// tomorrow, and for everybody who has the bundle.
func bundleKey(b lifecycle.Bundle) string {
	base, foreign := lifecycle.BaseRole(""), false
	if len(b.Findings) > 0 {
		base, foreign = b.Findings[0].Account.BaseRole, b.Findings[0].Foreign
	}
	alone := lifecycle.FindingID("")
	if b.Privileged && len(b.Findings) > 0 {
		alone = b.Findings[0].ID
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s\x00%s\x00%t\x00%s\x00%t\x00%s",
		b.Kind, b.Severity, b.Of, b.Role, b.Team.ID, b.Proxy, b.Reducible, base, foreign, alone))
	return "bnd_" + hex.EncodeToString(sum[:10])
}

// settled returns the request that somebody has decided about the finding since
// it was shown.
func (v digestView) settled(f lifecycle.Finding) (lifecycle.Request, bool) {
	r, ok := v.asked[f.Request]
	return r, ok && r.State != lifecycle.Pending
}

// bundle draws one row of the digest: a finding with its own buttons, or many of
// the same risk with the one that reviews them. title stands above it.
func (v digestView) bundle(b lifecycle.Bundle, title string) []slack.Block {
	var open []lifecycle.Finding
	var settled []string
	for _, f := range b.Findings {
		if r, ok := v.settled(f); ok {
			settled = append(settled, v.settledLine(f, r))
		} else {
			open = append(open, f)
		}
	}
	b.Findings = open
	words := title
	switch len(open) {
	case 0:
	case 1:
		words += v.single(b)
	default:
		words += v.many(b)
	}
	if len(settled) > 0 {
		words = strings.TrimSuffix(words, "\n") + "\n" + packLines(settled, bundleSettled, seeMore("`/rolecall status`"))
	}
	s := slack.NewSectionBlock(mrkdwn(strings.TrimSpace(words)), nil, nil)
	switch len(open) {
	case 0:
		return []slack.Block{s}
	case 1:
		return []slack.Block{s, findingButtons(b)}
	default:
		s.Accessory = slack.NewAccessory(button(ActionReview, bundleKey(b), fmt.Sprintf("Review %d…", len(open))))
		return []slack.Block{s}
	}
}

func (v digestView) single(b lifecycle.Bundle) string {
	f := b.Findings[0]
	words := findingWords(f)
	if f.Kind == lifecycle.FoundStale { // what is not used does not say by itself what it is
		words += " They hold " + heldWords(b) + "."
	}
	words += " Since " + day(f.Since, v.loc) + "."
	if b.Privileged {
		words += " *Great power:* decided alone, and with a reason."
	}
	return words
}

// many says what the findings have in common, and whose the first are.
func (v digestView) many(b lifecycle.Bundle) string {
	words := fmt.Sprintf("*%d alike*, each %s, %s severity: %s.", len(b.Findings), heldWords(b), b.Severity, listed(personNames(b.Findings), bundleNames, ", "))
	oldest := slices.MinFunc(b.Findings, func(x, y lifecycle.Finding) int { return x.Since.Compare(y.Since) })
	words += " The oldest since " + day(oldest.Since, v.loc) + "."
	if b.Proxy != "" {
		words += " (" + foreign(b.Proxy, maxPhrase) + ")"
	}
	return words
}

// heldWords says what each in the bundle holds.
func heldWords(b lifecycle.Bundle) string {
	if b.Of == lifecycle.KindTeamRole {
		return foreign(b.Role, maxTeam) + " on " + teamName(b.Team)
	}
	return roleWords(b.Role)
}

func personNames(found []lifecycle.Finding) []string {
	names := make([]string, len(found))
	for i, f := range found {
		names[i] = accountName(f.Account, maxName)
	}
	return names
}

// accountName returns what the owner of an account is called: by their address
// when their name shows nothing.
func accountName(a lifecycle.AccountCard, n int) string {
	if name := strings.TrimSpace(foreign(a.Name, n)); name != "" {
		return name
	}
	return foreign(a.Email, n)
}

// settledLine says who decided what, and what has come of it.
func (v digestView) settledLine(f lifecycle.Finding, r lifecycle.Request) string {
	m := cardMaker{frame: v.frame, r: r}
	line := "• " + accountName(f.Account, maxName) + ": "
	if d, ok := r.DecidedBy(); ok && d.Via != lifecycle.ViaPolicy {
		line += m.decider(d) + " " + m.verdict(d) + ", " + moment(d.At, v.loc) + ". "
	}
	return line + clipMarkup(m.stands(), maxPhrase)
}

// findingButtons decide one finding where it stands. They carry its id, and no authority.
func findingButtons(b lifecycle.Bundle) slack.Block {
	id, more := string(b.Findings[0].ID), ""
	if b.Privileged {
		more = "…"
	}
	elements := []slack.BlockElement{button(ActionKeep, id, "Keep until…")}
	if b.Reducible {
		elements = append(elements, button(ActionReduce, id, "Reduce"+more))
	}
	return slack.NewActionBlock("", append(elements, button(ActionRevoke, id, "Revoke"+more).WithStyle(slack.StyleDanger))...)
}
