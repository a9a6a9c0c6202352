package pagerduty_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// soonOver is how long it takes until what a handover has ended in shifts is over.
const soonOver = 6 * time.Minute

// Each is done in as few writes as it takes, is seen to be done, and is not done a second time.
func TestHandover(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{})
			o := d.order(w)
			from := w.time().Add(soonOver)
			before := w.others(from, o.Change.From, o.Change.To)
			var k keeper
			k.keep(&o)
			w.done(t, o, d.writes)
			session := o.Change.Entitlement.Kind == lifecycle.KindSession
			if want := map[bool]int{false: 1}[session]; k.calls != want {
				t.Errorf("kept %d times, want %d", k.calls, want)
			}
			w.done(t, o, d.writes)
			k.keep(&o) // as a process would that begins anew
			w.done(t, o, d.writes)
			w.covered(t, from, before, o.Change.From, o.Change.To)
			w.pass(soonOver)
			w.done(t, o, d.writes)
		})
	}
}

// done makes the change and holds it to the number of writes that there are by then.
func (w *watch) done(t *testing.T, o lifecycle.Order, writes int) {
	t.Helper()
	if _, err := w.client.Apply(t.Context(), o); err != nil {
		t.Fatalf("apply: %v", err)
	}
	if got := w.fake.Effects(); len(got) != writes {
		t.Fatalf("%d effects, want %d: %+v", len(got), writes, got)
	}
	now, err := w.client.ReadBack(t.Context(), o)
	if err != nil || now == nil || now.ID != o.Account {
		t.Fatalf("read back: %+v, %v", now, err)
	}
}

// What was there before is there again, to the last field, and everybody has the shifts that they had.
func TestUndo(t *testing.T) {
	t.Parallel()
	for name, d := range handovers() {
		for when, wait := range map[string]time.Duration{"at once": 0, "within minutes": 2 * time.Minute, "later": time.Hour, "much later": 10 * 24 * time.Hour} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				w := onWatch(t, pagerdutytest.Config{})
				o := d.order(w)
				from := w.time().Add(wait + soonOver)
				was, shifts := w.state(), w.others(from)
				var k keeper
				k.keep(&o)
				w.done(t, o, d.writes)
				w.pass(wait)
				w.undone(t, k.undo(o))
				w.pass(soonOver)
				w.undone(t, k.undo(o))
				w.covered(t, from, shifts)
				same(t, was, w.state())
			})
		}
	}
}

// undone takes a change back, and holds a second time to no further write.
func (w *watch) undone(t *testing.T, back lifecycle.Order) {
	t.Helper()
	if _, err := w.client.Apply(t.Context(), back); err != nil {
		t.Fatalf("undo: %v", err)
	}
	w.done(t, back, len(w.fake.Effects()))
}

// Nothing is written when what was there before cannot be kept.
func TestHandoverKeepsFirst(t *testing.T) {
	t.Parallel()
	for name, d := range handovers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onWatch(t, pagerdutytest.Config{})
			o := d.order(w)
			k := keeper{fail: errors.New("the disk is full")}
			k.keep(&o)
			if _, err := w.client.Apply(t.Context(), o); !errors.Is(err, k.fail) || len(w.fake.Writes()) > 0 {
				t.Errorf("apply: %v after %+v, want the keeper's error and no write", err, w.fake.Writes())
			}
		})
	}
}

// Whatever befalls any of its writes, a change is made, each write has one effect, and nobody is left without an answer.
func TestHandoverFaults(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		for nth := 1; nth <= d.writes+1; nth++ { // layers are looked at in a preview first
			for _, x := range pagerdutytest.Disasters() {
				t.Run(fmt.Sprintf("%s with %s at call %d", name, x.Name, nth), func(t *testing.T) {
					t.Parallel()
					w := onWatch(t, pagerdutytest.Config{}, quick)
					o := d.order(w)
					if nth > d.writes && (o.Change.Entitlement.Object.ID != w.weekly.ID || o.Change.Entitlement.Override != "") {
						return
					}
					from := w.time().Add(soonOver)
					before := w.others(from, o.Change.From, o.Change.To)
					var k keeper
					k.keep(&o)
					w.fake.FailWrite(nth, x.Kind)
					w.done(t, o, d.writes)
					w.pass(soonOver)
					w.done(t, o, d.writes)
					w.covered(t, from, before, o.Change.From, o.Change.To)
				})
			}
		}
	}
}

// A process that dies between two writes leaves nothing that the next one cannot go on from.
func TestHandoverCrash(t *testing.T) {
	t.Parallel()
	for name, d := range deeds() {
		for nth := 1; nth <= d.writes; nth++ {
			for _, wait := range []time.Duration{0, time.Minute, time.Hour} {
				t.Run(fmt.Sprintf("%s after write %d and %s", name, nth, wait), func(t *testing.T) {
					t.Parallel()
					w := onWatch(t, pagerdutytest.Config{})
					o := d.order(w)
					from := w.time().Add(wait + 2*soonOver)
					before := w.others(from, o.Change.From, o.Change.To)
					var k keeper
					k.keep(&o)
					ctx, die := context.WithCancel(t.Context())
					w.fake.FailWrite(nth, pagerdutytest.After(die))
					if _, err := w.client.Apply(ctx, o); err == nil && nth < d.writes {
						t.Fatal("it was applied by a process that is dead")
					}
					w.pass(wait)
					k.keep(&o)
					w.done(t, o, d.writes)
					w.pass(soonOver)
					w.done(t, o, d.writes)
					if wait > lead {
						return // a hole that nobody came back to in time is no surprise
					}
					w.covered(t, from, before, o.Change.From, o.Change.To)
				})
			}
		}
	}
}

// lead is how long there is to come back after a crash.
const lead = 5 * time.Minute
