package pagerdutytest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// answer is what an error body says.
type answer struct {
	Status int
	Code   int
	Text   string // the first of errors, else the message
}

// ask makes one call without a network. It returns the status and the body.
func ask(t *testing.T, a *pagerdutytest.Account, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := &recorder{next: a.Handler()}
	status := r.call(method, target, body, header...)
	w := httptest.NewRecorder()
	w.Code, w.Body = status, bytes.NewBuffer(r.exchanges[0].answer)
	return w
}

func said(t *testing.T, w *httptest.ResponseRecorder) answer {
	t.Helper()
	if w.Code < 300 {
		return answer{Status: w.Code}
	}
	var body struct {
		Error struct {
			Message string
			Code    int
			Errors  []string
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("answer %d is %q: %v", w.Code, w.Body, err)
	}
	text := body.Error.Message
	if len(body.Error.Errors) > 0 {
		text = body.Error.Errors[0]
	}
	return answer{w.Code, body.Error.Code, text}
}

const (
	needFrom = `You must specify a user's email address in the "From" header to perform this action`
	onPolicy = "User cannot be removed as they belong to an escalation policy on this team"
)

func user(fields string) string { return `{"user":{"type":"user",` + fields + `}}` }

func TestRefusals(t *testing.T) {
	t.Parallel()
	olga := []string{"From", "olga@example.com"}
	cy := user(`"name":"Cy","email":"cy@example.com","role":"limited_user"`)
	const teamless = "The teams account ability is required to access teams"
	for name, tt := range map[string]struct {
		cfg          pagerdutytest.Config
		seats        map[string]int
		method, path string // {ann} {bo} {olga} {team} {policy} {incident} stand for ids
		body         string
		header       []string
		want         answer
	}{
		"a wrong key": {
			method: "GET", path: "/users", header: []string{"Authorization", "Token token=no"},
			want: answer{401, 2006, "Authentication failed"},
		},
		"no JSON wanted": {
			method: "GET", path: "/users", header: []string{"Accept", "text/html"},
			want: answer{406, 2001, "Not Acceptable"},
		},
		"a form instead of JSON": {
			method: "POST", path: "/users", body: "a=b", header: []string{"Content-Type", "application/x-www-form-urlencoded"},
			want: answer{415, 2001, "Unsupported Media Type"},
		},
		"a user who is not there": {method: "GET", path: "/users/PNOBODY", want: answer{404, 2100, "Not Found"}},
		"paging too far": {
			method: "GET", path: "/users?offset=9990&limit=100",
			want: answer{400, 2001, "Offset must be less than 9901"},
		},
		"paging as far as it goes": {method: "GET", path: "/users?offset=9900&limit=100", want: answer{Status: 200}},
		"an include that is none": {
			method: "GET", path: "/users?include[]=roles",
			want: answer{400, 2001, `include[] "roles" is not one of [contact_methods notification_rules teams subdomains]`},
		},
		"create without From": {method: "POST", path: "/users", body: cy, want: answer{400, 2001, needFrom}},
		"create with a stranger's From": {
			method: "POST", path: "/users", body: cy, header: []string{"From", "x@example.com"},
			want: answer{400, 1008, "Requester User Not Found"},
		},
		"create without From where that is let pass": {
			cfg: pagerdutytest.Config{LenientFrom: true}, method: "POST", path: "/users",
			body: cy, want: answer{Status: 201},
		},
		"create without a name": {
			method: "POST", path: "/users", body: user(`"email":"cy@example.com","role":"user"`), header: olga,
			want: answer{400, 2001, "Name, email and type can't be blank"},
		},
		"create with a long name": {
			method: "POST", path: "/users", header: olga,
			body: user(`"email":"cy@example.com","role":"user","name":"` + strings.Repeat("é", 101) + `"`),
			want: answer{400, 2001, "Name is too long (maximum is 100 characters)"},
		},
		"create with an address taken in other case": {
			method: "POST", path: "/users", header: olga,
			body: user(`"name":"Ann","email":"ANN@example.com","role":"user"`), want: answer{400, 2001, "Email has already been taken"},
		},
		"create with a role that is none": {
			method: "POST", path: "/users", header: olga,
			body: user(`"name":"Cy","email":"cy@example.com","role":"team_responder"`), want: answer{400, 2001, "Role is not included in the list"},
		},
		"create an owner": {
			method: "POST", path: "/users", header: olga, body: user(`"name":"Cy","email":"cy@example.com","role":"owner"`),
			want: answer{403, 2010, "The account owner can only be changed by the account owner in the web app"},
		},
		"create without a seat": {
			seats: map[string]int{"FullUser": 3}, method: "POST", path: "/users", header: olga, body: cy,
			want: answer{400, 2001, "License error: License is not available"},
		},
		"create a stakeholder where the plan has none": {
			cfg: pagerdutytest.Config{Abilities: []string{"teams"}}, method: "POST", path: "/users",
			header: olga, body: user(`"name":"Cy","email":"cy@example.com","role":"read_only_user"`),
			want: answer{402, 2014, "The read_only_users account ability is required to use this role"},
		},
		"empty a name": {
			method: "PUT", path: "/users/{bo}", body: `{"user":{"name":"","role":"observer"}}`,
			want: answer{400, 2001, "Name can't be blank"},
		},
		"change the owner's role": {
			method: "PUT", path: "/users/{olga}", body: `{"user":{"role":"owner"}}`,
			want: answer{403, 2010, "The account owner can only be changed by the account owner"},
		},
		"make someone the owner": {
			method: "PUT", path: "/users/{bo}", body: `{"user":{"role":"owner"}}`,
			want: answer{403, 2010, "The account owner can only be changed by the account owner in the web app"},
		},
		"take the last stakeholder seat": {
			seats: map[string]int{"Stakeholder": 0}, method: "PUT", path: "/users/{bo}",
			body: `{"user":{"role":"read_only_user"}}`, want: answer{400, 2001, "License error: License is not available"},
		},
		"send the old licence with a role of another group": {
			method: "PUT", path: "/users/{bo}",
			body: `{"user":{"role":"read_only_user","license":{"id":"PLICFULL","type":"license_reference"}}}`,
			want: answer{400, 2001, "License error: License is not available"},
		},
		"a role of another group without a licence": {
			method: "PUT", path: "/users/{bo}", body: `{"user":{"role":"read_only_user"}}`,
			want: answer{Status: 200},
		},
		"demote one on call where that is refused": {
			cfg: pagerdutytest.Config{StrictDowngrade: true}, method: "PUT", path: "/users/{bo}",
			body: `{"user":{"role":"read_only_user"}}`, want: answer{400, 2001, "Stakeholders cannot be added to schedules"},
		},
		"delete the owner": {method: "DELETE", path: "/users/{olga}", want: answer{403, 2010, "The account owner cannot be deleted"}},
		"delete one with an incident": {
			method: "DELETE", path: "/users/{ann}",
			want: answer{400, 2001, "User cannot be deleted as they have incidents assigned to them"},
		},
		"delete one on a schedule": {
			method: "DELETE", path: "/users/{bo}",
			want: answer{400, 2001, "User cannot be deleted as they are on a schedule"},
		},
		"offboarding lets schedules go": {cfg: offboarding(false), method: "DELETE", path: "/users/{bo}", want: answer{Status: 204}},
		"offboarding still minds incidents": {
			cfg: offboarding(false), method: "DELETE", path: "/users/{ann}",
			want: answer{400, 2001, "User cannot be deleted as they have incidents assigned to them"},
		},
		"offboarding that restarts incidents": {cfg: offboarding(true), method: "DELETE", path: "/users/{ann}", want: answer{Status: 204}},
		"teams on a plan without": {
			cfg: pagerdutytest.Config{Abilities: []string{}}, method: "GET", path: "/teams",
			want: answer{402, 2014, teamless},
		},
		"a team role that is none": {
			method: "PUT", path: "/teams/{team}/users/{bo}", body: `{"role":"admin"}`,
			want: answer{400, 2001, "Role must be one of manager, responder, observer"},
		},
		"a team role for the owner": {
			method: "PUT", path: "/teams/{team}/users/{olga}", body: `{"role":"observer"}`,
			want: answer{400, 2001, "The team role of this user is fixed by their base role"},
		},
		"off a team whose policy calls them": {method: "DELETE", path: "/teams/{team}/users/{ann}", want: answer{400, 2001, onPolicy}},
		"off a team they are not on":         {method: "DELETE", path: "/teams/{team}/users/{bo}", want: answer{404, 2100, "Not Found"}},
		"a policy without rules": {
			method: "PUT", path: "/escalation_policies/{policy}", body: `{"escalation_policy":{"escalation_rules":[]}}`,
			want: answer{400, 2001, "Cannot Delete Only Rule"},
		},
		"strategies on a plan without": {
			cfg: pagerdutytest.Config{NoRoundRobin: true}, method: "GET",
			path: "/escalation_policies?include[]=escalation_rule_assignment_strategies",
			want: answer{403, 2010, "Escalation rule assignment strategies are not included in the plan"},
		},
		"incidents without From": {method: "PUT", path: "/incidents", body: `{"incidents":[]}`, want: answer{400, 2001, needFrom}},
		"too many incidents": {
			method: "PUT", path: "/incidents", header: olga,
			body: `{"incidents":[` + strings.Repeat(`{"id":"P"},`, 250) + `{"id":"P"}]}`, want: answer{413, 2001, "Request Entity Too Large"},
		},
		"end integrations": {
			method: "DELETE", path: "/oauth_delegations?user_id={ann}&type=integration",
			want: answer{400, 2001, "type \"integration\" is not one of [mobile web]"},
		},
		"the audit trail on a plan without": {
			cfg: pagerdutytest.Config{Abilities: []string{"teams"}}, method: "GET", path: "/audit/records",
			want: answer{402, 2014, "The audit trail is not included in the plan"},
		},
		"the audit trail of too long a time": {
			method: "GET", path: "/audit/records?since=2026-01-01T00:00:00Z&until=2026-02-02T00:00:00Z",
			want: answer{400, 2001, "The date range must not be longer than 31 days"},
		},
		"me with an account key": {
			method: "GET", path: "/users/me",
			want: answer{400, 2001, "Must be authenticated with a user-level API key to look up the current user"},
		},
		"writing with a key for reading": {
			cfg: pagerdutytest.Config{ReadOnlyToken: "read-key"}, method: "DELETE", path: "/users/{bo}",
			header: []string{"Authorization", "Token token=read-key"}, want: answer{403, 2010, "Access Denied"},
		},
		"a body that is cut off": {
			method: "PUT", path: "/users/{bo}", body: `{"user":{"na`,
			want: answer{400, 2001, "The request body is not the JSON that was expected: unexpected EOF"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.cfg.Token = key
			a := pagerdutytest.New(tt.cfg)
			w := world(a)
			for group, n := range tt.seats {
				a.SetSeats(group, n)
			}
			path := strings.NewReplacer("{ann}", w.ann.ID, "{bo}", w.bo.ID, "{olga}", w.owner.ID, "{team}", w.team.ID,
				"{policy}", w.policy.ID, "{incident}", w.incident.ID).Replace(tt.path)
			before := a.Version()
			got := said(t, ask(t, a, tt.method, path, tt.body, tt.header...))
			if got != tt.want {
				t.Errorf("%s %s answers %+v, want %+v", tt.method, path, got, tt.want)
			}
			if got.Status >= 300 && a.Version() != before {
				t.Errorf("%s %s was refused and changed something", tt.method, path)
			}
		})
	}
}

func offboarding(restart bool) pagerdutytest.Config {
	return pagerdutytest.Config{Offboarding: pagerdutytest.Offboarding{Enabled: true, RestartIncidents: restart}}
}

func TestUnknownPathsAreText(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := ask(t, a, http.MethodGet, "/v3/nothing", "")
	if w.Code != 404 || strings.HasPrefix(w.Body.String(), "{") {
		t.Errorf("an unknown path answers %d %q, want 404 in text", w.Code, w.Body)
	}
}

// What PagerDuty lets pass, and a careful client does not do.
func TestViolations(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ method, path, body, want string }{
		"a team role left out": {
			"PUT", "/teams/{team}/users/{bo}", `{}`,
			"the team role is left out: PagerDuty chooses responder for base role limited_user",
		},
		"a misspelt filter": {"GET", "/audit/records?root_resources_types[]=users", "", `query parameter "root_resources_types[]" does nothing here`},
		"a page too large":  {"GET", "/users?limit=500", "", "limit 500 is over 100 and was cut"},
		"a licence with a role": {
			"PUT", "/users/{bo}", `{"user":{"role":"observer","license":{"id":"PLICFULL"}}}`,
			"a license is sent with a role: PagerDuty finds the right one when it is left out",
		},
		"a wrong path": {"GET", "/user", "", "no such operation"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{Token: key})
			w := world(a)
			path := strings.NewReplacer("{bo}", w.bo.ID, "{team}", w.team.ID).Replace(tt.path)
			ask(t, a, tt.method, path, tt.body)
			got := a.Violations()
			if len(got) != 1 || got[0].Rule != tt.want {
				t.Errorf("violations are %v, want %q", got, tt.want)
			}
		})
	}
}

