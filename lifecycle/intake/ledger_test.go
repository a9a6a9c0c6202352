package intake

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// forged returns a request that nobody with a secret has signed.
func (h *house) forged(path string) *http.Request {
	r := h.signed(path, mediaEvent, minaMoves)
	r.Header.Del(headerSignature)
	return r
}

func TestAFloodLeavesOneLineThatCounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 1000 {
		h.send(h.forged(RouteLifecycle))
	}
	if got := len(h.store.refusals()); got != linesAMinute {
		t.Fatalf("%d lines in the flood, want %d", got, linesAMinute)
	}
	h.send(h.forged(RouteFindings))
	h.post(RouteLifecycle, mediaEvent, "{")
	if got := h.store.refusals()[linesAMinute:]; len(got) != 2 || !strings.HasPrefix(got[1], "webhook | ") {
		t.Errorf("the flood hides others: %q", got)
	}
	h.clock.advance(time.Minute)
	wantStatus(t, h.post(RouteLifecycle, mediaEvent, minaMoves), http.StatusAccepted)
	got := h.store.refusals()[linesAMinute+2:]
	want := fmt.Sprintf("unverified | POST /v1/lifecycle: %d more were refused since 2026-05-31T09:00:00Z and are not listed one by one", 1000-linesAMinute)
	if len(got) != 1 || got[0] != want {
		t.Errorf("the count is %q, want %q", got, want)
	}
	h.send(h.forged(RouteLifecycle))
	h.Flush(t.Context())
	if got := len(h.store.refusals()); got != linesAMinute+4 {
		t.Errorf("%d lines, want the new minute's one more and no second count", got)
	}
}

func TestFlushWritesWhatIsCounted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range linesAMinute + 3 {
		h.post(RouteFindings, mediaEvent, "{")
	}
	h.Flush(t.Context())
	h.Flush(t.Context())
	got := h.store.refusals()
	if len(got) != linesAMinute+1 || !strings.HasPrefix(got[linesAMinute], "webhook | POST /v1/findings: 3 more were refused") {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

func TestWhatCannotBeRecordedIsCountedLater(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.store.broken = errors.New("disk full")
	wantStatus(t, h.send(h.forged(RouteLifecycle)), http.StatusUnauthorized)
	h.Flush(t.Context())
	if !strings.Contains(h.log.String(), "disk full") {
		t.Errorf("log %q", h.log)
	}
	h.store.broken = nil
	h.Flush(t.Context())
	if got := h.store.refusals(); len(got) != 1 || !strings.Contains(got[0], "1 more were refused") {
		t.Errorf("trail %q", got)
	}
}

func TestAClockThatIsSetBackDoesNotSilenceTheTrail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range linesAMinute + 1 {
		h.send(h.forged(RouteLifecycle))
	}
	h.clock.advance(-time.Hour)
	h.send(h.forged(RouteLifecycle))
	if got := len(h.store.refusals()); got != linesAMinute+2 {
		t.Errorf("%d lines, want the count and the new one too", got)
	}
}

func TestAFloodFromMany(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for range 100 {
				h.send(h.forged(RouteLifecycle))
			}
		})
	}
	senders.Wait()
	h.Flush(t.Context())
	got := h.store.refusals()
	if want := fmt.Sprintf("%d more were refused", 800-linesAMinute); len(got) != linesAMinute+1 || !strings.Contains(got[linesAMinute], want) {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

func TestNeighbourhood(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"203.0.113.77:80":                "203.0.113.0/24",
		"[2001:db8:1:2:3:4:5:6]:80":      "2001:db8:1:2::/64",
		"[::ffff:203.0.113.77]:80":       "203.0.113.0/24",
		"[fe80::1%eth0]:80":              "fe80::/64",
		"@":                              "an unknown address",
		"":                               "an unknown address",
		"203.0.113.77":                   "an unknown address",
		"evil\nline, from 10.0.0.0/8:80": "an unknown address",
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.RemoteAddr = from
		if got := neighbourhood(r); got != want {
			t.Errorf("%q is from %q, want %q", from, got, want)
		}
	}
}
