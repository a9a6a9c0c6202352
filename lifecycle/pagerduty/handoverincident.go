package pagerduty

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"rolecall/lifecycle"
)

// incident reads the incident and who is assigned; nobody when it is resolved, and needs nobody.
func (h *handover) incident(ctx context.Context) (body []byte, assigned []object, err error) {
	body, err = h.fetch(ctx, "/incidents/"+h.Change.Entitlement.Object.ID, nil)
	if err != nil {
		return nil, nil, h.unread(err)
	}
	incident, err := inner(body, "incident")
	if err != nil || incident.text("status") == "resolved" {
		return nil, nil, err
	}
	assigned, err = incident.list("assignments")
	return body, assigned, err
}

// handIncident assigns an open incident to another in a user's place.
func (h *handover) handIncident(ctx context.Context) (sight, error) {
	from, to := h.Change.From, h.Change.To
	body, assigned, err := h.incident(ctx)
	if err != nil || body == nil {
		return sight{}, err
	}
	s := assigneeSpot()
	if !s.holds(assigned, from) {
		return h.settled(to == lifecycle.NoSuccessor || s.holds(assigned, to), nil)
	}
	is := s.once(assigned, from, to)
	if !slices.ContainsFunc(is, present) {
		return sight{}, h.alone()
	}
	return sight{body: body, left: []write{h.assign(is)}}, nil
}

// present reports whether an assignee is more than the placeholder of somebody who was deleted.
func present(assignment object) bool {
	u, err := assignment.child("assignee")
	return err == nil && !u.has("deleted_at")
}

// returnIncident assigns an open incident to those who had it, if those have it whom it was handed to.
func (h *handover) returnIncident(ctx context.Context) (sight, error) {
	before, err := inner(h.Original.Body, "incident")
	if err != nil {
		return sight{}, fmt.Errorf("read what was kept: %w", err)
	}
	had, err := before.list("assignments")
	if err != nil {
		return sight{}, fmt.Errorf("read what was kept: %w", err)
	}
	body, assigned, err := h.incident(ctx)
	if err != nil || body == nil {
		return sight{}, err
	}
	is, was, handed := assignees(assigned), assignees(had), assignees(assigneeSpot().once(had, h.Change.To, h.Change.From))
	switch {
	case slices.Equal(is, was):
		return sight{}, nil
	case !slices.Equal(is, handed):
		return sight{}, h.changed([]string{"assignments"})
	default:
		return sight{body: body, left: []write{h.assign(had)}}, nil
	}
}

// assignees returns who is assigned, by id.
func assignees(assigned []object) []string {
	var ids []string
	for _, a := range assigned {
		ids = append(ids, assigneeSpot().user(a))
	}
	slices.Sort(ids)
	return ids
}

// assign says who is assigned, which takes somebody to say it as.
func (h *handover) assign(to []object) write {
	return write{name: "incident", do: func(ctx context.Context) error {
		if h.cfg.From == "" {
			return lifecycle.Refuse(lifecycle.ErrInvalid, "PagerDuty wants to know as whom incidents are reassigned. Set ROLECALL_PAGERDUTY_FROM to the address of a PagerDuty user.")
		}
		s := assigneeSpot()
		var all []object
		for _, a := range to {
			all = append(all, s.given(object{}, s.user(a)))
		}
		incident := reference(h.Change.Entitlement.Object.ID, "incident_reference").with("assignments", all)
		return h.prompt.send(ctx, http.MethodPut, "/incidents", h.cfg.From, object{}.with("incidents", []object{incident}), nil)
	}}
}
