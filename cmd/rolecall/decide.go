package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func decideCommand(t *terminal, use, short string, verdict lifecycle.Verdict) *cobra.Command {
	var as, reason, until string
	cmd := &cobra.Command{
		Use:   use + " ID --as EMAIL --reason TEXT",
		Short: short,
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := lifecycle.Press{Verdict: verdict, Reason: reason, Via: lifecycle.ViaCLI}
			if until != "" {
				day, err := lifecycle.ParseDate(until)
				if err != nil {
					return err
				}
				p.Until = day.End(time.UTC)
			}
			return acting(cmd.Context(), args[0], as, func(ctx context.Context, h hand) error {
				p.Request, p.By, p.Seen = h.request.ID, h.by, h.request.Revision
				is, err := h.approvals.Decide(ctx, p)
				if err != nil {
					return err
				}
				return say(t, is, fmt.Sprintf("%s is %s.", is.ID, is.State))
			})
		},
	}
	actingFlags(cmd, &as)
	cmd.Flags().StringVar(&reason, "reason", "", "why (needed to deny, and for privileged or destructive changes)")
	cmd.Flags().StringVar(&until, "until", "", "last day on which a finding is kept, such as 2026-12-31")
	return cmd
}

func actingFlags(cmd *cobra.Command, as *string) {
	cmd.Flags().StringVar(as, "as", "", "address of the person who decides (needed)")
}

// A hand is somebody who acts on a request as it is now, by the rules that hold in Slack.
type hand struct {
	by        lifecycle.Identity
	request   lifecycle.Request
	approvals *lifecycle.Approvals
}

// acting takes the same road as a press in Slack, as somebody who is known. The
// policy is not resolved against PagerDuty for it: requests carry the teams' names.
func acting(ctx context.Context, id, as string, f func(context.Context, hand) error) error {
	return asKnown(ctx, as, func(ctx context.Context, db *storage.DB, source lifecycle.PolicySource, by lifecycle.Identity) error {
		r, err := findRequest(ctx, db, id)
		if err != nil {
			return err
		}
		return f(ctx, hand{by, r, lifecycle.NewApprovals(db, source, time.Now)})
	})
}

// asKnown runs f as somebody who is known, by the policy in force.
func asKnown(ctx context.Context, as string, f func(context.Context, *storage.DB, lifecycle.PolicySource, lifecycle.Identity) error) error {
	if as == "" {
		return coded(exitUsage, lifecycle.Refuse(lifecycle.ErrInvalid, "say who decides: --as EMAIL"))
	}
	return withDatabase(ctx, func(ctx context.Context, db *storage.DB) error {
		rules, err := inForce(ctx, db)
		if err != nil {
			return err
		}
		source := termsOf(db, asWritten{rules})
		by, err := lifecycle.NewDirectory(db, source, time.Now).Find(ctx, as)
		if isNotFound(err) {
			return coded(exitRefused, err)
		}
		if err != nil {
			return err
		}
		return f(ctx, db, source, by)
	})
}

// termsOf returns the policy with what was granted for a time and who is in its groups.
func termsOf(db *storage.DB, rules asWritten) lifecycle.PolicySource {
	return lifecycle.NewTerms(rules, db, time.Now)
}

// asWritten is a policy whose teams are known by the names in the file.
type asWritten struct{ rules lifecycle.Policy }

// Current returns the policy; it never fails.
func (a asWritten) Current(context.Context) (lifecycle.Policy, error) { return a.rules, nil }
