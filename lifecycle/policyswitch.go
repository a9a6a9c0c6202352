package lifecycle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// SwitchStore is what a policy file is held against, and where the one in force is kept.
type SwitchStore interface {
	PolicyStore
	Recorder
	HeldPolicies
	// Identities returns every identity.
	Identities(ctx context.Context) ([]Identity, error)
	// Baseline returns every account as the last whole roll call, or a verified
	// change since, left it.
	Baseline(ctx context.Context) ([]Account, error)
}

// HeldPolicies is where policies wait for people, as HoldStore has it.
type HeldPolicies interface {
	// Holds returns the holds that stand, the oldest first.
	Holds(ctx context.Context) ([]Hold, error)
	// SaveHold stores h. It returns ErrConflict when h.Revision is not one more
	// than the stored revision.
	SaveHold(ctx context.Context, h Hold, removals []Removal, e AuditEvent, next ...Job) error
}

// A PolicyBrake lets a policy wait until two people have released it.
type PolicyBrake interface {
	// HoldPolicy keeps the policy, and holds it under the hold that it returns, whose
	// release puts it in force. The same text is held once, and no other beside it.
	HoldPolicy(ctx context.Context, waiting PolicyText, why string, limit, population int) (Hold, error)
}

// An Admitter makes the people whom a policy names known.
type Admitter interface {
	// Admit makes them known; who is known already stays as they are.
	Admit(ctx context.Context, p Policy) error
}

// A PolicySwitch says which policy is in force. A policy file that has changed is
// judged against that, and takes its place, or waits, or is refused; what it is
// refused for is told to Security once. What is in force is in the store, so that
// no restart is a way round, and every replica comes to the same.
type PolicySwitch struct {
	store SwitchStore
	brake PolicyBrake
	admit Admitter
	parse func(text string) (Policy, error)
	teams func(context.Context) ([]Team, error)
	now   func() time.Time
}

// NewPolicySwitch returns a switch over store. Parse returns the policy that a
// text says, with the text's SHA-256, or a Refusal that says every mistake in it;
// teams lists PagerDuty's teams, whole, or is an error.
func NewPolicySwitch(store SwitchStore, brake PolicyBrake, admit Admitter, parse func(string) (Policy, error), teams func(context.Context) ([]Team, error), now func() time.Time) *PolicySwitch {
	return &PolicySwitch{store: store, brake: brake, admit: admit, parse: parse, teams: teams, now: now}
}

// Start returns the policy to start with, as it is written. Where none was in
// force yet, the text is put in force as it is, and an error of parse is
// returned. Else it is the one in force: another text is for Offer to judge, and
// one that is wrong keeps nobody from starting. That the policy in force cannot be
// read by this version of the program is an error.
func (s *PolicySwitch) Start(ctx context.Context, text string) (Policy, error) {
	in, err := s.store.PolicyInForce(ctx)
	if errors.Is(err, ErrNotFound) {
		return s.first(ctx, text)
	}
	if err != nil {
		return Policy{}, fmt.Errorf("look up the policy in force: %w", err)
	}
	p, err := s.read(in)
	if err != nil {
		return Policy{}, err
	}
	return p, s.admitted(ctx, p)
}

// first puts the first policy in force.
func (s *PolicySwitch) first(ctx context.Context, text string) (Policy, error) {
	p, err := s.parse(text)
	if err != nil {
		return Policy{}, err
	}
	if err := s.enforce(ctx, p, text, map[string]string{"old": "", "new": p.SHA256, "why": "the first policy"}); err != nil {
		return Policy{}, err
	}
	return p, s.admitted(ctx, p)
}

// SwitchOutcome is what has become of a text that was offered.
type SwitchOutcome string

// The outcomes. Only SwitchTaken changes what is in force.
const (
	SwitchSame    SwitchOutcome = "same"
	SwitchTaken   SwitchOutcome = "taken"
	SwitchHeld    SwitchOutcome = "held"
	SwitchRefused SwitchOutcome = "refused"
)

// A Switched is what has become of a text, and why, in sentences.
type Switched struct {
	Outcome SwitchOutcome
	SHA256  string
	Why     string
	Hold    HoldID // that it waits under
}

// Offer judges the text of a policy file against the policy in force. A text that
// is not a policy, or that names teams which PagerDuty does not have exactly once,
// is refused. One that would take something that is held from more people than
// the breaker of the policy in force allows waits for people. Any other comes into
// force. It may be repeated. An error means that nothing was concluded: the store
// or PagerDuty did not answer.
func (s *PolicySwitch) Offer(ctx context.Context, text string) (Switched, error) {
	out := Switched{Outcome: SwitchSame, SHA256: fileDigest(text)}
	in, err := s.store.PolicyInForce(ctx)
	if err != nil {
		return out, fmt.Errorf("look up the policy in force: %w", err)
	}
	if in.SHA256 == out.SHA256 {
		return out, s.drop(ctx, "", "The policy file is the one in force again.")
	}
	was, err := s.read(in)
	if err != nil {
		return out, err
	}
	next, bound, err := s.resolved(ctx, text)
	if wrong, is := errors.AsType[*notAPolicy](err); is {
		out.Outcome, out.Why = SwitchRefused, wrong.Error()
		return out, s.refuse(ctx, out, in)
	}
	if err != nil {
		return out, err
	}
	d, err := s.judge(ctx, was, bound)
	if err != nil {
		return out, err
	}
	out.Why = d.Summary()
	if d.Exceeds() {
		return s.hold(ctx, out, d, text)
	}
	out.Outcome = SwitchTaken
	if err := s.drop(ctx, next.SHA256, "The policy file says something else by now."); err != nil {
		return out, err
	}
	if err := s.enforce(ctx, next, text, d.detail()); err != nil {
		return out, err
	}
	return out, s.admitted(ctx, next)
}

