package pagerdutytest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestOneIncidentIsChangedByIdOrNumber(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		resolved bool
		body     string
		want     answer
		have     []string
	}{
		"reassigned":                     {body: `"assignments":[{"assignee":{"id":"{bo}"}}]`, want: answer{Status: 200}, have: []string{"{bo}"}},
		"given to a level":               {body: `"escalation_level":2`, want: answer{Status: 200}, have: []string{"{ann}"}},
		"given to a level that is none":  {body: `"escalation_level":3`, want: answer{400, 2001, "Escalation level must be between 1 and 2"}, have: []string{"{ann}"}},
		"given to people and to a level": {body: `"escalation_level":1,"assignments":[{"assignee":{"id":"{bo}"}}]`, want: answer{400, 2001, "Assignments cannot be given with an escalation policy or level"}, have: []string{"{ann}"}},
		"given to who was deleted":       {body: `"assignments":[{"assignee":{"id":"{cy}"}}]`, want: answer{400, 2001, "Assignee {cy} does not exist"}, have: []string{"{ann}"}},
		"reassigned when it is resolved": {resolved: true, body: `"assignments":[{"assignee":{"id":"{bo}"}}]`, want: answer{400, 2001, "Incident Already Resolved"}},
		"resolved twice":                 {resolved: true, body: `"status":"resolved"`, want: answer{400, 2001, "Incident Already Resolved"}},
		"reopened to its policy":         {resolved: true, body: `"status":"triggered"`, want: answer{Status: 200}, have: []string{"{ann}"}},
		"reopened to somebody":           {resolved: true, body: `"status":"triggered","assignments":[{"assignee":{"id":"{bo}"}}]`, want: answer{Status: 200}, have: []string{"{bo}"}},
		"reopened by who acknowledges":   {resolved: true, body: `"status":"acknowledged"`, want: answer{Status: 200}, have: []string{"{olga}"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{Token: key})
			w := world(a)
			cy := a.AddUser(pagerdutytest.User{Name: "Cy Cedar", Email: "cy@example.com"})
			if err := a.DeleteUserAs(w.owner.Email, cy.ID); err != nil {
				t.Fatalf("delete: %v", err)
			}
			if tt.resolved {
				a.ResolveIncident(w.incident.ID)
			}
			ids := strings.NewReplacer("{ann}", w.ann.ID, "{bo}", w.bo.ID, "{cy}", cy.ID, "{olga}", w.owner.ID)
			body := ids.Replace(`{"incident":{"type":"incident_reference",` + tt.body + `}}`)
			tt.want.Text = ids.Replace(tt.want.Text)
			target := fmt.Sprintf("/incidents/%d", w.incident.Number)
			if got := said(t, ask(t, a, "PUT", target, body, "From", w.owner.Email)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			var have []string
			for _, u := range tt.have {
				have = append(have, ids.Replace(u))
			}
			if diff := cmp.Diff(have, a.Incidents()[0].AssigneeIDs); diff != "" {
				t.Errorf("assignees (-want +got):\n%s", diff)
			}
		})
	}
}

func TestIncidentsChangeTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, OpLimits: map[string]int{"PUT /incidents": 3}})
	w := world(a)
	second := a.AddIncident(pagerdutytest.Incident{Title: "B", EscalationPolicyID: w.policy.ID, AssigneeIDs: []string{w.ann.ID}})
	one := func(id string) string {
		return fmt.Sprintf(`{"id":%q,"type":"incident","assignments":[{"assignee":{"id":%q,"type":"user_reference"}}]}`, id, w.bo.ID)
	}
	put := func(ids ...string) answer {
		var all []string
		for _, id := range ids {
			all = append(all, one(id))
		}
		return said(t, ask(t, a, "PUT", "/incidents", `{"incidents":[`+strings.Join(all, ",")+`]}`, "From", w.owner.Email))
	}
	if got := put(w.incident.ID, "PNONE"); got != (answer{400, 2001, "Incident PNONE does not exist"}) {
		t.Errorf("with one that is none: %+v", got)
	}
	if got := a.Incidents()[0].AssigneeIDs; !cmp.Equal(got, []string{w.ann.ID}) {
		t.Errorf("the first is %v's although the second was refused, want Ann's", got)
	}
	if got := put(w.incident.ID, second.ID); got.Status != 200 {
		t.Errorf("both: %+v", got)
	}
	for _, i := range a.Incidents() {
		if !cmp.Equal(i.AssigneeIDs, []string{w.bo.ID}) {
			t.Errorf("incident %s is %v's, want Bo's", i.Title, i.AssigneeIDs)
		}
	}
	if got := put(strings.Split(strings.Repeat("P ", 250)+"P", " ")...); got.Status != 413 {
		t.Errorf("251 at once: %+v, want 413", got)
	}
	if got := put(second.ID); got.Status != 429 {
		t.Errorf("beyond the operation's own limit: %+v, want 429", got)
	}
}

func TestIncidentListingsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		query string
		want  int
	}{
		"half a year":            {"since=2026-01-01T00:00:00Z&until=2026-07-01T00:00:00Z", 200},
		"more than half a year":  {"since=2026-01-01T00:00:00Z&until=2026-07-02T00:00:00Z", 400},
		"all of a longer time":   {"since=2026-01-01T00:00:00Z&until=2027-07-02T00:00:00Z&date_range=all", 200},
		"a range that is none":   {"date_range=some", 400},
		"by a field that is not": {"sort_by=title", 400},
		"by three fields":        {"sort_by=urgency,created_at,incident_number", 400},
		"by team without teams":  {"team_ids[]=PT", 402},
		"by urgency without it":  {"urgencies[]=low", 402},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{Token: key, Abilities: []string{}})
			if got := ask(t, a, "GET", "/incidents?"+tt.query, "").Code; got != tt.want {
				t.Errorf("answers %d, want %d", got, tt.want)
			}
		})
	}
}

func TestIncidentsAreSorted(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	for _, i := range []string{"high", "low", "high"} {
		a.AddIncident(pagerdutytest.Incident{Title: i, Urgency: i})
	}
	page := into[struct {
		Incidents []struct {
			Number int `json:"incident_number"`
		}
	}](t, a, "/incidents?sort_by=urgency:asc,incident_number:desc")
	var got []int
	for _, i := range page.Incidents {
		got = append(got, i.Number)
	}
	if diff := cmp.Diff([]int{2, 3, 1}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
