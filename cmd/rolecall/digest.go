package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func digestCommand(t *terminal) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "digest",
		Short: "Have the digests that are due sent; --dry-run shows everybody's instead",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(needDatabase, needClock)
			if err != nil {
				return err
			}
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				if dry {
					rules, err := inForce(ctx, db)
					if err != nil {
						return err
					}
					return showDigests(ctx, t, cfg, rules, db)
				}
				if err := db.Enqueue(ctx, lifecycle.Job{Kind: lifecycle.JobDigests}); err != nil {
					return fmt.Errorf("ask for the digests: %w", err)
				}
				return say(t, map[string]bool{"asked": true}, "Asked for. A running serve sends those that are due.")
			})
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "show what each owner would be sent, and send nothing")
	return cmd
}

// shownDigest is one owner's digest, for programs.
type shownDigest struct {
	For      string                `json:"for"`
	Waiting  []lifecycle.Request   `json:"waiting"`
	Findings []lifecycle.Finding   `json:"findings"`
	Ending   []lifecycle.Exception `json:"ending"`
	Done     []lifecycle.Request   `json:"done"`
}

func showDigests(ctx context.Context, t *terminal, cfg config, rules lifecycle.Policy, db *storage.DB) error {
	schedule, err := cfg.schedule(cfg.DigestSchedule)
	if err != nil {
		return err
	}
	source, err := asSeen(ctx, rules, db)
	if err != nil {
		return err
	}
	desk := lifecycle.NewDesk(db, lifecycle.NewApprovals(db, source, time.Now), source, time.Now)
	digests := lifecycle.NewDigests(db, desk, lifecycle.NewDirectory(db, source, time.Now), source, schedule, time.Now)
	shown := []shownDigest{}
	for _, email := range rules.People() {
		d, err := digests.Compose(ctx, email)
		if errors.Is(err, lifecycle.ErrNotFound) {
			continue // not admitted yet: no serve has run with this policy
		}
		if err != nil {
			return fmt.Errorf("compose the digest of %s: %w", email, err)
		}
		if !d.Empty() {
			shown = append(shown, shownDigest{For: email, Waiting: orEmpty(d.Waiting), Findings: orEmpty(d.Findings), Ending: orEmpty(d.Ending), Done: orEmpty(d.Done)})
		}
	}
	if t.json {
		return printJSON(t.out, shown)
	}
	return printDigests(t, shown)
}

func printDigests(t *terminal, shown []shownDigest) error {
	if len(shown) == 0 {
		fmt.Fprintln(t.out, "Nobody has anything to be told.")
		return nil
	}
	for _, d := range shown {
		fmt.Fprintf(t.out, "%s\n", plain(d.For))
		for _, r := range d.Waiting {
			fmt.Fprintf(t.out, "  waits for you   %s: %s (%s)\n", plain(r.Subject.Label()), plain(changesInWords(r)), r.ID)
		}
		for _, f := range d.Findings {
			fmt.Fprintf(t.out, "  finding         %s\n", plain(f.Sentence()))
		}
		for _, x := range d.Ending {
			fmt.Fprintf(t.out, "  exception ends  %s: %s\n", x.Until.UTC().Format(time.DateOnly), plain(x.Reason))
		}
		for _, r := range d.Done {
			fmt.Fprintf(t.out, "  settled         %s: %s, %s\n", plain(r.Subject.Label()), plain(changesInWords(r)), r.State)
		}
	}
	return nil
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
