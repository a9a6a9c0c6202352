package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// chosen is who is to take over, as it was given: a change's own, and everybody else's.
type chosen struct {
	to      string
	changes map[string]string // by the change's id
}

func chooseCommand(t *terminal) *cobra.Command {
	var as string
	var c chosen
	cmd := &cobra.Command{
		Use:   "choose ID --as EMAIL [--to EMAIL] [--change CHG_ID=EMAIL]...",
		Short: "Choose who takes over from somebody; without --to and --change: list what there is and who could",
		Long: "Names who takes over what a request hands over. It decides nothing: what is planned by it is approved apart.\n" +
			"--to is for every duty that no --change names. Where others answer there too, none is a choice: nobody follows.\n" +
			"Without either it lists the duties and who could take them.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.to == "" && len(c.changes) == 0 {
				return listChoices(cmd.Context(), t, args[0])
			}
			return acting(cmd.Context(), args[0], as, func(ctx context.Context, h hand) error { return choose(ctx, t, h, c) })
		},
	}
	actingFlags(cmd, &as)
	cmd.Flags().StringVar(&c.to, "to", "", "address of who takes over, or none")
	cmd.Flags().StringToStringVar(&c.changes, "change", nil, "who takes over one duty: the change's id, =, and an address or none")
	return cmd
}

func choose(ctx context.Context, t *terminal, h hand, c chosen) error {
	if len(handovers(h.request)) == 0 {
		return lifecycle.Refuse(lifecycle.ErrConflict, "%s hands nothing over", h.request.ID)
	}
	successors, err := c.successors(h.request)
	if err != nil {
		return err
	}
	is, err := h.approvals.Choose(ctx, lifecycle.Choice{Request: h.request.ID, Seen: h.request.Revision, By: h.by, Successors: successors, Via: lifecycle.ViaCLI})
	if err != nil {
		return err
	}
	if t.json {
		return printJSON(t.out, is)
	}
	for _, change := range handovers(is) {
		fmt.Fprintln(t.out, plain(changeInWords(is, change)))
	}
	if is.State == lifecycle.Pending {
		fmt.Fprintf(t.out, "That is the plan. Nothing is approved by it: rolecall request approve %s --as EMAIL --reason TEXT\n", is.ID)
	}
	return nil
}

// successors resolves addresses among the candidates of the request. What is
// handed over already is left out of what --to is for.
func (c chosen) successors(r lifecycle.Request) (map[lifecycle.ChangeID]lifecycle.AccountID, error) {
	all := map[lifecycle.ChangeID]lifecycle.AccountID{}
	open := handovers(r)
	for id, email := range c.changes {
		if !slices.ContainsFunc(open, func(o lifecycle.Change) bool { return string(o.ID) == id }) {
			return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "%s hands over nothing by %q; `rolecall request choose %s` lists what it does", r.ID, id, r.ID)
		}
		to, err := candidate(r, email)
		if err != nil {
			return nil, err
		}
		all[lifecycle.ChangeID(id)] = to
	}
	if c.to == "" {
		return all, nil
	}
	to, err := candidate(r, c.to)
	if err != nil {
		return nil, err
	}
	for _, o := range open {
		if _, named := all[o.ID]; !named && o.State != lifecycle.ChangeApplied && o.State != lifecycle.ChangeVerified {
			all[o.ID] = to
		}
	}
	return all, nil
}

func candidate(r lifecycle.Request, email string) (lifecycle.AccountID, error) {
	if email == lifecycle.NoSuccessor {
		return lifecycle.NoSuccessor, nil
	}
	k := slices.IndexFunc(r.Candidates, func(c lifecycle.Candidate) bool {
		return lifecycle.FoldEmail(c.Email) == lifecycle.FoldEmail(email)
	})
	if k < 0 {
		return "", lifecycle.Refuse(lifecycle.ErrInvalid, "%q is not the address of anybody who could take over; `rolecall request choose %s` lists who could", email, r.ID)
	}
	return r.Candidates[k].ID, nil
}

