package pagerduty_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestScopesAreThoseOfTheDocument(t *testing.T) {
	t.Parallel()
	scopes := pagerduty.Scopes()
	for _, s := range scopes {
		if !slices.Contains(pagerdutytest.AllScopes(), s) {
			t.Errorf("no operation asks for %s", s)
		}
	}
	if !slices.IsSorted(scopes) || len(slices.Compact(scopes)) != len(pagerduty.ScopeTable()) {
		t.Errorf("the scopes are not sorted, or one comes twice: %v", scopes)
	}
	for _, s := range pagerduty.ScopeTable() {
		if s.Without == "" || strings.HasSuffix(s.Without, ".") {
			t.Errorf("without %s: %q is not the end of a sentence", s.Name, s.Without)
		}
	}
}

// An app that has only what it must have is told what it cannot do, and is well all the same.
func TestAppWithoutAnythingOptional(t *testing.T) {
	t.Parallel()
	var needed []string
	for _, s := range pagerduty.ScopeTable() {
		if !s.Optional {
			needed = append(needed, s.Name)
		}
	}
	a, c := start(t, pagerdutytest.Config{OAuth: app(needed...)}, asApp(always("s3cret-of-the-app")))
	populate(a)
	got, err := c.Capabilities(t.Context())
	if err != nil {
		t.Fatalf("capabilities: %v", err)
	}
	said := map[string]string{}
	for _, check := range got.Checks {
		if !check.OK {
			said[check.Name] = check.Detail
		}
		if !check.OK && !check.Optional {
			t.Errorf("check %+v is not optional", check)
		}
	}
	const give = ". Give it to the app in PagerDuty, under Integrations, App Registration."
	want := map[string]string{
		"audit records": "rolecall's PagerDuty app lacks audit_records.read: who made a change cannot be told" + give,
		"analytics":     "rolecall's PagerDuty app lacks analytics.write: when somebody last signed in cannot be told" + give,
		"sessions":      "rolecall's PagerDuty app lacks oauth_delegations.read: whether a leaver is still signed in cannot be seen" + give,
		"licences":      "rolecall's PagerDuty app lacks licenses.read: how many licence seats are free cannot be told" + give,
		"optional scopes": "the app lacks analytics.write: when somebody last signed in cannot be told; " +
			"the app lacks audit_records.read: who made a change cannot be told; " +
			"the app lacks licenses.read: how many licence seats are free cannot be told; " +
			"the app lacks oauth_delegations.read: whether a leaver is still signed in cannot be seen; " +
			"the app lacks oauth_delegations.write: a leaver's sessions cannot be ended. " +
			"Give them to the app in PagerDuty, under Integrations, App Registration",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("what the checks say (-want +got):\n%s", diff)
	}
	if check := named(got, "changes"); !check.OK || len(got.Checks) != 18 || len(got.Key) != 4 {
		t.Errorf("of %d checks, the one of changes is %+v, and the key %q", len(got.Checks), check, got.Key)
	}
}

func TestAppInEurope(t *testing.T) {
	t.Parallel()
	european := app(pagerduty.Scopes()...)
	european.Region = "eu"
	secret := asApp(always("s3cret-of-the-app"))
	for region, wants := range map[string]string{"eu": "", "us": "invalid_scope"} {
		t.Run(region, func(t *testing.T) {
			t.Parallel()
			_, c := start(t, pagerdutytest.Config{OAuth: european}, secret, func(cfg *pagerduty.Config) { cfg.Region = region })
			if err := c.Ping(t.Context()); (err == nil) != (wants == "") || err != nil && !strings.Contains(err.Error(), wants) {
				t.Errorf("ping: %v, want %q", err, wants)
			}
		})
	}
}
