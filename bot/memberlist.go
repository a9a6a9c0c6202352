package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// How much of the workspace is read at once. Slack lets twenty pages through in
// a minute; whoever is on none of them is looked up alone.
const (
	listWorth = 20  // people to be told, from which on a whole listing is fewer calls
	listPage  = 500 // of at most 1,000 that Slack takes
	listPages = 15
)

// A memberList is who is in the workspace, as far as it was read: it spares a look-up
// of each person when many are told something at once.
type memberList struct {
	mu    sync.Mutex
	at    time.Time
	ids   map[string]lifecycle.SlackID // by folded address
	zones map[lifecycle.SlackID]string
}

// learn reads the workspace, unless that was done a moment ago. One that cannot
// be read is no reason to tell nobody: they are looked up one by one then.
func (o *outbound) learn(ctx context.Context) error {
	o.members.mu.Lock()
	defer o.members.mu.Unlock()
	if o.Now().Sub(o.members.at) < namesKept {
		return nil
	}
	members, err := o.box.listMembers(ctx, listPages)
	if later, ok := errors.AsType[*lifecycle.JobError](err); ok {
		return later
	}
	if err != nil {
		o.Log.WarnContext(ctx, "people are looked up one by one", slog.Any("err", err))
		return nil
	}
	o.members.at, o.members.ids, o.members.zones = o.Now(), map[string]lifecycle.SlackID{}, map[lifecycle.SlackID]string{}
	for _, u := range members {
		if u.Deleted || u.IsBot || u.IsStranger {
			continue
		}
		o.members.zones[lifecycle.SlackID(u.ID)] = u.TZ
		if email := lifecycle.FoldEmail(u.Profile.Email); email != "" {
			o.members.ids[email] = lifecycle.SlackID(u.ID)
		}
	}
	return nil
}

// listed returns the member with that address, "" for one who is on no page that was read lately.
func (o *outbound) listed(email string) lifecycle.SlackID {
	o.members.mu.Lock()
	defer o.members.mu.Unlock()
	if o.Now().Sub(o.members.at) >= namesKept {
		return ""
	}
	return o.members.ids[email]
}

// zoneKnown returns the zone that a member has set, "" for one who is on no page that was read lately.
func (o *outbound) zoneKnown(user string) string {
	o.members.mu.Lock()
	defer o.members.mu.Unlock()
	if o.Now().Sub(o.members.at) >= namesKept {
		return ""
	}
	return o.members.zones[lifecycle.SlackID(user)]
}

// listMembers returns the people of the workspace, at most that many pages of them.
func (o *outbox) listMembers(ctx context.Context, most int) ([]slack.User, error) {
	page := o.api.GetUsersPaginated(slack.GetUsersOptionLimit(listPage))
	var all []slack.User
	for range most {
		err := o.call(ctx, "users.list", again, func() (err error) {
			page, err = page.Next(ctx)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list the workspace: %w", err)
		}
		all = append(all, page.Users...)
		if page.Cursor == "" {
			return all, nil
		}
	}
	return all, nil
}
