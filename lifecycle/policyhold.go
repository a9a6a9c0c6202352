package lifecycle

import (
	"context"
	"fmt"
	"slices"
)

// hold lets the policy wait, once, and lets nothing else wait beside it.
func (s *PolicySwitch) hold(ctx context.Context, out Switched, d PolicyDiff, text string) (Switched, error) {
	out.Outcome = SwitchHeld
	if err := s.drop(ctx, out.SHA256, "The policy file says something else by now."); err != nil {
		return out, err
	}
	waits, err := s.waiting(ctx)
	if err != nil {
		return out, err
	}
	if len(waits) > 0 {
		out.Hold = waits[0].ID
		return out, nil
	}
	h, err := s.brake.HoldPolicy(ctx, PolicyText{SHA256: out.SHA256, Text: text, At: s.now()}, out.Why, d.Limit, d.Population())
	if err != nil {
		return out, fmt.Errorf("hold policy %s: %w", short(out.SHA256), err)
	}
	out.Hold = h.ID
	return out, nil
}

// waiting returns the open holds of policies.
func (s *PolicySwitch) waiting(ctx context.Context) ([]Hold, error) {
	open, err := s.store.Holds(ctx)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	return slices.DeleteFunc(open, func(h Hold) bool { return h.Kind != HoldPolicy || !h.Open() }), nil
}

// drop ends the holds of policies other than that one, which nobody needs to
// decide any more: a release would put in force what the file does not say.
func (s *PolicySwitch) drop(ctx context.Context, but, why string) error {
	waits, err := s.waiting(ctx)
	if err != nil {
		return err
	}
	for _, h := range waits {
		if h.Policy == but {
			continue
		}
		h.State, h.Proposal, h.UpdatedAt = HoldRefused, nil, s.now()
		h.Revision++
		h.Decisions = append(slices.Clone(h.Decisions), HoldDecision{By: string(System), What: "refuse", Reason: why, At: s.now()})
		e := AuditEvent{At: s.now(), Actor: System, Kind: EventHoldRefused, Ref: string(h.ID), Detail: map[string]string{"why": why, "policy": h.Policy}}
		if err := s.store.SaveHold(ctx, h, nil, e, Job{Kind: JobHold, Ref: string(h.ID)}); err != nil {
			return fmt.Errorf("end hold %s: %w", h.ID, err)
		}
	}
	return nil
}
