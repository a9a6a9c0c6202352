package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A Router says who may decide a request now. It is the one place that does:
// cards, inboxes, reminders and the decision itself all go by it.
type Router struct {
	store    RouteStore
	policies PolicySource
	now      func() time.Time
}

// NewRouter returns a router over store.
func NewRouter(store RouteStore, policies PolicySource, now func() time.Time) *Router {
	return &Router{store: store, policies: policies, now: now}
}

// Route returns who may decide r now. First come those whom the request names as
// sources; while they are fewer than have to agree, those whom PagerDuty calls
// managers of its teams, then the subject's manager, then Security. Whoever has
// left, is suspended, is of no domain of the policy or is the subject falls away.
// Who is away is stood in for, and comes last. What Security alone decides goes to
// nobody else.
func (t *Router) Route(ctx context.Context, r Request) (Route, error) {
	policy, err := t.policies.Current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the policy in force: %w", err)
	}
	return t.route(ctx, r, policy)
}

func (t *Router) route(ctx context.Context, r Request, policy Policy) (Route, error) {
	w := &wayfinder{Router: t, ctx: ctx, policy: policy, r: r, alone: slices.Equal(r.From, []ApproverSource{FromSecurity})}
	if err := w.begin(); err != nil {
		return nil, err
	}
	for _, from := range w.sources() {
		if w.enough() && !slices.Contains(r.From, from) && !(from == FromSecurity && r.Escalated) {
			continue
		}
		if err := w.ask(from); err != nil {
			return nil, err
		}
	}
	if err := w.assigned(); err != nil {
		return nil, err
	}
	return append(w.found, w.away...), nil
}

// fallThrough is who is asked, one after the other, when those before are too few.
func fallThrough() []ApproverSource {
	return []ApproverSource{FromTeamManagers, FromManager, FromSecurity}
}

// A wayfinder is one look for who may decide.
type wayfinder struct {
	*Router
	ctx      context.Context //nolint:containedctx // it lives as long as the one call that made it
	policy   Policy
	r        Request
	alone    bool       // Security alone decides
	subjects []Identity // who has the subject's address
	absent   map[string]Absence
	found    Route // who is there
	away     Route // who could decide, and is away
}

func (w *wayfinder) begin() (err error) {
	if w.subjects, err = w.store.IdentitiesByEmail(w.ctx, FoldEmail(w.r.Subject.Email)); err != nil {
		return fmt.Errorf("look up whose access it is: %w", err)
	}
	absences, err := w.store.Absences(w.ctx, w.now())
	if err != nil {
		return fmt.Errorf("list who is away: %w", err)
	}
	w.absent = make(map[string]Absence, len(absences))
	for _, a := range absences {
		w.absent[a.Email] = a
	}
	return nil
}

// sources returns the sources to ask, in order: those of the request, and then
// those who are asked only when they are too few.
func (w *wayfinder) sources() []ApproverSource {
	all := slices.Clone(w.r.From)
	for _, from := range fallThrough() {
		if !slices.Contains(all, from) && !w.alone {
			all = append(all, from)
		}
	}
	return all
}

// enough reports whether as many are there as have to agree. What policy itself
// approved needs nobody, and somebody must be able to retry it.
func (w *wayfinder) enough() bool { return len(w.found) >= max(w.r.Needed, 1) }

// ask adds whoever stands behind the source.
func (w *wayfinder) ask(from ApproverSource) error {
	switch from {
	case FromSecurity:
		return w.addAll("security", w.policy.Security.Members)
	case FromTeamOwners:
		for _, t := range w.r.HomeTeams() {
			if tp, ok := w.policy.TeamFor(t); ok {
				if err := w.addAll("owns "+tp.Name, tp.Owners); err != nil {
					return err
				}
			}
		}
		return nil
	case FromTeamManagers:
		return w.managersOfTeams()
	case FromManager:
		return w.managerOfSubject()
	default:
		return nil
	}
}

