package pagerdutytest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// allowances are the places where the document contradicts itself or what is known of PagerDuty.
func allowances() []allowance {
	const (
		expanded = "include[] puts the whole thing there; the document's schema knows only the reference"
		example  = "the document's own example has null"
		unlisted = "PagerDuty answers so by its own prose or as its users quote it; the document does not list the status"
	)
	return slices.Concat(peopleAllowances(), dutyAllowances(), []allowance{
		{"GET /users 200", "users/*/job_title", "a title that is not set comes as null, as the description does"},
		{"* /users* 20?", "user/job_title", "a title that is not set comes as null, as the description does"},
		{"* /users/{id} 200", "user/job_title", "a title that is not set comes as null, as the description does"},
		{"GET /users/me 200", "user/job_title", "a title that is not set comes as null, as the description does"},
		{"GET /users 200", "users/*/teams/*/type", expanded},
		{"GET /users 200", "users/*/contact_methods/*/type", expanded},
		{"GET /users 200", "users/*/notification_rules/*/type", expanded},
		{"GET /users/{id} 200", "user/teams/*/type", expanded},
		{"GET /users/{id} 200", "user/contact_methods/*/type", expanded},
		{"GET /users/me 200", "user/teams/*/type", expanded},
		{"GET /users/{id}/notification_rules 200", "notification_rules/*/contact_method/type", expanded},
		{"GET /teams/{id}/members 200", "members/*/user/type", expanded},
		{"GET /escalation_policies 200", "escalation_policies/*/teams/*/type", expanded},
		{"GET /oncalls 200", "oncalls/*/user/type", expanded},
		{"GET /oncalls 200", "oncalls/*/escalation_policy/type", expanded},
		{"GET /oncalls 200", "oncalls/*/schedule/*", expanded},
		{"GET /oncalls 200", "oncalls/*/schedule", "a direct target has no schedule: null, as go-pagerduty's users see it"},
		{"GET /oncalls 200", "oncalls/*/start", "a direct target is on call without a beginning"},
		{"GET /oncalls 200", "oncalls/*/end", "a direct target is on call without an end"},
		{"GET /schedules 200", "schedules/*/schedule_layers/*/end", "a layer without an end has null there"},
		{"GET /schedules/{id} 200", "schedule/schedule_layers/*/end", "a layer without an end has null there"},
		{"GET /licenses 200", "licenses/*/self", example},
		{"GET /licenses 200", "licenses/*/html_url", example},
		{"GET /license_allocations 200", "license_allocations/*/license/self", example},
		{"GET /license_allocations 200", "license_allocations/*/license/html_url", example},
		{"GET /users/{id}/license 200", "license/self", example},
		{"GET /users/{id}/license 200", "license/html_url", example},
		{"GET /users/{id}/oauth_delegations 200", "next_cursor", example + " on the last page"},
		{"PUT /users/{id} 200 request", "user", "only the fields that change need be sent, says PagerDuty's prose"},
		{"PUT /escalation_policies/{id} 200 request", "escalation_policy", "only the fields that change need be sent, says PagerDuty's prose"},
		{"DELETE /users/{id} 400", "", unlisted},
		{"GET /users/{id}/contact_methods 404", "", unlisted},
		{"GET /users/{id}/notification_rules 404", "", unlisted},
		{"PUT /escalation_policies/{id} 400", "", unlisted},
	})
}

const annsKey = "user-token-ann"

// An exchange is one call of the run and its answer.
type exchange struct {
	op              string // GET /users/{id}
	status          int
	request, answer []byte
}

// A recorder keeps every exchange of a handler.
type recorder struct {
	next      http.Handler
	exchanges []exchange
}

// call makes one call with the account key. It returns the status.
func (r *recorder) call(method, target, body string, header ...string) int {
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	req.Header.Set("Authorization", "Token token="+key)
	req.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.next.ServeHTTP(w, req)
	answer, _ := io.ReadAll(w.Body) // a buffer
	r.exchanges = append(r.exchanges, exchange{req.Pattern, w.Code, []byte(body), answer})
	return w.Code
}

