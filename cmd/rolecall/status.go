package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func statusCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "How rolecall itself stands: brakes, what is held, questions about people, sources, the policy in force",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(needDatabase, needPolicy)
			if err != nil {
				return err
			}
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				rules, err := inForce(ctx, cfg, db)
				if err != nil {
					return err
				}
				source := asWritten{rules}
				h, err := lifecycle.NewDesk(db, lifecycle.NewApprovals(db, source, time.Now), source, time.Now).House(ctx)
				if err != nil {
					return err
				}
				if t.json {
					return printJSON(t.out, h)
				}
				return printHouse(t, h)
			})
		},
	}
}

func printHouse(t *terminal, h lifecycle.House) error {
	rows := [][2]string{
		{"Policy", policyInWords(h)},
		{"Roll call", fmt.Sprintf("%s; %s stand", lastRoll(h.RollCall), count(h.Findings, "finding"))},
		{"People", fmt.Sprintf("%d with an account", h.Population)},
	}
	for _, g := range h.Breaker {
		rows = append(rows, [2]string{"Breaker", gaugeInWords(g)})
	}
	if h.Gathering > 0 {
		rows = append(rows, [2]string{"Gathering", count(h.Gathering, "notice") + " that came many at once are looked at together"})
	}
	for _, s := range h.Holds {
		rows = append(rows, [2]string{"HELD", fmt.Sprintf("%s: %s (rolecall hold show %s)", heldInWords(s), s.Why, s.ID)})
	}
	rows = append(rows, [2]string{"Questions", questionsInWords(h.Cases)})
	if err := printFields(t.out, rows); err != nil || len(h.Sources) == 0 {
		return err
	}
	fmt.Fprintln(t.out)
	return printTable(t.out, []string{"SOURCE", "LAST HEARD", "LAST NEWS", "SINCE", "STATE"}, sourceRows(h.Sources))
}

func policyInWords(h lifecycle.House) string {
	if h.Policy.SHA256 == "" {
		return "the file, as it is: no serve has taken it yet"
	}
	words := fmt.Sprintf("%.12s…, in force since %s", h.Policy.SHA256, at(h.Policy.At))
	if h.Policy.By != "" {
		words += ", released by " + h.Policy.By
	}
	if h.Waits != nil {
		words += fmt.Sprintf("; %.12s… waits for two people", h.Waits.Policy)
	}
	return words
}

func gaugeInWords(g lifecycle.Gauge) string {
	return fmt.Sprintf("%s from %s: %d within %s, and up to %d are ordinary", kindInWords(g.Kind), cmp.Or(g.Source, "all sources"), g.People, g.Window, g.Limit)
}

func kindInWords(k lifecycle.NoticeKind) string {
	if k == lifecycle.Mover {
		return "movers"
	}
	return "leavers"
}

func heldInWords(s lifecycle.Standstill) string {
	switch s.Kind {
	case lifecycle.HoldPolicy:
		return "a policy"
	case lifecycle.HoldSource:
		return "the first sync of " + s.Source
	case lifecycle.HoldLeavers:
		return count(s.Waiting, "leaver")
	case lifecycle.HoldMovers:
		return count(s.Waiting, "mover")
	default:
		return count(s.Waiting, "notice")
	}
}

// questionsInWords says how many questions wait, and for how long.
func questionsInWords(cases []lifecycle.Case) string {
	if len(cases) == 0 {
		return "none"
	}
	oldest := slices.MinFunc(cases, func(a, b lifecycle.Case) int { return a.OpenedAt.Compare(b.OpenedAt) })
	return fmt.Sprintf("%d about people wait, the oldest since %s: rolecall identity list", len(cases), strings.TrimSpace(at(oldest.OpenedAt)))
}
