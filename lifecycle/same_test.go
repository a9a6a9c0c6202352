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

// pinTo makes the account that of the one identity with the address.
func (h *house) pinTo(t *testing.T, name string, id lifecycle.AccountID) lifecycle.Identity {
	t.Helper()
	i := h.who(t, name)
	i.Account = id
	i.Revision++
	must(t, h.store.SaveIdentity(t.Context(), i, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityLinked, Ref: string(i.ID)}))
	return i
}

func TestWhichAccountIsTheirs(t *testing.T) {
	t.Parallel()
	alias := lifecycle.Account{ID: "PALIAS", Email: "ode@acme.test", Name: "B. Ode", BaseRole: lifecycle.RoleResponder}
	for name, tt := range map[string]struct {
		begin  func(*testing.T, *house)
		answer string
		link   lifecycle.AccountID
		story  []string
	}{
		"it is the one with a second address": {
			begin: func(_ *testing.T, h *house) { h.pager.put(alias) }, answer: "PALIAS", link: "PALIAS",
			story: []string{"joiner pending [grant Payments:  → responder]"},
		},
		"it is none of them, and they are created": {
			begin: func(_ *testing.T, h *house) { h.pager.put(alias) }, answer: "none",
			story: []string{"joiner pending [create account:  → limited_user grant Payments:  → responder]"},
		},
		"it was linked to somebody else": {
			begin: func(t *testing.T, h *house) {
				h.say(t, kimOf("hr"))
				h.drain(t)
				h.pinTo(t, "kim", "PALIAS")
				alias := alias
				alias.Email = "ben@acme.test"
				h.pager.put(alias)
			}, answer: "PALIAS", link: "PALIAS",
			story: []string{"joiner pending [grant Payments:  → responder]", "joiner withdrawn [create account:  → limited_user grant Payments:  → responder]"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			tt.begin(t, h)
			h.say(t, from("hr", addressed("ben@acme.test", "ode@acme.test")))
			c := h.onlyCase(t)
			if c.Kind != lifecycle.CaseAccount || c.Identity != h.who(t, "ben").ID {
				t.Fatalf("asked: %+v", c)
			}
			h.answer(t, c, tt.answer)
			must(t, h.matcher().Take(t.Context(), c.ID)) // as after a crash
			h.work(t)
			if got := h.who(t, "ben").Account; got != tt.link {
				t.Errorf("linked to %q, want %q", got, tt.link)
			}
			if diff := cmp.Diff(tt.story, h.story(t)); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			h.call(t)
			if len(h.told(t)) != 0 || len(h.failed) != 0 {
				t.Errorf("security is asked %v, failed %v", h.told(t), h.failed)
			}
		})
	}
}

func TestWhoGaveAnAccountUpIsTakenNothingThere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h) // Ben, contained, with the deletion asked
	h.approve(t, h.only(t, lifecycle.Pending), "marco")
	h.say(t, kimOf("hr"))
	h.drain(t)
	_, err := h.matcher().Link(t.Context(), lifecycle.LinkOrder{By: h.who(t, "priya"), Identity: h.who(t, "kim").ID, Account: "PBEN", Reason: "it is Kim's, under an old name", Via: lifecycle.ViaCLI})
	must(t, err)
	h.later(t, 30*day)
	if _, there := h.pager.see("PBEN"); !there {
		t.Errorf("Kim's account was deleted because Ben has left: %v", h.story(t))
	}
	if got := h.who(t, "kim").Account; got != "PBEN" {
		t.Errorf("Kim is linked to %q", got)
	}
}

