package pagerdutytest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func into[T any](t *testing.T, a *pagerdutytest.Account, target string) T {
	t.Helper()
	var v T
	w := ask(t, a, "GET", target, "")
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != 200 {
		t.Fatalf("GET %s answers %d %s (%v), want 200", target, w.Code, w.Body, err)
	}
	return v
}

type userAnswer struct{ User struct{ Role string } }

type memberPage struct {
	Members []struct {
		Role string
		User struct{ ID string }
	}
}

func TestReadsLagBehindWrites(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		lag  pagerdutytest.ReadLag
		pass time.Duration
		want []string
	}{
		"not at all":    {want: []string{"observer", "observer", "observer"}},
		"for two reads": {lag: pagerdutytest.ReadLag{Reads: 2}, want: []string{"limited_user", "limited_user", "observer"}},
		"for a while":   {lag: pagerdutytest.ReadLag{For: 90 * time.Second}, pass: time.Minute, want: []string{"limited_user", "limited_user", "observer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClock()
			a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key, ReadLag: tt.lag})
			w := world(a)
			ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"observer"}}`)
			var got []string
			for range 3 {
				got = append(got, into[userAnswer](t, a, "/users/"+w.bo.ID).User.Role)
				c.pass(tt.pass)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMembersAndDeletionsLagToo(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, ReadLag: pagerdutytest.ReadLag{Reads: 1}})
	cy := a.AddUser(pagerdutytest.User{Name: "Cy", Email: "cy@example.com"})
	team := a.AddTeam(pagerdutytest.Team{Name: "Core"})
	ask(t, a, "PUT", "/teams/"+team.ID+"/users/"+cy.ID, `{"role":"observer"}`)
	var got []int
	for range 2 {
		got = append(got, len(into[memberPage](t, a, "/teams/"+team.ID+"/members").Members))
	}
	ask(t, a, "DELETE", "/users/"+cy.ID, "")
	for range 2 {
		got = append(got, ask(t, a, "GET", "/users/"+cy.ID, "").Code)
	}
	if diff := cmp.Diff([]int{0, 1, 200, 404}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A deleted user leaves a placeholder where offboarding lets them go, and nothing anywhere else.
func TestWhatADeletedUserLeaves(t *testing.T) {
	t.Parallel()
	cfg := offboarding(true)
	cfg.Token = key
	a := pagerdutytest.New(cfg)
	w := world(a)
	a.AddSession(w.ann.ID, "web")
	ask(t, a, "DELETE", "/users/"+w.ann.ID, "")

	got := map[string]any{
		"status":          ask(t, a, "GET", "/users/"+w.ann.ID, "").Code,
		"teams":           a.Roles(w.ann.ID),
		"contact methods": len(a.ContactMethods(w.ann.ID)),
		"session revoked": a.Sessions(w.ann.ID)[0].Revoked,
		"full seats": into[struct {
			Licenses []struct {
				Current int `json:"current_value"`
			}
		}](t, a, "/licenses").Licenses[0].Current,
		"still on policy": a.EscalationPolicies()[0].Rules[0].Targets[0].ID == w.ann.ID,
		"still scheduled": a.Schedules()[0].Layers[0].UserIDs[0] == w.ann.ID,
		"incidents":       a.Incidents()[0].AssigneeIDs,
	}
	want := map[string]any{
		"status": 404, "teams": map[string]string{}, "contact methods": 0, "session revoked": true, "full seats": 2,
		"still on policy": true, "still scheduled": true, "incidents": []string{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again := a.AddUser(pagerdutytest.User{Name: "Ann Ash", Email: "ann@example.com"})
	if again.ID == w.ann.ID {
		t.Errorf("the id %s was given twice", again.ID)
	}
	stub := into[struct {
		Policy struct {
			Rules []struct {
				Targets []map[string]any
			} `json:"escalation_rules"`
		} `json:"escalation_policy"`
	}](t, a, "/escalation_policies/"+w.policy.ID).Policy.Rules[0].Targets[0]
	if stub["deleted_at"] == nil || stub["self"] != nil {
		t.Errorf("the target is %v, want a placeholder", stub)
	}
}

// PagerDuty puts whoever a team's policy calls on the team, asked or not.
func TestAPolicyPutsItsTargetsOnItsTeam(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	if got := a.TeamRole(w.team.ID, w.ann.ID); got != "manager" {
		t.Errorf("Ann's role is %q, want manager, from the policy she was made a target of", got)
	}
	body := fmt.Sprintf(`{"escalation_policy":{"escalation_rules":[{"escalation_delay_in_minutes":5,
		"targets":[{"id":%q,"type":"user_reference"}]}]}}`, w.bo.ID)
	if got := said(t, ask(t, a, "PUT", "/escalation_policies/"+w.policy.ID, body)); got.Status != 200 {
		t.Fatalf("put policy: %+v", got)
	}
	if got := a.TeamRole(w.team.ID, w.bo.ID); got != "responder" {
		t.Errorf("Bo's role is %q, want responder", got)
	}
	if got := ask(t, a, "DELETE", "/teams/"+w.team.ID+"/users/"+w.ann.ID, "").Code; got != 204 {
		t.Errorf("Ann, whom the policy no longer calls, cannot leave: %d", got)
	}
}

func TestAuditSaysWhoAndHow(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"observer"}}`)
	for _, err := range []error{
		a.SetRoleAs(w.owner.Email, w.bo.ID, "user"), a.SetMemberAs(w.owner.Email, w.team.ID, w.bo.ID, "manager"),
		a.RemoveMemberAs(w.owner.Email, w.team.ID, w.bo.ID),
	} {
		if err != nil {
			t.Fatalf("in the web app: %v", err)
		}
	}
	type record struct {
		Method struct {
			Type string
			Tail string `json:"truncated_token"`
		}
		Actors  []struct{ Type, Summary string }
		Root    struct{ ID string } `json:"root_resource"`
		Details struct {
			Fields []struct {
				Name, Value string
				Before      string `json:"before_value"`
			}
			References []struct {
				Name           string
				Added, Removed []struct{ ID string }
			}
		}
	}
	type page struct {
		Records []record
		Next    string `json:"next_cursor"`
	}
	var got []string
	target := "/audit/records?limit=2"
	for range 3 {
		p := into[page](t, a, target)
		for _, r := range p.Records {
			line := r.Method.Type + r.Method.Tail + " " + r.Actors[0].Type
			for _, f := range r.Details.Fields {
				line += " " + f.Name + ":" + f.Before + ">" + f.Value
			}
			for _, f := range r.Details.References {
				line += fmt.Sprintf(" %s +%d -%d", f.Name, len(f.Added), len(f.Removed))
			}
			got = append(got, line)
		}
		if p.Next == "" {
			break
		}
		target = "/audit/records?limit=2&cursor=" + url.QueryEscape(p.Next)
		if err := a.RenameAs(w.owner.Email, w.bo.ID, "", ""); err != nil { // what happens meanwhile does not shift the pages
			t.Fatalf("rename: %v", err)
		}
	}
	want := []string{
		"browser user_reference members +0 -1", "browser user_reference team_role:>manager", "browser user_reference members +1 -0",
		"browser user_reference role:observer>user", "api_token0001 api_key_reference role:limited_user>observer",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("newest first (-want +got):\n%s", diff)
	}
	mine := into[page](t, a, "/audit/records?method_type=api_token&method_truncated_token=0001&root_resource_types[]=users")
	if len(mine.Records) != 1 {
		t.Errorf("%d records of the key, want 1", len(mine.Records))
	}
}

