package lifecycle

import (
	"fmt"
	"slices"
	"time"
)

// A Policy says who should hold what, who decides, and how carefully. It is
// loaded from a reviewed file; every plan and decision pins its SHA256.
type Policy struct {
	SHA256      string
	Defaults    Defaults
	Domains     []string // folded; whose addresses may decide
	Security    Security
	Protected   []string // folded addresses that are never changed
	Shared      []string // folded patterns of addresses that are nobody's: no person is matched to them, and they are no orphans
	Sources     SourceOrder
	Reserve     time.Duration // how long an address that somebody gave up is nobody else's
	Breaker     Breaker
	Ceilings    map[Employment]Ceiling
	Segregation []Segregation
	Exceptions  []PolicyException
	Teams       []TeamPolicy
	Rules       []Rule
	Leaver      LeaverPolicy
	Credentials []Credential
	Tests       []PolicyTest

	index *index    // nil: rules and teams are looked through
	now   time.Time // zero: nothing ends
}

// Defaults is what applies where a rule says nothing.
type Defaults struct {
	Approval   Approval
	Privileged Approval      // of what gives great power, at least; the zero Approval: one of Security, as Approval says otherwise
	Hold       time.Duration // how long an approved destructive or privileged change waits; 0 is none
	Hours      Hours         // in which approvals are waited for
	Ask        AskPolicy
}

// AskPolicy is what people may ask for themselves.
type AskPolicy struct {
	Off     bool          // nobody may
	Longest time.Duration // that what is asked for may last; 0 is 720h
}

// Security is who is asked when nobody nearer can decide, and who is told of trouble.
type Security struct {
	Channel string
	Members []string           // folded addresses; those in Group are added to the policy in force
	Group   GroupID            // of Slack; "" for none
	Through map[string]GroupID // of those Members whom Group has added, and the policy does not name
}

// Told returns those who are told of what concerns Security: those whom the policy
// names, or who is in its group where it names nobody.
func (s Security) Told() []string {
	named := slices.DeleteFunc(slices.Clone(s.Members), func(e string) bool { return s.Through[e] != "" })
	if len(named) == 0 {
		return s.Members
	}
	return named
}

// Breaker limits how many people may lose access in Window, for each source and
// for all of them, before two people are asked.
type Breaker struct {
	Removals      int
	Percent       float64 // of the people with a linked account
	Window        time.Duration
	Gather        time.Duration // how long removals that come many at once are waited for before they are judged
	Movers        int           // how many people may move in Window
	MoversPercent float64
}

// A Ceiling is the most that people of one employment may hold, whatever rules grant.
type Ceiling struct {
	BaseRole BaseRole // "": no limit
	TeamRole TeamRole // "": no limit
	Line     int
}

// A Segregation names entitlements that nobody may hold together.
type Segregation struct {
	Name, Why string
	Line      int
	Not       []Toxic // two or more; holding two of them is the conflict
}

// A Toxic entitlement is one that a segregation names: a base role of at least
// that rank, or a role on a team of at least that rank.
type Toxic struct {
	BaseRole BaseRole
	Team     string // by its name in the policy
	Role     TeamRole
}

// A PolicyException lets one person hold more than the rules say, for a time.
type PolicyException struct {
	Who      string // folded address
	Why      string
	Line     int
	BaseRole BaseRole
	Team     string
	Role     TeamRole
	Until    Date      // the last day
	Ends     time.Time // of what somebody was granted for a time: when exactly; zero in the file
	Request  RequestID // by which
}

// end returns when the exception is over.
func (e PolicyException) end() time.Time {
	if !e.Ends.IsZero() {
		return e.Ends
	}
	return e.Until.End(time.UTC)
}

// words says until when it is, and where it stands.
func (e PolicyException) words() string {
	if e.Request != "" {
		return fmt.Sprintf("until %s, as %s was approved", e.Ends.UTC().Format(endWords), e.Request)
	}
	return fmt.Sprintf("until %s, by the exception in line %d", e.Until, e.Line)
}

