package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// exam runs the doctor and returns what it found, by name.
func exam(t *testing.T, code int) map[string]examined {
	t.Helper()
	o := command(t, "doctor", "--json").exits(t, code)
	var all []examined
	if err := json.Unmarshal([]byte(o.out), &all); err != nil {
		t.Fatalf("%v in %s", err, o.out)
	}
	found := map[string]examined{}
	for _, e := range all {
		found[e.Name] = e
	}
	if strings.Contains(o.out+o.err, pagerDutyKey) || strings.Contains(o.out+o.err, webhookSecret) || strings.Contains(o.out+o.err, "xoxb-") {
		t.Errorf("the doctor says a secret: %s%s", o.out, o.err)
	}
	return found
}

func TestTheDoctorIsContent(t *testing.T) {
	p := settle(t, nil)
	command(t, "migrate").exits(t, 0)
	for name, e := range exam(t, 0) {
		if !e.OK || e.Detail == "" {
			t.Errorf("%s: %+v", name, e)
		}
	}
	p.slack.Fail("users.lookupByEmail", slacktest.Fault{RetryAfter: time.Second, Times: 1}) // a large policy asks for many
	o := command(t, "doctor").exits(t, 0)
	for _, what := range []string{"database", "webhook", "policy ", "clock", "pagerduty users", "policy's teams", "slack token", "slack scopes", "slack socket", "channel C0PAYMENTS", "slack people"} {
		if !strings.Contains(o.out, "\nok  ") || !strings.Contains(o.out, "  "+what) {
			t.Errorf("the doctor does not speak of %q:\n%s", what, o.out)
		}
	}
	if writes := p.pd.Writes(); len(writes) > 0 {
		t.Errorf("the doctor wrote to PagerDuty: %v", writes)
	}
	if said := p.everything(); len(said) > 0 {
		t.Errorf("the doctor spoke in Slack: %v", said)
	}
	p.noViolations()
}

// What the plan does not have is said, and does not make anything unwell.
func TestTheDoctorLetsPassWhatCanBeDoneWithout(t *testing.T) {
	p := settle(t, nil)
	command(t, "migrate").exits(t, 0)
	p.pd.Fail(pagerdutytest.Fault{Path: "/audit/records", Times: -1, Kind: pagerdutytest.Status(http.StatusPaymentRequired, `{"error":{"message":"Required abilities are unavailable","code":2014}}`)})
	const said = "This PagerDuty plan has no audit records: who made a change cannot be told."
	want := examined{Name: "pagerduty audit records", Optional: true, Detail: said}
	if got := exam(t, 0)[want.Name]; got != want {
		t.Errorf("the doctor says %+v, want %+v", got, want)
	}
	if o := command(t, "doctor").exits(t, 0); !regexp.MustCompile(`(?m)^without +` + want.Name + ` +` + said).MatchString(o.out) {
		t.Errorf("the doctor does not say what the plan lacks:\n%s", o.out)
	}
}

// Each thing that is wrong is one line that names it and says what to do, and
// nothing else is blamed for it.
func TestTheDoctorFindsWhatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		set    map[string]string
		breaks func(*place)
		says   map[string]string // what is not OK, and a part of what it says
	}{
		"no database": {set: map[string]string{"DATABASE": "nowhere/rolecall.db"}, says: map[string]string{"database": "its directory cannot be used"}},
		"a PagerDuty key that is worthless": {
			breaks: func(p *place) { p.pd.SetToken("another") }, says: map[string]string{"pagerduty": "ROLECALL_PAGERDUTY_TOKEN"},
		},
		"a key that may not read policies": {
			breaks: func(p *place) {
				p.pd.Fail(pagerdutytest.Fault{Method: http.MethodGet, Path: "/escalation_policies", Kind: pagerdutytest.Status(http.StatusForbidden, `{"error":{"message":"Access Denied","code":2010}}`)})
			},
			says: map[string]string{"pagerduty escalation policies": "does not let rolecall's key"},
		},
		"a From that is nobody":          {set: map[string]string{"PAGERDUTY_FROM": "ghost@acme.test"}, says: map[string]string{"pagerduty from": "set ROLECALL_PAGERDUTY_FROM"}},
		"a Slack token that was revoked": {set: map[string]string{"SLACK_BOT_TOKEN": "xoxb-revoked"}, says: map[string]string{"slack token": "ROLECALL_SLACK_BOT_TOKEN"}},
		"an app token that was revoked":  {set: map[string]string{"SLACK_APP_TOKEN": "xapp-revoked"}, says: map[string]string{"slack socket": "connections:write"}},
		"a private channel without the bot": {
			breaks: func(p *place) {
				p.slack.ChangeChannel(payments, func(c *slacktest.Channel) { c.Private, c.Members = true, []string{slackID("marco")} })
			},
			says: map[string]string{"channel C0PAYMENTS": "invite"},
		},
		"a channel that is archived": {
			breaks: func(p *place) { p.slack.ChangeChannel(payments, func(c *slacktest.Channel) { c.Archived = true }) },
			says:   map[string]string{"channel C0PAYMENTS": "archived"},
		},
		"an owner whom Slack does not know": {
			breaks: func(p *place) { p.slack.DeleteUser(slackID("omar")) }, says: map[string]string{"slack people": "omar@acme.test"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := settle(t, tt.set)
			if tt.set["DATABASE"] == "" {
				command(t, "migrate").exits(t, 0)
			}
			if tt.breaks != nil {
				tt.breaks(p)
			}
			for name, e := range exam(t, exitUnwell) {
				want, fails := tt.says[name]
				if e.OK == fails || !strings.Contains(e.Detail, want) {
					t.Errorf("%s: %+v, want it to fail: %t, saying %q", name, e, fails, want)
				}
				delete(tt.says, name)
			}
			if len(tt.says) > 0 {
				t.Errorf("nothing is said of %v", tt.says)
			}
			p.pd.Heal()
		})
	}
}
