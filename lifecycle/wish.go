package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Wish is what somebody asks for themselves, for a time.
type Wish struct {
	By       Identity
	Team     string // of the policy, by its name or id; "" asks for a base role
	Role     string // on the team, or the base role, by its API value
	Until    time.Time
	Why      string
	Incident string // because of which; may be ""
	Via      Via
}

const (
	longestWish    = 720 * time.Hour // where the policy says nothing else
	shortestWish   = 15 * time.Minute
	incidentLength = 200 // characters
)

// longest returns how long what is asked for may last.
func (a AskPolicy) longest() time.Duration { return cmp.Or(a.Longest, longestWish) }

// Wish opens the request of somebody who asks for a role, and returns it. It always
// ends, and then what was held before is put back (see End); it is never given
// without somebody who agrees. What cannot be asked for is a Refusal, with the
// field that it is about; so is asking twice.
func (p *Planner) Wish(ctx context.Context, w Wish) (Request, error) {
	w.Why, w.Incident = strings.TrimSpace(w.Why), strings.TrimSpace(w.Incident)
	c, err := p.load(ctx, w.By.ID)
	if err != nil {
		return Request{}, err
	}
	e, err := w.check(c, p.now())
	if err != nil {
		return Request{}, err
	}
	stage, err := p.wished(ctx, w, e)
	if err != nil {
		return Request{}, err
	}
	if c, err = p.tie(ctx, c, ""); err != nil {
		return Request{}, err
	}
	plan, err := planWish(c, e, w.Role)
	if err != nil {
		return Request{}, err
	}
	j := c.policy.Judge(plan)
	if j.Mode == ApprovalDeny {
		return Request{}, badWish("role", "The policy gives this to nobody.")
	}
	if j.Mode == ApprovalAuto {
		j.Approval = withFrom(c.policy.Defaults.Approval, ApprovalQuorum, FromTeamOwners)
	}
	r := p.request(c, draft{kind: RequestSelf, ref: string(w.By.ID), stage: stage, plan: plan, event: w.event()}, j.Approval, "")
	r.Needed, r.Silence = max(j.N, 1), SilenceDeny
	r.Asked, r.Incident, r.Until = w.Why, w.Incident, w.Until
	if r.DecideBy.IsZero() || r.DecideBy.After(r.Until) {
		r.DecideBy = r.Until
	}
	r.Approvers = c.policy.Eligible(r, func(string) bool { return true })
	a := AuditEvent{At: p.now(), Actor: ByIdentity(w.By.ID), Kind: EventRequestOpened, Ref: string(r.ID), Detail: map[string]string{
		"subject": string(r.Subject.ID), "kind": string(r.Kind), "policy": c.policy.SHA256, "until": r.Until.UTC().Format(time.RFC3339), "asked": w.Why, "incident": w.Incident, "via": string(w.Via),
	}}
	switch err := p.store.SaveRequest(ctx, r, a, append([]Job{show(r.ID)}, clock(r, j.Approval)...)...); {
	case errors.Is(err, ErrDuplicate):
		return Request{}, askedAlready()
	case err != nil:
		return Request{}, fmt.Errorf("open request %s: %w", r.ID, err)
	}
	return r, nil
}

func (w Wish) event() string {
	words := "Asks for it"
	if w.Incident != "" {
		words += " because of incident " + w.Incident
	}
	return words + ": " + w.Why
}

func badWish(field, why string) error {
	return &Refusal{Kind: ErrInvalid, Reason: why, Fields: []FieldError{{Path: field, Message: why}}}
}

func askedAlready() error {
	return Refuse(ErrDuplicate, "You have asked for that already, and it is not settled yet.")
}

// check returns the entitlement that is asked for, or a Refusal of what cannot be.
func (w Wish) check(c planning, now time.Time) (Entitlement, error) {
	longest := c.policy.Defaults.Ask.longest()
	switch {
	case c.policy.Defaults.Ask.Off:
		return Entitlement{}, Refuse(ErrForbidden, "The policy lets nobody ask for access here. Talk to the owner of the team.")
	case !c.identity.Sourced() || !c.identity.MayDecide(now):
		return Entitlement{}, Refuse(ErrForbidden, "Only people whom a source of truth knows as active can ask for access.")
	case c.untouchable() != "":
		return Entitlement{}, Refuse(ErrForbidden, "%s", c.untouchable())
	case w.Why == "":
		return Entitlement{}, badWish("reason", "Say why, in a sentence. Whoever decides reads it.")
	case len([]rune(w.Why)) > reasonLength:
		return Entitlement{}, badWish("reason", fmt.Sprintf("Keep it under %d characters.", reasonLength))
	case len([]rune(w.Incident)) > incidentLength:
		return Entitlement{}, badWish("incident", fmt.Sprintf("Keep it under %d characters.", incidentLength))
	case w.Until.Before(now.Add(shortestWish)):
		return Entitlement{}, badWish("until", "It must last at least a quarter of an hour from now.")
	case w.Until.After(now.Add(longest)):
		return Entitlement{}, badWish("until", fmt.Sprintf("It may last %s at the most.", span(longest)))
	}
	return w.entitlement(c.policy)
}

