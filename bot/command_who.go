package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// who says who is on a team, role by role, or what one person holds.
func (b *Bot) who(ctx context.Context, who lifecycle.Identity, args string) (message, error) {
	switch {
	case args == "":
		return message{}, lifecycle.Refuse(lifecycle.ErrInvalid, "Say whom or which team: `%s who payments`, or `%s who @ana`.", Command, Command)
	case strings.Contains(args, "@"):
		s, err := b.standing(ctx, who, args)
		if err != nil {
			return message{}, err
		}
		return lines(b.headline(s), b.holdLines(s), ""), nil
	default:
		return b.whoTeam(ctx, who, args)
	}
}

// whoTeam is for those who own the team, are on it, or are Security. Names of
// teams are no secret: the policy that lists them is read by everybody.
func (b *Bot) whoTeam(ctx context.Context, who lifecycle.Identity, name string) (message, error) {
	policy, err := b.cfg.Policies.Current(ctx)
	if err != nil {
		return message{}, fmt.Errorf("read the policy in force: %w", err)
	}
	team, holders, err := b.cfg.Desk.Team(ctx, name)
	if errors.Is(err, lifecycle.ErrNotFound) {
		return message{}, lifecycle.Refuse(lifecycle.ErrNotFound, "No team of the policy is called %q. There is %s.", clip(name, maxName), listed(teamNames(policy), 10, ", "))
	}
	if err != nil {
		return message{}, err
	}
	if !owns(team, who) && !isSecurity(policy, who) && !holds(policy, who, holders) {
		return message{}, lifecycle.Refuse(lifecycle.ErrForbidden, "Only owners of %s, people who are on it, and Security see who holds what there.", team.Name)
	}
	heading := fmt.Sprintf("*%s* · %s · owned by %s", foreign(team.Name, maxTeam), count(len(holders), "person", "people"), foreign(listed(team.Owners, 5, ", "), lineLength))
	return lines(heading, roster(holders), "PagerDuty's page of the team has all of them."), nil
}

func teamNames(p lifecycle.Policy) []string {
	names := make([]string, len(p.Teams))
	for i, t := range p.Teams {
		names[i] = t.Name
	}
	return names
}

func holds(policy lifecycle.Policy, who lifecycle.Identity, holders []lifecycle.Holder) bool {
	accounts := make([]lifecycle.Account, len(holders))
	for i, h := range holders {
		accounts[i] = h.Account
	}
	return lifecycle.Correlate(who, accounts, policy).State == lifecycle.Linked
}

// roster lists the holders under a bar for each role.
func roster(holders []lifecycle.Holder) []string {
	var all []string
	for _, role := range []lifecycle.TeamRole{lifecycle.TeamManager, lifecycle.TeamResponder, lifecycle.TeamObserver} {
		in := slices.DeleteFunc(slices.Clone(holders), func(h lifecycle.Holder) bool { return h.Role != role })
		if len(in) == 0 {
			continue
		}
		all = append(all, fmt.Sprintf("*%s* `%s` %d", role, bar(len(in), len(holders)), len(in)))
		for _, h := range in {
			all = append(all, "• "+foreign(h.Account.Name, maxName)+" · "+foreign(h.Account.Email, maxName)+" · "+roleWords(string(h.Account.BaseRole)))
		}
	}
	if len(all) == 0 {
		return []string{"Nobody, as of the last roll call."}
	}
	return all
}
