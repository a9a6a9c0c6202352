package pagerduty_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestAccountHasEveryTeamRole(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	for i := range 120 { // beyond the first page of the team's members
		u := a.AddUser(pagerdutytest.User{Name: fmt.Sprint("U", i), Email: fmt.Sprintf("u%d@example.com", i)})
		a.AddMember(w.web.ID, u.ID, pagerdutytest.TeamResponder)
	}
	a.AddMember(w.web.ID, w.ann.ID, pagerdutytest.TeamObserver)
	got, err := c.Account(t.Context(), lifecycle.AccountID(w.ann.ID))
	if err != nil {
		t.Fatalf("account: %v", err)
	}
	roles := map[string]lifecycle.TeamRole{}
	for _, m := range got.Teams {
		roles[m.Team.Name] = m.Role
	}
	if diff := cmp.Diff(map[string]lifecycle.TeamRole{"Core": "responder", "Web": "observer"}, roles); diff != "" {
		t.Errorf("team roles (-want +got):\n%s", diff)
	}
	if calls := a.TotalCalls(); calls != 4 {
		t.Errorf("%d calls, want 4: the user, a page of Core, two of Web", calls)
	}
}

func TestAccountThatIsNot(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	if err := a.DeleteUserAs("olga@example.com", w.bo.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{w.bo.ID, "PNOBODY", "", "../teams", "P1?include[]=x", "P 1"} {
		if _, err := c.Account(t.Context(), lifecycle.AccountID(id)); !errors.Is(err, lifecycle.ErrNotFound) {
			t.Errorf("account %q: %v, want ErrNotFound", id, err)
		}
	}
}

// Only PagerDuty's own word makes an account gone.
func TestNotEveryNotFoundIsPagerDutys(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kind pagerdutytest.Kind
		gone bool
	}{
		"PagerDuty's":              {pagerdutytest.Status(404, `{"error":{"message":"Not Found","code":2100}}`), true},
		"an empty 404":             {pagerdutytest.Status(404, ""), false},
		"another program's JSON":   {pagerdutytest.Status(404, `{"message":"no route matched"}`), false},
		"a gateway's page":         {pagerdutytest.HTML(404), false},
		"an error without a text":  {pagerdutytest.Status(404, `{"error":{}}`), false},
		"a key that is not known":  {pagerdutytest.Status(401, `{"error":{"message":"Authentication failed","code":2006}}`), false},
		"a key that may not":       {pagerdutytest.Status(403, `{"error":{"message":"Access Denied","code":2010}}`), false},
		"a user of another id":     {pagerdutytest.Status(200, `{"user":{"id":"POTHER","role":"user"}}`), false},
		"an answer without a user": {pagerdutytest.Status(200, `{}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, c := start(t, pagerdutytest.Config{})
			w := populate(a)
			a.Fail(pagerdutytest.Fault{Path: "/users/*", Times: -1, Kind: tt.kind})
			_, err := c.Account(t.Context(), lifecycle.AccountID(w.ann.ID))
			if err == nil || errors.Is(err, lifecycle.ErrNotFound) != tt.gone {
				t.Errorf("error is %v; is it gone: want %t", err, tt.gone)
			}
			now, err := c.ReadBack(t.Context(), deletion(w.ann))
			if now != nil || (err == nil) != tt.gone {
				t.Errorf("read back of a deletion: %+v, %v; confirmed: want %t", now, err, tt.gone)
			}
		})
	}
}

// User and team may contradict each other for a while.
func TestAccountTornApart(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	none := pagerdutytest.Status(200, `{"members":[],"more":false}`)
	a.Fail(pagerdutytest.Fault{Path: "/teams/*/members", Kind: none})
	got, err := c.Account(t.Context(), lifecycle.AccountID(w.ann.ID))
	if err != nil || got.On(lifecycle.TeamID(w.core.ID)) != lifecycle.TeamResponder {
		t.Errorf("account: %+v, %v; want Ann as responder on Core", got, err)
	}
	a.Fail(pagerdutytest.Fault{Path: "/teams/*/members", Times: -1, Kind: none})
	if got, err := c.Account(t.Context(), lifecycle.AccountID(w.ann.ID)); err == nil || lifecycle.ReasonOf(err) != "" {
		t.Errorf("account: %+v, %v; want a fault", got, err)
	}
}

func TestAccountsByEmail(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	a.AddUser(pagerdutytest.User{Name: "Joann", Email: "joann@example.com"})
	a.AddUser(pagerdutytest.User{Name: "Ann's other", Email: "ann@example.com.au"})
	for i := range 240 { // PagerDuty's search finds all of them, and Zoe last
		a.AddUser(pagerdutytest.User{Name: fmt.Sprintf("Mo %03d", i), Email: fmt.Sprintf("zoe%03d+zoe@example.com", i)})
	}
	zoe := a.AddUser(pagerdutytest.User{Name: "Zoe", Email: "zoe@example.com"})
	for email, want := range map[string]string{
		"ann@example.com": w.ann.ID, " ANN@example.COM ": w.ann.ID, "zoe@example.com": zoe.ID,
		"nn@example.com": "", "ann": "", "nobody@example.com": "",
	} {
		got, err := c.AccountsByEmail(t.Context(), email)
		if err != nil {
			t.Fatalf("%q: %v", email, err)
		}
		var ids []string
		for _, x := range got {
			ids = append(ids, string(x.ID))
		}
		if strings.Join(ids, " ") != want {
			t.Errorf("%q: got %v, want %q", email, ids, want)
		}
	}
	got, err := c.AccountsByEmail(t.Context(), "ann@example.com")
	if err != nil || len(got[0].Teams) != 1 {
		t.Errorf("Ann's teams: %+v, %v; want Core", got, err)
	}
	if _, err := c.AccountsByEmail(t.Context(), "  "); !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("no address: %v, want ErrInvalid", err)
	}
}

func TestDutiesOnManyPages(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	for i := range 205 {
		a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: fmt.Sprint("Policy ", i), Rules: []pagerdutytest.Rule{
			{Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(w.sue.ID)}},
		}})
	}
	if got, err := duties(t.Context(), c, lifecycle.AccountID(w.sue.ID)); err != nil || len(got) != 205 {
		t.Errorf("%d duties, %v; want 205", len(got), err)
	}
}
