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

// What somebody has said of a hold.
const (
	saidPropose = "propose"
	saidRelease = "release"
	saidRefuse  = "refuse"
)

// Propose says what to let go: all that the hold stops, or some of it. What one
// person has proposed another lets go by proposing the same; who proposes
// something else takes the place of what was proposed. The first sync of a source
// takes one person. A release that does not count is a Refusal whose reason is for
// the person who tried, and the hold is returned as it is.
func (b *Brakes) Propose(ctx context.Context, r Release) (Hold, error) {
	r.Only = sortedNotices(r.Only)
	return b.decide(ctx, r, sitting.propose)
}

// Refuse says that nothing is to come of what the hold stops. It takes one person.
func (b *Brakes) Refuse(ctx context.Context, r Release) (Hold, error) {
	r.All = true
	return b.decide(ctx, r, sitting.refuse)
}

// decide loads, judges and saves, again when somebody else was faster.
func (b *Brakes) decide(ctx context.Context, r Release, f func(sitting, Release) (ruling, error)) (Hold, error) {
	r.Reason = strings.TrimSpace(r.Reason)
	if len([]rune(r.Reason)) > reasonLength {
		return Hold{}, Refuse(ErrInvalid, "the reason is longer than %d characters", reasonLength)
	}
	for range decideTries {
		s, policy, err := b.sit(ctx, r)
		if err != nil {
			return s.hold, err
		}
		if err := s.authorise(policy); err != nil {
			return s.hold, b.turnedAway(ctx, r, err)
		}
		is, err := f(s, r)
		if err != nil {
			return s.hold, err
		}
		switch err := b.rule(ctx, is, r, policy); {
		case err == nil:
			return is.hold, is.lapsed
		case !errors.Is(err, ErrConflict):
			return s.hold, err
		}
	}
	return Hold{}, Refuse(ErrConflict, "others are deciding on this at the same moment; look again and retry")
}

func (b *Brakes) sit(ctx context.Context, r Release) (s sitting, policy Policy, err error) {
	s.by, s.now = r.By, b.now()
	if s.hold, err = b.store.Hold(ctx, r.Hold); err != nil {
		return s, policy, fmt.Errorf("load hold %s: %w", r.Hold, err)
	}
	if s.waiting, err = b.Waiting(ctx, r.Hold); err != nil {
		return s, policy, err
	}
	if policy, err = b.policies.Current(ctx); err != nil {
		return s, policy, fmt.Errorf("read the policy in force: %w", err)
	}
	s.members, err = security(ctx, b.store, policy, s.now)
	return s, policy, err
}

// security returns who of Security may decide now: known by one identity, active,
// and of a domain of the policy.
func security(ctx context.Context, store PeopleReader, policy Policy, now time.Time) ([]Identity, error) {
	var members []Identity
	for _, email := range policy.Security.Members {
		known, err := store.IdentitiesByEmail(ctx, FoldEmail(email))
		if err != nil {
			return nil, fmt.Errorf("look up who is of Security: %w", err)
		}
		if len(known) == 1 && known[0].MayDecide(now) && policy.MayDecideFrom(email) {
			members = append(members, known[0])
		}
	}
	return members, nil
}

// rule stores the ruling.
func (b *Brakes) rule(ctx context.Context, is ruling, r Release, policy Policy) error {
	e := AuditEvent{At: b.now(), Actor: ByIdentity(r.By.ID), Kind: is.kind, Ref: string(is.hold.ID), Detail: map[string]string{
		"reason": r.Reason, "via": string(r.Via), "policy": policy.SHA256, "all": strconv.FormatBool(r.All),
	}}
	if len(r.Only) > 0 {
		e.Detail["only"] = joinNotices(r.Only)
	}
	if len(is.removals) > 0 {
		of := b.judged(is.removals, "").Detail
		e.Detail["state"], e.Detail["removals"], e.Detail["notices"] = of["state"], of["removals"], of["notices"]
	}
	if is.lapsed != nil {
		e.Detail["lapsed"] = ReasonOf(is.lapsed)
	}
	return wrap("save hold "+string(is.hold.ID), b.store.SaveHold(ctx, is.hold, is.removals, e, is.next...))
}

// turnedAway puts an attempt by somebody who may not decide on the record.
func (b *Brakes) turnedAway(ctx context.Context, r Release, refused error) error {
	e := AuditEvent{At: b.now(), Actor: ByIdentity(r.By.ID), Kind: EventRequestRefused, Ref: string(r.Hold), Detail: map[string]string{"why": ReasonOf(refused)}}
	if err := b.store.Record(ctx, e); err != nil {
		return fmt.Errorf("record refusal on hold %s: %w", r.Hold, err)
	}
	return refused
}

func sortedNotices(ids []NoticeID) []NoticeID {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

func joinNotices(ids []NoticeID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
	}
	return strings.Join(words, " ")
}

// Open returns the holds that stand, the oldest first.
func (b *Brakes) Open(ctx context.Context) ([]Hold, error) {
	open, err := b.store.Holds(ctx)
	return open, wrap("list holds", err)
}

// Waiting returns what the hold stops now, the oldest first.
func (b *Brakes) Waiting(ctx context.Context, id HoldID) ([]Removal, error) {
	all, err := b.store.RemovalsOf(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("list what hold %s stops: %w", id, err)
	}
	return slices.DeleteFunc(all, func(r Removal) bool { return r.State != RemovalHeld }), nil
}

// Held returns everybody about whom something is held, and by which hold.
func (b *Brakes) Held(ctx context.Context) (map[IdentityID]HoldID, error) {
	removals, err := b.store.Removals(ctx, b.now())
	if err != nil {
		return nil, fmt.Errorf("list removals: %w", err)
	}
	held := map[IdentityID]HoldID{}
	for _, r := range removals {
		if r.State == RemovalHeld {
			held[r.Identity] = r.Hold
		}
	}
	return held, nil
}