// handovers returns the changes by which somebody takes over from the subject.
func handovers(r lifecycle.Request) []lifecycle.Change {
	return slices.DeleteFunc(slices.Clone(r.Changes), func(c lifecycle.Change) bool {
		return c.Op != lifecycle.OpHandover || c.Restores != ""
	})
}

// choices is what can be chosen, for programs.
type choices struct {
	Request    lifecycle.RequestID   `json:"request"`
	Changes    []lifecycle.Change    `json:"changes"`
	Duties     []lifecycle.Duty      `json:"duties"`
	Candidates []lifecycle.Candidate `json:"candidates"`
}

func listChoices(ctx context.Context, t *terminal, id string) error {
	return withDatabase(ctx, func(ctx context.Context, db *storage.DB) error {
		r, err := findRequest(ctx, db, id)
		if err != nil {
			return err
		}
		open := handovers(r)
		if t.json {
			return printJSON(t.out, choices{r.ID, orEmpty(open), orEmpty(r.Duties), orEmpty(r.Candidates)})
		}
		if len(open) == 0 {
			return say(t, nil, fmt.Sprintf("%s hands nothing over.", r.ID))
		}
		if err := printTable(t.out, []string{"CHANGE", "DUTY", "WHEN", "BESIDE", "TAKES OVER"}, dutyRows(r, open)); err != nil {
			return err
		}
		fmt.Fprintln(t.out)
		if len(r.Candidates) == 0 {
			return say(t, nil, "PagerDuty knows nobody who could take over: put somebody who can be on call on the team there.")
		}
		return printTable(t.out, []string{"CANDIDATE", "ADDRESS", "LOAD", "REACHABLE", "PLANNED FOR", "ANSWERS ALREADY FOR"}, candidateRows(r, open))
	})
}

func dutyRows(r lifecycle.Request, open []lifecycle.Change) [][]string {
	rows := make([][]string, len(open))
	for i, c := range open {
		d := dutyOf(r, c)
		rows[i] = []string{string(c.ID), c.Entitlement.String(), dash(shiftsInWords(d, time.Now())), othersInWords(d), takesOver(c)}
	}
	return rows
}

// dutyOf returns the duty that the change hands over, as it was seen.
func dutyOf(r lifecycle.Request, c lifecycle.Change) lifecycle.Duty {
	e := c.Entitlement
	is := lifecycle.Duty{Kind: e.Kind, Object: e.Object, Level: e.Level, Override: e.Override, Team: e.Team.ID}
	if k := slices.IndexFunc(r.Duties, func(d lifecycle.Duty) bool { return d.Key() == is.Key() }); k >= 0 {
		return r.Duties[k]
	}
	return is
}

func takesOver(c lifecycle.Change) string {
	switch c.To {
	case "":
		return "NOBODY YET"
	case lifecycle.NoSuccessor:
		return "nobody: the others stay"
	default:
		return cmp.Or(c.Successor.Email, c.Successor.Name, c.To)
	}
}

func candidateRows(r lifecycle.Request, open []lifecycle.Change) [][]string {
	rows := make([][]string, len(r.Candidates))
	for i, x := range r.Candidates {
		var planned, already []string
		for _, c := range open {
			if c.To == string(x.ID) {
				planned = append(planned, c.Entitlement.String())
			}
			if slices.Contains(x.Duties, c.Entitlement.Object.ID) {
				already = append(already, c.Entitlement.Object.Name)
			}
		}
		reachable := "yes"
		if !x.Reachable {
			reachable = "NO PHONE"
		}
		slices.Sort(already)
		rows[i] = []string{x.Name, x.Email, strconv.Itoa(x.Load), reachable, dash(strings.Join(planned, ", ")), dash(strings.Join(slices.Compact(already), ", "))}
	}
	return rows
}
