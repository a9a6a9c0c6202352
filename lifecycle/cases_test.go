package lifecycle_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// onlyCase returns the one case that waits.
func (h *house) onlyCase(t *testing.T) lifecycle.Case {
	t.Helper()
	open := h.cases(t)
	if len(open) != 1 {
		t.Fatalf("%d cases wait, want one: %v", len(open), h.told(t))
	}
	return open[0]
}

// answer answers the case as Priya of Security, and works what follows; it must count.
func (h *house) answer(t *testing.T, c lifecycle.Case, answer string) lifecycle.Case {
	t.Helper()
	is, err := h.matcher().Answer(t.Context(), lifecycle.CaseAnswer{Case: c.ID, Seen: c.Revision, By: h.who(t, "priya"), Answer: answer, Reason: "as HR told me", Via: lifecycle.ViaSlack})
	must(t, err)
	h.work(t)
	return is
}

// offers returns what may be answered, sorted.
func offers(c lifecycle.Case) []string {
	var all []string
	for _, o := range c.Options {
		all = append(all, o.Answer)
	}
	slices.Sort(all)
	return all
}

// linkedBen is Ben in Payments, whom SCIM and his account are known to be.
func linkedBen(t *testing.T, h *house) {
	t.Helper()
	h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	h.say(t, piece())
	if h.who(t, "ben").Account != "PBEN" {
		t.Fatal("Ben is not linked")
	}
	h.pass(time.Hour)
}

func snapshotWithout(t *testing.T, h *house) {
	t.Helper()
	h.later(t, day)
	h.say(t, lifecycle.Fact{Source: "scim:okta", Kind: lifecycle.FactAbsent, Key: "usr_ben"})
}

// After a first sync nothing is planned, so that nobody's account is pinned: who
// has one with their address, by the last roll call, can lose it all the same.
func TestWhoHasAnAccountThatIsNotPinnedIsAskedAbout(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		account bool
		asked   int
	}{"one with their address": {true, 1}, "none": {false, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.observed(t, "scim:okta")
			if tt.account {
				h.pager.put(account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
			}
			h.say(t, piece())
			h.call(t)
			must(t, h.sources().Start(t.Context(), "scim:okta", h.who(t, "priya"), lifecycle.ViaSlack))
			h.later(t, time.Hour)
			h.say(t, piece(as("suspended")))
			if got := h.trail(lifecycle.EventCaseOpened); got != tt.asked || h.who(t, "ben").Account != "" {
				t.Errorf("%d cases were opened, want %d; the account is %q", got, tt.asked, h.who(t, "ben").Account)
			}
		})
	}
}

