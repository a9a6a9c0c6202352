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

const takeAtOnce = 200 // notices that go on in one transaction

// Take lets go on what was released: notices are planned, a policy comes into
// force, a source is acted on. Leavers who were refused have not left. It may be
// repeated: a notice that is planned twice opens the same requests, and what came
// into force since is not put back.
func (b *Brakes) Take(ctx context.Context, id HoldID) error {
	h, err := b.store.Hold(ctx, id)
	if err != nil {
		return fmt.Errorf("load hold %s: %w", id, err)
	}
	switch {
	case h.Kind == HoldLeavers && h.State == HoldRefused:
		return errors.Join(b.goOn(ctx, h), b.stay(ctx, h))
	case h.Kind == HoldLeavers, h.Kind == HoldMovers:
		return b.goOn(ctx, h)
	case h.State != HoldReleased:
		return nil
	case h.Kind == HoldPolicy:
		return b.enforce(ctx, h)
	case h.Kind == HoldSource:
		return startSource(ctx, b.store, h.Source, h.UpdatedAt, h.releasedBy())
	default:
		return fmt.Errorf("release hold %s: there are no holds of %q", id, h.Kind)
	}
}

// goOn plans every notice that the hold has let go.
func (b *Brakes) goOn(ctx context.Context, h Hold) error {
	all, err := b.store.RemovalsOf(ctx, h.ID)
	if err != nil {
		return fmt.Errorf("list what hold %s stopped: %w", h.ID, err)
	}
	released := slices.DeleteFunc(all, func(r Removal) bool { return r.State != RemovalPassed })
	for some := range slices.Chunk(released, takeAtOnce) {
		e := b.judged(some, "Goes on.")
		e.Ref = string(h.ID)
		next := make([]Job, len(some))
		for i, r := range some {
			next[i] = Job{Kind: JobPlan, Ref: string(r.Notice)}
		}
		if err := b.store.Record(ctx, e, next...); err != nil {
			return fmt.Errorf("go on with what hold %s let go: %w", h.ID, err)
		}
	}
	return nil
}

// stay says, in the name of the person who refused the hold, that nobody of those
// whom it stopped has left: else the next roll call would ask about every one.
func (b *Brakes) stay(ctx context.Context, h Hold) error {
	all, err := b.store.RemovalsOf(ctx, h.ID)
	if err != nil {
		return fmt.Errorf("list what hold %s stopped: %w", h.ID, err)
	}
	inbox := NewInbox(b.store, b.now)
	for _, r := range all {
		if r.State != RemovalRefused {
			continue
		}
		_, _, err := inbox.Receive(ctx, Fact{
			Source: SourcePeople, EventID: string(h.ID) + "/" + string(r.Notice), Kind: FactStatus, Key: string(r.Identity),
			Person: Person{Status: StatusActive}, ObservedAt: h.UpdatedAt,
		})
		if err != nil {
			return fmt.Errorf("say that %s has not left: %w", r.Identity, err)
		}
	}
	return nil
}

// enforce puts the policy in force, unless one has come into force since the
// release: that is this one, or a newer one.
func (b *Brakes) enforce(ctx context.Context, h Hold) error {
	now, err := b.store.PolicyInForce(ctx)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("look up the policy in force: %w", err)
	}
	if err == nil && !now.At.Before(h.UpdatedAt) {
		return nil
	}
	p, err := b.store.PolicyText(ctx, h.Policy)
	if err != nil {
		return fmt.Errorf("load policy %s: %w", h.Policy, err)
	}
	p.At, p.By = b.now(), h.releasedBy()
	e := AuditEvent{At: p.At, Actor: System, Kind: EventPolicyLoaded, Ref: p.SHA256, Detail: map[string]string{"hold": string(h.ID), "by": p.By}}
	return wrap("put policy "+p.SHA256+" in force", b.store.EnforcePolicy(ctx, p, e, card(h)))
}

// releasedBy returns who let the hold go: who proposed what came of it, and who
// said the same.
func (h Hold) releasedBy() string {
	last := len(h.Decisions) - 1
	if last < 0 {
		return ""
	}
	by := []string{h.Decisions[last].By}
	for _, d := range slices.Backward(h.Decisions[:last]) {
		if d.What == saidPropose {
			by = []string{d.By, by[0]}
			break
		}
	}
	return strings.Join(by, " and ")
}

