package pagerduty_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// PagerDuty shows changes late. A lost answer and a late sight together end in one effect of each write all the same: after
// a while of trying, as jobs do.
func TestHandoverSeenLate(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		for _, reads := range []int{1, 4} {
			for nth := 0; nth <= d.writes; nth++ {
				t.Run(fmt.Sprintf("%s with the answer to %d lost and seen after %d reads", name, nth, reads), func(t *testing.T) {
					t.Parallel()
					w := onWatch(t, pagerdutytest.Config{ReadLag: pagerdutytest.ReadLag{Reads: reads}}, func(cfg *pagerduty.Config) { cfg.Settle = 20 * time.Second })
					o := d.order(w)
					from := w.time().Add(soonOver)
					before := w.others(from, o.Change.From, o.Change.To)
					var k keeper
					k.keep(&o)
					if nth > 0 {
						w.fake.FailWrite(nth, pagerdutytest.LostAnswer())
					}
					w.done(t, o, d.writes)
					w.covered(t, from, before, o.Change.From, o.Change.To)
				})
			}
		}
	}
}

// When what was made is not to be seen for longer than anybody waits, nobody is left without an answer, and a later try ends
// it. An override may then be there twice, which a later undo finds.
func TestHandoverSeenTooLate(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a seat in shifts", "an override to come", "a custom shift that runs"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{ReadLag: pagerdutytest.ReadLag{For: time.Minute}}, func(cfg *pagerduty.Config) {
				cfg.Settle, cfg.Patience = 5*time.Millisecond, 20*time.Millisecond
			})
			o := deeds()[name].order(w)
			var k keeper
			k.keep(&o)
			w.fake.FailWrite(1, pagerdutytest.LostAnswer())
			if _, err := w.client.Apply(t.Context(), o); err != nil && lifecycle.ReasonOf(err) != "" {
				t.Errorf("apply: %v, want it made, or a fault that may pass", err)
			}
			w.pass(2 * time.Minute)
			k.keep(&o)
			if _, err := w.client.Apply(t.Context(), o); err != nil {
				t.Fatalf("apply again: %v", err)
			}
			if now, err := w.client.ReadBack(t.Context(), o); err != nil || now == nil {
				t.Errorf("read back: %v, %v", now, err)
			}
			if gaps := w.fake.GapsSeen(); len(gaps) > 0 {
				t.Errorf("gaps: %v", gaps)
			}
			k.keep(&o)
			w.pass(2 * time.Minute)
			if _, err := w.client.Apply(t.Context(), k.undo(o)); err != nil {
				t.Fatalf("undo: %v", err)
			}
			w.pass(2*time.Minute + soonOver)
			for id, shifts := range w.others(w.time(), w.ann.ID, w.bo.ID, w.dan.ID, w.ada.ID) {
				t.Errorf("somebody still has shifts in %s: %v", id, shifts)
			}
		})
	}
}

// A fickle PagerDuty draws Dan where Bo was sent.
type fickle struct {
	http.RoundTripper
	bo, dan string
}

func (f *fickle) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Path != "/schedules/preview" {
		return f.RoundTripper.RoundTrip(req)
	}
	all, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	all = bytes.ReplaceAll(all, []byte(f.bo), []byte(f.dan))
	req = req.Clone(req.Context())
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(all)), int64(len(all))
	return f.RoundTripper.RoundTrip(req)
}

// What would move somebody else's shifts, by PagerDuty's own preview, is not written.
func TestLayersThatWouldMoveOthers(t *testing.T) {
	t.Parallel()
	f := &fickle{RoundTripper: http.DefaultTransport}
	w := onWatch(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Transport = f })
	f.bo, f.dan = w.bo.ID, w.dan.ID
	_, err := w.client.Apply(t.Context(), w.handover(w.seat(""), w.cy))
	reason := lifecycle.ReasonOf(err)
	if !strings.Contains(reason, "would also move the shifts of") || !strings.Contains(reason, "Bo Birch") || !strings.Contains(reason, "Dan Dogwood") || strings.Contains(reason, "Ada") {
		t.Errorf("apply: %v, want the names of those whose shifts would move", err)
	}
	if got := w.fake.Effects(); len(got) > 0 {
		t.Errorf("effects are %+v, want none", got)
	}
}

// upright is a PagerDuty that takes layers in the order in which it gives them, as it may one day, in some requests.
func upright(when func(*http.Request) bool) *rewriter {
	return &rewriter{
		when: func(req *http.Request) bool {
			return req.Method != http.MethodGet && strings.HasPrefix(req.URL.Path, "/schedules/") && when(req)
		},
		change: func(body map[string]any) {
			slices.Reverse(body["schedule"].(map[string]any)["schedule_layers"].([]any))
		},
	}
}

// Which layer wins does not depend on what is known of the order that PagerDuty takes them in: its preview decides, and if
// that says something else than comes of it, what came of it.
func TestLayersKeepTheirOrder(t *testing.T) {
	t.Parallel()
	put := func(req *http.Request) bool { return req.Method == http.MethodPut }
	for name, tt := range map[string]struct {
		when   func(*http.Request) bool
		writes int
	}{
		"as they are given, in both":    {func(*http.Request) bool { return true }, 1},
		"as they are given, in writes":  {put, 2},
		"as they are given, in preview": {func(req *http.Request) bool { return !put(req) }, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) { cfg.Transport = upright(tt.when) })
			o := w.handover(w.seat(""), w.cy)
			var k keeper
			k.keep(&o)
			was, from := w.state(), w.time()
			before := w.others(from, w.ann.ID, w.cy.ID)
			w.done(t, o, tt.writes)
			w.covered(t, from, before, w.ann.ID, w.cy.ID)
			w.undone(t, k.undo(o))
			same(t, was, w.state())
		})
	}
}

// Also after a crash right after the write.
func TestLayersThatWereTurnedRound(t *testing.T) {
	t.Parallel()
	w := onWatch(t, pagerdutytest.Config{}, func(cfg *pagerduty.Config) {
		cfg.Transport = upright(func(req *http.Request) bool { return req.Method == http.MethodPut })
	})
	o := w.handover(w.seat(""), w.cy)
	var k keeper
	k.keep(&o)
	from := w.time()
	before := w.others(from, w.ann.ID, w.cy.ID)
	ctx, die := context.WithCancel(t.Context())
	w.fake.Fail(pagerdutytest.Fault{Method: "PUT", Kind: pagerdutytest.After(die)})
	if _, err := w.client.Apply(ctx, o); err == nil {
		t.Fatal("it was applied by a process that is dead")
	}
	k.keep(&o)
	w.done(t, o, 2)
	w.covered(t, from, before, w.ann.ID, w.cy.ID)
}
