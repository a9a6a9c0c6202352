package pagerduty

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// Beyond the 10000 users that PagerDuty lists, everybody is found by their teams, or by name, or it is an error.
func TestSnapshotInParts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		onTeams, teams int
		loose          []string // names of those on no team
		calls          int      // at the most
		refused        string
	}{
		"everybody is on a team":                 {onTeams: 12_000, teams: 240, calls: 380},
		"one team is more than PagerDuty lists":  {onTeams: 10_100, teams: 1, refused: "more members of team"},
		"a few are on no team":                   {onTeams: 10_050, teams: 20, loose: many(20, "Zoe %02d"), calls: 600},
		"nobody is on a team, names differ":      {loose: append(many(5_100, "Ann %04d"), many(5_000, "Zoe %04d")...), calls: 400},
		"nobody can be told apart by their name": {loose: many(10_100, "Жж"), refused: "100 of them are on no team and could not be told apart"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, _, c := bubble(t, pagerdutytest.Config{}, 900)
				fill(a, tt.onTeams, tt.teams, tt.loose)
				s, err := c.Snapshot(t.Context())
				if tt.refused != "" {
					if !strings.Contains(lifecycle.ReasonOf(err), tt.refused) {
						t.Errorf("snapshot of %d accounts, %v; want a refusal that says %q", len(s.Accounts), err, tt.refused)
					}
					return
				}
				if want := tt.onTeams + len(tt.loose); err != nil || len(s.Accounts) != want {
					t.Fatalf("snapshot: %d accounts, %v; want %d", len(s.Accounts), err, want)
				}
				seen := map[lifecycle.AccountID]bool{}
				for _, x := range s.Accounts {
					if seen[x.ID] {
						t.Errorf("account %s comes twice", x.ID)
					}
					seen[x.ID] = true
				}
				if n := a.TotalCalls(); n > tt.calls {
					t.Errorf("%d calls, want at most %d", n, tt.calls)
				}
			})
		})
	}
}

// fill adds people to teams in turn, and people to none. Their addresses have no letter that anybody is looked for by.
func fill(a *pagerdutytest.Account, onTeams, teams int, loose []string) {
	var ids []string
	for i := range teams {
		ids = append(ids, a.AddTeam(pagerdutytest.Team{Name: fmt.Sprintf("Team %03d", i)}).ID)
	}
	for i := range onTeams {
		u := a.AddUser(pagerdutytest.User{Name: fmt.Sprintf("User %05d", i), Email: fmt.Sprintf("user%d@example.com", i)})
		a.AddMember(ids[i*teams/onTeams], u.ID, pagerdutytest.TeamResponder)
	}
	for i, n := range loose {
		a.AddUser(pagerdutytest.User{Name: n, Email: cyrillic(i) + "@ж.жж"})
	}
}

func cyrillic(i int) string {
	var b strings.Builder
	for _, d := range fmt.Sprintf("%06d", i) {
		b.WriteRune('а' + d - '0')
	}
	return b.String()
}

func many(n int, name string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = name
		if strings.Contains(name, "%") {
			out[i] = fmt.Sprintf(name, i)
		}
	}
	return out
}

// Somebody who comes or goes while the parts are read must not hide behind somebody else.
func TestSnapshotInPartsWhileThingsMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _, c := bubble(t, pagerdutytest.Config{}, 900)
		a.AddUser(pagerdutytest.User{Name: "Olga Owner", Email: "olga@example.com", Role: pagerdutytest.Owner})
		fill(a, 10_050, 20, many(3, "Zoe %d"))
		first := a.Users()[1].ID
		a.Fail(pagerdutytest.Fault{Method: "GET", Path: "/users", Nth: 60, Kind: pagerdutytest.Before(func() {
			if err := a.DeleteUserAs("olga@example.com", first); err != nil {
				t.Error(err)
			}
			if _, err := a.CreateUserAs("olga@example.com", pagerdutytest.User{Name: "Zoe 9", Email: "zoe9@example.com"}); err != nil {
				t.Error(err)
			}
		})})
		s, err := c.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		here := map[lifecycle.AccountID]bool{}
		for _, x := range s.Accounts {
			here[x.ID] = true
		}
		for _, u := range a.Users() {
			if id := lifecycle.AccountID(u.ID); !here[id] && u.Name != "Zoe 9" {
				t.Errorf("%s was there all the time and is not in the snapshot", u.Name)
			}
		}
		if len(a.Armed()) > 0 {
			t.Error("nothing moved")
		}
	})
}
