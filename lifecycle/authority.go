package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// refused puts an attempt by somebody who may not decide on the record.
func (a *Approvals) refused(ctx context.Context, r Request, by Identity, err error) error {
	if !errors.Is(err, ErrForbidden) {
		return err
	}
	e := AuditEvent{At: a.now(), Actor: ByIdentity(by.ID), Kind: EventRequestRefused, Ref: string(r.ID), Detail: map[string]string{"why": ReasonOf(err)}}
	if recErr := a.store.Record(ctx, e); recErr != nil {
		return fmt.Errorf("record refusal on request %s: %w", r.ID, recErr)
	}
	return err
}

// authorise returns nil when by, as they are known now, is one of who. What the
// caller believes of them counts for nothing but their id.
func (a *Approvals) authorise(ctx context.Context, r Request, who Route, by Identity) error {
	email := by.Person.Email()
	known, err := a.store.IdentitiesByEmail(ctx, email)
	if err != nil {
		return fmt.Errorf("look up who decides: %w", err)
	}
	subjects, err := a.store.IdentitiesByEmail(ctx, r.Subject.Email)
	if err != nil {
		return fmt.Errorf("look up whose access it is: %w", err)
	}
	if slices.ContainsFunc(append(known, by), func(i Identity) bool { return r.isAbout(i, subjects) }) {
		return Refuse(ErrForbidden, "no one decides on their own access")
	}
	if _, may := who.Of(email); may && len(known) == 1 && known[0].ID == by.ID {
		return nil
	}
	return Refuse(ErrForbidden, "Only %s can decide this. You can still comment in the thread.", listOr(who.Emails(), "Security"))
}

// isAbout reports whether i is the request's subject, by whatever ties them:
// the same identity, the same account, or an address that the one goes by and
// the other has. Subjects are who has the subject's address now.
func (r Request) isAbout(i Identity, subjects []Identity) bool {
	goesBy := func(p Person, email string) bool {
		return email != "" && slices.ContainsFunc(p.Emails, func(e string) bool { return FoldEmail(e) == email })
	}
	return i.ID != "" && i.ID == r.Subject.ID ||
		i.Account != "" && i.Account == r.Account.ID ||
		goesBy(i.Person, FoldEmail(r.Subject.Email)) ||
		slices.ContainsFunc(subjects, func(s Identity) bool { return goesBy(s.Person, i.Person.Email()) })
}

func listOr(words []string, none string) string {
	switch len(words) {
	case 0:
		return none
	case 1:
		return words[0]
	default:
		return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	}
}