func (w Wish) entitlement(p Policy) (Entitlement, error) {
	if w.Team == "" {
		role, err := ParseBaseRole(w.Role)
		if err != nil || role == RoleOwner {
			return Entitlement{}, badWish("role", "There is no such role that can be asked for.")
		}
		return Entitlement{Kind: KindBaseRole, Role: string(role)}, nil
	}
	if !slices.Contains(teamRoles, TeamRole(w.Role)) {
		return Entitlement{}, badWish("role", "On a team there are observer, responder and manager.")
	}
	k := slices.IndexFunc(p.Teams, func(t TeamPolicy) bool { return strings.EqualFold(t.Name, w.Team) || string(t.ID) == w.Team })
	if k < 0 {
		return Entitlement{}, badWish("team", fmt.Sprintf("No team of the policy is called %q; %s.", w.Team, p.teamsLike(w.Team)))
	}
	return OnTeam(Team{ID: p.Teams[k].ID, Name: p.Teams[k].Name}, TeamRole(w.Role)), nil
}

// wished returns the stage of the request, or a Refusal while the same is open.
func (p *Planner) wished(ctx context.Context, w Wish, e Entitlement) (string, error) {
	about, err := p.read.Requests(ctx, RequestFilter{Subject: w.By.ID})
	if err != nil {
		return "", fmt.Errorf("list requests about %s: %w", w.By.ID, err)
	}
	n := 0
	for _, r := range about {
		if r.Kind != RequestSelf || r.Ends != "" {
			continue
		}
		n++
		if r.State.Open() && r.State != Failed && slices.ContainsFunc(r.Changes, func(c Change) bool { return c.Entitlement.same(e) }) {
			return "", askedAlready()
		}
	}
	return fmt.Sprintf("wish %d", n+1), nil // two that come at once are one
}

// same reports whether both are about the same thing, in whatever role.
func (e Entitlement) same(o Entitlement) bool { return e.Kind == o.Kind && e.Team.ID == o.Team.ID }

// planWish returns the changes that give the role, with the base role that it needs.
func planWish(c planning, e Entitlement, role string) (Plan, error) {
	if c.link.State == Disputed {
		return Plan{}, Refuse(ErrConflict, "It is not certain which PagerDuty account is yours. Security has been asked.")
	}
	roof := c.policy.ceilingOf(c.identity.Person.Employment)
	if roof.base(BaseRole(role)) != BaseRole(role) && e.Kind == KindBaseRole || e.Kind == KindTeamRole && roof.team(TeamRole(role)) != TeamRole(role) {
		return Plan{}, badWish("role", fmt.Sprintf("That is more than somebody whose employment is %s may hold.", c.identity.Person.Employment))
	}
	var changes []Change
	account := c.link.Account
	if account == nil {
		base := RoleRestricted
		if e.Kind == KindBaseRole {
			base = BaseRole(role)
		}
		changes = append(changes, newChange(OpCreate, Entitlement{Kind: KindAccount}, "", string(base)))
		account = &Account{BaseRole: base}
	}
	if e.Kind == KindTeamRole && account.BaseRole.Rank() >= RoleAdmin.Rank() {
		return Plan{}, badWish("role", "An admin may do everything on every team already.")
	}
	if e.Kind == KindTeamRole && account.BaseRole.fixesTeamRoles() {
		changes = append(changes, newChange(OpReplace, Entitlement{Kind: KindBaseRole}, string(account.BaseRole), string(RoleRestricted)))
	}
	held := (Change{Entitlement: e}).Current(account)
	switch wanted := newChange(OpGrant, e, held, role); {
	case held == role && len(changes) == 0, wanted.Removes():
		return Plan{}, badWish("role", fmt.Sprintf("You hold %s there already.", roleWords(e, held)))
	case held == role: // the account is made with it
	default:
		if held != "" {
			wanted = newChange(OpReplace, e, held, role)
		}
		changes = append(changes, wanted)
	}
	if why := c.policy.breaks(changes, c.link.Account); why != "" {
		return Plan{}, badWish("role", why)
	}
	return Plan{Changes: changes}, nil
}