// Limit returns how many removals in one window are ordinary for a population.
func (b Breaker) Limit(population int) int {
	return max(b.Removals, int(b.Percent*float64(population)/100))
}

// A TeamPolicy names a PagerDuty team, its owners and its Slack channel.
type TeamPolicy struct {
	Name    string
	ID      TeamID   // "" until resolved by its exact name
	Owners  []string // folded addresses; those in Groups are added to the policy in force
	Groups  []GroupID
	Through map[string]GroupID // of those Owners whom Groups have added, and the policy does not name
	Channel string
	Notify  []string // folded addresses of the owners who are sent a copy of each card; nil: all that Owners names itself
	Digest  bool     // its channel is sent a digest too
	Zone    string   // IANA name: in which its hours are; "": where the nearest of those who decide is
}

// A Rule grants what somebody should hold for what they are.
type Rule struct {
	Name     string
	Why      string
	Line     int // in the policy file
	When     Selector
	BaseRole BaseRole // "" grants none
	Teams    []TeamGrant
	Approval *Approval // nil: the default
	Rollout  Rollout
	Expires  Expiry
}

// A TeamGrant is a role on a team of the policy, by the team's name there.
type TeamGrant struct {
	Team string
	Role TeamRole
}

// Rollout is how far a rule may act.
type Rollout string

// A rule is observed, then proposed (always asks), then enforced.
const (
	RolloutObserve Rollout = "observe"
	RolloutPropose Rollout = "propose"
	RolloutEnforce Rollout = "enforce"
)

// Expiry is when a birthright ends by itself.
type Expiry string

// A birthright lasts as long as its rule matches, or until the person's end date.
const (
	ExpiryNever   Expiry = "never"
	ExpiryEndDate Expiry = "end_date"
)

// ApprovalMode is whether and how a change is asked for.
type ApprovalMode string

// The modes, least strict first.
const (
	ApprovalAuto   ApprovalMode = "auto"
	ApprovalQuorum ApprovalMode = "quorum"
	ApprovalDeny   ApprovalMode = "deny"
)

// ApproverSource is where approvers come from.
type ApproverSource string

// The sources of approvers.
const (
	FromTeamOwners   ApproverSource = "team-owners"
	FromTeamManagers ApproverSource = "team-managers" // whom PagerDuty calls a manager of the team
	FromManager      ApproverSource = "manager"       // whom the sources of truth call the subject's manager
	FromSecurity     ApproverSource = "security"
)

// Silence is what happens to a request nobody decides.
type Silence string

// The outcomes of silence. Deny leaves things as they are for a grant; keep
// says the same of a revocation.
const (
	SilenceDeny     Silence = "deny"
	SilenceKeep     Silence = "keep"
	SilenceRevoke   Silence = "revoke"
	SilenceEscalate Silence = "escalate"
)

// Approval is how a change is asked for. A zero duration means never.
type Approval struct {
	Mode          ApprovalMode
	N             int // distinct people who must approve
	From          []ApproverSource
	RemindAfter   time.Duration
	EscalateAfter time.Duration
	ExpireAfter   time.Duration
	OnExpiry      Silence
}

// LeaverPolicy is how somebody who left is taken out.
type LeaverPolicy struct {
	AskToContain bool          // false: contained at once, by policy
	DeleteAfter  time.Duration // from the notice
}

// A Credential is a governed non-human identity, such as the PagerDuty key.
type Credential struct {
	Name, Purpose, Kind string
	Owner, Revoker      string
	RotateEvery         time.Duration
	Scopes              []string
}

// A PolicyTest is an expectation the policy file carries about itself.
type PolicyTest struct {
	Line     int
	Given    Person
	Rules    []string // nil: not asserted
	BaseRole BaseRole
	Teams    []TeamGrant
	Held     *bool // whether a joiner is held; nil: not asserted
}

