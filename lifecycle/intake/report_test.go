package intake

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func finding(id, data string) string {
	return `{"specversion":"1.0","id":"` + id + `","source":"audit-tool","type":"rolecall.finding.v1","time":"2026-05-31T08:00:00Z","data":` + data + `}`
}

const minaExcess = `{"account_email":"Mina.Ito@acme.test","kind":"excess","entitlement":{"kind":"team_role","team":{"id":"PPAY","name":"Payments"},"role":"manager"},"observed_at":"2026-05-30T00:00:00Z","note":"Seen in the March review."}`

func TestAFindingIsKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.post(RouteFindings, mediaEvent, finding("f1", minaExcess))
	wantStatus(t, w, http.StatusAccepted)
	var got kept
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []lifecycle.Finding{{
		ID: lifecycle.FindingID(got.ID), Kind: lifecycle.FoundExcess, Severity: lifecycle.SeverityMedium,
		Account:     lifecycle.AccountCard{ID: "PMINA", Email: "mina.ito@acme.test", Name: "Mina Ito", BaseRole: lifecycle.RoleManager},
		Entitlement: lifecycle.OnTeam(lifecycle.Team{ID: "PPAY", Name: "Payments"}, lifecycle.TeamManager),
		From:        "manager", Since: time.Date(2026, 5, 30, 0, 0, 0, 0, time.UTC), Again: h.clock.now(), Source: "audit-tool", Note: "Seen in the March review.",
	}}
	if diff := cmp.Diff(want, h.store.findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	again := h.post(RouteFindings, mediaJSON, finding("f1", minaExcess))
	wantStatus(t, again, http.StatusOK)
	if want := strings.Replace(w.Body.String(), "false", "true", 1); again.Body.String() != want {
		t.Errorf("the repeat is told %s, want %s", again.Body, want)
	}
}

