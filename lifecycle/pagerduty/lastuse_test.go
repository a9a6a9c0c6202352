package pagerduty

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

const noFault = 0

// An account on which Ann has been used in every way that the case has not taken away.
func TestLastUse(t *testing.T) {
	t.Parallel()
	type used struct {
		lag               time.Duration // of the analytics
		refused           int           // by the analytics
		session, acked    bool
		onCall            bool
		delegations       int // status that the list of sessions answers with
		incidents, duties int
	}
	const acks = `{"incidents":[
		{"id":"P1","acknowledgements":[{"at":"1999-12-31T10:00:00Z","acknowledger":{"id":"PANN"}},{"at":"1999-12-31T23:00:00Z","acknowledger":{"id":"PBO"}}]},
		{"id":"P2","acknowledgements":[{"at":"1999-12-31T11:00:00Z","acknowledger":{"id":"PANN"}},{"at":"odd","acknowledger":{"id":"PANN"}}]}],"more":false}`
	begun := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		used
		want lifecycle.Signal
	}{
		"analytics that know": {used{session: true, acked: true, onCall: true}, lifecycle.Signal{At: begun, Proxy: signedIn}},
		"a session that they do not know yet": {
			used{lag: 24 * time.Hour, session: true}, lifecycle.Signal{At: begun, Proxy: openedSession},
		},
		"nobody who ever signed in":        {used{onCall: true}, lifecycle.Signal{Proxy: neverSigned}},
		"a plan without analytics":         {used{refused: 402, session: true, acked: true}, lifecycle.Signal{At: begun, Proxy: openedSession}},
		"sessions that cannot be read":     {used{refused: 403, session: true, acked: true, delegations: 403}, lifecycle.Signal{At: begun.Add(-13 * time.Hour), Proxy: acknowledged}},
		"no sessions":                      {used{refused: 402, acked: true, onCall: true}, lifecycle.Signal{At: begun.Add(-13 * time.Hour), Proxy: acknowledged}},
		"on call and no more":              {used{refused: 402, onCall: true}, lifecycle.Signal{Proxy: onCallNow}},
		"nothing":                          {used{refused: 402}, lifecycle.Signal{Proxy: untold}},
		"nothing, and all that is refused": {used{refused: 402, delegations: 403, incidents: 403, duties: 403}, lifecycle.Signal{Proxy: untold}},
		"nothing, and trouble":             {used{refused: 402, delegations: 400, incidents: 500}, lifecycle.Signal{Proxy: unasked}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, _, c := bubble(t, pagerdutytest.Config{Analytics: pagerdutytest.Analytics{Refusal: tt.refused, Lag: tt.lag}}, 900)
				a.AddUser(pagerdutytest.User{ID: "PANN", Name: "Ann", Email: "ann@example.com", CreatedAt: begun.AddDate(-1, 0, 0)})
				if tt.session {
					if _, err := a.SignIn("PANN", "mobile"); err != nil {
						t.Fatal(err)
					}
				}
				if tt.onCall {
					a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: "P", Rules: []pagerdutytest.Rule{{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget("PANN")}}}})
				}
				for path, status := range map[string]int{"/users/*/oauth_delegations": tt.delegations, "/incidents": tt.incidents, "/oncalls": tt.duties} {
					if status != noFault {
						a.Fail(pagerdutytest.Fault{Path: path, Times: -1, Kind: pagerdutytest.Status(status, `{"error":{"message":"No","code":2010}}`)})
					}
				}
				if tt.acked {
					a.Fail(pagerdutytest.Fault{Path: "/incidents", Times: -1, Kind: pagerdutytest.Status(http.StatusOK, acks)})
				}
				time.Sleep(time.Hour)
				if diff := cmp.Diff(tt.want, c.lastUse(t.Context(), "PANN")); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Where there are no analytics, they are not asked for again for an hour.
func TestLastUseRemembersWhatIsNotThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _, c := bubble(t, pagerdutytest.Config{Analytics: pagerdutytest.Analytics{Refusal: 402}}, 900)
		ann := a.AddUser(pagerdutytest.User{Name: "Ann", Email: "ann@example.com"})
		asked := func() int {
			c.lastUse(t.Context(), lifecycle.AccountID(ann.ID))
			return a.Calls()["POST /analytics/raw/users"]
		}
		got := []int{asked(), asked()}
		time.Sleep(absentFor - 1)
		got = append(got, asked())
		time.Sleep(time.Nanosecond)
		if diff := cmp.Diff([]int{1, 1, 1, 2}, append(got, asked())); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
	})
}
