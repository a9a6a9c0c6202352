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

// twice returns a Refusal where somebody who is the same person as by, by whatever
// ties them, has decided already: two records of one person are no quorum.
func (a *Approvals) twice(ctx context.Context, r Request, by Identity) error {
	for _, d := range r.Decisions {
		if d.Lapsed || d.Via == ViaPolicy {
			continue
		}
		was, err := a.store.Identity(ctx, d.ByID)
		if err != nil {
			return fmt.Errorf("look up who has decided: %w", err)
		}
		if was.sameAs(by) {
			return Refuse(ErrDuplicate, "you have already decided on this, as %s; %d of %d have approved", d.By, r.Approvals(), r.Needed)
		}
	}
	return nil
}

// sameAs reports whether both are one person, by whatever ties them: the same
// identity, account or Slack user, or an address that the one goes by and the other has.
func (i Identity) sameAs(o Identity) bool {
	return i.ID == o.ID || i.Merged == o.ID || o.Merged == i.ID ||
		i.Account != "" && i.Account == o.Account ||
		i.Slack != "" && i.Slack == o.Slack ||
		i.Person.goesBy(o.Person.Email()) || o.Person.goesBy(i.Person.Email())
}

// goesBy reports whether the address is one of theirs.
func (p Person) goesBy(email string) bool {
	return email != "" && slices.ContainsFunc(p.Emails, func(e string) bool { return FoldEmail(e) == email })
}

// isAbout reports whether i is the request's subject, by whatever ties them:
// the same identity, the same account, or an address that the one goes by and
// the other has. Subjects are who has the subject's address now.
func (r Request) isAbout(i Identity, subjects []Identity) bool {
	return i.ID != "" && i.ID == r.Subject.ID ||
		i.Account != "" && i.Account == r.Account.ID ||
		i.Person.goesBy(FoldEmail(r.Subject.Email)) ||
		slices.ContainsFunc(subjects, func(s Identity) bool { return s.Person.goesBy(i.Person.Email()) })
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
