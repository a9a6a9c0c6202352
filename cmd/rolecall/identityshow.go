package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func identityShowCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "show WHO|CASE",
		Short: "Show who said what of somebody, and when; or a question about somebody, and what may be answered",
		Long: "WHO is an address, an id, or what a source knows somebody by. Of each attribute it says whose word counts and what the others say.\n" +
			"CASE is the id of a question that rolecall identity list shows.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				if strings.HasPrefix(args[0], "cas_") {
					return showCase(ctx, t, db, args[0])
				}
				i, err := identified(ctx, db, nil, args[0])
				if err != nil {
					return err
				}
				return showIdentity(ctx, t, db, i)
			})
		},
	}
}

func noCase(id string) error {
	return lifecycle.Refuse(lifecycle.ErrNotFound, "there is no case %s; `rolecall identity list` shows those that wait", id)
}

func showCase(ctx context.Context, t *terminal, db *storage.DB, id string) error {
	c, err := db.Case(ctx, lifecycle.CaseID(id))
	if isNotFound(err) {
		return noCase(id)
	}
	if err != nil {
		return fmt.Errorf("load case %s: %w", id, err)
	}
	if t.json {
		return printJSON(t.out, c)
	}
	rows := [][2]string{{"Case", fmt.Sprintf("%s, %s", c.ID, c.Kind)}, {"About", c.Label}, {"Why", c.Why}, {"Since", at(c.OpenedAt)}}
	if !c.Open() {
		rows = append(rows, [2]string{"Answer", fmt.Sprintf("%s by %s, %s: %s", answered(c), cmp.Or(c.By, "nobody"), at(c.AnsweredAt), dash(c.Reason))})
		return printFields(t.out, rows)
	}
	if err := printFields(t.out, rows); err != nil {
		return err
	}
	fmt.Fprintln(t.out)
	options := make([][]string, len(c.Options))
	for i, o := range c.Options {
		options[i] = []string{o.Answer, o.Label, o.Effect}
	}
	if err := printTable(t.out, []string{"ANSWER", "MEANS", "WHAT FOLLOWS"}, options); err != nil {
		return err
	}
	return say(t, nil, fmt.Sprintf("\nrolecall identity answer %s --answer ANSWER --as EMAIL --reason TEXT", c.ID))
}

// identityAnswer is what is known of an identity, for programs.
type identityAnswer struct {
	lifecycle.Identity
	Sayings []lifecycle.Saying `json:"sayings"`
	Cases   []lifecycle.Case   `json:"cases"`
}

func showIdentity(ctx context.Context, t *terminal, db *storage.DB, i lifecycle.Identity) error {
	cases, err := db.CasesAbout(ctx, i.ID, "", "")
	if err != nil {
		return fmt.Errorf("list cases about identity %s: %w", i.ID, err)
	}
	a := identityAnswer{i, orEmpty(i.Sayings()), orEmpty(cases)}
	if t.json {
		return printJSON(t.out, a)
	}
	if err := printFields(t.out, identityRows(a)); err != nil {
		return err
	}
	if len(a.Sayings) == 0 {
		return say(t, nil, "\nNo source has said anything: they are known because the policy names them.")
	}
	fmt.Fprintln(t.out)
	rows := make([][]string, len(a.Sayings))
	for k, s := range a.Sayings {
		rows[k] = []string{string(s.Attribute), dash(s.Value), dash(s.Source), at(s.At), othersSay(s)}
	}
	return printTable(t.out, []string{"ATTRIBUTE", "IS", "SAID BY", "AT", "OTHERS SAY"}, rows)
}

func identityRows(a identityAnswer) [][2]string {
	i := a.Identity
	rows := [][2]string{
		{"Who", identityInWords(&i, i.Person.Email())}, {"Identity", string(i.ID)}, {"Account", dash(string(i.Account))}, {"Slack", dash(string(i.Slack))},
	}
	for _, source := range slices.Sorted(maps.Keys(i.Keys)) {
		rows = append(rows, [2]string{"Known by", source + " as " + i.Keys[source]})
	}
	for _, s := range i.Spells {
		rows = append(rows, [2]string{"Was here", fmt.Sprintf("from %s until %s", cmp.Or(string(s.Start), "a day that was not said"), at(s.Ended))})
	}
	for _, f := range i.Former {
		rows = append(rows, [2]string{"Had", f.Email + ", which is nobody else's until " + at(f.Until)})
	}
	if i.Moving != nil && i.Moving.Settled.After(time.Now()) {
		rows = append(rows, [2]string{"Moving", "since " + at(i.Moving.Since) + "; what it means is told when it has settled, at " + at(i.Moving.Settled)})
	}
	if i.Merged != "" {
		rows = append(rows, [2]string{"Merged", "is the same person as " + string(i.Merged)})
	}
	for _, c := range a.Cases {
		rows = append(rows, [2]string{"Question", string(c.ID) + ": " + c.Why})
	}
	return rows
}

// othersSay lists what the sources say whose word does not count.
func othersSay(s lifecycle.Saying) string {
	words := make([]string, len(s.Others))
	for i, o := range s.Others {
		words[i] = fmt.Sprintf("%s: %s (%s)", o.Source, o.Value, at(o.At))
	}
	return dash(strings.Join(words, "; "))
}
