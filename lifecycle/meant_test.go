package lifecycle_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// kimOf is somebody new of the source.
func kimOf(source string, change ...func(*lifecycle.Person)) lifecycle.Fact {
	p := person("Payments")
	p.EmployeeID, p.Name, p.Emails = "E2", "Kim Bo", []string{"kim@acme.test"}
	for _, c := range change {
		c(&p)
	}
	return lifecycle.Fact{Source: source, Person: p}
}

func addressed(emails ...string) func(*lifecycle.Person) {
	return func(p *lifecycle.Person) { p.Emails = emails }
}

func numbered(id string) func(*lifecycle.Person) {
	return func(p *lifecycle.Person) { p.EmployeeID = id }
}

// renamed is Ben, who gave up ben@acme.test.
func renamed(t *testing.T, h *house) {
	t.Helper()
	h.say(t, from("hr"))
	h.later(t, time.Hour)
	h.say(t, from("hr", addressed("benjamin@acme.test")))
	h.pass(time.Hour)
}

func TestWhomAFactSpeaksOf(t *testing.T) {
	t.Parallel()
	benAtHR := func(t *testing.T, h *house) { t.Helper(); h.say(t, from("hr")); h.pass(time.Hour) }
	leftHR := func(t *testing.T, h *house) { benAtHR(t, h); h.say(t, from("hr", as("ended"))); h.pass(time.Hour) }
	for name, tt := range map[string]struct {
		begin  func(*testing.T, *house)
		says   lifecycle.Fact
		people int      // who are known by a source, at the end
		offers []string // of the case that waits; "ben" is whoever was there
		notice string   // the newest
	}{
		"who has the address":                              {begin: benAtHR, says: from("scim", numbered("")), people: 1, notice: "joiner  → Payments"},
		"somebody new, with an address that nobody has":    {begin: benAtHR, says: kimOf("hr"), people: 2, notice: "joiner  → Payments"},
		"nobody yet, where employee numbers contradict":    {begin: benAtHR, says: from("scim", numbered("E9")), people: 1, offers: []string{"ben", "none"}},
		"nobody yet, where the source knows another by it": {begin: benAtHR, says: from("hr", numbered("E9")), people: 1, offers: []string{"ben", "none"}},
		"nobody yet, where they are a guest":               {begin: benAtHR, says: from("scim", numbered(""), addressed("ben@acme.test", "ben_acme.test#EXT#@other.test")), people: 1, offers: []string{"ben", "none"}},
		"nobody yet, where a vendor has the address": {begin: func(t *testing.T, h *house) {
			h.say(t, from("hr", func(p *lifecycle.Person) { p.Employment = lifecycle.Employee }))
			h.pass(time.Hour)
		}, says: from("scim", func(p *lifecycle.Person) { p.EmployeeID, p.Employment = "", lifecycle.Vendor }), people: 1, offers: []string{"ben", "none"}},
		"nobody yet, where a second address is somebody's":  {begin: benAtHR, says: kimOf("scim", addressed("kim@acme.test", "ben@acme.test")), people: 1, offers: []string{"ben", "new", "none"}},
		"somebody new, where a second address is shared":    {begin: func(t *testing.T, h *house) { benAtHR(t, h); h.policy.Shared = []string{"ben@*"} }, says: kimOf("scim", addressed("kim@acme.test", "ben@acme.test")), people: 2, notice: "joiner  → Payments"},
		"nobody yet, with an address that was somebody's":   {begin: renamed, says: kimOf("hr", addressed("ben@acme.test")), people: 1, offers: []string{"ben", "new", "none"}},
		"somebody new, once it is not reserved any more":    {begin: func(t *testing.T, h *house) { renamed(t, h); h.pass(366 * day) }, says: kimOf("hr", addressed("ben@acme.test")), people: 2, notice: "joiner  → Payments"},
		"nobody yet, with the address of who has left":      {begin: leftHR, says: kimOf("hr", addressed("ben@acme.test")), people: 1, offers: []string{"ben", "new", "none"}},
		"nor where another source says they are active":     {begin: leftHR, says: from("scim"), people: 1, offers: []string{"ben", "new", "none"}},
		"who has the address, where both say they left":     {begin: leftHR, says: from("scim", as("ended")), people: 1, notice: "leaver Payments → Payments"},
		"their own address again is theirs":                 {begin: renamed, says: from("hr"), people: 1, notice: "joiner  → Payments"},
		"nobody, when it says only their status":            {says: lifecycle.Fact{Source: "okta", Kind: lifecycle.FactStatus, Key: "00u", Person: lifecycle.Person{Status: "active", Emails: []string{"new@acme.test"}}}},
		"who has the address, when it says only the status": {begin: benAtHR, says: lifecycle.Fact{Source: "okta", Kind: lifecycle.FactStatus, Key: "00u", Person: lifecycle.Person{Status: "ended", Emails: []string{"ben@acme.test"}}}, people: 1, notice: "leaver Payments → Payments"},
		"nobody, when a snapshot lacks who is not known":    {begin: benAtHR, says: lifecycle.Fact{Source: "hr", Kind: lifecycle.FactAbsent, Key: "E77"}, people: 1, notice: "joiner  → Payments"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.policy.Reserve = 365 * day
			if tt.begin != nil {
				tt.begin(t, h)
			}
			ben := "nobody"
			for _, i := range h.sourced(t) {
				ben = string(i.ID)
			}
			if tt.says.SourceKey() == "" && tt.says.Kind == lifecycle.FactState {
				tt.says.Key = "usr_1"
			}
			id := h.say(t, tt.says)
			must(t, h.registrar().Register(t.Context(), id)) // as after a crash
			h.work(t)
			if got := len(h.sourced(t)); got != tt.people {
				t.Errorf("%d people, want %d", got, tt.people)
			}
			var got []string
			if len(tt.offers) > 0 {
				got = offers(h.onlyCase(t))
			} else if open := h.told(t); len(open) > 0 {
				t.Errorf("security is asked: %v", open)
			}
			for k := range got {
				if got[k] == ben {
					got[k] = "ben"
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.offers, got, equateEmpty); diff != "" {
				t.Errorf("offered (-want +got):\n%s", diff)
			}
			if all := h.notices(t); tt.notice != "" && all[len(all)-1] != tt.notice {
				t.Errorf("notices %v, want %s last", all, tt.notice)
			}
		})
	}
}

