package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
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
	cfg, err := loadConfig(needDatabase, needPolicy, needPagerDuty)
	if err != nil {
		return err
	}
	return withDatabase(ctx, func(ctx context.Context, db *storage.DB) error {
		roll, err := rollCallOver(cfg, db, stderrLogger(t))
		if err != nil {
			return err
		}
		call := roll.Look
		if !dry {
			call = func(ctx context.Context) (lifecycle.RollResult, error) { return roll.Run(ctx, commandLine()) }
		}
		result, err := call(ctx)
		if err != nil {
			return notWhole(err, dry)
		}
		return printFindings(t, result.Open)
	})
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

func printFindings(t *terminal, findings []lifecycle.Finding) error {
	if t.json {
		if findings == nil {
			findings = []lifecycle.Finding{}
		}
		return printJSON(t.out, findings)
	}
	if len(findings) == 0 {
		fmt.Fprintln(t.out, "No findings: PagerDuty is as policy wants it.")
		return nil
	}
	rows := make([][]string, len(findings))
	for i, f := range findings {
		rows[i] = []string{string(f.Severity), string(f.Kind), f.Account.Email, f.Sentence(), f.Since.UTC().Format(time.DateOnly)}
	}
	if err := printTable(t.out, []string{"SEVERITY", "KIND", "ACCOUNT", "FINDING", "SINCE"}, rows); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "\n%s.\n", count(len(findings), "finding"))
	return nil
}

func isNotFound(err error) bool { return errors.Is(err, lifecycle.ErrNotFound) }
