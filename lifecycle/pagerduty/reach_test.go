package pagerduty_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

const (
	accept  = "You have not accepted PagerDuty's invitation yet: follow the link in its e-mail, or ask for another one."
	noPhone = "You have no phone number, so you cannot be called: add one under My Profile → Contact Information, or install the PagerDuty app and sign in."
	noRule  = "No notification rule of yours for high urgency uses a phone call, an SMS or the app: add one under My Profile → Notification Rules."
	turnOn  = "PagerDuty sends nothing to “Mobile”, so you cannot be called: turn it on or add another under My Profile → Contact Information."
)

func TestReach(t *testing.T) {
	t.Parallel()
	const (
		phone = `{"id":"PPHONE","type":"phone_contact_method","label":"Mobile","country_code":44,"address":"5550100","enabled":true,"blacklisted":false}`
		calls = `{"id":"PRULE","type":"assignment_notification_rule","start_delay_in_minutes":0,"urgency":"high","contact_method":{"id":"PPHONE","type":"phone_contact_method_reference"}}`
	)
	user := func(methods, rules string) string {
		return `{"user":{"id":"PANN","invitation_sent":false,"contact_methods":[` + methods + `],"notification_rules":[` + rules + `]}}`
	}
	off := func(attribute string) string {
		return `{"id":"PPHONE","type":"phone_contact_method","label":"Mobile",` + attribute + `}`
	}
	for name, tt := range map[string]struct {
		body string
		want lifecycle.Reach
	}{
		"a phone and a rule": {user(phone, calls), lifecycle.Reach{Phone: true, Rules: true}},
		"an SMS": {
			user(`{"id":"PPHONE","type":"sms_contact_method","label":"Mobile"}`, calls), lifecycle.Reach{Phone: true, Rules: true},
		},
		"the app": {
			user(`{"id":"PPHONE","type":"push_notification_contact_method","label":"Pixel"}`, calls), lifecycle.Reach{Push: true, Rules: true},
		},
		"an e-mail": {
			user(`{"id":"PPHONE","type":"email_contact_method","label":"Default","enabled":true}`, calls), lifecycle.Reach{Missing: []string{noPhone, noRule}},
		},
		"nothing":                  {user("", ""), lifecycle.Reach{Missing: []string{noPhone, noRule}}},
		"a phone without a rule":   {user(phone, ""), lifecycle.Reach{Phone: true, Missing: []string{noRule}}},
		"a rule for low urgency":   {user(phone, `{"urgency":"low","contact_method":{"id":"PPHONE"}}`), lifecycle.Reach{Phone: true, Missing: []string{noRule}}},
		"a rule for another":       {user(phone, `{"urgency":"high","contact_method":{"id":"PMAIL"}}`), lifecycle.Reach{Phone: true, Missing: []string{noRule}}},
		"a phone that is off":      {user(off(`"enabled":false`), calls), lifecycle.Reach{Missing: []string{turnOn, noRule}}},
		"a phone that is blocked":  {user(off(`"enabled":true,"blacklisted":true`), calls), lifecycle.Reach{Missing: []string{turnOn, noRule}}},
		"one is off, the other on": {user(off(`"enabled":false`)+","+`{"id":"PSMS","type":"sms_contact_method"}`, ""), lifecycle.Reach{Phone: true, Missing: []string{noRule}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			answers(a, "/users/PANN", tt.body)
			got, err := c.Reach(t.Context(), "PANN")
			if tt.want.Missing == nil {
				tt.want.Missing = []string{}
			}
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// A joiner goes from an invitation to being called, and each look says what is left.
func TestReachOfAJoiner(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	bo := w.bo.ID
	look := func() lifecycle.Reach {
		t.Helper()
		a.Forget()
		got, err := c.Reach(t.Context(), lifecycle.AccountID(bo))
		if err != nil || a.Calls()["GET /users/{id}"] != 1 || len(a.Calls()) != 1 {
			t.Fatalf("reach: %v after %v, want one call", err, a.Calls())
		}
		return got
	}
	got := []lifecycle.Reach{look()}
	_, err := a.AcceptInvitation(bo)
	behind(t, err)
	got = append(got, look())
	m, err := a.AddPhone(bo, 44, "5550100")
	behind(t, err)
	got = append(got, look())
	_, err = a.InstallApp(bo, "Pixel")
	behind(t, err, a.RemoveContactMethod(bo, m.ID))
	got = append(got, look())
	want := []lifecycle.Reach{
		{Invited: true, Missing: []string{accept, noPhone, noRule}},
		{Missing: []string{noPhone, noRule}},
		{Phone: true, Missing: []string{noRule}},
		{Push: true, Missing: []string{noRule}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReachThatCannotBeTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		id    lifecycle.AccountID
		body  string
		gone  bool
		fault bool
	}{
		"nobody":                    {id: "PNONE", gone: true},
		"what is no id":             {id: "../abilities", gone: true},
		"somebody else's answer":    {id: "PANN", body: `{"user":{"id":"PBO"}}`, fault: true},
		"no answer":                 {id: "PANN", body: `{}`, fault: true},
		"rules that are not shown":  {id: "PANN", body: `{"user":{"id":"PANN","notification_rules":[{"id":"P1","type":"assignment_notification_rule_reference"}]}}`, fault: true},
		"an answer of another kind": {id: "PANN", body: `[]`, fault: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			if tt.body != "" {
				answers(a, "/users/PANN", tt.body)
			}
			_, err := c.Reach(t.Context(), tt.id)
			if err == nil || errors.Is(err, lifecycle.ErrNotFound) != tt.gone || tt.fault && lifecycle.ReasonOf(err) != "" {
				t.Errorf("reach of %s: %v", tt.id, err)
			}
		})
	}
}
