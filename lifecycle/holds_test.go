package lifecycle_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/lifecycle"
)

func (h *house) release(t testing.TB, name string, o lifecycle.Hold, only ...lifecycle.NoticeID) lifecycle.Release {
	t.Helper()
	return lifecycle.Release{Hold: o.ID, Seen: o.Revision, By: h.who(t, name), All: len(only) == 0, Only: only, Reason: "looked at the list", Via: lifecycle.ViaSlack}
}

func (h *house) propose(t testing.TB, name string, only ...lifecycle.NoticeID) (lifecycle.Hold, error) {
	t.Helper()
	o, _ := h.held(t)
	is, err := h.brakes().Propose(t.Context(), h.release(t, name, o, only...))
	h.work(t)
	return is, err
}

func refusal(t testing.TB, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(lifecycle.ReasonOf(err), w) {
			t.Errorf("%q does not say %q", lifecycle.ReasonOf(err), w)
		}
	}
}

func TestTwoPeopleReleaseThreeOfMany(t *testing.T) {
	t.Parallel()
	h := many140(t)
	_, waiting := h.held(t)
	three := []lifecycle.NoticeID{waiting[5].Notice, waiting[1].Notice, waiting[9].Notice}
	is, err := h.propose(t, "priya", three...)
	must(t, err)
	if is.State != lifecycle.HoldProposed || is.Proposal == nil || is.Proposal.Seen != 140 || h.contained() != 0 {
		t.Fatalf("one person alone: %+v, %d contained", is, h.contained())
	}
	slices.Reverse(three)
	is, err = h.propose(t, "lee", three...)
	must(t, err)
	if is.State != lifecycle.HoldStands || is.Proposal != nil || len(is.Decisions) != 2 {
		t.Errorf("got %+v", is)
	}
	if _, left := h.held(t); len(left) != 137 || h.contained() != 3 {
		t.Errorf("%d are held and %d contained, want 137 and 3", len(left), h.contained())
	}
	for _, k := range []int{1, 5, 9} {
		if a, _ := h.pager.see(accountOf(t, h, waiting[k])); !a.Contained() {
			t.Errorf("%s was released and is not contained", waiting[k].Label)
		}
	}

	o, _ := h.held(t)
	refused := h.release(t, "lee", o)
	is, err = h.brakes().Refuse(t.Context(), refused)
	must(t, err)
	h.later(t, day)
	if open, err := h.brakes().Open(t.Context()); err != nil || len(open) > 0 || is.State != lifecycle.HoldRefused || h.contained() != 3 {
		t.Errorf("refused: %v %v, %s, %d contained", open, err, is.State, h.contained())
	}
	h.hear(t, ended(first(staff(200)))) // the feed is right again
	if h.contained() != 4 {
		t.Errorf("an ordinary leaver waits after the hold was refused: %d contained", h.contained())
	}
}

func TestAllMeansAllWhoWaitedThen(t *testing.T) {
	t.Parallel()
	h := many140(t)
	must(t, second(h.propose(t, "priya")))
	h.hear(t, ended(first(staff(300)))) // joins the hold
	_, err := h.propose(t, "lee")
	refusal(t, err, lifecycle.ErrConflict, "1 more have joined since priya@acme.test proposed to release all 140", "Look again")
	if o, waiting := h.held(t); len(waiting) != 141 || o.State != lifecycle.HoldStands || h.contained() != 0 {
		t.Errorf("%s, %d wait, %d contained", o.State, len(waiting), h.contained())
	}
	must(t, second(h.propose(t, "lee")))
	must(t, second(h.propose(t, "priya")))
	if open, _ := h.brakes().Open(t.Context()); len(open) > 0 || h.contained() != 141 {
		t.Errorf("%d holds stand, and %d are contained, want all 141", len(open), h.contained())
	}
}

func second[A any](_ A, err error) error { return err }

