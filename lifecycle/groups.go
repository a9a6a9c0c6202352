package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// GroupFresh is how long a group counts that could not be read again. Then nobody
// in it does: who is in it now cannot be told.
const GroupFresh = 24 * time.Hour

// Fresh reports whether what is known of the group counts at t.
func (g Group) Fresh(t time.Time) bool { return !g.ReadAt.IsZero() && t.Sub(g.ReadAt) < GroupFresh }

// name is what people call the group.
func (g Group) name() string {
	if g.Handle == "" {
		return string(g.ID)
	}
	return "@" + g.Handle
}

// groups returns every group that the policy names, once each.
func (p Policy) groups() []GroupID {
	var all []GroupID
	for _, t := range p.Teams {
		all = append(all, t.Groups...)
	}
	if p.Security.Group != "" {
		all = append(all, p.Security.Group)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Groups keeps who is in the Slack user groups that the policy names.
type Groups struct {
	store     GroupStore
	directory *Directory
	policies  PolicySource
	now       func() time.Time
}

// NewGroups returns groups over store.
func NewGroups(store GroupStore, directory *Directory, policies PolicySource, now func() time.Time) *Groups {
	return &Groups{store: store, directory: directory, policies: policies, now: now}
}

// Named returns the groups that the policy in force names.
func (g *Groups) Named(ctx context.Context) ([]GroupID, error) {
	policy, err := g.policies.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the policy in force: %w", err)
	}
	return policy.groups(), nil
}

// Seen keeps who is in the group, all of them. Guests, bots, strangers, whoever is
// deactivated, and whose address is of no domain of the policy, are no members.
// Those who are new are made known, as people whom the policy names are.
func (g *Groups) Seen(ctx context.Context, id GroupID, handle string, members []SlackUser) error {
	policy, err := g.policies.Current(ctx)
	if err != nil {
		return fmt.Errorf("read the policy in force: %w", err)
	}
	emails := []string{}
	for _, u := range members {
		email, err := g.directory.addressOf(ctx, u)
		if err != nil {
			return err
		}
		if policy.MayDecideFrom(email) {
			emails = append(emails, email)
		}
	}
	slices.Sort(emails)
	emails = slices.Compact(emails)
	if err := g.directory.admit(ctx, emails, ByPolicy(policy.SHA256), "in the group @"+handle+" that the policy names"); err != nil {
		return err
	}
	was, err := g.known(ctx, id)
	if err != nil {
		return err
	}
	if was.Revision > 0 && was.Trouble == "" && was.Handle == handle && slices.Equal(was.Emails, emails) {
		return wrap("note that group "+string(id)+" was read", g.store.GroupRead(ctx, id, g.now()))
	}
	is := Group{ID: id, Revision: was.Revision + 1, Handle: handle, Emails: emails, ReadAt: g.now()}
	return g.save(ctx, is, AuditEvent{Kind: EventGroupChanged, Detail: map[string]string{
		"handle": handle, "members": strconv.Itoa(len(emails)), "joined": strings.Join(except(emails, was.Emails), ", "), "left": strings.Join(except(was.Emails, emails), ", "),
	}})
}

// Gone notes that there is no such group, or none that is in use: nobody is in it.
// Security is told, once.
func (g *Groups) Gone(ctx context.Context, id GroupID) error {
	was, err := g.known(ctx, id)
	if err != nil {
		return err
	}
	const why = "Slack has no such group, or it is disabled"
	if was.Trouble == why && len(was.Emails) == 0 {
		return wrap("note that group "+string(id)+" was read", g.store.GroupRead(ctx, id, g.now()))
	}
	is := Group{ID: id, Revision: was.Revision + 1, Handle: was.Handle, Emails: []string{}, ReadAt: g.now(), Trouble: why}
	told := alert(fmt.Sprintf("The policy names the Slack user group %s, and %s. Nobody decides anything for being in it: correct the policy, or enable the group.", is.name(), why))
	return g.save(ctx, is, AuditEvent{Kind: EventGroupChanged, Detail: map[string]string{
		"handle": is.Handle, "members": "0", "left": strings.Join(was.Emails, ", "), "why": why,
	}}, told)
}

// Unread notes that the group could not be read, and why. What is known of it
// counts for a day; once it does not, Security is told, once.
func (g *Groups) Unread(ctx context.Context, id GroupID, why string) error {
	was, err := g.known(ctx, id)
	if err != nil || was.Fresh(g.now()) || was.Trouble != "" {
		return err
	}
	is := was
	is.Revision, is.Trouble = was.Revision+1, why
	told := alert(fmt.Sprintf("It cannot be told who is in the Slack user group %s that the policy names: %s. Until it can, nobody decides anything for being in it.", is.name(), why))
	return g.save(ctx, is, AuditEvent{Kind: EventGroupFailed, Detail: map[string]string{"why": why}}, told)
}

func (g *Groups) save(ctx context.Context, is Group, e AuditEvent, next ...Job) error {
	e.At, e.Actor, e.Ref = g.now(), System, string(is.ID)
	err := g.store.SaveGroup(ctx, is, e, next...)
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrDuplicate) {
		return nil // another replica has just read it
	}
	return wrap("save group "+string(is.ID), err)
}

// known returns the group as it was last read, or one that never was.
func (g *Groups) known(ctx context.Context, id GroupID) (Group, error) {
	all, err := g.store.Groups(ctx)
	if err != nil {
		return Group{}, fmt.Errorf("list groups: %w", err)
	}
	if k := slices.IndexFunc(all, func(have Group) bool { return have.ID == id }); k >= 0 {
		return all[k], nil
	}
	return Group{ID: id}, nil
}

// except returns those of all who are not among those.
func except(all, those []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(those, s) })
}