func TestARollCallAgreesWithWhoIsMatched(t *testing.T) {
	t.Parallel()
	bot := lifecycle.Account{ID: "PBOT", Email: "oncall+pay@acme.test", Name: "On-call", BaseRole: lifecycle.RoleResponder}
	old := lifecycle.Account{ID: "POLD", Email: "old.ode@acme.test", Name: "B. Ode", BaseRole: lifecycle.RoleResponder}
	for name, tt := range map[string]struct {
		change func(*lifecycle.Identity, *lifecycle.Policy)
		want   []string
		link   lifecycle.LinkState
		among  []lifecycle.Account
	}{
		"a shared account is nobody's, and no orphan": {
			change: func(i *lifecycle.Identity, p *lifecycle.Policy) {
				p.Shared, i.Person.Emails = []string{"oncall+*@acme.test"}, []string{"oncall+pay@acme.test"}
			},
			among: []lifecycle.Account{bot}, want: []string{"missing"}, link: lifecycle.Unmatched,
		},
		"one with a second address is disputed, and no orphan": {
			change: func(i *lifecycle.Identity, _ *lifecycle.Policy) {
				i.Person.Emails = append(i.Person.Emails, "Old.Ode@acme.test")
			},
			among: []lifecycle.Account{old}, want: []string{"disputed POLD", "missing"}, link: lifecycle.Disputed,
		},
		"one with an address that they had is disputed, and no orphan": {
			change: func(i *lifecycle.Identity, _ *lifecycle.Policy) {
				i.Former = []lifecycle.FormerAddress{{Email: "old.ode@acme.test", Until: monday.Add(day)}}
			},
			among: []lifecycle.Account{old}, want: []string{"disputed POLD", "missing"}, link: lifecycle.Disputed,
		},
		"one that was said not to be theirs is an orphan": {
			change: func(i *lifecycle.Identity, _ *lifecycle.Policy) { i.Not = []lifecycle.AccountID{"PBEN"} },
			among:  []lifecycle.Account{account(lifecycle.RoleResponder)}, want: []string{"missing", "orphan PBEN"}, link: lifecycle.Unmatched,
		},
		"a guest is not taken for who has the address": {
			change: func(i *lifecycle.Identity, _ *lifecycle.Policy) {
				i.Person.Emails = append(i.Person.Emails, "ben#EXT#@other.test")
			},
			among: []lifecycle.Account{account(lifecycle.RoleResponder)}, want: []string{"disputed PBEN"}, link: lifecycle.Disputed,
		},
		"a pinned account is theirs under any address": {
			change: func(i *lifecycle.Identity, _ *lifecycle.Policy) { i.Account = "POLD" },
			among:  []lifecycle.Account{old}, want: []string{"missing POLD"}, link: lifecycle.Linked,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rules()
			i := lifecycle.Identity{ID: "idn_ben", Keys: map[string]string{"hr": "E1"}, Person: person("Payments")}
			tt.change(&i, &p)
			var got []string
			for _, f := range lifecycle.Reconcile(lifecycle.Roll{Policy: p, Identities: []lifecycle.Identity{i}, Have: lifecycle.Snapshot{Accounts: tt.among}, Now: monday}) {
				line := string(f.Kind)
				if f.Account.ID != "" {
					line += " " + string(f.Account.ID)
				}
				got = append(got, line)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tt.want, got, equateEmpty); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			if link := lifecycle.Correlate(i, tt.among, p); link.State != tt.link {
				t.Errorf("correlated as %s (%s), want %s", link.State, link.Reason, tt.link)
			}
		})
	}
}

