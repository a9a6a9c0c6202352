package scim

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"rolecall/lifecycle"
)

// Two replicas that change one user at once lose nothing: the second tries anew on
// what the first has left.
func TestTwoWritersLoseNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		version string // that the second writer has seen
		status  int
	}{
		"when the second does not say what it has seen": {status: http.StatusOK},
		"when it does, it is told":                      {version: `W/"1"`, status: http.StatusPreconditionFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			mina, replica := h.user(t, "mina@acme.test"), houseOver(t, h.store, h.store)
			once := sync.OnceFunc(func() {
				replica.must(t, http.StatusOK, http.MethodPatch, "/Users/"+mina, patchBody(`{"op":"replace","path":"displayName","value":"Mina Ito"}`))
			})
			h.store.before = func(p lifecycle.Provision) {
				if !strings.Contains(string(p.Put[0].Body), "Mina Ito") {
					once() // in between
				}
			}
			r := request("okta", http.MethodPatch, "/Users/"+mina, patchBody(
				`{"op":"add","path":"emails","value":[{"value":"x@other.test","type":"other"},{"value":"b@acme.test","type":"home"}]},{"op":"remove","path":"emails[type eq \"other\"]"},{"op":"replace","path":"title","value":"SRE"}`))
			if tt.version != "" {
				r.Header.Set("If-Match", tt.version)
			}
			if w := h.send(r); w.Code != tt.status {
				t.Fatalf("status %d, want %d: %s", w.Code, tt.status, w.Body)
			}
			is := h.must(t, http.StatusOK, http.MethodGet, "/Users/"+mina, "")
			if is["displayName"] != "Mina Ito" {
				t.Errorf("what the first wrote is lost: %v", is)
			}
			if tt.status == http.StatusOK && (is["title"] != "SRE" || !strings.Contains(fmt.Sprint(is["emails"]), "b@acme.test") || strings.Contains(fmt.Sprint(is["emails"]), "x@other.test")) {
				t.Errorf("what the second wrote is lost: %v", is)
			}
		})
	}
}

// Okta pushes the members of a group side by side.
func TestManyWhoAddToOneGroup(t *testing.T) {
	t.Parallel()
	manyWhoAdd(t, newHouse(t))
}

func manyWhoAdd(t *testing.T, h *house) {
	t.Helper()
	group, _ := h.must(t, http.StatusCreated, http.MethodPost, "/Groups", groupBody("sre"))["id"].(string)
	other, _ := h.must(t, http.StatusCreated, http.MethodPost, "/Groups", groupBody("payments"))["id"].(string)
	const users = 40
	var wg sync.WaitGroup
	work := make(chan int)
	for range 8 {
		wg.Go(func() {
			for i := range work {
				w := h.call("okta", http.MethodPost, "/Users", userBody(fmt.Sprintf("u%d@acme.test", i)))
				id, _, _ := strings.Cut(w.Body.String()[strings.Index(w.Body.String(), "usr_"):], `"`)
				for _, g := range []string{group, other} {
					if w := h.call("okta", http.MethodPatch, "/Groups/"+g, patchBody(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`)); w.Code != http.StatusNoContent {
						t.Errorf("status %d: %s", w.Code, w.Body)
					}
				}
			}
		})
	}
	for i := range users {
		work <- i
	}
	close(work)
	wg.Wait()
	last := map[string]lifecycle.Fact{}
	for _, f := range h.store.facts {
		last[f.Key] = f
	}
	if len(last) != users {
		t.Errorf("facts of %d people, want %d", len(last), users)
	}
	for _, f := range last {
		if strings.Join(f.Person.Groups, ",") != "payments,sre" {
			t.Errorf("%s is last said to be in %v", f.Person.Email(), f.Person.Groups)
		}
	}
	if got := h.must(t, http.StatusOK, http.MethodGet, "/Groups/"+group, ""); len(got["members"].([]any)) != users {
		t.Errorf("%d members, want %d", len(got["members"].([]any)), users)
	}
}

// Whoever comes when all rooms are taken is told to come back; nobody who was
// let in is lost.
func TestAStormIsToldToComeBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	begun, go_ := make(chan struct{}, atOnce), make(chan struct{})
	h.store.before = func(lifecycle.Provision) {
		begun <- struct{}{}
		<-go_
	}
	var wg sync.WaitGroup
	codes := make([]int, atOnce)
	for i := range atOnce {
		wg.Go(func() {
			codes[i] = h.call("okta", http.MethodPost, "/Users", userBody(fmt.Sprintf("u%d@acme.test", i))).Code
		})
	}
	for range atOnce {
		<-begun
	}
	w := h.call("okta", http.MethodPost, "/Users", userBody("late@acme.test"))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" {
		t.Errorf("status %d, %v: %s", w.Code, w.Header(), w.Body)
	}
	if w := h.call("entra", http.MethodGet, "/Users", ""); w.Code != http.StatusOK {
		t.Errorf("another client: status %d: %s", w.Code, w.Body)
	}
	close(go_)
	wg.Wait()
	for i, code := range codes {
		if code != http.StatusCreated {
			t.Errorf("u%d: status %d", i, code)
		}
	}
	if got := len(h.store.facts); got != atOnce {
		t.Errorf("%d facts, want %d", got, atOnce)
	}
	h.user(t, "late@acme.test")
}