// sourced returns everybody whom a source vouches for.
func (h *house) sourced(t *testing.T) []lifecycle.Identity {
	t.Helper()
	all, err := h.store.Identities(t.Context())
	must(t, err)
	return slices.DeleteFunc(all, func(i lifecycle.Identity) bool { return !i.Sourced() })
}

func TestANewHireWithALeaversAddressGetsIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Reserve = 365 * day
	h.say(t, from("hr"))
	h.later(t, time.Hour)
	h.say(t, from("hr", as("ended")))
	h.later(t, 30*day)
	h.say(t, kimOf("hr", addressed("ben@acme.test")))
	h.answer(t, h.onlyCase(t), lifecycle.AnswerNew)
	now := h.who(t, "ben")
	if now.Keys["hr"] != "E2" || now.Person.Name != "Kim Bo" {
		t.Errorf("ben@acme.test is %+v", now)
	}
	h.later(t, day)
	h.say(t, from("hr", as("ended"))) // the leaver, said once more with the old address
	h.later(t, day)
	h.say(t, kimOf("hr", addressed("ben@acme.test"), in("Platform")))
	if got := h.who(t, "ben"); got.ID != now.ID || got.Person.Department != "Platform" || len(h.told(t)) != 0 {
		t.Errorf("ben@acme.test is %+v, security is told %v", got.Person, h.told(t))
	}
	if diff := cmp.Diff([]string{"joiner  → Payments", "leaver Payments → Payments", "joiner  → Payments", "mover Payments → Platform"}, h.notices(t)); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
}

func TestAnAnswerSaysWhomASourceMeansFromThenOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(t, from("hr"))
	h.later(t, time.Hour)
	h.say(t, from("scim", numbered("E9")))
	first := h.onlyCase(t)
	h.later(t, time.Hour)
	h.say(t, from("scim", numbered("E9"), in("Platform"))) // newer, while it waits
	c := h.onlyCase(t)
	if c.ID != first.ID || c.Revision != 2 || c.Fact == first.Fact {
		t.Errorf("the case is %+v after %+v", c, first)
	}
	_, err := h.matcher().Answer(t.Context(), lifecycle.CaseAnswer{Case: c.ID, Seen: first.Revision, By: h.who(t, "priya"), Answer: string(h.who(t, "ben").ID), Via: lifecycle.ViaSlack})
	if !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("an answer to what was not seen: %v", err)
	}
	h.answer(t, c, string(h.who(t, "ben").ID))
	ben := h.who(t, "ben")
	if ben.Keys["scim"] != "E9" || ben.Keys["hr"] != "E1" || ben.Person.Department != "Platform" {
		t.Errorf("Ben is %+v", ben)
	}
	h.later(t, time.Hour)
	h.say(t, from("scim", numbered("E9"), in("Payments")))
	if got := h.told(t); len(got) != 0 || h.who(t, "ben").Person.Department != "Payments" {
		t.Errorf("asked again: %v", got)
	}
}

