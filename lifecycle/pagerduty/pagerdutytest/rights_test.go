package pagerdutytest_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// Every operation that has a scope refuses a token that has all the others.
func TestEveryOperationAsksForItsScope(t *testing.T) {
	t.Parallel()
	app := app()
	app.Scopes = pagerdutytest.AllScopes()
	a := pagerdutytest.New(pagerdutytest.Config{OAuth: app, RateLimit: pagerdutytest.NoRateLimit})
	token := func(scopes []string) string {
		_, g := askToken(t, a, form("scope", "as_account-us.acme "+strings.Join(scopes, " ")))
		return "Bearer " + g.Token
	}
	for _, op := range pagerdutytest.Operations() {
		if op.Scope == "" {
			continue
		}
		others := slices.DeleteFunc(pagerdutytest.AllScopes(), func(s string) bool { return s == op.Scope })
		if len(others) != len(app.Scopes)-1 {
			t.Fatalf("AllScopes lacks %s", op.Scope)
		}
		path := strings.NewReplacer("{", "", "}", "").Replace(op.Path)
		if got := ask(t, a, op.Method, path, "", "Authorization", token(others)).Code; got != 403 {
			t.Errorf("%s %s without %s answers %d, want 403", op.Method, op.Path, op.Scope, got)
		}
		if got := ask(t, a, op.Method, path, "", "Authorization", token([]string{op.Scope})).Code; got == 403 || got == 401 {
			t.Errorf("%s %s with %s alone answers %d, want that it is let in", op.Method, op.Path, op.Scope, got)
		}
	}
}

func TestAMissingScopeMayComeAsText(t *testing.T) {
	t.Parallel()
	app := app()
	app.Region, app.ScopesAsText = "eu", true
	a := pagerdutytest.New(pagerdutytest.Config{OAuth: app, Subdomain: "umbrella"})
	status, g := askToken(t, a, form("scope", "as_account-eu.umbrella users.read nonsense teams.read"))
	if status != 200 || g.Scope != "as_account-eu.umbrella users.read teams.read" {
		t.Fatalf("token is %d %+v, want both scopes and no nonsense", status, g)
	}
	got := ask(t, a, "GET", "/schedules", "", "Authorization", "Bearer "+g.Token)
	want := `{"error":{"message":"Token missing required scopes","required_scopes":"schedules.read","token_scopes":"users.read teams.read"}}`
	if got.Code != 403 || got.Body.String() != want {
		t.Errorf("got %d %s, want 403 %s", got.Code, got.Body, want)
	}
}

// Of more than ten thousand users a listing shows no more than that; team by team, they can all be had.
func TestManyUsersAreReadInParts(t *testing.T) {
	t.Parallel()
	const all = 10_050
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, RateLimit: pagerdutytest.NoRateLimit})
	var teams []string
	for _, name := range []string{"A", "B"} {
		teams = append(teams, a.AddTeam(pagerdutytest.Team{Name: name}).ID)
	}
	for i, id := range populate(a, all) {
		a.AddMember(teams[i%2], id, "observer")
	}
	type page struct {
		Users []struct{ ID string }
		More  bool
		Total *int
	}
	last := into[page](t, a, "/users?limit=100&offset=9900&total=true")
	if len(last.Users) != 100 || !last.More || *last.Total != all {
		t.Errorf("the last page that can be had has %d users, more %v, of %d; want 100, and more", len(last.Users), last.More, *last.Total)
	}
	if got := ask(t, a, "GET", "/users?limit=100&offset=10000", "").Code; got != 400 {
		t.Errorf("the page after it answers %d, want 400", got)
	}
	seen := map[string]bool{}
	for _, team := range teams {
		for offset, more := 0, true; more; offset += 100 {
			p := into[page](t, a, fmt.Sprintf("/users?limit=100&offset=%d&team_ids[]=%s", offset, url.QueryEscape(team)))
			for _, u := range p.Users {
				seen[u.ID] = true
			}
			more = p.More
		}
	}
	if len(seen) != all {
		t.Errorf("team by team there are %d, want %d", len(seen), all)
	}
}

func TestAllocationsAreDatedPagedAndForAdmins(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key, UserTokens: map[string]string{annsKey: "PANN"}})
	w := world(a)
	since := c.now()
	c.pass(time.Hour)
	ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"read_only_user"}}`)
	ask(t, a, "PUT", "/users/"+w.ann.ID, `{"user":{"role":"observer"}}`)
	type page struct {
		All []struct {
			User    struct{ Summary string }
			License struct{ ID string }
			At      time.Time `json:"allocated_at"`
		} `json:"license_allocations"`
		More bool
	}
	var got []string
	for offset := 0; offset < 3; offset++ {
		p := into[page](t, a, fmt.Sprintf("/license_allocations?limit=1&offset=%d", offset))
		got = append(got, fmt.Sprintf("%s %s %v %v", p.All[0].User.Summary, p.All[0].License.ID, p.All[0].At.Sub(since), p.More))
	}
	want := []string{"Ann Ash PLICFULL 0s true", "Bo Birch PLICSTKH 1h0m0s true", "Olga Owner PLICFULL 0s false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var body struct {
		Error struct {
			Message string
			Code    *int
		}
	}
	refused := ask(t, a, "GET", "/license_allocations", "", "Authorization", "Token token="+annsKey)
	if err := json.Unmarshal(refused.Body.Bytes(), &body); err != nil || refused.Code != 403 || *body.Error.Code != 0 ||
		body.Error.Message != "Cannot read license allocations" {
		t.Errorf("to no admin it answers %d %s (%v), want 403 with code 0", refused.Code, refused.Body, err)
	}
}
