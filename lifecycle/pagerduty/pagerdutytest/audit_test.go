package pagerdutytest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

type auditRef struct{ ID, Type string }

type auditRecord struct {
	Context struct {
		Request string `json:"request_id"`
	} `json:"execution_context"`
	Method struct {
		Type string
		Tail string `json:"truncated_token"`
	}
	Actors  []auditRef
	Root    auditRef `json:"root_resource"`
	Action  string
	Details struct {
		Resource auditRef
		Fields   []struct {
			Name, Value string
			Before      string `json:"before_value"`
		}
		References []struct {
			Name           string
			Added, Removed []auditRef
		}
	}
}

// line is the record in one line: how, who, what.
func (r auditRecord) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s", r.Method.Type, r.Method.Tail)
	for _, x := range r.Actors {
		fmt.Fprintf(&b, " by %s", x.ID)
	}
	fmt.Fprintf(&b, ": %s %s/%s", r.Action, r.Root.ID, r.Details.Resource.ID)
	for _, f := range r.Details.Fields {
		fmt.Fprintf(&b, " %s:%s>%s", f.Name, f.Before, f.Value)
	}
	for _, f := range r.Details.References {
		fmt.Fprintf(&b, " %s+%v-%v", f.Name, f.Added, f.Removed)
	}
	return b.String()
}

func audited(t *testing.T, a *pagerdutytest.Account, target string) []auditRecord {
	t.Helper()
	return into[struct{ Records []auditRecord }](t, a, target).Records
}

func lines(all []auditRecord) []string {
	var out []string
	for _, r := range all {
		out = append(out, r.line())
	}
	return out
}

// In these records the same change is made by every kind of actor.
func TestAuditNamesEveryKindOfActor(t *testing.T) {
	t.Parallel()
	app := app()
	app.Scopes = []string{"users.write"}
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, OAuth: app, UserTokens: map[string]string{annsKey: "PANN"}})
	w := world(a)
	_, granted := askToken(t, a, form())
	put := func(role string, header ...string) error {
		if w := ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"`+role+`"}}`, header...); w.Code != 200 {
			return fmt.Errorf("put role %s: %d %s", role, w.Code, w.Body)
		}
		return nil
	}
	for _, err := range []error{
		put("observer"),
		a.SetRoleAs(pagerdutytest.OwnKey, w.bo.ID, "user"),
		put("observer", "Authorization", "Bearer "+granted.Token),
		a.SetRoleAs(pagerdutytest.OwnApp, w.bo.ID, "user"),
		put("observer", "Authorization", "Token token="+annsKey),
		a.SetRoleAs(w.owner.Email, w.bo.ID, "user"),
		a.SetRoleAs(pagerdutytest.IdentityProvider, w.bo.ID, "observer"),
	} {
		if err != nil {
			t.Fatalf("change: %v", err)
		}
	}
	bo, tail := w.bo.ID, granted.Token[len(granted.Token)-4:]
	down, up := ": update "+bo+"/"+bo+" role:user>observer", ": update "+bo+"/"+bo+" role:observer>user"
	want := []string{
		"identity_provider by " + bo + down,
		"browser by " + w.owner.ID + up,
		"api_token" + annsKey[len(annsKey)-4:] + " by PANN" + down,
		"oauth" + tail + " by PAPPAPP" + up,
		"oauth" + tail + " by PAPPAPP" + down,
		"api_token0001 by PAPIKEY" + up,
		"api_token0001 by PAPIKEY: update " + bo + "/" + bo + " role:limited_user>observer",
	}
	if diff := cmp.Diff(want, lines(audited(t, a, "/audit/records"))); diff != "" {
		t.Errorf("newest first (-want +got):\n%s", diff)
	}
}

func TestActorsWithoutACredentialCannotAct(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{})
	w := world(a)
	for _, actor := range []string{pagerdutytest.OwnKey, pagerdutytest.OwnApp} {
		if err := a.SetRoleAs(actor, w.bo.ID, "observer"); err == nil {
			t.Errorf("the %s acts although there is none, want an error", actor)
		}
	}
}

func TestAuditHasEverythingThatIsWritten(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	cy := invite(t, a, w)
	member := "/teams/" + w.team.ID + "/users/" + cy
	ask(t, a, "PUT", member, `{"role":"observer"}`)
	ask(t, a, "PUT", member, `{"role":"manager"}`)
	ask(t, a, "DELETE", member, "")
	m := made(t, a, "/users/"+cy+"/contact_methods", phone("5550100"))
	ask(t, a, "DELETE", "/users/"+cy+"/contact_methods/"+m, "")
	ask(t, a, "DELETE", "/users/"+cy, "")
	team, who := w.team.ID, "api_token0001 by PAPIKEY: "
	was := " name:Cy Cedar> email:cy@example.com> role:limited_user> time_zone:Etc/UTC>"
	is := " name:>Cy Cedar email:>cy@example.com role:>limited_user time_zone:>Etc/UTC"
	want := []string{
		who + "delete " + cy + "/" + cy + was,
		who + "update " + cy + "/" + m + " label:Work> address:5550100>",
		who + "update " + cy + "/" + m + " label:>Work address:>5550100",
		who + "update " + team + "/" + team + " members+[]-[{" + cy + " user_reference}]",
		who + "update " + team + "/" + cy + " team_role:observer>manager",
		who + "update " + team + "/" + cy + " team_role:>observer",
		who + "update " + team + "/" + team + " members+[{" + cy + " user_reference}]-[]",
		who + "create " + cy + "/" + cy + is,
	}
	got := audited(t, a, "/audit/records")
	if diff := cmp.Diff(want, lines(got)); diff != "" {
		t.Errorf("newest first (-want +got):\n%s", diff)
	}
	if x, y, z := got[4].Context.Request, got[5].Context.Request, got[6].Context.Request; y != z || x == y {
		t.Errorf("requests are %s, %s, %s; want the two records of joining to share theirs alone", x, y, z)
	}
}

func TestAuditOfOneThingIsAboutThatThing(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, ReadOnlyToken: "reader", UserTokens: map[string]string{annsKey: "PANN"}})
	w := world(a)
	ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"observer"}}`)
	ask(t, a, "PUT", "/teams/"+w.team.ID+"/users/"+w.bo.ID, `{"role":"observer"}`)
	ask(t, a, "PUT", "/escalation_policies/"+w.policy.ID, `{"escalation_policy":{"name":"Renamed"}}`)
	got := map[string]int{}
	for _, target := range []string{"/users/" + w.bo.ID, "/teams/" + w.team.ID, "/escalation_policies/" + w.policy.ID, "/users/" + w.ann.ID} {
		got[target] = len(audited(t, a, target+"/audit/records"))
	}
	want := map[string]int{"/users/" + w.bo.ID: 1, "/teams/" + w.team.ID: 2, "/escalation_policies/" + w.policy.ID: 1, "/users/" + w.ann.ID: 0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	for name, tt := range map[string]struct {
		target, token string
		want          int
	}{
		"all with a key for reading":         {"/audit/records", "reader", 200},
		"all with the token of no admin":     {"/audit/records", annsKey, 403},
		"one's with the token of no admin":   {"/users/" + w.bo.ID + "/audit/records", annsKey, 200},
		"those of somebody who is not there": {"/users/PNONE/audit/records", key, 404},
		"those of a team that is not there":  {"/teams/PNONE/audit/records", key, 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ask(t, a, "GET", tt.target, "", "Authorization", "Token token="+tt.token).Code; got != tt.want {
				t.Errorf("answers %d, want %d", got, tt.want)
			}
		})
	}
	poor := pagerdutytest.New(pagerdutytest.Config{Token: key, Abilities: []string{}})
	ann := world(poor).ann.ID
	if got := said(t, ask(t, poor, "GET", "/users/"+ann+"/audit/records", "")); got != (answer{402, 2014, "The audit trail is not included in the plan"}) {
		t.Errorf("on a plan without: %+v, want 402", got)
	}
}

