package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// A Schedule says when something is due next after t. A robfig/cron schedule is one.
type Schedule interface {
	Next(t time.Time) time.Time
}

// DigestStore keeps when each owner was last sent a digest.
type DigestStore interface {
	// LastDigest returns when email was last sent a digest, or considered and
	// spared an empty one; the zero time when never.
	LastDigest(ctx context.Context, email string) (time.Time, error)
	// SaveDigest notes that email's digest for now is done with.
	SaveDigest(ctx context.Context, email string, at time.Time, e AuditEvent, next ...Job) error
}

// A Digest is what one owner should know today. A finding that can be decided
// with others is in a bundle with them, and what asks about it does not wait beside it.
type Digest struct {
	For      Identity
	At       time.Time
	Waiting  []Request // for them, oldest first
	Findings []Finding // of the teams they answer for; all, for security: those of the bundles, the others, and those that are asked about
	Bundles  []Bundle  // that they can decide in place, the biggest risk first
	Others   []Finding // to be known
	Ending   []Exception
	Done     []Request // about their teams, since the last digest
	StandIn  []Absence // of those in whose place it comes to them
}

// Empty reports whether there is nothing to say.
func (d Digest) Empty() bool {
	return len(d.Waiting)+len(d.Bundles)+len(d.Others)+len(d.Ending)+len(d.Done) == 0
}

// A TeamDigest is what a team's channel should know today. Nothing in it is for
// one person, and whoever may decide is computed at the press.
type TeamDigest struct {
	Team     TeamPolicy
	At       time.Time
	Findings []Finding // those of the bundles, the others, and what is kept or asked about
	Waiting  []Request
	Bundles  []Bundle
	Others   []Finding
	Ending   []Exception
	Done     []Request
}

// Empty reports whether there is nothing to say.
func (d TeamDigest) Empty() bool {
	return len(d.Waiting)+len(d.Bundles)+len(d.Others)+len(d.Ending)+len(d.Done) == 0
}

// A Brief is what Security's channel should know today.
type Brief struct {
	At       time.Time
	LastCall time.Time   // when the roll was last called as a whole
	Teams    []TeamCount // that have something, the most findings first; the one without a name is of no team
	Trend    []Tally     // of 90 days, the oldest first
	Leavers  []Finding   // still present
	Ending   []Exception
}

// A TeamCount is how much there is about one team.
type TeamCount struct {
	Team       TeamPolicy
	Waiting    int
	Findings   int
	Privileged int // of the findings
	Stale      int
	Drift      int
}

// Empty reports whether there is nothing to say.
func (b Brief) Empty() bool { return len(b.Teams)+len(b.Leavers)+len(b.Ending) == 0 }

// Digests says whose digest is due, and what is in it.
type Digests struct {
	store     DigestStore
	desk      *Desk
	directory *Directory
	policies  PolicySource
	schedule  Schedule
	now       func() time.Time
}

// NewDigests returns digests that are due by schedule.
func NewDigests(store DigestStore, desk *Desk, directory *Directory, policies PolicySource, schedule Schedule, now func() time.Time) *Digests {
	return &Digests{store: store, desk: desk, directory: directory, policies: policies, schedule: schedule, now: now}
}

// Due returns the owners whose digest is due: the schedule has struck since
// their last one. That is kept in the store, so a digest missed while the
// house was down is sent when it is up again, once. Somebody new is first sent
// one at the next stroke.
func (g *Digests) Due(ctx context.Context) ([]string, error) {
	policy, err := g.policies.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the policy in force: %w", err)
	}
	readers, err := g.desk.readers(ctx, policy.Told())
	if err != nil {
		return nil, err
	}
	var due []string
	for _, email := range readers {
		last, err := g.store.LastDigest(ctx, email)
		if err != nil {
			return nil, fmt.Errorf("look up the last digest: %w", err)
		}
		if last.IsZero() {
			if err := g.Sent(ctx, email, "first one at the next stroke"); err != nil {
				return nil, err
			}
		} else if !g.schedule.Next(last).After(g.now()) {
			due = append(due, email)
		}
	}
	return due, nil
}

