package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Wish is what somebody asks for themselves: a role on a team of the policy, or
// a base role, and until when.
type Wish struct {
	By       Identity
	Team     string // its name or id; "" asks for a base role
	Role     string // a team role, or a base role by either of its names
	Until    time.Time
	Why      string
	Incident string // that it is asked for because of; "" where there is none
	Via      Via
}

// The fields of a wish, as a Refusal names those that are wrong.
const (
	WishTeam     = "team"
	WishRole     = "role"
	WishUntil    = "until"
	WishWhy      = "reason"
	WishIncident = "incident"
)

const (
	shortestWish   = 15 * time.Minute
	longestWish    = 30 * 24 * time.Hour
	incidentLength = 200 // characters
)

// longest returns how long what is asked for may last.
func (a AskPolicy) longest() time.Duration {
	if a.Longest > 0 {
		return a.Longest
	}
	return longestWish
}

// Wish opens the request in which somebody asks for a role for themselves, and
// returns it. It always ends, and somebody else always decides it. What is wrong
// with what was asked for is a Refusal of ErrInvalid that names each field; what
// nobody may be given, or they may not ask for at all, is one of ErrForbidden or
// ErrConflict, and what they have asked for already one of ErrDuplicate.
func (p *Planner) Wish(ctx context.Context, w Wish) (Request, error) {
	r, err := p.wish(ctx, w)
	if !errors.Is(err, ErrForbidden) {
		return r, err
	}
	e := AuditEvent{At: p.now(), Actor: ByIdentity(w.By.ID), Kind: EventRequestRefused, Ref: string(w.By.ID), Detail: map[string]string{
		"why": ReasonOf(err), "team": w.Team, "role": w.Role, "via": string(w.Via),
	}}
	if recErr := p.store.Record(ctx, e); recErr != nil {
		return r, fmt.Errorf("record what was refused to identity %s: %w", w.By.ID, recErr)
	}
	return r, err
}

func (p *Planner) wish(ctx context.Context, w Wish) (Request, error) {
	c, err := p.load(ctx, w.By.ID)
	if err != nil {
		return Request{}, err
	}
	w.Why, w.Incident = strings.TrimSpace(w.Why), strings.TrimSpace(w.Incident)
	if err := c.mayWish(p.now()); err != nil {
		return Request{}, err
	}
	e, err := w.check(c.policy, p.now())
	if err != nil {
		return Request{}, err
	}
	if c, err = p.tie(ctx, c, ""); err != nil {
		return Request{}, err
	}
	if err := c.hasAccount(); err != nil {
		return Request{}, err
	}
	about, err := p.read.Requests(ctx, RequestFilter{Subject: c.identity.ID})
	if err != nil {
		return Request{}, fmt.Errorf("list requests about %s: %w", c.identity.ID, err)
	}
	changes, err := c.policy.planWish(c.identity.Person, *c.link.Account, e, grantsOf(about), p.now())
	if err != nil {
		return Request{}, err
	}
	stage, err := p.wishStage(ctx, about, e)
	if err != nil {
		return Request{}, err
	}
	return p.openWish(ctx, c, w, e, changes, stage)
}

// mayWish returns nil when the person may ask for anything at all.
func (c planning) mayWish(now time.Time) error {
	who := c.identity
	switch {
	case c.policy.Defaults.Ask.Off:
		return Refuse(ErrForbidden, "The policy does not let people ask for access here. Ask the team's owner or Security.")
	case who.Merged != "":
		return Refuse(ErrConflict, "You were found to be somebody else who is known. Try again in a moment; if that does not help, ask Security to look.")
	case !who.Sourced():
		return Refuse(ErrForbidden, "No source of truth knows you, so nothing can be given to you. Ask Security to look.")
	case who.StatusAt(now) != StatusActive:
		return Refuse(ErrForbidden, "Only who is active now can ask for access. Ask your manager.")
	case who.Person.startsAfter(now):
		return Refuse(ErrForbidden, "You can ask for access from your first day on, which is %s.", who.Person.StartDate)
	default:
		return nil
	}
}

