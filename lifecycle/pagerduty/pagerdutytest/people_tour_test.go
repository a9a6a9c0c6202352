package pagerdutytest_test

import (
	"testing"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// peopleAllowances are the deviations of what peopleTour calls.
func peopleAllowances() []allowance {
	const (
		expanded = "include[] puts the whole thing there; the document's schema knows only the reference"
		unlisted = "the document does not list the status, and every operation on a user has it"
	)
	return []allowance{
		{"GET /users/{id}/notification_rules/{notification_rule_id} 200", "notification_rule/contact_method/type", expanded},
		{"POST /analytics/raw/users 200", "data/*/created_at", "the document's own example has no zone there, against its schema"},
		{"POST /analytics/raw/users 200", "data/*/last_sign_in_at", "the document's own example has no zone there, against its schema"},
		{"PUT /incidents/{id} 400", "", "what cannot be done is refused, as in the bulk operation; the document lists no 400"},
		{"POST /users/{id}/contact_methods 404", "", unlisted},
		{"POST /users/{id}/notification_rules 404", "", unlisted},
	}
}

// peopleTour calls every operation on what people have and do, with what it accepts and with what it refuses.
func peopleTour(t *testing.T, r *recorder, a *pagerdutytest.Account, w small) {
	t.Helper()
	base := "/users/" + w.ann.ID
	reachTour(r, a, w, base)
	for _, target := range []string{
		base + "/oauth_delegations?delegation_type=web,mobile&status=issued", base + "/oauth_delegations?status=lost",
		base + "?include[]=calendar_urls",
	} {
		r.call("GET", target, "")
	}
	incidentTour(r, a, w)
	auditTour(t, r, a, w)
	for _, body := range []string{
		`{}`, `{"limit":1,"order":"asc","order_by":"name","time_zone":"America/Lima"}`, `{"filters":{"user_ids":["` + w.ann.ID + `"]}}`,
		`{"filters":{"created_at_start":"2020-01-01T00:00:00Z","team_ids":["PNONE"]}}`, `{"limit":1001}`,
	} {
		r.call("POST", "/analytics/raw/users", body)
	}
}

// auditTour has records of every shape: of what users have, of the directory, and, of a policy by the directory, one that
// names nobody.
func auditTour(t *testing.T, r *recorder, a *pagerdutytest.Account, w small) {
	t.Helper()
	for _, err := range []error{
		a.SetRoleAs(pagerdutytest.IdentityProvider, w.bo.ID, pagerdutytest.Observer),
		a.SetPolicyAs(pagerdutytest.IdentityProvider, w.policy), a.SetMemberAs(w.owner.Email, w.team.ID, w.bo.ID, "responder"),
	} {
		if err != nil {
			t.Fatalf("change: %v", err)
		}
	}
	for _, target := range []string{
		"/audit/records", "/users/" + w.bo.ID + "/audit/records", "/users/" + w.ann.ID + "/audit/records?limit=1",
		"/teams/" + w.team.ID + "/audit/records", "/schedules/" + w.schedule.ID + "/audit/records",
		"/escalation_policies/" + w.policy.ID + "/audit/records", "/users/PNONE/audit/records",
		"/teams/PNONE/audit/records", "/users/" + w.bo.ID + "/audit/records?since=lost",
	} {
		r.call("GET", target, "")
	}
}

func incidentTour(r *recorder, a *pagerdutytest.Account, w small) {
	done := a.AddIncident(pagerdutytest.Incident{Title: "Done", Status: "resolved", ServiceID: w.incident.ServiceID, EscalationPolicyID: w.policy.ID})
	from := []string{"From", w.owner.Email}
	for _, target := range []string{"/incidents/" + w.incident.ID, "/incidents/" + done.ID, "/incidents/1", "/incidents/PNONE", "/incidents/1?include[]=lost"} {
		r.call("GET", target, "")
	}
	give := `{"incident":{"type":"incident","assignments":[{"assignee":{"id":"` + w.bo.ID + `","type":"user_reference"}}]}}`
	r.call("PUT", "/incidents/"+w.incident.ID, give, from...)
	r.call("PUT", "/incidents/PNONE", give, from...)
	r.call("PUT", "/incidents/"+done.ID, give, from...)
	r.call("PUT", "/incidents/"+done.ID, `{"incident":{"type":"incident","status":"triggered"}}`, from...)
	r.call("PUT", "/incidents", `{"incidents":[{"id":"PNONE","type":"incident"}]}`, from...)
}

func reachTour(r *recorder, a *pagerdutytest.Account, w small, base string) {
	r.call("POST", base+"/contact_methods", phone("5550177"))
	r.call("POST", base+"/contact_methods", phone("5550177"))
	r.call("POST", "/users/PNOBODY/contact_methods", phone("5550177"))
	r.call("POST", base+"/contact_methods", `{"contact_method":{"type":"email_contact_method","label":"Home","address":"ann@example.org"}}`)
	all := a.ContactMethods(w.ann.ID)
	mail := all[len(all)-1].ID
	r.call("POST", base+"/notification_rules", rule(mail, "email_contact_method_reference", "low", "3"))
	r.call("POST", base+"/notification_rules", rule(mail, "email_contact_method_reference", "low", "3"))
	r.call("POST", "/users/PNOBODY/notification_rules", rule(mail, "email_contact_method_reference", "low", "3"))
	rules := a.NotificationRules(w.ann.ID)
	last := base + "/notification_rules/" + rules[len(rules)-1].ID
	for _, target := range []string{
		base + "/contact_methods/" + mail, base + "/contact_methods/PNONE", last, last + "?include[]=contact_methods",
		base + "/notification_rules/PNONE",
	} {
		r.call("GET", target, "")
	}
	for _, target := range []string{
		last, base + "/notification_rules/PNONE", base + "/contact_methods/" + mail, base + "/contact_methods/PNONE",
	} {
		r.call("DELETE", target, "")
	}
}
