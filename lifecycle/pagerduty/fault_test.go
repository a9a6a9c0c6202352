package pagerduty_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

const lockedBody = `{"error":{"message":"Invalid Input Provided","code":2001,"errors":["License error: Unable to perform request at this time. account could not be locked"]}}`

// faults is everything that may go wrong with one call and then be over.
func faults() map[string]pagerdutytest.Kind {
	return map[string]pagerdutytest.Kind{
		"a 500":                          pagerdutytest.Status(500, `{"error":{"message":"Internal Server Error","code":2000}}`),
		"a 503 without a body":           pagerdutytest.Status(503, ""),
		"a gateway's page with 502":      pagerdutytest.HTML(502),
		"a gateway's page with 200":      pagerdutytest.HTML(200),
		"a gateway's page with 403":      pagerdutytest.HTML(403),
		"a gateway's page with 404":      pagerdutytest.HTML(404),
		"a redirect":                     pagerdutytest.Status(302, ""),
		"a reset":                        pagerdutytest.ConnectionReset(),
		"no answer in time":              pagerdutytest.Hang(),
		"a lost answer":                  pagerdutytest.LostAnswer(),
		"an answer cut short":            pagerdutytest.TruncatedJSON(),
		"a 429 with headers":             pagerdutytest.TooManyRequests(0),
		"a 429 without headers and body": pagerdutytest.TooManyRequestsBare(),
		"a locked account":               pagerdutytest.Status(400, lockedBody),
	}
}

// write is one kind of change, on a fresh account.
type write struct {
	method, path string
	order        func(company) lifecycle.Order
}

func writes() map[string]write {
	return map[string]write{
		"create": {"POST", "/users", func(company) lifecycle.Order {
			return creation("cy@example.com", "Cy Cedar", lifecycle.RoleResponder)
		}},
		"base role": {"PUT", "/users/*", func(w company) lifecycle.Order { return baseRole(w.ann, lifecycle.RoleRestricted) }},
		"join a team": {"PUT", "/teams/*/users/*", func(w company) lifecycle.Order {
			return teamRole(w.ann, w.web, "", lifecycle.TeamResponder)
		}},
		"team role": {"PUT", "/teams/*/users/*", func(w company) lifecycle.Order {
			return teamRole(w.bo, w.core, lifecycle.TeamManager, lifecycle.TeamObserver)
		}},
		"leave a team": {"DELETE", "/teams/*/users/*", func(w company) lifecycle.Order {
			return teamRole(w.ann, w.web, lifecycle.TeamManager, "")
		}},
		"delete": {"DELETE", "/users/*", func(w company) lifecycle.Order { return deletion(w.ada) }},
	}
}

// prepare makes the account on which the write makes sense.
func prepare(a *pagerdutytest.Account, name string) company {
	w := populate(a)
	if name == "leave a team" {
		a.AddMember(w.web.ID, w.ann.ID, pagerdutytest.TeamManager)
	}
	return w
}

func quick(cfg *pagerduty.Config) { cfg.Timeout = 250 * time.Millisecond }

// Whatever goes wrong once, the change is made, made once, and seen to be made.
func TestOneFaultOneEffect(t *testing.T) {
	t.Parallel()
	for what, w := range writes() {
		for how, kind := range faults() {
			t.Run(what+" with "+how, func(t *testing.T) {
				t.Parallel()
				a, c := start(t, pagerdutytest.Config{}, quick)
				o := w.order(prepare(a, what))
				a.Fail(pagerdutytest.Fault{Method: w.method, Path: w.path, Kind: kind})
				applied(t, a, c, o)
			})
		}
	}
}

// applied makes the change and holds it to one effect that is read back.
func applied(t *testing.T, a *pagerdutytest.Account, c *pagerduty.Client, o lifecycle.Order) {
	t.Helper()
	id, err := c.Apply(t.Context(), o)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	if got := a.Effects(); len(got) != 1 {
		t.Errorf("%d effects, want 1: %+v", len(got), a.Writes())
	}
	o.Account = id
	now, err := c.ReadBack(t.Context(), o)
	if err != nil {
		t.Fatalf("read back: %v", err)
	}
	if !o.Change.Done(now) {
		t.Errorf("read back %+v, which is not as wanted", now)
	}
}

