package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// teamAnswer is who is on a team, for programs.
type teamAnswer struct {
	Team     lifecycle.Team      `json:"team"`
	Owners   []string            `json:"owners"`
	Members  []member            `json:"members"`
	Findings []lifecycle.Finding `json:"findings"` // about those accounts
	Requests []lifecycle.Request `json:"requests"` // that something may still come of, and that the team's owners answer for
	AsOf     time.Time           `json:"as_of"`
}

type member struct {
	Account lifecycle.Account  `json:"account"`
	Role    lifecycle.TeamRole `json:"role"`
}

func (d asking) team(ctx context.Context, name string) error {
	team, holders, err := d.desk.Team(ctx, name)
	if err != nil {
		return err
	}
	a := teamAnswer{Team: lifecycle.Team{ID: team.ID, Name: team.Name}, Owners: orEmpty(team.Owners), Members: []member{}}
	var accounts []lifecycle.Account
	for _, h := range holders {
		a.Members, accounts = append(a.Members, member(h)), append(accounts, h.Account)
	}
	if a.AsOf, err = d.db.LastRollCall(ctx); err != nil {
		return fmt.Errorf("look up the last roll call: %w", err)
	}
	if a.Findings, err = d.findingsOn(ctx, accounts); err != nil {
		return err
	}
	if a.Requests, err = d.requestsOn(ctx, a.Team); err != nil {
		return err
	}
	if d.term.json {
		return printJSON(d.term.out, a)
	}
	return d.printTeam(a)
}

// requestsOn returns the open requests that the team's owners answer for.
func (d asking) requestsOn(ctx context.Context, team lifecycle.Team) ([]lifecycle.Request, error) {
	open, err := d.db.Requests(ctx, lifecycle.RequestFilter{Open: true})
	if err != nil {
		return nil, fmt.Errorf("list open requests: %w", err)
	}
	return orEmpty(slices.DeleteFunc(open, func(r lifecycle.Request) bool {
		return !slices.ContainsFunc(r.HomeTeams(), func(t lifecycle.Team) bool { return t.ID == team.ID && t.ID != "" || t.Name == team.Name })
	})), nil
}

func (d asking) printTeam(a teamAnswer) error {
	out := d.term.out
	fmt.Fprintf(out, "%s, owned by %s: %s, as of %s.\n", plain(a.Team.Name), plain(strings.Join(a.Owners, ", ")), count(len(a.Members), "account"), lastRoll(a.AsOf))
	if len(a.Members) > 0 {
		rows := make([][]string, len(a.Members))
		for i, m := range a.Members {
			rows[i] = []string{m.Account.Name, m.Account.Email, string(m.Role), m.Account.BaseRole.String(), usedInWords(m.Account.Used), dash(strings.Join(m.Account.Duties, ", "))}
		}
		if err := printTable(out, []string{"NAME", "ADDRESS", "ROLE", "BASE ROLE", "LAST USED", "DUTIES"}, rows); err != nil {
			return err
		}
	}
	var rows [][2]string
	for _, f := range a.Findings {
		rows = append(rows, [2]string{"Finding", findingInWords(f)})
	}
	for _, r := range a.Requests {
		rows = append(rows, [2]string{"Request", r.Subject.Label() + ": " + requestInWords(r)})
	}
	return printFields(out, rows)
}
