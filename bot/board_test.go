package bot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func (l *ledger) Hold(_ context.Context, id lifecycle.HoldID) (h lifecycle.Hold, err error) {
	err = l.op("hold", func() error {
		var ok bool
		if h, ok = l.holds[id]; !ok {
			return lifecycle.ErrNotFound
		}
		return nil
	})
	return h, err
}

// asker is the ledger where cases are read. Nobody answers in these tests.
type asker struct {
	Matcher
	l *ledger
}

func (a asker) Case(_ context.Context, id lifecycle.CaseID) (c lifecycle.Case, err error) {
	err = a.l.op("case", func() error {
		var ok bool
		if c, ok = a.l.cases[id]; !ok {
			return lifecycle.ErrNotFound
		}
		return nil
	})
	return c, err
}

func (a asker) Open(context.Context) (open []lifecycle.Case, err error) {
	err = a.l.op("cases", func() error {
		for _, id := range slices.Sorted(maps.Keys(a.l.cases)) {
			if c := a.l.cases[id]; c.Open() {
				open = append(open, c)
			}
		}
		return nil
	})
	return open, err
}

// starter starts no source in these tests.
type starter struct{ Sources }

// stopper is the ledger where holds are read. Nobody releases in these tests.
type stopper struct {
	Brakes
	l *ledger
}

func (s stopper) Open(context.Context) (open []lifecycle.Hold, err error) {
	err = s.l.op("holds", func() error {
		for _, id := range slices.Sorted(maps.Keys(s.l.holds)) {
			if h := s.l.holds[id]; h.Open() {
				open = append(open, h)
			}
		}
		return nil
	})
	return open, err
}

func (l *ledger) RemovalsOf(_ context.Context, id lifecycle.HoldID) (all []lifecycle.Removal, err error) {
	err = l.op("removals", func() error { all = l.removals[id]; return nil })
	return all, err
}

func (l *ledger) Holds(ctx context.Context) ([]lifecycle.Hold, error) { return stopper{l: l}.Open(ctx) }

func (l *ledger) Removals(context.Context, time.Time) (all []lifecycle.Removal, err error) {
	err = l.op("removals", func() error {
		for _, id := range slices.Sorted(maps.Keys(l.removals)) {
			all = append(all, l.removals[id]...)
		}
		return nil
	})
	return all, err
}

func (l *ledger) RemovalsAbout(ctx context.Context, who lifecycle.IdentityID) ([]lifecycle.Removal, error) {
	all, err := l.Removals(ctx, time.Time{})
	return slices.DeleteFunc(all, func(r lifecycle.Removal) bool { return r.Identity != who }), err
}

func (l *ledger) Cases(ctx context.Context) ([]lifecycle.Case, error) { return asker{l: l}.Open(ctx) }

func (l *ledger) Sources(context.Context) ([]lifecycle.Source, error) { return l.sources, nil }

func (l *ledger) PolicyInForce(context.Context) (lifecycle.PolicyText, error) {
	return lifecycle.PolicyText{SHA256: l.policy.SHA256, At: noon}, nil
}

func (l *ledger) Head(context.Context) (int64, string, error) { return 7, strings.Repeat("7", 64), nil }

func (l *ledger) Population(context.Context) (int, error) { return len(l.accounts), nil }

func (l *ledger) putCase(c lifecycle.Case) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cases[c.ID] = c
}

func (l *ledger) putHold(h lifecycle.Hold, all []lifecycle.Removal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holds[h.ID], l.removals[h.ID] = h, all
}

// showing is one kind of card for Security: how it is stored first, how it is
// changed, and what then stands there.
type showing struct {
	ref          string
	put, settle  func(*ledger)
	first, later string
	step         func(*outbound) func(context.Context, lifecycle.Attempt) error
}