func TestWhatOnlyAPersonCanTellOfSomebodysStatus(t *testing.T) {
	t.Parallel()
	suspended := func(t *testing.T, h *house) { t.Helper(); h.later(t, time.Hour); h.say(t, piece(as("suspended"))) }
	active := func(t *testing.T, h *house) { t.Helper(); h.later(t, time.Hour); h.say(t, piece()) }
	gone := func(t *testing.T, h *house) { t.Helper(); h.later(t, time.Hour); h.say(t, piece(as("ended"))) }
	answering := func(answer string) func(*testing.T, *house) {
		return func(t *testing.T, h *house) { t.Helper(); h.answer(t, h.onlyCase(t), answer) }
	}
	for name, tt := range map[string]struct {
		then   []func(*testing.T, *house)
		asked  []lifecycle.CaseKind // that wait at the end
		ever   int                  // that were opened
		status lifecycle.Status
		last   string // the newest notice
	}{
		"not active any more is asked, and takes nothing":        {then: []func(*testing.T, *house){suspended}, asked: []lifecycle.CaseKind{lifecycle.CaseSuspended}, ever: 1, status: "suspended"},
		"said again it is asked once":                            {then: []func(*testing.T, *house){suspended, suspended}, asked: []lifecycle.CaseKind{lifecycle.CaseSuspended}, ever: 1, status: "suspended"},
		"active again it has settled itself":                     {then: []func(*testing.T, *house){suspended, active}, ever: 1, status: "active"},
		"ended it has settled itself":                            {then: []func(*testing.T, *house){suspended, gone}, ever: 1, status: "ended", last: "leaver Payments → Payments"},
		"they have left is a leaver":                             {then: []func(*testing.T, *house){suspended, answering("left")}, ever: 1, status: "ended", last: "leaver Payments → Payments"},
		"they have not left takes nothing":                       {then: []func(*testing.T, *house){suspended, answering("stays")}, ever: 1, status: "suspended"},
		"answered, the same is not asked again":                  {then: []func(*testing.T, *house){suspended, answering("stays"), suspended}, ever: 1, status: "suspended"},
		"but it is when it comes up anew":                        {then: []func(*testing.T, *house){suspended, answering("stays"), active, suspended}, asked: []lifecycle.CaseKind{lifecycle.CaseSuspended}, ever: 2, status: "suspended", last: "mover Payments → Payments"},
		"one snapshot without them is nothing":                   {then: []func(*testing.T, *house){snapshotWithout}, status: "active"},
		"two are asked, and take nothing":                        {then: []func(*testing.T, *house){snapshotWithout, snapshotWithout}, asked: []lifecycle.CaseKind{lifecycle.CaseAbsent}, ever: 1, status: "active"},
		"more are asked once":                                    {then: []func(*testing.T, *house){snapshotWithout, snapshotWithout, snapshotWithout}, asked: []lifecycle.CaseKind{lifecycle.CaseAbsent}, ever: 1, status: "active"},
		"two that are not in a row are nothing":                  {then: []func(*testing.T, *house){snapshotWithout, active, snapshotWithout}, status: "active"},
		"there again it has settled itself":                      {then: []func(*testing.T, *house){snapshotWithout, snapshotWithout, active}, ever: 1, status: "active"},
		"who is absent and has left is a leaver":                 {then: []func(*testing.T, *house){snapshotWithout, snapshotWithout, answering("left")}, ever: 1, status: "ended", last: "leaver Payments → Payments"},
		"who is absent and stays is not asked about again":       {then: []func(*testing.T, *house){snapshotWithout, snapshotWithout, answering("stays"), snapshotWithout}, ever: 1, status: "active"},
		"nobody asks whether who has left is absent":             {then: []func(*testing.T, *house){gone, snapshotWithout, snapshotWithout}, status: "ended", last: "leaver Payments → Payments"},
		"who ended and is said to be active is asked about":      {then: []func(*testing.T, *house){gone, active}, asked: []lifecycle.CaseKind{lifecycle.CaseReturn}, ever: 1, status: "ended", last: "leaver Payments → Payments"},
		"they are back begins a spell":                           {then: []func(*testing.T, *house){gone, active, answering("back")}, ever: 1, status: "active", last: "joiner Payments → Payments"},
		"they are not leaves them ended, and is not asked again": {then: []func(*testing.T, *house){gone, active, answering("stays"), active}, ever: 1, status: "ended", last: "leaver Payments → Payments"},
		"who is back may leave again":                            {then: []func(*testing.T, *house){gone, active, answering("back"), gone}, ever: 1, status: "ended", last: "leaver Payments → Payments"},
		"and it is asked again whether they are back":            {then: []func(*testing.T, *house){gone, active, answering("back"), gone, active}, asked: []lifecycle.CaseKind{lifecycle.CaseReturn}, ever: 2, status: "ended", last: "leaver Payments → Payments"},
		"ended once more it has settled itself":                  {then: []func(*testing.T, *house){gone, active, gone}, ever: 1, status: "ended", last: "leaver Payments → Payments"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			linkedBen(t, h)
			for _, then := range tt.then {
				then(t, h)
			}
			var asked []lifecycle.CaseKind
			for _, c := range h.cases(t) {
				asked = append(asked, c.Kind)
			}
			if diff := cmp.Diff(tt.asked, asked, equateEmpty); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if got := h.trail(lifecycle.EventCaseOpened); got != tt.ever {
				t.Errorf("%d cases were opened, want %d", got, tt.ever)
			}
			if got := h.who(t, "ben").Person.Status; got != tt.status {
				t.Errorf("is %s, want %s", got, tt.status)
			}
			if tt.last == "" {
				tt.last = "joiner  → Payments"
			}
			if all := h.notices(t); tt.last != all[len(all)-1] {
				t.Errorf("the newest notice is %s, want %s", all[len(all)-1], tt.last)
			}
			if len(h.failed) != 0 {
				t.Error(h.failed)
			}
		})
	}
}