// tour calls every operation of the fake, with what it accepts and with what it refuses.
func tour(r *recorder, w small) {
	from := []string{"From", w.owner.Email}
	for _, target := range []string{
		"/users?limit=2&total=true", "/users?include[]=contact_methods&include[]=notification_rules&include[]=teams", "/users?query=ann",
		"/users?limit=x", "/users?include[]=nothing", "/users?offset=9999&limit=100", "/users/me", "/users/" + w.ann.ID,
		"/users/" + w.ann.ID + "?include[]=contact_methods&include[]=teams&include[]=calendar_urls", "/users/PNOBODY",
		"/users/" + w.ann.ID + "/contact_methods", "/users/PNOBODY/contact_methods", "/users/PNOBODY/notification_rules", "/users/" + w.ann.ID + "/notification_rules",
		"/users/" + w.ann.ID + "/notification_rules?include[]=contact_methods", "/users/" + w.ann.ID + "/license", "/users/PNOBODY/license",
		"/users/" + w.ann.ID + "/oauth_delegations?limit=1", "/users/" + w.ann.ID + "/oauth_delegations", "/users/PNOBODY/oauth_delegations",
		"/teams", "/teams/" + w.team.ID, "/teams/" + w.team.ID + "?include[]=privileges", "/teams/PNOBODY",
		"/teams/" + w.team.ID + "/members", "/teams/" + w.team.ID + "/members?include[]=users", "/teams/PNOBODY/members",
		"/escalation_policies", "/escalation_policies?include[]=targets&include[]=teams", "/escalation_policies?user_ids[]=" + w.ann.ID,
		"/escalation_policies/" + w.policy.ID + "?include[]=escalation_rule_assignment_strategies", "/escalation_policies/PNOBODY",
		"/schedules", "/schedules?include[]=schedule_layers&include[]=final_schedule&include[]=overrides_subschedule",
		"/schedules/" + w.schedule.ID, "/schedules/" + w.schedule.ID + "?since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z",
		"/schedules/PNOBODY", "/oncalls", "/oncalls?include[]=users&include[]=escalation_policies&include[]=schedules&earliest=true", "/oncalls?since=yesterday",
		"/incidents", "/incidents?statuses[]=triggered&date_range=all&user_ids[]=" + w.ann.ID, "/incidents?statuses[]=lost",
		"/licenses", "/license_allocations", "/abilities",
	} {
		r.call("GET", target, "")
	}
	r.call("GET", "/users", "", "Authorization", "Token token=wrong")
	r.call("GET", "/users/me?include[]=teams", "", "Authorization", "Token token="+annsKey)
	tourWrites(r, w, from)
	for _, target := range []string{"/audit/records", "/audit/records?limit=1", "/audit/records?actions[]=lost", "/audit/records?cursor=lost"} {
		r.call("GET", target, "")
	}
}

