package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func requestCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "request",
		Short: "Ask for access; list, show, decide and undo requests, and choose who takes over: the same rules and record when Slack is down",
	})
	cmd.AddCommand(requestListCommand(t), requestShowCommand(t),
		decideCommand(t, "approve", "Approve a request", lifecycle.Approve),
		decideCommand(t, "deny", "Deny a request; on a finding: keep it as it is", lifecycle.Deny),
		chooseCommand(t), undoCommand(t), wishCommand(t),
		ownCommand(t, "cancel", "Cancel what you have asked for, while nothing of it has been changed", (*lifecycle.Approvals).Cancel),
		ownCommand(t, "nudge", "Remind those who have not decided what you asked for, once in four hours", (*lifecycle.Approvals).Nudge),
		ownCommand(t, "give-back", "Give back now what you were given for a time", (*lifecycle.Approvals).GiveBack))
	return cmd
}

func requestListCommand(t *terminal) *cobra.Command {
	var states []string
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the requests that something may still come of (--all: every one)",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter := lifecycle.RequestFilter{Open: !all && len(states) == 0}
			for _, s := range states {
				state, err := lifecycle.ParseRequestState(s)
				if err != nil {
					return err
				}
				filter.States = append(filter.States, state)
			}
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				requests, err := db.Requests(ctx, filter)
				if err != nil {
					return fmt.Errorf("list requests: %w", err)
				}
				return printRequests(t, requests)
			})
		},
	}
	cmd.Flags().StringSliceVar(&states, "state", nil, "only these states, such as pending or failed")
	cmd.Flags().BoolVar(&all, "all", false, "closed ones too")
	return cmd
}

func printRequests(t *terminal, requests []lifecycle.Request) error {
	if t.json {
		if requests == nil {
			requests = []lifecycle.Request{}
		}
		return printJSON(t.out, requests)
	}
	if len(requests) == 0 {
		fmt.Fprintln(t.out, "No requests.")
		return nil
	}
	rows := make([][]string, len(requests))
	for i, r := range requests {
		rows[i] = []string{string(r.ID), string(r.Kind), string(r.State), r.Subject.Label(), changesInWords(r), at(r.OpenedAt)}
	}
	return printTable(t.out, []string{"ID", "KIND", "STATE", "WHO", "CHANGES", "OPENED"}, rows)
}
