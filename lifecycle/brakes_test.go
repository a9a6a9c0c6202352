package lifecycle_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// staff returns the n-th of many who work in Payments, and their account.
func staff(n int) (lifecycle.Person, lifecycle.Account) {
	p := lifecycle.Person{EmployeeID: fmt.Sprintf("E%04d", n), Status: lifecycle.StatusActive, Name: fmt.Sprintf("Person %d", n), Emails: []string{fmt.Sprintf("p%d@acme.test", n)}, Department: "Payments"}
	a := lifecycle.Account{ID: lifecycle.AccountID(fmt.Sprintf("P%04d", n)), Email: p.Emails[0], Name: p.Name, BaseRole: lifecycle.RoleResponder, Teams: []lifecycle.Membership{on(payments, lifecycle.TeamResponder)}}
	return p, a
}

// company is a house with n people in Payments who hold what policy wants, as a
// whole roll call has seen.
func company(t testing.TB, n int) *house {
	t.Helper()
	h := newHouse(t)
	for i := range n {
		p, a := staff(i)
		h.pager.put(a)
		h.known(t, p)
	}
	h.call(t)
	if got := h.requests(t); len(got) > 0 {
		t.Fatalf("the company begins with something to do: %v", h.story(t))
	}
	return h
}

// leave is n people leaving, from the first on, one every so often.
func (h *house) leave(t testing.TB, first, n int, each time.Duration) {
	t.Helper()
	for i := range n {
		p, _ := staff(first + i)
		h.hear(t, ended(p))
		h.later(t, each)
	}
}

// move is n people moving to Platform, all at once.
func (h *house) move(t testing.TB, first, n int) {
	t.Helper()
	for i := range n {
		p, _ := staff(first + i)
		p.Department = "Platform"
		h.receive(t, "hr", p, h.now(), time.Time{})
	}
	h.work(t)
}

// contained returns how many accounts have been contained.
func (h *house) contained() int {
	n := 0
	for _, a := range h.pager.accounts {
		if a.Contained() {
			n++
		}
	}
	return n
}

// held returns the one hold that stands, and what it stops.
func (h *house) held(t testing.TB) (lifecycle.Hold, []lifecycle.Removal) {
	t.Helper()
	open, err := h.brakes().Open(t.Context())
	must(t, err)
	if len(open) != 1 {
		t.Fatalf("%d holds stand, want one: %+v", len(open), open)
	}
	waiting, err := h.brakes().Waiting(t.Context(), open[0].ID)
	must(t, err)
	return open[0], waiting
}

// release is what that person would let go of the hold as it stands.
// propose proposes as that person, and works what follows.
// refusal fails unless err is a Refusal of the kind that says all of the words.
func TestAWrongListOfLeaversIsStoppedBeforeTheFourth(t *testing.T) {
	t.Parallel()
	h := company(t, 500)
	h.leave(t, 0, 140, 2*time.Second) // in less than five minutes
	if n := h.contained(); n != 3 {
		t.Fatalf("%d were contained while more came, want the first three", n)
	}
	h.later(t, 5*time.Minute)
	o, waiting := h.held(t)
	if len(waiting) != 137 || h.contained() != 3 {
		t.Errorf("%d wait and %d are contained, want 137 and 3", len(waiting), h.contained())
	}
	want := "hr says that 140 people have left within 24 hours. Up to 10 are ordinary, of 500 people with an account. 3 of them had been let pass before."
	if diff := cmp.Diff(want, o.Why); diff != "" {
		t.Errorf("why (-want +got):\n%s", diff)
	}
	if o.Kind != lifecycle.HoldLeavers || o.Source != "hr" || o.Limit != 10 || o.Population != 500 || o.State != lifecycle.HoldStands {
		t.Errorf("got %+v", o)
	}

	h.hear(t, first(staff(600)))
	if !slices.ContainsFunc(h.requests(t, lifecycle.Pending), func(r lifecycle.Request) bool { return r.Kind == lifecycle.RequestJoiner }) {
		t.Errorf("who joins waits for those who leave: %v", h.story(t))
	}

	h.later(t, 31*day)
	if _, still := h.held(t); len(still) != 137 || h.contained() != 3 {
		t.Errorf("after a month %d wait and %d are contained: a hold ends by silence", len(still), h.contained())
	}
}

func first[A, B any](a A, _ B) A { return a }

// many140 is a company of 500 whose hr says at once that 140 have left.
func many140(t testing.TB) *house {
	t.Helper()
	h := company(t, 500)
	for i := range 140 {
		h.receive(t, "hr", ended(first(staff(i))), h.now(), time.Time{})
	}
	h.until(t, lifecycle.JobPlan)
	return atRest(t, h)
}

