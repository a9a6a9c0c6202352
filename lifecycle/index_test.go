package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
)

// A dice throws policies and people of a small world, so that they often meet.
type dice struct{ *rand.Rand }

func (d dice) of(words ...string) string { return words[d.IntN(len(words))] }

func (d dice) selector(depth int) lifecycle.Selector {
	var s lifecycle.Selector
	for range d.IntN(3) {
		m := lifecycle.Match{Attribute: lifecycle.Attributes()[d.IntN(len(lifecycle.Attributes()))]}
		for range 1 + d.IntN(2) {
			m.Patterns = append(m.Patterns, d.of("a", "b", "c", "a*", "*", "employee"))
		}
		s.Match = append(s.Match, m)
	}
	if depth == 0 {
		return s
	}
	for range d.IntN(2) {
		s.All, s.Any, s.Not = append(s.All, d.selector(depth-1)), append(s.Any, d.selector(depth-1)), append(s.Not, d.selector(depth-1))
	}
	return s
}

func (d dice) policy() lifecycle.Policy {
	p := rules()
	p.Rules = nil
	for i := range d.IntN(30) {
		r := rule(fmt.Sprintf("r%d", i), "", lifecycle.BaseRole(d.of("", "observer", "limited_user", "user")), d.of("Payments", "PPLA", "Nowhere"), lifecycle.TeamRole(d.of("observer", "responder", "manager")), nil)
		r.When, r.Rollout, r.Expires = d.selector(2), lifecycle.Rollout(d.of("observe", "enforce")), lifecycle.Expiry(d.of("never", "never", "end_date"))
		p.Rules = append(p.Rules, r)
	}
	if d.IntN(2) == 0 {
		p.Ceilings = map[lifecycle.Employment]lifecycle.Ceiling{lifecycle.Contractor: {BaseRole: lifecycle.RoleObserver, TeamRole: lifecycle.TeamResponder}}
	}
	for range d.IntN(4) {
		p.Exceptions = append(p.Exceptions, lifecycle.PolicyException{Who: d.of("a", "b") + "@acme.test", Team: d.of("Payments", "Nowhere"), Role: lifecycle.TeamManager, Until: lifecycle.Date(d.of("2026-05-03", "2026-05-04"))})
	}
	return p.At(monday)
}

func (d dice) person() lifecycle.Person {
	p := lifecycle.Person{
		Department: d.of("", "A", "b"), Title: d.of("", "a", "ab"), Location: d.of("", "c"), Country: d.of("", "b"), EmployeeID: d.of("", "a"),
		Employment: lifecycle.Employment(d.of("", "employee", "contractor")), ManagerID: d.of("", "a"), EndDate: lifecycle.Date(d.of("", "2026-05-03", "2027-01-01")),
	}
	for range d.IntN(4) {
		p.Groups = append(p.Groups, d.of("a", "B", "c"))
	}
	if d.IntN(3) > 0 {
		p.Emails = []string{d.of("a", "b") + "@acme.test"}
	}
	return p
}

func TestAnIndexedPolicyAnswersAsOneThatIsNot(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(7, 11))}
	spoken := 0
	for range 400 {
		p := d.policy()
		fast := p.Indexed()
		for range 50 {
			who := d.person()
			want, most := p.Bounds(who)
			fastWant, fastMost := fast.Bounds(who)
			if diff := cmp.Diff([]lifecycle.Want{want, most}, []lifecycle.Want{fastWant, fastMost}, cmpopts.IgnoreUnexported(lifecycle.Want{})); diff != "" {
				t.Fatalf("%+v of %+v (-linear +indexed):\n%s", who, p.Rules, diff)
			}
			spoken += len(most.Rules)
		}
	}
	if spoken < 1000 {
		t.Errorf("only %d rules spoke of anybody: nothing is compared", spoken)
	}
}

func TestARuleThatIsPutInAfterwardsIsAsked(t *testing.T) {
	t.Parallel()
	p := rules().Indexed()
	p.Rules = append(p.Rules, rule("cooks", "catering", lifecycle.RoleObserver, "Platform", lifecycle.TeamObserver, nil))
	if want := p.Want(person("Catering")); len(want.Rules) != 1 {
		t.Errorf("got %v, want the rule for cooks", want.Rules)
	}
	p.Teams = append(p.Teams, lifecycle.TeamPolicy{Name: "Search", ID: "PSEA"})
	if _, ok := p.Team("PSEA"); !ok {
		t.Error("a team that is put in afterwards is not found")
	}
}

// thousand has n rules of which only the first matches somebody of Payments.
func thousand(n int) lifecycle.Policy {
	p := rules()
	p.Rules = p.Rules[:1]
	for i := range n {
		r := rule(fmt.Sprintf("r%d", i), fmt.Sprintf("dept %d", i), lifecycle.RoleResponder, "Payments", lifecycle.TeamResponder, nil)
		r.When.Match = append(r.When.Match, lifecycle.Match{Attribute: lifecycle.AttrTitle, Patterns: []string{"sre*", "site*engineer"}})
		r.When.Not = []lifecycle.Selector{{Match: []lifecycle.Match{{Attribute: lifecycle.AttrLocation, Patterns: []string{"mars"}}}}}
		p.Rules = append(p.Rules, r)
	}
	return p
}

// Not in parallel with anything: what others allocate would count.
func TestARuleThatDoesNotMatchAllocatesNothing(t *testing.T) {
	who := person("payments")
	few, many := thousand(0), thousand(1000)
	least := testing.AllocsPerRun(100, func() { few.Bounds(who) })
	for name, p := range map[string]lifecycle.Policy{"looked through": many, "indexed": many.Indexed()} {
		if got := testing.AllocsPerRun(100, func() { p.Bounds(who) }); got != least {
			t.Errorf("%s: got %v allocations with 1000 more rules, want %v as without them", name, got, least)
		}
	}
	nobody := person("nothing")
	nobody.EmployeeID = "e1" // folding what is in capitals is done once for each person, not for each rule
	if got := testing.AllocsPerRun(100, func() { many.Bounds(nobody) }); got != 0 {
		t.Errorf("got %v allocations where no rule matches, want none", got)
	}
}

func BenchmarkPlan(b *testing.B) {
	const people = 100_000
	crowd := make([]lifecycle.Person, people)
	for i := range crowd {
		crowd[i] = person(fmt.Sprintf("Dept %d", i%200))
		crowd[i].Title = "SRE"
		crowd[i].Location = "Tokyo"
	}
	have := account(lifecycle.RoleResponder)
	linear := thousand(200)
	for name, p := range map[string]lifecycle.Policy{"linear": linear, "indexed": linear.Indexed()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range crowd {
					if plan := lifecycle.PlanJoin(p, crowd[i], &have); len(plan.Changes) == 0 {
						b.Fatal("planned nothing")
					}
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/100k")
		})
	}
}
