package pagerduty_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestSnapshotIsEveryGrant(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	got, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	core := lifecycle.Team{ID: lifecycle.TeamID(w.core.ID), Name: "Core"}
	want := map[string]lifecycle.Account{
		"Olga Owner": {Email: "olga@example.com", BaseRole: lifecycle.RoleOwner},
		"Ada Admin":  {Email: "ada@example.com", BaseRole: lifecycle.RoleAdmin},
		"Ann Ash":    {Email: "Ann@Example.com", BaseRole: lifecycle.RoleManager, Teams: []lifecycle.Membership{{Team: core, Role: lifecycle.TeamResponder}}},
		"Bo Birch":   {Email: "bo@example.com", BaseRole: lifecycle.RoleResponder, Invited: true, Teams: []lifecycle.Membership{{Team: core, Role: lifecycle.TeamManager}}},
		"Sue Stake":  {Email: "sue@example.com", BaseRole: lifecycle.RoleStakeholder},
	}
	have := map[string]lifecycle.Account{}
	for _, x := range got.Accounts {
		if x.ID == "" || !strings.HasSuffix(x.URL, "/users/"+string(x.ID)) {
			t.Errorf("id is %q and URL %q", x.ID, x.URL)
		}
		name := x.Name
		x.ID, x.URL, x.Name = "", "", ""
		if len(x.Teams) == 0 {
			x.Teams = nil
		}
		have[name] = x
	}
	if diff := cmp.Diff(want, have); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if len(got.Teams) != 2 || got.TakenAt.IsZero() {
		t.Errorf("teams are %+v, taken at %s", got.Teams, got.TakenAt)
	}
	if n := a.Calls()["GET /teams/{id}/members"]; n != 1 {
		t.Errorf("%d calls for members, want 1: Web has none", n)
	}
}

func TestSnapshotPages(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 99, 100, 101, 199, 200, 201, 517} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			crowd(a, n, 7)
			s, err := c.Snapshot(t.Context())
			if err != nil || len(s.Accounts) != n || len(s.Teams) != 7 {
				t.Fatalf("snapshot: %d accounts, %d teams, %v; want %d and 7", len(s.Accounts), len(s.Teams), err, n)
			}
			seen := map[lifecycle.AccountID]bool{}
			for _, x := range s.Accounts {
				if seen[x.ID] || len(x.Teams) == 0 {
					t.Errorf("account %+v comes twice or has no team", x)
				}
				seen[x.ID] = true
			}
			if floor := (n+99)/100 + 1 + min(n, 7) + 3; a.TotalCalls() > floor+1 {
				t.Errorf("%d calls, want at most %d and one of overlap", a.TotalCalls(), floor)
			}
		})
	}
}

// A listing that moves under the sweep must not lose anybody who was there all the time.
func TestSnapshotWhileThingsMove(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]struct {
		on   string // the path of the call before which it happens
		nth  int
		move func(*pagerdutytest.Account, []string) error // gets the ids, in listing order
		gone int
	}{
		"somebody early is deleted after the first page": {"/users", 2, func(a *pagerdutytest.Account, ids []string) error {
			return a.DeleteUserAs("olga@example.com", ids[3])
		}, 1},
		"somebody early is deleted after the second page": {"/users", 3, func(a *pagerdutytest.Account, ids []string) error {
			return a.DeleteUserAs("olga@example.com", ids[3])
		}, 1},
		"somebody is deleted while teams are read": {"/teams/*/members", 1, func(a *pagerdutytest.Account, ids []string) error {
			return a.DeleteUserAs("olga@example.com", ids[7])
		}, 1},
		"somebody comes in front": {"/users", 2, func(a *pagerdutytest.Account, _ []string) error {
			_, err := a.CreateUserAs("olga@example.com", pagerdutytest.User{Name: "AAA", Email: "aaa@example.com"})
			return err
		}, -1},
		"somebody late moves to the front": {"/users", 3, func(a *pagerdutytest.Account, ids []string) error {
			return a.RenameAs("olga@example.com", ids[len(ids)-1], "AAA", "")
		}, 0},
		"one is deleted and another comes": {"/users", 2, func(a *pagerdutytest.Account, ids []string) error {
			if err := a.DeleteUserAs("olga@example.com", ids[3]); err != nil {
				return err
			}
			_, err := a.CreateUserAs("olga@example.com", pagerdutytest.User{Name: "ZZZ", Email: "zzz@example.com"})
			return err
		}, 0},
		"somebody leaves a team before it is read": {"/teams/*/members", 1, func(a *pagerdutytest.Account, ids []string) error {
			return removeFromAll(a, ids[250])
		}, 0},
		"somebody joins a team before it is read": {"/teams/*/members", 1, func(a *pagerdutytest.Account, ids []string) error {
			return a.SetMemberAs("olga@example.com", firstTeam(a), ids[1], pagerdutytest.TeamManager)
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Concurrency = 1 })
			a.AddUser(pagerdutytest.User{Name: "Olga Owner", Email: "olga@example.com", Role: pagerdutytest.Owner})
			crowd(a, 350, 5)
			var ids []string
			for _, u := range users(t, c) {
				ids = append(ids, string(u.ID))
			}
			a.Fail(pagerdutytest.Fault{Method: "GET", Path: move.on, Nth: move.nth, Kind: pagerdutytest.Before(func() {
				if err := move.move(a, ids); err != nil {
					t.Errorf("move: %v", err)
				}
			})})
			s, err := c.Snapshot(t.Context())
			if err != nil {
				t.Fatalf("snapshot: %v", err)
			}
			if len(s.Accounts) != 351-move.gone {
				t.Errorf("%d accounts, want %d", len(s.Accounts), 351-move.gone)
			}
			agrees(t, c, s)
		})
	}
}

