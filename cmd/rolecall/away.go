package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func awayCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "away",
		Short: "Who is away and who decides instead: list, say so, or come back; the same rules and record as in Slack",
	})
	cmd.AddCommand(awayListCommand(t), awaySetCommand(t), awayBackCommand(t))
	return cmd
}

func awayListCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List who is away now",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				all, err := db.Absences(ctx, time.Now())
				if err != nil {
					return fmt.Errorf("list who is away: %w", err)
				}
				if t.json {
					return printJSON(t.out, orEmpty(all))
				}
				if len(all) == 0 {
					return say(t, nil, "Nobody is away.")
				}
				rows := make([][]string, len(all))
				for i, a := range all {
					rows[i] = []string{a.Email, at(a.From), at(a.Until), dash(a.Delegate), dash(a.Reason), string(a.ID)}
				}
				return printTable(t.out, []string{"WHO", "FROM", "UNTIL", "WHO DECIDES INSTEAD", "WHY", "ABSENCE"}, rows)
			})
		},
	}
}

func awaySetCommand(t *terminal) *cobra.Command {
	var as, who, to, from, until, reason string
	cmd := &cobra.Command{
		Use:   "set --as EMAIL --until DATE",
		Short: "Say that you are away, and who decides what is yours; Security may say it of anybody (--who)",
		Long: "What would be asked of somebody who is away is asked of whoever stands in for them, also what is open already.\n" +
			"Days begin and end in UTC here. It takes the place of what was said of the same time before.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			first, err := lifecycle.ParseDate(from)
			if err != nil {
				return err
			}
			last, err := lifecycle.ParseDate(until)
			if err != nil {
				return err
			}
			l := lifecycle.Leave{Delegate: to, From: first.Start(time.UTC), Until: last.End(time.UTC), Reason: reason, Via: lifecycle.ViaCLI}
			return asKnown(cmd.Context(), as, func(ctx context.Context, db *storage.DB, source lifecycle.PolicySource, by lifecycle.Identity) error {
				if l.By = by; who != "" {
					if l.Who, err = lifecycle.NewDirectory(db, source, time.Now).Find(ctx, who); err != nil {
						return err
					}
				}
				is, err := lifecycle.NewAbsences(db, source, time.Now).Away(ctx, l)
				if err != nil {
					return err
				}
				return say(t, is, fmt.Sprintf("%s is away from %s until %s. %s", is.Email, at(is.From), at(is.Until), decidesInstead(is)))
			})
		},
	}
	actingFlags(cmd, &as)
	cmd.Flags().StringVar(&who, "who", "", "address of who is away, where that is somebody else (only Security)")
	cmd.Flags().StringVar(&to, "to", "", "address of who decides instead; without it whoever else may")
	cmd.Flags().StringVar(&from, "from", "", "first day, such as 2026-12-21; without it now")
	cmd.Flags().StringVar(&until, "until", "", "last day (needed)")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}

func decidesInstead(a lifecycle.Absence) string {
	if a.Delegate == "" {
		return "Nobody stands in for them."
	}
	return a.Delegate + " decides what is theirs."
}

func awayBackCommand(t *terminal) *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   "back [ABSENCE] --as EMAIL",
		Short: "Come back: end what stands of you, or the absence with that id",
		Args:  usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return asKnown(cmd.Context(), as, func(ctx context.Context, db *storage.DB, source lifecycle.PolicySource, by lifecycle.Identity) error {
				id := lifecycle.AbsenceID("")
				if len(args) == 1 {
					id = lifecycle.AbsenceID(args[0])
				}
				ended, err := lifecycle.NewAbsences(db, source, time.Now).Back(ctx, by, id, lifecycle.ViaCLI)
				if err != nil {
					return err
				}
				return say(t, ended, fmt.Sprintf("%s is back.", ended[0].Email))
			})
		},
	}
	actingFlags(cmd, &as)
	return cmd
}