func tourWrites(r *recorder, w small, from []string) {
	member := "/teams/" + w.team.ID + "/users/"
	r.call("POST", "/users", `{"user":{"type":"user","name":"Cy Cedar","email":"cy@example.com","role":"limited_user"}}`, from...)
	r.call("POST", "/users", `{"user":{"type":"user","name":"Di Dill","email":"di@example.com","role":"observer",
		"license":{"id":"PLICFULL","type":"license_reference"},"job_title":"Cook","time_zone":"America/Lima","description":"d"}}`, from...)
	r.call("POST", "/users", `{"user":{"type":"user","name":"Cy Cedar","email":"cy@example.com","role":"limited_user"}}`, from...)
	r.call("POST", "/users", `{"user":{"type":"user","name":"Ed Elm","email":"ed@example.com","role":"owner"}}`, from...)
	r.call("POST", "/users", `{}`)
	r.call("PUT", "/users/"+w.bo.ID, `{"user":{"type":"user","name":"Bo Birch","email":"bo@example.com","role":"observer"}}`)
	r.call("PUT", "/users/"+w.bo.ID, `{"user":{"name":""}}`)
	r.call("PUT", "/users/"+w.owner.ID, `{"user":{"role":"owner"}}`)
	r.call("PUT", "/users/PNOBODY", `{"user":{"role":"user"}}`)
	r.call("PUT", member+w.bo.ID, `{"role":"responder"}`)
	r.call("PUT", member+w.bo.ID, `{"role":"king"}`)
	r.call("PUT", member+"PNOBODY", `{"role":"responder"}`)
	r.call("DELETE", member+w.ann.ID, "")
	r.call("DELETE", member+w.bo.ID, "")
	r.call("PUT", "/escalation_policies/"+w.policy.ID, fmt.Sprintf(`{"escalation_policy":{"type":"escalation_policy","name":"Core",
		"escalation_rules":[{"escalation_delay_in_minutes":5,"escalation_rule_assignment_strategy":"round_robin",
		"targets":[{"id":%q,"type":"user_reference"},{"id":%q,"type":"schedule_reference"}]}]}}`, w.bo.ID, w.schedule.ID))
	r.call("PUT", "/escalation_policies/PNOBODY", `{"escalation_policy":{}}`)
	r.call("PUT", "/incidents", fmt.Sprintf(`{"incidents":[{"id":%q,"type":"incident_reference",
		"assignments":[{"assignee":{"id":%q,"type":"user_reference"}}]}]}`, w.incident.ID, w.bo.ID), from...)
	r.call("PUT", "/incidents", `{"incidents":[]}`)
	r.call("POST", "/users/"+w.ann.ID+"/regenerate_private_url_key", "")
	r.call("POST", "/users/PNOBODY/regenerate_private_url_key", "")
	r.call("DELETE", "/oauth_delegations?user_id="+w.ann.ID+"&type="+url.QueryEscape("web,mobile"), "")
	r.call("DELETE", "/oauth_delegations?user_id="+w.ann.ID+"&type=integration", "")
	r.call("DELETE", "/users/PNOBODY", "")
	r.call("DELETE", "/users/"+w.owner.ID, "")
	r.call("DELETE", "/users/"+w.bo.ID, "")
	r.call("PUT", "/users/"+w.ann.ID, `{"user":{"role":"limited_user"}}`)
	r.call("PUT", "/escalation_policies/"+w.policy.ID, `{"escalation_policy":{"name":"Renamed"}}`)
	r.call("PUT", "/escalation_policies/"+w.policy.ID, `{"escalation_policy":{"escalation_rules":[]}}`)
	r.call("POST", "/users", `{"user":{"type":"user","name":"Fay Fir","email":"fay@example.com","role":"read_only_user"}}`, from...)
}

// poorTour calls an account on a plan with nothing, with a token of no scope, until the limit is hit.
func poorTour(t *testing.T) []exchange {
	t.Helper()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, OAuth: app(), Abilities: []string{}, RateLimit: 8})
	w := world(a)
	_, g := askToken(t, a, form("scope", "as_account-us.acme"))
	r := &recorder{next: a.Handler()}
	from := []string{"From", w.owner.Email}
	r.call("GET", "/users", "", "Authorization", "Bearer "+g.Token)
	r.call("DELETE", "/users/"+w.bo.ID, "", "Authorization", "Bearer "+g.Token)
	r.call("GET", "/teams", "")
	r.call("GET", "/teams/"+w.team.ID, "")
	r.call("PUT", "/teams/"+w.team.ID+"/users/"+w.bo.ID, `{"role":"observer"}`)
	r.call("DELETE", "/teams/"+w.team.ID+"/users/"+w.bo.ID, "")
	r.call("POST", "/users", `{"user":{"type":"user","name":"Gus Gum","email":"gus@example.com","role":"observer"}}`, from...)
	r.call("PUT", "/users/"+w.bo.ID, `{"user":{"role":"read_only_user"}}`)
	r.call("GET", "/audit/records", "")
	r.call("PUT", "/escalation_policies/"+w.policy.ID, `{"escalation_policy":{"teams":[{"id":"P","type":"team_reference"}]}}`)
	r.call("GET", "/users", "")
	if last := r.exchanges[len(r.exchanges)-1]; last.status != 429 {
		t.Errorf("the last call answers %d, want 429", last.status)
	}
	return r.exchanges
}