// Of people on no team nothing but the pages tells. One goes and another comes, so that not even their number moves.
func TestSnapshotOfPeopleOnNoTeam(t *testing.T) {
	t.Parallel()
	for _, nth := range []int{2, 3, 4} {
		a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Concurrency = 1 })
		a.AddUser(pagerdutytest.User{Name: "Olga Owner", Email: "olga@example.com", Role: pagerdutytest.Owner})
		for i := range 350 {
			a.AddUser(pagerdutytest.User{Name: fmt.Sprintf("User %03d", i), Email: fmt.Sprintf("user%d@example.com", i)})
		}
		first := users(t, c)[1].ID
		a.Fail(pagerdutytest.Fault{Method: "GET", Path: "/users", Nth: nth, Kind: pagerdutytest.Before(func() {
			must(a.DeleteUserAs("olga@example.com", string(first)))
			_, err := a.CreateUserAs("olga@example.com", pagerdutytest.User{Name: "Zoe", Email: "zoe@example.com"})
			must(err)
		})})
		s, err := c.Snapshot(t.Context())
		if err != nil {
			t.Fatalf("snapshot: %v", err)
		}
		agrees(t, c, s)
	}
}

func users(t *testing.T, c *pagerduty.Client) []lifecycle.Account {
	t.Helper()
	s, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	return s.Accounts
}

func firstTeam(a *pagerdutytest.Account) string { return a.Teams()[0].ID }

func removeFromAll(a *pagerdutytest.Account, user string) error {
	for _, t := range a.Teams() {
		if slices.ContainsFunc(a.Members(t.ID), func(m pagerdutytest.Member) bool { return m.UserID == user }) {
			if err := a.RemoveMemberAs("olga@example.com", t.ID, user); err != nil {
				return err
			}
		}
	}
	return nil
}

// agrees holds the snapshot to a fresh one, which nothing has disturbed.
func agrees(t *testing.T, c *pagerduty.Client, s lifecycle.Snapshot) {
	t.Helper()
	fresh, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	byID := func(a, b lifecycle.Account) int { return strings.Compare(string(a.ID), string(b.ID)) }
	slices.SortFunc(s.Accounts, byID)
	slices.SortFunc(fresh.Accounts, byID)
	if diff := cmp.Diff(fresh.Accounts, s.Accounts); diff != "" {
		t.Errorf("accounts (-fresh +got):\n%s", diff)
	}
}

