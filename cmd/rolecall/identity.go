package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func identityCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "identity",
		Short: "Who is who: what only a person can tell, who said what of somebody, and which account is whose",
	})
	cmd.AddCommand(identityListCommand(t), identityShowCommand(t), identityAnswerCommand(t), identityLinkCommand(t), identityMergeCommand(t), identitySplitCommand(t))
	return cmd
}

func identityListCommand(t *terminal) *cobra.Command {
	var people bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the questions about people that wait for somebody of Security (--people: everybody who is known)",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDatabase(cmd.Context(), func(ctx context.Context, db *storage.DB) error {
				if people {
					return listPeople(ctx, t, db)
				}
				cases, err := db.Cases(ctx)
				if err != nil {
					return fmt.Errorf("list cases: %w", err)
				}
				return printCases(t, cases)
			})
		},
	}
	cmd.Flags().BoolVar(&people, "people", false, "everybody who is known, with the account that is theirs")
	return cmd
}

func printCases(t *terminal, cases []lifecycle.Case) error {
	if t.json {
		return printJSON(t.out, orEmpty(cases))
	}
	if len(cases) == 0 {
		return say(t, nil, "Nothing about anybody waits for an answer.")
	}
	rows := make([][]string, len(cases))
	for i, c := range cases {
		rows[i] = []string{string(c.ID), string(c.Kind), c.Label, c.Why, at(c.OpenedAt)}
	}
	if err := printTable(t.out, []string{"CASE", "ASKS", "ABOUT", "WHY", "SINCE"}, rows); err != nil {
		return err
	}
	return say(t, nil, "\nSee what may be answered: rolecall identity show CASE")
}

func listPeople(ctx context.Context, t *terminal, db *storage.DB) error {
	people, err := db.Identities(ctx)
	if err != nil {
		return fmt.Errorf("list identities: %w", err)
	}
	if t.json {
		return printJSON(t.out, orEmpty(people))
	}
	slices.SortFunc(people, func(a, b lifecycle.Identity) int { return strings.Compare(a.Person.Email(), b.Person.Email()) })
	rows := make([][]string, len(people))
	for i, p := range people {
		rows[i] = []string{string(p.ID), p.Person.Label(), p.Person.Email(), string(p.StatusAt(time.Now())), dash(string(p.Account)), dash(keysInWords(p))}
	}
	return printTable(t.out, []string{"ID", "NAME", "ADDRESS", "STATUS", "ACCOUNT", "KNOWN BY"}, rows)
}

// keysInWords says by what each source knows somebody.
func keysInWords(i lifecycle.Identity) string {
	var words []string
	for _, source := range slices.Sorted(maps.Keys(i.Keys)) {
		words = append(words, source+": "+i.Keys[source])
	}
	return strings.Join(words, ", ")
}

// identified returns whom ref means: an address, an id, or what a source knows them by.
func identified(ctx context.Context, db *storage.DB, source lifecycle.PolicySource, ref string) (lifecycle.Identity, error) {
	if strings.Contains(ref, "@") {
		return lifecycle.NewDirectory(db, source, time.Now).Find(ctx, ref)
	}
	return known(ctx, db, ref)
}

// A clerk is somebody of Security at the command line, with what the orders need.
type clerk struct {
	by      lifecycle.Identity
	db      *storage.DB
	source  lifecycle.PolicySource
	matcher *lifecycle.Matcher
	brakes  *lifecycle.Brakes
	sources *lifecycle.Sources
}

// asClerk takes the same road as a press in Slack, as somebody who is known.
func asClerk(ctx context.Context, as string, f func(context.Context, clerk) error) error {
	return asKnown(ctx, as, func(ctx context.Context, db *storage.DB, source lifecycle.PolicySource, by lifecycle.Identity) error {
		return f(ctx, clerk{
			by: by, db: db, source: source, matcher: lifecycle.NewMatcher(db, source, time.Now),
			brakes: lifecycle.NewBrakes(db, source, time.Now), sources: lifecycle.NewSources(db, source, time.Now),
		})
	})
}

func reasonFlag(cmd *cobra.Command, reason *string) {
	cmd.Flags().StringVar(reason, "reason", "", "why; it is kept on the record")
}

