package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A move is one user who joins a group, or leaves it.
type move struct {
	user string
	join bool
}

// arrange stores the draft of a group: its attributes with the first that move,
// and the rest, when they are many, step by step.
func (p *Provisioning) arrange(ctx context.Context, o ResourceOrder, was Resource, draft ResourceDraft) (Resource, error) {
	is, _, err := was.become(draft.Body)
	if err != nil {
		return was, err
	}
	moves, err := p.moves(ctx, was, draft.Members)
	if err != nil {
		return was, err
	}
	first, rest := moves[:min(len(moves), atOnce)], moves[min(len(moves), atOnce):]
	if err := p.known(ctx, o.Client, rest); err != nil {
		return was, err
	}
	is, err = p.step(ctx, o, was, is, first)
	for chunk := range slices.Chunk(rest, atOnce) {
		if err != nil {
			break
		}
		is, err = tryAgain(ctx, func() (Resource, error) {
			was, err := p.load(ctx, ResourceOrder{Client: o.Client, Kind: o.Kind, ID: is.ID})
			if err != nil {
				return was, err
			}
			return p.step(ctx, o, was, was, chunk)
		})
	}
	return is, err
}

// moves returns who has to join and to leave, in the order of their ids.
func (p *Provisioning) moves(ctx context.Context, group Resource, m MemberChange) ([]move, error) {
	joins := map[string]bool{}
	for _, user := range m.Join {
		joins[user] = true
	}
	for _, user := range m.Leave {
		joins[user] = false
	}
	if m.Whole && group.Version > 0 {
		for after := ""; ; {
			page, err := p.store.Members(ctx, group.Client, group.ID, after, 5*atOnce)
			if err != nil {
				return nil, fmt.Errorf("list the members of %s: %w", group.ID, err)
			}
			for _, user := range page {
				if joins[user] {
					delete(joins, user) // is there already
				} else {
					joins[user] = false
				}
			}
			if len(page) < 5*atOnce {
				break
			}
			after = page[len(page)-1]
		}
	}
	list := make([]move, 0, len(joins))
	for user, join := range joins {
		list = append(list, move{user: user, join: join})
	}
	slices.SortFunc(list, func(a, b move) int { return strings.Compare(a.user, b.user) })
	return list, nil
}

// known refuses the moves when somebody who is to join is nobody: before any of them is made.
func (p *Provisioning) known(ctx context.Context, client string, moves []move) error {
	for _, m := range moves {
		if !m.join {
			continue
		}
		if _, err := p.store.Resource(ctx, client, ResourceUser, m.user); err != nil {
			return unknownMember(m.user, err)
		}
	}
	return nil
}

func unknownMember(user string, err error) error {
	if errors.Is(err, ErrNotFound) {
		return Refuse(ErrInvalid, "members: %s is no user of yours; create the user first, groups in groups are not kept", user)
	}
	return fmt.Errorf("load member %s: %w", user, err)
}

// step stores one version of a group with some moves, and what they say of people.
func (p *Provisioning) step(ctx context.Context, o ResourceOrder, was, is Resource, moves []move) (Resource, error) {
	b := p.batch(o)
	is = is.next(b.at)
	b.Put = []Resource{is}
	for _, m := range moves {
		if err := b.move(ctx, is, m); err != nil {
			return was, err
		}
	}
	same := bytes.Equal(was.Body, is.Body)
	if same && len(b.Put) == 1 {
		return was, nil
	}
	if !same && was.Version > 0 {
		b.Next = append(b.Next, restateOf(is, ""))
	}
	return is, b.save(ctx, is, did(was))
}

// move adds that a user joins the group or leaves it, unless it is so already.
func (b *batch) move(ctx context.Context, group Resource, m move) error {
	u, err := b.flow.store.Resource(ctx, group.Client, ResourceUser, m.user)
	if errors.Is(err, ErrNotFound) && !m.join {
		return nil // who is no more is a member of nothing
	}
	if err != nil {
		return unknownMember(m.user, err)
	}
	in, err := b.groupsOf(ctx, group.Client, m.user)
	if err != nil {
		return err
	}
	if _, member := in[group.ID]; member == m.join {
		return nil
	}
	moved := b.Leave
	delete(in, group.ID)
	if m.join {
		moved = b.Join
		if in[group.ID], err = b.label(group); err != nil {
			return err
		}
	}
	moved[group.ID] = append(moved[group.ID], m.user)
	return b.restate(u, in)
}

// restate adds the next version of a user for the groups that they are in.
func (b *batch) restate(u Resource, in membership) error {
	who, err := readProfile(u.Body)
	if err != nil {
		return err
	}
	_, err = b.put(u, who, in.names())
	return err
}

// restateOf is the job that tells a group's members anew, those after the one given.
func restateOf(group Resource, after string) Job {
	parts := []string{group.Client, string(group.Kind), group.ID}
	if after != "" {
		parts = append(parts, after)
	}
	return Job{Kind: JobRestate, Ref: strings.Join(parts, "/")}
}

// Restate tells anew of the members of a group that was renamed or deleted, some
// at a time: the job that follows does the next. It may be repeated. A ref that is
// none fails for ever.
func (p *Provisioning) Restate(ctx context.Context, ref string) error {
	parts := strings.Split(ref, "/")
	if len(parts) < 3 || len(parts) > 4 || parts[1] != string(ResourceGroup) {
		return Permanent(fmt.Errorf("restate %q: it is no group of a client", ref))
	}
	from := ""
	if len(parts) == 4 {
		from = parts[3]
	}
	_, err := tryAgain(ctx, func() (Resource, error) {
		return p.restatePage(ctx, Resource{Client: parts[0], Kind: ResourceGroup, ID: parts[2]}, from)
	})
	if errors.Is(err, errOvertaken) {
		return RetryAfter(err, time.Second)
	}
	return err
}

func (p *Provisioning) restatePage(ctx context.Context, group Resource, from string) (Resource, error) {
	users, err := p.store.Members(ctx, group.Client, group.ID, from, atOnce)
	if err != nil {
		return group, fmt.Errorf("list the members of %s: %w", group.ID, err)
	}
	if len(users) == 0 {
		return group, nil
	}
	stands, err := p.store.Resource(ctx, group.Client, ResourceGroup, group.ID)
	gone := errors.Is(err, ErrNotFound)
	if err != nil && !gone {
		return group, fmt.Errorf("load group %s: %w", group.ID, err)
	}
	if !gone {
		group = stands
	}
	b := p.batch(ResourceOrder{Client: group.Client, Kind: ResourceGroup, ID: group.ID})
	for _, id := range users {
		if err := b.anew(ctx, group.Client, id); err != nil {
			return group, err
		}
	}
	if gone {
		b.Leave[group.ID] = users
	}
	if len(users) == atOnce {
		b.Next = append(b.Next, restateOf(group, users[len(users)-1]))
	}
	return group, b.save(ctx, group, "restated")
}

// anew adds the next version of a user, when the groups they are in say something new.
func (b *batch) anew(ctx context.Context, client, id string) error {
	u, err := b.flow.store.Resource(ctx, client, ResourceUser, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load member %s: %w", id, err)
	}
	in, err := b.groupsOf(ctx, client, id)
	if err != nil {
		return err
	}
	facts, put := len(b.Facts), len(b.Put)
	if err := b.restate(u, in); err != nil {
		return err
	}
	if len(b.Facts) == facts {
		b.Put = b.Put[:put] // nothing new: it stays at its version
	}
	return nil
}
