package pagerdutytest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

type userPage struct {
	Users []struct{ Name string }
}

func TestWhichUsersAListingHas(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	a.AddUser(pagerdutytest.User{Name: "Joann Fir", Email: "joann@example.com"})
	other := a.AddTeam(pagerdutytest.Team{Name: "Other"})
	a.AddMember(other.ID, w.bo.ID, pagerdutytest.TeamObserver)
	for name, tt := range map[string]struct {
		query string
		want  []string
	}{
		"an address is found inside another":     {"query=ann%40example.com", []string{"Ann Ash", "Joann Fir"}},
		"names match by part and without case":   {"query=BIR", []string{"Bo Birch"}},
		"every word must be found":               {"query=ann+ash", []string{"Ann Ash"}},
		"teams are alternatives":                 {"team_ids[]=" + w.team.ID + "&team_ids[]=" + other.ID, []string{"Ann Ash", "Bo Birch"}},
		"teams and query are both to be met":     {"query=bo&team_ids[]=" + w.team.ID, nil},
		"the second page goes on from the first": {"limit=2&offset=2", []string{"Joann Fir", "Olga Owner"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, u := range into[userPage](t, a, "/users?"+tt.query).Users {
				got = append(got, u.Name)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPoliciesThatAreRefused(t *testing.T) {
	t.Parallel()
	rule := func(delay int, targets ...string) string {
		return fmt.Sprintf(`{"escalation_policy":{"escalation_rules":[{"escalation_delay_in_minutes":%d,"targets":[%s]}]}}`,
			delay, strings.Join(targets, ","))
	}
	const bo = `{"id":"PBO","type":"user_reference"}`
	for name, tt := range map[string]struct {
		abilities []string
		body      string
		want      answer
	}{
		"without a name":  {body: `{"escalation_policy":{"name":" "}}`, want: answer{400, 2001, "Name can't be blank"}},
		"on two teams":    {body: `{"escalation_policy":{"teams":[{"id":"PT"},{"id":"PT"}]}}`, want: answer{400, 2001, "Escalation policies can be associated with a maximum of 1 team"}},
		"on no such team": {body: `{"escalation_policy":{"teams":[{"id":"PNONE"}]}}`, want: answer{404, 2100, "Not Found"}},
		"on a team where the plan has none": {
			abilities: []string{"sso"}, body: `{"escalation_policy":{"teams":[{"id":"PT"}]}}`,
			want: answer{402, 2014, "The teams account ability is required to assign to a team"},
		},
		"calling nobody":           {body: rule(5), want: answer{400, 2001, "Escalation rule must have between 1 and 10 targets"}},
		"calling eleven":           {body: rule(5, strings.Split(strings.Repeat(bo+";", 10)+bo, ";")...), want: answer{400, 2001, "Escalation rule must have between 1 and 10 targets"}},
		"calling who is not there": {body: rule(5, `{"id":"PNONE","type":"user_reference"}`), want: answer{400, 2001, "Escalation target PNONE does not exist"}},
		"without a delay":          {body: rule(0, bo), want: answer{400, 2001, "Escalation delay in minutes must be at least 1"}},
		"without the object":       {body: `{}`, want: answer{400, 2001, "The escalation_policy object is missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{Token: key, Abilities: tt.abilities})
			a.AddUser(pagerdutytest.User{ID: "PBO", Name: "Bo", Email: "bo@example.com"})
			a.AddTeam(pagerdutytest.Team{ID: "PT", Name: "Core"})
			p := a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "P", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget("PBO")}}}})
			if got := said(t, ask(t, a, "PUT", "/escalation_policies/"+p.ID, tt.body)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if diff := cmp.Diff([]pagerdutytest.EscalationPolicy{p}, a.EscalationPolicies()); diff != "" {
				t.Errorf("the refused policy changed (-was +is):\n%s", diff)
			}
		})
	}
}

// A rule keeps its id when it is sent with it, and not what is left out; a client that leaves round robin out is noted.
func TestRoundRobinLeftOutIsLostAndNoted(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	u := a.AddUser(pagerdutytest.User{Name: "Bo", Email: "bo@example.com"})
	p := a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "P", Rules: []pagerdutytest.Rule{
		{Strategy: "round_robin", Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(u.ID)}},
	}})
	ask(t, a, "PUT", "/escalation_policies/"+p.ID, fmt.Sprintf(`{"escalation_policy":{"escalation_rules":[
		{"id":%q,"escalation_delay_in_minutes":9,"targets":[{"id":%q,"type":"user"}]}]}}`, p.Rules[0].ID, u.ID))
	want := p.Rules[0]
	want.DelayMinutes, want.Strategy = 9, "assign_to_everyone"
	if diff := cmp.Diff([]pagerdutytest.Rule{want}, a.EscalationPolicies()[0].Rules); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	if got := a.Violations(); len(got) != 1 || !strings.Contains(got[0].String(), "round robin rule is left out") {
		t.Errorf("violations are %v, want the one about round robin", got)
	}
}

