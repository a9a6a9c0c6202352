package pagerdutytest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// send makes one real call. It returns the status, the headers and the body, or the error of the connection.
func send(ctx context.Context, method, url, body string) (int, http.Header, string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil, "", err
	}
	req.Header.Set("Authorization", "Token token="+key)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(b), err
}

func TestFaults(t *testing.T) {
	t.Parallel()
	type seen struct {
		Status    int
		Lost      bool // the connection broke
		JSON      bool // the body is whole JSON
		Reset     string
		Performed bool
	}
	for name, tt := range map[string]struct {
		kind pagerdutytest.Kind
		want seen
	}{
		"a status":       {pagerdutytest.Status(503, `{"error":{"message":"Busy"}}`), seen{Status: 503, JSON: true}},
		"a page":         {pagerdutytest.HTML(502), seen{Status: 502}},
		"a page as 200":  {pagerdutytest.HTML(200), seen{Status: 200}},
		"429":            {pagerdutytest.TooManyRequests(7 * time.Second), seen{Status: 429, JSON: true, Reset: "7"}},
		"a bare 429":     {pagerdutytest.TooManyRequestsBare(), seen{Status: 429}},
		"a cut before":   {pagerdutytest.ConnectionReset(), seen{Lost: true}},
		"a cut after":    {pagerdutytest.LostAnswer(), seen{Lost: true, Performed: true}},
		"a server gone":  {pagerdutytest.ServerGone(), seen{Lost: true}},
		"a late page":    {pagerdutytest.Late(pagerdutytest.HTML(502)), seen{Status: 502, Reset: "60", Performed: true}},
		"a late status":  {pagerdutytest.Late(pagerdutytest.Status(500, `{}`)), seen{Status: 500, JSON: true, Reset: "60", Performed: true}},
		"a broken one":   {pagerdutytest.CutAnswer(), seen{Status: 200, Lost: true, Reset: "60", Performed: true}},
		"half an answer": {pagerdutytest.TruncatedJSON(), seen{Status: 200, Reset: "60", Performed: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, url := start(t, pagerdutytest.Config{})
			w := world(a)
			a.Fail(pagerdutytest.Fault{Method: "PUT", Path: "/users/*", Kind: tt.kind})
			status, h, body, err := send(t.Context(), "PUT", url+"/users/"+w.bo.ID, `{"user":{"role":"observer"}}`)
			got := seen{Status: status, Lost: err != nil, JSON: json.Valid([]byte(body)) && body != "", Reset: h.Get("ratelimit-reset")}
			bo, _ := a.User(w.bo.ID)
			got.Performed = bo.Role == "observer"
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\nbody %q, error %v", diff, body, err)
			}
			if left := a.Armed(); len(left) > 0 {
				t.Errorf("still armed: %v", left)
			}
			if status, _, _, err := send(t.Context(), "PUT", url+"/users/"+w.bo.ID, `{"user":{"role":"observer"}}`); status != 200 {
				t.Errorf("the next call answers %d, %v; want 200", status, err)
			}
		})
	}
}

func TestHangLastsUntilTheClientGivesUp(t *testing.T) {
	t.Parallel()
	a, url := start(t, pagerdutytest.Config{})
	w := world(a)
	arrived := make(chan struct{})
	a.Fail(pagerdutytest.Fault{Path: "/users/*", Kind: pagerdutytest.Before(func() { close(arrived) })})
	a.Fail(pagerdutytest.Fault{Path: "/users/*", Kind: pagerdutytest.Hang()})
	ctx, giveUp := context.WithCancel(t.Context())
	go func() {
		<-arrived
		giveUp()
	}()
	_, _, _, err := send(ctx, "DELETE", url+"/users/"+w.bo.ID, "")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that the client gave up", err)
	}
	if _, exists := a.User(w.bo.ID); !exists || len(a.Writes()) > 0 {
		t.Errorf("the call was performed: %v", a.Writes())
	}
}

