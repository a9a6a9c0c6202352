package pagerduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"rolecall/lifecycle"
)

// policy reads the escalation policy, with how each level assigns where the plan has more than one way to.
func (h *handover) policy(ctx context.Context) ([]byte, object, error) {
	place := "/escalation_policies/" + h.Change.Entitlement.Object.ID
	body, err := h.fetch(ctx, place, url.Values{"include[]": {"escalation_rule_assignment_strategies"}})
	if e, is := asAnswer(err); is && e.status == http.StatusForbidden {
		body, err = h.fetch(ctx, place, nil)
	}
	if err != nil {
		return nil, object{}, h.unread(err)
	}
	policy, err := inner(body, "escalation_policy")
	return body, policy, err
}

// fetch makes a read and returns the answer as it came.
func (h *handover) fetch(ctx context.Context, path string, query url.Values) ([]byte, error) {
	var body json.RawMessage
	if err := h.prompt.get(ctx, path, query, &body); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return body, nil
}

func (h *handover) unread(err error) error {
	if e, is := asAnswer(err); is && e.gone() {
		return h.gone()
	}
	return explain(err)
}

// inner returns the object that an answer has under a name.
func inner(body []byte, name string) (object, error) {
	all, err := parseObject(body)
	if err != nil {
		return object{}, err
	}
	o, err := all.child(name)
	if err == nil && o.none() {
		err = fmt.Errorf("PagerDuty's answer has no %s", name)
	}
	return o, err
}

// handLevel gives a place at a level of a policy to another, where it is.
func (h *handover) handLevel(ctx context.Context) (sight, error) {
	change := h.Change
	body, policy, err := h.policy(ctx)
	if err != nil {
		return sight{}, err
	}
	targets, err := level(policy, change.Entitlement.Level)
	if errors.Is(err, errLevel) {
		return sight{}, h.moved()
	}
	if err != nil {
		return sight{}, err
	}
	p := targetSpot()
	switch {
	case p.holds(targets, change.From):
	case change.To == lifecycle.NoSuccessor || p.holds(targets, change.To):
		return sight{}, nil
	default:
		return sight{}, h.moved()
	}
	targets = p.once(targets, change.From, change.To)
	if !answered(targets) {
		return sight{}, h.alone()
	}
	is, err := withLevel(policy, change.Entitlement.Level, targets)
	w := h.putPolicy(is)
	if change.To == lifecycle.NoSuccessor {
		w = h.unlessAlone(w)
	}
	check := func(ctx context.Context) error { return h.checkPolicy(ctx, is) }
	return sight{body: body, left: []write{w}, check: check}, err
}

// checkPolicy holds the policy to what it should be now: what PagerDuty does to a strategy, for one, is not documented.
func (h *handover) checkPolicy(ctx context.Context, want object) error {
	wanted, err := assigns(want)
	if err != nil {
		return err
	}
	got := ""
	err = h.until(ctx, h.cfg.Patience, func() (bool, error) {
		_, is, err := h.policy(ctx)
		if err != nil {
			return false, err
		}
		got, err = assigns(is)
		return got == wanted, err
	})
	if err == nil && got != wanted {
		err = lifecycle.Refuse(lifecycle.ErrConflict, "%s has %s now, but PagerDuty shows something else about %s changed with it. Look at whom its levels call there, and how.", h.newHolder(), h.thing(), h.object())
	}
	return err
}

// unlessAlone makes a write that leaves a level to others only while there are others: a schedule may have lost them all
// since, and still be there.
func (h *handover) unlessAlone(w write) write {
	put := w.do
	w.do = func(ctx context.Context) error {
		duties, err := h.duties(ctx, lifecycle.AccountID(h.Change.From))
		if err != nil {
			return fmt.Errorf("look for who else answers: %w", err)
		}
		e := h.Change.Entitlement
		i := slices.IndexFunc(duties, func(d lifecycle.Duty) bool {
			return d.Kind == e.Kind && d.Object.ID == e.Object.ID && d.Level == e.Level
		})
		switch {
		case i < 0:
			return h.moved()
		case duties[i].Alone():
			return h.alone()
		default:
			return put(ctx)
		}
	}
	return w
}

// answered reports whether any of the targets is more than the placeholder of somebody who was deleted.
func answered(targets []object) bool {
	for _, t := range targets {
		if !t.has("deleted_at") {
			return true
		}
	}
	return false
}

func (h *handover) putPolicy(policy object) write {
	place := "/escalation_policies/" + h.Change.Entitlement.Object.ID
	return write{name: "policy", do: func(ctx context.Context) error {
		return h.prompt.send(ctx, http.MethodPut, place, "", object{}.with("escalation_policy", sentPolicy(policy)), nil)
	}}
}

// returnLevel writes back what the policy was, if it still is what was made of it.
func (h *handover) returnLevel(ctx context.Context) (sight, error) {
	before, err := inner(h.Original.Body, "escalation_policy")
	if err != nil {
		return sight{}, fmt.Errorf("read what was kept: %w", err)
	}
	put, err := handLevel(before, h.Change.Entitlement.Level, h.Change.To, h.Change.From)
	if err != nil {
		return sight{}, fmt.Errorf("read what was kept: %w", err)
	}
	body, policy, err := h.policy(ctx)
	if err != nil {
		return sight{}, err
	}
	var plainly [3]object
	for i, p := range []object{policy, before, put} {
		if plainly[i], err = sentPolicy(p).withRuleIDs(object{}); err != nil {
			return sight{}, err
		}
	}
	if len(differing(plainly[0], plainly[1])) == 0 {
		return sight{}, nil
	}
	if other := differing(plainly[0], plainly[2]); len(other) > 0 {
		return sight{}, h.changed(other)
	}
	back, err := before.withRuleIDs(policy)
	return sight{body: body, left: []write{h.putPolicy(back)}}, err
}
