package bot

import (
	"context"

	"rolecall/lifecycle"
)

// Matcher is where what no rule can tell about people is asked and answered.
// *lifecycle.Matcher is one.
type Matcher interface {
	// Case returns the case. One that there is not is a Refusal.
	Case(ctx context.Context, id lifecycle.CaseID) (lifecycle.Case, error)
	// Open returns the cases that wait for an answer, the oldest first.
	Open(ctx context.Context) ([]lifecycle.Case, error)
	// Answer records the answer and returns the case as it stands after it. One
	// that does not count is a Refusal. No answer at all is ErrInvalid to who may
	// give one.
	Answer(ctx context.Context, a lifecycle.CaseAnswer) (lifecycle.Case, error)
}

// Brakes is where what was stopped is let go, or not. *lifecycle.Brakes is one.
type Brakes interface {
	// Open returns the holds that stand, the oldest first.
	Open(ctx context.Context) ([]lifecycle.Hold, error)
	// Propose says what to let go. What one person has proposed, another lets go
	// by proposing the same. A release that says nothing is ErrInvalid to who may
	// decide.
	Propose(ctx context.Context, r lifecycle.Release) (lifecycle.Hold, error)
	// Refuse says that nothing is to come of any of it.
	Refuse(ctx context.Context, r lifecycle.Release) (lifecycle.Hold, error)
}

// Sources are the feeds of facts. *lifecycle.Sources is one.
type Sources interface {
	// Start lets what the source says be acted on.
	Start(ctx context.Context, name string, by lifecycle.Identity, via lifecycle.Via) error
}

// Reviews is where findings are decided that stand in a digest.
// *lifecycle.Reviews is one.
type Reviews interface {
	// Decide decides each of the findings, and returns what became of each in their
	// order. A press that nothing can come of at all is a Refusal.
	Decide(ctx context.Context, v lifecycle.Verdicts) ([]lifecycle.Outcome, error)
	// Preview returns what deciding would do to each of the findings, in their order.
	Preview(ctx context.Context, ids []lifecycle.FindingID, what lifecycle.Review) ([]lifecycle.Preview, error)
}

// Absences is where people say that they are away. *lifecycle.Absences is one.
type Absences interface {
	// Away notes that somebody is away. What is wrong with it is a Refusal.
	Away(ctx context.Context, l lifecycle.Leave) (lifecycle.Absence, error)
	// Back ends the absence, or, where id is "", every one of by's.
	Back(ctx context.Context, by lifecycle.Identity, id lifecycle.AbsenceID, via lifecycle.Via) ([]lifecycle.Absence, error)
	// Of returns the absences of the person that have not ended, the earliest first.
	Of(ctx context.Context, who lifecycle.IdentityID) ([]lifecycle.Absence, error)
	// Concerned returns the open requests that wait for whom the absence is about, or for who stands in for them.
	Concerned(ctx context.Context, a lifecycle.Absence) ([]lifecycle.Request, error)
}

// Wisher is where people ask for access for themselves. *lifecycle.Planner is one.
type Wisher interface {
	// Wish opens the request and returns it. What cannot be asked for is a Refusal
	// with the field that it is about: team, role, until, reason or incident.
	Wish(ctx context.Context, w lifecycle.Wish) (lifecycle.Request, error)
}
