package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

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
				undone, err := undoneBy(ctx, db, r)
				if err != nil {
					return err
				}
				return printRequest(t.out, r, undone)
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

// undoneBy returns the requests that were opened to undo r.
func undoneBy(ctx context.Context, db *storage.DB, r lifecycle.Request) ([]lifecycle.Request, error) {
	about, err := db.Requests(ctx, lifecycle.RequestFilter{Subject: r.Subject.ID, Account: r.Account.ID, Since: r.OpenedAt})
	if err != nil {
		return nil, fmt.Errorf("list what came after request %s: %w", r.ID, err)
	}
	var undone []lifecycle.Request
	for _, o := range about {
		if o.Undoes == r.ID {
			undone = append(undone, o)
		}
	}
	return undone, nil
}

func printRequest(w io.Writer, r lifecycle.Request, undone []lifecycle.Request) error {
	rows := [][2]string{
		{"Request", fmt.Sprintf("%s, %s, %s", r.ID, r.Kind, r.State)},
		{"Who", r.Subject.Label() + " <" + r.Subject.Email + ">"},
		{"Account", dash(string(r.Account.ID))},
		{"Why", r.Why.Event},
		{"Rule", dash(r.Why.Rule)},
		{"Policy", r.Why.Policy},
		{"Opened", at(r.OpenedAt)},
	}
	rows = append(rows, wishRows(r)...)
	if r.Used.Proxy != "" {
		rows = append(rows, [2]string{"Last used", usedInWords(r.Used)})
	}
	rows = append(rows, links(r, undone)...)
	for _, d := range r.Duties {
		rows = append(rows, [2]string{"Duty", dutyInWords(d, time.Now())})
	}
	for _, c := range r.Changes {
		rows = append(rows, [2]string{"Change", fmt.Sprintf("%s (%s)", changeInWords(r, c), strings.TrimSpace(string(c.State)+" "+c.Error))})
	}
	for _, e := range r.Effects {
		rows = append(rows, [2]string{"Effect", e})
	}
	return printFields(w, append(rows, outcomeRows(r)...))
}

// links names the requests that this one follows from or led to.
func links(r lifecycle.Request, undone []lifecycle.Request) (rows [][2]string) {
	if r.Undoes != "" {
		rows = append(rows, [2]string{"Undoes", string(r.Undoes)})
	}
	if r.Replaces != "" {
		rows = append(rows, [2]string{"Replaces", string(r.Replaces)})
	}
	for _, u := range undone {
		rows = append(rows, [2]string{"Undone by", fmt.Sprintf("%s, %s", u.ID, u.State)})
	}
	return rows
}

// waitedIn says in which hours the deadline counts, where not in all of them.
func waitedIn(r lifecycle.Request) string {
	if !r.InWorkingHours() {
		return ""
	}
	return ", counted in working hours (" + r.Hours.String() + " " + plain(cmp.Or(r.Zone, "UTC")) + ")"
}

// outcomeRows say what was decided and what has come of it.
func outcomeRows(r lifecycle.Request) (rows [][2]string) {
	for _, d := range r.Decisions {
		rows = append(rows, [2]string{"Decision", fmt.Sprintf("%s by %s via %s, %s: %s", verdictOn(r, d), d.By, d.Via, at(d.At), dash(d.Reason))})
	}
	if r.State == lifecycle.Pending {
		rows = append(rows, [2]string{"Asks", fmt.Sprintf("%s (%d of %d have approved)", strings.Join(r.Approvers, ", "), r.Approvals(), r.Needed)},
			[2]string{"Decide by", fmt.Sprintf("%s%s; if nobody does: %s", at(r.DecideBy), waitedIn(r), r.Silence)})
	}
	if r.Reach != nil {
		rows = append(rows, [2]string{"Reach", reachInWords(*r.Reach)})
	}
	if r.Note != "" {
		rows = append(rows, [2]string{"Note", r.Note})
	}
	return rows
}

func reachInWords(r lifecycle.Reach) string {
	if len(r.Missing) == 0 {
		return "can be paged"
	}
	return "cannot be paged yet. " + strings.Join(r.Missing, " ")
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
