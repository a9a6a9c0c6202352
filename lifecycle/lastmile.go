package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Reacher says how PagerDuty can reach somebody.
type Reacher interface {
	// Reach returns how the account's person can be reached, and what is missing
	// before they can be paged; or ErrNotFound when there is no such account. What
	// the key may not see is a Refusal that says so.
	Reach(ctx context.Context, id AccountID) (Reach, error)
}

// LastMileStore is where the last mile is followed.
type LastMileStore interface {
	RequestStore
	Recorder
	// Identity returns the identity, or ErrNotFound.
	Identity(ctx context.Context, id IdentityID) (Identity, error)
}

// A LastMile sees to it that somebody who joined can be paged: an account with
// the right roles wakes nobody who has not accepted the invitation, or has no phone.
type LastMile struct {
	store    LastMileStore
	platform Reacher
	mode     Mode
	now      func() time.Time
}

// NewLastMile returns a last mile over store.
func NewLastMile(store LastMileStore, platform Reacher, mode Mode, now func() time.Time) *LastMile {
	return &LastMile{store: store, platform: platform, mode: mode, now: now}
}

// lookAgainAfter is when somebody who could not be paged once their request was
// done is looked at again. After that, the roll call's finding has it.
func lookAgainAfter() []time.Duration { return []time.Duration{24 * time.Hour, 72 * time.Hour} }

// Follow looks whether the joiner of the request, which is done, can be paged,
// and keeps the answer on the request when it is another than before. It may be
// repeated, and does nothing once nothing is missing, when they have left, or in
// observe mode. That PagerDuty does not show it is recorded, and not tried again.
func (m *LastMile) Follow(ctx context.Context, id RequestID) error {
	r, err := m.store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	if goes, err := m.goes(ctx, r); err != nil || !goes {
		return err
	}
	reach, err := m.platform.Reach(ctx, r.Account.ID)
	switch reason := ReasonOf(err); {
	case reason != "":
		return wrap("record last mile of request "+string(id), m.store.Record(ctx, m.event(r, reason)))
	case errors.Is(err, ErrNotFound): // it was deleted since; the roll call tells
		return nil
	case err != nil:
		return fmt.Errorf("read how account %s is reached: %w", r.Account.ID, err)
	case r.Reach != nil && r.Reach.equal(reach):
		return nil
	}
	return m.keep(ctx, r, reach)
}

func (m *LastMile) goes(ctx context.Context, r Request) (bool, error) {
	if m.mode != Enforce || r.Observe || r.Kind != RequestJoiner || r.State != Done || r.Account.ID == "" {
		return false, nil
	}
	if r.Reach != nil && len(r.Reach.Missing) == 0 {
		return false, nil
	}
	who, err := m.store.Identity(ctx, r.Subject.ID)
	if err != nil {
		return false, fmt.Errorf("load identity %s: %w", r.Subject.ID, err)
	}
	return who.StatusAt(m.now()) == StatusActive, nil
}

// keep stores the answer. The looks that follow are all put in the queue with
// the first answer, so that a step repeated after a crash adds none.
func (m *LastMile) keep(ctx context.Context, was Request, reach Reach) error {
	is, now := was, m.now()
	is.Reach = &reach // UpdatedAt stays: it is not done anew
	is.Revision++
	next := []Job{show(is.ID)}
	if was.Reach == nil && len(reach.Missing) > 0 {
		for _, after := range lookAgainAfter() {
			if at := was.doneAt().Add(after); at.After(now) {
				next = append(next, Job{Kind: JobFollow, Ref: string(is.ID), At: at})
			}
		}
	}
	outcome := "Can be paged."
	if len(reach.Missing) > 0 {
		outcome = strings.Join(reach.Missing, " ")
	}
	return wrap("save request "+string(is.ID), m.store.SaveRequest(ctx, is, m.event(is, outcome), next...))
}

func (m *LastMile) event(r Request, outcome string) AuditEvent {
	return AuditEvent{At: m.now(), Actor: System, Kind: EventReachLooked, Ref: string(r.ID), Detail: map[string]string{
		"account": string(r.Account.ID), "outcome": outcome,
	}}
}

// doneAt returns when the last change of a request that is done was verified.
func (r Request) doneAt() time.Time {
	var at time.Time
	for _, c := range r.Changes {
		if c.VerifiedAt.After(at) {
			at = c.VerifiedAt
		}
	}
	return at
}

func (r Reach) equal(other Reach) bool {
	return r.Invited == other.Invited && r.Phone == other.Phone && r.Push == other.Push && r.Rules == other.Rules && slices.Equal(r.Missing, other.Missing)
}