// Compose returns the digest for the person with that address.
func (g *Digests) Compose(ctx context.Context, email string) (Digest, error) {
	d := Digest{At: g.now()}
	var err error
	if d.For, err = g.directory.Find(ctx, email); err != nil {
		return d, err
	}
	if d.StandIn, err = g.desk.StandsFor(ctx, d.For); err != nil {
		return d, err
	}
	if d.Waiting, err = g.desk.Inbox(ctx, d.For); err != nil {
		return d, err
	}
	if d.Findings, err = g.desk.FindingsFor(ctx, d.For); err != nil {
		return d, err
	}
	last, err := g.store.LastDigest(ctx, email)
	if err != nil {
		return d, fmt.Errorf("look up the last digest: %w", err)
	}
	if last.IsZero() {
		last = d.At.Add(-24 * time.Hour)
	}
	if err := g.bundle(ctx, &d); err != nil {
		return d, err
	}
	if d.Done, err = g.desk.DoneFor(ctx, d.For, last); err != nil {
		return d, err
	}
	d.Ending, err = g.desk.EndingFor(ctx, d.For, d.At.Add(7*24*time.Hour))
	return d, err
}

// bundle puts together what can be decided with one press, and leaves what waits
// alone where it waits.
func (g *Digests) bundle(ctx context.Context, d *Digest) error {
	accounts, err := g.desk.store.Baseline(ctx)
	if err != nil {
		return fmt.Errorf("load the last roll call: %w", err)
	}
	d.Waiting, d.Bundles, d.Others = arrange(d.Waiting, d.Findings, byAccount(accounts), d.For)
	return nil
}

// arrange returns the requests that wait by themselves, the findings that can be
// decided in place by who, and the rest of them. What somebody has kept is quiet.
// A finding that is asked about and is like no other stays where it waits; what is
// about who sees it is not theirs to decide.
func arrange(waiting []Request, found []Finding, accounts map[AccountID]Account, who Identity) (alone []Request, bundles []Bundle, others []Finding) {
	asked := map[RequestID]bool{}
	for _, r := range waiting {
		asked[r.ID] = true
	}
	var theirs []Finding
	for _, f := range found {
		switch {
		case f.Exception != "":
		case who.ID != "" && (f.Identity == who.ID || f.Account.ID != "" && f.Account.ID == who.Account):
			others = append(others, f)
		case asked[f.Request] && !f.InPlace():
		default:
			theirs = append(theirs, f)
		}
	}
	bundles, rest := Bundles(theirs, accounts)
	bundles = slices.DeleteFunc(bundles, func(b Bundle) bool { return len(b.Findings) == 1 && asked[b.Findings[0].Request] })
	for _, b := range bundles {
		for _, f := range b.Findings {
			delete(asked, f.Request)
		}
	}
	return slices.DeleteFunc(waiting, func(r Request) bool { return !asked[r.ID] }), bundles, append(others, rest...)
}

// Sent notes that email's digest is done with.
func (g *Digests) Sent(ctx context.Context, email, how string) error {
	e := AuditEvent{At: g.now(), Actor: System, Kind: EventDigestSent, Ref: email, Detail: map[string]string{"how": how}}
	if err := g.store.SaveDigest(ctx, email, g.now(), e); err != nil {
		return fmt.Errorf("note digest: %w", err)
	}
	return nil
}

// DoneFor returns what was settled since then about the teams that i answers for.
func (d *Desk) DoneFor(ctx context.Context, i Identity, since time.Time) ([]Request, error) {
	policy, err := d.policies.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the policy in force: %w", err)
	}
	settled, err := d.store.Requests(ctx, RequestFilter{States: []RequestState{Done, Failed, Denied, Expired}, Since: since})
	if err != nil {
		return nil, fmt.Errorf("list settled requests: %w", err)
	}
	emails, err := d.answersFor(ctx, i)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(settled, func(r Request) bool {
		return policy.Stands(r, emails[0]) == "" && !slices.ContainsFunc(emails[1:], func(e string) bool { return policy.owned(r, e) != "" })
	}), nil
}

// EndingFor returns the exceptions to findings of i that end before t.
func (d *Desk) EndingFor(ctx context.Context, i Identity, before time.Time) ([]Exception, error) {
	mine, err := d.FindingsFor(ctx, i)
	if err != nil {
		return nil, err
	}
	_, exceptions, err := d.store.Findings(ctx, d.now())
	if err != nil {
		return nil, fmt.Errorf("load exceptions: %w", err)
	}
	return slices.DeleteFunc(exceptions, func(x Exception) bool {
		return x.Until.After(before) || !slices.ContainsFunc(mine, func(f Finding) bool { return f.ID == x.Finding })
	}), nil
}

// Kept returns the exceptions that have not ended, by their ids.
func (d *Desk) Kept(ctx context.Context) (map[ExceptionID]Exception, error) {
	_, exceptions, err := d.store.Findings(ctx, d.now())
	if err != nil {
		return nil, fmt.Errorf("load exceptions: %w", err)
	}
	kept := make(map[ExceptionID]Exception, len(exceptions))
	for _, x := range exceptions {
		kept[x.ID] = x
	}
	return kept, nil
}
