package lifecycle_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// joined is a house whose Ben has joined, with the account that the request made or changed.
func joined(t *testing.T) (*house, lifecycle.Request) {
	t.Helper()
	h := newHouse(t)
	h.pager.noReach = errCrash    // so that nothing is followed yet
	h.hear(t, person("Platform")) // a rule that asks nobody
	h.pager.noReach, h.pager.looks, h.failed = nil, 0, nil
	return h, h.only(t, lifecycle.Done)
}

func TestOnceAJoinerIsDoneTheLastMileIsFollowed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.pager.reach = lifecycle.Reach{Invited: true, Missing: []string{"You have not accepted PagerDuty's invitation yet."}}
	h.hear(t, person("Platform"))
	if r := h.only(t, lifecycle.Done); r.Reach == nil || h.store.waiting(lifecycle.JobFollow) != 2 {
		t.Errorf("reach %+v, %d looks wait", r.Reach, h.store.waiting(lifecycle.JobFollow))
	}
	accounts, err := h.store.Baseline(t.Context())
	must(t, err)
	if len(accounts) != 1 || !accounts[0].SeenAt.Equal(monday) {
		t.Errorf("known of the account that was made: %+v", accounts)
	}
}

func (h *house) follow(t *testing.T, r lifecycle.Request) lifecycle.Request {
	t.Helper()
	h.store.enqueue(lifecycle.Job{Kind: lifecycle.JobFollow, Ref: string(r.ID)})
	h.work(t)
	return h.request(t, r.ID)
}

func TestTheLastMileIsFollowedForThreeDays(t *testing.T) {
	t.Parallel()
	waits := lifecycle.Reach{Invited: true, Missing: []string{"You have not accepted PagerDuty's invitation yet."}}
	quiet := lifecycle.Reach{Missing: []string{"You have no phone number."}}
	ready := lifecycle.Reach{Phone: true, Push: true, Rules: true, Missing: []string{}}
	for name, tt := range map[string]struct {
		answers []lifecycle.Reach // at once, after a day, after three days
		looks   int
		lines   int
	}{
		"can be paged at once":                 {[]lifecycle.Reach{ready, ready, ready}, 1, 1},
		"accepts the same day":                 {[]lifecycle.Reach{waits, ready, ready}, 2, 2},
		"accepts, and then adds a phone":       {[]lifecycle.Reach{waits, quiet, ready}, 3, 3},
		"accepts, and never adds a phone":      {[]lifecycle.Reach{waits, quiet, waits}, 3, 3},
		"is not reached: the roll call has it": {[]lifecycle.Reach{waits, waits, waits}, 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := joined(t)
			h.pager.reach = tt.answers[0]
			is := h.follow(t, r)
			for i, d := range []time.Duration{24 * time.Hour, 48 * time.Hour, 240 * time.Hour} {
				h.pager.reach = tt.answers[min(i+1, 2)]
				h.later(t, d)
			}
			is = h.request(t, r.ID)
			if diff := cmp.Diff(&tt.answers[2], is.Reach); diff != "" || h.pager.looks != tt.looks || h.trail(lifecycle.EventReachLooked) != tt.lines {
				t.Errorf("%d looks, %d lines; reach (-want +got):\n%s", h.pager.looks, h.trail(lifecycle.EventReachLooked), diff)
			}
			if h.store.waiting(lifecycle.JobFollow) != 0 || is.State != lifecycle.Done || !is.UpdatedAt.Equal(r.UpdatedAt) || is.Revision != r.Revision+tt.lines {
				t.Errorf("%d looks wait; the request is %s, revision %d of %s", h.store.waiting(lifecycle.JobFollow), is.State, is.Revision, is.UpdatedAt)
			}
		})
	}
}

func TestTheLastMileIsNotFollowed(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*testing.T, *house)
		looks  int
	}{
		"in observe mode":          {func(_ *testing.T, h *house) { h.mode = lifecycle.Observe }, 0},
		"of who has left since":    {func(t *testing.T, h *house) { h.hear(t, ended(person("Platform"))) }, 0},
		"when the account is gone": {func(_ *testing.T, h *house) { h.pager.noReach = fmt.Errorf("account: %w", lifecycle.ErrNotFound) }, 1},
		"when PagerDuty does not show it": {func(_ *testing.T, h *house) {
			h.pager.noReach = lifecycle.Refuse(lifecycle.ErrForbidden, "The key may not read contact methods.")
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := joined(t)
			tt.change(t, h)
			h.pager.looks = 0
			is := h.follow(t, r)
			h.later(t, 96*time.Hour)
			if is.Reach != nil || h.pager.looks != tt.looks || len(h.failed) != 0 {
				t.Errorf("%d looks, want %d; reach %+v; failed %v", h.pager.looks, tt.looks, is.Reach, h.failed)
			}
		})
	}
	t.Run("of what is no joiner's, or not done", func(t *testing.T) {
		t.Parallel()
		h, _ := drifted(t)
		r := h.only(t, lifecycle.Pending)
		if is := h.follow(t, r); is.Reach != nil || h.pager.looks != 0 {
			t.Errorf("%d looks, reach %+v", h.pager.looks, is.Reach)
		}
		if is := h.follow(t, h.approve(t, r, "marco")); is.State != lifecycle.Done || is.Reach != nil || h.pager.looks != 0 {
			t.Errorf("once it is %s: %d looks, reach %+v", is.State, h.pager.looks, is.Reach)
		}
	})
}

func TestALastMileThatCrashesAnywhereIsToldOnce(t *testing.T) {
	t.Parallel()
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h, r := joined(t)
			h.store.take(lifecycle.JobFollow, string(r.ID))
			h.faults.hit(at, how)
			err := h.lastMile().Follow(t.Context(), r.ID)
			h.faults.hit(0, how)
			must(t, h.lastMile().Follow(t.Context(), r.ID))
			if is := h.request(t, r.ID); is.Reach == nil || is.Revision != r.Revision+1 || h.trail(lifecycle.EventReachLooked) > 1 || h.store.waiting(lifecycle.JobFollow) > 2 {
				t.Fatalf("call %d, fault %d: %+v, %d lines, %d looks wait", at, how, is.Reach, h.trail(lifecycle.EventReachLooked), h.store.waiting(lifecycle.JobFollow))
			}
			if err == nil {
				break
			}
		}
	}
}
