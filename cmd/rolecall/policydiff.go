package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

// diffing is what policy diff was asked for.
type diffing struct {
	roster   string
	markdown bool
	all      bool
	fail     bool
	tonight  bool
}

func policyDiffCommand(t *terminal) *cobra.Command {
	var how diffing
	cmd := &cobra.Command{
		Use:   "diff [OLD] NEW",
		Short: "Say who would gain and who would lose what if a policy took the place of another",
		Long: "Compares two policy files, or the configured one with NEW, for everybody a source of truth has sent and what\n" +
			"they held at the last roll call; with --roster for the people of a file, without a database. Nothing is changed.\n" +
			"Exits 0 whatever it finds; with --fail-on-loss 3 when anybody would lose something.",
		Args: usage(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if how.markdown && t.json {
				return coded(exitUsage, errors.New("say how it is to be written: either --markdown or --json"))
			}
			was, next, err := twoPolicies(args)
			if err != nil {
				return err
			}
			d, asOf, err := difference(cmd.Context(), was, next, how.roster)
			if err != nil {
				return err
			}
			if how.tonight {
				if d, err = withShifts(cmd.Context(), d); err != nil {
					return err
				}
			}
			if err := printDiff(t, d, asOf, how); err != nil {
				return err
			}
			if how.fail && d.Lose > 0 {
				return coded(exitRefused, fmt.Errorf("%s would lose something", persons(d.Lose)))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&how.roster, "roster", "", "take people from this file (.csv or .jsonl), and no database")
	cmd.Flags().BoolVar(&how.markdown, "markdown", false, "write it for a pull request")
	cmd.Flags().BoolVar(&how.all, "all", false, "leave nobody out of long lists")
	cmd.Flags().BoolVar(&how.tonight, "tonight", false, "ask PagerDuty who of those who would lose something is on call within 24 hours")
	cmd.Flags().BoolVar(&how.fail, "fail-on-loss", false, "exit 3 when anybody would lose something")
	return cmd
}

// twoPolicies reads the old and the new policy.
func twoPolicies(args []string) (was, next lifecycle.Policy, err error) {
	if len(args) == 1 {
		path, err := policyPath(nil)
		if err != nil {
			return was, next, err
		}
		args = []string{path, args[0]}
	}
	was, wrongWas := policy.Load(args[0])
	next, wrongNext := policy.Load(args[1])
	return was, next, coded(exitUsage, errors.Join(wrongWas, wrongNext))
}

// difference returns the diff for everybody who is known, and of when it is that
// they hold what they do; the zero time where that is not known.
func difference(ctx context.Context, was, next lifecycle.Policy, roster string) (d lifecycle.PolicyDiff, asOf time.Time, err error) {
	if roster != "" {
		people, err := rosterPeople(roster)
		return lifecycle.Diff(was, next, people, nil, time.Now()), asOf, err
	}
	err = withDatabase(ctx, func(ctx context.Context, db *storage.DB) error {
		d, asOf, err = knownDiff(ctx, db, was, next)
		return err
	})
	return d, asOf, err
}

// knownDiff returns the diff for everybody who is known, by what they held at the
// last roll call, and when that was.
func knownDiff(ctx context.Context, db *storage.DB, was, next lifecycle.Policy) (d lifecycle.PolicyDiff, asOf time.Time, err error) {
	people, err := db.Identities(ctx)
	if err != nil {
		return d, asOf, fmt.Errorf("list identities: %w", err)
	}
	accounts, err := db.Baseline(ctx)
	if err != nil {
		return d, asOf, fmt.Errorf("load the last roll call: %w", err)
	}
	if asOf, err = db.LastRollCall(ctx); err != nil {
		return d, asOf, fmt.Errorf("look up the last roll call: %w", err)
	}
	return lifecycle.Diff(was, next, people, accounts, time.Now()), asOf, nil
}

// withShifts asks PagerDuty when those who would lose something are on call.
func withShifts(ctx context.Context, d lifecycle.PolicyDiff) (lifecycle.PolicyDiff, error) {
	cfg, err := loadConfig(needPagerDuty)
	if err != nil {
		return d, err
	}
	pd, err := pagerduty.New(cfg.pagerDuty(slog.New(slog.DiscardHandler)))
	if err != nil {
		return d, fmt.Errorf("set up PagerDuty: %w", err)
	}
	duties := map[lifecycle.AccountID][]lifecycle.Duty{}
	for _, id := range d.LosersOnCall() {
		h, err := pd.Holdings(ctx, id)
		if err == nil && h.Unread != "" {
			err = errors.New(h.Unread)
		}
		if err != nil {
			return d, coded(exitPartial, fmt.Errorf("PagerDuty could not be asked when %s is on call: %s", id, cmp.Or(lifecycle.ReasonOf(err), err.Error())))
		}
		duties[id] = h.Duties
	}
	return d.WithShifts(duties, time.Now()), nil
}

// rosterPeople returns the people of a roster, as its source would make them known.
func rosterPeople(path string) (_ []lifecycle.Identity, err error) {
	file, written, err := readRoster(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	roster, err := file.Roster(intake.SourceRoster, written)
	if err != nil {
		return nil, err
	}
	people := make([]lifecycle.Identity, 0, roster.Rows)
	for f, err := range roster.Facts {
		if err != nil {
			return nil, fmt.Errorf("read roster %s: %w", path, err)
		}
		people = append(people, lifecycle.Identity{ID: lifecycle.IdentityID(f.SourceKey()), Keys: map[string]string{roster.Source: f.SourceKey()}, Person: f.Person})
	}
	return people, nil
}

func printDiff(t *terminal, d lifecycle.PolicyDiff, asOf time.Time, how diffing) error {
	switch {
	case t.json:
		return printJSON(t.out, d)
	case how.markdown:
		return policy.WriteMarkdown(t.out, d, how.all)
	default:
		return printDiffText(t.out, d, asOf, how.all)
	}
}

const (
	mostMoves  = 25 // people who are listed, unless all are asked for
	mostNamed  = 8  // people who are named in a line
	mostOthers = 40 // rules, and lines of what else differs
)

func printDiffText(w io.Writer, d lifecycle.PolicyDiff, asOf time.Time, all bool) error {
	out := &paragraphs{w: w, all: all}
	out.line("%s", d.Summary())
	if !d.Assumed {
		out.line("What is held is as of %s.", lastRoll(asOf))
	}
	out.list("By team", len(d.Teams), func(i int) string { return d.Teams[i].String() })
	out.moves(d)
	out.groups("Not clear, or clear now", d.UnclearBy())
	out.groups("Given in another way", d.AskedBy())
	out.list("Rules", len(d.Rules), func(i int) string { return d.Rules[i].String() })
	out.list("Also", len(d.Other), func(i int) string { return d.Other[i] })
	return out.err
}

// paragraphs writes parts of a text until one cannot be written.
type paragraphs struct {
	w   io.Writer
	all bool
	err error
}

func (p *paragraphs) line(format string, args ...any) {
	if p.err != nil {
		return
	}
	if _, err := fmt.Fprintln(p.w, plain(fmt.Sprintf(format, args...))); err != nil {
		p.err = fmt.Errorf("write: %w", err)
	}
}

// list writes lines under a title, not more than are read unless all are asked for.
func (p *paragraphs) list(title string, n int, say func(i int) string) {
	if n == 0 {
		return
	}
	p.line("")
	p.line("%s", title)
	for i := range n {
		if i == mostOthers && !p.all {
			p.line("  and %d more; --all lists them", n-i)
			return
		}
		p.line("  %s", say(i))
	}
}

func (p *paragraphs) groups(title string, groups []lifecycle.DiffGroup) {
	p.list(title, len(groups), func(i int) string {
		g := groups[i]
		named, more := g.People, ""
		if n := len(named) - mostNamed; n > 0 && !p.all {
			named, more = named[:mostNamed], fmt.Sprintf(" and %d more", n)
		}
		return fmt.Sprintf("%s: %s (%s%s)", persons(len(g.People)), strings.TrimSuffix(g.Words, "."), strings.Join(named, ", "), more)
	})
}

// moves writes a row for each person; when they are on call only where that was looked at.
func (p *paragraphs) moves(d lifecycle.PolicyDiff) {
	if len(d.Moves) == 0 || p.err != nil {
		return
	}
	shown := d.Moves
	if len(shown) > mostMoves && !p.all {
		shown = shown[:mostMoves]
	}
	header := []string{"PERSON", "DEPARTMENT", "LOSES", "GAINS", "GAINS ARE", "ON CALL"}
	if d.Shifts {
		header = append(header, "WITHIN 24 HOURS")
	}
	rows := make([][]string, len(shown))
	for i, m := range shown {
		all := []string{cmp.Or(m.Name, m.Email), m.Department, roles(m.Loses), roles(m.Gains), m.Approval, strings.Join(m.OnCall, ", "), strings.Join(m.Tonight, ", ")}
		for _, cell := range all[:len(header)] {
			rows[i] = append(rows[i], dash(cell))
		}
	}
	p.line("")
	if p.err == nil {
		p.err = printTable(p.w, header, rows)
	}
	if more := len(d.Moves) - len(shown); more > 0 {
		p.line("and %d more; --all lists them", more)
	}
}

func roles(list []lifecycle.RoleDiff) string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = r.String()
	}
	return strings.Join(words, "; ")
}

func persons(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}
