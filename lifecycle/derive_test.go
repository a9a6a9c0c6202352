package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
)

// heard makes somebody of facts that are heard in this order, a minute after one another.
func heard(p lifecycle.Policy, now time.Time, facts ...lifecycle.Fact) lifecycle.Identity {
	i := lifecycle.Identity{ID: "idn_ben"}
	for k, f := range facts {
		if f.ID == "" {
			f.ID = lifecycle.NoticeID(fmt.Sprintf("ntc_%d", k))
		}
		if f.ObservedAt.IsZero() {
			f.ObservedAt = monday.Add(time.Duration(k) * time.Minute)
		}
		if is, why := i.Hear(f, p, now); why == "" {
			i = is
		}
	}
	return i
}

func from(source string, change ...func(*lifecycle.Person)) lifecycle.Fact {
	p := person("Payments")
	for _, c := range change {
		c(&p)
	}
	return lifecycle.Fact{Source: source, Person: p}
}

func statusOf(source string, s lifecycle.Status) lifecycle.Fact {
	return lifecycle.Fact{Source: source, Kind: lifecycle.FactStatus, Key: "00u", Person: lifecycle.Person{Status: s}}
}

func TestWhoseWordCounts(t *testing.T) {
	t.Parallel()
	hrFirst := lifecycle.SourceOrder{Default: []string{"hr", "scim"}}
	late := func(f lifecycle.Fact) lifecycle.Fact { f.ObservedAt = monday.Add(-time.Hour); return f }
	for name, tt := range map[string]struct {
		order      lifecycle.SourceOrder
		says       []lifecycle.Fact
		department string
		status     lifecycle.Status
	}{
		"the newest word, without an order":                           {says: []lifecycle.Fact{from("hr"), from("scim", in("Platform"))}, department: "Platform"},
		"not what silence would take":                                 {says: []lifecycle.Fact{from("hr"), from("scim", in(""))}, department: "Payments"},
		"the first of the order, although another is newer":           {order: hrFirst, says: []lifecycle.Fact{from("hr"), from("scim", in("Platform"))}, department: "Payments"},
		"the next of the order where the first is silent":             {order: hrFirst, says: []lifecycle.Fact{from("scim", in("Platform")), from("hr", in(""))}, department: "Platform"},
		"who is named before who is not":                              {order: hrFirst, says: []lifecycle.Fact{from("scim"), from("okta", in("Platform"))}, department: "Payments"},
		"the order of the attribute before that of all":               {order: lifecycle.SourceOrder{Default: []string{"hr"}, By: map[lifecycle.Attribute][]string{lifecycle.AttrDepartment: {"scim"}}}, says: []lifecycle.Fact{from("scim", in("Platform")), from("hr")}, department: "Platform"},
		"an older word of another source, where it alone says it":     {says: []lifecycle.Fact{from("hr", in("")), late(from("scim", in("Platform")))}, department: "Platform"},
		"not an older word of the same source":                        {says: []lifecycle.Fact{from("hr"), late(from("hr", in("Platform")))}, department: "Payments"},
		"the strictest status, whoever spoke last":                    {says: []lifecycle.Fact{from("hr", as("suspended")), from("scim")}, department: "Payments", status: "suspended"},
		"the first of the order for a status, however mild":           {order: hrFirst, says: []lifecycle.Fact{from("hr"), from("scim", as("suspended"))}, department: "Payments"},
		"that an account was disabled, under any order":               {order: hrFirst, says: []lifecycle.Fact{from("hr"), {Source: "set:idp", Kind: lifecycle.FactDisabled, Key: "x"}}, department: "Payments", status: "suspended"},
		"that a person said they left, under any order":               {order: hrFirst, says: []lifecycle.Fact{from("hr"), statusOf(lifecycle.SourcePeople, "ended")}, department: "Payments", status: "ended"},
		"the status alone, and nothing else with it":                  {says: []lifecycle.Fact{from("hr"), statusOf("okta", "suspended")}, department: "Payments", status: "suspended"},
		"ended, whoever says something milder later":                  {says: []lifecycle.Fact{from("hr", as("ended")), from("scim")}, department: "Payments", status: "ended"},
		"ended, although the same source says active again":           {says: []lifecycle.Fact{from("hr", as("ended")), from("hr")}, department: "Payments", status: "ended"},
		"ended, although it is heard after the newer word":            {says: []lifecycle.Fact{from("hr"), late(from("hr", as("ended")))}, department: "Payments", status: "ended"},
		"not ended of a spell before the newest":                      {says: []lifecycle.Fact{from("hr", as("ended")), from("scim", starting("2026-05-10"))}, department: "Payments"},
		"ended again by who has spoken of the newest spell":           {says: []lifecycle.Fact{from("hr", as("ended")), from("scim", starting("2026-05-04")), from("hr"), from("hr", as("ended"))}, department: "Payments", status: "ended"},
		"what was over is said once more, and is no news of the next": {says: []lifecycle.Fact{from("hr", as("ended")), from("scim", starting("2026-05-04")), from("hr", as("ended"))}, department: "Payments", status: "ended"},
		"a first day that is not repeated is not taken back":          {says: []lifecycle.Fact{from("hr", as("ended")), from("hr", starting("2026-05-10")), {Source: "hr", Person: person("Platform"), ObservedAt: monday.Add(240 * time.Hour)}}, department: "Platform"},
		"ended before the first day, who never came":                  {says: []lifecycle.Fact{from("hr", starting("2026-05-20")), {Source: "hr", Person: func() lifecycle.Person { p := ended(person("Payments")); p.EndDate = "2026-05-10"; return p }(), ObservedAt: monday.Add(480 * time.Hour)}}, department: "Payments", status: "ended"},
		"a person's word that they are back":                          {says: []lifecycle.Fact{from("hr", as("ended")), statusOf(lifecycle.SourcePeople, "active")}, department: "Payments"},
		"a last day that has passed":                                  {says: []lifecycle.Fact{from("hr", until("2026-05-20")), from("scim")}, department: "Payments", status: "ended"},
		"no last day of a spell before the newest":                    {says: []lifecycle.Fact{from("hr", until("2026-05-05")), from("scim", starting("2026-05-10"))}, department: "Payments"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := rules()
			p.Sources = tt.order
			i := heard(p, monday.Add(30*day), tt.says...)
			if tt.status == "" {
				tt.status = lifecycle.StatusActive
			}
			if i.Person.Department != tt.department || i.StatusAt(monday.Add(30*day)) != tt.status {
				t.Errorf("is %s in %s, want %s in %s", i.StatusAt(monday.Add(30*day)), i.Person.Department, tt.status, tt.department)
			}
		})
	}
}