// Every answer of a run over all operations, and every body that was accepted, is as PagerDuty's document says.
func TestTheFakeKeepsToTheDocument(t *testing.T) {
	t.Parallel()
	d := openDocument(t)
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, UserTokens: map[string]string{annsKey: "PANN"}})
	w := world(a)
	for _, kind := range []string{"web", "mobile"} {
		a.AddSession(w.ann.ID, kind)
	}
	for _, kind := range []string{"phone_contact_method", "sms_contact_method", "push_notification_contact_method"} {
		a.AddContactMethod(w.ann.ID, pagerdutytest.ContactMethod{Type: kind, Label: "Mobile", Address: "5550100", CountryCode: 1})
	}
	r := &recorder{next: a.Handler()}
	peopleTour(t, r, a, w)
	tour(r, w)
	fay, _ := a.UserByEmail("fay@example.com")
	r.call("DELETE", "/users/"+fay.ID, "")
	r.exchanges = slices.Concat(r.exchanges, poorTour(t), dutyTour())

	served := map[string]bool{}
	used := map[allowance]bool{}
	for _, x := range r.exchanges {
		if x.status < 300 {
			served[x.op] = true
		}
		for _, dev := range d.hold(t, x) {
			i := slices.IndexFunc(allowances(), func(a allowance) bool { return a.covers(dev) })
			if i < 0 {
				t.Errorf("%v\n\t%s", dev, bytes.TrimSpace(x.answer))
				continue
			}
			used[allowances()[i]] = true
		}
	}
	for _, al := range allowances() {
		if !used[al] {
			t.Errorf("nothing deviates at %s %s any more: take the allowance out", al.exchange, al.place)
		}
	}
	for _, op := range pagerdutytest.Operations() {
		if name := op.Method + " " + op.Path; !served[name] {
			t.Errorf("the run never saw %s succeed", name)
		}
	}
}

// hold holds one exchange to the document.
func (d *document) hold(t *testing.T, x exchange) []deviation {
	t.Helper()
	method, where, _ := strings.Cut(x.op, " ")
	op := []string{"paths", where, strings.ToLower(method)}
	name := fmt.Sprintf("%s %d", x.op, x.status)
	var out []deviation
	if s := d.schema(t, slices.Concat(op, []string{"requestBody", "content", "application/json", "schema"})...); s != nil && x.status < 300 {
		out = append(out, check(name+" request", s, x.request)...)
	}
	answer := slices.Concat(op, []string{"responses", fmt.Sprint(x.status)})
	if v, _ := d.at(answer...); v == nil {
		return append(out, deviation{name, "", "the document does not list this status"})
	}
	s := d.schema(t, slices.Concat(answer, []string{"content", "application/json", "schema"})...)
	switch {
	case s != nil:
		out = append(out, check(name, s, x.answer)...)
	case len(x.answer) > 0:
		out = append(out, deviation{name, "", "the document lists no body for this status"})
	}
	return out
}

// What a token must hold and which parameters do something are as the document says.
func TestTheRoutesAreTheDocuments(t *testing.T) {
	t.Parallel()
	d := openDocument(t)
	for _, op := range pagerdutytest.Operations() {
		v, _ := d.at("paths", op.Path, strings.ToLower(op.Method))
		doc, is := v.(map[string]any)
		if !is {
			t.Errorf("%s %s is not in the document", op.Method, op.Path)
			continue
		}
		if scope, _ := doc["x-pd-requires-scope"].(string); scope != op.Scope {
			t.Errorf("%s %s asks for scope %q, the document for %q", op.Method, op.Path, op.Scope, scope)
		}
		got, want := slices.Sorted(slices.Values(op.Params)), d.queryOf(op)
		if !slices.Equal(got, want) {
			t.Errorf("%s %s knows the parameters %v, the document %v", op.Method, op.Path, got, want)
		}
	}
}

// queryOf returns the names of an operation's query parameters, sorted.
func (d *document) queryOf(op pagerdutytest.Operation) []string {
	var names []string
	for _, place := range [][]string{{"paths", op.Path}, {"paths", op.Path, strings.ToLower(op.Method)}} {
		v, _ := d.at(append(place, "parameters")...)
		all, _ := v.([]any)
		for _, p := range all {
			if ref, is := refOf(p); is {
				p, _ = d.at(ref...)
			}
			if m, _ := p.(map[string]any); m["in"] == "query" {
				names = append(names, m["name"].(string))
			}
		}
	}
	slices.Sort(names)
	return names
}
