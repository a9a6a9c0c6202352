package pagerduty

import (
	"cmp"
	"strings"

	"rolecall/lifecycle"
)

// thing says what changes hands.
func (h *handover) thing() string { return clean(h.Change.Entitlement.String(), 120) }

// taker says who is to have it.
func (h *handover) taker() string {
	if h.Change.Restores != "" {
		return who(h.Order)
	}
	s := h.Change.Successor
	return clean(cmp.Or(s.Name, s.Email, h.Change.To), 80)
}

// newHolder says who has it after the handover.
func (h *handover) newHolder() string {
	if h.Change.To == lifecycle.NoSuccessor {
		return "Nobody but the others there"
	}
	return upper(h.taker())
}

// giver says who had it.
func (h *handover) giver() string {
	if h.Change.Restores != "" {
		return "whoever took over"
	}
	return who(h.Order)
}

// moved is what is neither as before nor as wanted.
func (h *handover) moved() error {
	return lifecycle.Refuse(lifecycle.ErrConflict, "PagerDuty shows neither %s nor %s on %s now. Somebody else has changed that since this was approved: look at it there, and ask again.", h.giver(), h.taker(), h.thing())
}

// changed is something that was not left as it was put, so that to write back what was before would undo more.
func (h *handover) changed(what []string) error {
	return lifecycle.Refuse(lifecycle.ErrConflict, "%s was changed in PagerDuty since (%s), so what it was before is not written over that. Change it there by hand.", upper(h.object()), join(fieldWords(what)))
}

func fieldWords(fields []string) []string {
	known := map[string]string{
		"escalation_rules": "its levels", "schedule_layers": "its layers", "events": "its shifts", "num_loops": "how often it repeats",
		"on_call_handoff_notifications": "its handoff notifications",
	}
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = cmp.Or(known[f], "its "+clean(strings.ReplaceAll(f, "_", " "), 60))
	}
	return words
}

func (h *handover) object() string {
	return objectWords(h.Change.Entitlement)
}

func objectWords(e lifecycle.Entitlement) string {
	kind := map[lifecycle.EntitlementKind]string{
		lifecycle.KindEscalationPolicy: "the escalation policy ", lifecycle.KindSchedule: "the schedule ", lifecycle.KindIncident: "the incident ",
	}[e.Kind]
	return kind + clean(e.Object.Name, 80)
}

// gone is what PagerDuty no longer has.
func (h *handover) gone() error {
	return lifecycle.Refuse(lifecycle.ErrNotFound, "PagerDuty no longer has %s. It was deleted in the meantime, so there is nothing to hand over.", h.object())
}

// alone is a handover to nobody that would leave nobody.
func (h *handover) alone() error {
	return lifecycle.Refuse(lifecycle.ErrConflict, "Nobody but %s is on %s now: somebody must take over.", h.giver(), h.thing())
}

// explain turns PagerDuty's no to a handover into words about it.
func (h *handover) explain(err error) error {
	e, is := asAnswer(err)
	if !is {
		return err
	}
	var reason string
	switch {
	case e.says("Stakeholders cannot be added to schedules"):
		reason = "PagerDuty lets no stakeholder be on call, and " + h.taker() + " is one. Choose somebody else."
	case e.gone():
		reason = "PagerDuty no longer has " + h.object() + ", or a part of it. It was deleted in the meantime."
	default:
		return explain(err)
	}
	return &noError{refusal: &lifecycle.Refusal{Kind: lifecycle.ErrConflict, Reason: reason}, answer: e}
}

func upper(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
