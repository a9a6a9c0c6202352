package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func whoCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "who PERSON|TEAM",
		Short: "Who somebody is and what they hold, by their address; or who is on a team, by its name",
		Long: "Answers from what the last roll call left, and asks PagerDuty nothing: what is held, what on-call expects,\n" +
			"when it was last used and what that rests on, what policy says, what was found, and what is being asked.",
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				rules, err := inForce(ctx, db)
				if err != nil {
					return err
				}
				source, err := asSeen(ctx, rules, db)
				if err != nil {
					return err
				}
				d := asking{term: t, db: db, source: source, desk: lifecycle.NewDesk(db, lifecycle.NewApprovals(db, source, time.Now), source, time.Now)}
				if strings.Contains(args[0], "@") {
					return d.person(ctx, args[0])
				}
				return d.team(ctx, args[0])
			})
		},
	}
}

// asSeen returns the policy with its teams bound to those that the last roll
// call saw somebody on. One on which there was nobody is known by its name alone.
func asSeen(ctx context.Context, rules lifecycle.Policy, db *storage.DB) (lifecycle.PolicySource, error) {
	accounts, err := db.Baseline(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the last roll call: %w", err)
	}
	seen := map[lifecycle.Team]bool{}
	for _, a := range accounts {
		for _, m := range a.Teams {
			seen[m.Team] = true
		}
	}
	bound, err := rules.Resolve(slices.Collect(maps.Keys(seen)))
	if err != nil && !errors.Is(err, lifecycle.ErrInvalid) { // a Refusal: some could not be bound
		return nil, fmt.Errorf("bind the policy's teams: %w", err)
	}
	return termsOf(db, asWritten{bound}), nil
}

// asking is one question to the desk.
type asking struct {
	term   *terminal
	db     *storage.DB
	source lifecycle.PolicySource
	desk   *lifecycle.Desk
}

// personAnswer is what is known of one person, for programs.
type personAnswer struct {
	Identity *lifecycle.Identity `json:"identity"` // null: an account that is nobody's
	Account  *lifecycle.Account  `json:"account"`  // null: none known
	Policy   wanted              `json:"policy"`
	Findings []lifecycle.Finding `json:"findings"`
	Requests []lifecycle.Request `json:"requests"` // that something may still come of
	AsOf     time.Time           `json:"as_of"`    // of the account; zero: the roll was never called
}

// wanted is what policy says somebody should hold.
type wanted struct {
	Rules    []string               `json:"rules"`
	BaseRole lifecycle.BaseRole     `json:"base_role"`
	Teams    []lifecycle.Membership `json:"teams"`
}

func (d asking) person(ctx context.Context, email string) error {
	a, err := d.answer(ctx, email)
	if err != nil {
		return err
	}
	if d.term.json {
		return printJSON(d.term.out, a)
	}
	return printFields(d.term.out, personRows(a, email))
}

func (d asking) answer(ctx context.Context, email string) (personAnswer, error) {
	i, err := lifecycle.NewDirectory(d.db, d.source, time.Now).Find(ctx, email)
	if isNotFound(err) {
		return d.stranger(ctx, email, err)
	}
	if err != nil {
		return personAnswer{}, err
	}
	s, err := d.desk.Standing(ctx, i)
	if err != nil {
		return personAnswer{}, err
	}
	return personAnswer{
		Identity: &s.Identity, Account: s.Account, Policy: wanted{orEmpty(s.Want.Rules), s.Want.BaseRole, orEmpty(s.Want.Teams)},
		Findings: orEmpty(s.Findings), Requests: stillOpen(s.Requests), AsOf: s.AsOf,
	}, nil
}