func showings() map[string]showing {
	c := caseCards()["person"]
	h, people := stopped(lifecycle.HoldLeavers, 12)
	return map[string]showing{
		"case": {
			ref: string(c.ID), put: func(l *ledger) { l.putCase(c) }, first: "[This person…]",
			settle: func(l *ledger) {
				l.putCase(answeredCase(c, lifecycle.AnswerNew, "Another Mina", lifecycle.ViaSlack))
			},
			later: "Answered by <@U0INES>, Mon 4 May 13:00 UTC: *Somebody new*",
			step:  func(o *outbound) func(context.Context, lifecycle.Attempt) error { return o.showCase },
		},
		"hold": {
			ref: string(h.ID), put: func(l *ledger) { l.putHold(h, people) }, first: "[Release…] [Refuse…]",
			settle: func(l *ledger) {
				l.putHold(settledBy(h, lifecycle.HoldRefused, "ines@acme.test", "A broken export"), nil)
			},
			later: "Refused by <@U0INES>",
			step:  func(o *outbound) func(context.Context, lifecycle.Attempt) error { return o.showHold },
		},
	}
}

func eachShowing(t *testing.T, f func(t *testing.T, s showing)) {
	t.Helper()
	for name, s := range showings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, s)
		})
	}
}

func (s showing) show(t testing.TB, o *outbound) error {
	t.Helper()
	return s.step(o)(t.Context(), lifecycle.Attempt{Ref: s.ref})
}

func (s showing) shown(t testing.TB, o *outbound) {
	t.Helper()
	if err := s.show(t, o); err != nil {
		t.Fatal(err)
	}
}

func TestSecurityIsShownOneCardThatStaysTrue(t *testing.T) {
	t.Parallel()
	eachShowing(t, func(t *testing.T, s showing) {
		d := newDesk(t)
		s.put(d.store)
		for range 2 {
			s.shown(t, d.out(t))
		}
		got := d.Messages("C0SECURITY")
		sameCount(t, "cards", len(got), 1)
		wants(t, slacktest.PlainText(got[0].Blocks), s.first)
		s.settle(d.store)
		for range 2 {
			s.shown(t, d.out(t))
		}
		got = d.Messages("C0SECURITY")
		sameCount(t, "cards after it was settled", len(got), 1)
		wants(t, slacktest.PlainText(got[0].Blocks), s.later)
		if n := len(slacktest.Buttons(got[0].Blocks)); n != 0 {
			t.Errorf("%d buttons are left on what is settled", n)
		}
		for _, user := range []string{"U0PRIYA", "U0LEE"} {
			sameCount(t, "copies of "+user, len(d.dm(user)), 0)
		}
		for _, e := range d.store.events {
			if e.Ref != s.ref {
				t.Errorf("the line %s is about %q, want %q", e.Kind, e.Ref, s.ref)
			}
		}
		d.clean(t)
	})
}

func TestWhereTheChannelIsLostEachMemberHasACopy(t *testing.T) {
	t.Parallel()
	eachShowing(t, func(t *testing.T, s showing) {
		d := newDesk(t)
		d.store.policy.Security.Channel = "C0GONE"
		s.put(d.store)
		for range 2 {
			s.shown(t, d.out(t))
		}
		for _, user := range []string{"U0PRIYA", "U0LEE"} {
			wants(t, texts(d.dm(user)), s.first)
			sameCount(t, "copies of "+user, len(d.dm(user)), 1)
		}
		if n := d.store.count(lifecycle.EventCardFailed); n == 0 {
			t.Error("that the channel cannot be spoken in is not on record")
		}
		s.settle(d.store)
		d.store.policy.Security.Channel = "C0SECURITY" // mended meanwhile
		s.shown(t, d.out(t))
		wants(t, texts(d.Messages("C0SECURITY")), s.later)
		for _, user := range []string{"U0PRIYA", "U0LEE"} {
			wants(t, texts(d.dm(user)), s.later)
			sameCount(t, "copies of "+user+" afterwards", len(d.dm(user)), 1)
		}
	})
}

