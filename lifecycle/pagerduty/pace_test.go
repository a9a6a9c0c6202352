package pagerduty

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// inProcess is the fake without a network, so that time in a bubble can pass.
type inProcess struct {
	http.Handler
	mu    sync.Mutex
	times []time.Time
}

func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.times = append(p.times, time.Now())
	p.mu.Unlock()
	w := httptest.NewRecorder()
	r = r.Clone(r.Context())
	if r.Body == nil {
		r.Body = http.NoBody // as a server would have it
	}
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

func bubble(t *testing.T, cfg pagerdutytest.Config, perMinute int) (*pagerdutytest.Account, *inProcess, *Client) {
	t.Helper()
	cfg.Token = "k"
	a := pagerdutytest.New(cfg)
	p := &inProcess{Handler: a.Handler()}
	c, err := New(Config{
		Token: func() (string, error) { return "k", nil }, APIURL: "http://pagerduty.example", PerMinute: perMinute,
		Transport: p, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, p, c
}

// A sweep spends what PagerDuty says is left, leaves the rest to others, and is never refused.
func TestSweepStaysUnderTheLimit(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		limit  int
		teams  int
		within time.Duration
	}{
		"a small account is read at once":                {pagerdutytest.DefaultRateLimit, 500, time.Second},
		"a large one goes on in the next minute":         {pagerdutytest.DefaultRateLimit, 1200, 90 * time.Second},
		"a key that PagerDuty allows little":             {100, 250, 3 * time.Minute},
		"without headers calls drip":                     {pagerdutytest.NoRateLimit, 360, 21 * time.Second},
		"without headers the first few need not wait":    {pagerdutytest.NoRateLimit, 50, time.Second},
		"a limit so small that a reserve is none at all": {10, 25, 4 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, p, c := bubble(t, pagerdutytest.Config{RateLimit: tt.limit}, 900)
				for range tt.teams {
					team := a.AddTeam(pagerdutytest.Team{Name: "T"})
					u := a.AddUser(pagerdutytest.User{Name: "U", Email: strings.ToLower(team.ID) + "@example.com"})
					a.AddMember(team.ID, u.ID, pagerdutytest.TeamObserver)
				}
				begun := time.Now()
				if _, err := c.Snapshot(t.Context()); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begun); took > tt.within {
					t.Errorf("it took %s for %d calls, want at most %s", took, len(p.times), tt.within)
				}
				if n := worstMinute(p.times); n > 960 {
					t.Errorf("%d calls in a minute, want at most 960", n)
				}
				if got := a.TotalCalls(); got > tt.teams+2*(tt.teams/99+1)+3 { // and policies, and schedules of both kinds
					t.Errorf("%d calls: some were refused and repeated", got)
				}
			})
		})
	}
}

func worstMinute(times []time.Time) int {
	worst, from := 0, 0
	for i, at := range times {
		for at.Sub(times[from]) >= time.Minute {
			from++
		}
		worst = max(worst, i-from+1)
	}
	return worst
}

// told is an answer whose headers tell of a limit, what is left of it, and for how many seconds.
func told(limit, left, reset int) *http.Response {
	h := http.Header{}
	h.Set("Ratelimit-Limit", strconv.Itoa(limit))
	h.Set("Ratelimit-Remaining", strconv.Itoa(left))
	h.Set("Ratelimit-Reset", strconv.Itoa(reset))
	return &http.Response{StatusCode: http.StatusOK, Header: h}
}

// Some operations have a limit of their own, which must not slow all others; a window that follows another counts anew.
func TestLimitsAreKeptApart(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answers []*http.Response
		want    int // calls that need not wait
	}{
		"an operation's own, after the key's":  {[]*http.Response{told(960, 500, 30), told(10, 1, 50)}, 500},
		"an operation's own, before the key's": {[]*http.Response{told(10, 1, 50), told(960, 500, 30)}, 500},
		"an answer that comes late":            {[]*http.Response{told(960, 500, 30), told(960, 510, 30)}, 500},
		"another who uses the key":             {[]*http.Response{told(960, 500, 30), told(960, 200, 30)}, 200},
		"the next window":                      {[]*http.Response{told(960, 3, 1), told(960, 959, 60)}, 959},
		"headers that make no sense":           {[]*http.Response{told(960, 500, 30), told(960, -1, 30)}, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLimiter(900, time.Second)
				for _, resp := range tt.answers {
					l.note(resp)
				}
				got := 0
				for begun := time.Now(); time.Since(begun) == 0; got++ {
					if err := l.wait(t.Context(), false); err != nil {
						t.Fatal(err)
					}
				}
				if got-1 != tt.want { // the last one waited
					t.Errorf("%d calls did not wait, want %d", got-1, tt.want)
				}
			})
		})
	}
}

