package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// takerKey is another once there is more to tell: a request that failed
// half-way may be tried again.
func takerKey(what string, id lifecycle.RequestID, email string, duties int) string {
	return fmt.Sprintf("%s/%s/%s/%d", what, id, email, duties)
}

// tellTakers tells everybody who has taken over, once, what they answer for
// now: they will be woken by it, also where the rest of it failed. Where it is
// undone they are told too, lest they go on reckoning with it.
func (o *outbound) tellTakers(ctx context.Context, s scene) error {
	if s.r.State != lifecycle.Done && s.r.State != lifecycle.Failed {
		return nil
	}
	m := cardMaker{frame: s.frame, r: s.r}
	had, err := o.takersBefore(ctx, s.r)
	failed := []error{err}
	for _, t := range takers(s.r, had) {
		if len(t.taken) > 0 {
			failed = append(failed, o.tellUnder(ctx, s, t.email, takerKey("takeover", s.r.ID, t.email, len(t.taken)), m.takeover(t.taken)))
		}
		if len(t.returned) > 0 {
			failed = append(failed, o.tellUnder(ctx, s, t.email, takerKey("return", s.r.ID, t.email, len(t.returned)), m.handedBack(t.returned)))
		}
	}
	return errors.Join(failed...)
}

// takersBefore returns the addresses of those who took over by the request that
// r undoes, by the change; none where r undoes nothing.
func (o *outbound) takersBefore(ctx context.Context, r lifecycle.Request) (map[lifecycle.ChangeID]string, error) {
	if r.Undoes == "" {
		return nil, nil
	}
	was, err := o.Store.Request(ctx, r.Undoes)
	if err != nil {
		return nil, fmt.Errorf("load request %s: %w", r.Undoes, err)
	}
	had := map[lifecycle.ChangeID]string{}
	for _, c := range was.Changes {
		had[c.ID] = c.Successor.Email
	}
	return had, nil
}

// taker is somebody whom a request has handed duties, or taken them from again.
type taker struct {
	email           string
	taken, returned []handed
}

// takers returns everybody to whom the request makes a difference, in the order
// of its changes. had is who had what is given back.
func takers(r lifecycle.Request, had map[lifecycle.ChangeID]string) []*taker {
	var all []*taker
	of := func(email string) *taker {
		k := slices.IndexFunc(all, func(t *taker) bool { return t.email == email })
		if k < 0 {
			k, all = len(all), append(all, &taker{email: email})
		}
		return all[k]
	}
	for _, h := range handovers(r) {
		back := h.Change.Restores != ""
		email := lifecycle.FoldEmail(h.Change.Successor.Email)
		if back {
			email = lifecycle.FoldEmail(had[h.Change.Restores])
		}
		switch {
		case h.Change.State != lifecycle.ChangeVerified || email == "":
		case back:
			of(email).returned = append(of(email).returned, h)
		default:
			of(email).taken = append(of(email).taken, h)
		}
	}
	return all
}

// handedBack says what somebody had taken over and does not answer for any more.
func (m cardMaker) handedBack(all []handed) string {
	lines := make([]string, len(all))
	for i, h := range all {
		lines[i] = "• " + dutyName(h.Entitlement())
	}
	return fmt.Sprintf("What you had taken over from %s in PagerDuty is theirs again, and yours no longer, checked %s:\n%s",
		subjectName(m.r.Subject), moment(m.checked(), m.loc), packLines(lines, manySteps, seeMore("PagerDuty's own pages")))
}

// takeover says what somebody has taken over, when it is their turn next, and
// who wanted it so.
func (m cardMaker) takeover(all []handed) string {
	lines := make([]string, len(all))
	for i, h := range all {
		lines[i] = "• " + dutyName(h.Entitlement())
		if next := m.next(h.Duty, m.date); next != "" {
			lines[i] += ": " + strings.ReplaceAll(next, "*", "")
		}
	}
	text := fmt.Sprintf("You have taken over from %s in PagerDuty, checked %s:\n%s", subjectName(m.r.Subject), moment(m.checked(), m.loc), packLines(lines, manySteps, seeMore("PagerDuty's own pages")))
	if by := m.r.Chosen.By; by != "" {
		return text + "\n" + m.person(by) + " chose you."
	}
	return text
}