func TestOrdersAboutPeople(t *testing.T) {
	t.Parallel()
	two := func(t *testing.T, h *house) {
		t.Helper()
		h.say(t, from("hr"))
		h.say(t, kimOf("scim", in("Platform")))
		h.pass(time.Hour)
	}
	merge := func(keep, gone string, change ...func(*lifecycle.MergeOrder)) func(*testing.T, *house) error {
		return func(t *testing.T, h *house) error {
			o := lifecycle.MergeOrder{By: h.who(t, "priya"), Keep: h.who(t, keep).ID, Gone: h.who(t, gone).ID, Reason: "one person", Via: lifecycle.ViaCLI}
			for _, c := range change {
				c(&o)
			}
			_, err := h.matcher().Merge(t.Context(), o)
			return err
		}
	}
	link := func(change func(*lifecycle.LinkOrder)) func(*testing.T, *house) error {
		return func(t *testing.T, h *house) error {
			o := lifecycle.LinkOrder{By: h.who(t, "priya"), Identity: h.who(t, "ben").ID, Account: "PBEN", Reason: "as HR says", Via: lifecycle.ViaCLI}
			change(&o)
			_, err := h.matcher().Link(t.Context(), o)
			return err
		}
	}
	split := func(source string) func(*testing.T, *house) error {
		return func(t *testing.T, h *house) error {
			_, err := h.matcher().Split(t.Context(), lifecycle.SplitOrder{By: h.who(t, "priya"), Identity: h.who(t, "ben").ID, Source: source, Reason: "two people", Via: lifecycle.ViaCLI})
			return err
		}
	}
	for name, tt := range map[string]struct {
		begin   func(*testing.T, *house)
		order   func(*testing.T, *house) error
		refused error
	}{
		"two become one":      {begin: two, order: merge("ben", "kim")},
		"one with themselves": {begin: two, order: merge("ben", "ben"), refused: lifecycle.ErrConflict},
		"without a reason":    {begin: two, order: merge("ben", "kim", func(o *lifecycle.MergeOrder) { o.Reason = " " }), refused: lifecycle.ErrInvalid},
		"with nobody":         {begin: two, order: merge("ben", "kim", func(o *lifecycle.MergeOrder) { o.Gone = "idn_none" }), refused: lifecycle.ErrNotFound},
		"by somebody who may not": {begin: two, order: func(t *testing.T, h *house) error {
			return merge("ben", "kim", func(o *lifecycle.MergeOrder) { o.By = h.who(t, "marco") })(t, h)
		}, refused: lifecycle.ErrForbidden},
		"by one of them":             {begin: two, order: merge("ben", "priya"), refused: lifecycle.ErrForbidden},
		"with an account each":       {begin: func(t *testing.T, h *house) { two(t, h); h.pinTo(t, "ben", "P1"); h.pinTo(t, "kim", "P2") }, order: merge("ben", "kim"), refused: lifecycle.ErrConflict},
		"whom the policy names":      {begin: two, order: merge("ben", "marco"), refused: lifecycle.ErrConflict},
		"into whom the policy names": {begin: two, order: merge("marco", "ben")},
		"where one has left": {begin: func(t *testing.T, h *house) {
			two(t, h)
			h.say(t, kimOf("scim", in("Platform"), as("ended")))
		}, order: merge("ben", "kim"), refused: lifecycle.ErrConflict},
		"where one had left before the other began": {begin: func(t *testing.T, h *house) {
			h.say(t, kimOf("scim", as("ended")))
			h.later(t, 7*day)
			h.say(t, from("hr", starting("2026-05-05")))
		}, order: merge("ben", "kim")},
		"an account is linked": {begin: func(t *testing.T, h *house) {
			two(t, h)
			a := account(lifecycle.RoleResponder)
			a.Email = "b.ode@before.test"
			h.pager.put(a)
			h.call(t)
		}, order: link(func(*lifecycle.LinkOrder) {})},
		"an account that there is not":      {begin: func(t *testing.T, h *house) { linkedBen(t, h); h.call(t) }, order: link(func(o *lifecycle.LinkOrder) { o.Account = "PZZZ" }), refused: lifecycle.ErrNotFound},
		"a split off nothing":               {begin: two, order: split(""), refused: lifecycle.ErrInvalid},
		"neither an account nor Slack":      {begin: two, order: link(func(o *lifecycle.LinkOrder) { o.Account = "" }), refused: lifecycle.ErrInvalid},
		"both at once":                      {begin: two, order: link(func(o *lifecycle.LinkOrder) { o.Slack = "U1" }), refused: lifecycle.ErrInvalid},
		"their own account":                 {begin: func(t *testing.T, h *house) { two(t, h); h.pinTo(t, "priya", "PBEN") }, order: link(func(*lifecycle.LinkOrder) {}), refused: lifecycle.ErrForbidden},
		"one source is split off":           {begin: func(t *testing.T, h *house) { two(t, h); must(t, merge("ben", "kim")(t, h)) }, order: split("scim")},
		"a source that says nothing":        {begin: two, order: split("okta"), refused: lifecycle.ErrNotFound},
		"the only source":                   {begin: two, order: split("hr"), refused: lifecycle.ErrConflict},
		"where both would have one address": {begin: func(t *testing.T, h *house) { h.say(t, from("hr")); h.say(t, from("scim")) }, order: split("scim"), refused: lifecycle.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.policy.Reserve = 365 * day
			tt.begin(t, h)
			err := tt.order(t, h)
			if !errors.Is(err, tt.refused) || err != nil && lifecycle.ReasonOf(err) == "" {
				t.Fatalf("got %v, want %v in words", err, tt.refused)
			}
			h.work(t)
			if len(h.failed) != 0 {
				t.Error(h.failed)
			}
		})
	}
}

