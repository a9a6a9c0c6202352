package lifecycle

import (
	"slices"
	"strings"
	"time"
)

// A Judgement says whether a plan needs asking, whom, and until when.
type Judgement struct {
	Approval
	Rule string // the rules it rests on, comma-separated
}

// Judge returns the strictest approval that any part of the plan calls for:
// what a rule grants is asked as that rule says, everything else as the
// default says. What takes power away is never automatic: only a leaver's
// containment is, which the breaker counts. A privileged base role is never
// automatic either, and is security's to give: by as many of them as the policy
// says for what is privileged.
func (p Policy) Judge(plan Plan) Judgement {
	j := Judgement{Approval: Approval{Mode: ApprovalAuto}, Rule: strings.Join(plan.Rules, ", ")}
	for _, c := range plan.Changes {
		j.Approval = stricter(j.Approval, p.approvalOf(c, plan))
	}
	if j.Mode == ApprovalAuto && slices.ContainsFunc(plan.Changes, Change.Removes) {
		j.Approval = withFrom(p.Defaults.Approval, ApprovalQuorum, FromTeamOwners)
	}
	if (Request{Changes: plan.Changes}).Risk() == Privileged {
		j.Approval = p.ofPower(j.Approval)
		j.From = []ApproverSource{FromSecurity}
	}
	if j.Mode == ApprovalQuorum {
		j.N = max(j.N, 1)
		if len(j.From) == 0 {
			j.From = []ApproverSource{FromTeamOwners}
		}
	}
	return j
}

// ofPower returns what the policy says at least of power over the whole account,
// with the approval that it comes to otherwise: the stricter of both, waited for
// as is said of power where anything is.
func (p Policy) ofPower(a Approval) Approval {
	written := p.Defaults.Privileged
	if written.Mode == "" {
		return stricter(a, withFrom(p.Defaults.Approval, ApprovalQuorum, FromSecurity))
	}
	least := withFrom(written, written.Mode, FromSecurity)
	both := stricter(a, least)
	both.RemindAfter, both.EscalateAfter, both.ExpireAfter, both.OnExpiry = least.RemindAfter, least.EscalateAfter, least.ExpireAfter, least.OnExpiry
	return both
}

func (p Policy) approvalOf(c Change, plan Plan) Approval {
	strictest, found := Approval{}, false
	for _, a := range plan.want.approvals {
		if !c.Removes() && a.grants(c) && plan.want.covers(c) {
			strictest, found = stricter(strictest, a.approval), true
		}
	}
	if !found {
		return p.Defaults.Approval
	}
	return strictest
}

// covers reports whether the change gives no more of a team than policy wants:
// what somebody is given back beyond that no rule has spoken of.
func (w Want) covers(c Change) bool {
	return c.Entitlement.Kind != KindTeamRole || TeamRole(c.To).Rank() <= w.Role(c.Entitlement.Team.ID).Rank()
}

func (a approvalFor) grants(c Change) bool {
	if c.Entitlement.Kind == KindTeamRole {
		return slices.Contains(a.teams, c.Entitlement.Team.Name)
	}
	return string(a.base) == c.To || a.base == "" && c.Op == OpCreate
}

// stricter returns an approval that satisfies both: the stricter mode, the
// larger quorum, and security alone where either wants security alone.
func stricter(a, b Approval) Approval {
	rank := func(m ApprovalMode) int {
		return slices.Index([]ApprovalMode{ApprovalAuto, ApprovalQuorum, ApprovalDeny}, m)
	}
	if rank(a.Mode) != rank(b.Mode) {
		if rank(b.Mode) > rank(a.Mode) {
			return b
		}
		return a
	}
	both := a
	if b.N > a.N {
		both = b
	}
	if securityAlone(a) || securityAlone(b) {
		both.From = []ApproverSource{FromSecurity}
	}
	return both
}

func securityAlone(a Approval) bool { return slices.Equal(a.From, []ApproverSource{FromSecurity}) }

func withFrom(a Approval, mode ApprovalMode, from ApproverSource) Approval {
	a.Mode, a.N, a.From = mode, max(a.N, 1), []ApproverSource{from}
	return a
}

// Named returns the addresses that the policy itself names to decide r, folded and
// in order, but for the subject's: those of the request's sources, and Security's
// where they are fewer than have to agree. Who it is in the end, Router says.
func (p Policy) Named(r Request) []string {
	keep := func(emails []string) []string {
		var kept []string
		for _, e := range emails {
			if e = FoldEmail(e); e != FoldEmail(r.Subject.Email) && p.MayDecideFrom(e) && !slices.Contains(kept, e) {
				kept = append(kept, e)
			}
		}
		return kept
	}
	nearest := keep(p.sourced(r))
	if len(nearest) < max(r.Needed, 1) {
		return keep(append(nearest, p.Security.Members...))
	}
	return nearest
}

func (p Policy) sourced(r Request) []string {
	var emails []string
	for _, from := range r.From {
		switch from {
		case FromSecurity:
			emails = append(emails, p.Security.Members...)
		case FromTeamOwners:
			for _, t := range r.HomeTeams() {
				if tp, ok := p.TeamFor(t); ok {
					emails = append(emails, tp.Owners...)
				}
			}
		case FromTeamManagers, FromManager: // who they are is not in the policy
		}
	}
	return emails
}

// Stands returns why email may decide r, for the card: what they own, or that
// they are security.
func (p Policy) Stands(r Request, email string) string {
	if name := p.owned(r, email); name != "" {
		return "owns " + name
	}
	if slices.Contains(p.Security.Members, FoldEmail(email)) {
		return "security"
	}
	return ""
}

// owned returns the first team of the request that the address owns, or "".
func (p Policy) owned(r Request, email string) string {
	for _, t := range r.HomeTeams() {
		if tp, ok := p.TeamFor(t); ok && slices.Contains(tp.Owners, FoldEmail(email)) {
			return tp.Name
		}
	}
	return ""
}

// HoldFor returns how long an approved r waits before it is applied.
func (p Policy) HoldFor(r Request) time.Duration {
	if r.Risk() == Routine {
		return 0
	}
	return p.Defaults.Hold
}