// sameState compares two identities but for how often they were changed, and for
// the spells that were known to be over on the way.
func sameState() cmp.Option {
	return cmp.Options{cmpopts.IgnoreFields(lifecycle.Identity{}, "Revision", "Spells"), cmpopts.EquateEmpty()}
}

// FuzzFactsInAnyOrder hears the same facts in another order, and some of them again.
func FuzzFactsInAnyOrder(f *testing.F) {
	f.Add([]byte("hr says something"), uint64(1))
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, uint64(2))
	f.Add([]byte{3, 1, 3, 0, 0, 0, 1, 1, 2, 7, 7, 7, 12, 40, 80}, uint64(3))
	f.Fuzz(func(t *testing.T, script []byte, seed uint64) {
		facts := scripted(script)
		p := rules()
		p.Reserve = 365 * day
		p.Sources.By = map[lifecycle.Attribute][]string{lifecycle.AttrTitle: {"scim", "hr"}}
		if len(script) > 0 && script[0]%2 == 0 {
			p.Sources.Default = []string{"hr"}
		}
		now := monday.Add(60 * day)
		want := heard(p, now, facts...)
		r := rand.New(rand.NewPCG(seed, 7))
		for range 4 {
			again := slices.Clone(facts[1:])
			for range len(again) / 2 {
				again = append(again, again[r.IntN(len(again))])
			}
			r.Shuffle(len(again), func(a, b int) { again[a], again[b] = again[b], again[a] })
			got := heard(p, now, append(facts[:1:1], again...)...)
			if diff := cmp.Diff(want, got, sameState()); diff != "" {
				t.Fatalf("in another order (-want +got):\n%s", diff)
			}
		}
	})
}

// scripted makes facts of bytes, the first of which makes somebody known. Of one
// source, no two are of one moment, and they are ended once.
func scripted(script []byte) []lifecycle.Fact {
	facts := []lifecycle.Fact{{ID: "ntc_first", Source: "hr", Key: "k-hr", Person: person("Payments"), ObservedAt: monday.Add(-day), ReceivedAt: monday}}
	sources := []string{"hr", "scim", "okta"}
	over := map[string]bool{}
	for k := 0; k+2 < len(script) && len(facts) < 9; k += 3 {
		a, b, c := script[k], script[k+1], script[k+2]
		f := lifecycle.Fact{
			ID: lifecycle.NoticeID(fmt.Sprintf("ntc_%d", k)), Source: sources[int(a)%len(sources)], Person: person([]string{"Payments", "Platform", ""}[int(b)%3]),
			ObservedAt: monday.Add(time.Duration(k)*time.Hour + time.Duration(c)*time.Minute), ReceivedAt: monday.Add(time.Duration(k) * time.Hour),
		}
		f.Key = "k-" + f.Source
		f.Person.Emails = []string{[]string{"ben@acme.test", "ode@acme.test", "b.ode@acme.test"}[int(c)%3]}
		f.Person.Title = []string{"", "SRE", "Lead"}[int(a/3)%3]
		f.Person.Status = []lifecycle.Status{"active", "active", "leave", "suspended", "ended"}[int(b/3)%5]
		if f.Person.Status == lifecycle.StatusEnded && over[f.Source] {
			f.Person.Status = lifecycle.StatusActive
		}
		over[f.Source] = over[f.Source] || f.Person.Status == lifecycle.StatusEnded
		switch a / 9 % 6 {
		case 0:
			f.Kind = lifecycle.FactStatus
			f.Person = lifecycle.Person{Status: f.Person.Status}
		case 1:
			f.Kind, f.Person = lifecycle.FactDisabled, lifecycle.Person{}
		case 2:
			f.Kind = lifecycle.FactAbsent
		case 3:
			f.Person.StartDate = []lifecycle.Date{"2026-05-02", "2026-05-05", "2026-05-09"}[int(c/3)%3]
		}
		facts = append(facts, f)
	}
	return facts
}
