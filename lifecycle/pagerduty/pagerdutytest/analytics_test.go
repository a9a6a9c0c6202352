package pagerdutytest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

type analyticsPage struct {
	Data []struct {
		Name   string  `json:"user_name"`
		SignIn *string `json:"last_sign_in_at"`
		Team   *string `json:"team_id"`
	}
	First, Last string
	More        bool
}

func analytics(t *testing.T, a *pagerdutytest.Account, body string) analyticsPage {
	t.Helper()
	var p analyticsPage
	w := ask(t, a, "POST", "/analytics/raw/users", body)
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != 200 {
		t.Fatalf("analytics of %s answer %d %s (%v), want 200", body, w.Code, w.Body, err)
	}
	return p
}

func (p analyticsPage) names() []string {
	var out []string
	for _, r := range p.Data {
		out = append(out, r.Name)
	}
	return out
}

func TestAnalyticsPageForwardAndBack(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	populate(a, 5)
	var got [][]string
	body, last, first := `"order":"asc","order_by":"name","limit":2`, "", ""
	for range 3 {
		p := analytics(t, a, `{`+body+last+`}`)
		got = append(got, p.names())
		last, first = fmt.Sprintf(`,"starting_after":%q`, p.Last), p.First
		if !p.More {
			break
		}
	}
	got = append(got, analytics(t, a, fmt.Sprintf(`{%s,"ending_before":%q}`, body, first)).names())
	want := [][]string{{"User 0000", "User 0001"}, {"User 0002", "User 0003"}, {"User 0004"}, {"User 0002", "User 0003"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(a.Writes()); n != 0 {
		t.Errorf("%d writes, want none: it only reads", n)
	}
}

func TestAnalyticsLagBehind(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key, Analytics: pagerdutytest.Analytics{Lag: 24 * time.Hour}})
	olga := a.AddUser(pagerdutytest.User{Name: "Olga", Email: "olga@example.com", Role: pagerdutytest.Owner, CreatedAt: c.now().AddDate(0, -1, 0)})
	bo := a.AddUser(pagerdutytest.User{Name: "Bo", Email: "bo@example.com", CreatedAt: c.now().AddDate(0, -1, 0), LastSignInAt: c.now().AddDate(0, 0, -9)})
	cy := a.AddUser(pagerdutytest.User{Name: "Cy", Email: "cy@example.com"})
	if _, err := a.SignIn(bo.ID, "web"); err != nil {
		t.Fatalf("sign in: %v", err)
	}
	look := func() map[string]string {
		got := map[string]string{}
		for _, r := range analytics(t, a, `{}`).Data {
			got[r.Name] = "never"
			if r.SignIn != nil {
				got[r.Name] = *r.SignIn
			}
		}
		return got
	}
	if diff := cmp.Diff(map[string]string{"Olga": "never", "Bo": "2026-02-21T09:00:00"}, look()); diff != "" {
		t.Errorf("at once (-want +got):\n%s", diff)
	}
	c.pass(24 * time.Hour)
	if err := a.DeleteUserAs(olga.Email, cy.ID); err != nil {
		t.Fatalf("delete: %v", err)
	}
	if diff := cmp.Diff(map[string]string{"Olga": "never", "Bo": "2026-03-02T09:00:00", "Cy": "never"}, look()); diff != "" {
		t.Errorf("a day later (-want +got):\n%s", diff)
	}
	c.pass(24 * time.Hour)
	if _, there := look()["Cy"]; there {
		t.Error("who was deleted a day ago is still there")
	}
}

func TestAnalyticsAreFiltered(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := pagerdutytest.New(pagerdutytest.Config{Now: c.now, Token: key})
	w := world(a)
	a.AddUser(pagerdutytest.User{Name: "Old", Email: "old@example.com", Role: pagerdutytest.Observer, CreatedAt: c.now().AddDate(-1, 0, 0)})
	for name, tt := range map[string]struct {
		filters string
		want    []string
	}{
		"by person":    {`"user_ids":["` + w.ann.ID + `"]`, []string{"Ann Ash"}},
		"by role":      {`"role_ids":["observer","owner"]`, []string{"Old", "Olga Owner"}},
		"by team":      {`"team_ids":["` + w.team.ID + `"]`, []string{"Ann Ash"}},
		"by age":       {`"created_at_end":"2026-01-01T00:00:00Z"`, []string{"Old"}},
		"by youth":     {`"created_at_start":"2026-01-01T00:00:00Z"`, []string{"Ann Ash", "Bo Birch", "Olga Owner"}},
		"by nothing":   {``, []string{"Ann Ash", "Bo Birch", "Old", "Olga Owner"}},
		"by all of it": {`"role_ids":["observer"],"user_ids":["` + w.ann.ID + `"]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := analytics(t, a, `{"order":"asc","order_by":"name","filters":{`+tt.filters+`}}`).names()
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnalyticsMayHaveARowForEachTeam(t *testing.T) {
	t.Parallel()
	for perTeam, want := range map[bool]int{false: 1, true: 2} {
		a := pagerdutytest.New(pagerdutytest.Config{Token: key, Analytics: pagerdutytest.Analytics{RowPerTeam: perTeam}})
		w := world(a)
		other := a.AddTeam(pagerdutytest.Team{Name: "Other"})
		a.AddMember(other.ID, w.ann.ID, "observer")
		if got := len(analytics(t, a, `{"filters":{"user_ids":["`+w.ann.ID+`"]}}`).Data); got != want {
			t.Errorf("%d rows (one for each team: %v), want %d", got, perTeam, want)
		}
	}
}

func TestAnalyticsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		cfg   pagerdutytest.Config
		body  string
		token string
		want  answer
	}{
		"more than a thousand":  {body: `{"limit":1001}`, want: answer{400, 2001, "limit must be between 1 and 1000"}},
		"no limit":              {body: `{"limit":null}`, want: answer{400, 2001, "limit must not be null"}},
		"a column that is none": {body: `{"order_by":"shoe_size"}`, want: answer{400, 2001, "order_by must be user_id, name or created_at"}},
		"an order that is none": {body: `{"order":"up"}`, want: answer{400, 2001, "order must be asc or desc"}},
		"a zone that is none":   {body: `{"time_zone":"Mars"}`, want: answer{400, 2001, "time_zone is not a time zone"}},
		"a cursor that is none": {body: `{"starting_after":"x"}`, want: answer{400, 2001, "Cursor is invalid"}},
		"forward and back":      {body: `{"starting_after":"x","ending_before":"x"}`, want: answer{400, 2001, "starting_after and ending_before cannot both be given"}},
		"a key for reading":     {cfg: pagerdutytest.Config{ReadOnlyToken: "reader"}, body: `{}`, token: "reader", want: answer{403, 2010, "Access Denied"}},
		"a plan without":        {cfg: pagerdutytest.Config{Analytics: pagerdutytest.Analytics{Refusal: 402}}, body: `{}`, want: answer{402, 2014, "The analytics account ability is required"}},
		"an account without":    {cfg: pagerdutytest.Config{Analytics: pagerdutytest.Analytics{Refusal: 403}}, body: `{}`, want: answer{403, 2010, "Access Denied"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.cfg.Token = key
			if tt.token == "" {
				tt.token = key
			}
			a := pagerdutytest.New(tt.cfg)
			w := ask(t, a, "POST", "/analytics/raw/users", tt.body, "Authorization", "Token token="+tt.token)
			if got := said(t, w); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