// PagerDuty shows changes late. A lost answer and a late sight together must still not make a second effect.
func TestLostAnswerSeenLate(t *testing.T) {
	t.Parallel()
	for what, w := range writes() {
		for _, reads := range []int{1, 3, 9} {
			t.Run(fmt.Sprintf("%s after %d reads", what, reads), func(t *testing.T) {
				t.Parallel()
				a, c := start(t, pagerdutytest.Config{ReadLag: pagerdutytest.ReadLag{Reads: reads}}, func(cfg *pagerduty.Config) {
					cfg.Settle, cfg.Patience = 5*time.Millisecond, 20*time.Second
				})
				o := w.order(prepare(a, what))
				a.Fail(pagerdutytest.Fault{Method: w.method, Path: w.path, Kind: pagerdutytest.LostAnswer()})
				id, err := c.Apply(t.Context(), o)
				if err != nil && lifecycle.ReasonOf(err) != "" {
					t.Fatalf("apply: %v, want it made, or a fault that may pass", err)
				}
				if err == nil {
					o.Account = id
					if now, err := c.ReadBack(t.Context(), o); err != nil || !o.Change.Done(now) {
						t.Errorf("read back: %+v, %v", now, err)
					}
				}
				if got := a.Effects(); len(got) != 1 || len(a.Writes()) > 2 {
					t.Errorf("writes are %+v, want one effect in at most two", a.Writes())
				}
			})
		}
	}
}

// While the trouble lasts, Apply says so without concluding anything, and never writes more than twice.
func TestTroubleThatLasts(t *testing.T) {
	t.Parallel()
	for what, w := range writes() {
		for how, kind := range faults() {
			t.Run(what+" with "+how, func(t *testing.T) {
				t.Parallel()
				a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Timeout = 100 * time.Millisecond })
				o := w.order(prepare(a, what))
				a.Fail(pagerdutytest.Fault{Method: w.method, Path: w.path, Times: -1, Kind: kind})
				_, err := c.Apply(t.Context(), o)
				performs := slices.Contains([]string{"a lost answer", "an answer cut short"}, how)
				switch {
				case performs && err != nil:
					t.Errorf("apply: %v, although the change is to be seen", err)
				case !performs && (err == nil || lifecycle.ReasonOf(err) != ""):
					t.Errorf("apply: %v, want a fault that may pass", err)
				}
				if want := map[bool]int{true: 1}[performs]; len(a.Effects()) != want {
					t.Errorf("effects are %+v, want %d", a.Effects(), want)
				}
			})
		}
	}
}

// When PagerDuty cannot be read after a lost answer, nothing is written again.
func TestNoSecondWriteWithoutReading(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	a.Fail(pagerdutytest.Fault{Method: "PUT", Kind: pagerdutytest.After(func() {
		a.Fail(pagerdutytest.Fault{Method: "GET", Times: -1, Kind: pagerdutytest.Status(500, "")})
	})})
	a.Fail(pagerdutytest.Fault{Method: "PUT", Kind: pagerdutytest.LostAnswer()})
	_, err := c.Apply(t.Context(), baseRole(w.ann, lifecycle.RoleRestricted))
	if err == nil || lifecycle.ReasonOf(err) != "" {
		t.Errorf("apply: %v, want a fault", err)
	}
	if got := a.Writes(); len(got) != 1 {
		t.Errorf("writes are %+v, want one", got)
	}
	a.Heal()
	applied(t, a, c, baseRole(w.ann, lifecycle.RoleRestricted))
}

// Reads get over every fault, and never take a broken answer for an empty one.
func TestReadsGetOverFaults(t *testing.T) {
	t.Parallel()
	for how, kind := range faults() {
		for _, path := range []string{"/users", "/users/*", "/teams", "/teams/*/members", "/escalation_policies"} {
			t.Run(how+" of "+path, func(t *testing.T) {
				t.Parallel()
				a, c := start(t, pagerdutytest.Config{}, quick)
				w := populate(a)
				a.Fail(pagerdutytest.Fault{Method: http.MethodGet, Path: path, Times: 2, Kind: kind})
				s, err := c.Snapshot(t.Context())
				if err != nil || len(s.Accounts) != 5 || len(s.Teams) != 2 {
					t.Errorf("snapshot: %d accounts, %d teams, %v; want 5 and 2", len(s.Accounts), len(s.Teams), err)
				}
				ann, err := c.Account(t.Context(), lifecycle.AccountID(w.ann.ID))
				if err != nil || ann.On(lifecycle.TeamID(w.core.ID)) != lifecycle.TeamResponder {
					t.Errorf("account: %+v, %v", ann, err)
				}
				held, err := duties(t.Context(), c, ann.ID)
				if err != nil || len(held) != 1 {
					t.Errorf("duties: %v, %v", held, err)
				}
			})
		}
	}
}

// A read that stays broken is a fault, whatever its status: never "gone", never empty.
func TestReadsThatStayBroken(t *testing.T) {
	t.Parallel()
	for how, kind := range faults() {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Timeout = 50 * time.Millisecond })
			w := populate(a)
			a.Fail(pagerdutytest.Fault{Method: http.MethodGet, Times: -1, Kind: kind})
			if s, err := c.Snapshot(t.Context()); err == nil || lifecycle.ReasonOf(err) != "" {
				t.Errorf("snapshot: %d accounts, %v; want a fault", len(s.Accounts), err)
			}
			if now, err := c.ReadBack(t.Context(), deletion(w.ada)); err == nil || lifecycle.ReasonOf(err) != "" {
				t.Errorf("read back: %+v, %v; want a fault", now, err)
			}
		})
	}
}