// HoldPolicy stops a policy that takes more from people than is ordinary, until
// two people let it come into force; the one in force stays so. It returns the
// hold that stands where the same text waits already. Another text that waited is
// the file's no more, and nothing comes of it.
func (b *Brakes) HoldPolicy(ctx context.Context, waiting PolicyText, why string, limit, population int) (Hold, error) {
	open, err := b.store.Holds(ctx)
	if err != nil {
		return Hold{}, fmt.Errorf("list holds: %w", err)
	}
	for _, h := range open {
		switch {
		case h.Kind != HoldPolicy:
		case h.Policy == waiting.SHA256:
			return h, nil
		default:
			if err := b.close(ctx, h, "The policy file was changed again; what waited is not in it any more."); err != nil {
				return h, err
			}
		}
	}
	now := b.now()
	h := Hold{
		ID: NewHoldID(), Kind: HoldPolicy, Revision: 1, State: HoldStands, Why: why, Limit: limit, Population: population,
		Policy: waiting.SHA256, OpenedAt: now, UpdatedAt: now, Decisions: []HoldDecision{},
	}
	e := AuditEvent{At: now, Actor: System, Kind: EventPolicyRefused, Ref: waiting.SHA256, Detail: map[string]string{"why": why, "hold": string(h.ID)}}
	if err := b.store.KeepPolicy(ctx, waiting, e); err != nil {
		return h, fmt.Errorf("keep policy %s: %w", waiting.SHA256, err)
	}
	e.Kind, e.Ref = EventHoldOpened, string(h.ID)
	e.Detail = map[string]string{"why": why, "kind": string(h.Kind), "policy": h.Policy, "limit": strconv.Itoa(limit)}
	err = b.store.SaveHold(ctx, h, nil, e, card(h))
	if errors.Is(err, ErrConflict) { // another replica has seen the same file
		return b.policyHold(ctx, waiting.SHA256)
	}
	return h, wrap("hold policy "+waiting.SHA256, err)
}

func (b *Brakes) policyHold(ctx context.Context, sha string) (Hold, error) {
	open, err := b.store.Holds(ctx)
	if err != nil {
		return Hold{}, fmt.Errorf("list holds: %w", err)
	}
	k := slices.IndexFunc(open, func(h Hold) bool { return h.Kind == HoldPolicy && h.Policy == sha })
	if k < 0 {
		return Hold{}, fmt.Errorf("hold policy %s: %w", sha, ErrConflict)
	}
	return open[k], nil
}

// Remind tells Security of every hold that has stood for a day or longer, once a
// day. Nothing else ever follows from waiting.
func (b *Brakes) Remind(ctx context.Context) error {
	open, err := b.store.Holds(ctx)
	if err != nil {
		return fmt.Errorf("list holds: %w", err)
	}
	for _, h := range open {
		days := int(b.now().Sub(h.OpenedAt) / (24 * time.Hour))
		if days < 1 || b.reminded(h.ID, days) {
			continue
		}
		waiting, err := b.Waiting(ctx, h.ID)
		if err != nil {
			return err
		}
		e := AuditEvent{At: b.now(), Actor: System, Kind: EventMessageSent, Ref: string(h.ID), Detail: map[string]string{"days": strconv.Itoa(days)}}
		if err := b.store.Record(ctx, e, alert(h.reminder(len(waiting), days))); err != nil {
			return fmt.Errorf("remind of hold %s: %w", h.ID, err)
		}
		b.mu.Lock()
		b.told[h.ID] = days
		b.mu.Unlock()
	}
	return nil
}

// reminded reports whether this process has told Security of the hold that day
// already; the sentence is the same for every process, and told once.
func (b *Brakes) reminded(id HoldID, days int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told[id] >= days
}

func (h Hold) reminder(waiting, days int) string {
	what := fmt.Sprintf("Nothing has come of what was heard of %d people: it", waiting)
	switch h.Kind {
	case HoldPolicy:
		what = "A policy file"
	case HoldSource:
		what = "The first sync of " + h.Source
	case HoldLeavers, HoldMovers:
	}
	return fmt.Sprintf("%s still waits until somebody of Security releases or refuses it (%s, for %s now). %s", what, h.ID, spell(time.Duration(days)*24*time.Hour), h.Why)
}
