package bot

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// findings lists where PagerDuty and the policy disagree, for the teams that
// whoever asks owns; everywhere, for Security.
func (b *Bot) findings(ctx context.Context, who lifecycle.Identity, _ string) (message, error) {
	policy, err := b.cfg.Policies.Current(ctx)
	if err != nil {
		return message{}, fmt.Errorf("read the policy in force: %w", err)
	}
	if !ownsAny(policy, who) && !isSecurity(policy, who) {
		return message{}, lifecycle.Refuse(lifecycle.ErrForbidden, "Only owners of teams and Security have findings. Your own access: `%s status`.", Command)
	}
	found, err := b.cfg.Desk.FindingsFor(ctx, who)
	if err != nil {
		return message{}, err
	}
	if len(found) == 0 {
		return message{Text: "No findings: PagerDuty is as the policy wants it, as far as you answer for it."}, nil
	}
	kept, err := b.cfg.Desk.Kept(ctx)
	if err != nil {
		return message{}, err
	}
	all := tally(found)
	for _, f := range found {
		all = append(all, b.findingLine(f, kept[f.Exception]))
	}
	return lines("*"+count(len(found), "finding", "findings")+"*, the gravest first", all, "Those an owner must decide have cards; your Home tab shows more."), nil
}

// tally is a bar for each kind of finding, the most frequent first.
func tally(found []lifecycle.Finding) []string {
	counts := map[string]int{}
	for _, f := range found {
		counts[tallied(f)]++
	}
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	})
	all := make([]string, len(kinds))
	for i, k := range kinds {
		all[i] = fmt.Sprintf("`%-14s %-10s %4d`", k, bar(counts[k], counts[kinds[0]]), counts[k])
	}
	return all
}

// tallied is what a finding is counted as.
func tallied(f lifecycle.Finding) string {
	if unanswered(f) {
		return "nobody answers"
	}
	return strings.ReplaceAll(string(f.Kind), "_", " ")
}

// findingLine says the finding, and the exception by which it is kept, if it is.
func (b *Bot) findingLine(f lifecycle.Finding, x lifecycle.Exception) string {
	line := "• " + findingWords(f) + " Since " + day(f.Since, b.cfg.Location) + "."
	switch {
	case x.ID != "":
		line += fmt.Sprintf(" Kept until %s by %s: %s It comes up again then.", day(x.Until, b.cfg.Location), foreign(x.By, maxName), foreign(fullStop(x.Reason), maxPhrase))
	case f.Exception != "":
		line += " Was kept by an exception that has ended."
	case f.Request != "":
		line += " Being asked about."
	}
	return line
}
