package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

func containedKey(id lifecycle.RequestID, email string) string {
	return "contained/" + string(id) + "/" + email
}

// tellContained tells the manager of a leaver, once, what was taken and what is
// still to come. Security reads it in the thread of the card. A manager whom no
// source of truth names, or Slack does not know, is told nothing.
func (o *outbound) tellContained(ctx context.Context, s scene) error {
	if !s.r.Contains() || s.r.State != lifecycle.Done || s.r.Observe || s.r.Subject.ID == "" || s.told(containedKey(s.r.ID, "")) {
		return nil
	}
	manager, err := o.Directory.Manager(ctx, s.r.Subject.ID)
	if errors.Is(err, lifecycle.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look up the manager of %s: %w", s.r.Subject.ID, err)
	}
	m := cardMaker{frame: s.frame, r: s.r}
	email := manager.Person.Email()
	return o.tellUnder(ctx, s, email, containedKey(s.r.ID, email), m.contained()+" You are told because you are their manager.")
}

// told reports whether a message stands whose key begins with prefix, whoever
// it went to.
func (s scene) told(prefix string) bool {
	return slices.ContainsFunc(s.under(prefix), func(m lifecycle.Message) bool { return m.TS != "" })
}

// contained says what was taken from a leaver, what on-call still needs, and
// what becomes of the account.
func (m cardMaker) contained() string {
	words := make([]string, len(m.r.Changes))
	for i, c := range m.r.Changes {
		words[i] = changeWords(c)
	}
	text := fmt.Sprintf("%s has left and is contained in PagerDuty since %s: %s.", subjectName(m.r.Subject), moment(m.checked(), m.loc), listed(words, manySteps, " · "))
	for i, e := range m.r.Effects {
		if i == manyEffects {
			break
		}
		text += " " + foreign(fullStop(e), maxPhrase)
	}
	text += " Whoever owns what on-call still needs them for is asked to choose who takes over."
	if after := m.p.Leaver.DeleteAfter; after > 0 {
		return text + fmt.Sprintf(" The account is deleted only once that is approved too, and not before %s after the notice.", span(after))
	}
	return strings.TrimSpace(text + " The account is deleted only once that is approved too.")
}
