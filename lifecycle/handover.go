package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// OriginalStore keeps objects as they were before a change.
type OriginalStore interface {
	// KeepOriginal stores o. What is kept for its change already stays as it is,
	// which is no error: a repeated step must not take its own effect for the original.
	KeepOriginal(ctx context.Context, o Original, e AuditEvent) error
	// Original returns what was kept for the change, or ErrNotFound.
	Original(ctx context.Context, id ChangeID) (Original, error)
}

// handOver returns the changes that hand the duties over, in the order in which
// that leaves nobody without an answer: what burns now, then who is called, then
// who is in line. Whom to is proposed where somebody fits.
func handOver(account AccountID, duties []Duty, candidates []Candidate) []Change {
	free := slices.DeleteFunc(slices.Clone(candidates), func(c Candidate) bool { return c.ID == account })
	var changes []Change
	for _, d := range inOrder(duties) {
		c := Change{ID: NewChangeID(), Op: OpHandover, Entitlement: d.Entitlement(), From: string(account), State: ChangePlanned}
		if k := propose(d, free); k >= 0 {
			c.To, c.Successor = string(free[k].ID), free[k].AccountCard
			free[k].Load++
		}
		changes = append(changes, c)
	}
	return changes
}

func inOrder(duties []Duty) []Duty {
	kinds := []EntitlementKind{KindIncident, KindEscalationPolicy, KindSchedule}
	sorted := slices.Clone(duties)
	slices.SortStableFunc(sorted, func(a, b Duty) int { return slices.Index(kinds, a.Kind) - slices.Index(kinds, b.Kind) })
	return sorted
}

// propose returns which candidate fits the duty best, or -1: somebody of the
// same team who can be woken and does not answer there already; of those, who
// knows the thing already, then who carries least.
func propose(d Duty, candidates []Candidate) int {
	best := -1
	for k, c := range candidates {
		fits := c.Reachable && (d.Team == "" || slices.Contains(c.Teams, d.Team)) && !slices.Contains(d.Others, c.ID)
		if fits && (best < 0 || nearer(d, c, candidates[best]) < 0) {
			best = k
		}
	}
	return best
}

