package scim

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// seeds adds what the stories send.
func seeds(f *testing.F, of func(step) string) {
	f.Helper()
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		for _, s := range readStory(f, file) {
			if text := of(s); text != "" {
				f.Add(text)
			}
		}
	}
}

// furnished returns a house with a user, who is a member of a group.
func furnished(tb testing.TB) (h *house, user, group string) {
	tb.Helper()
	h = newHouse(tb)
	user = h.user(tb, "mina@acme.test")
	h.must(tb, http.StatusOK, http.MethodPatch, "/Users/"+user, patchBody(
		`{"op":"add","value":{"title":"SRE","name":{"givenName":"Mina"},"addresses":[{"type":"work","locality":"Tokyo"}],"`+urnEnterprise+`":{"department":"Payments","manager":"E0007"}}}`))
	group, _ = h.must(tb, http.StatusCreated, http.MethodPost, "/Groups", groupBody("sre", user))["id"].(string)
	return h, user, group
}

// wantSound fails the test unless the answer is one that a client understands.
func wantSound(t *testing.T, status int, header http.Header, body []byte) {
	t.Helper()
	if status >= http.StatusInternalServerError && status != http.StatusNotImplemented || status < http.StatusOK {
		t.Fatalf("status %d: %s", status, body)
	}
	if len(body) == 0 {
		return
	}
	m := decoded(t, body)
	if status >= http.StatusBadRequest && (m["status"] == nil || m["detail"] == nil || m["detail"] == "") {
		t.Errorf("status %d is told as %s", status, body)
	}
	if header.Get("Content-Type") != mediaSCIM {
		t.Errorf("Content-Type %q", header.Get("Content-Type"))
	}
}

func FuzzFilter(f *testing.F) {
	seeds(f, func(s step) string {
		u, err := url.Parse(s.path)
		if err != nil {
			return ""
		}
		return u.Query().Get("filter")
	})
	f.Add(`emails[type eq "work" and (value co "x" or not (primary pr))]`)
	f.Add(`members eq "x" and meta.created gt "2026-01-01T00:00:00Z"`)
	h, user, _ := furnished(f)
	f.Fuzz(func(t *testing.T, filter string) {
		for _, path := range []string{"/Users", "/Groups"} {
			w := h.call("okta", http.MethodGet, path+"?filter="+url.QueryEscape(filter), "")
			wantSound(t, w.Code, w.Header(), w.Body.Bytes())
			// Who is found is who was looked for: a filter that says nothing of a value finds nobody.
			if path == "/Users" && w.Code == http.StatusOK && strings.Contains(w.Body.String(), user) &&
				strings.TrimSpace(filter) != "" && !strings.Contains(strings.ToLower(filter), "mina@acme.test") && !strings.Contains(filter, user) && !strings.Contains(filter, `\`) && isASCII(filter) {
				t.Errorf("%q finds %s", filter, w.Body)
			}
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 127 })
}

// A patch that is refused changes nothing; one that is taken changes nothing but
// what it names; what is kept can be read, and stays in bounds.
func FuzzPatch(f *testing.F) {
	seeds(f, func(s step) string {
		if s.method != http.MethodPatch {
			return ""
		}
		return s.body
	})
	h, user, group := furnished(f)
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/Users/" + user, "/Groups/" + group} {
			was := h.store.snapshot()
			before := h.must(t, http.StatusOK, http.MethodGet, path, "")
			w := h.call("okta", http.MethodPatch, path, body)
			wantSound(t, w.Code, w.Header(), w.Body.Bytes())
			if w.Code >= http.StatusBadRequest {
				if diff := cmp.Diff(was, h.store.snapshot()); diff != "" {
					t.Fatalf("a refused patch changed (-before +after):\n%s", diff)
				}
				continue
			}
			wantNamed(t, body, before, h.must(t, http.StatusOK, http.MethodGet, path, ""))
			h.wantKept(t)
		}
	})
}

// wantNamed fails the test when an attribute at the top has changed that the body does not name.
func wantNamed(t *testing.T, body string, before, after map[string]any) {
	t.Helper()
	folded, err := json.Marshal(strings.ToLower(body))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(folded, []byte(`\\u`)) || !isASCII(body) {
		return // a name may be written otherwise, and fold to one that is known
	}
	for name := range before {
		if name == "meta" || name == "schemas" || bytes.Contains(folded, []byte(strings.ToLower(name))) {
			continue
		}
		if diff := cmp.Diff(before[name], after[name]); diff != "" {
			t.Errorf("%s changed, and the patch does not name it (-before +after):\n%s\n%s", name, diff, body)
		}
	}
}

// wantKept fails the test unless all that is kept can be read and is canonical.
func (h *house) wantKept(t *testing.T) {
	t.Helper()
	for _, r := range h.store.order {
		attributes, err := read(r.Body)
		if err != nil {
			t.Fatalf("%s: %v", r.ID, err)
		}
		again, err := canonical(attributes)
		if err != nil || !bytes.Equal(again, r.Body) {
			t.Fatalf("%s is kept as %s, canonical is %s, %v", r.ID, r.Body, again, err)
		}
		if err := checkRequired(attributes, r.Kind); err != nil || r.Name == "" {
			t.Fatalf("%s is kept without a name: %s", r.ID, r.Body)
		}
		if r.Kind == lifecycle.ResourceUser && attributes["active"] == nil {
			t.Fatalf("%s is kept without active: %s", r.ID, r.Body)
		}
	}
}

// A request of any kind gets an answer that a client understands, and what was
// kept of others stays as it was.
func FuzzRequest(f *testing.F) {
	f.Add("GET", "/Users?filter=userName eq \"x\"&startIndex=-1&count=99999999999", "", "application/json")
	f.Add("POST", "/Users/", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"x"}`, "application/scim+json")
	f.Add("PUT", "/Groups/%2F..%2F", `{}`, "")
	f.Add("PATCH", "//Schemas/%00", `[]`, "application/json; charset=latin1")
	for _, file := range []string{"okta-people", "entra-groups", "mistakes", "discovery"} {
		for _, s := range readStory(f, "testdata/stories/"+file+".txt") {
			f.Add(s.method, s.path, s.body, "application/scim+json")
		}
	}
	f.Fuzz(func(t *testing.T, method, path, body, media string) {
		h, _, _ := furnished(t)
		was := h.store.snapshot()
		r := request("entra", http.MethodPost, "/Users", body)
		at, err := url.Parse("/scim/v2" + path)
		if err != nil {
			return // no request could be made of it
		}
		r.Method, r.URL = method, at
		r.Header.Set("Content-Type", media)
		w := h.send(r)
		wantSound(t, w.Code, w.Header(), w.Body.Bytes())
		now := h.store.snapshot()
		for key, kept := range was {
			if diff := cmp.Diff(kept, now[key]); diff != "" {
				t.Errorf("%s, which is another client's, changed (-before +after):\n%s", key, diff)
			}
		}
		h.wantKept(t)
	})
}
