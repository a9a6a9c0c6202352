package pagerduty

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle"
)

// checkTaker refuses whoever could not answer: somebody who is gone, a stakeholder, the one who goes. Who cannot be woken
// is taken all the same, with a word in the log: the card has said it.
func (h *handover) checkTaker(ctx context.Context) error {
	to := lifecycle.AccountID(h.Change.To)
	if h.Change.Op != lifecycle.OpHandover || to == lifecycle.NoSuccessor {
		return nil
	}
	u, err := ask(ctx, h.prompt, func(ctx context.Context, library *pd.Client) (*pd.User, error) {
		return library.GetUserWithContext(ctx, string(to), pd.GetUserOptions{Includes: []string{"contact_methods"}})
	})
	if e, is := asAnswer(err); is && e.gone() {
		return lifecycle.Refuse(lifecycle.ErrNotFound, "%s has no PagerDuty account any more, and cannot take over %s. Choose somebody else.", h.taker(), h.thing())
	}
	if err != nil {
		return explain(err)
	}
	if u.ID != string(to) {
		return errors.New("read who takes over: the answer is about somebody else")
	}
	a, err := accountOf(*u)
	switch {
	case err != nil:
		return err
	case a.BaseRole.Rank() <= lifecycle.RoleStakeholder.Rank():
		return lifecycle.Refuse(lifecycle.ErrConflict, "%s is %s, whom PagerDuty lets not be on call. Choose somebody else, or raise the base role first.", h.taker(), a.BaseRole)
	}
	if !wakeable(u.ContactMethods) {
		h.log.WarnContext(ctx, "who takes over can be reached by neither phone nor app", slog.String("change", string(h.Change.ID)), slog.String("account", string(to)))
	}
	return nil
}

func wakeable(methods []pd.ContactMethod) bool {
	for _, m := range methods {
		if typ := strings.TrimSuffix(m.Type, "_reference"); typ != "" && typ != "email_contact_method" {
			return true
		}
	}
	return false
}