// The role that PagerDuty chooses when a client names none is that of its own import script's table.
func TestTeamRoleLeftOut(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"owner": "manager", "admin": "manager", "user": "manager", "limited_user": "responder", "observer": "observer",
		"restricted_access": "observer", "read_only_user": "", "read_only_limited_user": "",
	} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{Token: key})
			u := a.AddUser(pagerdutytest.User{Name: "Ann", Email: "ann@example.com", Role: base})
			team := a.AddTeam(pagerdutytest.Team{Name: "Core"})
			w := ask(t, a, "PUT", fmt.Sprintf("/teams/%s/users/%s", team.ID, u.ID), `{}`)
			if got := a.TeamRole(team.ID, u.ID); got != want {
				t.Errorf("base role %s gets team role %q (status %d), want %q", base, got, w.Code, want)
			}
		})
	}
}

func TestAPutChangesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	was := a.AddUser(pagerdutytest.User{Name: "Ann", Email: "ann@example.com", JobTitle: "Cook", Description: "Cooks", TimeZone: "America/Lima"})
	ask(t, a, "PUT", "/users/"+was.ID, `{"user":{"role":"observer","avatar_url":"x","teams":[]}}`)
	want := was
	want.Role = "observer"
	if got, _ := a.User(was.ID); got != want {
		t.Errorf("user is\n%+v, want\n%+v", got, want)
	}
}