// stranger answers about an account whose address is nobody's, or with unknown
// where there is none either.
func (d asking) stranger(ctx context.Context, email string, unknown error) (personAnswer, error) {
	accounts, err := d.db.Baseline(ctx)
	if err != nil {
		return personAnswer{}, fmt.Errorf("load the last roll call: %w", err)
	}
	k := slices.IndexFunc(accounts, func(a lifecycle.Account) bool {
		return lifecycle.FoldEmail(a.Email) == lifecycle.FoldEmail(email)
	})
	if k < 0 {
		return personAnswer{}, unknown
	}
	a := personAnswer{Account: &accounts[k], Policy: wanted{[]string{}, "", []lifecycle.Membership{}}}
	if a.AsOf, err = d.db.LastRollCall(ctx); err != nil {
		return a, fmt.Errorf("look up the last roll call: %w", err)
	}
	if a.Findings, err = d.findingsOn(ctx, accounts[k:k+1]); err != nil {
		return a, err
	}
	requests, err := d.db.Requests(ctx, lifecycle.RequestFilter{Account: accounts[k].ID, Open: true})
	if err != nil {
		return a, fmt.Errorf("list requests about account %s: %w", accounts[k].ID, err)
	}
	a.Requests = orEmpty(requests)
	return a, nil
}

// findingsOn returns what stands about the accounts.
func (d asking) findingsOn(ctx context.Context, accounts []lifecycle.Account) ([]lifecycle.Finding, error) {
	all, _, err := d.db.Findings(ctx, time.Now())
	if err != nil {
		return nil, fmt.Errorf("load findings: %w", err)
	}
	on := slices.DeleteFunc(all, func(f lifecycle.Finding) bool {
		return f.Account.ID == "" || !slices.ContainsFunc(accounts, func(a lifecycle.Account) bool { return a.ID == f.Account.ID })
	})
	lifecycle.SortFindings(on)
	return orEmpty(on), nil
}

func stillOpen(requests []lifecycle.Request) []lifecycle.Request {
	return orEmpty(slices.DeleteFunc(slices.Clone(requests), func(r lifecycle.Request) bool { return !r.State.Open() }))
}

func personRows(a personAnswer, email string) [][2]string {
	rows := [][2]string{{"Who", identityInWords(a.Identity, email)}}
	if a.Account == nil {
		rows = append(rows, [2]string{"Account", "none, as of " + lastRoll(a.AsOf)})
	} else {
		rows = append(rows, accountRows(*a.Account, a.AsOf)...)
	}
	if a.Identity != nil {
		rows = append(rows, [2]string{"Policy", wantedInWords(a.Identity, a.Policy)})
	}
	for _, f := range a.Findings {
		rows = append(rows, [2]string{"Finding", findingInWords(f)})
	}
	for _, r := range a.Requests {
		rows = append(rows, [2]string{"Request", requestInWords(r)})
	}
	return rows
}

func identityInWords(i *lifecycle.Identity, email string) string {
	if i == nil {
		return email + ", whom no source of truth and no policy knows"
	}
	words := i.Person.Label() + " <" + i.Person.Email() + ">"
	for _, more := range []string{i.Person.Title, i.Person.Department} {
		if more != "" {
			words += ", " + more
		}
	}
	return words + ", " + string(i.StatusAt(time.Now()))
}

func accountRows(a lifecycle.Account, asOf time.Time) [][2]string {
	state := ""
	if a.Invited {
		state = ", invitation not accepted yet"
	}
	rows := [][2]string{{"Account", fmt.Sprintf("%s, %s%s, as of %s", a.ID, a.BaseRole, state, lastRoll(asOf))}}
	for _, m := range a.Teams {
		rows = append(rows, [2]string{"Team", m.Team.Name + ": " + string(m.Role)})
	}
	for _, d := range a.Duties {
		rows = append(rows, [2]string{"Duty", d})
	}
	return append(rows, [2]string{"Last used", usedInWords(a.Used)})
}

func lastRoll(at time.Time) string {
	if at.IsZero() {
		return "no roll call yet"
	}
	return "the roll call of " + at.UTC().Format("2006-01-02 15:04 UTC")
}

func wantedInWords(i *lifecycle.Identity, w wanted) string {
	if i.StatusAt(time.Now()) == lifecycle.StatusEnded {
		return "nothing, because they have left"
	}
	if len(w.Rules) == 0 {
		return "no rule speaks of them"
	}
	words := []string{}
	if w.BaseRole != "" {
		words = append(words, w.BaseRole.String())
	}
	for _, m := range w.Teams {
		words = append(words, m.Team.Name+": "+string(m.Role))
	}
	return fmt.Sprintf("%s (%s)", strings.Join(words, ", "), strings.Join(w.Rules, ", "))
}

func requestInWords(r lifecycle.Request) string {
	return fmt.Sprintf("%s, %s: %s", r.ID, r.State, changesInWords(r))
}