func TestOneWhoWasTwo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Reserve = 365 * day
	h.say(t, from("hr"))
	h.say(t, kimOf("scim", in("Platform")))
	h.drain(t)
	gone := h.pinTo(t, "kim", "PKIM")
	h.pass(time.Hour)
	is, err := h.matcher().Merge(t.Context(), lifecycle.MergeOrder{By: h.who(t, "priya"), Keep: h.who(t, "ben").ID, Gone: gone.ID, Reason: "married", Via: lifecycle.ViaCLI})
	must(t, err)
	if is.Account != "PKIM" || is.Keys["scim"] != "E2" || is.Keys["hr"] != "E1" || is.Former[0].Email != "ben@acme.test" && is.Former[0].Email != "kim@acme.test" {
		t.Errorf("the one is %+v", is)
	}
	if _, err := h.directory().Find(t.Context(), gone.Person.Email()); err == nil && is.Person.Email() != gone.Person.Email() {
		t.Error("who is no more is found by their address")
	}
	was, err := h.store.Identity(t.Context(), gone.ID)
	must(t, err)
	if was.Merged != is.ID || was.Sourced() || was.MayDecide(h.now()) {
		t.Errorf("who is no more is %+v", was)
	}
	h.say(t, kimOf("scim", in("Payments"))) // what was said of the one is said of the other now
	if got, err := h.store.Identity(t.Context(), is.ID); err != nil || got.Person.Department != "Payments" {
		t.Errorf("is in %s: %v", got.Person.Department, err)
	}
	other, err := h.matcher().Split(t.Context(), lifecycle.SplitOrder{By: h.who(t, "priya"), Identity: is.ID, Source: "scim", Reason: "they were two after all", Via: lifecycle.ViaCLI})
	must(t, err)
	rest, err := h.store.Identity(t.Context(), is.ID)
	must(t, err)
	if fmt.Sprint(rest.Keys, other.Keys) != "map[hr:E1] map[scim:E2]" || rest.Person.Name != "Ben Ode" || other.Person.Name != "Kim Bo" || rest.Account != "PKIM" || other.Account != "" {
		t.Errorf("the one is %+v\nthe other is %+v", rest, other)
	}
}

func TestNothingComesOfWhatWasAskedAboutWhoIsNoMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	away(t, h) // Ben, contained, with the deletion asked
	h.approve(t, h.only(t, lifecycle.Pending), "marco")
	h.later(t, day)
	h.say(t, kimOf("scim", starting("2026-05-05"), in("nowhere")))
	_, err := h.matcher().Merge(t.Context(), lifecycle.MergeOrder{By: h.who(t, "priya"), Keep: h.who(t, "kim").ID, Gone: h.who(t, "ben").ID, Reason: "never left", Via: lifecycle.ViaCLI})
	must(t, err)
	h.later(t, 30*day)
	if _, there := h.pager.see("PBEN"); !there {
		t.Errorf("the account of somebody who is here was deleted: %v", h.story(t))
	}
	if len(h.failed) != 0 {
		t.Error(h.failed)
	}
}

func TestWhoWasKnownBeforeIsSaidByTheirSource(t *testing.T) {
	t.Parallel()
	i := lifecycle.Identity{Keys: map[string]string{"hr": "E1"}, Person: lifecycle.Person{EmployeeID: "E1", Status: lifecycle.StatusActive, Emails: []string{"ben@acme.test"}, Department: "Payments"}}
	said := i.Sayings()
	for _, s := range said {
		if s.Source != "hr" || len(s.Others) > 0 {
			t.Errorf("%s is said by %q, and others say %v", s.Attribute, s.Source, s.Others)
		}
	}
	if len(said) != 4 {
		t.Errorf("%d are said", len(said))
	}
}

func TestWhatEachSourceSays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.policy.Sources.Default = []string{"hr"}
	h.say(t, from("hr"))
	h.later(t, time.Hour)
	h.say(t, from("scim", in("Platform"), titled("SRE")))
	got := map[lifecycle.Attribute]string{}
	for _, s := range h.who(t, "ben").Sayings() {
		line := fmt.Sprintf("%s says %s at %s", s.Source, s.Value, s.At.Format(time.TimeOnly))
		for _, o := range s.Others {
			line += fmt.Sprintf("; %s says %s at %s", o.Source, o.Value, o.At.Format(time.TimeOnly))
		}
		got[s.Attribute] = line
	}
	want := map[lifecycle.Attribute]string{
		"department": "hr says Payments at 09:00:00; scim says Platform at 10:00:00", "title": "scim says SRE at 10:00:00",
		"status": "hr says active at 09:00:00; scim says active at 10:00:00", "name": "hr says Ben Ode at 09:00:00; scim says Ben Ode at 10:00:00",
		"email": "hr says ben@acme.test at 09:00:00; scim says ben@acme.test at 10:00:00", "employee_id": "hr says E1 at 09:00:00; scim says E1 at 10:00:00",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sayings (-want +got):\n%s", diff)
	}
}
