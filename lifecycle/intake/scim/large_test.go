package scim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"rolecall/lifecycle"
)

// company makes n users of okta's and returns their ids.
func (h *house) company(tb testing.TB, n int) []string {
	tb.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = h.user(tb, fmt.Sprintf("u%d@acme.test", i))
	}
	return ids
}

const (
	oneStep  = 200            // users, of the domain
	largeOne = 2*oneStep + 1  // a put and a move of each, and the group
	people   = 5*oneStep + 17 // more than a page of members is
)

func TestALargeGroupIsChangedInSteps(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	largeGroup(t, h, h.company(t, people))
}

func largeGroup(t *testing.T, h *house, ids []string) {
	t.Helper()
	group, _ := h.must(t, http.StatusCreated, http.MethodPost, "/Groups", groupBody("all", ids...))["id"].(string)
	h.wantLast(t, ids, "all")
	facts := len(h.store.facts)

	last := h.user(t, "last@acme.test")
	h.store.largest = 0
	h.must(t, http.StatusNoContent, http.MethodPatch, "/Groups/"+group, patchBody(`{"op":"add","path":"members","value":[{"value":"`+last+`"}]}`))
	if h.store.largest > 3 || len(h.store.facts) != facts+2 {
		t.Errorf("one more member wrote %d rows and said %d things", h.store.largest, len(h.store.facts)-facts)
	}

	h.store.largest = 0
	h.must(t, http.StatusNoContent, http.MethodPatch, "/Groups/"+group, patchBody(`{"op":"replace","path":"displayName","value":"everybody"}`))
	if h.store.largest > 1 {
		t.Errorf("a new name wrote %d rows", h.store.largest)
	}
	h.settle(t)
	h.wantLast(t, append(ids, last), "everybody")

	h.must(t, http.StatusOK, http.MethodPut, "/Groups/"+group, groupBody("everybody", ids[:10]...))
	h.wantLast(t, ids[:10], "everybody")
	h.wantLast(t, append(ids[10:], last), "")

	h.must(t, http.StatusOK, http.MethodPut, "/Groups/"+group, groupBody("everybody", append(ids, last)...))
	h.must(t, http.StatusNoContent, http.MethodDelete, "/Groups/"+group, "")
	h.settle(t)
	h.wantLast(t, append(ids, last), "")
	if h.store.largest > largeOne || h.store.largest == 0 {
		t.Errorf("a transaction wrote %d rows", h.store.largest)
	}
}

// wantLast fails the test unless each was last said to be in those groups.
func (h *house) wantLast(t *testing.T, ids []string, groups string) {
	t.Helper()
	last := map[string]lifecycle.Fact{}
	for _, f := range h.store.facts {
		last[f.Key] = f
	}
	for _, id := range ids {
		if got := strings.Join(last[id].Person.Groups, ","); got != groups {
			t.Fatalf("%s was last said to be in %q, want %q", last[id].Person.Email(), got, groups)
		}
	}
}

func TestARepeatedRestateSaysNothingAnew(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ids := h.company(t, 3)
	group, _ := h.must(t, http.StatusCreated, http.MethodPost, "/Groups", groupBody("sre", ids...))["id"].(string)
	facts := len(h.store.facts)
	for range 2 {
		if err := h.flow.Restate(t.Context(), "scim:okta/group/"+group); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.store.facts) != facts {
		t.Errorf("%d facts more", len(h.store.facts)-facts)
	}
	for _, id := range ids {
		if got := h.must(t, http.StatusOK, http.MethodGet, "/Users/"+id, "")["meta"].(map[string]any)["version"]; got != `W/"2"` {
			t.Errorf("version %v", got)
		}
	}
}

// A member of nobody's, far down a long list, is refused before anything is done.
func TestALargeListWithAMistakeChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ids := h.company(t, oneStep+5)
	was := h.store.snapshot()
	got := h.must(t, http.StatusBadRequest, http.MethodPost, "/Groups", groupBody("all", append(ids, "usr_zzzz")...))
	if got["detail"] != "members: usr_zzzz is no user of yours; create the user first, groups in groups are not kept" {
		t.Errorf("%v", got)
	}
	if len(was) != len(h.store.snapshot()) {
		t.Error("something was kept")
	}
}

// A page ends before the group that would make it too long.
func TestAPageOfGroupsIsBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	group := make([]string, 3)
	for i := range group {
		group[i], _ = h.must(t, http.StatusCreated, http.MethodPost, "/Groups", groupBody(fmt.Sprint("g", i)))["id"].(string)
		for n := range mostMembers/2 + 1 { // in the store alone: a client would take long
			h.store.members["scim:okta/"+group[i]] = append(h.store.members["scim:okta/"+group[i]], fmt.Sprintf("usr_%06d", n))
		}
	}
	seen := 0
	for start := 1; start <= len(group); {
		got := h.must(t, http.StatusOK, http.MethodGet, fmt.Sprintf("/Groups?startIndex=%d&count=100", start), "")
		list := got["Resources"].([]any)
		if len(list) == 0 || len(list) == len(group) || got["totalResults"] != float64(len(group)) {
			t.Fatalf("a page of %d groups of %v", len(list), got["totalResults"])
		}
		seen += len(list)
		start += len(list)
	}
	if seen != len(group) {
		t.Errorf("%d groups seen", seen)
	}
	if got := h.must(t, http.StatusOK, http.MethodGet, "/Groups?excludedAttributes=members", ""); len(got["Resources"].([]any)) != len(group) {
		t.Errorf("without members the page is not whole: %v", got["itemsPerPage"])
	}
}

func TestPagesAreStable(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ids := h.company(t, 7)
	var seen []string
	for start := 1; start <= 7; start += 3 {
		got := h.must(t, http.StatusOK, http.MethodGet, fmt.Sprintf("/Users?startIndex=%d&count=3", start), "")
		if got["totalResults"] != 7.0 || got["startIndex"] != float64(start) {
			t.Errorf("page %v", got)
		}
		for _, u := range got["Resources"].([]any) {
			id, _ := u.(map[string]any)["id"].(string)
			seen = append(seen, id)
		}
		// What changes meanwhile changes no order.
		h.must(t, http.StatusOK, http.MethodPatch, "/Users/"+ids[0], patchBody(fmt.Sprintf(`{"op":"replace","path":"title","value":"T%d"}`, start)))
	}
	if strings.Join(seen, " ") != strings.Join(ids, " ") {
		t.Errorf("pages %v, want %v", seen, ids)
	}
}