// Adopt returns the policy in force, as it is written and with its teams
// resolved, when it is another than that with the digest have; else false. It may
// have come into force by another replica, or by people who released it.
func (s *PolicySwitch) Adopt(ctx context.Context, have string) (written, resolved Policy, changed bool, err error) {
	in, err := s.store.PolicyInForce(ctx)
	if err != nil || in.SHA256 == have {
		if errors.Is(err, ErrNotFound) {
			err = nil
		}
		return written, resolved, false, wrap("look up the policy in force", err)
	}
	written, resolved, err = s.resolved(ctx, in.Text)
	if err != nil {
		return written, resolved, false, fmt.Errorf("take over the policy in force, %s: %w", short(in.SHA256), err)
	}
	return written, resolved, true, s.admitted(ctx, written)
}

// read returns the policy in force.
func (s *PolicySwitch) read(in PolicyText) (Policy, error) {
	p, err := s.parse(in.Text)
	if err != nil {
		return Policy{}, fmt.Errorf("the policy in force, %s, cannot be read by this version of rolecall: %w", short(in.SHA256), err)
	}
	return p, nil
}

// notAPolicy is the error of a text that cannot be in force as it is.
type notAPolicy struct{ err error }

func (e *notAPolicy) Error() string { return cmp.Or(ReasonOf(e.err), e.err.Error()) }
func (e *notAPolicy) Unwrap() error { return e.err }

// resolved returns what the text says, and the same with PagerDuty's teams. What
// is wrong with the text is notAPolicy; that PagerDuty does not answer is not.
func (s *PolicySwitch) resolved(ctx context.Context, text string) (written, bound Policy, err error) {
	if written, err = s.parse(text); err != nil {
		return written, bound, &notAPolicy{err}
	}
	teams, err := s.teams(ctx)
	if err != nil {
		return written, bound, fmt.Errorf("list PagerDuty's teams: %w", err)
	}
	if bound, err = written.Resolve(teams); err != nil {
		return written, bound, &notAPolicy{err}
	}
	return written, bound, nil
}

// judge says whom the policy would move, of what is known now.
func (s *PolicySwitch) judge(ctx context.Context, was, next Policy) (PolicyDiff, error) {
	people, err := s.store.Identities(ctx)
	if err != nil {
		return PolicyDiff{}, fmt.Errorf("list identities: %w", err)
	}
	accounts, err := s.store.Baseline(ctx)
	if err != nil {
		return PolicyDiff{}, fmt.Errorf("load the last roll call: %w", err)
	}
	return Diff(was, next, people, accounts, s.now()), nil
}

func (s *PolicySwitch) enforce(ctx context.Context, p Policy, text string, detail map[string]string) error {
	e := AuditEvent{At: s.now(), Actor: System, Kind: EventPolicyLoaded, Ref: p.SHA256, Detail: detail}
	if err := s.store.EnforcePolicy(ctx, PolicyText{SHA256: p.SHA256, Text: text, At: s.now()}, e); err != nil {
		return fmt.Errorf("put policy %s in force: %w", short(p.SHA256), err)
	}
	return nil
}

// refuse puts on record, and tells Security, why a text does not come into force.
func (s *PolicySwitch) refuse(ctx context.Context, out Switched, in PolicyText) error {
	e := AuditEvent{At: s.now(), Actor: System, Kind: EventPolicyRefused, Ref: out.SHA256, Detail: map[string]string{"why": out.Why, "in_force": in.SHA256}}
	told := alert(fmt.Sprintf("The policy file was changed and cannot come into force, so the policy in force stays (%s). %s", short(in.SHA256), out.Why))
	if err := s.store.Record(ctx, e, told); err != nil {
		return fmt.Errorf("record that policy %s was refused: %w", short(out.SHA256), err)
	}
	return nil
}

func (s *PolicySwitch) admitted(ctx context.Context, p Policy) error {
	return wrap("admit the people of the policy", s.admit.Admit(ctx, p))
}

// detail is the diff as the trail keeps it.
func (d PolicyDiff) detail() map[string]string {
	return map[string]string{
		"old": d.Old, "new": d.New, "why": d.Summary(),
		"gain": strconv.Itoa(d.Gain), "lose": strconv.Itoa(d.Lose), "limit": strconv.Itoa(d.Limit),
	}
}

func fileDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// short returns as much of a digest as people compare.
func short(sha string) string { return sha[:min(len(sha), 12)] }
