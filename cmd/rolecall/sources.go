package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func sourceCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "source",
		Short: "The feeds that say who works here: when each was last heard, and which may be acted on",
	})
	cmd.AddCommand(sourceListCommand(t), sourceStartCommand(t))
	return cmd
}

func sourceListCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List every source that was ever heard",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				sources, err := db.Sources(ctx)
				if err != nil {
					return fmt.Errorf("list sources: %w", err)
				}
				if t.json {
					return printJSON(t.out, orEmpty(sources))
				}
				if len(sources) == 0 {
					return say(t, nil, "No source has been heard yet.")
				}
				return printTable(t.out, []string{"SOURCE", "LAST HEARD", "LAST ROSTER", "SINCE", "STATE"}, sourceRows(sources))
			})
		},
	}
}

func sourceRows(sources []lifecycle.Source) [][]string {
	rows := make([][]string, len(sources))
	for i, s := range sources {
		rows[i] = []string{s.Name, at(s.LastHeard), lastRoster(s), at(s.FirstSeen), sourceState(s)}
	}
	return rows
}

func lastRoster(s lifecycle.Source) string {
	if s.Snapshot == nil {
		return "-"
	}
	return fmt.Sprintf("%s, of %s", count(s.Snapshot.Rows, "row"), at(s.Snapshot.At))
}

func sourceState(s lifecycle.Source) string {
	switch {
	case s.Observed:
		return "first sync: observed, not acted on until rolecall source start " + s.Name
	case s.Silent:
		return "SILENT for longer than is ordinary"
	default:
		return "acted on"
	}
}

func sourceStartCommand(t *terminal) *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "start SOURCE --as EMAIL",
		Short: "End the first sync of a source: what it says from now on is acted on",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return asClerk(cmd.Context(), as, func(ctx context.Context, k clerk) error {
				if err := k.sources.Start(ctx, args[0], k.by, lifecycle.ViaCLI); err != nil {
					return err
				}
				return say(t, map[string]string{"source": args[0], "state": "started"}, args[0]+" is acted on from now on. What it has said so far shows in the next roll call.")
			})
		},
	}
	actingFlags(cmd, &as)
	return cmd
}

// withBrakes runs f over the configured database and policy, beside a running serve.
func withBrakes(ctx context.Context, f func(context.Context, *lifecycle.Brakes, *storage.DB) error) error {
	return withDatabase(ctx, func(ctx context.Context, db *storage.DB) error {
		rules, err := inForce(ctx, db)
		if err != nil {
			return err
		}
		return f(ctx, lifecycle.NewBrakes(db, termsOf(db, asWritten{rules}), time.Now), db)
	})
}
