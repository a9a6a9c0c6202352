package intake

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
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

func TestOnlyASecretInUseIsLetIn(t *testing.T) {
	t.Parallel()
	long, other := strings.Repeat("a", ShortestToken), strings.Repeat("b", 60)
	for name, tt := range map[string]struct {
		offered string
		secrets []string
		want    bool
	}{
		"the one":                             {long, []string{long}, true},
		"its successor":                       {other, []string{long, other}, true},
		"the old one while both are in use":   {long, []string{long, other}, true},
		"another":                             {"c" + long, []string{long, other}, false},
		"nothing, where there are none":       {"", nil, false},
		"nothing, where one is empty":         {"", []string{""}, false},
		"one that is short enough to guess":   {long[1:], []string{long[1:]}, false},
		"a beginning of it":                   {long[:10], []string{long}, false},
		"the same in other letters, as it is": {strings.ToUpper(long), []string{long}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := IsOneOf(tt.offered, tt.secrets); got != tt.want {
				t.Errorf("let in: %t, want %t", got, tt.want)
			}
		})
	}
}

func TestABodyIsReadWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body io.Reader
		says int64
		want error
	}{
		"as long as it may be":           {strings.NewReader("12345678"), 8, nil},
		"one byte more, and it says so":  {strings.NewReader("123456789"), 9, ErrTooLarge},
		"one byte more, and it does not": {strings.NewReader("123456789"), -1, ErrTooLarge},
		"broken off":                     {iotest.ErrReader(io.ErrUnexpectedEOF), 8, ErrTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", tt.body)
			r.ContentLength = tt.says
			body, err := ReadBody(httptest.NewRecorder(), r, 8)
			if !errors.Is(err, tt.want) || err == nil && string(body) != "12345678" {
				t.Errorf("got %q, %v; want %v", body, err, tt.want)
			}
		})
	}
}
