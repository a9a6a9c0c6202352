package bot

import (
	"context"
	"slices"
	"sync"
	"time"

	"rolecall/lifecycle"
)

// A Reviewer decides findings as far as the bot sees of it: it asks for reasons
// as the domain does, and leaves a request for each.
type Reviewer struct {
	Found func() []lifecycle.Finding
	Put   func(lifecycle.Request) // keeps the request, and ties the finding to it
	Now   func() time.Time

	mu    sync.Mutex
	asked []lifecycle.Verdicts
	Held  map[lifecycle.FindingID]string
	Not   map[lifecycle.FindingID]error // the outcome of one
}

// Asked returns what was decided so far.
func (r *Reviewer) Asked() []lifecycle.Verdicts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.asked)
}

func (r *Reviewer) finding(id lifecycle.FindingID) (lifecycle.Finding, bool) {
	found := r.Found()
	i := slices.IndexFunc(found, func(f lifecycle.Finding) bool { return f.ID == id })
	if i < 0 {
		return lifecycle.Finding{}, false
	}
	return found[i], true
}

func (r *Reviewer) Preview(_ context.Context, ids []lifecycle.FindingID, what lifecycle.Review) ([]lifecycle.Preview, error) {
	all := make([]lifecycle.Preview, len(ids))
	for i, id := range ids {
		f, ok := r.finding(id)
		if !ok {
			return nil, lifecycle.Refuse(lifecycle.ErrNotFound, "There is no such finding any more.")
		}
		all[i] = lifecycle.Preview{Finding: f, Held: r.Held[id]}
		if what != lifecycle.ReviewKeep && all[i].Held == "" {
			all[i].Changes = changesOf(f, what)
		}
	}
	return all, nil
}

func changesOf(f lifecycle.Finding, what lifecycle.Review) []lifecycle.Change {
	to := string(lifecycle.RoleRestricted)
	if what == lifecycle.ReviewReduce {
		to = string(lifecycle.RoleObserver)
	}
	return []lifecycle.Change{
		{ID: "chg_1", Op: lifecycle.OpReplace, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole}, From: f.From, To: to, State: lifecycle.ChangePlanned},
		{ID: "chg_2", Op: lifecycle.OpRevoke, Entitlement: lifecycle.OnTeam(lifecycle.Team{ID: "PPAYSRE", Name: "Payments"}, lifecycle.TeamResponder), From: "responder", State: lifecycle.ChangePlanned},
	}
}

func (r *Reviewer) Decide(_ context.Context, v lifecycle.Verdicts) ([]lifecycle.Outcome, error) {
	out := make([]lifecycle.Outcome, len(v.Findings))
	for i, id := range v.Findings {
		f, ok := r.finding(id)
		out[i] = lifecycle.Outcome{Finding: id, Err: r.Not[id]}
		switch {
		case !ok:
			out[i].Err = lifecycle.Refuse(lifecycle.ErrNotFound, "There is no such finding any more.")
		case out[i].Err != nil:
		case v.Reason == "" && (v.What == lifecycle.ReviewKeep || f.Privileged()):
			out[i].Err = lifecycle.Refuse(lifecycle.ErrInvalid, "Say why. It goes on the record.")
		default:
			out[i].Request = r.request(f, v)
			r.Put(out[i].Request)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, v)
	return out, nil
}

func (r *Reviewer) request(f lifecycle.Finding, v lifecycle.Verdicts) lifecycle.Request {
	d := lifecycle.Decision{By: v.By.Person.Email(), Verdict: lifecycle.Approve, Reason: v.Reason, Until: v.Until, At: r.Now(), Via: v.Via, Batch: len(v.Findings), Shown: v.Shown}
	is := lifecycle.Request{
		ID: lifecycle.RequestID("req_" + string(f.ID)), Kind: lifecycle.RequestStale, State: lifecycle.Holding, Revision: 2,
		Subject: lifecycle.Subject{Email: f.Account.Email, Name: f.Account.Name}, Account: lifecycle.AccountRef{ID: f.Account.ID},
		Changes: changesOf(f, v.What), Why: lifecycle.Why{Find: f.ID}, OpenedAt: r.Now(), UpdatedAt: r.Now(), HoldUntil: r.Now().Add(10 * time.Minute),
	}
	if v.What == lifecycle.ReviewKeep {
		d.Verdict, is.State = lifecycle.Deny, lifecycle.Denied
	}
	is.Decisions = []lifecycle.Decision{d}
	return is
}
