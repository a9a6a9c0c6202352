package bot

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// passes notes when the calls of one method went through a gate.
type passes struct {
	mu sync.Mutex
	at []time.Time
}

func (p *passes) add() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, time.Now())
}

// most returns the most calls that began in any minute.
func (p *passes) most() int {
	most := 0
	for i := range p.at {
		j := i
		for j < len(p.at) && p.at[j].Sub(p.at[i]) <= time.Minute {
			j++
		}
		most = max(most, j-i)
	}
	return most
}

func TestWhateverComesNoMinuteHoldsMoreThanItsTier(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		synctest.Test(t, func(t *testing.T) {
			chance := rand.New(rand.NewPCG(seed, 5))
			g, went := newGate(tier3, true), &passes{}
			var all sync.WaitGroup
			for range 300 {
				time.Sleep(time.Duration(chance.IntN(600)) * time.Millisecond)
				r := rank(chance.IntN(6) == 0)
				patience := time.Duration(chance.IntN(600)) * time.Second
				all.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					defer cancel()
					if g.pass(ctx, r) == nil {
						went.add()
					}
				})
			}
			all.Wait()
			if got := went.most(); got > tier3 {
				t.Errorf("seed %d: %d calls in a minute, Slack allows %d", seed, got, tier3)
			}
		})
	}
}

func TestAWholeMinutesCallsGoInAMinute(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kept  bool
		r     rank
		once  int
		whole int
	}{
		"of a method of which nothing is kept":   {false, patient, tier3, tier3},
		"nobody waits, and a part is kept":       {true, patient, 5, 45},
		"somebody waits, and what is kept goes":  {true, awaited, 10, 50},
		"somebody waits, and nothing is to keep": {false, awaited, tier3, tier3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g, start := newGate(tier3, tt.kept), time.Now()
				for k := range tt.whole {
					if err := g.pass(t.Context(), tt.r); err != nil {
						t.Fatal(err)
					}
					if took := time.Since(start); k < tt.once && took > 0 || took > ourMinute+time.Second {
						t.Errorf("%d calls took %s", k+1, took)
					}
				}
				if err := g.pass(t.Context(), tt.r); err != nil || time.Since(start) < time.Minute {
					t.Errorf("the next went after %s (%v)", time.Since(start), err)
				}
			})
		})
	}
}

func TestWhoWaitsGoesBeforeWhatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		o := scripted(t, s)
		var all sync.WaitGroup
		for i := range 2 * tier3 {
			all.Go(func() {
				if err := o.update(t.Context(), "C1", fmt.Sprint(i), message{Text: "x"}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		start := time.Now()
		if err := o.update(t.Context(), "C1", "pressed", message{Text: "x", Rank: awaited}); err != nil || time.Since(start) > 0 {
			t.Errorf("the pressed card waited %s (%v)", time.Since(start), err)
		}
		all.Wait()
	})
}

func TestATurnThatComesTooLateIsLeftToOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, false)
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		for i := range 3 {
			if _, later := asJobError(g.pass(hurried, patient)); later != (i > 0) {
				t.Errorf("call %d: put off %v", i, later)
			}
		}
		if err := g.pass(t.Context(), patient); err != nil || time.Since(start) > ourMinute {
			t.Errorf("the next waited %s (%v)", time.Since(start), err)
		}
	})
}
