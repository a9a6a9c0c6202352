package pagerduty_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// behind wants what people and other programs did behind the client's back to have been possible.
func behind(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("behind the client's back: %v", err)
	}
}

// where tells at what address the account is, for another client.
func where(url *string) func(*pagerduty.Config) {
	return func(cfg *pagerduty.Config) { *url = cfg.APIURL }
}

// traces returns the history of the last hour.
func traces(t *testing.T, c *pagerduty.Client) []lifecycle.Trace {
	t.Helper()
	now := time.Now()
	got, err := c.Traces(t.Context(), now.Add(-time.Hour), now)
	if err != nil {
		t.Fatalf("traces: %v", err)
	}
	return got
}

// untimed leaves out what a test cannot know beforehand.
func untimed() cmp.Option { return cmpopts.IgnoreFields(lifecycle.Trace{}, "ID", "At") }

func TestTracesTellEveryChangeOfAccess(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	cy, err := a.CreateUserAs(w.ada.Email, pagerdutytest.User{Name: "Cy Cedar", Email: "cy@example.com"})
	behind(
		t, err,
		a.SetRoleAs(w.ada.Email, w.ann.ID, pagerdutytest.Admin),
		a.RenameAs(w.ada.Email, w.ann.ID, "Ann Oak", ""),
		a.SetMemberAs(w.ada.Email, w.web.ID, w.bo.ID, pagerdutytest.TeamManager),
		a.SetMemberAs(w.ada.Email, w.web.ID, w.bo.ID, pagerdutytest.TeamObserver),
		a.RemoveMemberAs(w.ada.Email, w.web.ID, w.bo.ID),
		a.SetRoleAs(pagerdutytest.IdentityProvider, w.bo.ID, pagerdutytest.Observer),
		a.SetRoleAs(pagerdutytest.OwnKey, w.bo.ID, pagerdutytest.Restricted),
		a.DeleteUserAs(w.ada.Email, cy),
	)
	made := func(op lifecycle.Op, account string, e lifecycle.Entitlement, from, to string) lifecycle.Trace {
		return lifecycle.Trace{
			Op: op, Account: lifecycle.AccountID(account), Entitlement: e, From: from, To: to,
			By: lifecycle.AccountID(w.ada.ID), ByName: "Ada Admin", Way: lifecycle.WayBrowser,
		}
	}
	base := func(role string) lifecycle.Entitlement {
		return lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: role}
	}
	account := lifecycle.Entitlement{Kind: lifecycle.KindAccount, Role: "limited_user"}
	web := func(role lifecycle.TeamRole) lifecycle.Entitlement {
		return lifecycle.OnTeam(lifecycle.Team{ID: lifecycle.TeamID(w.web.ID), Name: "Web"}, role)
	}
	byDirectory := made(lifecycle.OpReplace, w.bo.ID, base("observer"), "limited_user", "observer")
	byDirectory.By, byDirectory.ByName, byDirectory.Way = "", "", lifecycle.WayIdentity
	byKey := made(lifecycle.OpReplace, w.bo.ID, base("restricted_access"), "observer", "restricted_access")
	byKey.By, byKey.ByName, byKey.Way, byKey.Key, byKey.Ours = "", "account key ending in 0001", lifecycle.WayKey, "0001", true
	want := []lifecycle.Trace{
		made(lifecycle.OpCreate, cy, account, "", "limited_user"),
		made(lifecycle.OpReplace, w.ann.ID, base("admin"), "user", "admin"),
		made(lifecycle.OpGrant, w.bo.ID, web(lifecycle.TeamManager), "", "manager"),
		made(lifecycle.OpReplace, w.bo.ID, web(lifecycle.TeamObserver), "manager", "observer"),
		made(lifecycle.OpRevoke, w.bo.ID, web(""), "", ""),
		byDirectory, byKey,
		made(lifecycle.OpDelete, cy, account, "limited_user", ""),
	}
	got := traces(t, c)
	if diff := cmp.Diff(want, got, untimed()); diff != "" {
		t.Errorf("traces (-want +got):\n%s", diff)
	}
	for i, tr := range got {
		if tr.ID == "" || time.Since(tr.At) > time.Minute || i > 0 && tr.At.Before(got[i-1].At) {
			t.Errorf("trace %d has id %q and time %s", i, tr.ID, tr.At)
		}
	}
}