// TeamByID returns the policy's team with that PagerDuty id.
func (p Policy) TeamByID(id TeamID) (TeamPolicy, bool) {
	if id == "" {
		return TeamPolicy{}, false
	}
	return p.Team(string(id))
}

// TeamFor returns the policy's team that is t: by its id, or by its name where
// the policy has not been resolved.
func (p Policy) TeamFor(t Team) (TeamPolicy, bool) {
	if tp, ok := p.TeamByID(t.ID); ok {
		return tp, true
	}
	tp, ok := p.Team(t.Name)
	return tp, ok && tp.ID == ""
}

// IsProtected reports whether the address is never to be changed.
func (p Policy) IsProtected(email string) bool { return slices.Contains(p.Protected, FoldEmail(email)) }

// IsShared reports whether the address is nobody's: a mailbox or an integration
// that no person is matched to.
func (p Policy) IsShared(email string) bool {
	email = FoldEmail(email)
	return slices.ContainsFunc(p.Shared, func(pattern string) bool { return Glob(pattern, email) })
}

// MayDecideFrom reports whether the address is of a domain whose people may decide.
func (p Policy) MayDecideFrom(email string) bool {
	email = FoldEmail(email)
	return slices.ContainsFunc(p.Domains, func(d string) bool { return len(email) > len(d)+1 && email[len(email)-len(d)-1:] == "@"+d })
}

// People returns every address the policy names, sorted, once each: they are
// identities by virtue of the policy, so that the first day works before any feed.
func (p Policy) People() []string {
	people := slices.Clone(p.Security.Members)
	for _, t := range p.Teams {
		people = append(people, t.Owners...)
	}
	for _, c := range p.Credentials {
		people = append(people, c.Owner, c.Revoker)
	}
	slices.Sort(people)
	return slices.DeleteFunc(slices.Compact(people), func(s string) bool { return s == "" })
}

// Told returns the people of the policy who are told what concerns them day by
// day: all of People but those whom it knows only through a group.
func (p Policy) Told() []string {
	p.Security.Members = p.Security.Told()
	p.Teams = slices.Clone(p.Teams)
	for i, t := range p.Teams {
		p.Teams[i].Owners = slices.DeleteFunc(slices.Clone(t.Owners), func(e string) bool { return t.Through[e] != "" })
	}
	return p.People()
}

// Resolve returns the policy with every team bound to the account's team of
// that id or exact name, and indexed. A team that matches none or two is a
// Refusal naming it.
func (p Policy) Resolve(teams []Team) (Policy, error) {
	var wrong []FieldError
	p.Teams = slices.Clone(p.Teams)
	byID, byName := map[TeamID][]Team{}, map[string][]Team{}
	for _, t := range teams {
		byID[t.ID], byName[t.Name] = append(byID[t.ID], t), append(byName[t.Name], t)
	}
	bound := map[TeamID]string{}
	for i, t := range p.Teams {
		found := byID[t.ID]
		if t.ID == "" {
			found = byName[t.Name]
		}
		switch {
		case len(found) != 1:
			wrong = append(wrong, FieldError{Path: "teams: " + t.Name, Message: unresolved(t, found)})
			continue
		case bound[found[0].ID] != "":
			wrong = append(wrong, FieldError{Path: "teams: " + t.Name, Message: "is the same team in PagerDuty as " + bound[found[0].ID]})
		}
		p.Teams[i].ID, bound[found[0].ID] = found[0].ID, t.Name
	}
	if len(wrong) > 0 {
		return p, &Refusal{Kind: ErrInvalid, Reason: "the policy names teams that PagerDuty does not have exactly once: " + wrong[0].Path + ": " + wrong[0].Message, Fields: wrong}
	}
	return p.Indexed(), nil
}

func unresolved(t TeamPolicy, found []Team) string {
	switch {
	case len(found) > 1:
		return "two teams in PagerDuty have this name; name it by its id"
	case t.ID != "":
		return "PagerDuty has no team with id " + string(t.ID)
	default:
		return "PagerDuty has no team with this exact name"
	}
}
