package bot

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// status says what somebody holds, what the policy says, and what is pending.
// Without an argument that is whoever asks; Security is then told too how the
// house itself stands.
func (b *Bot) status(ctx context.Context, who lifecycle.Identity, args string) (message, error) {
	s, err := b.standing(ctx, who, args)
	if err != nil {
		return message{}, err
	}
	all := slices.Concat(b.holdLines(s), wantLines(s.Want), b.pendingLines(s.Requests), b.findingLines(s.Findings))
	m := lines(b.headline(s), all, "The rest is in the record: ask Security for `rolecall request list`.")
	if args != "" {
		return m, nil
	}
	house, err := b.houseLines(ctx, who)
	m.Blocks = append(m.Blocks, paragraphs(house)...)
	return m, err
}

// standing returns the standing of the person that args names, if who may see
// it. Everybody sees their own, owners that of people on their teams, Security
// everybody's. Whether somebody is known at all is told to none but those.
func (b *Bot) standing(ctx context.Context, who lifecycle.Identity, args string) (lifecycle.Standing, error) {
	if args == "" {
		return b.cfg.Desk.Standing(ctx, who)
	}
	policy, err := b.cfg.Policies.Current(ctx)
	if err != nil {
		return lifecycle.Standing{}, fmt.Errorf("read the policy in force: %w", err)
	}
	them, err := b.person(ctx, args)
	switch {
	case err == nil && them.ID == who.ID:
		return b.cfg.Desk.Standing(ctx, who)
	case !ownsAny(policy, who) && !isSecurity(policy, who):
		return lifecycle.Standing{}, notYours()
	case (errors.Is(err, lifecycle.ErrNotFound) || errors.Is(err, lifecycle.ErrConflict)) && !isSecurity(policy, who):
		return lifecycle.Standing{}, notYours()
	case err != nil:
		return lifecycle.Standing{}, err
	}
	s, err := b.cfg.Desk.Standing(ctx, them)
	if err == nil && !isSecurity(policy, who) && !sharesTeam(policy, who, s) {
		err = notYours()
	}
	if err != nil {
		return lifecycle.Standing{}, err
	}
	return s, nil
}

func notYours() error {
	return lifecycle.Refuse(lifecycle.ErrForbidden, "You can see your own status with `%s status`. Owners see people of their teams, and Security sees everybody.", Command)
}

// sharesTeam reports whether who owns a team that the person is on, should be
// on, or has a request about.
func sharesTeam(p lifecycle.Policy, who lifecycle.Identity, s lifecycle.Standing) bool {
	var teams []lifecycle.TeamID
	if s.Account != nil {
		for _, m := range s.Account.Teams {
			teams = append(teams, m.Team.ID)
		}
	}
	for _, m := range s.Want.Teams {
		teams = append(teams, m.Team.ID)
	}
	for _, r := range s.Requests {
		for _, t := range r.HomeTeams() {
			if r.State.Open() {
				teams = append(teams, t.ID)
			}
		}
	}
	return slices.ContainsFunc(teams, func(id lifecycle.TeamID) bool {
		t, ok := p.TeamByID(id)
		return ok && owns(t, who)
	})
}

var (
	mention = regexp.MustCompile(`^<@([UW][A-Z0-9]+)(?:\|[^>]*)?>$`)
	mailto  = regexp.MustCompile(`^<mailto:([^|>]+)(?:\|[^>]*)?>$`)
)

// person returns who args means: a mention or an address. A bare name never
// does, because two people can have it.
func (b *Bot) person(ctx context.Context, args string) (lifecycle.Identity, error) {
	if m := mention.FindStringSubmatch(args); m != nil {
		u, err := b.people.user(ctx, slackRef{ID: m[1]})
		if err != nil {
			return lifecycle.Identity{}, err
		}
		return b.mentioned(ctx, u)
	}
	if m := mailto.FindStringSubmatch(args); m != nil {
		args = m[1]
	}
	if strings.Contains(args, "@") && !strings.HasPrefix(args, "@") && !strings.ContainsAny(args, " <>") {
		return b.cfg.Directory.Find(ctx, args)
	}
	return lifecycle.Identity{}, lifecycle.Refuse(lifecycle.ErrInvalid, "I cannot tell who %q is. Pick them from the list that opens when you type @, or give their e-mail address: `%s status ana@example.com`.", clip(args, maxName), Command)
}