// hasAccount returns nil when there is an account of theirs that may be changed.
func (c planning) hasAccount() error {
	switch {
	case c.link.State == Disputed:
		return Refuse(ErrConflict, "It is not clear which PagerDuty account is yours, so nothing can be added to it. Security is asked; try again once that is settled.")
	case c.link.Account == nil:
		return Refuse(ErrConflict, "You have no PagerDuty account, and only what is added to one can be given back at its end. Ask the team's owner or Security for an account.")
	}
	if why := c.untouchable(); why != "" {
		return Refuse(ErrForbidden, "Nothing is changed for you here. %s", why)
	}
	return nil
}

// check returns the entitlement that is wished for, or a Refusal that names every
// field that is wrong.
func (w Wish) check(p Policy, now time.Time) (Entitlement, error) {
	e, wrong := p.wished(w.Team, w.Role)
	add := func(path, format string, args ...any) {
		wrong = append(wrong, FieldError{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	switch most := p.Defaults.Ask.longest(); {
	case w.Until.IsZero():
		add(WishUntil, "Say until when: everything that is asked for here ends.")
	case !w.Until.After(now):
		add(WishUntil, "That has passed already. Choose a later time.")
	case w.Until.Before(now.Add(shortestWish)):
		add(WishUntil, "That is less than %s away. Choose a later time.", spanWords(shortestWish))
	case w.Until.After(now.Add(most)):
		add(WishUntil, "That is too long: the policy lets nobody ask for more than %s. Choose an earlier time.", spanWords(most))
	}
	switch n := len([]rune(w.Why)); {
	case n == 0:
		add(WishWhy, "Say why you need it, in a sentence. Whoever decides reads it.")
	case n > reasonLength:
		add(WishWhy, "Keep it under %d characters.", reasonLength)
	}
	if len([]rune(w.Incident)) > incidentLength {
		add(WishIncident, "Keep it under %d characters: the incident's number or address.", incidentLength)
	}
	if len(wrong) > 0 {
		return e, &Refusal{Kind: ErrInvalid, Reason: wrong[0].Message, Fields: wrong}
	}
	return e, nil
}

// notThat refuses the role that is wished for.
func notThat(format string, args ...any) error {
	why := fmt.Sprintf(format, args...)
	return &Refusal{Kind: ErrInvalid, Reason: why, Fields: []FieldError{{Path: WishRole, Message: why}}}
}

// ParseSpan returns the time that words such as 8h, 2d, or 1 week mean, or a
// Refusal with what can be said. Of everything up to a thousand, in whole hours.
func ParseSpan(s string) (time.Duration, error) {
	word := strings.ToLower(strings.Join(strings.Fields(s), ""))
	number := strings.TrimRight(word, "abcdefghijklmnopqrstuvwxyz")
	units := map[string]time.Duration{
		"h": time.Hour, "hour": time.Hour, "hours": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
		"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
	}
	unit, known := units[strings.TrimPrefix(word, number)]
	n, err := strconv.Atoi(number)
	if !known || err != nil || n < 1 || n > 1000 {
		return 0, Refuse(ErrInvalid, "%q is not a length of time like 4h, 8h, 1d or 7d", clipped(s))
	}
	return time.Duration(n) * unit, nil
}

// spanWords says a duration in days where it is whole days, else in hours or minutes.
func spanWords(d time.Duration) string {
	count := func(n time.Duration, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d >= 24*time.Hour && d%(24*time.Hour) == 0:
		return count(d/(24*time.Hour), "day")
	case d >= time.Hour && d%time.Hour == 0:
		return count(d/time.Hour, "hour")
	default:
		return count(d/time.Minute, "minute")
	}
}

// isWish reports whether the request is somebody's own, and not the end or the
// undoing of one.
func (r Request) isWish() bool { return r.Kind == RequestSelf && r.Ends == "" && r.Undoes == "" }

// Wished returns what somebody has asked for in the request, and false for a
// request that is not their own. The base role that a team role needs comes
// before it among the changes.
func (r Request) Wished() (Change, bool) {
	if !r.isWish() || len(r.Changes) == 0 {
		return Change{}, false
	}
	return r.Changes[len(r.Changes)-1], true
}

// wishStage names the wish among all that they have had for the entitlement, so
// that two that come at once are one. One that is open is a Refusal that names it.
func (p *Planner) wishStage(ctx context.Context, about []Request, e Entitlement) (string, error) {
	n := 1
	for _, r := range about {
		c, mine := r.Wished()
		if !mine || !c.about(Change{Entitlement: e}) {
			continue
		}
		if r.Replaces == "" {
			n++
		}
		switch {
		case p.leftOver(r):
			if err := p.withdraw(ctx, r.ID, "Was approved in observe mode, when nothing was changed. It was asked for anew."); err != nil {
				return "", err
			}
		case r.State.Open():
			return "", Refuse(ErrDuplicate, "You have asked for %s already, and that is %s: %s.", c.Entitlement, r.State, r.ID)
		}
	}
	return fmt.Sprintf("%s %s %d", e.Kind, e.Team.ID, n), nil
}

// openWish judges what is wished for and opens its request. It is never approved
// by policy alone, and is decided before it would end, or not at all.
func (p *Planner) openWish(ctx context.Context, c planning, w Wish, e Entitlement, changes []Change, stage string) (Request, error) {
	if err := p.lookAround(ctx, &c); err != nil {
		return Request{}, err
	}
	d := draft{
		ref: "wish " + string(c.identity.ID), stage: stage, kind: RequestSelf, asks: true,
		event: fmt.Sprintf("%s asks for %s until %s.", c.identity.Person.Label(), e, w.Until.UTC().Format("Mon 2 Jan 15:04 UTC")),
		plan:  Plan{Changes: changes, want: c.policy.Want(c.identity.Person)}, until: w.Until, asked: w.Why, incident: w.Incident,
	}
	d.plan.Effects = Preflight(changes, *c.link.Account, c.holdings, p.now())
	approval, rule := p.approval(c, d)
	if approval.Mode == ApprovalDeny {
		return Request{}, notThat("The policy gives %s to nobody in your place.", e)
	}
	approval.OnExpiry = c.policy.Defaults.Approval.OnExpiry
	r := p.request(c, d, approval, rule)
	r.Needed = approval.N
	who, err := p.router.route(ctx, r, c.policy)
	if err != nil {
		return Request{}, err
	}
	r.Approvers = who.Emails()
	if r, err = timed(ctx, p.store, c.policy, r, approval); err != nil {
		return Request{}, err
	}
	err = p.store.SaveRequest(ctx, r, p.openedBy(r, c, w), append([]Job{show(r.ID)}, p.clockOf(r, approval)...)...)
	switch {
	case errors.Is(err, ErrDuplicate):
		return Request{}, Refuse(ErrDuplicate, "You have asked for %s already, a moment ago: %s.", e, r.ID)
	case err != nil:
		return Request{}, fmt.Errorf("open request %s: %w", r.ID, err)
	}
	return r, nil
}

// clockOf returns the jobs by which time passes over a request that is asked, and
// over what it gives.
func (p *Planner) clockOf(r Request, a Approval) []Job {
	jobs := clock(r, a)
	if r.Until.IsZero() {
		return jobs
	}
	jobs = slices.DeleteFunc(jobs, func(j Job) bool { return !j.At.Before(r.DecideBy) })
	return append(jobs, Job{Kind: JobExpire, Ref: string(r.ID), At: r.DecideBy}, Job{Kind: JobEnd, Ref: string(r.ID), At: r.Until})
}

func (p *Planner) openedBy(r Request, c planning, w Wish) AuditEvent {
	return AuditEvent{At: p.now(), Actor: ByIdentity(c.identity.ID), Kind: EventRequestOpened, Ref: string(r.ID), Detail: map[string]string{
		"subject": string(r.Subject.ID), "kind": string(r.Kind), "rule": r.Why.Rule, "policy": c.policy.SHA256, "state": string(r.State),
		"mode": string(p.mode), "until": r.Until.UTC().Format(time.RFC3339), "why": r.Asked, "incident": r.Incident, "via": string(w.Via),
	}}
}