func TestAReleaseThatDoesNotCount(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		by    string
		given func(*testing.T, *house) // besides
		with  func(*lifecycle.Release, []lifecycle.Removal)
		kind  error
		words []string
	}{
		"not of Security":               {by: "marco", kind: lifecycle.ErrForbidden, words: []string{"Only Security can decide this: priya@acme.test or lee@acme.test."}},
		"listed themselves":             {by: "priya", given: func(t *testing.T, h *house) { h.priyaLeaves(t) }, kind: lifecycle.ErrForbidden, words: []string{"among those whom this hold stops"}},
		"what was seen has changed":     {by: "priya", given: func(t *testing.T, h *house) { h.hear(t, ended(first(staff(20)))) }, with: func(r *lifecycle.Release, _ []lifecycle.Removal) { r.Seen-- }, kind: lifecycle.ErrConflict, words: []string{"changed since you looked", "1 more have joined", "13 wait now"}},
		"what was seen was never there": {by: "priya", with: func(r *lifecycle.Release, _ []lifecycle.Removal) { r.Seen += 7 }, kind: lifecycle.ErrConflict, words: []string{"does not exist"}},
		"says nothing":                  {by: "priya", with: func(r *lifecycle.Release, _ []lifecycle.Removal) { r.All = false }, kind: lifecycle.ErrInvalid, words: []string{"say what to release"}},
		"says both":                     {by: "priya", with: func(r *lifecycle.Release, w []lifecycle.Removal) { r.Only = []lifecycle.NoticeID{w[0].Notice} }, kind: lifecycle.ErrInvalid, words: []string{"say what to release"}},
		"names who does not wait": {by: "priya", with: func(r *lifecycle.Release, _ []lifecycle.Removal) {
			r.All, r.Only = false, []lifecycle.NoticeID{"ntc_nobody"}
		}, kind: lifecycle.ErrInvalid, words: []string{"ntc_nobody does not wait"}},
		"without a reason":               {by: "priya", with: func(r *lifecycle.Release, _ []lifecycle.Removal) { r.Reason = "  " }, kind: lifecycle.ErrInvalid, words: []string{"needs a reason"}},
		"a reason that is a book":        {by: "priya", with: func(r *lifecycle.Release, _ []lifecycle.Removal) { r.Reason = strings.Repeat("a", 2001) }, kind: lifecycle.ErrInvalid, words: []string{"longer than 2000"}},
		"nobody else could say the same": {by: "priya", given: func(_ *testing.T, h *house) { h.policy.Security.Members = []string{"priya@acme.test"} }, kind: lifecycle.ErrConflict, words: []string{"two people", "security.members"}},
		"the other one has left":         {by: "priya", given: func(t *testing.T, h *house) { h.leeLeft(t) }, kind: lifecycle.ErrConflict, words: []string{"two people", "security.members"}},
		"the same person twice":          {by: "priya", given: func(t *testing.T, h *house) { must(t, second(h.propose(t, "priya"))) }, kind: lifecycle.ErrDuplicate, words: []string{"somebody else", "lee@acme.test"}},
		"of a hold that was refused already": {by: "priya", given: func(t *testing.T, h *house) {
			o, _ := h.held(t)
			must(t, second(h.brakes().Refuse(t.Context(), h.release(t, "lee", o))))
		}, kind: lifecycle.ErrConflict, words: []string{"already refused by lee@acme.test"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := twelve(t)
			o, waiting := h.held(t)
			if tt.given != nil {
				tt.given(t, h)
				if is, err := h.store.Hold(t.Context(), o.ID); err == nil {
					o = is
				}
			}
			r := h.release(t, tt.by, o)
			if tt.with != nil {
				tt.with(&r, waiting)
			}
			_, err := h.brakes().Propose(t.Context(), r)
			refusal(t, err, tt.kind, tt.words...)
			h.work(t)
			if h.contained() != 0 {
				t.Errorf("%d are contained", h.contained())
			}
			if errors.Is(tt.kind, lifecycle.ErrForbidden) && h.trail(lifecycle.EventRequestRefused) != 1 {
				t.Error("the attempt is not on the record")
			}
		})
	}
}

