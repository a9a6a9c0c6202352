package policy

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// ignoreIndex compares what policies say, not how they find it.
var ignoreIndex = cmpopts.IgnoreUnexported(lifecycle.Policy{})

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func example(t *testing.T) lifecycle.Policy {
	t.Helper()
	p, err := Load(filepath.Join("testdata", "policy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEveryMistakeIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("testdata", "mistakes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Parse("policy.yaml", b)
	if !errors.Is(err, lifecycle.ErrInvalid) {
		t.Fatalf("got %v, want an ErrInvalid", err)
	}
	golden(t, "mistakes.golden", err.Error()+"\n")
}

func TestTheExampleIsRead(t *testing.T) {
	t.Parallel()
	p := example(t)
	standard := lifecycle.Approval{
		Mode: lifecycle.ApprovalQuorum, N: 1, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners},
		RemindAfter: 4 * time.Hour, EscalateAfter: 24 * time.Hour, ExpireAfter: 72 * time.Hour, OnExpiry: lifecycle.SilenceDeny,
	}
	auto := standard
	auto.Mode = lifecycle.ApprovalAuto
	want := lifecycle.Policy{
		SHA256:    p.SHA256,
		Defaults:  lifecycle.Defaults{Approval: standard, Hold: 10 * time.Minute},
		Domains:   []string{"acme.test"},
		Security:  lifecycle.Security{Channel: "C0SECURITY", Members: []string{"priya@acme.test", "lee@acme.test"}},
		Protected: []string{"breakglass@acme.test"},
		Reserve:   365 * 24 * time.Hour,
		Breaker:   lifecycle.Breaker{Removals: 5, Percent: 2, Window: 24 * time.Hour, Gather: 5 * time.Minute, Movers: 10, MoversPercent: 10},
		Teams: []lifecycle.TeamPolicy{
			{Name: "Payments", ID: "PPAYSRE", Owners: []string{"marco@acme.test", "ines@acme.test"}, Channel: "C0PAYMENTS"},
			{Name: "Platform", ID: "PPLATFM", Owners: []string{"omar@acme.test"}, Channel: "C0PLATFORM"},
		},
		Rules: []lifecycle.Rule{
			{
				Name: "payments-sre", Why: "SRE in Payments carries the pager for tier 1", Line: 15,
				When: lifecycle.Selector{
					Match: []lifecycle.Match{
						{Attribute: lifecycle.AttrDepartment, Patterns: []string{"payments"}, Line: 18},
						{Attribute: lifecycle.AttrTitle, Patterns: []string{"sre*", "site reliability*"}, Line: 19},
						{Attribute: lifecycle.AttrEmployment, Patterns: []string{"employee"}, Line: 20},
					},
					Any: []lifecycle.Selector{
						{Match: []lifecycle.Match{{Attribute: lifecycle.AttrLocation, Patterns: []string{"tokyo", "berlin"}, Line: 21}}},
						{Match: []lifecycle.Match{{Attribute: lifecycle.AttrGroups, Patterns: []string{"oncall-payments"}, Line: 21}}},
					},
				},
				BaseRole: lifecycle.RoleResponder, Teams: []lifecycle.TeamGrant{{Team: "Payments", Role: lifecycle.TeamResponder}},
				Approval: &auto, Rollout: lifecycle.RolloutEnforce, Expires: lifecycle.ExpiryNever,
			},
			{
				Name: "contractors-look-only", Why: "Contractors read, never respond", Line: 26,
				When:     lifecycle.Selector{Match: []lifecycle.Match{{Attribute: lifecycle.AttrEmployment, Patterns: []string{"contractor"}, Line: 28}}},
				BaseRole: lifecycle.RoleObserver, Rollout: lifecycle.RolloutEnforce, Expires: lifecycle.ExpiryEndDate,
			},
		},
		Leaver: lifecycle.LeaverPolicy{DeleteAfter: 336 * time.Hour},
		Credentials: []lifecycle.Credential{{
			Name: "prod-governor", Purpose: "rolecall applies approved role and team changes", Kind: "pagerduty-scoped-oauth",
			Owner: "priya@acme.test", Revoker: "lee@acme.test", RotateEvery: 2160 * time.Hour,
			Scopes: strings.Split("users.read users.write teams.read teams.write schedules.read escalation_policies.read incidents.read oauth_delegations.write", " "),
		}},
		Tests: []lifecycle.PolicyTest{{
			Line:  41,
			Given: lifecycle.Person{Department: "Payments", Title: "SRE II", Location: "Tokyo", Employment: lifecycle.Employee},
			Rules: []string{"payments-sre"}, BaseRole: lifecycle.RoleResponder,
			Teams: []lifecycle.TeamGrant{{Team: "Payments", Role: lifecycle.TeamResponder}},
		}},
	}
	if diff := cmp.Diff(want, p, ignoreIndex); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if len(p.SHA256) != 64 {
		t.Errorf("got SHA-256 %q, want 64 hex digits", p.SHA256)
	}
	if failures := Test(p); len(failures) > 0 {
		t.Errorf("got failures %v, want the example's own test to pass", failures)
	}
}
