package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Handing hands a request from somebody who may decide it to somebody else. Seen
// is the revision they were looking at.
type Handing struct {
	Request RequestID
	Seen    int
	By      Identity
	To      string // address
	Reason  string
	Via     Via
}

const (
	handReason   = 300 // characters
	mostHandings = 20  // of one request
)

// Assign lets somebody else decide the request too, and returns it. Who hands it on
// may still decide; the two count once. It goes to nobody who could not decide
// otherwise: not to the subject, to nobody who has left or whose domain the policy
// does not trust, and what Security alone decides stays with Security. What is wrong
// with it is a Refusal, and ErrInvalid only to who may decide.
func (a *Approvals) Assign(ctx context.Context, p Handing) (Request, error) {
	p.To, p.Reason = FoldEmail(p.To), strings.TrimSpace(p.Reason)
	return a.change(ctx, p.Request, p.By, func(was Request, policy Policy, who Route) (step, error) {
		if err := was.mayBeHanded(p, who, a.now()); err != nil {
			return step{}, err
		}
		if err := a.handable(ctx, was, policy, p.To); err != nil {
			return step{}, err
		}
		is := was
		is.Revision, is.UpdatedAt = was.Revision+1, a.now()
		is.Assigned = append(slices.Clone(was.Assigned), Assignment{From: p.By.Person.Email(), To: p.To, Reason: p.Reason, At: a.now(), Via: p.Via})
		return step{request: is, kind: EventRequestAssigned, next: []Job{show(is.ID)}, detail: map[string]string{
			"to": p.To, "reason": p.Reason, "via": string(p.Via),
		}}, nil
	})
}

// mayBeHanded returns a Refusal of what cannot be handed on, or not so.
func (r Request) mayBeHanded(p Handing, who Route, now time.Time) error {
	_, already := who.Of(p.To)
	switch {
	case r.State != Pending:
		return Refuse(ErrConflict, "There is nothing to hand on any more: this request is %s%s.", r.State, r.by())
	case r.late(now):
		return r.expired()
	case p.Seen > r.Revision:
		return Refuse(ErrConflict, "revision %d of this request does not exist; it is at %d", p.Seen, r.Revision)
	case len(r.Assigned) >= mostHandings:
		return Refuse(ErrConflict, "This has been handed on %d times. Somebody has to decide it.", mostHandings)
	case p.To == "":
		return badHanding("to", "Say who is to decide it.")
	case p.To == FoldEmail(p.By.Person.Email()):
		return badHanding("to", "That is you. Name somebody else.")
	case already:
		return badHanding("to", p.To+" can decide this already.")
	case p.Reason == "":
		return badHanding("reason", "Say why, in a sentence. It goes on the record.")
	case len([]rune(p.Reason)) > handReason:
		return badHanding("reason", fmt.Sprintf("Keep it under %d characters.", handReason))
	default:
		return nil
	}
}

func badHanding(field, why string) error {
	return &Refusal{Kind: ErrInvalid, Reason: why, Fields: []FieldError{{Path: field, Message: why}}}
}

// handable returns nil when whoever has the address could decide the request.
func (a *Approvals) handable(ctx context.Context, r Request, p Policy, to string) error {
	known, err := a.store.IdentitiesByEmail(ctx, to)
	if err != nil {
		return fmt.Errorf("look up who is to decide: %w", err)
	}
	subjects, err := a.store.IdentitiesByEmail(ctx, FoldEmail(r.Subject.Email))
	if err != nil {
		return fmt.Errorf("look up whose access it is: %w", err)
	}
	switch {
	case len(known) != 1 || known[0].Merged != "":
		return badHanding("to", "Nobody with the address "+to+" is known, or more than one. Name somebody who works here.")
	case r.isAbout(known[0], subjects):
		return badHanding("to", "It is about "+known[0].Person.Label()+", and no one decides on their own access.")
	case !known[0].MayDecide(a.now()):
		return badHanding("to", known[0].Person.Label()+" is not active now. Name somebody who is.")
	case !p.MayDecideFrom(to):
		return badHanding("to", "The policy lets nobody decide from the address "+to+".")
	case slices.Equal(r.From, []ApproverSource{FromSecurity}) && !slices.Contains(p.Security.Members, to):
		return badHanding("to", "Only Security decides this, so it can be handed only to somebody of Security.")
	default:
		return nil
	}
}