func TestIncidentsMove(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		patch string // of the world's incident, which is Ann's; {ann} {bo} {policy} stand for ids
		want  answer
		who   []string // {ann} {bo}
	}{
		"to another person":     {`"assignments":[{"assignee":{"id":"{bo}","type":"user_reference"}}]`, answer{Status: 200}, []string{"{bo}"}},
		"back to their policy":  {`"escalation_policy":{"id":"{policy}","type":"escalation_policy_reference"}`, answer{Status: 200}, []string{"{ann}"}},
		"to their end":          {`"status":"resolved"`, answer{Status: 200}, nil},
		"to nobody":             {`"assignments":[]`, answer{400, 2001, "Assignments can't be blank"}, []string{"{ann}"}},
		"to somebody unknown":   {`"assignments":[{"assignee":{"id":"PNONE"}}]`, answer{400, 2001, "Assignee PNONE does not exist"}, []string{"{ann}"}},
		"to an unknown policy":  {`"escalation_policy":{"id":"PNONE"}`, answer{400, 2001, "Escalation policy PNONE does not exist"}, []string{"{ann}"}},
		"to a status of no use": {`"status":"lost"`, answer{400, 2001, "Status must be a list of triggered, acknowledged, or resolved."}, []string{"{ann}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{Token: key})
			w := world(a)
			ids := strings.NewReplacer("{ann}", w.ann.ID, "{bo}", w.bo.ID, "{policy}", w.policy.ID)
			body := fmt.Sprintf(`{"incidents":[{"id":%q,"type":"incident_reference",%s}]}`, w.incident.ID, ids.Replace(tt.patch))
			if got := said(t, ask(t, a, "PUT", "/incidents", body, "From", w.owner.Email)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			got := a.Incidents()[0].AssigneeIDs
			if strings.Join(got, ",") != ids.Replace(strings.Join(tt.who, ",")) {
				t.Errorf("assigned to %v, want %v", got, tt.who)
			}
		})
	}
}

