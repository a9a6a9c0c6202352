package pagerduty_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// Every body that PagerDuty is known to refuse with becomes a sentence, or stays a fault when it may pass.
func TestRefusalBodies(t *testing.T) {
	t.Parallel()
	envelope := func(code, errs string) string {
		return `{"error":{"message":"Invalid Input Provided","code":` + code + `,"errors":` + errs + `}}`
	}
	for name, tt := range map[string]struct {
		status int
		body   string
		kind   error  // nil: a fault
		reason string // a part of it
	}{
		"the owner":                     {403, `{"error":{"message":"Access Denied","code":2010}}`, lifecycle.ErrForbidden, "PagerDuty does not let rolecall's key do that: “Access Denied”."},
		"no seat":                       {400, envelope("2001", `["License error: License is not available"]`), lifecycle.ErrConflict, "no free licence seat"},
		"no ability":                    {402, `{"error":{"message":"Required abilities are unavailable","code":2014,"errors":["The teams account ability is required to assign to a team"]}}`, lifecycle.ErrForbidden, "“The teams account ability is required to assign to a team”"},
		"a stakeholder on a schedule":   {400, envelope("2001", `["Stakeholders cannot be added to schedules"]`), lifecycle.ErrConflict, "PagerDuty lets no stakeholder be on call."},
		"an address that is taken":      {400, envelope("2001", `["Email has already been taken"]`), lifecycle.ErrDuplicate, "PagerDuty already has a user with that address."},
		"no From":                       {400, envelope("2001", `["You must specify a user's email address in the \"From\" header to perform this action"]`), lifecycle.ErrInvalid, "ROLECALL_PAGERDUTY_FROM"},
		"an unknown From":               {400, `{"error":{"message":"Requester User Not Found","code":1008}}`, lifecycle.ErrInvalid, "knows no user with the address that rolecall acts as"},
		"gone":                          {404, `{"error":{"message":"Not Found","code":2100}}`, lifecycle.ErrNotFound, "deleted in the meantime"},
		"a missing scope":               {403, `{"error":{"message":"Access Denied","code":2010,"required_scopes":["users.write","users.read"],"token_scopes":["users.read"]}}`, lifecycle.ErrForbidden, "lacks the scope users.write."},
		"a missing scope, as a text":    {403, `{"error":{"message":"Token missing required scopes","required_scopes":"users.write, users.read","token_scopes":"users.read teams.read"}}`, lifecycle.ErrForbidden, "lacks the scope users.write."},
		"errors as a text":              {400, envelope("2001", `"Name is too long"`), lifecycle.ErrInvalid, "PagerDuty refused (400): “Name is too long”."},
		"errors as a map":               {400, envelope("2001", `{"name":["is too long","is odd"],"role":{"of":"nobody"}}`), lifecycle.ErrInvalid, "“name is too long, name is odd and role of nobody”"},
		"the error as a list":           {400, `{"error":["Something is amiss"]}`, lifecycle.ErrInvalid, "“Something is amiss”"},
		"the error as a text":           {400, `{"error":"Something is amiss"}`, lifecycle.ErrInvalid, "“Something is amiss”"},
		"only a message":                {422, `{"error":{"message":"Unprocessable","code":2001}}`, lifecycle.ErrInvalid, "PagerDuty refused (422): “Unprocessable”."},
		"JSON that is no error":         {400, `{"reason":"odd"}`, lifecycle.ErrInvalid, `“{"reason":"odd"}”`},
		"a text that is no JSON":        {403, `Forbidden`, lifecycle.ErrForbidden, "“Forbidden”"},
		"nothing":                       {400, ``, lifecycle.ErrInvalid, "PagerDuty refused (400), and it does not say why."},
		"a plan without it, unsaid":     {402, ``, lifecycle.ErrForbidden, "does not include what that takes, and it does not say why."},
		"too large":                     {413, `{"error":{"message":"Request Entity Too Large","code":2001}}`, lifecycle.ErrInvalid, "PagerDuty refused (413)"},
		"text that would forge a line":  {400, envelope("2001", `["a\nb\u0000\u202e\tc"]`), lifecycle.ErrInvalid, "“a b c”"},
		"a key that is not accepted":    {401, `{"error":{"message":"Authentication failed","code":2006}}`, nil, ""},
		"not found by somebody else":    {404, `no such route`, nil, ""},
		"a page for browsers":           {400, `<html>blocked</html>`, nil, ""},
		"a locked account":              {400, lockedBody, nil, ""},
		"too many":                      {429, `{"error":{"message":"Rate Limit Exceeded","code":2020}}`, nil, ""},
		"trouble":                       {500, `{"error":{"message":"Internal Server Error","code":2000}}`, nil, ""},
		"time out":                      {408, ``, nil, ""},
		"a licence error still unknown": {400, envelope("2001", `["License error: Moon phase"]`), lifecycle.ErrInvalid, "“License error: Moon phase”"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			w := populate(a)
			a.Fail(pagerdutytest.Fault{Method: "PUT", Path: "/users/*", Times: -1, Kind: pagerdutytest.Status(tt.status, tt.body)})
			_, err := c.Apply(t.Context(), baseRole(w.ann, lifecycle.RoleObserver))
			reason := lifecycle.ReasonOf(err)
			if err == nil || (tt.kind == nil) != (reason == "") || tt.kind != nil && !errors.Is(err, tt.kind) || !strings.Contains(reason, tt.reason) {
				t.Errorf("error is %v with reason %q;\nwant %v with %q", err, reason, tt.kind, tt.reason)
			}
		})
	}
}

