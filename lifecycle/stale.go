package lifecycle

import (
	"fmt"
	"time"
)

// UsageBy is what a roll call tells by that an account is not used.
type UsageBy string

// Sign-ins tell it where PagerDuty's plan shows them. Else the place of an
// account does: in no schedule, policy or team is what PagerDuty's own report
// of orphan users goes by. "" is neither, and nothing is concluded.
const (
	UsageUntold   UsageBy = ""
	UsageBySignIn UsageBy = "sign-in"
	UsageByPlace  UsageBy = "place"
)

// A Usage is when accounts were last used, as far as that can be told.
type Usage struct {
	By      UsageBy
	Signals map[AccountID]Signal // of sign-ins; an account that is not in it is not told of
}

const (
	staleAfter   = 90 * 24 * time.Hour
	settlesIn    = 14 * 24 * time.Hour // somebody new may take so long to be put anywhere
	inviteLasts  = 72 * time.Hour
	byPlaceAlone = "PagerDuty's plan does not show sign-ins"
)

// idle returns what shows that nobody uses the account: an invitation that is
// not accepted, or access that is stale.
func (r Roll) idle(i Identity, a Account) []Finding {
	switch {
	case i.StatusAt(r.Now) != StatusActive: // leave is no lack of interest
		return nil
	case a.Invited:
		return r.invited(i, a)
	default:
		return r.stale(i, a)
	}
}

func (r Roll) invited(i Identity, a Account) []Finding {
	if a.InvitedAt.IsZero() || r.Now.Sub(a.InvitedAt) <= inviteLasts {
		return nil
	}
	note := fmt.Sprintf("was invited and has not accepted, seen pending since %s: cannot be paged.", a.InvitedAt.UTC().Format(dayWords))
	return []Finding{r.finding(FoundInvitePending, SeverityLow, i, a, Entitlement{Kind: KindAccount, Role: string(a.BaseRole)}, string(a.BaseRole), "", note)}
}

const dayWords = "2 Jan 2006"

// stale never speaks of an account that on-call expects something of: somebody
// who answers the phone need not sign in.
func (r Roll) stale(i Identity, a Account) []Finding {
	if len(a.Duties) > 0 || !r.covered {
		return nil
	}
	severity := SeverityLow
	var note, proxy string
	switch r.Usage.By {
	case UsageBySignIn:
		note, proxy = r.bySignIn(a)
		if a.BaseRole.Privileged() {
			severity = SeverityMedium
		}
	case UsageByPlace:
		note, proxy = r.byPlace(a)
	case UsageUntold:
	}
	if note == "" {
		return nil
	}
	f := r.finding(FoundStale, severity, i, a, Entitlement{Kind: KindAccount, Role: string(a.BaseRole)}, string(a.BaseRole), "", note)
	f.Proxy = proxy
	return []Finding{f}
}

// bySignIn returns why the account is stale and what that rests on, or "".
func (r Roll) bySignIn(a Account) (note, proxy string) {
	s, told := r.Usage.Signals[a.ID]
	switch {
	case !told:
		return "", ""
	case s.At.IsZero() && r.Now.Sub(a.SeenAt) > staleAfter:
		return "has never signed in, and has no place on call.", s.Proxy
	case !s.At.IsZero() && r.Now.Sub(s.At) > staleAfter:
		return "was last used on " + s.At.UTC().Format(dayWords) + ", and has no place on call.", s.Proxy
	default:
		return "", ""
	}
}

// byPlace speaks of no stakeholder: they look on, and have no place anywhere.
func (r Roll) byPlace(a Account) (note, proxy string) {
	if len(a.Teams) > 0 || a.BaseRole.Rank() <= RoleStakeholder.Rank() || r.Now.Sub(a.SeenAt) <= settlesIn {
		return "", ""
	}
	return "is in no schedule, escalation policy or team.", byPlaceAlone
}
