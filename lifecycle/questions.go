package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// An Inquiry is what somebody who may decide wants to know before they do. Seen is
// the revision they were looking at.
type Inquiry struct {
	Request RequestID
	Seen    int
	By      Identity
	Text    string
	Via     Via
}

// A Reply answers one question of a request.
type Reply struct {
	Request  RequestID
	Question int // counted from 1; 0 is the last that has no answer
	By       Identity
	Text     string
	Via      Via
}

const (
	textLength    = 2000 // characters of a question or an answer; a Slack input holds 3000
	mostQuestions = 20   // of one request
)

// Ask puts a question to whoever can answer it, and returns the request with it.
// Only who may decide asks, and one question at a time; neither question nor answer
// changes who decides or until when. What is wrong with it is a Refusal, and
// ErrInvalid only to who may ask.
func (a *Approvals) Ask(ctx context.Context, q Inquiry) (Request, error) {
	q.Text = strings.TrimSpace(q.Text)
	return a.change(ctx, q.Request, q.By, func(was Request, _ Policy, _ Route) (step, error) {
		if err := was.mayBeAsked(q, a.now()); err != nil {
			return step{}, err
		}
		to, err := a.AnsweredBy(ctx, was, q.By)
		if err != nil {
			return step{}, err
		}
		is := was
		is.Revision, is.UpdatedAt = was.Revision+1, a.now()
		is.Questions = append(slices.Clone(was.Questions), Question{By: q.By.Person.Email(), Text: q.Text, At: a.now(), To: to, Via: q.Via})
		return step{request: is, kind: EventRequestAsked, next: []Job{show(is.ID)}, detail: map[string]string{
			"question": fmt.Sprint(len(is.Questions)), "text": q.Text, "to": to, "via": string(q.Via),
		}}, nil
	})
}

// mayBeAsked returns a Refusal of a question that cannot be asked.
func (r Request) mayBeAsked(q Inquiry, now time.Time) error {
	mine := func(was Question) bool { return was.By == q.By.Person.Email() && was.Answer == "" }
	switch {
	case r.State != Pending:
		return Refuse(ErrConflict, "There is nothing to ask any more: this request is %s%s.", r.State, r.by())
	case r.late(now):
		return r.expired()
	case q.Seen > r.Revision:
		return Refuse(ErrConflict, "revision %d of this request does not exist; it is at %d", q.Seen, r.Revision)
	case slices.ContainsFunc(r.Questions, mine):
		return Refuse(ErrDuplicate, "You have asked already, and nobody has answered yet. Ask again once they have.")
	case len(r.Questions) >= mostQuestions:
		return Refuse(ErrConflict, "%d questions have been asked about this. Talk in the thread, and decide.", mostQuestions)
	default:
		return checkText(q.Text, "question", "Ask something, in a sentence.")
	}
}

// checkText returns a Refusal of a text that is missing or too long.
func checkText(text, field, missing string) error {
	why := ""
	switch {
	case text == "":
		why = missing
	case len([]rune(text)) > textLength:
		why = fmt.Sprintf("Keep it under %d characters.", textLength)
	default:
		return nil
	}
	return &Refusal{Kind: ErrInvalid, Reason: why, Fields: []FieldError{{Path: field, Message: why}}}
}

// AnsweredBy returns the address of whoever can answer what by asks about r: the
// subject, who has asked for it or whose access it is; their manager, where the
// subject has left or is not here yet; or "", which is whoever reads the thread.
func (a *Approvals) AnsweredBy(ctx context.Context, r Request, by Identity) (string, error) {
	if r.Subject.ID == "" {
		return "", nil
	}
	subject, err := a.store.Identity(ctx, r.Subject.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look up whose access it is: %w", err)
	case r.Kind != RequestLeaver && subject.MayDecide(a.now()):
		return FoldEmail(subject.Person.Email()), nil
	}
	manager, err := managerOf(ctx, a.store, r.Subject.ID)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if manager.ID == by.ID || !manager.MayDecide(a.now()) {
		return "", nil
	}
	return manager.Person.Email(), nil
}

