package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

func holdCommand(t *terminal) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "hold",
		Short: "What the brakes have stopped: list, show, release by two people, or refuse; the same rules and record as in Slack",
	})
	cmd.AddCommand(holdListCommand(t), holdShowCommand(t), holdReleaseCommand(t), holdRefuseCommand(t))
	return cmd
}

// heldAnswer is a hold with what it stops, for programs.
type heldAnswer struct {
	lifecycle.Hold
	Waiting []lifecycle.Removal   `json:"waiting"`
	Diff    *lifecycle.PolicyDiff `json:"diff,omitempty"` // of a policy that waits: whom it moves
}

func holdListCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the holds that stand",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withBrakes(cmd.Context(), func(ctx context.Context, b *lifecycle.Brakes, _ *storage.DB) error {
				open, err := b.Open(ctx)
				if err != nil {
					return err
				}
				if t.json {
					return printJSON(t.out, orEmpty(open))
				}
				if len(open) == 0 {
					return say(t, nil, "Nothing is held.")
				}
				rows := make([][]string, len(open))
				for i, h := range open {
					rows[i] = []string{string(h.ID), string(h.Kind), dash(h.Source), string(h.State), h.Why, at(h.OpenedAt)}
				}
				return printTable(t.out, []string{"HOLD", "STOPS", "SOURCE", "STATE", "WHY", "SINCE"}, rows)
			})
		},
	}
}

func holdShowCommand(t *terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "Show a hold and everybody it stops",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withBrakes(cmd.Context(), func(ctx context.Context, b *lifecycle.Brakes, db *storage.DB) error {
				h, err := findHold(ctx, db, args[0])
				if err != nil {
					return err
				}
				waiting, err := b.Waiting(ctx, h.ID)
				if err != nil {
					return err
				}
				moves, asOf, err := waitingDiff(ctx, db, h)
				if err != nil {
					return err
				}
				if t.json {
					return printJSON(t.out, heldAnswer{h, orEmpty(waiting), moves})
				}
				if err := printHold(t, h, waiting); err != nil || moves == nil {
					return err
				}
				fmt.Fprintln(t.out)
				return printDiffText(t.out, *moves, asOf, true)
			})
		},
	}
}

// waitingDiff returns whom the policy that waits under the hold would move, and
// as of when; nil where none does.
func waitingDiff(ctx context.Context, db *storage.DB, h lifecycle.Hold) (*lifecycle.PolicyDiff, time.Time, error) {
	if h.Kind != lifecycle.HoldPolicy || !h.Open() {
		return nil, time.Time{}, nil
	}
	kept, err := db.PolicyText(ctx, h.Policy)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("load the policy that waits under hold %s: %w", h.ID, err)
	}
	next, err := policy.Parse("the policy that waits", []byte(kept.Text))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read the policy that waits under hold %s: %w", h.ID, err)
	}
	was, err := inForce(ctx, db)
	if err != nil {
		return nil, time.Time{}, err
	}
	d, asOf, err := knownDiff(ctx, db, was, next)
	return &d, asOf, err
}

func findHold(ctx context.Context, db *storage.DB, id string) (lifecycle.Hold, error) {
	h, err := db.Hold(ctx, lifecycle.HoldID(id))
	if isNotFound(err) {
		return h, lifecycle.Refuse(lifecycle.ErrNotFound, "there is no hold %s; `rolecall hold list` shows those that stand", id)
	}
	if err != nil {
		return h, fmt.Errorf("load hold %s: %w", id, err)
	}
	return h, nil
}

func printHold(t *terminal, h lifecycle.Hold, waiting []lifecycle.Removal) error {
	rows := [][2]string{{"Hold", fmt.Sprintf("%s, %s, %s", h.ID, h.Kind, h.State)}, {"Why", h.Why}, {"Source", dash(h.Source)}, {"Since", at(h.OpenedAt)}}
	if p := h.Proposal; p != nil {
		rows = append(rows, [2]string{"Proposed", fmt.Sprintf("%s by %s, %s: somebody else of Security must say the same", proposed(h), p.By, at(p.At))})
	}
	for _, d := range h.Decisions {
		rows = append(rows, [2]string{"Decision", fmt.Sprintf("%s by %s via %s, %s: %s", d.What, d.By, d.Via, at(d.At), dash(d.Reason))})
	}
	if h.Open() {
		rows = append(rows, nextSteps(h)...)
	}
	if err := printFields(t.out, rows); err != nil || len(waiting) == 0 {
		return err
	}
	fmt.Fprintln(t.out)
	people := make([][]string, len(waiting))
	for i, r := range waiting {
		people[i] = []string{string(r.Notice), string(r.Kind), r.Label, dash(r.Department), dash(r.Moved), at(r.At)}
	}
	return printTable(t.out, []string{"NOTICE", "KIND", "WHO", "DEPARTMENT", "MOVED TO", "SINCE"}, people)
}

