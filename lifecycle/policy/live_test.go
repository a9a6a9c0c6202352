package policy

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"rolecall/lifecycle"
)

func account() []lifecycle.Team {
	return []lifecycle.Team{{ID: "PPAYSRE", Name: "Payments"}, {ID: "PPLATFM", Name: "Platform"}}
}

func unresolved(t *testing.T) lifecycle.Policy {
	t.Helper()
	p, err := Parse("p", []byte(head))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLiveResolvesOnceForEverybody(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	live := NewLive(unresolved(t), func(context.Context) ([]lifecycle.Team, error) {
		asked.Add(1)
		return account(), nil
	})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			p, err := live.Current(t.Context())
			if team, ok := p.TeamByID("PPLATFM"); err != nil || !ok || team.Name != "Platform" {
				t.Errorf("got %+v and %v, want Platform by the id that PagerDuty gave it", team, err)
			}
		})
	}
	wg.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("got %d listings, want 1", n)
	}
}

func TestLiveForgetsAFailure(t *testing.T) {
	t.Parallel()
	down := errors.New("PagerDuty is down")
	answers := []error{down, nil}
	live := NewLive(unresolved(t), func(context.Context) ([]lifecycle.Team, error) {
		err := answers[0]
		answers = answers[1:]
		return account(), err
	})
	if p, err := live.Current(t.Context()); !errors.Is(err, down) || len(p.Teams) > 0 {
		t.Errorf("got %v and %v, want the error and no policy", p, err)
	}
	if _, err := live.Current(t.Context()); err != nil {
		t.Errorf("got %v, want the policy now that PagerDuty answers", err)
	}
}

func TestLiveIsNotInForceWithATeamThatIsMissing(t *testing.T) {
	t.Parallel()
	teams := account()[:1]
	live := NewLive(unresolved(t), func(context.Context) ([]lifecycle.Team, error) { return teams, nil })
	p, err := live.Current(t.Context())
	if !errors.Is(err, lifecycle.ErrInvalid) || !strings.Contains(lifecycle.ReasonOf(err), "Platform") || len(p.Teams) > 0 {
		t.Errorf("got %v and %v, want a refusal that names Platform and no policy", p, err)
	}
	teams = account()
	if _, err := live.Current(t.Context()); err != nil {
		t.Errorf("got %v, want the policy once the team is there", err)
	}
}

func TestLiveWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		live := NewLive(unresolved(t), func(context.Context) ([]lifecycle.Team, error) {
			<-release
			return account(), nil
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := live.Current(t.Context()); err != nil {
				t.Errorf("got %v, want the policy", err)
			}
		})
		synctest.Wait() // the first now holds the turn
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := live.Current(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that the second gave up", err)
		}
		close(release)
		wg.Wait()
	})
}
