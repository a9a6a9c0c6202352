package lifecycle_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// Every call to the store or to PagerDuty fails in turn, in each way a call can
// fail; then the step is taken again, undisturbed.
func TestApplyingThatCrashesAnywhereHasEachEffectOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		begin func(*testing.T, *house) lifecycle.RequestID
		made  []string
	}{
		"a mover": {func(t *testing.T, h *house) lifecycle.RequestID {
			h.pager.put(account(lifecycle.RoleObserver, on(payments, lifecycle.TeamResponder)))
			h.known(t, person("Payments"))
			h.hear(t, person("Platform"))
			r, err := h.press(t, h.only(t, lifecycle.Pending), "omar", lifecycle.Approve, "")
			must(t, err)
			return r.ID
		}, moves},
		"a creation": {func(t *testing.T, h *house) lifecycle.RequestID {
			h.hear(t, person("Payments"))
			r, err := h.press(t, h.only(t, lifecycle.Pending), "marco", lifecycle.Approve, "")
			must(t, err)
			return r.ID
		}, []string{"create account:  → limited_user", "grant Payments:  → responder"}},
		"a deletion": {func(t *testing.T, h *house) lifecycle.RequestID {
			away(t, h)
			r := h.approve(t, h.only(t, lifecycle.Pending), "marco")
			h.pass(15 * day)
			h.pager.writes = nil
			return r.ID
		}, []string{"delete account: restricted_access → "}},
		"a containment": {func(t *testing.T, h *house) lifecycle.RequestID {
			onCall(t, h)
			h.receive(t, "hr", ended(person("Payments")), h.now(), time.Time{})
			h.until(t, lifecycle.JobApply)
			return h.requests(t)[0].ID
		}, contained},
		"a handover": {func(t *testing.T, h *house) lifecycle.RequestID {
			onCall(t, h)
			h.hear(t, ended(person("Payments")))
			h.pager.writes = nil
			r, err := h.press(t, h.only(t, lifecycle.Pending), "marco", lifecycle.Approve, "")
			must(t, err)
			return r.ID
		}, handedOver},
	} {
		for how, way := range map[fault]string{refused: "is not made", lost: "loses its answer", dead: "is the last"} {
			t.Run(fmt.Sprintf("%s whose call %s", name, way), func(t *testing.T) {
				t.Parallel()
				first := newHouse(t)
				id := tt.begin(t, first)
				again := first.still(t)
				for at := 1; ; at++ {
					h := again()
					h.faults.hit(at, how)
					err := h.provisioner().Apply(t.Context(), id, false)
					h.faults.hit(0, how)
					if again := h.provisioner().Apply(t.Context(), id, false); again != nil {
						t.Fatalf("call %d: the second try: %v", at, again)
					}
					want, got := slices.Clone(tt.made), h.pager.made()
					if h.request(t, id).Contains() { // what does not answer is gone round, and taken later
						slices.Sort(want)
						slices.Sort(got)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("call %d: writes (-want +got):\n%s", at, diff)
					}
					if r := h.request(t, id); r.State != lifecycle.Done {
						t.Errorf("call %d: it is %s: %s", at, r.State, r.Note)
					}
					if n := h.trail(lifecycle.EventChangeVerified); n < len(tt.made) {
						t.Errorf("call %d: %d changes are on record as read back", at, n)
					}
					if err == nil {
						return // beyond the last call
					}
				}
			})
		}
	}
}

func TestASessionThatCannotBeEndedStopsNothingElse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	onCall(t, h)
	h.pager.no = func(o lifecycle.Order) error {
		if o.Change.Entitlement.Role == lifecycle.SessionSignIns {
			return lifecycle.Refuse(lifecycle.ErrForbidden, "The app lacks the scope oauth_delegations.write.")
		}
		return nil
	}
	h.hear(t, ended(person("Payments")))
	if diff := cmp.Diff(contained[1:], h.pager.made()); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	failed := h.only(t, lifecycle.Failed)
	if c := failed.Changes[0]; c.State != lifecycle.ChangeFailed || c.Error != "The app lacks the scope oauth_delegations.write." {
		t.Errorf("the session: %s %q", c.State, c.Error)
	}
	if r := h.only(t, lifecycle.Pending); !r.HandsOver() {
		t.Errorf("not handed over: %v", say(r.Changes))
	}
}

func TestWhatWasUndoneWhilePagerDutyWasReadStaysUndone(t *testing.T) {
	t.Parallel()
	for name, last := range map[string]bool{"on a try": false, "on the last": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			away(t, h)
			r := h.approve(t, h.only(t, lifecycle.Pending), "marco")
			h.pass(15 * day)
			undo := &undoing{pager: h.pager, undo: func() {
				_, err := h.approvals().Undo(t.Context(), lifecycle.Press{Request: r.ID, By: h.who(t, "ines")})
				must(t, err)
			}}
			if err := lifecycle.NewProvisioner(h.store, h.store, undo, lifecycle.Enforce, h.now).Apply(t.Context(), r.ID, last); err != nil {
				t.Errorf("got %v, want nothing to do", err)
			}
			if got := h.request(t, r.ID); got.State != lifecycle.Withdrawn {
				t.Errorf("it is %s", got.State)
			}
		})
	}
}

// undoing is a PagerDuty that answers no, after somebody pressed Undo.
type undoing struct {
	*pager
	undo func()
}

func (u *undoing) Account(_ context.Context, _ lifecycle.AccountID) (lifecycle.Account, error) {
	u.undo()
	return lifecycle.Account{}, lifecycle.Refuse(lifecycle.ErrForbidden, "The key may not read users.")
}