func TestWhichIncidentsAListingHas(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key})
	w := world(a)
	a.AddIncident(pagerdutytest.Incident{Title: "Old", CreatedAt: c.now().AddDate(0, -3, 0), AssigneeIDs: []string{w.bo.ID}})
	a.AddIncident(pagerdutytest.Incident{Title: "Done", Status: "resolved", Urgency: "low"})
	for name, tt := range map[string]struct {
		query string
		want  []string
	}{
		"of the last month unless told otherwise": {"", []string{"It is slow", "Done"}},
		"of all time":    {"date_range=all", []string{"It is slow", "Old", "Done"}},
		"open":           {"date_range=all&statuses[]=triggered&statuses[]=acknowledged", []string{"It is slow", "Old"}},
		"of a person":    {"date_range=all&user_ids[]=" + w.bo.ID, []string{"Old"}},
		"of a team":      {"team_ids[]=" + w.team.ID, []string{"It is slow"}},
		"of low urgency": {"urgencies[]=low", []string{"Done"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, i := range into[struct{ Incidents []struct{ Title string } }](t, a, "/incidents?"+tt.query).Incidents {
				got = append(got, i.Title)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What people do in the web app obeys the account's own rules.
func TestTheWebAppRefusesToo(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	a.SetSeats("Stakeholder", 0)
	olga := w.owner.Email
	before := a.Version()
	_, duplicate := a.CreateUserAs(olga, pagerdutytest.User{Name: "Ann", Email: "Ann@example.com"})
	for name, err := range map[string]error{
		"an actor who is nobody":   a.SetRoleAs("x@example.com", w.bo.ID, "observer"),
		"a role that is none":      a.SetRoleAs(olga, w.bo.ID, "king"),
		"the owner's role":         a.SetRoleAs(olga, w.owner.ID, "user"),
		"a seat that is not there": a.SetRoleAs(olga, w.bo.ID, "read_only_user"),
		"a user who is nobody":     a.DeleteUserAs(olga, "PNONE"),
		"deleting the owner":       a.DeleteUserAs(olga, w.owner.ID),
		"a team role that is none": a.SetMemberAs(olga, w.team.ID, w.bo.ID, "king"),
		"a member who is none":     a.RemoveMemberAs(olga, w.team.ID, w.bo.ID),
		"a policy that is none":    a.SetPolicyAs(olga, pagerdutytest.EscalationPolicy{ID: "PNONE"}),
		"an address that is taken": duplicate,
	} {
		if err == nil {
			t.Errorf("%s was let pass", name)
		}
	}
	if a.Version() != before || len(a.AuditRecords()) > 0 {
		t.Errorf("refusals changed the account: %v", a.AuditRecords())
	}
}

func TestTheWebAppChangesTheAccount(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	id, err := a.CreateUserAs(w.owner.Email, pagerdutytest.User{Name: "Cy", Email: "cy@example.com"})
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	p := w.policy
	p.Rules = []pagerdutytest.Rule{{DelayMinutes: 5, Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(id)}}}
	if err := a.SetPolicyAs(w.owner.Email, p); err != nil {
		t.Fatalf("set policy: %v", err)
	}
	if got := a.TeamRole(w.team.ID, id); got != "responder" {
		t.Errorf("the new target's team role is %q, want responder", got)
	}
	for _, r := range a.AuditRecords() {
		if r.Method != "browser" || r.Actor.ID != w.owner.ID {
			t.Errorf("record %d is by %s with %s, want the owner in the browser", r.Seq, r.Actor.ID, r.Method)
		}
	}
}

func TestPopulatingTheImpossiblePanics(t *testing.T) {
	t.Parallel()
	for name, add := range map[string]func(*pagerdutytest.Account, small){
		"a second owner": func(a *pagerdutytest.Account, _ small) {
			a.AddUser(pagerdutytest.User{Name: "X", Email: "x@example.com", Role: "owner"})
		},
		"an address twice": func(a *pagerdutytest.Account, _ small) {
			a.AddUser(pagerdutytest.User{Name: "X", Email: "ANN@example.com"})
		},
		"a role that is none": func(a *pagerdutytest.Account, _ small) {
			a.AddUser(pagerdutytest.User{Name: "X", Email: "x@example.com", Role: "king"})
		},
		"an id twice":         func(a *pagerdutytest.Account, w small) { a.AddTeam(pagerdutytest.Team{ID: w.team.ID, Name: "X"}) },
		"a member of no team": func(a *pagerdutytest.Account, w small) { a.AddMember("PNONE", w.bo.ID, "observer") },
		"a policy that calls nobody": func(a *pagerdutytest.Account, _ small) {
			a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "X"})
		},
		"a stakeholder on call": func(a *pagerdutytest.Account, _ small) {
			u := a.AddUser(pagerdutytest.User{Name: "X", Email: "x@example.com", Role: pagerdutytest.Stakeholder})
			a.AddSchedule(pagerdutytest.Schedule{Name: "X", Layers: []pagerdutytest.Layer{{UserIDs: []string{u.ID}}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{})
			w := world(a)
			defer func() {
				if recover() == nil {
					t.Error("it was let pass")
				}
			}()
			add(a, w)
		})
	}
}

// A user keeps the licence that allows their role, and moves to one that does when it does not.
func TestLicencesFollowRoles(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	one := 1
	a.SetLicenses(
		pagerdutytest.License{ID: "PSMALL", Name: "Small", RoleGroup: "FullUser", ValidRoles: []string{"limited_user"}, Seats: &one},
		pagerdutytest.License{ID: "PBIG", Name: "Big", RoleGroup: "FullUser", ValidRoles: []string{"limited_user", "user"}})
	ids := populate(a, 2)
	ask(t, a, "PUT", "/users/"+ids[0], `{"user":{"role":"user"}}`)
	var got []string
	for _, u := range a.Users() {
		got = append(got, u.LicenseID)
	}
	if diff := cmp.Diff([]string{"PBIG", "PBIG"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	page := into[struct {
		Licenses []struct {
			Name string
			Left *int `json:"allocations_available"`
		}
	}](t, a, "/licenses")
	if left := page.Licenses; left[0].Left == nil || *left[0].Left != 1 || left[1].Left != nil {
		t.Errorf("seats left: %+v, want 1 and no limit", left)
	}
}

func TestLatencyEndsWithTheClient(t *testing.T) {
	t.Parallel()
	a, url := start(t, pagerdutytest.Config{Latency: time.Hour})
	if status, _, _, err := send(impatient(t), "GET", url+"/users", ""); err == nil {
		t.Errorf("the call answers %d, want that the client gave up", status)
	}
	if err := a.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, err := a.Start(); err != nil {
		t.Errorf("a closed account cannot be started again: %v", err)
	}
}