func TestNobodyAsksWhetherSomebodyWithoutAnAccountHasLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.known(t, person("Payments"))
	h.say(t, piece(as("suspended")))
	if got := h.cases(t); len(got) != 0 {
		t.Errorf("asked: %v", got)
	}
}

func TestWhoIsBackKeepsTheSpellThatIsOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	linkedBen(t, h)
	h.say(t, piece(as("ended"), starting("2024-04-01")))
	h.later(t, day)
	h.say(t, piece())
	h.answer(t, h.onlyCase(t), lifecycle.AnswerBack)
	ben := h.who(t, "ben")
	if len(ben.Spells) != 1 || ben.Spells[0].Start != "2024-04-01" || ben.Spells[0].Ended.IsZero() {
		t.Errorf("spells: %+v", ben.Spells)
	}
	if ben.Sourced() && ben.Keys[lifecycle.SourcePeople] != "" {
		t.Error("a person's word is no source's key")
	}
}

func TestAnAnswerTakesEffectOnceWhereverItCrashes(t *testing.T) {
	t.Parallel()
	first := newHouse(t)
	linkedBen(t, first)
	first.say(t, piece(as("suspended")))
	c := first.onlyCase(t)
	_, err := first.matcher().Answer(t.Context(), lifecycle.CaseAnswer{Case: c.ID, Seen: c.Revision, By: first.who(t, "priya"), Answer: lifecycle.AnswerLeft, Reason: "as HR told me", Via: lifecycle.ViaCLI})
	must(t, err)
	again := first.still(t)
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := again()
			h.faults.hit(at, how)
			err := h.matcher().Take(t.Context(), c.ID)
			h.faults.hit(0, how)
			must(t, h.matcher().Take(t.Context(), c.ID))
			h.work(t)
			if got := h.who(t, "ben").Person.Status; got != lifecycle.StatusEnded || len(h.notices(t)) != 2 {
				t.Errorf("fault %d at call %d: Ben is %s, notices %v", how, at, got, h.notices(t))
			}
			if err == nil {
				break
			}
		}
	}
}