func TestTheDirectoryIsAnActorOfItsOwn(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	if err := a.SetRoleAs(pagerdutytest.IdentityProvider, w.bo.ID, "observer"); err != nil {
		t.Fatalf("set role: %v", err)
	}
	got := into[struct {
		Records []struct{ Method struct{ Type string } }
	}](t, a, "/audit/records?method_type=identity_provider")
	if len(got.Records) != 1 {
		t.Errorf("records by the directory: %+v, want one", got.Records)
	}
}

func TestAReplacedKeyIsWorthless(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	a.SetToken("account-key-0002")
	if got := ask(t, a, "GET", "/users", "").Code; got != 401 {
		t.Errorf("the old key answers %d, want 401", got)
	}
	if got := ask(t, a, "GET", "/users", "", "Authorization", "Token token=account-key-0002").Code; got != 200 {
		t.Errorf("the new key answers %d, want 200", got)
	}
}

// Recordings drop their oldest tenth when they are full.
func TestRecordingsAreCapped(t *testing.T) {
	t.Parallel()
	full := make([]int, pagerdutytest.Keep+1)
	full[len(full)-1] = 7
	got := pagerdutytest.Capped(full)
	if len(got) != pagerdutytest.Keep+1-pagerdutytest.Keep/10 || got[len(got)-1] != 7 {
		t.Errorf("%d are kept and the last is %d, want nine tenths with the newest", len(got), got[len(got)-1])
	}
	if got := pagerdutytest.Capped(full[1:]); len(got) != pagerdutytest.Keep {
		t.Errorf("%d are kept, want all of a recording that is not over full", len(got))
	}
}

