package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

func reconcileCommand(t *terminal) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Call the roll now: compare every account in PagerDuty with policy",
		Long: "Reads all of PagerDuty and compares it with policy. With --dry-run nothing is stored and nobody is asked.\n" +
			"Exits 5 when PagerDuty could not be read as a whole: nothing is concluded then.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return reconcile(cmd.Context(), t, dry) },
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "store nothing, ask nobody")
	return cmd
}

func reconcile(ctx context.Context, t *terminal, dry bool) error {
	needs := []part{needDatabase, needPagerDuty}
	if dry {
		needs = append(needs, needPolicy)
	}
	cfg, err := loadConfig(needs...)
	if err != nil {
		return err
	}
	return withDatabase(ctx, func(ctx context.Context, db *storage.DB) error {
		calls := progressBar(t, "reading PagerDuty")
		rules, err := rulesFor(ctx, cfg, db, dry)
		if err != nil {
			return err
		}
		roll, err := rollCallOver(cfg, rules, db, stderrLogger(t), func(done, total int) { calls.update(int64(done), int64(total)) })
		if err != nil {
			return err
		}
		call := roll.Look
		if !dry {
			call = func(ctx context.Context) (lifecycle.RollResult, error) { return roll.Run(ctx, commandLine()) }
		}
		result, err := call(ctx)
		calls.done()
		if err != nil {
			return notWhole(err, dry)
		}
		return printRoll(t, result)
	})
}

// rulesFor returns the policy in force, or to try it out the file as it is.
func rulesFor(ctx context.Context, cfg config, db *storage.DB, dry bool) (lifecycle.Policy, error) {
	if !dry {
		return inForce(ctx, db)
	}
	rules, err := policy.Load(cfg.Policy)
	return rules, coded(exitUsage, err)
}

// notWhole is the exit of a roll call that could not see everything. What is
// wrong with the policy itself is a mistake to mend, and exits as one; that
// nothing could be kept is no fault of PagerDuty's.
func notWhole(err error, dry bool) error {
	if _, recorded := errors.AsType[*lifecycle.JobError](err); !recorded && !dry {
		return fmt.Errorf("call the roll: %w", err)
	}
	reason := lifecycle.ReasonOf(err)
	if reason == "" {
		reason = err.Error()
	} else if errors.Is(err, lifecycle.ErrInvalid) {
		return err
	}
	return coded(exitPartial, errors.New("PagerDuty could not be read as a whole, so nothing was concluded: "+reason))
}

func commandLine() lifecycle.Actor {
	return lifecycle.Actor("command line:" + os.Getenv("USER"))
}

// printRoll writes the findings, and what could not be seen: beside a JSON
// array that goes to where errors do, so that nobody takes it for all there is.
func printRoll(t *terminal, r lifecycle.RollResult) error {
	if t.json {
		printBlind(t.err, r.Blind)
		return printJSON(t.out, orEmpty(r.Open))
	}
	if len(r.Open) == 0 {
		fmt.Fprintln(t.out, "No findings: PagerDuty is as policy wants it.")
	} else if err := printFindings(t.out, r.Open); err != nil {
		return err
	}
	printBlind(t.out, r.Blind)
	return nil
}

func printFindings(w io.Writer, findings []lifecycle.Finding) error {
	rows := make([][]string, len(findings))
	for i, f := range findings {
		rows[i] = []string{string(f.Severity), string(f.Kind), dash(f.Account.Email), sentenceOf(f), dash(f.MadeBy), dash(f.Proxy), f.Since.UTC().Format(time.DateOnly)}
	}
	if err := printTable(w, []string{"SEVERITY", "KIND", "ACCOUNT", "FINDING", "MADE BY", "RESTS ON", "SINCE"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s.\n", count(len(findings), "finding"))
	return nil
}

// sentenceOf is the finding with what is noted beside it.
func sentenceOf(f lifecycle.Finding) string {
	words := f.Sentence()
	if f.Note != "" && !strings.Contains(words, f.Note) {
		words += " " + f.Note
	}
	return words
}

// findingInWords is all that is known of a finding.
func findingInWords(f lifecycle.Finding) string {
	words := sentenceOf(f)
	if f.MadeBy != "" {
		words += " Made so by " + f.MadeBy + "."
	}
	if f.Proxy != "" {
		words += " (" + f.Proxy + ")"
	}
	return words
}

func printBlind(w io.Writer, blind []string) {
	for _, b := range blind {
		fmt.Fprintf(w, "Not seen: %s\n", plain(b))
	}
}

func isNotFound(err error) bool { return errors.Is(err, lifecycle.ErrNotFound) }