func (w *wayfinder) managersOfTeams() error {
	for _, t := range w.r.HomeTeams() {
		if t.ID == "" {
			continue
		}
		accounts, err := w.store.TeamManagers(w.ctx, t.ID)
		if err != nil {
			return fmt.Errorf("look up the managers of team %s: %w", t.ID, err)
		}
		for _, a := range accounts {
			if err := w.add("manages "+t.Name+" in PagerDuty", FoldEmail(a.Email)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *wayfinder) managerOfSubject() error {
	if w.r.Subject.ID == "" {
		return nil
	}
	manager, err := managerOf(w.ctx, w.store, w.r.Subject.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return w.add("manages "+w.r.Subject.Label(), manager.Person.Email())
}

func (w *wayfinder) addAll(as string, emails []string) error {
	for _, e := range emails {
		if err := w.add(as, FoldEmail(e)); err != nil {
			return err
		}
	}
	return nil
}

// add adds whoever has the address, or who stands in for them while they are away.
func (w *wayfinder) add(as, email string) error {
	may, err := w.may(email)
	if err != nil || !may {
		return err
	}
	absence, away := w.absent[email]
	if !away {
		w.put(Approver{Email: email, As: as, Asked: true})
		return nil
	}
	if !w.knows(w.away, email) {
		w.away = append(w.away, Approver{Email: email, As: as, Until: absence.Until})
	}
	return w.standIn(as, absence)
}

// standIn adds who stands in for somebody who is away: their delegate, or that
// one's, and so on. Nobody stands in who could not decide themselves, and for
// Security only somebody of them.
func (w *wayfinder) standIn(as string, absence Absence) error {
	until, seen := absence.Until, []string{absence.Email}
	for at := absence; at.Delegate != "" && !slices.Contains(seen, at.Delegate); {
		to := at.Delegate
		seen = append(seen, to)
		if next, away := w.absent[to]; away {
			at = next
			continue
		}
		may, err := w.may(to)
		if err == nil && may && w.powerful(to) {
			w.put(Approver{Email: to, As: as, For: absence.Email, Until: until, Asked: true})
		}
		return err
	}
	return nil
}

// powerful reports whether who is handed the request may be: what Security alone
// decides stays with Security.
func (w *wayfinder) powerful(email string) bool {
	return !w.alone || slices.Contains(w.policy.Security.Members, email)
}

// assigned adds those to whom somebody who may decide has handed the request.
func (w *wayfinder) assigned() error {
	for _, a := range w.r.Assigned {
		if !w.knows(w.found, a.From) && !w.knows(w.away, a.From) || !w.powerful(a.To) {
			continue
		}
		may, err := w.may(a.To)
		if err != nil {
			return err
		}
		if may {
			from, _ := append(slices.Clone(w.found), w.away...).Of(a.From)
			w.put(Approver{Email: a.To, As: from.As, For: a.From, Asked: true})
		}
	}
	return nil
}

// put adds the approver, once: who may decide in their own right stands in for nobody.
func (w *wayfinder) put(a Approver) {
	k := slices.IndexFunc(w.found, func(have Approver) bool { return have.Email == a.Email })
	switch {
	case k < 0:
		w.found = append(w.found, a)
	case w.found[k].For != "" && a.For == "":
		w.found[k] = a
	}
}

func (w *wayfinder) knows(r Route, email string) bool {
	_, ok := r.Of(email)
	return ok
}

// may reports whether whoever has the address may decide anything here at all,
// and this in particular: nobody decides on their own access.
func (w *wayfinder) may(email string) (bool, error) {
	if email == "" || email == FoldEmail(w.r.Subject.Email) || !w.policy.MayDecideFrom(email) {
		return false, nil
	}
	known, err := w.store.IdentitiesByEmail(w.ctx, email)
	if err != nil {
		return false, fmt.Errorf("look up approver: %w", err)
	}
	return len(known) == 1 && known[0].Merged == "" && known[0].MayDecide(w.now()) && !w.r.isAbout(known[0], w.subjects), nil
}
