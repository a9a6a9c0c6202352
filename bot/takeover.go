package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

func takeoverKey(id lifecycle.RequestID, email string) string {
	return "takeover/" + string(id) + "/" + email
}

// tellTakers tells everybody who has taken over, once, what they answer for
// now: they will be woken by it.
func (o *outbound) tellTakers(ctx context.Context, s scene) error {
	if s.r.State != lifecycle.Done {
		return nil
	}
	m := cardMaker{frame: s.frame, r: s.r}
	taken := map[string][]handed{}
	var emails []string
	for _, h := range handovers(s.r) {
		email := lifecycle.FoldEmail(h.Change.Successor.Email)
		if h.Change.State != lifecycle.ChangeVerified || h.Change.Restores != "" || email == "" {
			continue
		}
		if !slices.Contains(emails, email) {
			emails = append(emails, email)
		}
		taken[email] = append(taken[email], h)
	}
	var failed []error
	for _, email := range emails {
		failed = append(failed, o.tellUnder(ctx, s, email, takeoverKey(s.r.ID, email), m.takeover(taken[email])))
	}
	return errors.Join(failed...)
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