// What was made with our key is ours, whoever made it; what was made with another is not.
func TestTracesKnowOurKey(t *testing.T) {
	t.Parallel()
	var url string
	a, c := start(t, pagerdutytest.Config{UserTokens: map[string]string{"token-of-ada-9f2c": "PADA"}}, where(&url))
	a.AddUser(pagerdutytest.User{ID: "PADA", Name: "Ada Admin", Email: "ada2@example.com", Role: pagerdutytest.Admin})
	w := populate(a)
	other := client(t, url, "token-of-ada-9f2c")
	if _, err := c.Apply(t.Context(), baseRole(w.ann, lifecycle.RoleResponder)); err != nil {
		t.Fatalf("apply: %v", err)
	}
	behind(t, a.SetRoleAs(pagerdutytest.OwnKey, w.ann.ID, pagerdutytest.Admin))
	w.ann.Role = pagerdutytest.Admin
	if _, err := other.Apply(t.Context(), baseRole(w.ann, lifecycle.RoleObserver)); err != nil {
		t.Fatalf("apply with another key: %v", err)
	}
	type mark struct {
		Key, By string
		Ours    bool
	}
	var got []mark
	for _, tr := range traces(t, c) {
		got = append(got, mark{tr.Key, string(tr.By), tr.Ours})
	}
	if diff := cmp.Diff([]mark{{"0001", "", true}, {"0001", "", true}, {"9f2c", "PADA", false}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An app's tokens change daily. Records that show one of ours tell what PagerDuty calls the app, and with it whose the
// others are.
func TestTracesKnowOurApp(t *testing.T) {
	t.Parallel()
	secret := asApp(always("s3cret-of-the-app"))
	var url string
	a, c := start(t, pagerdutytest.Config{OAuth: app(pagerduty.Scopes()...)}, where(&url), secret)
	w := populate(a)
	for _, role := range []lifecycle.BaseRole{lifecycle.RoleResponder, lifecycle.RoleObserver} {
		if _, err := c.Apply(t.Context(), baseRole(w.ann, role)); err != nil {
			t.Fatalf("apply: %v", err)
		}
		w.ann.Role = string(role)
		a.RevokeTokens()
	}
	behind(t, a.SetRoleAs(pagerdutytest.OwnKey, w.ann.ID, pagerdutytest.Admin))
	for name, client := range map[string]*pagerduty.Client{"the one that made them": c, "one that began later": client(t, url, "", secret)} {
		got := traces(t, client)
		if len(got) != 3 || !got[0].Ours || !got[1].Ours || got[2].Ours || got[0].Way != lifecycle.WayApp || len(got[0].Key) != 4 || got[0].Key == got[1].Key {
			t.Errorf("%s: traces are %+v, want two of ours with two tokens, and one with a key that is not", name, got)
		}
	}
}

func TestTracesOverManyPages(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	for i := range 130 {
		behind(t, a.SetRoleAs(w.ada.Email, w.ann.ID, []string{pagerdutytest.Admin, pagerdutytest.Manager}[i%2]))
		behind(t, a.SetMemberAs(w.ada.Email, w.web.ID, w.bo.ID, pagerdutytest.TeamObserver), a.RemoveMemberAs(w.ada.Email, w.web.ID, w.bo.ID))
	}
	a.Forget()
	got := traces(t, c)
	if n := a.Calls()["GET /audit/records"]; len(got) != 3*130 || n != 6 { // of 520 records
		t.Fatalf("%d traces with %d calls, want 390 with 6", len(got), n)
	}
	for i, tr := range got {
		want := []string{"admin", "observer", ""}[i%3]
		if i%6 == 3 {
			want = "user"
		}
		if tr.To != want {
			t.Fatalf("trace %d goes to %q, want %q", i, tr.To, want)
		}
	}
}

func TestTracesUnderFaults(t *testing.T) {
	t.Parallel()
	for how, kind := range faults() {
		for _, nth := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s on page %d", how, nth), func(t *testing.T) {
				t.Parallel()
				a, c := start(t, pagerdutytest.Config{}, quick)
				w := populate(a)
				for i := range 120 {
					behind(t, a.SetRoleAs(w.ada.Email, w.ann.ID, []string{pagerdutytest.Admin, pagerdutytest.Manager}[i%2]))
				}
				a.Fail(pagerdutytest.Fault{Path: "/audit/records", Nth: nth, Kind: kind})
				if got := traces(t, c); len(got) != 120 {
					t.Errorf("%d traces, want 120", len(got))
				}
			})
		}
	}
}

