package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

const longestTrend = 3660 // days

func trendCommand(t *terminal) *cobra.Command {
	days := 90
	cmd := &cobra.Command{
		Use:   "trend",
		Short: "How many findings stood on each day: stale access, excess, drift, leavers still present, and what was kept",
		Long:  "Counts come from the last whole roll call of each day, in UTC. A day without one has no line: nothing is known of it.",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if days < 1 || days > longestTrend {
				return coded(exitUsage, lifecycle.Refuse(lifecycle.ErrInvalid, "--days is from 1 to %d, not %d", longestTrend, days))
			}
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				since := lifecycle.Date(time.Now().UTC().AddDate(0, 0, -days).Format(time.DateOnly))
				tallies, err := db.Tallies(ctx, since)
				if err != nil {
					return fmt.Errorf("load the trend: %w", err)
				}
				return printTrend(t, tallies)
			})
		},
	}
	cmd.Flags().IntVar(&days, "days", days, "how many days back")
	return cmd
}

func printTrend(t *terminal, tallies []lifecycle.Tally) error {
	if t.json {
		return printJSON(t.out, orEmpty(tallies))
	}
	if len(tallies) == 0 {
		return say(t, nil, "Nothing was counted in these days: there was no whole roll call. rolecall reconcile calls one.")
	}
	most := 1
	for _, one := range tallies {
		most = max(most, one.Kinds[lifecycle.FoundStale])
	}
	rows := make([][]string, len(tallies))
	for i, one := range tallies {
		stale := one.Kinds[lifecycle.FoundStale]
		rows[i] = []string{
			string(one.Day), strconv.Itoa(stale), strings.Repeat("█", barOf(stale, most)),
			strconv.Itoa(one.Kinds[lifecycle.FoundExcess]), strconv.Itoa(one.Kinds[lifecycle.FoundDrift]),
			strconv.Itoa(one.Kinds[lifecycle.FoundLeaverPresent]), strconv.Itoa(one.Kept), strconv.Itoa(one.Seen),
		}
	}
	return printTable(t.out, []string{"DAY", "STALE", "", "EXCESS", "DRIFT", "LEAVERS", "KEPT", "ACCOUNTS"}, rows)
}

// barOf returns how long the bar of n is, where the longest is twenty; anything at
// all has some.
func barOf(n, most int) int {
	const longest = 20
	return (n*longest + most - 1) / most
}
