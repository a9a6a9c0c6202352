package scim

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What strangers with a token may ask for takes no long.
func TestWhatOneRequestMayAskForIsBounded(t *testing.T) {
	t.Parallel()
	h, user, group := furnished(t)
	repeat := func(operation string, n int) string {
		return patchBody(strings.TrimSuffix(strings.Repeat(operation+",", n), ","))
	}
	changes := `{"op":"add","path":"emails[type eq \"work\"].value","value":"a@acme.test"}`
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		detail             string
	}{
		"as many changes as there may be": {
			method: http.MethodPatch, path: "/Users/" + user, body: repeat(changes, mostChanges), status: http.StatusOK,
		},
		"one more": {
			method: http.MethodPatch, path: "/Users/" + user, body: repeat(changes, mostChanges+1), status: http.StatusBadRequest,
			detail: "Operations change more than 500 attributes; send them in several requests",
		},
		"as many members as fit, one by one": {
			method: http.MethodPatch, path: "/Groups/" + group, body: repeat(`{"op":"remove","path":"members[value eq \"usr_1\"]"}`, mostOperations), status: http.StatusNoContent,
		},
		"one operation more": {
			method: http.MethodPatch, path: "/Groups/" + group, body: repeat(`{"op":"remove","path":"members"}`, mostOperations+1), status: http.StatusBadRequest,
			detail: "Operations must be a list of 1 to 10000 operations",
		},
		"more addresses than anybody has": {
			method: http.MethodPatch, path: "/Users/" + user, status: http.StatusBadRequest, detail: "Operations[0].value has 51 values; at most 50 are kept",
			body: patchBody(`{"op":"add","path":"emails","value":[` + strings.TrimSuffix(strings.Repeat(`{"value":"a@acme.test"},`, mostValues+1), ",") + `]}`),
		},
		"one address more each time": {
			method: http.MethodPatch, path: "/Users/" + user, status: http.StatusBadRequest, detail: "emails would have 51 values; at most 50 are kept",
			body: patchBody(func() string {
				var list []string
				for i := range mostValues {
					list = append(list, fmt.Sprintf(`{"op":"add","path":"emails","value":{"value":"u%d@acme.test","type":"home"}}`, i))
				}
				return strings.Join(list, ",")
			}()),
		},
		"a filter that goes deep": {
			method: http.MethodGet, path: "/Users?filter=" + strings.Repeat("(", 400) + "userName%20eq%20%22x%22" + strings.Repeat(")", 400), status: http.StatusOK,
		},
		"a filter that is too long": {
			method: http.MethodGet, path: "/Users?filter=userName%20eq%20%22" + strings.Repeat("x", longestFilter) + "%22", status: http.StatusBadRequest,
			detail: "the filter has 1038 bytes; at most 1024 are read",
		},
		"a path that is too long": {
			method: http.MethodPatch, path: "/Users/" + user, body: repeat(`{"op":"remove","path":"`+strings.Repeat("x", longestPath+1)+`"}`, 1), status: http.StatusBadRequest,
			detail: "Operations[0].path has 513 bytes; at most 512 are read",
		},
		"a body that goes deep": {
			method: http.MethodPost, path: "/Users", body: strings.Repeat("[", 500_000), status: http.StatusBadRequest,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := h.must(t, tt.status, tt.method, tt.path, tt.body)
			if tt.detail != "" && got["detail"] != tt.detail {
				t.Errorf("detail %v, want %s", got["detail"], tt.detail)
			}
		})
	}
}
