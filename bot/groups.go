package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// Groups is where it is kept who is in the user groups that the policy names.
// *lifecycle.Groups is one.
type Groups interface {
	// Named returns the groups that the policy in force names.
	Named(ctx context.Context) ([]lifecycle.GroupID, error)
	// Seen keeps who is in the group, all of them.
	Seen(ctx context.Context, id lifecycle.GroupID, handle string, members []lifecycle.SlackUser) error
	// Gone notes that there is no such group, so that nobody is in it.
	Gone(ctx context.Context, id lifecycle.GroupID) error
	// Unread notes that the group could not be read, and why.
	Unread(ctx context.Context, id lifecycle.GroupID, why string) error
}

// readGroups reads who is in the groups that the policy names: all of a group, or
// nothing of it. What cannot be read is noted, and read again at the next turn. Ref: "".
func (o *outbound) readGroups(ctx context.Context, _ lifecycle.Attempt) error {
	named, err := o.Groups.Named(ctx)
	if err != nil || len(named) == 0 {
		return err
	}
	found, members, err := o.lookAtGroups(ctx, named)
	if later, ok := errors.AsType[*lifecycle.JobError](err); ok {
		return later
	}
	var failed []error
	for _, id := range named {
		g, there := found[id]
		switch {
		case err != nil:
			failed = append(failed, o.Groups.Unread(ctx, id, "Slack answers "+slackCode(err)))
		case !there:
			failed = append(failed, o.Groups.Gone(ctx, id))
		default:
			in := make([]lifecycle.SlackUser, len(g.Users))
			for i, user := range g.Users {
				in[i] = members[user]
			}
			failed = append(failed, o.Groups.Seen(ctx, id, g.Handle, in))
		}
	}
	return errors.Join(failed...)
}

// lookAtGroups returns the named groups that there are, and everybody in them by
// their Slack id. It is whole, or an error.
func (o *outbound) lookAtGroups(ctx context.Context, named []lifecycle.GroupID) (map[lifecycle.GroupID]slack.UserGroup, map[string]lifecycle.SlackUser, error) {
	us, err := o.box.authTest(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("ask Slack who we are: %w", err)
	}
	all, err := o.box.userGroups(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("list user groups: %w", err)
	}
	found, in := map[lifecycle.GroupID]slack.UserGroup{}, []string{}
	for _, g := range all {
		if slices.Contains(named, lifecycle.GroupID(g.ID)) {
			found[lifecycle.GroupID(g.ID)] = g
			in = append(in, g.Users...)
		}
	}
	slices.Sort(in)
	members, err := o.membersOf(ctx, us.TeamID, slices.Compact(in))
	return found, members, err
}

// membersOf returns who the Slack users are. Many are read from a listing, which
// is fewer calls; those who are on none of its pages are looked up one by one.
func (o *outbound) membersOf(ctx context.Context, team string, ids []string) (map[string]lifecycle.SlackUser, error) {
	members := make(map[string]lifecycle.SlackUser, len(ids))
	if len(ids) >= listWorth {
		listed, err := o.box.listMembers(ctx, listPages)
		if err != nil {
			return nil, err
		}
		for _, u := range listed {
			members[u.ID] = slackUser(u, u.ID, team)
		}
	}
	for _, id := range ids {
		if _, known := members[id]; known {
			continue
		}
		u, err := o.box.userInfo(ctx, id)
		switch {
		case isCode(err, "user_not_found", "user_not_visible"):
			members[id] = lifecycle.SlackUser{ID: lifecycle.SlackID(id), Stranger: true}
		case err != nil:
			return nil, fmt.Errorf("look up Slack user %s: %w", id, err)
		default:
			members[id] = slackUser(*u, id, team)
		}
	}
	return members, nil
}

// slackUser returns the user whom we asked for by id, as far as deciding who they
// are takes; team is our workspace.
func slackUser(u slack.User, id, team string) lifecycle.SlackUser {
	return lifecycle.SlackUser{
		ID: lifecycle.SlackID(id), Email: u.Profile.Email, Deleted: u.Deleted,
		Guest:    u.IsRestricted || u.IsUltraRestricted,
		Stranger: u.IsStranger || u.ID != id || u.TeamID != team && !slices.Contains(u.Enterprise.Teams, team),
		Bot:      u.IsBot || u.IsConnectorBot || u.IsWorkflowBot || id == "USLACKBOT",
	}
}

// userGroups returns the user groups of the workspace that are in use, with who is in them.
func (o *outbox) userGroups(ctx context.Context) (all []slack.UserGroup, err error) {
	err = o.call(ctx, "usergroups.list", again, func() error {
		all, err = o.api.GetUserGroupsContext(ctx, slack.GetUserGroupsOptionIncludeUsers(true))
		return err
	})
	return all, err
}