// atRest registers all that was heard before any of it is planned, and lets what
// gathers be judged.
func atRest(t testing.TB, h *house) *house {
	t.Helper()
	h.work(t)
	h.later(t, 5*time.Minute)
	return h
}

func accountOf(t testing.TB, h *house, r lifecycle.Removal) lifecycle.AccountID {
	t.Helper()
	i, err := h.store.Identity(t.Context(), r.Identity)
	must(t, err)
	for id, a := range h.pager.accounts {
		if a.Email == i.Person.Email() {
			return id
		}
	}
	t.Fatalf("%s has no account", r.Label)
	return ""
}

// twelve is a company of twenty-five in which twelve have left at once.
func twelve(t testing.TB) *house {
	t.Helper()
	h := company(t, 25)
	for i := range 12 {
		h.receive(t, "hr", ended(first(staff(i))), h.now(), time.Time{})
	}
	return atRest(t, h)
}

// priyaLeaves is hr saying of a member of Security, who has an account, that they have left.
// leeLeft is the other member of Security having left.
func TestReplicasThatJudgeAtOnceOpenOneHold(t *testing.T) {
	t.Parallel()
	h := company(t, 200)
	var ids []lifecycle.NoticeID
	for i := range 40 {
		ids = append(ids, h.receive(t, "hr", ended(first(staff(i))), h.now(), time.Time{}))
	}
	for _, id := range ids {
		must(t, h.registrar().Register(t.Context(), id))
	}
	h.pass(6 * time.Minute)
	var replicas sync.WaitGroup
	for range 4 {
		planner := h.planner()
		replicas.Go(func() {
			for _, id := range ids {
				if err := planner.Plan(t.Context(), id); err != nil {
					t.Errorf("plan %s: %v", id, err)
				}
			}
		})
	}
	replicas.Wait()
	h.store.jobs = nil
	if o, waiting := h.held(t); len(waiting) != 40 || h.contained() != 0 || o.Revision != 1 {
		t.Errorf("%d wait under revision %d, %d contained", len(waiting), o.Revision, h.contained())
	}
}

func TestUrgentAndAPersonsWordPassAHold(t *testing.T) {
	t.Parallel()
	h := twelve(t)
	h.store.events++
	_, _, err := h.inbox().Receive(t.Context(), lifecycle.Fact{Source: "hr", EventID: "urgent", Person: ended(first(staff(20))), Urgent: true, ObservedAt: h.now(), SHA256: "00"})
	must(t, err)
	h.work(t)
	if h.contained() != 1 {
		t.Errorf("%d contained: what is urgent waits", h.contained())
	}
	h.hear(t, ended(first(staff(21))))
	if _, waiting := h.held(t); len(waiting) != 13 || h.contained() != 1 {
		t.Errorf("%d wait, %d contained", len(waiting), h.contained())
	}
}

func TestAFeedThatCallsEverybodyUrgentIsStopped(t *testing.T) {
	t.Parallel()
	h := company(t, 25)
	for i := range 12 {
		f := lifecycle.Fact{Source: "hr", Person: ended(first(staff(i))), Urgent: true}
		if i == 0 {
			h.say(t, f)
		} else {
			h.sent(t, f)
		}
	}
	h.work(t)
	if _, waiting := h.held(t); len(waiting) != 7 || h.contained() != 5 {
		t.Errorf("%d wait, %d contained, want 7 and 5 at once", len(waiting), h.contained())
	}
	if len(h.alerts) == 0 || !strings.HasPrefix(h.alerts[0], "Urgent, and waiting: Person ") {
		t.Errorf("security is told %v", h.alerts)
	}
}

func TestASignalThatDisablesEverybodyIsStopped(t *testing.T) {
	t.Parallel()
	h := company(t, 25)
	for i := range 12 {
		f := disabled()
		f.Key, f.Person.Emails = fmt.Sprint("sub ", i), first(staff(i)).Emails
		h.sent(t, f)
	}
	atRest(t, h)
	if _, waiting := h.held(t); len(waiting) != 12 || h.contained() != 0 {
		t.Errorf("%d wait, %d contained, want all and none", len(waiting), h.contained())
	}
}

func TestWhoHasNoAccountIsNeitherHeldNorCounted(t *testing.T) {
	t.Parallel()
	h := company(t, 30)
	for i := range 100 {
		p, _ := staff(1000 + i)
		h.known(t, p)
	}
	for i := range 100 {
		h.receive(t, "hr", ended(first(staff(1000+i))), h.now(), time.Time{})
	}
	h.work(t)
	h.receive(t, "hr", ended(first(staff(0))), h.now(), time.Time{})
	atRest(t, h)
	if open, err := h.brakes().Open(t.Context()); err != nil || len(open) > 0 || h.contained() != 1 {
		t.Errorf("%v %v, %d contained", open, err, h.contained())
	}
}

