package lifecycle

import (
	"slices"
	"time"
)

// Review is what an owner makes of a finding where it stands in their digest.
type Review string

// The ways to decide a finding in place.
const (
	ReviewKeep   Review = "keep"   // an exception, with a reason and an end
	ReviewReduce Review = "reduce" // Observer, and observer on teams: they can look, and not act
	ReviewRevoke Review = "revoke" // take back what is beyond policy, or all of what is not used
)

// ParseReview returns the review named s, or a Refusal that lists them.
func ParseReview(s string) (Review, error) {
	return parseClosed("review", s, ReviewKeep, ReviewReduce, ReviewRevoke)
}

// Verdicts is one press over one finding or many.
type Verdicts struct {
	Findings []FindingID
	By       Identity
	What     Review
	Reason   string
	Until    time.Time // of what is kept; zero: 90 days
	Shown    time.Time // when the findings were first shown to them; zero where that is not known
	Via      Via
}

// An Outcome is what became of one finding of a press. Err is nil where the
// decision counts, else a Refusal in words for the person who pressed.
type Outcome struct {
	Finding FindingID
	Request Request // as it stands after it
	Err     error
}

// A Preview is what a press would do to one finding. Held says why nothing
// would be done, or "".
type Preview struct {
	Finding Finding
	Changes []Change
	Effects []string // what else is to be known, in sentences
	Held    string
}

// A Bundle is findings that are the same in risk, so that one press may decide
// them all. What is privileged always is alone.
type Bundle struct {
	Kind       FindingKind
	Severity   Severity
	Of         EntitlementKind
	Role       string // that is held
	Team       Team   // of a team role
	Proxy      string // what a claim about use rests on
	Findings   []Finding
	Privileged bool
	Reducible  bool // there is something between keeping and revoking
}

// Privileged reports whether the finding is about somebody who manages the whole
// account's objects or people: it is decided by itself, and with a reason.
func (f Finding) Privileged() bool {
	return f.Account.BaseRole.Privileged() || f.Entitlement.Kind != KindTeamRole && BaseRole(f.From).Privileged()
}

// InPlace reports whether the finding can be kept or revoked where it is shown.
func (f Finding) InPlace() bool {
	switch f.Kind {
	case FoundOrphan, FoundExcess, FoundDrift, FoundStale:
		return f.Account.ID != "" && !f.Unanswered() && !f.regained()
	case FoundLeaverPresent, FoundMissing, FoundInvitePending, FoundUnmatched, FoundDisputed:
		return false
	default:
		return false
	}
}

// Reviewable reports whether the finding is decided in a digest: it can be, and
// nobody has kept it.
func (f Finding) Reviewable() bool {
	return f.InPlace() && f.Exception == "" && f.ClearedAt.IsZero()
}

// likeness is what findings must have in common to be decided with one press.
type likeness struct {
	kind     FindingKind
	severity Severity
	of       EntitlementKind
	role     string
	team     TeamID
	proxy    string
	foreign  bool
	base     BaseRole
	reduces  bool
	alone    FindingID
}

func (f Finding) likeness(a Account) likeness {
	l := likeness{kind: f.Kind, severity: f.Severity, of: f.Entitlement.Kind, role: f.From, team: f.Entitlement.Team.ID, proxy: f.Proxy, foreign: f.Foreign, base: f.Account.BaseRole, reduces: f.reducible(a)}
	if f.Privileged() || f.Apart != "" {
		l.alone = f.ID
	}
	return l
}

// Bundles returns the findings that can be decided in place, those of the same
// risk together and the biggest risk first, and the others as they are. Accounts
// tells what there is to reduce.
func Bundles(found []Finding, accounts map[AccountID]Account) (bundles []Bundle, others []Finding) {
	at := map[likeness]int{}
	for _, f := range found {
		if !f.InPlace() {
			others = append(others, f)
			continue
		}
		l := f.likeness(accounts[f.Account.ID])
		i, ok := at[l]
		if !ok {
			i = len(bundles)
			at[l] = i
			bundles = append(bundles, Bundle{
				Kind: f.Kind, Severity: f.Severity, Of: f.Entitlement.Kind, Role: f.From, Team: f.Entitlement.Team,
				Proxy: l.proxy, Privileged: f.Privileged(), Reducible: l.reduces,
			})
		}
		bundles[i].Findings = append(bundles[i].Findings, f)
	}
	for _, b := range bundles {
		SortFindings(b.Findings)
	}
	slices.SortStableFunc(bundles, riskier)
	return bundles, others
}

// riskier orders bundles: what is privileged, what is severe, what is held, and
// then how many there are.
func riskier(a, b Bundle) int {
	if a.Privileged != b.Privileged {
		if a.Privileged {
			return -1
		}
		return 1
	}
	severities := []Severity{SeverityHigh, SeverityMedium, SeverityLow}
	if d := slices.Index(severities, a.Severity) - slices.Index(severities, b.Severity); d != 0 {
		return d
	}
	if d := b.power() - a.power(); d != 0 {
		return d
	}
	return len(b.Findings) - len(a.Findings)
}

// power ranks the role that is held.
func (b Bundle) power() int {
	if b.Of == KindTeamRole {
		return TeamRole(b.Role).Rank()
	}
	return BaseRole(b.Role).Rank()
}

// reducible reports whether the account of a stale finding can be left with less
// than it holds and more than nothing.
func (f Finding) reducible(a Account) bool {
	return f.Kind == FoundStale && len(PlanReduce(a).Changes) > 0
}

// PlanReduce returns what leaves the account able to look on and nothing more:
// Observer, and observer on its teams.
func PlanReduce(account Account) Plan {
	var plan Plan
	if account.BaseRole == RoleOwner {
		return Plan{Held: "Is the Account Owner, which only PagerDuty's own pages can change: transfer ownership by hand."}
	}
	if account.BaseRole.Rank() > RoleObserver.Rank() {
		plan.Changes = append(plan.Changes, newChange(OpReplace, Entitlement{Kind: KindBaseRole}, string(account.BaseRole), string(RoleObserver)))
	}
	for _, m := range account.Teams {
		if m.Role.Rank() > TeamObserver.Rank() && !account.BaseRole.fixesTeamRoles() {
			plan.Changes = append(plan.Changes, newChange(OpReplace, OnTeam(m.Team, m.Role), string(m.Role), string(TeamObserver)))
		}
	}
	if len(plan.Changes) == 0 {
		plan.Held = "There is nothing to reduce: the account can only look on already."
	}
	return plan
}