// Records appear late when the account says so, are found in the last day by default, and are kept for a year.
func TestAuditRecordsComeAndGoWithTime(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key, AuditDelay: 5 * time.Minute})
	w := world(a)
	changed := c.now()
	if err := a.SetRoleAs(w.owner.Email, w.bo.ID, "observer"); err != nil {
		t.Fatalf("set role: %v", err)
	}
	around := "?since=" + url.QueryEscape(changed.Add(-time.Hour).Format(time.RFC3339)) + "&until=" + url.QueryEscape(changed.Add(time.Hour).Format(time.RFC3339))
	type seen struct{ ByDefault, Around int }
	look := func() seen {
		return seen{len(audited(t, a, "/audit/records")), len(audited(t, a, "/audit/records"+around))}
	}
	var got []seen
	for _, d := range []time.Duration{0, 5*time.Minute - 1, 1, 24 * time.Hour, 360 * 24 * time.Hour, 5 * 24 * time.Hour} {
		c.pass(d)
		got = append(got, look())
	}
	want := []seen{{0, 0}, {0, 0}, {1, 1}, {0, 1}, {0, 1}, {0, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(a.AuditRecords()); n != 1 {
		t.Errorf("the account itself has %d records, want one", n)
	}
}

func TestAuditFilters(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"observer"}}`)
	ask(t, a, "PUT", "/teams/"+w.team.ID+"/users/"+w.bo.ID, `{"role":"observer"}`)
	if err := a.DeleteUserAs(w.owner.Email, w.bo.ID); err != nil {
		t.Fatalf("delete: %v", err)
	}
	for name, tt := range map[string]struct {
		query string
		want  int // of the four records; 0 is a refusal
	}{
		"of users":                {"root_resource_types[]=users", 2},
		"of users and teams":      {"root_resource_types[]=users&root_resource_types[]=teams", 4},
		"deletions":               {"actions[]=delete", 1},
		"by one person":           {"actor_type=user_reference&actor_id=" + w.owner.ID, 1},
		"by a kind of actor":      {"actor_type=api_key_reference", 3},
		"by browser":              {"method_type=browser", 1},
		"by the key":              {"method_type=api_token&method_truncated_token=0001", 3},
		"by an actor of no kind":  {"actor_id=" + w.owner.ID, 0},
		"by a token of no method": {"method_truncated_token=0001", 0},
		"of things that are none": {"root_resource_types[]=user", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ask(t, a, "GET", "/audit/records?"+tt.query, "")
			if tt.want == 0 {
				if w.Code != 400 {
					t.Errorf("answers %d, want 400", w.Code)
				}
				return
			}
			if got := len(audited(t, a, "/audit/records?"+tt.query)); got != tt.want {
				t.Errorf("%d records, want %d", got, tt.want)
			}
		})
	}
}