func TestFaultsStrikeTheNthCallAndThenStop(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	populate(a, 1)
	a.Fail(pagerdutytest.Fault{Method: "GET", Path: "/users", Nth: 2, Times: 2, Kind: pagerdutytest.Status(500, "")})
	if left := a.Armed(); len(left) != 1 {
		t.Errorf("armed: %v, want one", left)
	}
	var got []int
	for range 5 {
		got = append(got, ask(t, a, "GET", "/users", "").Code)
	}
	if diff := cmp.Diff([]int{200, 500, 500, 200, 200}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAShortPagePromisesMoreAndThenBreaks(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	populate(a, 3)
	a.Fail(pagerdutytest.Fault{Path: "/users", Kind: pagerdutytest.ShortPage()})
	var page struct{ More bool }
	if err := json.Unmarshal(ask(t, a, "GET", "/users", "").Body.Bytes(), &page); err != nil || !page.More {
		t.Errorf("more is %v (%v), want the promise of more", page.More, err)
	}
	if got := ask(t, a, "GET", "/users?offset=25", "").Code; got != 500 {
		t.Errorf("the next page answers %d, want 500", got)
	}
}

// A hook changes the account in the middle of a sweep.
func TestHooksRunBesideTheirCall(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	w := world(a)
	count := func() (n int) {
		var page struct{ Users []any }
		if err := json.Unmarshal(ask(t, a, "GET", "/users", "").Body.Bytes(), &page); err != nil {
			t.Fatalf("users: %v", err)
		}
		return len(page.Users)
	}
	remove := func(id string) func() {
		return func() {
			if err := a.DeleteUserAs(w.owner.Email, id); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
	}
	a.Fail(pagerdutytest.Fault{Path: "/users", Kind: pagerdutytest.Before(remove(w.bo.ID))})
	a.Fail(pagerdutytest.Fault{Path: "/users", Nth: 2, Kind: pagerdutytest.After(remove(w.ann.ID))})
	if got := []int{count(), count(), count()}; !cmp.Equal(got, []int{2, 2, 1}) {
		t.Errorf("users seen: %v, want 2 after the first hook, 2 before the second, then 1", got)
	}
}

func TestUserWritesThatOverlapAreRefused(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key, AccountLock: true})
	w := world(a)
	var inner answer
	a.Fail(pagerdutytest.Fault{Method: "PUT", Path: "/users/" + w.bo.ID, Kind: pagerdutytest.Before(func() {
		inner = said(t, ask(t, a, "PUT", "/users/"+w.ann.ID, `{"user":{"role":"observer"}}`))
	})})
	outer := said(t, ask(t, a, "PUT", "/users/"+w.bo.ID, `{"user":{"role":"observer"}}`))
	want := answer{400, 2001, "License error: Unable to perform request at this time. account could not be locked"}
	if inner != want || outer.Status != 200 {
		t.Errorf("the second write answers %+v and the first %+v, want %+v and 200", inner, outer, want)
	}
	if again := ask(t, a, "PUT", "/users/"+w.ann.ID, `{"user":{"role":"observer"}}`); again.Code != 200 {
		t.Errorf("a write on its own answers %d, want 200", again.Code)
	}
}

func impatient(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestTokensFailLikeOtherCalls(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{OAuth: app()})
	a.Fail(pagerdutytest.Fault{Path: "/oauth/token", Kind: pagerdutytest.Status(503, `{"error":"temporarily_unavailable"}`)})
	if status, g := askToken(t, a, form()); status != 503 || g.Token != "" {
		t.Errorf("got %d %+v, want 503", status, g)
	}
	if status, g := askToken(t, a, form()); status != 200 || g.Token == "" {
		t.Errorf("got %d %+v, want a token", status, g)
	}
	if n := a.Calls()["POST /oauth/token"]; n != 2 {
		t.Errorf("%d calls for tokens, want 2", n)
	}
}

func TestHealDisarms(t *testing.T) {
	t.Parallel()
	a := pagerdutytest.New(pagerdutytest.Config{Token: key})
	a.Fail(pagerdutytest.Fault{Times: -1, Kind: pagerdutytest.HTML(502)})
	if got := ask(t, a, "GET", "/abilities", "").Code; got != 502 {
		t.Errorf("a broken account answers %d, want 502", got)
	}
	a.Heal()
	if got := ask(t, a, "GET", "/abilities", "").Code; got != 200 {
		t.Errorf("a healed account answers %d, want 200", got)
	}
}
