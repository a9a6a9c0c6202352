package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// In observe mode everything is asked and nothing is written, and each card
// and each message about it says so.
func TestServeObserves(t *testing.T) {
	p := settle(t, map[string]string{"MODE": "observe"})
	p.serve()
	p.hire("nora")
	p.joins("nora")
	m := p.card(payments, "Nora Test", "[Approve]")
	p.press("marco", m, approve)
	p.card(payments, "Nora Test", "Approved by")
	p.until("the copies are there too", func() bool { return len(p.everything()) == 3 })
	for _, text := range p.everything() {
		if strings.Contains(text, "Nora Test") && !strings.Contains(strings.ToLower(text), "observe mode") {
			t.Errorf("this does not say that nothing will be written:\n%s", text)
		}
	}
	p.noViolations()
	if writes := p.pd.Writes(); len(writes) > 0 {
		t.Errorf("PagerDuty was written to: %+v", writes)
	}
	r := contract(t, "request.schema.json", command(t, "request", "list", "--all", "--json").exits(t, 0).out, false)
	if len(r) != 1 || r[0]["state"] != "approved" || r[0]["observe"] != true {
		t.Errorf("the requests are %v", r)
	}
}

// everything returns what rolecall has said to anybody, outside threads.
func (p *place) everything() []string {
	var said []string
	hear := func(channel string) {
		for _, m := range p.slack.Messages(channel) {
			said = append(said, m.Text+"\n"+slacktest.PlainText(m.Blocks))
		}
	}
	hear(payments)
	for _, u := range p.slack.Users() {
		if dm := p.slack.DirectMessage(u.ID); dm != "" {
			hear(dm)
		}
	}
	return said
}

func TestServeOverHTTP(t *testing.T) {
	p := settle(t, map[string]string{"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "slacktest-signing-secret"})
	here := "http://" + p.listen + "/slack/"
	p.slack.UseHTTP(here+"events", here+"commands", here+"interactions")
	p.serve()
	if err := p.slack.VerifyURL(t.Context()); err != nil {
		t.Errorf("Slack's challenge: %v", err)
	}
	p.approvesJoiner("nora")
	if o, err := p.slack.Command(t.Context(), slackID("marco"), payments, "/rolecall", "who payments"); err != nil {
		t.Errorf("/rolecall: %v %+v", err, o)
	}
	forged, err := http.Post(here+"interactions", "application/x-www-form-urlencoded", strings.NewReader("payload={}"))
	if err != nil {
		t.Fatal(err)
	}
	defer forged.Body.Close()
	if forged.StatusCode != http.StatusUnauthorized {
		t.Errorf("a press without a signature is answered with %s", forged.Status)
	}
	p.noViolations()
}

func TestServeOnPostgreSQL(t *testing.T) {
	p := settle(t, map[string]string{"DATABASE": postgres.Database(t)})
	s := p.serve()
	p.approvesJoiner("nora")
	p.decidesAtTheCommandLine(t)
	if o := command(t, "backup", p.dir+"/copy").exits(t, exitFault); !strings.Contains(o.err, "pg_dump") {
		t.Errorf("backup says %q", o.err)
	}
	p.noViolations()
	if o := s.stop(); o.code != 0 {
		t.Fatalf("serve exited %d: %s", o.code, o.err)
	}
	if o := command(t, "audit", "verify").exits(t, 0); !strings.HasPrefix(o.out, "Whole: ") {
		t.Errorf("verify says %q", o.out)
	}
}

// What is not there is named by readyz, by the container's health check, and by
// nothing that the outside can see.
func TestServeIsNotReady(t *testing.T) {
	p := settle(t, nil)
	s := p.serve()
	p.slack.Fail("apps.connections.open", slacktest.Fault{Status: http.StatusBadGateway})
	p.slack.DropConnections()
	p.pd.Fail(pagerdutytest.Fault{Times: -1, Kind: pagerdutytest.Status(http.StatusInternalServerError, "")})
	p.until("Slack's connections are missed", func() bool { return strings.Contains(s.log.String(), "slack connection failed") })
	unwell := command(t, "health").exits(t, exitUnwell)
	if want := "rolecall: not ready:\n  PagerDuty cannot be read\n  Slack is not connected\n"; unwell.err != want || unwell.out != "" {
		t.Errorf("health says %q, want %q", unwell.err, want)
	}
	if status, _ := p.get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d, though the process lives", status)
	}
	p.pd.Heal()
	if status, text := p.get("/readyz"); status != http.StatusServiceUnavailable || text != "Slack is not connected\n" {
		t.Errorf("/readyz: %d %q", status, text)
	}
	p.slack.ClearFaults()
	p.until("it is ready again", func() bool { status, _ := p.get("/readyz"); return status == http.StatusOK })
	s.stop()
	gone := command(t, "health").exits(t, exitUnwell)
	if !strings.Contains(gone.err, "nothing answers at "+p.listen) {
		t.Errorf("health says %q when serve is down", gone.err)
	}
}

func TestHealthTellsSilenceFromNobodyThere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithDeadline(t.Context(), now()) // it is over before an answer can be
	defer cancel()
	err := askReady(ctx, server.Listener.Addr().String())
	if err == nil || strings.Contains(err.Error(), "nothing answers") || !strings.Contains(err.Error(), "does not say within") {
		t.Errorf("of a serve that is silent it says %v", err)
	}
}