// nextSteps says what may be done about a hold that stands.
func nextSteps(h lifecycle.Hold) [][2]string {
	if h.Kind == lifecycle.HoldSource {
		return [][2]string{{"Start", "rolecall source start " + h.Source + " --as EMAIL"}}
	}
	return [][2]string{
		{"Release", fmt.Sprintf("rolecall hold release %s --all --as EMAIL --reason TEXT, by two of Security", h.ID)},
		{"Refuse", fmt.Sprintf("rolecall hold refuse %s --as EMAIL --reason TEXT, by one", h.ID)},
	}
}

// proposed says what the proposal of a hold, which has one, is.
func proposed(h lifecycle.Hold) string {
	switch p := h.Proposal; {
	case h.Kind == lifecycle.HoldPolicy:
		return "to put the policy in force"
	case p.All:
		return fmt.Sprintf("to release all %d", p.Seen)
	default:
		return fmt.Sprintf("to release %d of %d", len(p.Only), p.Seen)
	}
}

func holdReleaseCommand(t *terminal) *cobra.Command {
	var as, reason string
	var all bool
	var only []string
	cmd := &cobra.Command{
		Use:   "release ID --all | --only NOTICE,NOTICE… --as EMAIL --reason TEXT",
		Short: "Propose what to let go, or say the same as the person before, which lets it go",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(only) > 0) {
				return coded(exitUsage, lifecycle.Refuse(lifecycle.ErrInvalid, "say what to let go: either --all, or --only with the notices that rolecall hold show %s lists", args[0]))
			}
			return asClerk(cmd.Context(), as, func(ctx context.Context, k clerk) error {
				r, err := k.release(ctx, args[0], reason)
				if err != nil {
					return err
				}
				r.All, r.Only = all, notices(only)
				is, err := k.brakes.Propose(ctx, r)
				if err != nil {
					return err
				}
				return say(t, is, releasedInWords(is))
			})
		},
	}
	actingFlags(cmd, &as)
	reasonFlag(cmd, &reason)
	cmd.Flags().BoolVar(&all, "all", false, "everything that it stops now")
	cmd.Flags().StringSliceVar(&only, "only", nil, "these notices alone; the rest stays held")
	return cmd
}

func notices(ids []string) []lifecycle.NoticeID {
	var all []lifecycle.NoticeID
	for _, id := range ids {
		all = append(all, lifecycle.NoticeID(strings.TrimSpace(id)))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func releasedInWords(h lifecycle.Hold) string {
	switch {
	case h.State == lifecycle.HoldProposed && h.Proposal != nil:
		return fmt.Sprintf("Proposed: %s. Somebody else of Security lets it go by saying the same.", proposed(h))
	case h.State == lifecycle.HoldReleased:
		return fmt.Sprintf("%s is released. A running serve goes on with it.", h.ID)
	default:
		return fmt.Sprintf("What was named is released; %s still holds the rest.", h.ID)
	}
}

func (k clerk) release(ctx context.Context, id, reason string) (lifecycle.Release, error) {
	h, err := findHold(ctx, k.db, id)
	return lifecycle.Release{Hold: h.ID, Seen: h.Revision, By: k.by, Reason: reason, Via: lifecycle.ViaCLI}, err
}

func holdRefuseCommand(t *terminal) *cobra.Command {
	var as, reason string
	cmd := &cobra.Command{
		Use:   "refuse ID --as EMAIL --reason TEXT",
		Short: "Say that nothing is to come of what is held; one person is enough, because nobody loses anything by it",
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return asClerk(cmd.Context(), as, func(ctx context.Context, k clerk) error {
				r, err := k.release(ctx, args[0], reason)
				if err != nil {
					return err
				}
				is, err := k.brakes.Refuse(ctx, r)
				if err != nil {
					return err
				}
				return say(t, is, fmt.Sprintf("%s is %s: nothing comes of it.", is.ID, is.State))
			})
		},
	}
	actingFlags(cmd, &as)
	reasonFlag(cmd, &reason)
	return cmd
}
