package pagerduty_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

const (
	signedIn = "signed in, by PagerDuty's analytics, which may be a day old"
	neverIn  = "has never signed in, by PagerDuty's analytics, which may be a day old"
)

func TestActivity(t *testing.T) {
	t.Parallel()
	for name, fake := range map[string]pagerdutytest.Config{
		"a row for each user": {},
		"a row for each team": {Analytics: pagerdutytest.Analytics{RowPerTeam: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, fake)
			at := time.Date(2026, 3, 4, 9, 30, 51, 0, time.UTC)
			ann := a.AddUser(pagerdutytest.User{Name: "Ann", Email: "ann@example.com", LastSignInAt: at.In(time.FixedZone("", 7200))})
			bo := a.AddUser(pagerdutytest.User{Name: "Bo", Email: "bo@example.com"})
			for range 3 {
				a.AddMember(a.AddTeam(pagerdutytest.Team{Name: "T"}).ID, ann.ID, pagerdutytest.TeamObserver)
			}
			got, err := c.Activity(t.Context())
			if err != nil {
				t.Fatalf("activity: %v", err)
			}
			want := map[lifecycle.AccountID]lifecycle.Signal{
				lifecycle.AccountID(ann.ID): {At: at, Proxy: signedIn}, lifecycle.AccountID(bo.ID): {Proxy: neverIn},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(a.Effects()) > 0 {
				t.Errorf("it changed something: %+v", a.Effects())
			}
		})
	}
}

func TestActivityOfMany(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	at := time.Date(2026, 3, 4, 9, 30, 51, 0, time.UTC)
	for i := range 2500 {
		a.AddUser(pagerdutytest.User{Name: "User", Email: fmt.Sprintf("user%d@example.com", i), LastSignInAt: at})
	}
	got, err := c.Activity(t.Context())
	if n := a.Calls()["POST /analytics/raw/users"]; err != nil || len(got) != 2500 || n != 3 {
		t.Errorf("%d signals and %v after %d calls, want 2500 after 3", len(got), err, n)
	}
}

func TestActivityUnderFaults(t *testing.T) {
	t.Parallel()
	for how, kind := range faults() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{}, quick)
			populate(a)
			a.Fail(pagerdutytest.Fault{Path: "/analytics/raw/users", Kind: kind})
			if got, err := c.Activity(t.Context()); err != nil || len(got) != 5 {
				t.Errorf("%d signals and %v, want 5", len(got), err)
			}
		})
	}
}

func TestActivityIsWholeOrAnError(t *testing.T) {
	t.Parallel()
	const row = `{"id":"PANN","last_sign_in_at":"2026-03-04T09:30:51"}`
	for name, tt := range map[string]struct {
		bodies []string
		want   string
	}{
		"no rows":                   {[]string{`{"more":false}`, `{"more":false}`, `{"more":false}`}, "has no data"},
		"no word on more":           {[]string{`{"data":[]}`, `{"data":[]}`, `{"data":[]}`}, "does not say whether more follow"},
		"more, and no cursor":       {[]string{`{"data":[` + row + `],"more":true}`}, "no new cursor"},
		"a cursor that comes again": {[]string{`{"data":[],"more":true,"last":"a"}`, `{"data":[],"more":true,"last":"a"}`}, "no new cursor"},
		"a row without an id":       {[]string{`{"data":[{"last_sign_in_at":null}],"more":false}`}, "no id"},
		"a time that is none":       {[]string{`{"data":[{"id":"PANN","last_sign_in_at":"lately"}],"more":false}`}, `"lately" is no time`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			answers(a, "/analytics/raw/users", tt.bodies...)
			got, err := c.Activity(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || lifecycle.ReasonOf(err) != "" || got != nil {
				t.Errorf("activity is %v, %v; want none and a fault that says %q", got, err, tt.want)
			}
		})
	}
}

func TestActivityThatIsNotToBeHad(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fake   pagerdutytest.Config
		change func(*pagerduty.Config)
		want   string
	}{
		"a plan without": {
			pagerdutytest.Config{Analytics: pagerdutytest.Analytics{Refusal: 402}},
			func(*pagerduty.Config) {},
			"This PagerDuty plan has no analytics of users: when somebody last signed in cannot be told.",
		},
		"a key that may not": {
			pagerdutytest.Config{Analytics: pagerdutytest.Analytics{Refusal: 403}},
			func(*pagerduty.Config) {},
			"rolecall's PagerDuty key may not read its analytics of users, which takes a key that is not read-only: when somebody last signed in cannot be told.",
		},
		"a key that is read-only": {
			pagerdutytest.Config{ReadOnlyToken: "read-only-key-77"},
			func(cfg *pagerduty.Config) { cfg.Token = always("read-only-key-77") },
			"rolecall's PagerDuty key may not read its analytics of users, which takes a key that is not read-only",
		},
		"an app without the scope": {
			pagerdutytest.Config{OAuth: app("users.read")},
			asApp(always("s3cret-of-the-app")),
			"rolecall's PagerDuty app lacks analytics.write: when somebody last signed in cannot be told.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, c := start(t, tt.fake, tt.change)
			if _, err := c.Activity(t.Context()); !strings.HasPrefix(lifecycle.ReasonOf(err), tt.want) {
				t.Errorf("activity: %v, want a refusal that begins with %q", err, tt.want)
			}
		})
	}
}