// standIns returns the candidates of a request that hands something over: those
// of its teams first, so that they are at hand where somebody chooses.
func standIns(r Request, candidates []Candidate) []Candidate {
	if !r.HandsOver() {
		return nil
	}
	teams := r.Teams()
	away := func(c Candidate) int {
		if slices.ContainsFunc(teams, func(t Team) bool { return slices.Contains(c.Teams, t.ID) }) {
			return 0
		}
		return 1
	}
	sorted := slices.DeleteFunc(slices.Clone(candidates), func(c Candidate) bool { return c.ID == r.Account.ID })
	slices.SortStableFunc(sorted, func(a, b Candidate) int {
		return cmp.Or(away(a)-away(b), a.Load-b.Load, cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return sorted[:min(len(sorted), mostCandidates)]
}

// mostCandidates is how many options a select in a modal holds, less the one for
// nobody. Source: Slack's Block Kit reference, select menu.
const mostCandidates = 99

func nearer(d Duty, a, b Candidate) int {
	stranger := func(c Candidate) int {
		if slices.Contains(c.Duties, d.Object.ID) {
			return 0
		}
		return 1
	}
	return cmp.Or(stranger(a)-stranger(b), a.Load-b.Load, cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
}

// touchedBy returns the duties that the changes would leave or cut off: those
// of a team that is left, all of them where on-call is not possible any more,
// and those that are handed over.
func touchedBy(changes []Change, duties []Duty) []Duty {
	return slices.DeleteFunc(slices.Clone(duties), func(d Duty) bool {
		return !slices.ContainsFunc(changes, func(c Change) bool { return c.touches(d) })
	})
}

func (c Change) touches(d Duty) bool {
	switch {
	case c.Op == OpHandover:
		return d.Key() == c.duty()
	case c.Op == OpDelete:
		return true
	case c.Entitlement.Kind == KindTeamRole:
		return c.To == "" && d.Team == c.Entitlement.Team.ID
	case c.Entitlement.Kind == KindBaseRole: // a stakeholder cannot be on call
		return c.Removes() && BaseRole(c.To).Rank() <= RoleStakeholder.Rank()
	default:
		return false
	}
}

// duty returns the key of the duty that a handover is about.
func (c Change) duty() string {
	e := c.Entitlement
	return Duty{Kind: e.Kind, Object: e.Object, Level: e.Level, Override: e.Override}.Key()
}

// withHandover puts the handovers that the changes need before the first that
// needs one, after the gains. Those that are among the changes are made anew.
func withHandover(changes []Change, account AccountID, duties []Duty, candidates []Candidate) []Change {
	needed := touchedBy(changes, duties)
	if len(needed) == 0 {
		return changes
	}
	rest := slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return c.Op == OpHandover && c.Restores == "" })
	first := slices.IndexFunc(rest, func(c Change) bool { return len(touchedBy([]Change{c}, duties)) > 0 })
	return slices.Insert(rest, max(first, 0), handOver(account, needed, candidates)...)
}

// A Choice is who takes over what, as somebody who is known has named them.
type Choice struct {
	Request    RequestID
	Seen       int // the revision they were looking at
	By         Identity
	Successors map[ChangeID]AccountID // NoSuccessor for nobody
	Via        Via
}

// Chosen is who last named those who take over, when, and how that came.
// Whoever else has seen only an older revision approves nothing.
type Chosen struct {
	By       string    `json:"by"` // address
	At       time.Time `json:"at"`
	Via      Via       `json:"via"`
	Revision int       `json:"revision"` // of the request that this made
}

// unseen reports whether somebody who was looking at that revision has not seen
// what another than they chose.
func (c Chosen) unseen(by string, seen int) bool { return seen < c.Revision && FoldEmail(by) != c.By }

func (c Chosen) words() string {
	return fmt.Sprintf("%s has chosen who takes over since you looked; look again", c.By)
}

// Choose names who takes over, and returns the request as it stands after that.
// It decides nothing: the plan that it completes is approved by itself, and what
// was approved of it before counts no more. Of what has failed, where one may
// decide alone, it is that approval. A choice that cannot be is a Refusal whose
// Fields name the change.
func (a *Approvals) Choose(ctx context.Context, c Choice) (Request, error) {
	return a.change(ctx, c.Request, c.By, func(was Request, _ Policy, _ Route) (step, error) {
		is, chosen, err := was.choose(c, a.now())
		if err != nil {
			return step{}, err
		}
		if err := a.takersHere(ctx, is); err != nil {
			return step{}, err
		}
		chosen["via"] = string(c.Via)
		return step{request: is, kind: EventRequestChosen, detail: chosen, next: []Job{show(is.ID)}}, nil
	})
}

// takersHere returns nil while nobody who is to take over has left, else a
// Refusal that says who.
func (a *Approvals) takersHere(ctx context.Context, r Request) error {
	for _, c := range r.Changes {
		if !c.handsOn() {
			continue
		}
		known, err := a.store.IdentitiesByEmail(ctx, FoldEmail(c.Successor.Email))
		if err != nil {
			return fmt.Errorf("look up who takes over: %w", err)
		}
		if slices.ContainsFunc(known, func(i Identity) bool { return i.StatusAt(a.now()) == StatusEnded }) {
			return c.refuseSuccessor(ErrConflict, "%s has left, and cannot take over %s: choose somebody else", c.taker(), c.Entitlement)
		}
	}
	return nil
}

// choose returns the request with its successors named, and who they are.
func (r Request) choose(c Choice, now time.Time) (Request, map[string]string, error) {
	by := c.By.Person.Email()
	switch {
	case r.State == Failed && r.Needed > 1:
		return r, nil, Refuse(ErrConflict, "%d people had to agree to this, so nobody changes it alone now that it has failed; retry it, or let the next roll call ask for what is left", r.Needed)
	case r.State != Pending && r.State != Failed:
		return r, nil, Refuse(ErrConflict, "this request is already %s%s", r.State, r.by())
	case r.late(now):
		return r, nil, r.expired()
	case len(c.Successors) == 0:
		return r, nil, Refuse(ErrInvalid, "nobody was chosen")
	case c.Seen > r.Revision:
		return r, nil, Refuse(ErrConflict, "revision %d of this request does not exist; it is at %d", c.Seen, r.Revision)
	case r.Chosen.unseen(by, c.Seen):
		return r, nil, Refuse(ErrConflict, "%s", r.Chosen.words())
	}
	chosen, left := map[string]string{}, len(c.Successors)
	r.Changes = slices.Clone(r.Changes)
	for i, change := range r.Changes {
		to, named := c.Successors[change.ID]
		if !named {
			continue
		}
		is, err := r.handTo(change, to)
		if err != nil {
			return r, nil, err
		}
		left--
		r.Changes[i] = is
		chosen[string(change.ID)] = is.successorWords()
	}
	if left > 0 {
		return r, nil, Refuse(ErrConflict, "what is to be handed over has changed since you looked; look again")
	}
	r.Revision++
	r.UpdatedAt, r.Chosen = now, Chosen{By: by, At: now, Via: c.Via, Revision: r.Revision}
	r.Decisions = r.decisionsOn(c, now)
	return r, chosen, nil
}

// decisionsOn returns the decisions that count of the plan that the choice made:
// none of those that approved another, and of what has failed the choice itself.
func (r Request) decisionsOn(c Choice, now time.Time) []Decision {
	if r.State == Pending {
		return slices.DeleteFunc(slices.Clone(r.Decisions), func(d Decision) bool { return d.Verdict == Approve })
	}
	return append(slices.Clone(r.Decisions), Decision{By: c.By.Person.Email(), ByID: c.By.ID, Verdict: Approve, Reason: "Chose who takes over.", At: now, Via: c.Via, Seen: c.Seen})
}

func (r Request) handTo(c Change, to AccountID) (Change, error) {
	k := slices.IndexFunc(r.Candidates, func(x Candidate) bool { return x.ID == to })
	refuse := func(format string, args ...any) error { return c.refuseSuccessor(ErrInvalid, format, args...) }
	switch {
	case c.Op != OpHandover || c.Restores != "":
		return c, refuse("%s is not handed over by this request", c.Entitlement)
	case c.State == ChangeApplied || c.State == ChangeVerified:
		return c, refuse("%s is handed over already", c.Entitlement)
	case to == AccountID(c.From):
		return c, refuse("%s cannot take over from themselves", r.Subject.Label())
	case to == NoSuccessor && !r.optional(c):
		return c, refuse("Somebody must take over %s: nobody else would answer there", c.Entitlement)
	case to == NoSuccessor:
		c.To, c.Successor = NoSuccessor, AccountCard{}
		return c, nil
	case k < 0:
		return c, refuse("%s is not among those who could take over %s", to, c.Entitlement)
	default:
		c.To, c.Successor = string(to), r.Candidates[k].AccountCard
		c.State, c.Error = ChangePlanned, ""
		return c, nil
	}
}

func (c Change) refuseSuccessor(kind error, format string, args ...any) error {
	reason := fmt.Sprintf(format, args...)
	return &Refusal{Kind: kind, Reason: reason, Fields: []FieldError{{Path: string(c.ID), Message: reason}}}
}

// handsOn reports whether the change is one by which somebody is still to take over.
func (c Change) handsOn() bool {
	return c.Op == OpHandover && c.Restores == "" && c.To != "" && c.To != NoSuccessor && c.State != ChangeVerified
}

// taker returns the name of who takes over.
func (c Change) taker() string { return cmp.Or(c.Successor.Name, c.Successor.Email, c.To) }

// optional reports whether the duty that c hands over may simply end.
func (r Request) optional(c Change) bool {
	k := slices.IndexFunc(r.Duties, func(d Duty) bool { return d.Key() == c.duty() })
	return k >= 0 && r.Duties[k].Optional()
}

func (c Change) successorWords() string {
	if c.To == NoSuccessor {
		return c.Entitlement.String() + ": nobody, the others there are enough"
	}
	return c.Entitlement.String() + ": " + c.taker()
}