func identityAnswerCommand(t *terminal) *cobra.Command {
	var as, answer, reason string
	cmd := &cobra.Command{
		Use:   "answer CASE --answer ANSWER --as EMAIL --reason TEXT",
		Short: "Answer a question about somebody; rolecall identity show CASE lists what may be answered",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return asClerk(cmd.Context(), as, func(ctx context.Context, k clerk) error {
				c, err := k.matcher.Case(ctx, lifecycle.CaseID(args[0]))
				if isNotFound(err) {
					return noCase(args[0])
				}
				if err != nil {
					return err
				}
				is, err := k.matcher.Answer(ctx, lifecycle.CaseAnswer{Case: c.ID, Seen: c.Revision, By: k.by, Answer: answer, Reason: reason, Via: lifecycle.ViaCLI})
				if err != nil {
					return err
				}
				return say(t, is, fmt.Sprintf("%s is answered: %s. A running serve makes it so.", is.ID, answered(is)))
			})
		},
	}
	actingFlags(cmd, &as)
	cmd.Flags().StringVar(&answer, "answer", "", "one of what may be answered (needed)")
	reasonFlag(cmd, &reason)
	return cmd
}

// answered says the answer that was given to a case.
func answered(c lifecycle.Case) string {
	for _, o := range c.Options {
		if o.Answer == c.Answer {
			return o.Label
		}
	}
	return c.Answer
}

func identityLinkCommand(t *terminal) *cobra.Command {
	var as, reason string
	o := lifecycle.LinkOrder{Via: lifecycle.ViaCLI}
	cmd := &cobra.Command{
		Use:   "link WHO --account PXXXXXX --as EMAIL --reason TEXT",
		Short: "Say which PagerDuty account (or Slack user) is somebody's; WHO is an address, an id or a source's key",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return asClerk(cmd.Context(), as, func(ctx context.Context, k clerk) error {
				who, err := identified(ctx, k.db, k.source, args[0])
				if err != nil {
					return err
				}
				o.By, o.Identity, o.Reason = k.by, who.ID, reason
				is, err := k.matcher.Link(ctx, o)
				if err != nil {
					return err
				}
				return say(t, is, fmt.Sprintf("%s is linked: PagerDuty account %s, Slack user %s.", plain(is.Person.Label()), dash(string(is.Account)), dash(string(is.Slack))))
			})
		},
	}
	actingFlags(cmd, &as)
	reasonFlag(cmd, &reason)
	cmd.Flags().StringVar((*string)(&o.Account), "account", "", "id of the PagerDuty user")
	cmd.Flags().StringVar((*string)(&o.Slack), "slack", "", "id of the Slack user")
	return cmd
}

func identityMergeCommand(t *terminal) *cobra.Command {
	var as, reason string
	cmd := &cobra.Command{
		Use:   "merge WHO SAME --as EMAIL --reason TEXT",
		Short: "Say that two are one person: WHO stays, and is also what every source calls SAME",
		Args:  usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return asClerk(cmd.Context(), as, func(ctx context.Context, k clerk) error {
				keep, err := identified(ctx, k.db, k.source, args[0])
				if err != nil {
					return err
				}
				gone, err := identified(ctx, k.db, k.source, args[1])
				if err != nil {
					return err
				}
				is, err := k.matcher.Merge(ctx, lifecycle.MergeOrder{By: k.by, Keep: keep.ID, Gone: gone.ID, Reason: reason, Via: lifecycle.ViaCLI})
				if err != nil {
					return err
				}
				return say(t, is, fmt.Sprintf("%s is one person now, known by %s.", plain(is.Person.Label()), plain(keysInWords(is))))
			})
		},
	}
	actingFlags(cmd, &as)
	reasonFlag(cmd, &reason)
	return cmd
}

func identitySplitCommand(t *terminal) *cobra.Command {
	var as, reason, source string
	cmd := &cobra.Command{
		Use:   "split WHO --source SOURCE --as EMAIL --reason TEXT",
		Short: "Say that whom SOURCE means is somebody else: they become a person of their own",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return asClerk(cmd.Context(), as, func(ctx context.Context, k clerk) error {
				who, err := identified(ctx, k.db, k.source, args[0])
				if err != nil {
					return err
				}
				is, err := k.matcher.Split(ctx, lifecycle.SplitOrder{By: k.by, Identity: who.ID, Source: source, Reason: reason, Via: lifecycle.ViaCLI})
				if err != nil {
					return err
				}
				return say(t, is, fmt.Sprintf("%s is somebody else than %s now: %s, known by %s.", plain(is.Person.Label()), who.ID, is.ID, plain(keysInWords(is))))
			})
		},
	}
	actingFlags(cmd, &as)
	reasonFlag(cmd, &reason)
	cmd.Flags().StringVar(&source, "source", "", "the source that means somebody else (needed)")
	return cmd
}
