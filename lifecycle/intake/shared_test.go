package intake

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestALedgerCountsAFloodOfEachSourceApart(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	l := NewLedger(lifecycle.NewInbox(h.store, h.clock.now), h.clock.now, slog.New(slog.DiscardHandler))
	r := httptest.NewRequest(http.MethodPost, "/scim/v2/Users", strings.NewReader(""))
	r.RemoteAddr = "203.0.113.77:4711"
	for range linesAMinute + 3 {
		l.Refuse(r, "POST /scim/v2/Users", "scim:okta", "it is no JSON")
	}
	l.Refuse(r, "POST /scim/v2/Users", "scim:entra", "it is no JSON")
	l.Refuse(r, "POST /scim/v2/Users", "", "no token")
	h.clock.advance(time.Minute)
	l.Settle(t.Context(), false)
	want := []string{
		"scim:entra | POST /scim/v2/Users: it is no JSON",
		"unverified | POST /scim/v2/Users: no token, from 203.0.113.0/24",
		"scim:okta | POST /scim/v2/Users: 3 more were refused since 2026-05-31T09:00:00Z and are not listed one by one",
	}
	if diff := cmp.Diff(want, h.store.refusals()[linesAMinute:]); diff != "" {
		t.Errorf("trail (-want +got):\n%s", diff)
	}
}

func TestReadJSON(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body   string
		want   any
		reason string
	}{
		"a value as it stands":   {body: `{"a":[1,"b",null,{"c":true}]}`, want: map[string]any{"a": []any{json.Number("1"), "b", nil, map[string]any{"c": true}}}},
		"trailing data":          {body: `{"a":1} {}`, reason: "line 1, column 9"},
		"a name that is doubled": {body: `{"a":1,"a":2}`, reason: "given twice"},
		"nothing":                {body: ``, reason: "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadJSON([]byte(tt.body))
			if tt.reason == "" && err != nil || tt.reason != "" && (!errors.Is(err, lifecycle.ErrInvalid) || !strings.Contains(lifecycle.ReasonOf(err), tt.reason)) {
				t.Fatalf("error %v, want %q", err, tt.reason)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
}
