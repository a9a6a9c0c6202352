package lifecycle_test

import (
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

func TestWhomThePolicyNames(t *testing.T) {
	t.Parallel()
	owners := []string{"marco@acme.test", "ines@acme.test"}
	for name, tt := range map[string]struct {
		subject string
		needed  int
		owners  []string
		want    []string
	}{
		"the owners of the team":                          {"ben@acme.test", 1, owners, owners},
		"not the subject, though they own it":             {"Marco@acme.test", 1, owners, []string{"ines@acme.test"}},
		"not who is of another domain":                    {"ben@acme.test", 1, []string{"marco@acme.test", "ines@elsewhere.test"}, []string{"marco@acme.test"}},
		"security, where nobody owns it":                  {"ben@acme.test", 1, nil, []string{"priya@acme.test", "lee@acme.test"}},
		"security too, when owners are fewer than needed": {"marco@acme.test", 2, owners, []string{"ines@acme.test", "priya@acme.test", "lee@acme.test"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rules()
			p.Teams[0].Owners = tt.owners
			r := lifecycle.Request{
				Subject: lifecycle.Subject{ID: "idn_x", Email: tt.subject}, Needed: tt.needed, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners},
				Changes: []lifecycle.Change{{Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(payments, lifecycle.TeamResponder), To: "responder"}},
			}
			if diff := cmp.Diff(tt.want, p.Named(r)); diff != "" {
				t.Errorf("named (-want +got):\n%s", diff)
			}
		})
	}
}

// What gives great power takes as many of Security as the policy says, whatever
// the rule that grants it says; and no rule asks for fewer.
func TestAQuorumForWhatIsPrivileged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		n, rule int // as the policy says for what is privileged, and as the rule says
		want    int
	}{
		"one, where the policy says nothing":      {0, 1, 1},
		"two, where it says so":                   {2, 1, 2},
		"as many as the rule, where that is more": {2, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rules()
			if tt.n > 0 {
				p.Defaults.Privileged = lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: tt.n}
			}
			asks := lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: tt.rule, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners}}
			p.Rules = []lifecycle.Rule{rule("admins", "site admin", lifecycle.RoleAdmin, "Platform", lifecycle.TeamResponder, &asks)}
			have := account(lifecycle.RoleResponder)
			j := p.Judge(lifecycle.PlanJoin(p, person("Site admin"), &have))
			if j.Mode != lifecycle.ApprovalQuorum || j.N != tt.want || len(j.From) != 1 || j.From[0] != lifecycle.FromSecurity {
				t.Errorf("it takes %d of %v (%s), want %d of Security", j.N, j.From, j.Mode, tt.want)
			}
			routine := p.Judge(lifecycle.PlanJoin(rules(), person("Payments"), &have))
			if routine.N != 1 {
				t.Errorf("what is routine takes %d", routine.N)
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