// Trouble that stays is an error, and never a short history.
func TestTracesAreWholeOrAnError(t *testing.T) {
	t.Parallel()
	for how, kind := range faults() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Timeout, cfg.Backoff = 20*time.Millisecond, 1 })
			w := populate(a)
			for i := range 120 {
				behind(t, a.SetRoleAs(w.ada.Email, w.ann.ID, []string{pagerdutytest.Admin, pagerdutytest.Manager}[i%2]))
			}
			a.Fail(pagerdutytest.Fault{Path: "/audit/records", Nth: 2, Times: -1, Kind: kind})
			got, err := c.Traces(t.Context(), time.Now().Add(-time.Hour), time.Now())
			if err == nil || lifecycle.ReasonOf(err) != "" && how != "a locked account" || len(got) > 0 {
				t.Errorf("%d traces and %v, want none and a fault", len(got), err)
			}
		})
	}
}

func TestTracesThatAreNotToBeHad(t *testing.T) {
	t.Parallel()
	few := []string{"users.read"}
	text := app(few...)
	text.ScopesAsText = true
	for name, tt := range map[string]struct {
		fake   pagerdutytest.Config
		change func(*pagerduty.Config)
		want   string
	}{
		"a plan without": {
			pagerdutytest.Config{Abilities: []string{"teams"}},
			nil,
			"This PagerDuty plan has no audit records: who made a change cannot be told.",
		},
		"an app without the scope": {
			pagerdutytest.Config{OAuth: app(few...)},
			asApp(always("s3cret-of-the-app")),
			"rolecall's PagerDuty app lacks audit_records.read: who made a change cannot be told.",
		},
		"an app without the scope, in another form": {
			pagerdutytest.Config{OAuth: text},
			asApp(always("s3cret-of-the-app")),
			"rolecall's PagerDuty app lacks audit_records.read: who made a change cannot be told.",
		},
		"an app without the scope, refused without words": {
			pagerdutytest.Config{OAuth: app(few...)},
			func(cfg *pagerduty.Config) {
				asApp(always("s3cret-of-the-app"))(cfg)
				cfg.Transport = bare{}
			},
			"rolecall's PagerDuty app lacks audit_records.read: who made a change cannot be told.",
		},
		"a key of no admin": {
			pagerdutytest.Config{UserTokens: map[string]string{"token-of-ann": "PANN"}},
			func(cfg *pagerduty.Config) { cfg.Token = always("token-of-ann") },
			"rolecall's PagerDuty key may not read its audit records, which takes an account key",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.change == nil {
				tt.change = func(*pagerduty.Config) {}
			}
			a, c := start(t, tt.fake, tt.change)
			a.AddUser(pagerdutytest.User{ID: "PANN", Name: "Ann", Email: "ann9@example.com"})
			_, err := c.Traces(t.Context(), time.Now().Add(-time.Hour), time.Now())
			if !strings.HasPrefix(lifecycle.ReasonOf(err), tt.want) || !errors.Is(err, lifecycle.ErrForbidden) {
				t.Errorf("traces: %v, want a refusal that begins with %q", err, tt.want)
			}
		})
	}
}

// bare takes the words from refusals.
type bare struct{}

func (bare) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusForbidden {
		_ = resp.Body.Close() // what it says is not passed on
		resp.Body, resp.ContentLength = http.NoBody, 0
	}
	return resp, err
}

