package lifecycle_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	inPayments := account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	for name, tt := range map[string]struct {
		plan lifecycle.Plan
		mode lifecycle.ApprovalMode
		from []lifecycle.ApproverSource
	}{
		"a rule that approves by itself": {lifecycle.PlanJoin(rules(), person("Platform"), nil), lifecycle.ApprovalAuto, nil},
		"a rule that asks its owners":    {lifecycle.PlanJoin(rules(), person("Payments"), nil), lifecycle.ApprovalQuorum, []lifecycle.ApproverSource{lifecycle.FromTeamOwners}},
		"an automatic gain with a loss is asked, because the loss is": {
			lifecycle.PlanMove(rules(), person("Payments"), person("Platform"), &inPayments), lifecycle.ApprovalQuorum, []lifecycle.ApproverSource{lifecycle.FromTeamOwners},
		},
		"a privileged role is security's": {lifecycle.PlanJoin(rules(), person("Site Admin"), nil), lifecycle.ApprovalQuorum, []lifecycle.ApproverSource{lifecycle.FromSecurity}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := rules().Judge(tt.plan)
			if j.Mode != tt.mode {
				t.Errorf("mode: got %s, want %s", j.Mode, tt.mode)
			}
			if tt.from != nil {
				if diff := cmp.Diff(tt.from, j.From); diff != "" {
					t.Errorf("from (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestEligible(t *testing.T) {
	t.Parallel()
	request := lifecycle.Request{
		Subject: lifecycle.Subject{ID: "idn_ben", Email: "ben@acme.test"}, Needed: 1, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners},
		Changes: []lifecycle.Change{{Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(payments, lifecycle.TeamResponder), To: "responder"}},
	}
	bySubject, escalated, two := request, request, request
	bySubject.Subject.Email = "Marco@acme.test"
	byPolicy := request // such as a containment that failed: nobody was needed, and somebody must be able to retry it
	byPolicy.Needed, byPolicy.From = 0, nil
	escalated.Escalated = true
	two.Needed = 2
	gone := func(who ...string) func(string) bool {
		return func(email string) bool { return !slices.Contains(who, email) }
	}
	for name, tt := range map[string]struct {
		request lifecycle.Request
		may     func(string) bool
		want    []string
	}{
		"the owners of the team":                          {request, gone(), []string{"marco@acme.test", "ines@acme.test"}},
		"not the subject, though they own it":             {bySubject, gone(), []string{"ines@acme.test"}},
		"not who has left":                                {request, gone("marco@acme.test"), []string{"ines@acme.test"}},
		"security, when no owner is left":                 {request, gone("marco@acme.test", "ines@acme.test"), []string{"priya@acme.test", "lee@acme.test"}},
		"security too, when owners are fewer than needed": {two, gone("marco@acme.test"), []string{"ines@acme.test", "priya@acme.test", "lee@acme.test"}},
		"security too, once escalated":                    {escalated, gone(), []string{"marco@acme.test", "ines@acme.test", "priya@acme.test", "lee@acme.test"}},
		"security, for what policy itself approved":       {byPolicy, gone(), []string{"priya@acme.test", "lee@acme.test"}},
		"nobody, when nobody may":                         {request, func(string) bool { return false }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, rules().Eligible(tt.request, tt.may)); diff != "" {
				t.Errorf("eligible (-want +got):\n%s", diff)
			}
		})
	}
}

func TestJudgeAsksForAllThatTheRulesAskFor(t *testing.T) {
	t.Parallel()
	approval := func(n int, from ...lifecycle.ApproverSource) *lifecycle.Approval {
		return &lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: n, From: from}
	}
	owners, security := lifecycle.FromTeamOwners, lifecycle.FromSecurity
	for name, tt := range map[string]struct {
		first, second *lifecycle.Approval
		team          string // as the second rule calls Platform
		want          *lifecycle.Approval
	}{
		"the larger quorum":                   {approval(1, owners), approval(2, owners), "Platform", approval(2, owners)},
		"security, where one rule wants it":   {approval(1, owners), approval(1, security), "Platform", approval(1, security)},
		"whichever comes first":               {approval(1, security), approval(1, owners), "Platform", approval(1, security)},
		"and as many as the other rule wants": {approval(2, owners), approval(1, security), "Platform", approval(2, security)},
		"a team by its id is that team":       {approval(1, owners), approval(3, security), "PPLA", approval(3, security)},
		"asking outweighs what is by itself":  {&lifecycle.Approval{Mode: lifecycle.ApprovalAuto}, approval(1, security), "Platform", approval(1, security)},
		"refusing outweighs asking":           {approval(2, security), &lifecycle.Approval{Mode: lifecycle.ApprovalDeny}, "Platform", &lifecycle.Approval{Mode: lifecycle.ApprovalDeny}},
		"owners and security are both enough": {approval(1, owners, security), approval(1, owners), "Platform", approval(1, owners, security)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rules()
			p.Rules = []lifecycle.Rule{
				rule("first", "payments", lifecycle.RoleResponder, "Payments", lifecycle.TeamResponder, tt.first),
				rule("second", "payments", lifecycle.RoleResponder, tt.team, lifecycle.TeamResponder, tt.second),
			}
			have := account(lifecycle.RoleResponder)
			got := p.Judge(lifecycle.PlanJoin(p, person("Payments"), &have)).Approval
			if diff := cmp.Diff(*tt.want, got); diff != "" {
				t.Errorf("approval (-want +got):\n%s", diff)
			}
		})
	}
}
