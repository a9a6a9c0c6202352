package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
)

func undoCommand(t *terminal) *cobra.Command {
	var as, reason string
	cmd := &cobra.Command{
		Use:   "undo ID --as EMAIL --reason TEXT",
		Short: "Undo an approved request: stop it while it holds, or ask for the opposite of what it did",
		Long: "While a request waits out its hold, undoing withdraws it. What is done already is undone by a request of its own,\n" +
			"whose id is printed: it is approved by the reason where giving back is yours to decide, and is asked of others where not.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return acting(cmd.Context(), args[0], as, func(ctx context.Context, h hand) error {
				is, err := h.approvals.Undo(ctx, lifecycle.Press{
					Request: h.request.ID, Seen: h.request.Revision, By: h.by, Verdict: lifecycle.Approve, Reason: reason, Via: lifecycle.ViaCLI,
				})
				if err != nil {
					return err
				}
				if t.json {
					return printJSON(t.out, is)
				}
				printUndo(t, is)
				return nil
			})
		},
	}
	actingFlags(cmd, &as)
	cmd.Flags().StringVar(&reason, "reason", "", "why (needed to undo what is done already)")
	return cmd
}

// printUndo says what is put back, what cannot be, and what is waited for.
func printUndo(t *terminal, is lifecycle.Request) {
	if is.Undoes == "" {
		fmt.Fprintf(t.out, "%s is %s, and nothing was changed.\n", is.ID, is.State)
		return
	}
	fmt.Fprintf(t.out, "%s undoes %s, and is %s.\n", is.ID, is.Undoes, is.State)
	for _, c := range is.Changes {
		fmt.Fprintf(t.out, "  puts back  %s\n", plain(changeInWords(is, c)))
	}
	for _, lost := range is.Effects {
		fmt.Fprintf(t.out, "  cannot     %s\n", plain(lost))
	}
	if is.State == lifecycle.Pending {
		fmt.Fprintf(t.out, "It waits for %s: rolecall request approve %s --as EMAIL --reason TEXT\n", plain(strings.Join(is.Approvers, " or ")), is.ID)
	}
}