func (h *house) priyaLeaves(t testing.TB) {
	t.Helper()
	priya := h.who(t, "priya")
	h.pager.put(lifecycle.Account{ID: "PPRIYA", Email: "priya@acme.test", Name: "Priya", BaseRole: lifecycle.RoleResponder})
	r := lifecycle.Removal{Notice: "ntc_priya", Kind: lifecycle.Leaver, Identity: priya.ID}
	o, _ := h.held(t)
	n := lifecycle.Notice{ID: r.Notice, Kind: lifecycle.Leaver, Identity: priya.ID, Source: "hr", Before: priya.Person, After: priya.Person, At: h.now()}
	priya.Revision++
	must(t, h.store.SaveIdentity(t.Context(), priya, &n, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(priya.ID)}))
	r, _ = n.Removal()
	o.Revision++
	r.State, r.Hold, r.Joined = lifecycle.RemovalHeld, o.ID, o.Revision
	must(t, h.store.SaveHold(t.Context(), o, []lifecycle.Removal{r}, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventRemovalJudged, Ref: string(o.ID)}))
}

func (h *house) leeLeft(t testing.TB) {
	t.Helper()
	lee := h.who(t, "lee")
	lee.Person.Status = lifecycle.StatusEnded
	lee.Revision++
	must(t, h.store.SaveIdentity(t.Context(), lee, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(lee.ID)}))
}

func TestWhatIsProposedByAnotherTakesTheOtherProposalsPlace(t *testing.T) {
	t.Parallel()
	h := twelve(t)
	_, waiting := h.held(t)
	must(t, second(h.propose(t, "priya")))
	is, err := h.propose(t, "lee", waiting[0].Notice)
	must(t, err)
	if p := is.Proposal; is.State != lifecycle.HoldProposed || p == nil || p.By != "lee@acme.test" || p.All {
		t.Fatalf("got %+v", is)
	}
	must(t, second(h.propose(t, "priya", waiting[0].Notice)))
	if _, left := h.held(t); len(left) != 11 || h.contained() != 1 {
		t.Errorf("%d wait, %d contained", len(left), h.contained())
	}
}

func TestAProposalOfWhoMayNotDecideAnyMoreIsNone(t *testing.T) {
	t.Parallel()
	h := twelve(t)
	h.policy.Security.Members = append(h.policy.Security.Members, "omar@acme.test")
	must(t, second(h.propose(t, "lee")))
	h.leeLeft(t)
	is, err := h.propose(t, "priya")
	must(t, err)
	if is.State != lifecycle.HoldProposed || is.Proposal.By != "priya@acme.test" || h.contained() != 0 {
		t.Errorf("got %+v, %d contained", is, h.contained())
	}
	must(t, second(h.propose(t, "omar")))
	if h.contained() != 12 {
		t.Errorf("%d contained, want all twelve", h.contained())
	}
}

func TestAReleaseThatCrashesAnywhereTakesEffectOnce(t *testing.T) {
	t.Parallel()
	begun := twelve(t)
	_, waiting := begun.held(t)
	three := []lifecycle.NoticeID{waiting[0].Notice, waiting[1].Notice, waiting[2].Notice}
	must(t, second(begun.propose(t, "priya", three...)))
	again := begun.still(t)
	for how, way := range map[fault]string{refused: "is not made", lost: "loses its answer", dead: "is the last"} {
		t.Run("a call "+way, func(t *testing.T) {
			t.Parallel()
			for at := 1; ; at++ {
				h := again()
				o, _ := h.held(t)
				r := h.release(t, "lee", o, three...)
				h.faults.hit(at, how)
				_, err := h.brakes().Propose(t.Context(), r)
				if err == nil {
					err = h.brakes().Take(t.Context(), o.ID)
				}
				h.faults.hit(0, how)
				if _, again := h.brakes().Propose(t.Context(), r); again != nil && !errors.Is(again, lifecycle.ErrConflict) {
					t.Fatalf("call %d: the second try: %v", at, again)
				}
				h.work(t)
				h.later(t, time.Hour)
				if _, left := h.held(t); len(left) != 9 || h.contained() != 3 {
					t.Errorf("call %d: %d are held and %d contained, want 9 and 3: %v", at, len(left), h.contained(), h.failed)
				}
				if n := h.trail(lifecycle.EventHoldReleased); n != 1 {
					t.Errorf("call %d: released %d times on record", at, n)
				}
				if err == nil {
					return // beyond the last call
				}
			}
		})
	}
}