// A listing that breaks off is an error and never a shorter snapshot.
func TestSnapshotIsNeverShort(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]pagerdutytest.Fault{
		"a later page fails":                  {Path: "/users", Nth: 2, Times: -1, Kind: pagerdutytest.Status(500, "")},
		"a page has no rows":                  {Path: "/users", Times: -1, Kind: pagerdutytest.Status(200, `{"more":false,"limit":100,"offset":0}`)},
		"a page does not say whether more":    {Path: "/users", Times: -1, Kind: pagerdutytest.Status(200, `{"users":[],"limit":100,"offset":0}`)},
		"the page after is empty":             {Path: "/users", Nth: 2, Times: -1, Kind: pagerdutytest.Status(200, `{"users":[],"more":true}`)},
		"a page ends early":                   {Path: "/users", Nth: 2, Times: -1, Kind: pagerdutytest.Status(200, `{"users":[],"more":false}`)},
		"fewer come than PagerDuty counts":    {Path: "/users", Times: -1, Kind: pagerdutytest.Status(200, `{"users":[],"more":false,"total":3}`)},
		"a user without an id":                {Path: "/users", Times: -1, Kind: pagerdutytest.Status(200, `{"users":[{"name":"x","role":"user"}],"more":false}`)},
		"the same user twice":                 {Path: "/users", Times: -1, Kind: pagerdutytest.Status(200, `{"users":[{"id":"P1","role":"user"},{"id":"P1","role":"user"}],"more":false}`)},
		"a base role nobody knows":            {Path: "/users", Times: -1, Kind: pagerdutytest.Status(200, `{"users":[{"id":"P1","role":"superuser"}],"more":false}`)},
		"users who are no list":               {Path: "/users", Times: -1, Kind: pagerdutytest.Status(200, `{"users":{},"more":false}`)},
		"a team's members fail":               {Path: "/teams/*/members", Times: -1, Kind: pagerdutytest.Status(503, "")},
		"a team role nobody knows":            {Path: "/teams/*/members", Times: -1, Kind: pagerdutytest.Status(200, `{"members":[{"user":{"id":"P1"},"role":"boss"}],"more":false}`)},
		"a team is not found by a stranger":   {Path: "/teams/*/members", Times: -1, Kind: pagerdutytest.HTML(404)},
		"members who lack everybody":          {Path: "/teams/*/members", Times: -1, Kind: pagerdutytest.Status(200, `{"members":[],"more":false}`)},
		"teams that cannot be listed":         {Path: "/teams", Times: -1, Kind: pagerdutytest.Status(403, `{"error":{"message":"Access Denied","code":2010}}`)},
		"a page whose successor always fails": {Path: "/users", Times: -1, Kind: pagerdutytest.ShortPage()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			crowd(a, 250, 3)
			fault.Method = "GET"
			a.Fail(fault)
			s, err := c.Snapshot(t.Context())
			a.Heal() // some of what the last of the faults arms may not have struck
			if err == nil {
				t.Errorf("snapshot of %d accounts, want an error", len(s.Accounts))
			}
		})
	}
}

func TestSnapshotBreaksOffOnce(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	crowd(a, 250, 3)
	a.Fail(pagerdutytest.Fault{Method: "GET", Path: "/users", Nth: 2, Kind: pagerdutytest.ShortPage()})
	if s, err := c.Snapshot(t.Context()); err != nil || len(s.Accounts) != 250 {
		t.Errorf("snapshot: %d accounts, %v; want 250", len(s.Accounts), err)
	}
}

func TestSnapshotTellsItsProgress(t *testing.T) {
	t.Parallel()
	var done, total atomic.Int64
	a, c := start(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) {
		cfg.Progress = func(d, n int) {
			if int64(d) < done.Load() || d > n {
				t.Errorf("progress is %d of %d after %d", d, n, done.Load())
			}
			done.Store(int64(d))
			total.Store(int64(n))
		}
	})
	crowd(a, 250, 9)
	users(t, c)
	if done.Load() != total.Load() || done.Load() != int64(a.TotalCalls()) {
		t.Errorf("progress ended at %d of %d, want %d", done.Load(), total.Load(), a.TotalCalls())
	}
}

func TestTeams(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	crowd(a, 1, 205)
	teams, err := c.Teams(t.Context())
	if err != nil || len(teams) != 205 {
		t.Fatalf("teams: %d, %v; want 205", len(teams), err)
	}
	if !slices.IsSortedFunc(teams, func(x, y lifecycle.Team) int { return strings.Compare(string(x.ID), string(y.ID)) }) {
		t.Error("teams are not in order of their ids")
	}
}