func TestAnotherRecordOfTheSameSourceMeansTheSamePerson(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(t, from("hr"))
	h.later(t, time.Hour)
	h.say(t, from("hr", numbered("E9"))) // from contractor to employee
	h.answer(t, h.onlyCase(t), string(h.who(t, "ben").ID))
	h.later(t, time.Hour)
	h.say(t, from("hr", as("ended"))) // of the old record
	ben := h.who(t, "ben")
	if ben.Keys["hr"] != "E9" || ben.Person.Status != lifecycle.StatusActive || len(h.told(t)) != 0 {
		t.Errorf("Ben is %s, by %v; security is told %v", ben.Person.Status, ben.Keys, h.told(t))
	}
	if got := h.notices(t); len(got) != 1 {
		t.Errorf("notices %v", got)
	}
}

func TestAMistakeOfASourceIsLetBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(t, from("hr"))
	h.later(t, time.Hour)
	h.say(t, from("hr", addressed("marco@acme.test"), in("Platform")))
	c := h.onlyCase(t)
	if diff := cmp.Diff([]string{"none"}, offers(c)); diff != "" {
		t.Errorf("the address of somebody who is here is not given away (-want +got):\n%s", diff)
	}
	h.answer(t, c, lifecycle.AnswerNone)
	h.later(t, time.Hour)
	h.say(t, from("hr", addressed("marco@acme.test"), in("Platform")))
	if ben := h.who(t, "ben"); ben.Person.Department != "Platform" || len(h.told(t)) != 0 || h.who(t, "marco").ID == ben.ID {
		t.Errorf("Ben is %+v; security is told %v", ben.Person, h.told(t))
	}
}

func TestADoubtThatTheSourceCorrectsHasSettledItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(t, from("hr"))
	h.later(t, time.Hour)
	h.say(t, from("hr", addressed("marco@acme.test")))
	h.later(t, time.Hour)
	h.say(t, from("hr"))
	if got := h.told(t); len(got) != 0 {
		t.Errorf("still asked: %v", got)
	}
	h.later(t, time.Hour)
	h.say(t, from("hr", addressed("marco@acme.test")))
	if h.trail(lifecycle.EventIdentityDisputed) != 2 || len(h.cases(t)) != 1 {
		t.Errorf("it has come up again, and is not asked: %v", h.told(t))
	}
}

func TestADoubtIsAskedOnceWhereverItCrashes(t *testing.T) {
	t.Parallel()
	for _, how := range []fault{refused, lost, dead} {
		for at := 1; ; at++ {
			h := newHouse(t)
			h.say(t, from("hr"))
			h.pass(time.Hour)
			id := h.sent(t, from("scim", numbered("E9")))
			h.faults.hit(at, how)
			err := h.registrar().Register(t.Context(), id)
			h.faults.hit(0, how)
			must(t, h.registrar().Register(t.Context(), id))
			if got := h.cases(t); len(got) != 1 || got[0].Revision != 1 {
				t.Errorf("fault %d at call %d: %v", how, at, got)
			}
			if err == nil {
				break
			}
		}
	}
}

func TestWhoIsNamedOnlyInThePolicyIsStoppedByTheirDirectory(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say(t, lifecycle.Fact{Source: "okta", Kind: lifecycle.FactStatus, Key: "00u", Person: lifecycle.Person{Status: "ended", Emails: []string{"marco@acme.test"}}})
	if marco := h.who(t, "marco"); marco.MayDecide(h.now()) || marco.Sourced() {
		t.Errorf("Marco is %s, sourced %v", marco.Person.Status, marco.Sourced())
	}
	if diff := cmp.Diff([]string{"leaver  → "}, h.notices(t)); diff != "" {
		t.Errorf("notices (-want +got):\n%s", diff)
	}
	if got := fmt.Sprint(len(h.failed)); got != "0" {
		t.Error(h.failed)
	}
}
