package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

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
	absent   map[IdentityID]Absence
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
	if len(absences) > 0 {
		w.absent = make(map[IdentityID]Absence, len(absences))
	}
	for _, a := range absences {
		w.absent[a.Identity] = a
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
		s := w.policy.Security
		return w.addAll("security", s.Members, nil, s.Through)
	case FromTeamOwners:
		for _, t := range w.r.HomeTeams() {
			if tp, ok := w.policy.TeamFor(t); ok {
				if err := w.addAll("owns "+tp.Name, tp.Owners, tp.Notify, tp.Through); err != nil {
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
			if err := w.add(Approver{Email: FoldEmail(a.Email), As: "manages " + t.Name + " in PagerDuty", Asked: true}); err != nil {
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
	return w.add(Approver{Email: manager.Person.Email(), As: "manages " + w.r.Subject.Label(), Asked: true})
}

// addAll adds everybody of emails. Those whom notify names are sent a copy; where
// it is nil, all who are named themselves, and not through a group.
func (w *wayfinder) addAll(as string, emails, notify []string, through map[string]GroupID) error {
	for _, e := range emails {
		e = FoldEmail(e)
		a := Approver{Email: e, As: as, Group: through[e]}
		a.Asked = a.Group == "" && notify == nil || slices.Contains(notify, e)
		if err := w.add(a); err != nil {
			return err
		}
	}
	return nil
}

// add adds the approver, or who stands in for them while they are away.
func (w *wayfinder) add(a Approver) error {
	i, may, err := w.may(a.Email)
	if err != nil || !may {
		return err
	}
	a.ID = i.ID
	absence, away := w.absent[i.ID]
	if !away {
		w.put(a)
		return nil
	}
	if _, there := w.away.Of(a.Email); !there {
		w.away = append(w.away, Approver{ID: a.ID, Email: a.Email, As: a.As, Group: a.Group, Until: absence.Until})
	}
	return w.standIn(Approver{As: a.As, For: a.Email, Asked: a.Asked}, absence)
}

// standIn adds who stands in for somebody who is away, as a says: their delegate,
// or that one's, and so on, until the first of them is back. It ends with whoever
// could not decide this themselves: nobody names who decides on their own access,
// and what Security alone decides passes through Security's hands alone.
func (w *wayfinder) standIn(a Approver, absence Absence) error {
	seen := []IdentityID{absence.Identity}
	for a.Until = absence.Until; absence.Delegate != ""; {
		i, may, err := w.may(absence.Delegate)
		if err != nil || !may || !w.powerful(absence.Delegate) || slices.Contains(seen, i.ID) {
			return err
		}
		next, away := w.absent[i.ID]
		if !away {
			a.ID, a.Email = i.ID, i.Person.Email()
			w.put(a)
			return nil
		}
		if next.Until.Before(a.Until) {
			a.Until = next.Until
		}
		absence, seen = next, append(seen, i.ID)
	}
	return nil
}

// powerful reports whether who is handed the request may be: what Security alone
// decides stays with Security.
func (w *wayfinder) powerful(email string) bool {
	return !w.alone || slices.Contains(w.policy.Security.Members, email)
}

// assigned adds those to whom somebody who may decide has handed the request. It
// is for whoever may decide in their own right that they then do.
func (w *wayfinder) assigned() error {
	for _, a := range w.r.Assigned {
		from, may := w.of(a.From)
		if !may || !w.powerful(a.To) {
			continue
		}
		i, may, err := w.may(a.To)
		if err != nil {
			return err
		}
		if !may {
			continue
		}
		to := Approver{ID: i.ID, Email: a.To, As: from.As, For: from.authority(), Asked: true}
		absence, away := w.absent[i.ID]
		if !away {
			w.put(to)
		} else if err := w.standIn(to, absence); err != nil {
			return err
		}
	}
	return nil
}

// heard keeps those who have decided in the name of somebody who may decide now:
// that somebody is back takes nothing from what was decided for them meanwhile.
func (w *wayfinder) heard() error {
	if w.r.State != Pending {
		return nil
	}
	for _, d := range w.r.Decisions {
		from, may := w.of(d.For)
		if _, there := w.of(d.By); there || !may || !w.powerful(d.By) {
			continue
		}
		i, may, err := w.may(d.By)
		if err != nil {
			return err
		}
		if may && i.ID == d.ByID {
			w.away = append(w.away, Approver{ID: i.ID, Email: d.By, As: from.As, For: from.authority()})
		}
	}
	return nil
}

// put adds the approver, once: who may decide in their own right stands in for nobody.
func (w *wayfinder) put(a Approver) {
	k := slices.IndexFunc(w.found, func(have Approver) bool { return have.Email == a.Email })
	if k < 0 {
		w.found = append(w.found, a)
		return
	}
	a.Asked = a.Asked || w.found[k].Asked
	if w.found[k].For != "" && a.For == "" {
		w.found[k] = a
	}
	w.found[k].Asked = a.Asked
}

// of returns the approver with that address as far as they are found.
func (w *wayfinder) of(email string) (Approver, bool) {
	if a, ok := w.found.Of(email); ok {
		return a, true
	}
	return w.away.Of(email)
}

// may returns whoever has the address, and whether they may decide anything here
// at all, and this in particular: nobody decides on their own access.
func (w *wayfinder) may(email string) (Identity, bool, error) {
	if email == "" || email == FoldEmail(w.r.Subject.Email) || !w.policy.MayDecideFrom(email) {
		return Identity{}, false, nil
	}
	known, err := w.store.IdentitiesByEmail(w.ctx, email)
	if err != nil {
		return Identity{}, false, fmt.Errorf("look up approver: %w", err)
	}
	if len(known) != 1 {
		return Identity{}, false, nil
	}
	i := known[0]
	return i, i.Merged == "" && i.MayDecide(w.now()) && !w.r.isAbout(i, w.subjects), nil
}
