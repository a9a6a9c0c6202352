package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
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
			cfg, err := loadConfig(needDatabase)
			if err != nil {
				return err
			}
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				rules, err := inForce(ctx, db)
				if err != nil {
					return err
				}
				source := termsOf(db, asWritten{rules})
				h, err := lifecycle.NewDesk(db, lifecycle.NewApprovals(db, source, time.Now), source, time.Now).House(ctx)
				if err != nil {
					return err
				}
				if t.json {
					h.Holds, h.Cases, h.Sources = orEmpty(h.Holds), orEmpty(h.Cases), orEmpty(h.Sources)
					return printJSON(t.out, h)
				}
				return printHouse(t, h, otherFile(cfg.Policy, h))
			})
		},
	}
}

// otherFile says where the policy file is neither what is in force nor what waits,
// so that nobody believes in a change which serve has refused.
func otherFile(path string, h lifecycle.House) string {
	text, err := os.ReadFile(path)
	if err != nil || h.Policy.SHA256 == "" {
		return "" // there may be none where the command runs
	}
	is := fmt.Sprintf("%x", sha256.Sum256(text))
	if is == h.Policy.SHA256 || h.Waits != nil && is == h.Waits.Policy {
		return ""
	}
	return fmt.Sprintf("%s is not what is in force: rolecall policy check says whether it can be; a running serve has refused it, or looks at it within seconds", path)
}

func printHouse(t *terminal, h lifecycle.House, otherFile string) error {
	rows := [][2]string{{"Policy", policyInWords(h)}}
	if otherFile != "" {
		rows = append(rows, [2]string{"", otherFile})
	}
	rows = append(rows,
		[2]string{"Roll call", rollInWords(h)},
		[2]string{"Record", fmt.Sprintf("%s, the last is %.12s", count(int(h.Record.Seq), "line"), h.Record.Hash)},
		[2]string{"People", fmt.Sprintf("%d with an account", h.Population)},
	)
	for _, g := range h.Breaker {
		rows = append(rows, [2]string{"Breaker", gaugeInWords(g)})
	}
	if h.Gathering > 0 {
		rows = append(rows, [2]string{"Gathering", count(h.Gathering, "notice") + " came at once: nothing is taken from anybody until they are judged together, within minutes"})
	}
	for _, s := range h.Holds {
		rows = append(rows, [2]string{"HELD", fmt.Sprintf("%s: %s (rolecall hold show %s)", heldInWords(s), s.Why, s.ID)})
	}
	if !h.Ghosts.IsZero() {
		rows = append(rows, [2]string{"SLACK", fmt.Sprintf("since %s Slack counts more connections than rolecall has, and hands part of what is pressed to those: whoever presses and sees nothing happen should press again", strings.TrimSpace(at(h.Ghosts)))})
	}
	rows = append(rows, [2]string{"Questions", questionsInWords(h.Cases)})
	if err := printFields(t.out, rows); err != nil || len(h.Sources) == 0 {
		return err
	}
	fmt.Fprintln(t.out)
	return printTable(t.out, []string{"SOURCE", "LAST HEARD", "LAST ROSTER", "SINCE", "STATE"}, sourceRows(h.Sources))
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

func rollInWords(h lifecycle.House) string {
	if h.RollCall.IsZero() {
		return "none yet; rolecall reconcile calls one"
	}
	stand := "findings stand"
	if h.Findings == 1 {
		stand = "finding stands"
	}
	return fmt.Sprintf("the last was at %s; %d %s", at(h.RollCall), h.Findings, stand)
}

func gaugeInWords(g lifecycle.Gauge) string {
	return fmt.Sprintf("%s of %s: %d in %s; more than %d are held", kindInWords(g.Kind), cmp.Or(g.Source, "all sources"), g.People, fmt.Sprintf("%gh", g.Window.Hours()), g.Limit)
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
