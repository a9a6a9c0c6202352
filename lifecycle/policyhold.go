package lifecycle

import (
	"context"
	"fmt"
)

// hold lets the policy wait until two people let it come into force.
func (s *PolicySwitch) hold(ctx context.Context, out Switched, d PolicyDiff, text string) (Switched, error) {
	h, err := s.brake.HoldPolicy(ctx, PolicyText{SHA256: out.SHA256, Text: text, At: s.now()}, out.Why, d.Limit, d.Population())
	if err != nil {
		return out, fmt.Errorf("hold policy %s: %w", short(out.SHA256), err)
	}
	out.Outcome, out.Hold = SwitchHeld, h.ID
	return out, nil
}

// drop ends whatever holds policies other than that one, which nobody needs to
// decide any more: a release would put in force what the file does not say.
func (s *PolicySwitch) drop(ctx context.Context, but, why string) error {
	open, err := s.store.Holds(ctx)
	if err != nil {
		return fmt.Errorf("list holds: %w", err)
	}
	for _, h := range open {
		if h.Kind != HoldPolicy || h.Policy == but {
			continue
		}
		h, e := h.closed(why, s.now())
		if err := s.store.SaveHold(ctx, h, nil, e, card(h)); err != nil {
			return fmt.Errorf("close hold %s: %w", h.ID, err)
		}
	}
	return nil
}
