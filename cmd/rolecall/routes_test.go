package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A base URL that ends in a slash, which is a common slip, leads where it should.
func TestABaseURLThatEndsInASlashIsNotRedirected(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/scim/v2/", func(w http.ResponseWriter, r *http.Request) { answer(w, http.StatusOK, r.URL.Path) })
	for path, want := range map[string]string{"/scim/v2//Users": "/scim/v2/Users\n", "/scim/v2/Users/x": "/scim/v2/Users/x\n"} {
		w := httptest.NewRecorder()
		singleSlashes(mux).ServeHTTP(w, httptest.NewRequest(http.MethodPost, path+"?filter=x", http.NoBody))
		if w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("%s: %d %q, want %q", path, w.Code, w.Body, want)
		}
	}
}