func TestWritesTellWhatHappened(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"observer"}}`)
	ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"observer"}}`)
	ask(t, a, "DELETE", "/users/"+w.bo.ID, "")
	type line struct {
		Method  string
		Status  int
		Changed bool
		Refusal string
	}
	var got []line
	for _, x := range a.Writes() {
		got = append(got, line{x.Method, x.Status, x.Changed, x.Refusal})
	}
	want := []line{{"PUT", 200, true, ""}, {"PUT", 200, false, ""}, {"DELETE", 400, false, "User cannot be deleted as they are on a schedule"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(a.Effects()); n != 1 {
		t.Errorf("%d effects, want 1", n)
	}
	if n := a.Calls()["PUT /users/{id}"]; n != 2 {
		t.Errorf("%d calls of PUT /users/{id}, want 2", n)
	}
}

func TestWaitReturnsAtTheNextChange(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{})
	since := a.Version()
	got := make(chan uint64, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		v, err := a.Wait(t.Context(), since)
		if err != nil {
			t.Errorf("wait: %v", err)
		}
		got <- v
	})
	populate(a, 1)
	wg.Wait()
	if v := <-got; v <= since {
		t.Errorf("version is %d, want more than %d", v, since)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Wait(ctx, a.Version()); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that the context ended", err)
	}
}

func TestOnCallFollowsTheLayers(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key})
	ids := populate(a, 3)
	day := 24 * time.Hour
	s := a.AddSchedule(pagerdutytest.Schedule{Name: "Daily", Layers: []pagerdutytest.Layer{
		{Start: c.now().Add(-10 * day), Turn: day, UserIDs: ids[:2]},
		{Start: c.now().Add(2 * day), End: c.now().Add(3 * day), Turn: day, UserIDs: ids[2:]},
	}})
	a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "P", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.ScheduleTarget(s.ID)}}}})
	page := into[struct {
		Oncalls []struct {
			User       struct{ ID string }
			Start, End time.Time
		}
	}](t, a, "/oncalls?since="+c.now().Format(time.RFC3339)+"&until="+c.now().Add(4*day).Format(time.RFC3339))
	var got []string
	for _, o := range page.Oncalls {
		got = append(got, fmt.Sprintf("%s %+d %+d", o.User.ID, int(o.Start.Sub(c.now()).Hours()), int(o.End.Sub(c.now()).Hours())))
	}
	want := []string{ids[0] + " +0 +24", ids[1] + " +24 +48", ids[2] + " +48 +72", ids[1] + " +72 +96"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	layers := into[struct {
		Schedule struct {
			Layers []struct{ Name string } `json:"schedule_layers"`
		}
	}](t, a, "/schedules/"+s.ID).Schedule.Layers
	if layers[0].Name != "Layer 2" {
		t.Errorf("the first layer is %q, want the one that wins, Layer 2", layers[0].Name)
	}
}

func TestSessionsEndByKind(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	for _, kind := range []string{"web", "mobile", "integration"} {
		a.AddSession(w.ann.ID, kind)
	}
	ask(t, a, "DELETE", "/oauth_delegations?user_id="+w.ann.ID+"&type=web%2Cmobile", "")
	left := into[struct {
		All []struct {
			Kind string `json:"delegation_type"`
		} `json:"oauth_delegations"`
	}](t, a, "/users/"+w.ann.ID+"/oauth_delegations?status=issued").All
	if len(left) != 1 || left[0].Kind != "integration" {
		t.Errorf("sessions left: %v, want the integration alone", left)
	}
}

// Everything at once, for the race detector; the counts must add up.
func TestManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	a, base := start(t, pagerdutytest.Config{RateLimit: pagerdutytest.NoRateLimit})
	w := world(a)
	team := a.AddTeam(pagerdutytest.Team{Name: "Crowd"})
	ids := populate(a, 20)
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			if status, _, _, err := send(t.Context(), "PUT", base+"/teams/"+team.ID+"/users/"+id, `{"role":"observer"}`); status != 204 {
				t.Errorf("put %d: %d %v", i, status, err)
			}
			if status, _, _, err := send(t.Context(), "GET", base+"/users?limit=100", ""); status != 200 {
				t.Errorf("users %d: %d %v", i, status, err)
			}
			if err := a.RenameAs(w.owner.Email, id, fmt.Sprintf("Renamed %d", i), ""); err != nil {
				t.Errorf("rename %d: %v", i, err)
			}
			_, _, _ = a.Users(), a.Writes(), a.Version()
		})
	}
	wg.Wait()
	if n := len(a.Members(team.ID)); n != len(ids) {
		t.Errorf("%d members, want %d", n, len(ids))
	}
	if n := len(a.Effects()); n != len(ids) {
		t.Errorf("%d effects, want %d", n, len(ids))
	}
}