func TestSecurityIsRemindedOfAHoldOnceADay(t *testing.T) {
	t.Parallel()
	h := twelve(t)
	b := h.brakes()
	for range 50 {
		must(t, b.Remind(t.Context()))
		must(t, h.brakes().Remind(t.Context())) // another replica
		h.later(t, time.Hour)
	}
	if n := h.alarms(t, "12 people: it still waits until somebody of Security releases or refuses it"); n != 2 {
		t.Errorf("reminded %d times in two days: %q", n, h.alerts)
	}
	if n := h.alarms(t, "for 2 days now"); n != 1 {
		t.Errorf("%q", h.alerts)
	}
}

func written(says string) lifecycle.PolicyText {
	text := "version: 1 # " + says
	sum := sha256.Sum256([]byte(text))
	return lifecycle.PolicyText{SHA256: hex.EncodeToString(sum[:]), Text: text}
}

func TestAPolicyThatTakesTooMuchWaitsForTwo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	enforce := func(p lifecycle.PolicyText) {
		p.At = h.now()
		must(t, h.store.EnforcePolicy(t.Context(), p, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventPolicyLoaded, Ref: p.SHA256}))
		h.pass(time.Minute)
	}
	enforce(written("old"))
	hold := func(says string) lifecycle.Hold {
		o, err := h.brakes().HoldPolicy(t.Context(), written(says), "40 people would lose something.", 10, 500)
		must(t, err)
		return o
	}
	if a, b := hold("one"), hold("one"); a.ID != b.ID {
		t.Error("the same text waits twice")
	}
	hold("another") // the file was changed again
	o, _ := h.held(t)
	if o.Policy != written("another").SHA256 {
		t.Fatalf("%s waits", o.Policy)
	}
	must(t, second(h.propose(t, "priya")))
	h.pass(time.Minute)
	must(t, second(h.propose(t, "lee")))
	is, err := h.store.PolicyInForce(t.Context())
	must(t, err)
	if is.SHA256 != written("another").SHA256 || is.By != "priya@acme.test and lee@acme.test" {
		t.Errorf("%s is in force by %q", is.SHA256, is.By)
	}
	h.pass(time.Minute)
	enforce(written("newer"))
	must(t, h.brakes().Take(t.Context(), o.ID)) // the step is repeated late
	if is, err := h.store.PolicyInForce(t.Context()); err != nil || is.SHA256 != written("newer").SHA256 {
		t.Errorf("a release that was repeated put %s back in force: %v", is.SHA256, err)
	}
}

func TestAHoldOfAWholeIsReleasedWhole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, second(h.brakes().HoldPolicy(t.Context(), written("one"), "Many.", 10, 500)))
	_, err := h.propose(t, "priya", "ntc_1")
	refusal(t, err, lifecycle.ErrInvalid, "as a whole")
	o, _ := h.held(t)
	r := h.release(t, "lee", o, "ntc_1")
	_, err = h.brakes().Refuse(t.Context(), r)
	refusal(t, err, lifecycle.ErrInvalid, "as a whole")
}

func TestTwoWhoReleaseAtOnceAreJudgedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	h := twelve(t)
	o, _ := h.held(t)
	var both sync.WaitGroup
	errs := make([]error, 2)
	for k, name := range []string{"priya", "lee"} {
		r := h.release(t, name, o)
		both.Go(func() { _, errs[k] = h.brakes().Propose(context.WithoutCancel(t.Context()), r) })
	}
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("got %v and %v, want one to propose and the other to look again", errs[0], errs[1])
	}
	refusal(t, errors.Join(errs...), lifecycle.ErrConflict, "has proposed to release all 12")
}