func TestForeignTextIsClipped(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	a.Fail(pagerdutytest.Fault{Method: "PUT", Kind: pagerdutytest.Status(400, `{"error":"`+strings.Repeat("ü", 100_000)+`"}`)})
	_, err := c.Apply(t.Context(), baseRole(w.ann, lifecycle.RoleObserver))
	if n := utf8.RuneCountInString(lifecycle.ReasonOf(err)); n < 100 || n > 400 {
		t.Errorf("the reason has %d characters", n)
	}
}

// PagerDuty may refuse a deletion for what was not there a moment ago. Then it is asked again what holds the account.
func TestDeletionRefusedByPagerDuty(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before func(*pagerdutytest.Account, company)
		reason string
	}{
		"for an incident that has just begun": {func(a *pagerdutytest.Account, w company) {
			s := a.AddService(pagerdutytest.Service{Name: "API", EscalationPolicyID: w.policy.ID})
			for range 6 {
				a.AddIncident(pagerdutytest.Incident{Title: "Down", ServiceID: s.ID, EscalationPolicyID: w.policy.ID, AssigneeIDs: []string{w.ada.ID}})
			}
		}, "Ada Admin cannot be deleted while still on open incident #1 (Down), open incident #2 (Down), open incident #3 (Down) and other open incidents."},
		"for what cannot be seen": {func(a *pagerdutytest.Account, _ company) {
			a.Fail(pagerdutytest.Fault{Method: "DELETE", Kind: pagerdutytest.Status(400, `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["User has things"]}}`)})
		}, "PagerDuty refused (400): “User has things”."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			w := populate(a)
			a.Fail(pagerdutytest.Fault{Method: "GET", Path: "/incidents", Kind: pagerdutytest.After(func() { tt.before(a, w) })})
			_, err := c.Apply(t.Context(), deletion(w.ada))
			if got := lifecycle.ReasonOf(err); !strings.Contains(got, tt.reason) || len(a.Effects()) > 0 {
				t.Errorf("reason is %q (%v), want %q", got, err, tt.reason)
			}
		})
	}
}

// What cannot be checked before a deletion stops it.
func TestDeletionIsNotBlind(t *testing.T) {
	t.Parallel()
	denied := pagerdutytest.Status(403, `{"error":{"message":"Access Denied","code":2010,"required_scopes":["some.read"],"token_scopes":[]}}`)
	for _, path := range []string{"/users", "/escalation_policies", "/schedules", "/oncalls", "/incidents"} {
		a, c := start(t, pagerdutytest.Config{})
		w := populate(a)
		a.Fail(pagerdutytest.Fault{Method: "GET", Path: path, Kind: denied})
		_, err := c.Apply(t.Context(), deletion(w.ada))
		if !strings.Contains(lifecycle.ReasonOf(err), "lacks the scope some.read") || len(a.Writes()) > 0 {
			t.Errorf("%s: %v and writes %+v, want a refusal that names the scope", path, err, a.Writes())
		}
	}
}

func TestApplyStopsWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	ctx, cancel := context.WithCancel(t.Context())
	a.Fail(pagerdutytest.Fault{Method: "PUT", Kind: pagerdutytest.After(cancel)})
	a.Fail(pagerdutytest.Fault{Method: "PUT", Kind: pagerdutytest.LostAnswer()})
	_, err := c.Apply(ctx, baseRole(w.ann, lifecycle.RoleObserver))
	if !errors.Is(err, context.Canceled) || len(a.Writes()) != 1 {
		t.Errorf("apply: %v and %d writes, want a cancelled one", err, len(a.Writes()))
	}
}
