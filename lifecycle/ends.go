package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	timeIsOver = "The time that it was asked for is over."
	notAsGiven = "What was given for a time is not held any more as it was given, so nothing is taken back."

	endStage   = "end"
	endingMost = 24 * time.Hour // before the end, their holder is told
)

// endings returns the steps by which what the request has given ends: its holder
// is told a day before, or at nine tenths of what is shorter; and where it has
// taken such a grant back, that is seen.
func (r Request) endings(now time.Time) []Job {
	switch {
	case r.Undoes != "" && r.Kind == RequestSelf:
		return []Job{{Kind: JobEnd, Ref: string(r.Undoes)}}
	case r.Until.IsZero() || !now.Before(r.Until):
		return nil
	default:
		before := min(endingMost, r.Until.Sub(now)/10)
		return []Job{{Kind: JobEnding, Ref: string(r.ID), At: r.Until.Add(-before)}}
	}
}

// End gives back what the request with that id has given for a time, once that is
// over, or before, where its holder has given it back. They go back to what they
// held before; where policy wants more for them by now, or another grant that runs
// gives more, to that. What was changed since is left as it is. It may be repeated;
// called too early, it asks to be called again.
func (p *Planner) End(ctx context.Context, id RequestID) error {
	r, err := p.store.Request(ctx, id)
	if err != nil {
		return fmt.Errorf("load request %s: %w", id, err)
	}
	if r.Until.IsZero() || r.Ends != "" || !r.Ended.IsZero() {
		return nil
	}
	about, err := p.read.Requests(ctx, RequestFilter{Account: r.Account.ID})
	if err != nil {
		return fmt.Errorf("list requests about account %s: %w", r.Account.ID, err)
	}
	k := slices.IndexFunc(about, func(u Request) bool { return u.Undoes == id && u.State == Done })
	undone := k >= 0
	if undone {
		r.EndedBy = about[k].ID
	}
	switch now := p.now(); {
	case r.EndedBy == "" && r.GivenBack.IsZero() && now.Before(r.Until):
		return RetryAfter(fmt.Errorf("request %s runs until %s", id, r.Until), r.Until.Sub(now))
	case r.State == Applying:
		return RetryAfter(fmt.Errorf("end request %s: it is being applied", id), time.Minute)
	case r.State.Open():
		if r, err = p.tooLate(ctx, r); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(r.Changes, Change.stands) {
		return nil
	}
	if p.mode != Enforce { // it was given when writing was allowed, and is given back when it is again
		return RetryAfter(fmt.Errorf("end request %s: nothing is written in observe mode", id), observePause)
	}
	return p.giveBack(ctx, r, undone, grantsOf(about))
}

// tooLate withdraws a request that has not come to an end before what it
// gives would, and returns it as it is then.
func (p *Planner) tooLate(ctx context.Context, r Request) (Request, error) {
	if err := p.withdraw(ctx, r.ID, timeIsOver); err != nil {
		return r, err
	}
	is, err := p.store.Request(ctx, r.ID)
	if err != nil {
		return r, fmt.Errorf("load request %s: %w", r.ID, err)
	}
	is.EndedBy = r.EndedBy
	return is, nil
}

// giveBack opens the request that gives back what r has given, where anything is
// to be, and notes that r has ended.
func (p *Planner) giveBack(ctx context.Context, r Request, undone bool, all grants) error {
	c, err := p.holder(ctx, r)
	if err != nil {
		return err
	}
	changes, left := c.takeBack(r, undone, all, p.now())
	if why := c.untouchable(); why != "" && len(changes) > 0 {
		changes, left = nil, []string{why}
		if err := p.store.Record(ctx, p.planned(c, draft{ref: string(r.ID)}, why), alert(fmt.Sprintf("%s: what was given until %s is over and was not given back. %s", r.Subject.Label(), endMoment(r.Until), why))); err != nil {
			return fmt.Errorf("record the end of request %s: %w", r.ID, err)
		}
	}
	story := r.endStory(undone)
	if !undone { // also where nothing is left to be given back, and there is no such request
		r.EndedBy = RequestIDFor(string(r.ID), endStage)
	}
	if len(changes) == 0 {
		return p.ended(ctx, r, strings.Join(left, " "))
	}
	if err := p.openEnd(ctx, c, r, story, changes, left); err != nil {
		return err
	}
	return p.ended(ctx, r, "")
}

// holder returns what is known of whoever has the account of r now, also where
// they turned out to be somebody else.
func (p *Planner) holder(ctx context.Context, r Request) (planning, error) {
	c, err := p.load(ctx, r.Subject.ID)
	for range mergedMost {
		if err != nil || c.identity.Merged == "" {
			break
		}
		c, err = p.load(ctx, c.identity.Merged)
	}
	if err != nil {
		return c, err
	}
	c.link = Link{State: Unmatched}
	a, err := p.accounts.Account(ctx, r.Account.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return c, nil
	case err != nil:
		return c, fmt.Errorf("read account %s: %w", r.Account.ID, err)
	}
	c.link = Link{State: Linked, Account: &a}
	return c, nil
}

// takeBack returns the changes that take back what r has given, and in sentences
// what of it stays. An undo has taken r back by itself; then only what another
// grant had given before, and is over too, is left to be taken back.
func (c planning) takeBack(r Request, undone bool, all grants, now time.Time) (changes []Change, left []string) {
	if c.link.Account == nil {
		return nil, []string{"The account is gone."}
	}
	account, others := *c.link.Account, all.on(r.Account.ID).but(r.ID)
	want := c.wantNow(now)
	for _, gave := range slices.Backward(r.Changes) {
		if !gave.stands() || !gave.OnAccount() {
			continue
		}
		e, given := gave.Entitlement, gave.To
		if undone {
			given = gave.From
		}
		held, to := gave.Current(&account), all.before(r, gave, now)
		for _, least := range []string{others.running(e, now), want.role(e)} {
			if roleRank(e.Kind, least) > roleRank(e.Kind, to) {
				to = least
			}
		}
		switch {
		case held != given:
			left = append(left, fmt.Sprintf("It is %s by now, and not what was given: that stays as it is.", roleWords(e, held)))
		case roleRank(e.Kind, to) >= roleRank(e.Kind, held):
			left = append(left, stays(e, held, others.running(e, now) == held))
		default:
			changes = append(changes, lowered(e, held, to))
		}
	}
	changes, left = keepingBase(changes, left, account)
	return append(changes, unfixed(r, changes, account)...), left
}

// wantNow is what policy wants for whoever has the account; nothing for who has
// left, or whom no source knows.
func (c planning) wantNow(now time.Time) Want {
	if !c.identity.Sourced() || c.identity.StatusAt(now) == StatusEnded {
		return Want{}
	}
	return c.policy.Want(c.identity.Person)
}

// role returns the role that is wanted of the entitlement, or "".
func (w Want) role(e Entitlement) string {
	if e.Kind == KindTeamRole {
		return string(w.Role(e.Team.ID))
	}
	return string(w.BaseRole)
}

func stays(e Entitlement, held string, granted bool) string {
	by := "the policy wants it by now, or it was held before"
	if granted {
		by = "it was asked for, and given, for longer"
	}
	return fmt.Sprintf("%s stays: %s.", roleWords(e, held), by)
}

func lowered(e Entitlement, from, to string) Change {
	if to == "" {
		return newChange(OpRevoke, e, from, "")
	}
	return newChange(OpReplace, e, from, to)
}

// keepingBase drops the change of a base role to one that cannot have a role on
// any team, where the account stays on one.
func keepingBase(changes []Change, left []string, account Account) ([]Change, []string) {
	k := slices.IndexFunc(changes, func(c Change) bool { return c.Entitlement.Kind == KindBaseRole })
	if k < 0 || !BaseRole(changes[k].To).fixesTeamRoles() || len(account.with(changes).Teams) == 0 {
		return changes, left
	}
	left = append(left, fmt.Sprintf("%s stays: a role on %s needs it.", account.BaseRole, account.with(changes).Teams[0].Team.Name))
	return slices.Delete(slices.Clone(changes), k, k+1), left
}

// unfixed returns the changes that bring the roles on teams back to what they were
// before somebody became an admin, whose role on every team is fixed at manager:
// PagerDuty may leave it there. Source: PagerDuty's pages on team permissions.
func unfixed(r Request, changes []Change, account Account) []Change {
	k := slices.IndexFunc(changes, func(c Change) bool { return c.Entitlement.Kind == KindBaseRole })
	if k < 0 || changes[k].From != string(RoleAdmin) {
		return nil
	}
	var back []Change
	for _, g := range r.Holds {
		e := g.Entitlement
		if held := account.On(e.Team.ID); e.Kind == KindTeamRole && held.Rank() > TeamRole(e.Role).Rank() {
			back = append(back, newChange(OpReplace, e, string(held), e.Role))
		}
	}
	return back
}

// openEnd opens the request that makes the changes. Policy approves it by itself:
// whoever gave it gave it for so long. Where on-call needs what would be taken,
// an owner is asked who takes over first.
func (p *Planner) openEnd(ctx context.Context, c planning, r Request, story string, changes []Change, left []string) error {
	if err := p.survey(ctx, &c, changes); err != nil {
		return err
	}
	d := draft{
		ref: string(r.ID), stage: endStage, kind: RequestSelf, ends: r.ID, event: story,
		plan: Plan{Changes: c.handingOver(changes), Effects: left}, force: &Approval{Mode: ApprovalAuto},
	}
	if slices.ContainsFunc(d.plan.Changes, func(x Change) bool { return x.Op == OpHandover }) {
		asked := withFrom(c.policy.Defaults.Approval, ApprovalQuorum, FromTeamOwners)
		asked.OnExpiry = SilenceKeep
		d.force = &asked
	}
	return p.open(ctx, c, d)
}

// endStory says why what the request gave ends.
func (r Request) endStory(undone bool) string {
	switch {
	case undone:
		return fmt.Sprintf("Was granted until %s and was undone; what it rested on is over.", endMoment(r.Until))
	case !r.GivenBack.IsZero():
		return fmt.Sprintf("Was granted until %s, and given back on %s.", endMoment(r.Until), endMoment(r.GivenBack))
	default:
		return fmt.Sprintf("Was granted until %s.", endMoment(r.Until))
	}
}

const endWords = "Mon 2 Jan 15:04 UTC"

func endMoment(t time.Time) string { return t.UTC().Format(endWords) }

// ended notes that what the request gave is over, and why nothing was given back
// where nothing was.
func (p *Planner) ended(ctx context.Context, r Request, why string) error {
	r.Ended, r.Note = p.now(), why
	if r.State != Done { // which says why it came to nothing
		r.Note = strings.TrimSpace(timeIsOver + " " + why)
	}
	r.UpdatedAt = p.now()
	r.Revision++
	e := AuditEvent{At: p.now(), Actor: System, Kind: EventRequestEnded, Ref: string(r.ID), Detail: map[string]string{"by": string(r.EndedBy), "why": why}}
	if err := p.store.SaveRequest(ctx, r, e, show(r.ID)); err != nil {
		return fmt.Errorf("note the end of request %s: %w", r.ID, err)
	}
	return nil
}