// While a sweep waits for the next minute, somebody's approval does not.
func TestPromptCallsHaveTheirShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(900, time.Second)
		l.note(told(960, 100, 40))
		begun := time.Now()
		for range 100 {
			if err := l.wait(t.Context(), false); err != nil || time.Since(begun) > 0 {
				t.Fatalf("a prompt call waited %s: %v", time.Since(begun), err)
			}
		}
		if err := l.wait(t.Context(), true); err != nil || time.Since(begun) != 40*time.Second {
			t.Errorf("a sweep's call waited %s (%v), want 40s", time.Since(begun), err)
		}
	})
}

func TestSweepLeavesAReserve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(900, time.Second)
		l.note(told(960, 106, 40))
		begun := time.Now()
		if err := l.wait(t.Context(), true); err != nil || time.Since(begun) > 0 {
			t.Errorf("waited %s: %v", time.Since(begun), err)
		}
		if err := l.wait(t.Context(), true); err != nil || time.Since(begun) != 40*time.Second {
			t.Errorf("waited %s (%v), want 40s", time.Since(begun), err)
		}
	})
}

// A 429 pauses everybody, for as long as it says, or for longer and longer when it says nothing.
func TestEverybodyPauses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kind      pagerdutytest.Kind
		times     int
		low, high time.Duration
	}{
		"with headers":                 {pagerdutytest.TooManyRequests(30 * time.Second), 1, 30 * time.Second, 31 * time.Second},
		"without, once":                {pagerdutytest.TooManyRequestsBare(), 1, time.Second, time.Second},
		"without, three times":         {pagerdutytest.TooManyRequestsBare(), 3, 7 * time.Second, 7 * time.Second},
		"with a reset beyond reason":   {pagerdutytest.TooManyRequests(100 * time.Hour), 1, maxPause, maxPause + time.Second},
		"with a reset that is at hand": {pagerdutytest.TooManyRequests(0), 1, 0, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, p, c := bubble(t, pagerdutytest.Config{}, 900)
				a.Fail(pagerdutytest.Fault{Path: "/abilities", Times: tt.times, Kind: tt.kind})
				begun := time.Now()
				var wg sync.WaitGroup
				wg.Go(func() {
					if err := c.Ping(t.Context()); err != nil {
						t.Errorf("ping: %v", err)
					}
				})
				synctest.Wait()    // the 429 has come
				if tt.times == 1 { // an answer in between would end the row of 429s
					if _, err := c.Teams(t.Context()); err != nil {
						t.Errorf("teams: %v", err)
					}
				}
				wg.Wait()
				if got := p.times[1].Sub(begun); tt.times == 1 && (got < tt.low || got > tt.high) {
					t.Errorf("the second call came after %s, want %s to %s", got, tt.low, tt.high)
				}
				if got := time.Since(begun); got < tt.low || got > tt.high {
					t.Errorf("it took %s, want %s to %s", got, tt.low, tt.high)
				}
			})
		})
	}
}

func TestAPauseLongerThanTheContextIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _, c := bubble(t, pagerdutytest.Config{}, 900)
		a.Fail(pagerdutytest.Fault{Times: -1, Kind: pagerdutytest.TooManyRequests(time.Minute)})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begun := time.Now()
		err := c.Ping(ctx)
		later, ok := errors.AsType[*lifecycle.JobError](err)
		if !ok || later.RetryAfter <= 5*time.Second || later.RetryAfter > time.Minute || time.Since(begun) > 2*time.Second {
			t.Errorf("ping: %v (%+v) after %s, want to be told to come back in a minute", err, later, time.Since(begun))
		}
	})
}

// scripted answers with one status after another, and keeps what it was sent.
type scripted struct {
	statuses []int
	bodies   []string
}

func (s *scripted) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	s.bodies = append(s.bodies, string(b))
	status := s.statuses[min(len(s.bodies), len(s.statuses))-1]
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("")), Request: r}
	return resp, nil
}

// A body that is sent again is sent whole: an empty one would have PagerDuty choose the role.
func TestBodyIsSentWholeEveryTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{statuses: []int{429, 429, 204}}
		h := &retry{next: &whole{next: s, timeout: time.Second}, backoff: time.Second, tries: 5, log: slog.New(slog.DiscardHandler)}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://x/teams/T/users/U", bytes.NewReader([]byte(`{"role":"observer"}`)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := h.RoundTrip(req)
		if err != nil || resp.StatusCode != 204 || strings.Join(s.bodies, "|") != strings.TrimSuffix(strings.Repeat(`{"role":"observer"}|`, 3), "|") {
			t.Errorf("answer %+v, %v; bodies were %q", resp, err, s.bodies)
		}
	})
}

func TestTurnsAreGivenUp(t *testing.T) {
	t.Parallel()
	turns := newTurns()
	release, err := turns.take(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := turns.take(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("take: %v, want cancelled", err)
	}
	other, err := turns.take(t.Context(), "y")
	if err != nil {
		t.Fatal(err)
	}
	other()
	release()
	if len(turns.held) != 0 {
		t.Errorf("turns still held: %v", turns.held)
	}
}
