package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"

	"rolecall/lifecycle"
)

const (
	knownFor  = time.Minute // somebody deactivated in Slack stops counting that soon
	knownMost = 10_000
)

// people says who somebody in Slack is.
type people struct {
	out       *outbox
	directory *lifecycle.Directory
	now       func() time.Time

	flight singleflight.Group
	mu     sync.Mutex
	team   string // ours, once Slack has said so
	known  map[string]known
}

type known struct {
	user  lifecycle.SlackUser
	teams []string // the workspaces they belong to: on an Enterprise Grid there are several
	at    time.Time
}

// in returns the user as the payload has them: a stranger, when it came in the
// name of a workspace that they do not belong to.
func (k known) in(team string) lifecycle.SlackUser {
	u := k.user
	u.Stranger = u.Stranger || team != "" && !slices.Contains(k.teams, team)
	return u
}

func newPeople(out *outbox, cfg Config) *people {
	return &people{out: out, directory: cfg.Directory, now: cfg.Now, known: map[string]known{}}
}

// who returns the one identity that a member of our workspace is, or a Refusal
// for the person who asked. What the payload says of them counts only against them.
func (p *people) who(ctx context.Context, ref slackRef) (lifecycle.Identity, error) {
	u, err := p.user(ctx, ref)
	if err != nil {
		return lifecycle.Identity{}, err
	}
	i, err := p.directory.Who(ctx, u)
	if errors.Is(err, lifecycle.ErrConflict) && lifecycle.ReasonOf(err) == "" {
		i, err = p.directory.Who(ctx, u) // their first two presses came at once, and the other one made the tie
	}
	return i, err
}

// reader is who, for whoever only asks: it is refused to those whom no source of
// truth knows as active now. The words do not say what has become of them.
func (p *people) reader(ctx context.Context, ref slackRef) (lifecycle.Identity, error) {
	i, err := p.who(ctx, ref)
	if err == nil && !i.MayDecide(p.now()) {
		return lifecycle.Identity{}, lifecycle.Refuse(lifecycle.ErrForbidden, "rolecall answers only people whom a source of truth knows as active. If that should be you, ask Security.")
	}
	return i, err
}

// user returns what deciding who ref is takes, at most a minute old.
func (p *people) user(ctx context.Context, ref slackRef) (lifecycle.SlackUser, error) {
	team, err := p.ours(ctx)
	if err != nil {
		return lifecycle.SlackUser{}, err
	}
	if k, ok := p.remembered(ref.ID); ok {
		return k.in(ref.TeamID), nil
	}
	found, err, _ := p.flight.Do(ref.ID, func() (any, error) { return p.fetch(ctx, ref.ID, team) })
	if err != nil {
		return lifecycle.SlackUser{}, err
	}
	return found.(known).in(ref.TeamID), nil
}

func (p *people) fetch(ctx context.Context, id, team string) (known, error) {
	u, err := p.out.userInfo(ctx, id)
	if refused, ok := errors.AsType[slack.SlackErrorResponse](err); ok && (refused.Err == "user_not_found" || refused.Err == "user_not_visible") {
		return known{}, lifecycle.Refuse(lifecycle.ErrForbidden, "Only members of this workspace can use rolecall.")
	}
	if err != nil {
		return known{}, fmt.Errorf("look up Slack user %s: %w", id, err)
	}
	found := known{teams: append(u.Enterprise.Teams, u.TeamID), at: p.now()}
	found.user = slackUser(*u, id, team)
	p.remember(found)
	return found, nil
}

func (p *people) remembered(id string) (known, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k, ok := p.known[id]
	return k, ok && p.now().Sub(k.at) < knownFor
}

func (p *people) remember(k known) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= knownMost {
		clear(p.known)
	}
	p.known[string(k.user.ID)] = k
}

// ours returns the id of the workspace that the bot token belongs to.
func (p *people) ours(ctx context.Context) (string, error) {
	p.mu.Lock()
	team := p.team
	p.mu.Unlock()
	if team != "" {
		return team, nil
	}
	found, err, _ := p.flight.Do("", func() (any, error) { return p.introduce(ctx) })
	if err != nil {
		return "", err
	}
	return found.(string), nil
}

func (p *people) introduce(ctx context.Context) (string, error) {
	us, err := p.out.authTest(ctx)
	if err != nil {
		return "", fmt.Errorf("ask Slack who we are: %w", err)
	}
	if us.TeamID == "" {
		return "", errors.New("ask Slack who we are: it names no workspace")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.team = us.TeamID
	return us.TeamID, nil
}

// introduced returns nil once Slack has said who we are.
func (p *people) introduced() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.team == "" {
		return errors.New("slack has not accepted the bot token yet")
	}
	return nil
}