func TestWhatAFindingMayBeAbout(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		entitlement string
		want        lifecycle.Entitlement
		fields      []lifecycle.FieldError
	}{
		"nothing named is the whole account": {`null`, lifecycle.Entitlement{}, nil},
		"a kind alone":                       {`"base_role"`, lifecycle.Entitlement{Kind: lifecycle.KindBaseRole}, nil},
		"a base role":                        {`{"kind":"base_role","role":"admin"}`, lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "admin"}, nil},
		"a team by its id":                   {`{"kind":"team_role","team":"PPAY","role":"responder"}`, lifecycle.OnTeam(lifecycle.Team{ID: "PPAY"}, lifecycle.TeamResponder), nil},
		"a schedule":                         {`{"kind":"schedule","role":"PSCHED"}`, lifecycle.Entitlement{Kind: lifecycle.KindSchedule, Role: "PSCHED"}, nil},
		"a team role without its team": {`{"kind":"team_role","team":{"name":"Payments"}}`, lifecycle.Entitlement{Kind: lifecycle.KindTeamRole, Team: lifecycle.Team{Name: "Payments"}}, []lifecycle.FieldError{
			{Path: "data.entitlement.team", Message: "is needed for a team role, with the id it has in PagerDuty"},
		}},
		"a role by the name on the page": {`{"kind":"base_role","role":"Manager"}`, lifecycle.Entitlement{Kind: lifecycle.KindBaseRole}, []lifecycle.FieldError{
			{Path: "data.entitlement.role", Message: `base role "Manager" is not one of read_only_limited_user, read_only_user, restricted_access, observer, limited_user, user, admin, owner`},
		}},
		"a kind nobody knows": {`"license"`, lifecycle.Entitlement{}, []lifecycle.FieldError{
			{Path: "data.entitlement.kind", Message: `entitlement kind "license" is not one of base_role, team_role, schedule, escalation_policy, account, session`},
		}},
		"fields that are none": {`{"Kind":"account","team":{"ID":"PPAY"}}`, lifecycle.Entitlement{}, []lifecycle.FieldError{
			{Path: "data.entitlement.Kind", Message: `is no field that is known here (did you mean "kind"?)`},
			{Path: "data.entitlement.kind", Message: "is needed, such as base_role or team_role"},
			{Path: "data.entitlement.team.ID", Message: `is no field that is known here (did you mean "id"?)`},
		}},
		"a list": {`["base_role"]`, lifecycle.Entitlement{}, []lifecycle.FieldError{
			{Path: "data.entitlement", Message: "must be an object of kind, team and role, not a list"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			value, err := parseJSON([]byte(finding("f1", `{"account_email":"a@b","kind":"drift","entitlement":`+tt.entitlement+`}`)))
			if err != nil {
				t.Fatal(err)
			}
			got, wrong := readReport(value, "", newHouse(t).clock.now())
			if diff := cmp.Diff(tt.fields, wrong); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
			want := lifecycle.Report{Source: "audit-tool", EventID: "f1", Email: "a@b", Kind: lifecycle.FoundDrift, Entitlement: tt.want, ObservedAt: time.Date(2026, 5, 31, 8, 0, 0, 0, time.UTC)}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFindingsThatAreWrong(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.post(RouteFindings, mediaEvent, finding("f1", `{"account":"x","kind":"odd","observed_at":"2027-01-01","note":"a\u0007b"}`))
	wantStatus(t, w, http.StatusUnprocessableEntity)
	want := []lifecycle.FieldError{
		{Path: "data.account", Message: `is no field that is known here (did you mean "account_email"?)`},
		{Path: "data.account_email", Message: "is needed: the address of the PagerDuty account"},
		{Path: "data.kind", Message: `finding kind "odd" is not one of orphan, leaver_present, excess, missing, drift, stale, invite_pending, unmatched, disputed`},
		{Path: "data.observed_at", Message: "is in the future; check the sender's clock"},
		{Path: "data.note", Message: "has a control character in it, such as a line break"},
	}
	if diff := cmp.Diff(want, failureOf(t, w).Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestAFindingAboutNobodyIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.post(RouteFindings, mediaEvent, finding("f1", `{"account_email":"ghost@acme.test","kind":"orphan"}`))
	wantStatus(t, w, http.StatusUnprocessableEntity)
	want := []lifecycle.FieldError{{Path: "data.account_email", Message: "no PagerDuty account has this address"}}
	if diff := cmp.Diff(want, failureOf(t, w).Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if lines := h.store.refusals(); len(lines) != 1 || !strings.HasPrefix(lines[0], "audit-tool | POST /v1/findings: nothing can be concluded") {
		t.Errorf("trail %q", lines)
	}
}

func TestABatchIsAnsweredOneByOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ghost := finding("f2", `{"account_email":"ghost@acme.test","kind":"orphan"}`)
	w := h.post(RouteFindings, mediaBatch, "["+finding("f1", minaExcess)+","+ghost+","+finding("f3", minaExcess)+"]")
	wantStatus(t, w, http.StatusAccepted)
	var got struct {
		Results []struct {
			ID        string
			Duplicate *bool
			Error     *problem
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	r := got.Results
	if len(r) != 3 || r[0].Error != nil || *r[0].Duplicate || r[2].ID != r[0].ID || !*r[2].Duplicate {
		t.Fatalf("results %s", w.Body)
	}
	if r[1].Error == nil || r[1].Error.Kind != "invalid" || r[1].Duplicate != nil || r[1].ID != "" {
		t.Errorf("the refused one is told %s", w.Body)
	}
	if lines := h.store.refusals(); len(lines) != 1 || !strings.HasPrefix(lines[0], "audit-tool | ") {
		t.Errorf("trail %q", lines)
	}
	wantStatus(t, h.post(RouteFindings, mediaBatch, "["+finding("f1", minaExcess)+"]"), http.StatusOK)
	wantStatus(t, h.post(RouteFindings, mediaJSON, "["+ghost+"]"), http.StatusUnprocessableEntity)
	wantStatus(t, h.post(RouteFindings, mediaBatch, "[]"), http.StatusOK)
}

func TestABatchWithAMistakeIsRefusedWhole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.post(RouteFindings, mediaBatch, "["+finding("f1", minaExcess)+",7,"+finding("f2", `{"account_email":"a@b","kind":"odd"}`)+"]")
	wantStatus(t, w, http.StatusUnprocessableEntity)
	got := failureOf(t, w).Fields
	if len(got) != 2 || got[0].Path != "[1]" || got[1].Path != "[2].data.kind" {
		t.Errorf("fields %+v", got)
	}
	if len(h.store.findings) != 0 {
		t.Error("some of it was kept")
	}
	wantStatus(t, h.post(RouteFindings, mediaBatch, "["+strings.Repeat("7,", mostReports)+"7]"), http.StatusUnprocessableEntity)
	got = failureOf(t, h.post(RouteFindings, mediaBatch, "["+strings.Repeat("7,", mostReports-1)+"7]")).Fields
	if len(got) != mostMistakes {
		t.Errorf("%d mistakes are listed, want %d", len(got), mostMistakes)
	}
}

func TestTheMediaTypeSaysWhetherItIsABatch(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	wantStatus(t, h.post(RouteFindings, mediaEvent, "[]"), http.StatusUnsupportedMediaType)
	wantStatus(t, h.post(RouteFindings, mediaBatch, finding("f1", minaExcess)), http.StatusUnsupportedMediaType)
	wantStatus(t, h.post(RouteLifecycle, mediaBatch, "[]"), http.StatusUnsupportedMediaType)
}

func TestABatchThatBreaksOffMayBeSentAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.broken = errors.New("disk full")
	wantStatus(t, h.post(RouteFindings, mediaBatch, "["+finding("f1", minaExcess)+"]"), http.StatusServiceUnavailable)
	h.store.broken = nil
	wantStatus(t, h.post(RouteFindings, mediaBatch, "["+finding("f1", minaExcess)+"]"), http.StatusAccepted)
}