func TestWhoMayAnswer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		by      string
		answer  string
		change  func(*lifecycle.CaseAnswer)
		begin   func(*testing.T, *house)
		refused error
	}{
		"somebody of Security":          {by: "priya", answer: "left"},
		"nobody else, an owner neither": {by: "marco", answer: "left", refused: lifecycle.ErrForbidden},
		"not whom it is about": {by: "ben", answer: "stays", begin: func(_ *testing.T, h *house) {
			h.policy.Security.Members = append(h.policy.Security.Members, "ben@acme.test")
		}, refused: lifecycle.ErrForbidden},
		"not who has left":                    {by: "lee", answer: "left", begin: func(t *testing.T, h *house) { h.hearOf(t, "lee", as("ended")) }, refused: lifecycle.ErrForbidden},
		"not of a domain that may not":        {by: "priya", answer: "left", begin: func(_ *testing.T, h *house) { h.policy.Domains = []string{"other.test"} }, refused: lifecycle.ErrForbidden},
		"not who only says that they are it":  {by: "marco", answer: "left", change: func(a *lifecycle.CaseAnswer) { a.By.Person.Emails = []string{"priya@acme.test"} }, refused: lifecycle.ErrForbidden},
		"not what is not offered":             {by: "priya", answer: "back", refused: lifecycle.ErrInvalid},
		"not what is moot by itself":          {by: "priya", answer: "moot", refused: lifecycle.ErrInvalid},
		"not what they have not seen":         {by: "priya", answer: "left", change: func(a *lifecycle.CaseAnswer) { a.Seen = 0 }, refused: lifecycle.ErrConflict},
		"not a revision that there is not":    {by: "priya", answer: "left", change: func(a *lifecycle.CaseAnswer) { a.Seen = 9 }, refused: lifecycle.ErrConflict},
		"not what was answered already":       {by: "priya", answer: "left", begin: func(t *testing.T, h *house) { h.answer(t, h.onlyCase(t), "stays") }, refused: lifecycle.ErrConflict},
		"not what has settled itself":         {by: "priya", answer: "left", begin: func(t *testing.T, h *house) { h.later(t, time.Hour); h.say(t, piece()) }, refused: lifecycle.ErrConflict},
		"not that they left without a reason": {by: "priya", answer: "left", change: func(a *lifecycle.CaseAnswer) { a.Reason = "  " }, refused: lifecycle.ErrInvalid},
		"that they stay without a reason":     {by: "priya", answer: "stays", change: func(a *lifecycle.CaseAnswer) { a.Reason = "" }},
		"not at such length":                  {by: "priya", answer: "left", change: func(a *lifecycle.CaseAnswer) { a.Reason = strings.Repeat("x", 2001) }, refused: lifecycle.ErrInvalid},
		"not about a case that there is not":  {by: "priya", answer: "left", change: func(a *lifecycle.CaseAnswer) { a.Case = "cas_none" }, refused: lifecycle.ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			linkedBen(t, h)
			h.say(t, piece(as("suspended")))
			c := h.onlyCase(t)
			if tt.begin != nil {
				tt.begin(t, h)
			}
			a := lifecycle.CaseAnswer{Case: c.ID, Seen: c.Revision, By: h.who(t, tt.by), Answer: tt.answer, Reason: "as HR told me", Via: lifecycle.ViaSlack}
			if tt.change != nil {
				tt.change(&a)
			}
			answered := h.trail(lifecycle.EventCaseAnswered)
			is, err := h.matcher().Answer(t.Context(), a)
			if !errors.Is(err, tt.refused) || err != nil && lifecycle.ReasonOf(err) == "" {
				t.Fatalf("got %v, want %v in words", err, tt.refused)
			}
			if err == nil && (is.By != tt.by+"@acme.test" || is.Answer != tt.answer || is.Revision != c.Revision+1) {
				t.Errorf("the case is %+v", is)
			}
			if err != nil && h.trail(lifecycle.EventCaseAnswered) != answered {
				t.Error("what was refused is on record as an answer")
			}
			if errors.Is(err, lifecycle.ErrForbidden) != (h.trail(lifecycle.EventRequestRefused) == 1) {
				t.Error("the record says otherwise whether somebody who may not tried")
			}
		})
	}
}

func TestTwoWhoAnswerAtOnceAreOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	linkedBen(t, h)
	h.say(t, piece(as("suspended")))
	c := h.onlyCase(t)
	var counted atomic.Int32
	var wg sync.WaitGroup
	for _, who := range []string{"priya", "lee"} {
		by := h.who(t, who)
		wg.Go(func() {
			_, err := h.matcher().Answer(t.Context(), lifecycle.CaseAnswer{Case: c.ID, Seen: c.Revision, By: by, Answer: "stays", Via: lifecycle.ViaSlack})
			if err == nil {
				counted.Add(1)
			}
		})
	}
	wg.Wait()
	if counted.Load() != 1 {
		t.Errorf("%d answers counted", counted.Load())
	}
}

func TestAnswersThatTakeOrMergeAskWhy(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		kind   lifecycle.CaseKind
		answer string
		want   bool
	}{
		"left":                  {lifecycle.CaseSuspended, lifecycle.AnswerLeft, true},
		"back":                  {lifecycle.CaseReturn, lifecycle.AnswerBack, true},
		"the same person":       {lifecycle.CasePerson, "idn_mina", true},
		"somebody new":          {lifecycle.CasePerson, lifecycle.AnswerNew, false},
		"an account":            {lifecycle.CaseAccount, "PMINA", false},
		"no account":            {lifecycle.CaseAccount, lifecycle.AnswerNone, false},
		"they have not left":    {lifecycle.CaseAbsent, lifecycle.AnswerStays, false},
		"nothing picked so far": {lifecycle.CasePerson, "", false},
	} {
		if got := (lifecycle.Case{Kind: tt.kind}).AsksReason(tt.answer); got != tt.want {
			t.Errorf("%s: asks for a reason: %v, want %v", name, got, tt.want)
		}
	}
}