func TestThatNobodyOfSecurityCanBeReachedIsAFault(t *testing.T) {
	t.Parallel()
	eachShowing(t, func(t *testing.T, s showing) {
		d := newDesk(t)
		d.store.policy.Security = lifecycle.Security{Members: []string{"gone@acme.test"}}
		s.put(d.store)
		if err := s.show(t, d.out(t)); err == nil || !strings.Contains(err.Error(), "nobody of Security can be reached") {
			t.Errorf("it is %v", err)
		}
		s.settle(d.store)
		s.shown(t, d.out(t)) // nobody is asked any more
	})
}

func TestACardForSecuritySurvivesACrashAnywhere(t *testing.T) {
	t.Parallel()
	eachShowing(t, func(t *testing.T, s showing) {
		for n := 1; ; n++ {
			d := newDesk(t)
			s.put(d.store)
			hook, died := dieAt(n)
			d.store.hook(hook)
			err := s.show(t, d.out(t))
			if !died() {
				return
			}
			if err == nil {
				t.Fatalf("dying at operation %d went unnoticed", n)
			}
			d.store.hook(nil)
			o := d.out(t)
			d.settle(t, func() error { return s.show(t, o) })
			sameCount(t, "cards", len(d.Messages("C0SECURITY")), 1)
		}
	})
}

func TestWhatIsSettledWhileItIsDrawnIsDrawnAgain(t *testing.T) {
	t.Parallel()
	eachShowing(t, func(t *testing.T, s showing) {
		d := newDesk(t)
		s.put(d.store)
		moved := false
		d.store.hook(func(op string) error {
			if op == "save message" && !moved {
				moved = true
				s.settle(d.store)
			}
			return nil
		})
		s.shown(t, d.out(t))
		wants(t, texts(d.Messages("C0SECURITY")), s.later)
	})
}

func TestACardOfWhatIsNoMoreIsGivenUp(t *testing.T) {
	t.Parallel()
	eachShowing(t, func(t *testing.T, s showing) {
		d := newDesk(t)
		err := s.show(t, d.out(t))
		if e, ok := asJobError(err); !ok || !e.Permanent || !errors.Is(err, lifecycle.ErrNotFound) {
			t.Errorf("it is %v, want a permanent failure", err)
		}
	})
}

func TestAnEditIsDueWhenMoreJoinAHold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	h, people := stopped(lifecycle.HoldLeavers, 12)
	d.store.putHold(h, people)
	show := func() {
		t.Helper()
		if err := d.out(t).showHold(t.Context(), lifecycle.Attempt{Ref: string(h.ID)}); err != nil {
			t.Fatal(err)
		}
	}
	show()
	h.Revision, h.UpdatedAt = 2, noon.Add(time.Minute)
	_, more := stopped(lifecycle.HoldLeavers, 15)
	d.store.putHold(h, more)
	show()
	wants(t, texts(d.Messages("C0SECURITY")), "Stopped: 15 leaver notices in 5 minutes (limit 10)")
	d.clean(t)
}

func TestACardWhoseBlocksAreRefusedStillReachesSecurity(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		refused       int
		first, absent string
	}{
		"its table": {1, "[Release…] [Refuse…]", "Department | People"},
		"all of it": {2, "Slack could not draw the buttons: use those of `/rolecall inbox`", "[Release…]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			h, people := stopped(lifecycle.HoldLeavers, 12)
			d.store.putHold(h, people)
			d.Fail("chat.postMessage", slacktest.Fault{Error: "invalid_blocks", Times: tt.refused})
			if err := d.out(t).showHold(t.Context(), lifecycle.Attempt{Ref: string(h.ID)}); err != nil {
				t.Fatal(err)
			}
			said := texts(d.Messages("C0SECURITY"))
			wants(t, said, tt.first, "Stopped: 12 leaver notices")
			if strings.Contains(said, tt.absent) {
				t.Errorf("it has %q:\n%s", tt.absent, said)
			}
			if n := d.store.count(lifecycle.EventCardFailed); n != 1 {
				t.Errorf("%d lines say so, want 1", n)
			}
		})
	}
	if !hasButtons(caseMessage(caseCards()["person"], testFrame()).Blocks[2]) {
		t.Error("an answer beside its words is no button")
	}
}
