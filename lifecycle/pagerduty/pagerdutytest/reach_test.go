package pagerdutytest_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// made makes a POST that must succeed and returns the id of what it made.
func made(t *testing.T, a *pagerdutytest.Account, target, body string) string {
	t.Helper()
	w := ask(t, a, "POST", target, body)
	var outer map[string]struct{ ID string }
	if err := json.Unmarshal(w.Body.Bytes(), &outer); err != nil || w.Code != 201 {
		t.Fatalf("POST %s answers %d %s (%v), want 201", target, w.Code, w.Body, err)
	}
	for _, v := range outer {
		return v.ID
	}
	t.Fatalf("POST %s answers %s, want what was made", target, w.Body)
	return ""
}

func phone(address string) string {
	return `{"contact_method":{"type":"phone_contact_method","label":"Work","country_code":44,"address":"` + address + `"}}`
}

func rule(method, typ, urgency string, delay string) string {
	return `{"notification_rule":{"type":"assignment_notification_rule","start_delay_in_minutes":` + delay + `,"urgency":"` + urgency +
		`","contact_method":{"id":"` + method + `","type":"` + typ + `"}}}`
}

func TestANewUserIsReachedByMail(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	id := invite(t, a, w)
	methods, rules := a.ContactMethods(id), a.NotificationRules(id)
	want := []pagerdutytest.ContactMethod{{ID: methods[0].ID, Type: "email_contact_method", Label: "Default", Address: "cy@example.com"}}
	if diff := cmp.Diff(want, methods); diff != "" {
		t.Errorf("contact methods (-want +got):\n%s", diff)
	}
	if len(rules) != 1 || rules[0].ContactMethodID != methods[0].ID {
		t.Errorf("rules are %+v, want one that uses the mail", rules)
	}
}

// invite creates Cy by the API.
func invite(t *testing.T, a *pagerdutytest.Account, w small) string {
	t.Helper()
	got := ask(t, a, "POST", "/users", user(`"name":"Cy Cedar","email":"cy@example.com","role":"limited_user"`), "From", w.owner.Email)
	if got.Code != 201 {
		t.Fatalf("create answers %d %s", got.Code, got.Body)
	}
	cy, _ := a.UserByEmail("cy@example.com")
	return cy.ID
}

func TestContactMethodsComeAndGoWithTheirRules(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	base := "/users/" + w.bo.ID
	m := made(t, a, base+"/contact_methods", phone("5550100"))
	r := made(t, a, base+"/notification_rules", rule(m, "phone_contact_method_reference", "high", "5"))
	if got := ask(t, a, "GET", base+"/notification_rules/"+r+"?include[]=contact_methods", "").Body.String(); !strings.Contains(got, `"address":"5550100"`) {
		t.Errorf("the rule is %s, want the whole method in it", got)
	}
	if n := len(a.ContactMethods(w.bo.ID)) + len(a.NotificationRules(w.bo.ID)); n != 4 {
		t.Errorf("%d methods and rules, want two of each", n)
	}
	if got := ask(t, a, "DELETE", base+"/contact_methods/"+m, "").Code; got != 204 {
		t.Errorf("deleting the method answers %d, want 204", got)
	}
	for _, gone := range []string{"/contact_methods/" + m, "/notification_rules/" + r} {
		if got := said(t, ask(t, a, "GET", base+gone, "")); got != (answer{404, 2100, "Not Found"}) {
			t.Errorf("GET %s answers %+v, want 404", gone, got)
		}
	}
}

func TestReachesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cfg        pagerdutytest.Config
		path, body string
		want       answer
	}{
		"a phone without a country": {
			path: "/contact_methods", body: `{"contact_method":{"type":"phone_contact_method","label":"Work","address":"5550100"}}`,
			want: answer{400, 2001, "Country code must be between 1 and 1999"},
		},
		"a text message without a country": {
			path: "/contact_methods", body: `{"contact_method":{"type":"sms_contact_method","label":"Work","address":"5550100"}}`,
			want: answer{400, 2001, "Country code must be between 1 and 1999"},
		},
		"a phone twice": {
			path: "/contact_methods", body: phone("5550199"), want: answer{400, 2001, "User Contact method must be unique"},
		},
		"the mail they have in other case": {
			path: "/contact_methods", body: `{"contact_method":{"type":"email_contact_method","label":"Work","address":"BO@example.com"}}`,
			want: answer{400, 2001, "User Contact method must be unique"},
		},
		"push from anywhere but the device": {
			path: "/contact_methods", body: `{"contact_method":{"type":"push_notification_contact_method","label":"Phone","address":"x"}}`,
			want: answer{400, 2001, "Push notification contact methods can only be created from the device"},
		},
		"a method that is none": {path: "/contact_methods", body: `{}`, want: answer{400, 2001, "The contact_method object is missing"}},
		"a rule twice": {
			path: "/notification_rules", body: rule("{mail}", "email_contact_method", "high", "0"),
			want: answer{400, 2001, "Channel Start delay must be unique for a given contact method"},
		},
		"a rule for a method of somebody else": {
			path: "/notification_rules", body: rule("PNONE", "email_contact_method", "high", "0"),
			want: answer{400, 2001, "Contact method does not exist"},
		},
		"a rule for a method of another type": {
			path: "/notification_rules", body: rule("{mail}", "sms_contact_method", "high", "1"),
			want: answer{400, 2001, "Contact method does not exist"},
		},
		"low urgency on a plan without": {
			cfg:  pagerdutytest.Config{Abilities: []string{}},
			path: "/notification_rules", body: rule("{mail}", "email_contact_method", "low", "0"),
			want: answer{402, 2014, "The urgencies account ability is required to have a low urgency notification rule"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.cfg.Token = key
			a := pagerdutytest.New(tt.cfg)
			w := world(a)
			a.AddContactMethod(w.bo.ID, pagerdutytest.ContactMethod{Type: "phone_contact_method", Label: "P", Address: "5550199", CountryCode: 44})
			body := strings.ReplaceAll(tt.body, "{mail}", a.ContactMethods(w.bo.ID)[0].ID)
			if got := said(t, ask(t, a, "POST", "/users/"+w.bo.ID+tt.path, body)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if n := len(a.ContactMethods(w.bo.ID)) + len(a.NotificationRules(w.bo.ID)); n != 3 {
				t.Errorf("%d methods and rules, want the three there were", n)
			}
		})
	}
}

