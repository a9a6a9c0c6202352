package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
	"rolecall/lifecycle/intake/okta"
	"rolecall/lifecycle/intake/okta/oktatest"
)

// call sends a request as a source does, and fails the test unless the answer is as wanted.
func (h *sourceHouse) call(want int, method, path string, header map[string]string, body string) []byte {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, "http://"+h.listen+path, strings.NewReader(body))
	h.must(err)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	h.must(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	h.must(err)
	if res.StatusCode != want {
		h.t.Fatalf("%s %s answers %d, want %d: %s", method, path, res.StatusCode, want, answer)
	}
	return answer
}

// scim is one request of a SCIM client.
func (h *sourceHouse) scim(client string, want int, method, path, body string) []byte {
	h.t.Helper()
	agent := map[string]string{oktaClient: "Okta SCIM Client 1.0.0", entraClient: "Mozilla/5.0 (compatible; Microsoft-SCIM)"}[client]
	return h.call(want, method, "/scim/v2"+path, map[string]string{
		"Authorization": "Bearer " + scimToken(client), "Content-Type": "application/scim+json; charset=utf-8", "Accept": "application/scim+json", "User-Agent": agent,
	}, body)
}

const (
	schemaUser       = "urn:ietf:params:scim:schemas:core:2.0:User"
	schemaEnterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	schemaPatch      = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
)

// provisions creates somebody as the client does, who looks first whether they
// are there, and returns the id.
func (h *sourceHouse) provisions(client, name, department string, active bool) string {
	h.t.Helper()
	h.scim(client, http.StatusOK, http.MethodGet, "/Users?filter=userName+eq+%22"+strings.ReplaceAll(email(name), "@", "%40")+"%22", "")
	first, last, _ := strings.Cut(full(name), " ")
	body, err := json.Marshal(map[string]any{
		"schemas": []string{schemaUser, schemaEnterprise}, "userName": email(name), "displayName": full(name), "active": active, "externalId": "ext-" + name, "title": "SRE II",
		"name":           map[string]any{"givenName": first, "familyName": last, "formatted": full(name)},
		"emails":         []any{map[string]any{"primary": true, "type": "work", "value": email(name)}},
		schemaEnterprise: map[string]any{"employeeNumber": "E-" + name, "department": department},
	})
	h.must(err)
	var created struct {
		ID string `json:"id"`
	}
	h.must(json.Unmarshal(h.scim(client, http.StatusCreated, http.MethodPost, "/Users", string(body)), &created))
	return created.ID
}

// patch sends operations about a user.
func (h *sourceHouse) patch(client, path, operations string) {
	h.t.Helper()
	h.scim(client, http.StatusOK, http.MethodPatch, path, `{"schemas":["`+schemaPatch+`"],"Operations":[`+operations+`]}`)
}

// notice sends the signed notice of HR, and sends the same again when it is told to.
func (h *sourceHouse) notice(p lifecycle.Person) {
	h.t.Helper()
	body, id, err := noticeBody(p, time.Now())
	h.must(err)
	header := map[string]string{"Content-Type": "application/cloudevents+json"}
	for name, values := range intake.Sign(h.secret, id, time.Now(), []byte(body)) {
		header[name] = values[0]
	}
	h.call(http.StatusAccepted, http.MethodPost, intake.RouteLifecycle, header, body)
}

// knownAs is somebody as HR knows them.
func knownAs(name, department string, status lifecycle.Status) lifecycle.Person {
	return lifecycle.Person{EmployeeID: "E-" + name, Status: status, Emails: []string{email(name)}, Name: full(name), Department: department, Title: "SRE II"}
}

// roster sends a roster, and returns the answer.
func (h *sourceHouse) roster(want int, csv string) string {
	h.t.Helper()
	return string(h.call(want, http.MethodPut, intake.RouteRoster, map[string]string{"Authorization": "Bearer " + rosterToken, "Content-Type": "text/csv"}, csv))
}

// rosterOf is a roster of people, one a line: a name, and a department.
func rosterOf(people ...string) string {
	var b strings.Builder
	b.WriteString("employee_id,status,emails,name,department,title\n")
	for _, p := range people {
		name, department, _ := strings.Cut(p, " ")
		fmt.Fprintf(&b, "E-%s,active,%s,%s,%s,SRE II\n", name, email(name), full(name), department)
	}
	return b.String()
}

// oktaHooked registers the event hook with the org, which believes it.
func (h *sourceHouse) oktaHooked() {
	h.t.Helper()
	h.okta.Register(oktatest.Hook{URL: "http://" + h.listen + okta.Route, Secret: oktaSecret, Types: okta.EventTypes()})
	h.must(h.okta.Verify(h.t.Context()))
}

// oktaDelivers lets the hook say what it has to say.
func (h *sourceHouse) oktaDelivers() {
	h.t.Helper()
	all, err := h.okta.Deliver(h.t.Context())
	h.must(err)
	for _, d := range all {
		before, last := d.Statuses[:len(d.Statuses)-1], d.Statuses[len(d.Statuses)-1]
		answered := func(status int) bool { return status != 0 } // what is not, Okta sends once more
		if last != http.StatusNoContent || slices.ContainsFunc(before, answered) {
			h.t.Errorf("the hook answered %v", d.Statuses)
		}
	}
}

// oktaIsRead reads Okta's log, as the schedule does. It asks for no job: the hook
// has asked for one that comes later, and one is enough.
func (h *sourceHouse) oktaIsRead() {
	h.t.Helper()
	h.must(h.service.intakes.resync.Run(h.t.Context()))
	h.rests()
}
