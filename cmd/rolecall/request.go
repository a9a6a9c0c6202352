package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

func requestCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "request",
		Short: "List, show and decide requests: the same rules and record when Slack is down",
	})
	cmd.AddCommand(requestListCommand(t), requestShowCommand(t),
		decideCommand(t, "approve", "Approve a request", lifecycle.Approve),
		decideCommand(t, "deny", "Deny a request; on a finding: keep it as it is", lifecycle.Deny))
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

func changesInWords(r lifecycle.Request) string {
	words := make([]string, len(r.Changes))
	for i, c := range r.Changes {
		words[i] = changeInWords(c)
	}
	return strings.Join(words, "; ")
}

// changeInWords says a change with both of PagerDuty's names for a base role.
func changeInWords(c lifecycle.Change) string {
	switch c.Entitlement.Kind {
	case lifecycle.KindTeamRole:
		return fmt.Sprintf("%s: %s → %s", c.Entitlement.Team.Name, orNone(c.From), orNone(c.To))
	case lifecycle.KindAccount:
		return fmt.Sprintf("account: %s → %s", baseRole(c.From), baseRole(c.To))
	default: // a base role, and what later capabilities add
		return fmt.Sprintf("base role: %s → %s", baseRole(c.From), baseRole(c.To))
	}
}

func baseRole(role string) string {
	if role == "" {
		return "none"
	}
	return lifecycle.BaseRole(role).String()
}

func orNone(role string) string {
	if role == "" {
		return "none"
	}
	return role
}

func requestShowCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show one request with its whole story",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				r, err := findRequest(ctx, db, args[0])
				if err != nil {
					return err
				}
				if t.json {
					return printJSON(t.out, r)
				}
				return printRequest(t.out, r)
			})
		},
	}
}

func findRequest(ctx context.Context, db *storage.DB, id string) (lifecycle.Request, error) {
	r, err := db.Request(ctx, lifecycle.RequestID(id))
	if isNotFound(err) {
		return r, lifecycle.Refuse(lifecycle.ErrNotFound, "there is no request %s; `rolecall request list --all` shows every one", id)
	}
	if err != nil {
		return r, fmt.Errorf("load request %s: %w", id, err)
	}
	return r, nil
}

func printRequest(w io.Writer, r lifecycle.Request) error {
	rows := [][2]string{
		{"Request", fmt.Sprintf("%s, %s, %s", r.ID, r.Kind, r.State)},
		{"Who", r.Subject.Label() + " <" + r.Subject.Email + ">"},
		{"Account", dash(string(r.Account.ID))},
		{"Why", r.Why.Event},
		{"Rule", dash(r.Why.Rule)},
		{"Policy", r.Why.Policy},
		{"Opened", at(r.OpenedAt)},
	}
	for _, c := range r.Changes {
		rows = append(rows, [2]string{"Change", fmt.Sprintf("%s (%s)", changeInWords(c), strings.TrimSpace(string(c.State)+" "+c.Error))})
	}
	for _, e := range r.Effects {
		rows = append(rows, [2]string{"Effect", e})
	}
	for _, d := range r.Decisions {
		rows = append(rows, [2]string{"Decision", fmt.Sprintf("%s by %s via %s, %s: %s", verdictOn(r, d), d.By, d.Via, at(d.At), dash(d.Reason))})
	}
	if r.State == lifecycle.Pending {
		rows = append(rows, [2]string{"Asks", fmt.Sprintf("%s (%d of %d have approved)", strings.Join(r.Approvers, ", "), r.Approvals(), r.Needed)},
			[2]string{"Decide by", fmt.Sprintf("%s; if nobody does: %s", at(r.DecideBy), r.Silence)})
	}
	if r.Note != "" {
		rows = append(rows, [2]string{"Note", r.Note})
	}
	return printFields(w, rows)
}

// verdictOn names a verdict as the card's button does: on a finding, to approve is to revoke what was found.
func verdictOn(r lifecycle.Request, d lifecycle.Decision) string {
	switch {
	case r.IsFinding() && d.Verdict == lifecycle.Deny:
		return "deny (keep)"
	case r.IsFinding() && r.Removes():
		return "approve (revoke)"
	default:
		return string(d.Verdict)
	}
}

func decideCommand(t *terminal, use, short string, verdict lifecycle.Verdict) *cobra.Command {
	var as, reason, until string
	cmd := &cobra.Command{
		Use:   use + " ID --as EMAIL --reason TEXT",
		Short: short,
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := lifecycle.Press{Request: lifecycle.RequestID(args[0]), Verdict: verdict, Reason: reason, Via: lifecycle.ViaCLI}
			if until != "" {
				day, err := lifecycle.ParseDate(until)
				if err != nil {
					return err
				}
				p.Until = day.End()
			}
			return decide(cmd.Context(), t, p, as)
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "address of the person who decides (needed)")
	cmd.Flags().StringVar(&reason, "reason", "", "why (needed to deny, and for privileged or destructive changes)")
	cmd.Flags().StringVar(&until, "until", "", "last day on which a finding is kept, such as 2026-12-31")
	return cmd
}

// decide takes the same road as a press in Slack. The policy is not resolved
// against PagerDuty for it: requests carry the teams' names.
func decide(ctx context.Context, t *terminal, p lifecycle.Press, as string) error {
	if as == "" {
		return coded(exitUsage, lifecycle.Refuse(lifecycle.ErrInvalid, "say who decides: --as EMAIL"))
	}
	cfg, err := loadConfig(needDatabase, needPolicy)
	if err != nil {
		return err
	}
	rules, err := policy.Load(cfg.Policy)
	if err != nil {
		return coded(exitUsage, err)
	}
	return withDatabase(ctx, func(ctx context.Context, db *storage.DB) error {
		source := asWritten{rules}
		by, err := lifecycle.NewDirectory(db, source, time.Now).Find(ctx, as)
		if isNotFound(err) {
			return coded(exitRefused, err)
		}
		if err != nil {
			return err
		}
		was, err := findRequest(ctx, db, string(p.Request))
		if err != nil {
			return err
		}
		p.By, p.Seen = by, was.Revision
		is, err := lifecycle.NewApprovals(db, source, time.Now).Decide(ctx, p)
		if err != nil {
			return err
		}
		if t.json {
			return printJSON(t.out, is)
		}
		fmt.Fprintf(t.out, "%s is %s.\n", is.ID, is.State)
		return nil
	})
}

// asWritten is a policy whose teams are known by the names in the file.
type asWritten struct{ rules lifecycle.Policy }

// Current returns the policy; it never fails.
func (a asWritten) Current(context.Context) (lifecycle.Policy, error) { return a.rules, nil }