func TestTracesBackwards(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	now := time.Now()
	if _, err := c.Traces(t.Context(), now, now.Add(-1)); !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("since after until: %v, want a refusal", err)
	}
	if got, err := c.Traces(t.Context(), now.AddDate(-3, 0, 0), now.AddDate(-2, 0, 0)); err != nil || len(got) != 0 || a.TotalCalls() != 0 {
		t.Errorf("what PagerDuty has forgotten: %v, %v after %d calls", got, err, a.TotalCalls())
	}
}

// answers arms one answer after another.
func answers(a *pagerdutytest.Account, path string, bodies ...string) {
	for i, body := range bodies {
		a.Fail(pagerdutytest.Fault{Path: path, Nth: i + 1, Kind: pagerdutytest.Status(http.StatusOK, body)})
	}
}

// Nearly all of a record may be missing or null, and it may have more than the document says.
func TestTracesOfOddRecords(t *testing.T) {
	t.Parallel()
	record := func(request, root, action, details string) string {
		return `{"id":"PREC","execution_time":"2026-11-20T10:00:00.123Z","execution_context":` + request + `,"method":{"type":"api_token","truncated_token":"secret-9f2c"},"root_resource":` + root + `,"action":"` + action + `","details":` + details + `}`
	}
	const (
		team = `{"id":"PTEAM","type":"team_reference","summary":"Core"}`
		ann  = `{"id":"PANN","type":"user_reference","summary":"Ann"}`
		req  = `{"request_id":"r1"}`
	)
	core := func(role string) lifecycle.Entitlement {
		return lifecycle.OnTeam(lifecycle.Team{ID: "PTEAM", Name: "Core"}, lifecycle.TeamRole(role))
	}
	added, role := `{"references":[{"name":"team_members","added":[`+ann+`,{"id":"PSCHED","type":"schedule_reference"}],"removed":null}]}`,
		`{"resource":`+ann+`,"fields":[{"name":"team_role","value":"manager"}]}`
	for name, tt := range map[string]struct {
		records []string // newest first
		want    []lifecycle.Trace
	}{
		"nothing at all":              {records: nil},
		"no details":                  {records: []string{record("null", ann, "update", "null")}},
		"a schedule":                  {records: []string{record(req, `{"id":"PSCHED","type":"schedule_reference","summary":null}`, "delete", `{"fields":[{"name":"role","value":"admin"}]}`)}},
		"a rule of somebody's":        {records: []string{record(req, ann, "update", `{"resource":{"id":"PRULE","type":"assignment_notification_rule_reference"},"fields":[{"name":"role","before_value":"a","value":"b"}]}`)}},
		"a field that did not change": {records: []string{record(req, ann, "update", `{"fields":[{"name":"role","before_value":"user","value":"user"}]}`)}},
		"a role of a kind that nobody knows": {
			records: []string{record("null", ann, "update", `{"fields":[{"name":"role","before_value":["x"],"value":"future_role\n"}]}`)},
			want:    []lifecycle.Trace{{Op: lifecycle.OpReplace, Account: "PANN", Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "future_role"}, From: `["x"]`, To: "future_role"}},
		},
		"a user who was deleted, without more": {
			records: []string{record("null", ann, "delete", "null")},
			want:    []lifecycle.Trace{{Op: lifecycle.OpDelete, Account: "PANN", Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}}},
		},
		"joining, split, the role first": {
			records: []string{record(req, team, "update", added), record(req, team, "update", role)},
			want:    []lifecycle.Trace{{Op: lifecycle.OpGrant, Account: "PANN", Entitlement: core("manager"), To: "manager"}},
		},
		"joining, the role by another request": {
			records: []string{record(`{"request_id":"r2"}`, team, "update", role), record(req, team, "update", added)},
			want: []lifecycle.Trace{
				{Op: lifecycle.OpGrant, Account: "PANN", Entitlement: core("")},
				{Op: lifecycle.OpGrant, Account: "PANN", Entitlement: core("manager"), To: "manager"},
			},
		},
		"joining, split, by requests without an id": {
			records: []string{record("null", team, "update", role), record("null", team, "update", added)},
			want: []lifecycle.Trace{
				{Op: lifecycle.OpGrant, Account: "PANN", Entitlement: core("")},
				{Op: lifecycle.OpGrant, Account: "PANN", Entitlement: core("manager"), To: "manager"},
			},
		},
		"joining twice by one request, with one role": {
			records: []string{record(req, team, "update", role), record(req, team, "update", added), record(req, team, "update", added)},
			want: []lifecycle.Trace{
				{Op: lifecycle.OpGrant, Account: "PANN", Entitlement: core("manager"), To: "manager"},
				{Op: lifecycle.OpGrant, Account: "PANN", Entitlement: core("")},
			},
		},
		"out of order": {
			records: []string{record("null", ann, "delete", "null"), strings.Replace(record("null", ann, "create", "null"), "10:00:00.123Z", "11:00:00Z", 1)},
			want: []lifecycle.Trace{
				{Op: lifecycle.OpDelete, Account: "PANN", Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}},
				{Op: lifecycle.OpCreate, Account: "PANN", Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}},
			},
		},
		"leaving, split": {
			records: []string{
				record(req, team, "update", `{"resource":`+ann+`,"fields":[{"name":"team_role","before_value":"manager","value":null}]}`),
				record(req, team, "update", `{"references":[{"name":"members","removed":[`+ann+`]}]}`),
			},
			want: []lifecycle.Trace{{Op: lifecycle.OpRevoke, Account: "PANN", Entitlement: core("manager"), From: "manager"}},
		},
		"a team that was deleted": {
			records: []string{record(req, team, "delete", `{"resource":`+team+`}`)},
			want:    []lifecycle.Trace{{Op: lifecycle.OpDelete, Entitlement: core("")}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			for i := range tt.records {
				tt.records[i] = strings.Replace(tt.records[i], "PREC", fmt.Sprintf("PREC%d", i), 1)
			}
			answers(a, "/audit/records", `{"records":[`+strings.Join(tt.records, ",")+`],"next_cursor":null}`)
			for i := range tt.want {
				tt.want[i].Way, tt.want[i].Key = lifecycle.WayKey, "9f2c"
			}
			if diff := cmp.Diff(tt.want, traces(t, c), untimed(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("traces (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTracesWithPagesThatDoNotFit(t *testing.T) {
	t.Parallel()
	const rec = `{"id":"P1","execution_time":"2026-11-20T10:00:00Z","root_resource":{"id":"PANN","type":"user_reference"},"action":"delete"}`
	for name, tt := range map[string]struct {
		bodies []string
		want   string
	}{
		"a cursor that comes again": {
			[]string{`{"records":[],"next_cursor":"a"}`, `{"records":[],"next_cursor":"b"}`, `{"records":[],"next_cursor":"a"}`}, "a second time",
		},
		"a cursor that is none":       {[]string{`{"records":[],"next_cursor":7}`}, "read the cursor"},
		"more, and no cursor":         {[]string{`{"records":[],"more":true}`}, "there is no cursor"},
		"a record without an id":      {[]string{`{"records":[{"execution_time":"2026-11-20T10:00:00Z"}],"next_cursor":null}`}, "no id or no time"},
		"a record without a time":     {[]string{`{"records":[{"id":"P1"}],"next_cursor":null}`}, "no id or no time"},
		"a record with no real time":  {[]string{`{"records":[{"id":"P1","execution_time":"yesterday"}],"next_cursor":null}`}, "yesterday"},
		"a record that is no object":  {[]string{`{"records":["P1"],"next_cursor":null}`}, "GET /audit/records"},
		"trouble behind a whole page": {[]string{`{"records":[` + rec + `],"next_cursor":"a"}`, `{"records":[{}],"next_cursor":null}`}, "no id or no time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			answers(a, "/audit/records", tt.bodies...)
			got, err := c.Traces(t.Context(), time.Now().Add(-time.Hour), time.Now())
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(got) > 0 {
				t.Errorf("traces are %v, %v; want none and an error that says %q", got, err, tt.want)
			}
		})
	}
}