// Reply answers a question and returns the request with the answer. Who it is
// for answers, or the subject who has not left; where it is for nobody, anybody else
// who may decide, and Security. What is wrong with it is a Refusal.
func (a *Approvals) Reply(ctx context.Context, p Reply) (Request, error) {
	p.Text = strings.TrimSpace(p.Text)
	for range decideTries {
		was, err := a.store.Request(ctx, p.Request)
		if err != nil {
			return Request{}, fmt.Errorf("load request %s: %w", p.Request, err)
		}
		k, err := was.question(p.Question)
		if err != nil {
			return was, err
		}
		if err := a.mayAnswer(ctx, was, was.Questions[k], p.By); err != nil {
			return was, a.refused(ctx, was, p.By, err)
		}
		s, err := a.answer(was, k, p)
		if err != nil {
			return was, err
		}
		if err := a.save(ctx, s, p.By); !errors.Is(err, ErrConflict) {
			return s.request, err
		}
	}
	return Request{}, Refuse(ErrConflict, "others are deciding on this at the same moment; look again and retry")
}

// question returns the place of the n-th question, counted from 1; 0 is the last
// that waits for an answer.
func (r Request) question(n int) (int, error) {
	if n == 0 {
		for k := range slices.Backward(r.Questions) {
			if r.Questions[k].Answer == "" {
				return k, nil
			}
		}
	}
	if n < 1 || n > len(r.Questions) {
		return 0, Refuse(ErrNotFound, "There is no such question. Nothing about this request waits for an answer.")
	}
	return n - 1, nil
}

// mayAnswer returns nil when by, as they are known now, may answer q.
func (a *Approvals) mayAnswer(ctx context.Context, r Request, q Question, by Identity) error {
	email := FoldEmail(by.Person.Email())
	known, err := a.store.IdentitiesByEmail(ctx, email)
	if err != nil {
		return fmt.Errorf("look up who answers: %w", err)
	}
	if email == "" || len(known) != 1 || known[0].ID != by.ID || !known[0].MayDecide(a.now()) {
		return Refuse(ErrForbidden, "Only people whom a source of truth knows as active can answer.")
	}
	if email == q.To || r.Kind != RequestLeaver && by.ID == r.Subject.ID {
		return nil
	}
	if q.To != "" {
		return Refuse(ErrForbidden, "This is asked of %s. You can still comment in the thread.", q.To)
	}
	policy, err := a.policies.Current(ctx)
	if err != nil {
		return fmt.Errorf("read the policy in force: %w", err)
	}
	if slices.Contains(policy.Security.Members, email) {
		return nil
	}
	who, err := a.router.route(ctx, r, policy)
	if err != nil {
		return err
	}
	return a.router.authorise(ctx, r, who, by)
}

func (a *Approvals) answer(was Request, k int, p Reply) (step, error) {
	q := was.Questions[k]
	switch {
	case was.State != Pending:
		return step{}, Refuse(ErrConflict, "The answer is not needed any more: this request is %s%s.", was.State, was.by())
	case q.Answer != "":
		return step{}, Refuse(ErrDuplicate, "This is answered already, by %s.", q.AnsweredBy)
	}
	if err := checkText(p.Text, "answer", "Answer in a sentence."); err != nil {
		return step{}, err
	}
	is := was
	is.Revision, is.UpdatedAt, is.Questions = was.Revision+1, a.now(), slices.Clone(was.Questions)
	q.Answer, q.AnsweredBy, q.AnsweredAt = p.Text, FoldEmail(p.By.Person.Email()), a.now()
	is.Questions[k] = q
	return step{request: is, kind: EventRequestAnswered, next: []Job{show(is.ID)}, detail: map[string]string{
		"question": fmt.Sprint(k + 1), "text": p.Text, "via": string(p.Via),
	}}, nil
}