func TestAnInvitationIsOutstandingUntilItIsAccepted(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	id := invite(t, a, world(a))
	sent := func() bool {
		return into[struct {
			User struct {
				Sent bool `json:"invitation_sent"`
			}
		}](t, a, "/users/"+id).User.Sent
	}
	if !sent() {
		t.Error("no invitation is outstanding, want one")
	}
	if _, err := a.SignIn(id, "web"); err == nil {
		t.Error("who has not accepted signs in, want an error")
	}
	s, err := a.AcceptInvitation(id)
	if err != nil || s.Type != "web" || sent() {
		t.Errorf("session %+v, %v, outstanding %v; want a session and none outstanding", s, err, sent())
	}
	if _, err := a.AcceptInvitation(id); err == nil {
		t.Error("an invitation is accepted twice, want an error")
	}
	for _, step := range []func() error{
		func() error { _, err := a.AddPhone(id, 1, "5550100"); return err },
		func() error { _, err := a.InstallApp(id, "Pixel"); return err },
	} {
		if err := step(); err != nil {
			t.Errorf("by themselves: %v", err)
		}
	}
	if n, m := len(a.ContactMethods(id)), len(a.SignIns(id)); n != 3 || m != 2 {
		t.Errorf("%d contact methods and %d sign-ins, want mail, phone and app, and two", n, m)
	}
	if _, err := a.AddPhone(id, 1, "5550100"); err == nil {
		t.Error("the same phone is added twice, want an error")
	}
}

func TestSessionsAreFilteredAndPaged(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	for _, kind := range []string{"web", "mobile", "web", "integration"} {
		a.AddSession(w.ann.ID, kind)
	}
	ask(t, a, "DELETE", "/oauth_delegations?user_id="+w.ann.ID+"&type=mobile", "")
	for name, tt := range map[string]struct {
		query string
		want  []string
	}{
		"all":                  {"", []string{"web issued", "mobile revoked", "web issued", "integration issued"}},
		"of two kinds":         {"delegation_type=web,mobile", []string{"web issued", "mobile revoked", "web issued"}},
		"those that hold":      {"status=issued", []string{"web issued", "web issued", "integration issued"}},
		"of either status":     {"status=issued,revoked&delegation_type=mobile", []string{"mobile revoked"}},
		"none that is revoked": {"status=revoked&delegation_type=web", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for cursor := ""; ; {
				page := into[struct {
					All []struct {
						Kind   string `json:"delegation_type"`
						Status string
					} `json:"oauth_delegations"`
					More bool
					Next string `json:"next_cursor"`
				}](t, a, "/users/"+w.ann.ID+"/oauth_delegations?limit=1&"+tt.query+cursor)
				for _, s := range page.All {
					got = append(got, s.Kind+" "+s.Status)
				}
				if !page.More {
					break
				}
				cursor = "&cursor=" + url.QueryEscape(page.Next)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := ask(t, a, "GET", "/users/"+w.ann.ID+"/oauth_delegations?status=lost", "").Code; got != 400 {
		t.Errorf("a status that is none answers %d, want 400", got)
	}
}

func TestACalendarsAddressIsASecretThatCanBeChanged(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, UserTokens: map[string]string{"bos-key": "PBO", "olgas-key": "POLGA"}})
	a.AddUser(pagerdutytest.User{ID: "PBO", Name: "Bo Birch", Email: "bo@example.com"})
	a.AddUser(pagerdutytest.User{ID: "POLGA", Name: "Olga", Email: "olga@example.com", Role: pagerdutytest.Admin})
	feed := func() string {
		return into[struct {
			User struct {
				URL string `json:"http_cal_url"`
			}
		}](t, a, "/users/PBO?include[]=calendar_urls").User.URL
	}
	before := feed()
	if !strings.Contains(before, a.CalendarKey("PBO")) {
		t.Errorf("the address is %q, want the key %q in it", before, a.CalendarKey("PBO"))
	}
	w := ask(t, a, "POST", "/users/PBO/regenerate_private_url_key", "")
	if !strings.Contains(w.Body.String(), a.CalendarKey("PBO")) || feed() == before {
		t.Errorf("the answer is %s and the address %q, want a new key in both", w.Body, feed())
	}
	for name, tt := range map[string]struct {
		token, user string
		want        int
	}{
		"one's own":               {"bos-key", "PBO", 200},
		"somebody else's":         {"bos-key", "POLGA", 403},
		"an admin, for whomever":  {"olgas-key", "PBO", 200},
		"of somebody who is none": {"olgas-key", "PNONE", 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ask(t, a, "POST", "/users/"+tt.user+"/regenerate_private_url_key", "", "Authorization", "Token token="+tt.token)
			if w.Code != tt.want {
				t.Errorf("answers %d, want %d", w.Code, tt.want)
			}
		})
	}
	if got := ask(t, a, "GET", "/users?include[]=calendar_urls", "").Code; got != 400 {
		t.Errorf("the addresses of all answer %d, want 400", got)
	}
}
