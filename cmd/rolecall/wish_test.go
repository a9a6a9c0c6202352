package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
	"rolecall/storage"
)

// ben is somebody of Payments whom hr knows, with an account that is an observer's.
func (p *place) ben() {
	p.t.Helper()
	p.kept()
	p.pd.AddUser(pagerdutytest.User{ID: "PBENODE", Name: "Ben Ode", Email: "ben@acme.test", Role: pagerdutytest.Observer})
	db, err := storage.Open(p.t.Context(), storage.Config{URL: p.database, Role: storage.Command, Log: quiet(), Now: now})
	if err != nil {
		p.t.Fatal(err)
	}
	defer p.close("the database", db.Close)
	i := lifecycle.Identity{
		ID: "idn_ben", Revision: 1, Keys: map[string]string{"hr": "E1"}, Observed: now(),
		Person: lifecycle.Person{EmployeeID: "E1", Status: lifecycle.StatusActive, Emails: []string{"ben@acme.test"}, Name: "Ben Ode", Employment: lifecycle.Employee},
	}
	e := lifecycle.AuditEvent{At: now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(i.ID)}
	if err := db.SaveIdentity(p.t.Context(), i, nil, e); err != nil {
		p.t.Fatal(err)
	}
}

func asks(more ...string) []string {
	return append([]string{"request", "new", "--as", "ben@acme.test", "--role", "responder", "--team", "Payments", "--for", "8h", "--why", "Marco is out", "--incident", "INC-7"}, more...)
}

// Slack is down for all of this: nothing here needs it.
func TestSomebodyAsksForAccessAtTheCommandLine(t *testing.T) {
	p := settle(t, map[string]string{"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": ""})
	p.ben()
	var r lifecycle.Request
	if err := json.Unmarshal([]byte(command(t, asks("--json")...).exits(t, 0).out), &r); err != nil {
		t.Fatal(err)
	}
	if r.State != lifecycle.Pending || r.Asked != "Marco is out" || time.Until(r.Until) > 8*time.Hour || len(r.Approvers) == 0 || r.Observe {
		t.Fatalf("opened %+v", r)
	}
	id := string(r.ID)
	if o := command(t, asks()...).exits(t, exitConflict); !strings.Contains(o.err, "You have asked for Payments: responder already") {
		t.Errorf("asked twice: %s", o.err)
	}
	if o := command(t, "request", "show", id).exits(t, 0); !strings.Contains(o.out, "Marco is out") || !strings.Contains(o.out, "INC-7") {
		t.Errorf("shown as\n%s", o.out)
	}
	if o := command(t, "request", "cancel", id, "--as", "marco@acme.test").exits(t, exitRefused); !strings.Contains(o.err, "Only Ben Ode can do that") {
		t.Errorf("Marco cancels: %s", o.err)
	}
	command(t, "request", "nudge", id, "--as", "ben@acme.test").exits(t, 0)
	command(t, "request", "nudge", id, "--as", "ben@acme.test").exits(t, exitConflict)
	command(t, "request", "give-back", id, "--as", "ben@acme.test").exits(t, exitConflict)
	command(t, "request", "approve", id, "--as", "ben@acme.test", "--reason", "mine").exits(t, exitRefused)
	if o := command(t, "request", "cancel", id, "--as", "ben@acme.test").exits(t, 0); !strings.Contains(o.out, "withdrawn, and nothing was changed") {
		t.Errorf("cancelled: %s", o.out)
	}
	if o := command(t, asks()...).exits(t, 0); !strings.Contains(o.out, "asks for Payments: none → responder until") || !strings.Contains(o.out, "waits for") {
		t.Errorf("asked again: %s", o.out)
	}
	command(t, "audit", "verify").exits(t, 0)
	p.noViolations()
}

func TestWhatCannotBeAskedForAtTheCommandLine(t *testing.T) {
	p := settle(t, nil)
	p.ben()
	for name, tt := range map[string]struct {
		args []string
		code int
		says string
	}{
		"by nobody":             {[]string{"request", "new", "--role", "responder", "--team", "Payments", "--for", "8h", "--why", "x"}, exitUsage, "--as EMAIL"},
		"until nothing":         {[]string{"request", "new", "--as", "ben@acme.test", "--role", "responder", "--team", "Payments", "--why", "x"}, exitUsage, "either --for 8h or --until"},
		"until two things":      {asks("--until", "2099-01-01"), exitUsage, "either --for 8h or --until"},
		"for ever":              {asks("--for", "ever"), exitUsage, "is not a length of time"},
		"a team that is none":   {asks("--team", "Paymints"), exitUsage, "there are"},
		"a role that is none":   {asks("--role", "boss"), exitUsage, "observer, responder and manager"},
		"too long":              {asks("--for", "900d"), exitUsage, "too long"},
		"without a reason":      {asks("--why", " "), exitUsage, "Say why"},
		"somebody not known":    {asks("--as", "eve@acme.test"), exitRefused, "Nobody with the address"},
		"known from the policy": {asks("--as", "marco@acme.test"), exitRefused, "No source of truth knows you"},
	} {
		t.Run(name, func(t *testing.T) {
			if o := command(t, tt.args...).exits(t, tt.code); !strings.Contains(o.err, tt.says) {
				t.Errorf("it says %q, want %q", o.err, tt.says)
			}
		})
	}
	if o := command(t, "request", "list", "--all").exits(t, 0); !strings.Contains(o.out, "No requests") {
		t.Errorf("opened\n%s", o.out)
	}
}

func TestWhatWasAskedForIsGivenAndGivenBack(t *testing.T) {
	p := settle(t, nil)
	p.ben()
	s := p.serve()
	var r lifecycle.Request
	if err := json.Unmarshal([]byte(command(t, asks("--json")...).exits(t, 0).out), &r); err != nil {
		t.Fatal(err)
	}
	role := func() string {
		for _, m := range p.pd.Members("PTPAY01") {
			if m.UserID == "PBENODE" {
				return m.Role
			}
		}
		return ""
	}
	state := func() string {
		var now lifecycle.Request
		if err := json.Unmarshal([]byte(command(t, "request", "show", string(r.ID), "--json").exits(t, 0).out), &now); err != nil {
			t.Fatal(err)
		}
		return string(now.State)
	}
	command(t, "request", "approve", string(r.ID), "--as", "marco@acme.test", "--reason", "as agreed").exits(t, 0)
	p.until("it is given", func() bool { return role() == "responder" && state() == "done" })
	command(t, "request", "give-back", string(r.ID), "--as", "ben@acme.test").exits(t, 0)
	p.until("it is taken back", func() bool { return role() == "" })
	s.stop()
	p.noViolations()
}
