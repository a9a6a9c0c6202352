package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rolecall/storage"
)

func auditCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "audit",
		Short: "Verify and read the record",
	})
	cmd.AddCommand(auditVerifyCommand(t), auditTailCommand(t))
	return cmd
}

func auditVerifyCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "verify [FILE]",
		Short: "Check that the record is whole; exits 6 and names the row when it is not",
		Args:  usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			where := ""
			if len(args) == 1 {
				where = args[0]
			} else {
				cfg, err := loadConfig(needDatabase)
				if err != nil {
					return err
				}
				where = cfg.Database
			}
			return verify(cmd.Context(), t, where)
		},
	}
}

func verify(ctx context.Context, t *terminal, where string) error {
	bar := progressBar(t, "verifying")
	report, err := storage.Verify(ctx, where, bar.update)
	bar.done()
	if err != nil {
		return fmt.Errorf("verify %s: %w", where, err)
	}
	if t.json {
		if err := printJSON(t.out, report); err != nil {
			return err
		}
	} else {
		printReport(t, report)
	}
	if !report.Whole {
		return coded(exitBroken, fmt.Errorf("the record in %s is not whole", where))
	}
	return nil
}

const followEvery = 500 * time.Millisecond

func auditTailCommand(t *terminal) *cobra.Command {
	var lines int
	var follow bool
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Print the newest lines of the record",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				return tail(ctx, t, db, lines, follow)
			})
		},
	}
	cmd.Flags().IntVarP(&lines, "lines", "n", 20, "how many")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on as lines are written")
	return cmd
}

func printReport(t *terminal, r storage.VerifyReport) {
	if r.Whole {
		fmt.Fprintf(t.out, "Whole: %d lines and %d rows are as they were written.\nHead %s\n", r.Lines, r.Rows, r.Head)
		return
	}
	fmt.Fprintf(t.out, "NOT WHOLE. First bad line: %d. %d lines and %d rows were read.\n", r.FirstBad, r.Lines, r.Rows)
	for _, p := range r.Problems {
		fmt.Fprintf(t.out, "  %s\n", plain(p.String()))
	}
	if r.More > 0 {
		fmt.Fprintf(t.out, "  and %d more\n", r.More)
	}
}
