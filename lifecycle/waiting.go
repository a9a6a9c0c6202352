package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// An AddressBook says who has an address.
type AddressBook interface {
	// IdentitiesByEmail returns every identity whose primary address is email, folded.
	IdentitiesByEmail(ctx context.Context, email string) ([]Identity, error)
}

// nearest is of how many of those who decide it is looked up where they are.
const nearest = 8

// timed returns the request with its deadline, if it has one. The hours in which
// it counts are pinned: a deadline that people have been told does not move with
// the policy.
func timed(ctx context.Context, people AddressBook, p Policy, r Request, a Approval) (Request, error) {
	if h := p.Defaults.Hours; !h.Always() {
		zone, err := waitsIn(ctx, people, p, r)
		if err != nil {
			return r, err
		}
		r.Hours, r.Zone = h, zone
	}
	if a.ExpireAfter > 0 {
		r.DecideBy = r.after(a.ExpireAfter)
	}
	if !r.Until.IsZero() && (r.DecideBy.IsZero() || r.DecideBy.After(r.Until)) {
		r.DecideBy = r.Until // after that there is nothing to decide
	}
	return r, nil
}

// waitsIn returns the time zone in which the request is waited for: that of its
// first team that has one, else that of the nearest of those who decide.
func waitsIn(ctx context.Context, people AddressBook, p Policy, r Request) (string, error) {
	for _, t := range r.HomeTeams() {
		if tp, ok := p.TeamFor(t); ok && tp.Zone != "" {
			return tp.Zone, nil
		}
	}
	for _, email := range r.Approvers[:min(len(r.Approvers), nearest)] {
		known, err := people.IdentitiesByEmail(ctx, email)
		if err != nil {
			return "", fmt.Errorf("look up where %s is: %w", email, err)
		}
		if len(known) == 1 && known[0].Person.Timezone != "" {
			return known[0].Person.Timezone, nil
		}
	}
	return "", nil
}

// after returns when the request will have been waited for that long.
func (r Request) after(d time.Duration) time.Time { return r.Hours.Add(r.OpenedAt, d, zoneOf(r.Zone)) }

// InWorkingHours reports whether the deadline counts working hours, and not all.
func (r Request) InWorkingHours() bool {
	return !r.Hours.Always() && !r.DecideBy.IsZero() && !r.DecideBy.Equal(r.Until)
}

// clock returns the jobs that remind, escalate and expire. Each looks at the
// state when it runs, and does nothing if that has moved on.
func clock(r Request, a Approval) []Job {
	var jobs []Job
	if a.RemindAfter > 0 {
		jobs = append(jobs, Job{Kind: JobRemind, Ref: string(r.ID), At: r.after(a.RemindAfter)})
	}
	if a.EscalateAfter > 0 {
		jobs = append(jobs, Job{Kind: JobEscalate, Ref: string(r.ID), At: r.after(a.EscalateAfter)})
	}
	if !r.DecideBy.IsZero() {
		jobs = append(jobs, Job{Kind: JobExpire, Ref: string(r.ID), At: r.DecideBy})
	}
	return jobs
}

// Snoozing is what somebody says who does not want to be asked for now.
type Snoozing struct {
	Request RequestID
	By      Identity
	Until   time.Time
	Via     Via
}

// longestSnooze keeps what has no deadline from being forgotten.
const longestSnooze = 7 * 24 * time.Hour

// Snooze takes a request out of the inbox, the digest and the reminders of
// somebody who may decide it, until then; they are reminded when that is over.
// It moves no deadline: to put it off until after that, or for more than a week, is
// refused. The card in the channel stays as it is.
func (a *Approvals) Snooze(ctx context.Context, s Snoozing) (Request, error) {
	return a.change(ctx, s.Request, s.By, func(was Request, _ Policy, _ Route) (step, error) {
		is, err := was.snooze(s, a.now())
		return step{request: is, kind: EventRequestSnoozed, detail: map[string]string{"until": s.Until.UTC().Format(time.RFC3339), "via": string(s.Via)}, next: []Job{
			show(was.ID), {Kind: JobRemind, Ref: string(was.ID), At: s.Until},
		}}, err
	})
}

func (r Request) snooze(s Snoozing, now time.Time) (Request, error) {
	switch {
	case r.State != Pending:
		return r, Refuse(ErrConflict, "this request is already %s%s", r.State, r.by())
	case r.late(now):
		return r, r.expired()
	case slices.ContainsFunc(r.Decisions, func(d Decision) bool { return d.ByID == s.By.ID && !d.Lapsed }):
		return r, Refuse(ErrConflict, "You have decided on this already; it waits for others.")
	case !s.Until.After(now) || s.Until.After(now.Add(longestSnooze)):
		return r, Refuse(ErrInvalid, "A request can be put off until a time within the next seven days.")
	case !r.DecideBy.IsZero() && !s.Until.Before(r.DecideBy):
		return r, Refuse(ErrInvalid, "It has to be decided by %s, and could not be put off until after that.", r.DecideBy.UTC().Format(endWords))
	}
	email := s.By.Person.Email()
	r.Snoozed = append(slices.DeleteFunc(slices.Clone(r.Snoozed), func(x Snooze) bool { return x.By == email }), Snooze{By: email, Until: s.Until})
	r.Revision++
	r.UpdatedAt = now
	return r, nil
}

// SnoozedBy returns until when the person with that address does not want to be
// asked, or the zero time. It may have passed.
func (r Request) SnoozedBy(email string) time.Time {
	for _, s := range r.Snoozed {
		if s.By == FoldEmail(email) {
			return s.Until
		}
	}
	return time.Time{}
}