// mentioned returns the identity that has the Slack user's address. It makes no
// tie: only the person themselves does that, by using rolecall.
func (b *Bot) mentioned(ctx context.Context, u lifecycle.SlackUser) (lifecycle.Identity, error) {
	if u.Email == "" || u.Bot || u.Stranger {
		return lifecycle.Identity{}, lifecycle.Refuse(lifecycle.ErrNotFound, "That is nobody of this workspace whose access is governed.")
	}
	i, err := b.cfg.Directory.Find(ctx, u.Email)
	if err == nil && i.Slack != "" && i.Slack != u.ID {
		err = lifecycle.Refuse(lifecycle.ErrConflict, "%s is linked to another Slack user. Give their e-mail address instead.", i.Person.Label())
	}
	return i, err
}

func (b *Bot) headline(s lifecycle.Standing) string {
	p := s.Identity.Person
	line := "*" + foreign(p.Label(), maxName) + "*"
	if p.Name != "" {
		line += " · " + foreign(p.Email(), maxName)
	}
	if status := s.Identity.StatusAt(b.cfg.Now()); status != lifecycle.StatusActive {
		line += " · " + string(status)
	}
	return line
}

func (b *Bot) holdLines(s lifecycle.Standing) []string {
	asOf := " _(no roll call yet)_"
	if !s.AsOf.IsZero() {
		asOf = " _(as of " + moment(s.AsOf, b.cfg.Location) + ")_"
	}
	line := "*Holds* " + accountWords(s.Account) + asOf
	if s.Account != nil && s.Account.Invited {
		line += " · the invitation is not accepted yet"
		if at := s.Account.InvitedAt; !at.IsZero() {
			line += ", seen since " + day(at, b.cfg.Location)
		}
	}
	return []string{line}
}

func wantLines(w lifecycle.Want) []string {
	var says []string
	if w.BaseRole != "" {
		says = append(says, roleWords(string(w.BaseRole)))
	}
	for _, m := range w.Teams {
		says = append(says, teamName(m.Team)+": "+string(m.Role))
	}
	line := "*Policy says* nothing about them"
	if len(says) > 0 {
		line = "*Policy says* " + strings.Join(says, " · ") + " (" + foreign("rule "+strings.Join(w.Rules, ", "), lineLength) + ")"
	}
	all := []string{line}
	if w.Conflict != "" {
		all = append(all, "The policy disagrees with itself here: "+foreign(w.Conflict, lineLength))
	}
	if len(w.Undetermined) > 0 {
		all = append(all, "Cannot tell, for lack of an attribute: "+foreign(strings.Join(w.Undetermined, ", "), lineLength))
	}
	return all
}

func (b *Bot) pendingLines(requests []lifecycle.Request) []string {
	var all []string
	for _, r := range requests {
		if r.State.Open() {
			all = append(all, "• "+requestLine(r)+" · "+b.stateWords(r))
		}
	}
	if len(all) == 0 {
		return []string{"*Pending* nothing"}
	}
	return append([]string{"*Pending*"}, all...)
}

func (b *Bot) findingLines(findings []lifecycle.Finding) []string {
	if len(findings) == 0 {
		return nil
	}
	all := []string{"*Findings*"}
	for _, f := range findings {
		all = append(all, "• "+findingWords(f))
	}
	return all
}

// requestLine says in a line what a request asks for.
func requestLine(r lifecycle.Request) string {
	return subjectName(r.Subject) + ": " + listed(titleWords(r), 3, ", ")
}

// stateWords says where a request stands, and since or until when.
func (b *Bot) stateWords(r lifecycle.Request) string {
	switch {
	case r.State == lifecycle.Pending && !r.DecideBy.IsZero():
		return fmt.Sprintf("waiting (%d of %d), decide by %s", r.Approvals(), r.Needed, moment(r.DecideBy, b.cfg.Location))
	case r.State == lifecycle.Pending:
		return fmt.Sprintf("waiting (%d of %d) for %s", r.Approvals(), r.Needed, span(b.cfg.Now().Sub(r.OpenedAt)))
	case r.State == lifecycle.Holding:
		return "approved, holding until " + moment(r.HoldUntil, b.cfg.Location)
	default:
		return string(r.State) + " since " + moment(r.UpdatedAt, b.cfg.Location)
	}
}
