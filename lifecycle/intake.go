package lifecycle

import (
	"context"
	"fmt"
	"time"
)

// FactStore is where what sources say is kept.
type FactStore interface {
	Recorder
	// SaveFact stores f and returns its id. Where (f.Source, f.EventID) stands
	// already it changes nothing and returns the id that stands, and true.
	SaveFact(ctx context.Context, f Fact, e AuditEvent, next ...Job) (id NoticeID, duplicate bool, err error)
	// SaveFinding stores what another tool found. The same finding again is no
	// other one, and true.
	SaveFinding(ctx context.Context, f Finding, e AuditEvent, next ...Job) (duplicate bool, err error)
	// BaselineByEmail returns the accounts with that address, folded, as the last
	// whole roll call, or a verified change since, left them.
	BaselineByEmail(ctx context.Context, email string) ([]Account, error)
	// IdentitiesByEmail returns every identity whose primary address is email, folded.
	IdentitiesByEmail(ctx context.Context, email string) ([]Identity, error)
}

// An Inbox is step 1: it takes what sources say, and answers when it is kept.
type Inbox struct {
	store FactStore
	now   func() time.Time
}

// NewInbox returns an inbox over store.
func NewInbox(store FactStore, now func() time.Time) *Inbox { return &Inbox{store: store, now: now} }

// Receive keeps the fact and returns the id under which it may be followed. A
// repeat of (source, event id) is success, and true. A fact that does not say whom
// it speaks of, a whole state without an address, one without a status, with a day
// that is none, or observed in the future is a Refusal that names each field.
func (b *Inbox) Receive(ctx context.Context, f Fact) (NoticeID, bool, error) {
	if err := f.valid(b.now()); err != nil {
		return "", false, err
	}
	f.ID, f.ReceivedAt = NewNoticeID(), b.now()
	e := AuditEvent{At: f.ReceivedAt, Actor: BySource(f.Source), Kind: EventNoticeReceived, Ref: string(f.ID), Detail: map[string]string{
		"event": f.EventID, "employee": f.Person.EmployeeID, "status": string(f.Person.Status), "sha256": f.SHA256,
	}}
	id, duplicate, err := b.store.SaveFact(ctx, f, e, Job{Kind: JobRegister, Ref: string(f.ID)})
	if err != nil {
		return "", false, fmt.Errorf("keep fact %s of %s: %w", f.EventID, f.Source, err)
	}
	return id, duplicate, nil
}

// Refused puts on the record that something was turned away at the door.
func (b *Inbox) Refused(ctx context.Context, source, why string) error {
	e := AuditEvent{At: b.now(), Actor: BySource(source), Kind: EventNoticeRefused, Ref: source, Detail: map[string]string{"why": why}}
	if err := b.store.Record(ctx, e); err != nil {
		return fmt.Errorf("record refusal of %s: %w", source, err)
	}
	return nil
}

// A Report is what another tool's reconciliation found.
type Report struct {
	Source      string
	EventID     string
	Email       string
	Kind        FindingKind
	Entitlement Entitlement
	ObservedAt  time.Time
	Note        string
}

// Report keeps another tool's finding and asks about it like one of ours. One
// about an account that no roll call has seen is a Refusal.
func (b *Inbox) Report(ctx context.Context, r Report) (FindingID, bool, error) {
	accounts, err := b.store.BaselineByEmail(ctx, FoldEmail(r.Email))
	if err != nil {
		return "", false, fmt.Errorf("look for an account in the last roll call: %w", err)
	}
	link := Correlate(Identity{Person: Person{Emails: []string{r.Email}}}, accounts, Policy{})
	if link.State != Linked {
		return "", false, &Refusal{
			Kind: ErrInvalid, Reason: "nothing can be concluded about " + r.Email + ": " + link.Reason,
			Fields: []FieldError{{Path: "data.account_email", Message: link.Reason}},
		}
	}
	f := r.finding(*link.Account, b.now())
	who, err := b.store.IdentitiesByEmail(ctx, FoldEmail(r.Email))
	if err != nil {
		return "", false, fmt.Errorf("look up whose account was reported: %w", err)
	}
	if len(who) == 1 {
		f.Identity = who[0].ID
	}
	e := AuditEvent{At: b.now(), Actor: BySource(r.Source), Kind: EventFindingOpened, Ref: string(f.ID), Detail: map[string]string{"finding": f.Sentence(), "event": r.EventID}}
	duplicate, err := b.store.SaveFinding(ctx, f, e, Job{Kind: JobAsk, Ref: string(f.ID)})
	if err != nil {
		return "", false, fmt.Errorf("keep finding %s of %s: %w", r.EventID, r.Source, err)
	}
	return f.ID, duplicate, nil
}

func (r Report) finding(a Account, now time.Time) Finding {
	e := r.Entitlement
	if e.Kind == "" {
		e.Kind = KindAccount
	}
	from := (Change{Entitlement: e}).Current(&a)
	if e.Role == "" {
		e.Role = from
	}
	if e.Kind == KindTeamRole && e.Team.Name == "" {
		e.Team.Name = a.teamName(e.Team.ID)
	}
	since := r.ObservedAt
	if since.IsZero() {
		since = now
	}
	return Finding{
		ID: findingIDFor(r.Source+" "+string(r.Kind), a.ID, "", e), Kind: r.Kind, Severity: SeverityMedium,
		Account:     AccountCard{ID: a.ID, Email: a.Email, Name: a.Name, BaseRole: a.BaseRole},
		Entitlement: e, From: from, Since: since, Source: r.Source, Note: r.Note, Again: now,
	}
}

// skew is how far a source's clock may be ahead of ours. A fact observed later
// than now would outrank every true one until that moment.
const skew = 5 * time.Minute

func (f Fact) valid(now time.Time) error {
	var wrong []FieldError
	blame := func(bad bool, path, what string) {
		if bad {
			wrong = append(wrong, FieldError{Path: path, Message: what})
		}
	}
	blame(f.Source == "", "source", "say which source of truth this is")
	blame(f.EventID == "", "id", "give the event an id; a repeat of it is then harmless")
	whole := f.Kind == FactState
	blame(f.SourceKey() == "" && (whole || f.Person.Email() == ""), "data.employee_id", "is needed: it is how the person is known again")
	_, err := ParseStatus(string(f.Person.Status))
	blame(err != nil && f.Kind != FactAbsent, "data.status", "is needed: active, leave, suspended or ended")
	blame(f.Person.Email() == "" && whole, "data.emails", "needs at least one address; the first is the primary one")
	_, err = ParseDate(string(f.Person.StartDate))
	blame(err != nil, "data.start_date", "must be a date like 2026-05-31")
	_, err = ParseDate(string(f.Person.EndDate)) // a day that cannot be read would count as long past
	blame(err != nil, "data.end_date", "must be a date like 2026-05-31")
	blame(f.ObservedAt.IsZero(), "time", "say when this was so, as 2026-05-31T09:00:00Z")
	blame(f.ObservedAt.After(now.Add(skew)), "time", "is in the future; check the sender's clock")
	if len(wrong) > 0 {
		return &Refusal{Kind: ErrInvalid, Reason: wrong[0].Path + " " + wrong[0].Message, Fields: wrong}
	}
	return nil
}
