package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

// wishFlags are what is asked for, as it was given.
type wishFlags struct {
	as, role, team, lasts, until, why, incident string
}

func wishCommand(t *terminal) *cobra.Command {
	var f wishFlags
	cmd := &cobra.Command{
		Use:   "new --as EMAIL --role ROLE [--team TEAM] (--for 8h | --until DATE) --why TEXT",
		Short: "Ask for a role for yourself, for a time: on a team, or a base role",
		Long: "It is decided as in Slack, by somebody else, and ends by itself: then you are back to what you held before.\n" +
			"Reads PagerDuty to see what you hold now, and needs no Slack. Days end in UTC here.",
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return wish(cmd.Context(), t, f) },
	}
	cmd.Flags().StringVar(&f.as, "as", "", "address of the person who asks (needed)")
	cmd.Flags().StringVar(&f.role, "role", "", "observer, responder or manager on the team; without --team a base role, such as Manager or admin (needed)")
	cmd.Flags().StringVar(&f.team, "team", "", "name or id of the team; without it a base role is asked for")
	cmd.Flags().StringVar(&f.lasts, "for", "", "how long, such as 8h or 7d")
	cmd.Flags().StringVar(&f.until, "until", "", "the last day instead, such as 2026-12-31")
	cmd.Flags().StringVar(&f.why, "why", "", "why, for whoever decides and for the record (needed)")
	cmd.Flags().StringVar(&f.incident, "incident", "", "the incident that it is for")
	return cmd
}

// end returns when it is to end.
func (f wishFlags) end(now time.Time) (time.Time, error) {
	if (f.lasts == "") == (f.until == "") {
		return time.Time{}, coded(exitUsage, lifecycle.Refuse(lifecycle.ErrInvalid, "say until when: either --for 8h or --until 2026-12-31"))
	}
	if f.until != "" {
		day, err := lifecycle.ParseDate(f.until)
		return day.End(time.UTC), err
	}
	lasts, err := lifecycle.ParseSpan(f.lasts)
	return now.Add(lasts), err
}

func wish(ctx context.Context, t *terminal, f wishFlags) error {
	until, err := f.end(time.Now())
	if err != nil {
		return err
	}
	if f.as == "" {
		return coded(exitUsage, lifecycle.Refuse(lifecycle.ErrInvalid, "say who asks: --as EMAIL"))
	}
	cfg, err := loadConfig(needDatabase, needPagerDuty)
	if err != nil {
		return err
	}
	return asKnown(ctx, f.as, func(ctx context.Context, db *storage.DB, written lifecycle.PolicySource, by lifecycle.Identity) error {
		planner, err := plannerOver(ctx, cfg, db, written)
		if err != nil {
			return err
		}
		r, err := planner.Wish(ctx, lifecycle.Wish{By: by, Team: f.team, Role: f.role, Until: until, Why: f.why, Incident: f.incident, Via: lifecycle.ViaCLI})
		if err != nil {
			return err
		}
		return say(t, r, wishInWords(r))
	})
}

// plannerOver is a planner for a command, over the database and PagerDuty, without Slack.
func plannerOver(ctx context.Context, cfg config, db *storage.DB, written lifecycle.PolicySource) (*lifecycle.Planner, error) {
	mode, err := lifecycle.ParseMode(cfg.Mode)
	if err != nil {
		return nil, err
	}
	pd, err := pagerduty.New(cfg.pagerDuty(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, fmt.Errorf("set up PagerDuty: %w", err)
	}
	rules, err := written.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the policy in force: %w", err)
	}
	source := lifecycle.NewTerms(policy.NewLive(rules, pd.Teams), db, time.Now)
	return lifecycle.NewPlanner(db, db, pd, source, lifecycle.NewBrakes(db, source, time.Now), mode, time.Now), nil
}

func wishInWords(r lifecycle.Request) string {
	return fmt.Sprintf("%s asks for %s until %s, and waits for %s. It may be decided until %s; if nobody does, nothing is changed.\n"+
		"Cancel it with rolecall request cancel %s --as %s", r.ID, plain(changesInWords(r)), at(r.Until), plain(strings.Join(r.Approvers, " or ")), at(r.DecideBy), r.ID, r.Subject.Email)
}

// wishRows say what somebody has asked for themselves, and what has come of its end.
func wishRows(r lifecycle.Request) (rows [][2]string) {
	if r.Asked != "" {
		rows = append(rows, [2]string{"Asked", r.Asked})
	}
	if r.Incident != "" {
		rows = append(rows, [2]string{"Incident", r.Incident})
	}
	if !r.Until.IsZero() {
		rows = append(rows, [2]string{"Until", at(r.Until)})
	}
	if !r.GivenBack.IsZero() {
		rows = append(rows, [2]string{"Given back", at(r.GivenBack)})
	}
	if r.EndedBy != "" {
		rows = append(rows, [2]string{"Ended", at(r.Ended) + " by " + string(r.EndedBy)})
	}
	if r.Ends != "" {
		rows = append(rows, [2]string{"Ends", string(r.Ends)})
	}
	return rows
}

// ownCommand does what somebody wants of what they have asked for themselves.
func ownCommand(t *terminal, use, short string, act func(*lifecycle.Approvals, context.Context, lifecycle.RequestID, lifecycle.Identity, lifecycle.Via) (lifecycle.Request, error)) *cobra.Command {
	var as string
	cmd := &cobra.Command{
		Use:   use + " ID --as EMAIL",
		Short: short,
		Args:  usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return acting(cmd.Context(), args[0], as, func(ctx context.Context, h hand) error {
				is, err := act(h.approvals, ctx, h.request.ID, h.by, lifecycle.ViaCLI)
				if err != nil {
					return err
				}
				return say(t, is, ownInWords(use, is))
			})
		},
	}
	cmd.Flags().StringVar(&as, "as", "", "address of the person who has asked for it (needed)")
	return cmd
}

func ownInWords(use string, r lifecycle.Request) string {
	switch use {
	case "nudge":
		return fmt.Sprintf("Those who have not decided %s are reminded.", r.ID)
	case "give-back":
		return fmt.Sprintf("%s is given back: a running rolecall serve takes it back in PagerDuty now.", r.ID)
	default:
		return fmt.Sprintf("%s is %s, and nothing was changed.", r.ID, r.State)
	}
}
