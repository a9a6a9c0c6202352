package pagerduty_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func named(got pagerduty.Capabilities, name string) pagerduty.Check {
	for _, c := range got.Checks {
		if c.Name == name {
			return c
		}
	}
	return pagerduty.Check{}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fake   pagerdutytest.Config
		change func(*pagerduty.Config)
		fault  *pagerdutytest.Fault
		failed map[string]string // the checks that are not OK, and a part of what they say
	}{
		"all is well": {},
		"no From":     {change: func(cfg *pagerduty.Config) { cfg.From = "" }, failed: map[string]string{"from": "set ROLECALL_PAGERDUTY_FROM"}},
		"a From that is no user": {
			change: func(cfg *pagerduty.Config) { cfg.From = "nobody@example.com" }, failed: map[string]string{"from": "has no user nobody@example.com"},
		},
		"a clock that is off": {
			change: func(cfg *pagerduty.Config) { cfg.Now = func() time.Time { return time.Now().Add(time.Hour) } },
			failed: map[string]string{"clock": "from PagerDuty's: set this machine's clock"},
		},
		"a plan without teams": {
			fake:   pagerdutytest.Config{Abilities: []string{"sso"}},
			failed: map[string]string{"plan": "no teams", "teams": "does not include", "audit records": "has no audit records: who made a change cannot be told"},
		},
		"policies that cannot be read": {
			fault:  &pagerdutytest.Fault{Method: http.MethodGet, Path: "/escalation_policies", Kind: pagerdutytest.Status(403, `{"error":{"message":"Access Denied","code":2010}}`)},
			failed: map[string]string{"escalation policies": "Access Denied"},
		},
		"users that cannot be read for now": {
			fault: &pagerdutytest.Fault{Method: http.MethodGet, Path: "/users", Times: 15, Kind: pagerdutytest.Status(503, "")},
			failed: map[string]string{
				"users": "503", "from": "could not be looked for", "sessions": "503", "analytics": "503", "calendar feeds": "503",
			},
		},
		"a plan without analytics": {
			fake:   pagerdutytest.Config{Analytics: pagerdutytest.Analytics{Refusal: 402}},
			failed: map[string]string{"analytics": "This PagerDuty plan has no analytics of users: when somebody last signed in cannot be told."},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.change == nil {
				tt.change = func(*pagerduty.Config) {}
			}
			a, c := start(t, tt.fake, tt.change)
			populate(a)
			if tt.fault != nil {
				a.Fail(*tt.fault)
			}
			got, err := c.Capabilities(t.Context())
			if err != nil {
				t.Fatalf("capabilities: %v", err)
			}
			for _, check := range got.Checks {
				want, fails := tt.failed[check.Name]
				if check.OK == fails || !strings.Contains(check.Detail, want) || check.Detail == "" {
					t.Errorf("check %+v; fails: want %t with %q", check, fails, want)
				}
			}
			if len(got.Checks) != 17 || len(a.Effects()) > 0 || got.Key != "0001" {
				t.Errorf("%d checks, effects %+v and key %q, want 17, none and 0001", len(got.Checks), a.Effects(), got.Key)
			}
		})
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	if err := c.Ping(t.Context()); err != nil || a.TotalCalls() != 1 {
		t.Errorf("ping: %v after %d calls", err, a.TotalCalls())
	}
	a.Fail(pagerdutytest.Fault{Times: -1, Kind: pagerdutytest.Status(500, "")})
	if err := c.Ping(t.Context()); err == nil {
		t.Error("ping of a broken PagerDuty is no error")
	}
	if _, err := c.Capabilities(t.Context()); err == nil {
		t.Error("capabilities of a broken PagerDuty are no error")
	}
}
