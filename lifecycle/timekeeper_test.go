package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestSilence(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		silence lifecycle.Silence
		leaver  bool // the request is a deletion; else the removal of a team
		wait    time.Duration
		state   lifecycle.RequestState
		asks    []string
	}{
		"nothing happens before its time":     {silence: lifecycle.SilenceDeny, wait: 71 * time.Hour, state: lifecycle.Pending},
		"deny lapses":                         {silence: lifecycle.SilenceDeny, wait: 72 * time.Hour, state: lifecycle.Expired},
		"keep lapses too":                     {silence: lifecycle.SilenceKeep, wait: 72 * time.Hour, state: lifecycle.Expired},
		"revoke takes away":                   {silence: lifecycle.SilenceRevoke, wait: 72 * time.Hour, state: lifecycle.Done},
		"revoke deletes nobody":               {silence: lifecycle.SilenceRevoke, leaver: true, wait: 72 * time.Hour, state: lifecycle.Expired},
		"escalate asks security":              {silence: lifecycle.SilenceEscalate, wait: 72 * time.Hour, state: lifecycle.Pending, asks: []string{"marco@acme.test", "ines@acme.test", "priya@acme.test", "lee@acme.test"}},
		"which has as long as the owners had": {silence: lifecycle.SilenceEscalate, wait: 143 * time.Hour, state: lifecycle.Pending},
		"and lapses after that":               {silence: lifecycle.SilenceEscalate, wait: 144 * time.Hour, state: lifecycle.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.policy.Defaults.Approval.OnExpiry = tt.silence
			r := losing(t, h)
			if tt.leaver {
				h.drain(t)
				h.pass(time.Minute)
				h.hear(t, ended(person("Platform")))
				r = h.only(t, lifecycle.Pending)
			}
			h.policy.Defaults.Approval.ExpireAfter = 0 // the file may change meanwhile
			for left := tt.wait; left > 0; left -= time.Hour {
				h.later(t, time.Hour)
				if err := h.keeper().Expire(t.Context(), r.ID); err != nil && !early(err) {
					t.Fatal(err)
				}
			}
			got := h.request(t, r.ID)
			if got.State != tt.state {
				t.Errorf("it is %s, want %s", got.State, tt.state)
			}
			if tt.asks != nil && !cmp.Equal(tt.asks, got.Approvers) {
				t.Errorf("asks %v, want %v", got.Approvers, tt.asks)
			}
			if a, there := h.pager.see("PBEN"); (a.On(payments.ID) == "") != (tt.state == lifecycle.Done || tt.leaver) || !there {
				t.Errorf("Ben holds %+v, there %t", a, there)
			}
		})
	}
}

// losing is Ben's move to Platform, of which only leaving Payments is left to ask.
func losing(t *testing.T, h *house) lifecycle.Request {
	t.Helper()
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder)))
	h.known(t, person("Payments"))
	h.hear(t, person("Platform"))
	return h.only(t, lifecycle.Pending)
}

func TestEscalation(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Defaults.Approval.EscalateAfter = 24 * time.Hour
	r := losing(t, h)
	if _, err := h.press(t, r, "priya", lifecycle.Approve, ""); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("security before it is asked: %v", err)
	}
	h.later(t, 24*time.Hour)
	must(t, h.keeper().Escalate(t.Context(), r.ID)) // as after a crash
	if n := h.trail(lifecycle.EventRequestEscalated); n != 1 {
		t.Errorf("escalated %d times", n)
	}
	if got := h.approve(t, h.request(t, r.ID), "priya"); got.State != lifecycle.Done {
		t.Errorf("after security approved it is %s", got.State)
	}
	h.later(t, 72*time.Hour)
	if got := h.request(t, r.ID); got.State != lifecycle.Done {
		t.Errorf("its deadline made it %s", got.State)
	}
}

// hurried is a store in which somebody else is always just faster, a few times.
type hurried struct {
	*store
	faster int
	first  func()
}

func (s *hurried) SaveRequest(ctx context.Context, r lifecycle.Request, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	if s.faster > 0 {
		s.faster--
		s.first()
	}
	return s.store.SaveRequest(ctx, r, e, next...)
}

func TestADeadlineThatMeetsADecision(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		needed int
		state  lifecycle.RequestState
	}{
		"yields to one that settles it":                      {1, lifecycle.Approved},
		"comes back after the first of two, and has its due": {2, lifecycle.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.policy.Defaults.Approval.N = tt.needed
			r := losing(t, h)
			h.pass(72 * time.Hour)
			s := &hurried{store: h.store, faster: 1, first: func() {
				h.pass(-time.Minute) // the press came a minute before the deadline
				_, err := h.press(t, r, "marco", lifecycle.Approve, "")
				must(t, err)
				h.pass(time.Minute)
			}}
			must(t, lifecycle.NewTimekeeper(s, h, h.now).Expire(t.Context(), r.ID))
			if got := h.request(t, r.ID); got.State != tt.state {
				t.Errorf("it is %s, want %s", got.State, tt.state)
			}
		})
	}
}

func TestADeadlineThatIsCalledTooEarlyIsCalledAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := losing(t, h)
	h.pass(71 * time.Hour)
	told, ok := errors.AsType[*lifecycle.JobError](h.keeper().Expire(t.Context(), r.ID))
	if !ok || told.RetryAfter != time.Hour {
		t.Errorf("got %+v, want to be called in an hour", told)
	}
}

func TestAPressAfterTheDeadlineIsTooLate(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	r := losing(t, h)
	h.pass(72 * time.Hour) // and the expiry has not run yet
	if _, err := h.press(t, r, "marco", lifecycle.Approve, ""); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

// early reports whether the queue was asked to come again later.
func early(err error) bool {
	told, ok := errors.AsType[*lifecycle.JobError](err)
	return ok && told.RetryAfter > 0
}