func TestAReorganisationIsHeldWithWhereItTakesPeople(t *testing.T) {
	t.Parallel()
	h := company(t, 100)
	h.move(t, 0, 40)
	h.later(t, 5*time.Minute)
	o, waiting := h.held(t)
	if o.Kind != lifecycle.HoldMovers || len(waiting) != 40 || len(h.requests(t)) != 0 {
		t.Fatalf("%s: %d wait, asked %v", o.Kind, len(waiting), h.story(t))
	}
	want := "hr says that 40 people have moved to another department within 24 hours. Up to 10 are ordinary, of 100 people with an account. Most of those who wait: Payments → Platform (40)."
	if diff := cmp.Diff(want, o.Why); diff != "" {
		t.Errorf("why (-want +got):\n%s", diff)
	}
	h.hear(t, ended(first(staff(50)))) // who leaves is another matter
	if h.contained() != 1 {
		t.Error("a leaver waits because many have moved")
	}
	result := h.call(t)
	if len(result.Open) > 0 && slices.ContainsFunc(result.Open, func(f lifecycle.Finding) bool { return f.Kind != lifecycle.FoundLeaverPresent }) {
		t.Errorf("something was concluded about who is held: %+v", result.Open)
	}
	if !slices.ContainsFunc(result.Blind, func(s string) bool {
		return strings.Contains(s, "about 40 people") && strings.Contains(s, string(o.ID))
	}) {
		t.Errorf("the roll call does not say whom it left out: %q", result.Blind)
	}
}

func TestWhoMovesBackIsHeldNoMore(t *testing.T) {
	t.Parallel()
	h := company(t, 100)
	h.move(t, 0, 11)
	h.later(t, 5*time.Minute)
	h.pass(time.Hour)
	p, _ := staff(3)
	p.Title = "SRE" // what hr says now is the truth of them, and is another notice
	h.hear(t, p)
	if _, waiting := h.held(t); len(waiting) != 11 || slices.ContainsFunc(waiting, func(r lifecycle.Removal) bool { return r.Label == "Person 3" && r.Moved == "Platform" }) {
		t.Errorf("%d wait: %+v", len(waiting), waiting)
	}
}

// Every call to the store fails in turn, in each way a call can fail, while a
// release is confirmed and takes effect; then it is done again, undisturbed.
func TestEveryCallThatFailsWhileManyAreJudgedLosesNobody(t *testing.T) {
	t.Parallel()
	begun := company(t, 25)
	for i := range 8 {
		id := begun.receive(t, "hr", ended(first(staff(i))), begun.now(), time.Time{})
		must(t, begun.registrar().Register(t.Context(), id))
	}
	begun.pass(6 * time.Minute)
	again := begun.still(t)
	for at := 1; ; at++ {
		h := again()
		n, err := h.store.Notice(t.Context(), firstNotice(t, h))
		must(t, err)
		h.faults.hit(at, lost)
		err = h.brakes().Pass(t.Context(), n)
		h.faults.hit(0, lost)
		if second := h.brakes().Pass(t.Context(), n); !errors.Is(second, lifecycle.ErrHeld) {
			t.Errorf("call %d: then %v, want it held", at, second)
		}
		if _, waiting := h.held(t); len(waiting) != 8 {
			t.Errorf("call %d: %d wait, want all eight", at, len(waiting))
		}
		if errors.Is(err, lifecycle.ErrHeld) {
			return // beyond the last call
		}
	}
}

func firstNotice(t testing.TB, h *house) lifecycle.NoticeID {
	t.Helper()
	return removals(t, h)[0].Notice
}

// written is the policy file that says so.

// What many who leave at once cost while they gather and are held grows with how many they are.
func BenchmarkManyLeave(b *testing.B) {
	for _, n := range []int{250, 1000} {
		b.Run(fmt.Sprintf("%d leave", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				h := newHouse(b)
				var notices []lifecycle.Notice
				for i := range n {
					p, _ := staff(i)
					h.known(b, p)
					must(b, h.registrar().Register(b.Context(), h.receive(b, "hr", ended(p), h.now(), time.Time{})))
				}
				for _, r := range removals(b, h) {
					was, err := h.store.Notice(b.Context(), r.Notice)
					must(b, err)
					notices = append(notices, was)
				}
				brakes := h.brakes()
				pass := func(want string) {
					for _, n := range notices {
						if err := brakes.Pass(b.Context(), n); err == nil || !strings.Contains(err.Error(), want) {
							b.Fatal(err)
						}
					}
				}
				b.StartTimer()
				pass("gathering")
				h.pass(6 * time.Minute)
				pass("held")
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/leaver")
		})
	}
}

func removals(t testing.TB, h *house) []lifecycle.Removal {
	t.Helper()
	all, err := h.store.Removals(t.Context(), time.Time{})
	must(t, err)
	return all
}
