package pagerduty_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

const key = "account-key-0001"

func always(s string) func() (string, error) { return func() (string, error) { return s, nil } }

// start serves an account until the test ends, and returns a client of it whose pauses are short. A test that ends with
// something that a careful client does not do, or with a fault that never struck, has failed.
func start(t testing.TB, fake pagerdutytest.Config, change ...func(*pagerduty.Config)) (*pagerdutytest.Account, *pagerduty.Client) {
	t.Helper()
	fake.Token = key
	a := pagerdutytest.New(fake)
	url, err := a.Start()
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		for _, v := range a.Violations() {
			t.Errorf("violation: %s", v)
		}
		for _, f := range a.Armed() {
			t.Errorf("a fault never struck: %s", f)
		}
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a, client(t, url, key, change...)
}

func client(t testing.TB, url, key string, change ...func(*pagerduty.Config)) *pagerduty.Client {
	t.Helper()
	cfg := pagerduty.Config{
		Token: always(key), APIURL: url, From: "olga@example.com", Backoff: time.Millisecond,
		Settle: 30 * time.Millisecond, Patience: 300 * time.Millisecond, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&cfg)
	}
	c, err := pagerduty.New(cfg)
	if err != nil {
		t.Fatalf("new client: %v", err)
	}
	return c
}

// company is an account with one of everything: Ann is called directly by Core policy and responds on Core; Bo manages
// Core; Ada is an admin; Sue is a stakeholder.
type company struct {
	owner, ada, ann, bo, sue pagerdutytest.User
	core, web                pagerdutytest.Team
	policy                   pagerdutytest.EscalationPolicy
}

func populate(a *pagerdutytest.Account) company {
	var w company
	w.owner = a.AddUser(pagerdutytest.User{Name: "Olga Owner", Email: "olga@example.com", Role: pagerdutytest.Owner})
	w.ada = a.AddUser(pagerdutytest.User{Name: "Ada Admin", Email: "ada@example.com", Role: pagerdutytest.Admin})
	w.ann = a.AddUser(pagerdutytest.User{Name: "Ann Ash", Email: "Ann@Example.com", Role: pagerdutytest.Manager})
	w.bo = a.AddUser(pagerdutytest.User{Name: "Bo Birch", Email: "bo@example.com", InvitationSent: true})
	w.sue = a.AddUser(pagerdutytest.User{Name: "Sue Stake", Email: "sue@example.com", Role: pagerdutytest.Stakeholder})
	w.core, w.web = a.AddTeam(pagerdutytest.Team{Name: "Core"}), a.AddTeam(pagerdutytest.Team{Name: "Web"})
	a.AddMember(w.core.ID, w.ann.ID, pagerdutytest.TeamResponder)
	a.AddMember(w.core.ID, w.bo.ID, pagerdutytest.TeamManager)
	w.policy = a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "Core-Crit", TeamIDs: []string{w.core.ID}, Rules: []pagerdutytest.Rule{
		{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(w.bo.ID)}},
		{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(w.ann.ID)}},
	}})
	return w
}

func order(u pagerdutytest.User, op lifecycle.Op, e lifecycle.Entitlement, from, to string) lifecycle.Order {
	return lifecycle.Order{
		Account: lifecycle.AccountID(u.ID), Subject: lifecycle.Subject{Email: u.Email, Name: u.Name},
		Change: lifecycle.Change{ID: "chg_1", Op: op, Entitlement: e, From: from, To: to},
	}
}

func baseRole(u pagerdutytest.User, to lifecycle.BaseRole) lifecycle.Order {
	return order(u, lifecycle.OpReplace, lifecycle.Entitlement{Kind: lifecycle.KindBaseRole}, u.Role, string(to))
}

func teamRole(u pagerdutytest.User, t pagerdutytest.Team, from, to lifecycle.TeamRole) lifecycle.Order {
	op := lifecycle.OpReplace
	if to == "" {
		op = lifecycle.OpRevoke
	}
	return order(u, op, lifecycle.OnTeam(lifecycle.Team{ID: lifecycle.TeamID(t.ID), Name: t.Name}, to), string(from), string(to))
}

func creation(email, name string, role lifecycle.BaseRole) lifecycle.Order {
	return lifecycle.Order{
		Subject: lifecycle.Subject{Email: email, Name: name},
		Change:  lifecycle.Change{ID: "chg_1", Op: lifecycle.OpCreate, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}, To: string(role)},
	}
}

func deletion(u pagerdutytest.User) lifecycle.Order {
	return order(u, lifecycle.OpDelete, lifecycle.Entitlement{Kind: lifecycle.KindAccount}, u.Role, "")
}

// crowd adds users and teams, with every user on one team and every tenth on two.
func crowd(a *pagerdutytest.Account, users, teams int) {
	var ids []string
	for i := range teams {
		ids = append(ids, a.AddTeam(pagerdutytest.Team{Name: fmt.Sprintf("Team %03d", i)}).ID)
	}
	for i := range users {
		u := a.AddUser(pagerdutytest.User{Name: fmt.Sprintf("User %05d", i), Email: fmt.Sprintf("user%d@example.com", i)})
		a.AddMember(ids[i%teams], u.ID, pagerdutytest.TeamResponder)
		if i%10 == 0 && teams > 1 {
			a.AddMember(ids[(i+1)%teams], u.ID, pagerdutytest.TeamManager)
		}
	}
}

// duties returns what on-call expects of the account.
func duties(ctx context.Context, c *pagerduty.Client, id lifecycle.AccountID) ([]lifecycle.Duty, error) {
	h, err := c.Holdings(ctx, id)
	return h.Duties, err
}

// counted counts the calls that go through it, and those that PagerDuty refused because there were too many.
type counted struct {
	next       http.RoundTripper
	n, refused atomic.Int64
}

func (c *counted) RoundTrip(req *http.Request) (*http.Response, error) {
	c.n.Add(1)
	resp, err := c.next.RoundTrip(req)
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		c.refused.Add(1)
	}
	return resp, err
}

// A rewriter changes some bodies on their way, as a PagerDuty would that takes them otherwise.
type rewriter struct {
	when   func(*http.Request) bool
	change func(body map[string]any)
}

func (x *rewriter) RoundTrip(req *http.Request) (*http.Response, error) {
	if !x.when(req) {
		return http.DefaultTransport.RoundTrip(req)
	}
	var body map[string]any
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		return nil, err
	}
	x.change(body)
	all, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(all)), int64(len(all))
	return http.DefaultTransport.RoundTrip(req)
}
