package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// worker is somebody hr vouches for, with an account of their address.
func worker(name, department string) lifecycle.Identity {
	return lifecycle.Identity{
		ID: lifecycle.IdentityID("idn_" + name), Keys: map[string]string{"hr": name},
		Person: lifecycle.Person{EmployeeID: name, Status: lifecycle.StatusActive, Emails: []string{name + "@acme.test"}, Name: name, Department: department},
	}
}

func holding(name string, base lifecycle.BaseRole, on ...lifecycle.Membership) lifecycle.Account {
	return lifecycle.Account{ID: lifecycle.AccountID("P" + strings.ToUpper(name)), Email: name + "@acme.test", Name: name, BaseRole: base, Teams: on}
}

// told says the diff in lines, as a test wants to read it.
func told(d lifecycle.PolicyDiff) []string {
	var lines []string
	for _, p := range d.Moves {
		for _, r := range p.Gains {
			lines = append(lines, p.Name+" gains "+r.String())
		}
		for _, r := range p.Loses {
			lines = append(lines, p.Name+" loses "+r.String())
		}
	}
	for _, a := range d.Asked {
		lines = append(lines, fmt.Sprintf("%s: %s → %s", a.Name, a.From, a.To))
	}
	for _, u := range d.Unclear {
		lines = append(lines, fmt.Sprintf("%s: %q → %q", u.Name, u.Was, u.Why))
	}
	for _, r := range d.Rules {
		lines = append(lines, "rule "+r.String())
	}
	return append(lines, d.Other...)
}

func TestADiffSaysWhoGainsAndWhoLoses(t *testing.T) {
	t.Parallel()
	ben := worker("ben", "Payments")
	responder := holding("ben", lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
	for name, tt := range map[string]struct {
		people []lifecycle.Identity
		have   []lifecycle.Account
		change func(p *lifecycle.Policy)
		want   []string
	}{
		"the same policy moves nobody": {[]lifecycle.Identity{ben}, []lifecycle.Account{responder}, func(*lifecycle.Policy) {}, nil},
		"a rule that is gone takes the team, and leaves an ordinary base role": {
			[]lifecycle.Identity{ben},
			[]lifecycle.Account{responder},
			func(p *lifecycle.Policy) { p.Rules = p.Rules[1:] },
			[]string{
				"ben loses Payments: responder → none",
				`ben: "" → "No rule of the policy speaks of this person."`,
				"rule payments: gone (was 1 person)",
			},
		},
		"a department that is renamed moves whom it names no more": {
			[]lifecycle.Identity{ben, worker("cleo", "Pay")},
			[]lifecycle.Account{responder, holding("cleo", lifecycle.RoleResponder)},
			func(p *lifecycle.Policy) { p.Rules[0].When = department("pay") },
			[]string{
				"ben loses Payments: responder → none", "cleo gains Payments: none → responder",
				`ben: "" → "No rule of the policy speaks of this person."`,
				`cleo: "No rule of the policy speaks of this person." → ""`,
				"rule payments: when changed (1 → 1 person)",
			},
		},
		"what somebody holds already is no gain": {
			[]lifecycle.Identity{ben},
			[]lifecycle.Account{holding("ben", lifecycle.RoleManager, on(payments, lifecycle.TeamManager))},
			func(p *lifecycle.Policy) {
				p.Rules[0].BaseRole, p.Rules[0].Teams[0].Role = lifecycle.RoleManager, lifecycle.TeamManager
			},
			[]string{
				"ben: asked of an owner of the team → asked of one of Security",
				"rule payments: grant changed (1 → 1 person)",
			},
		},
		"less of a team is a loss, more of the account is a gain": {
			[]lifecycle.Identity{ben},
			[]lifecycle.Account{responder},
			func(p *lifecycle.Policy) {
				p.Rules[0].BaseRole, p.Rules[0].Teams[0].Role = lifecycle.RoleManager, lifecycle.TeamObserver
			},
			[]string{
				"ben gains Responder (limited_user) → Manager (user)", "ben loses Payments: responder → observer",
				"rule payments: grant changed (1 → 1 person)",
			},
		},
		"a rule that is only observed takes nothing": {
			[]lifecycle.Identity{ben},
			[]lifecycle.Account{responder},
			func(p *lifecycle.Policy) { p.Rules[0].Rollout = lifecycle.RolloutObserve },
			[]string{
				`ben: "" → "Only rules that are being observed apply: payments."`,
				"rule payments: rollout changed (1 → 1 person)",
			},
		},
		"a protected account neither gains nor loses": {
			[]lifecycle.Identity{ben},
			[]lifecycle.Account{responder},
			func(p *lifecycle.Policy) { p.Rules = p.Rules[1:]; p.Protected = []string{"ben@acme.test"} },
			[]string{
				`ben: "" → "No rule of the policy speaks of this person."`,
				"rule payments: gone (was 1 person)", "Protected: now ben@acme.test",
			},
		},
		"who has left, and who is known by the policy alone, is no part of it": {
			[]lifecycle.Identity{left(ben), {ID: "idn_x", Person: lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{"ben@acme.test"}, Department: "Payments"}}},
			[]lifecycle.Account{responder},
			func(p *lifecycle.Policy) { p.Rules = p.Rules[1:] },
			[]string{"rule payments: gone (was 0 people)"},
		},
		"somebody on leave is given nothing meanwhile": {
			[]lifecycle.Identity{onLeave(worker("cleo", "Pay"))},
			[]lifecycle.Account{holding("cleo", lifecycle.RoleResponder)},
			func(p *lifecycle.Policy) { p.Rules[0].When = department("pay*") },
			[]string{
				`cleo: "No rule of the policy speaks of this person." → ""`,
				"rule payments: when changed (0 → 1 person)",
			},
		},
		"who has no account yet can gain one, and lose nothing": {
			[]lifecycle.Identity{ben, worker("cleo", "Pay")},
			[]lifecycle.Account{holding("somebody", lifecycle.RoleObserver)},
			func(p *lifecycle.Policy) { p.Rules[0].When = department("pay") },
			[]string{
				"cleo gains no role → Responder (limited_user)", "cleo gains Payments: none → responder",
				`ben: "" → "No rule of the policy speaks of this person."`,
				`cleo: "No rule of the policy speaks of this person." → ""`,
				"rule payments: when changed (1 → 1 person)",
			},
		},
		"where nothing is known of accounts, what the old policy gives is taken to be held": {
			[]lifecycle.Identity{ben},
			nil,
			func(p *lifecycle.Policy) { p.Rules = p.Rules[1:] },
			[]string{
				"ben loses Payments: responder → none",
				`ben: "" → "No rule of the policy speaks of this person."`,
				"rule payments: gone (was 1 person)",
			},
		},
		"an approval that is needed now is said": {
			[]lifecycle.Identity{worker("cleo", "Platform")},
			[]lifecycle.Account{holding("cleo", lifecycle.RoleResponder, on(platform, lifecycle.TeamResponder))},
			func(p *lifecycle.Policy) { p.Rules[1].Approval = nil },
			[]string{
				"cleo: given at once → asked of an owner of the team",
				"rule platform: approval changed (1 → 1 person)",
			},
		},
		"a rule that goes by another name is the same, wherever it stands": {
			[]lifecycle.Identity{ben},
			[]lifecycle.Account{responder},
			func(p *lifecycle.Policy) {
				p.Rules[0].Name, p.Rules[0].Line = "pay", 99
				slices.Reverse(p.Rules)
			},
			[]string{"rule pay: was called payments"},
		},
		"a team without an id is the one of its name": {
			[]lifecycle.Identity{ben},
			[]lifecycle.Account{responder},
			func(p *lifecycle.Policy) { p.Teams[0].ID = "" }, nil,
		},
		"everything else is said in a line": {
			nil, nil,
			func(p *lifecycle.Policy) {
				p.Teams = append(p.Teams[:1:1], lifecycle.TeamPolicy{Name: "Ledger", ID: "PLED", Owners: []string{"dana@acme.test"}})
				p.Teams[0].Owners, p.Teams[0].Channel, p.Teams[0].Name = []string{"ines@acme.test", "ana@acme.test"}, "C0NEW", "Pay"
				p.Security.Members = p.Security.Members[:1]
				p.Breaker.Removals, p.Breaker.Percent, p.Breaker.Window = 9, 2.5, time.Hour
				p.Defaults.Hold, p.Defaults.Approval.N = time.Hour, 2
				p.Ceilings = map[lifecycle.Employment]lifecycle.Ceiling{lifecycle.Contractor: {BaseRole: lifecycle.RoleObserver}}
				p.Segregation = []lifecycle.Segregation{{Name: "two keys", Not: []lifecycle.Toxic{{BaseRole: lifecycle.RoleAdmin}, {Team: "Pay", Role: lifecycle.TeamManager}}}}
				p.Exceptions = []lifecycle.PolicyException{{Who: "ben@acme.test", Team: "Pay", Role: lifecycle.TeamManager, Until: "2026-06-30"}}
				p.Credentials = []lifecycle.Credential{{Name: "key", Owner: "priya@acme.test", Revoker: "lee@acme.test", RotateEvery: 90 * day}}
				p.Leaver, p.Reserve = lifecycle.LeaverPolicy{AskToContain: true, DeleteAfter: 14 * day}, 365*day
				p.Sources.Default = []string{"hr"}
				p.Rules = p.Rules[:0]
			},
			[]string{
				"rule payments: gone (was 0 people)", "rule platform: gone (was 0 people)", "rule admins: gone (was 0 people)",
				"Security: no longer lee@acme.test",
				"Team PPAY is called: Payments → Pay",
				"Owners of Pay: now ana@acme.test; no longer marco@acme.test",
				"Channel of Pay: C0PAY → C0NEW",
				"Team Ledger is new, owned by dana@acme.test",
				"Team Platform is no longer governed: nobody is asked about it, and nothing on it is found",
				"Breaker, removals: 0 → 9", "Breaker, removals in percent: 0 % → 2.5 %", "Breaker, window: 0s → 1h",
				"Approval by default: quorum, 1 of team-owners, deny after 72h → quorum, 2 of team-owners, deny after 72h",
				"Hold: 10m → 1h",
				"Leavers are contained: at once → once somebody was asked",
				"Leavers are deleted after: 0s → 336h",
				"The most that contractors may hold: no limit → Observer (observer)",
				"Segregation: now two keys (Global Admin (admin) with Pay: manager)",
				"Exception: now ben@acme.test holds Pay: manager until 2026-06-30",
				"Credential: now key (owner priya@acme.test, revoker lee@acme.test, rotated every 2160h)",
				"An address that was given up is reserved for: 0s → 8760h",
				"Whose word counts where sources disagree has changed: for each person from the next that is heard of them",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			next := rules()
			tt.change(&next)
			if diff := cmp.Diff(tt.want, told(lifecycle.Diff(rules(), next, tt.people, tt.have, monday)), equateEmpty); diff != "" {
				t.Errorf("the diff (-want +got):\n%s", diff)
			}
		})
	}
}

func department(pattern string) lifecycle.Selector {
	return lifecycle.Selector{Match: []lifecycle.Match{{Attribute: lifecycle.AttrDepartment, Patterns: []string{pattern}}}}
}

func left(i lifecycle.Identity) lifecycle.Identity {
	i.Person.Status = lifecycle.StatusEnded
	return i
}

func onLeave(i lifecycle.Identity) lifecycle.Identity {
	i.Person.Status = lifecycle.StatusLeave
	return i
}

func TestADiffCountsByTeamAndHoldsTheLosersAgainstTheBreaker(t *testing.T) {
	t.Parallel()
	was, next := rules(), rules()
	was.Breaker = lifecycle.Breaker{Removals: 1, Percent: 2}
	next.Breaker = lifecycle.Breaker{Removals: 100}
	next.Rules[0].Teams[0] = lifecycle.TeamGrant{Team: "Platform", Role: lifecycle.TeamManager}
	var people []lifecycle.Identity
	var have []lifecycle.Account
	for _, name := range []string{"ana", "ben", "cleo"} {
		people = append(people, worker(name, "Payments"))
		a := holding(name, lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
		if name == "cleo" {
			a.Duties = []string{"level 1 of Payments-Crit"}
		}
		have = append(have, a)
	}
	d := lifecycle.Diff(was, next, people, have, monday)
	var teams, order []string
	for _, team := range d.Teams {
		teams = append(teams, team.String())
	}
	for _, p := range d.Moves {
		order = append(order, p.Name)
	}
	if diff := cmp.Diff([]string{"Payments: 3 lose responder", "Platform: 3 gain manager"}, teams); diff != "" {
		t.Errorf("by team (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"cleo", "ana", "ben"}, order); diff != "" {
		t.Errorf("who is on call comes first (-want +got):\n%s", diff)
	}
	want := "3 people gain, 3 lose, 1 of those who lose is in an on-call schedule or policy. " +
		"That exceeds the breaker: no more than 1 person may lose something at once, so it comes into force only when two of Security release it."
	if d.Limit != 1 || !d.Exceeds() || d.Summary() != want {
		t.Errorf("limit %d, and it says: %s", d.Limit, d.Summary())
	}
	back := lifecycle.Diff(next, next, people, have, monday)
	if back.Exceeds() || back.Summary() != "Nobody gains or loses anything, of 3 people." {
		t.Errorf("the same policy: %s", back.Summary())
	}
}

// What a diff says is what roll calls before and after would find: whoever
// mends all of it, and then all that the new policy finds, has changed exactly
// what the diff said.
func TestADiffAgreesWithTheRollCall(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(4, 4))
	departments := []string{"Payments", "Platform", "Site admin", ""}
	for range 300 {
		was, next := shaken(r), shaken(r)
		var people []lifecycle.Identity
		var have []lifecycle.Account
		for n := range 6 {
			name := fmt.Sprintf("p%d", n)
			people = append(people, worker(name, departments[r.IntN(4)]))
			have = append(have, holding(name, bases[r.IntN(len(bases))], some(r, payments, platform)...))
		}
		d := lifecycle.Diff(was, next, people, have, monday)
		lost := map[string]bool{}
		for _, p := range d.Moves {
			lost[p.Email] = len(p.Loses) > 0
		}
		before, after := excesses(was, people, have), excesses(next, people, have)
		for _, a := range have {
			if worse := deeper(after[a.Email], before[a.Email]); worse != lost[a.Email] {
				t.Fatalf("%s, who holds %v: the diff says that they lose: %v; found before %v, after %v", a.Email, a, lost[a.Email], before[a.Email], after[a.Email])
			}
		}
	}
}

var bases = []lifecycle.BaseRole{lifecycle.RoleRestricted, lifecycle.RoleObserver, lifecycle.RoleResponder, lifecycle.RoleManager, lifecycle.RoleAdmin}

// shaken is a policy of the two teams whose rules give anything at all.
func shaken(r *rand.Rand) lifecycle.Policy {
	p := rules()
	p.Rules = slices.DeleteFunc(p.Rules, func(lifecycle.Rule) bool { return r.IntN(4) == 0 })
	roles := []lifecycle.TeamRole{lifecycle.TeamObserver, lifecycle.TeamResponder, lifecycle.TeamManager}
	for i := range p.Rules {
		p.Rules[i].BaseRole = bases[r.IntN(len(bases))]
		p.Rules[i].Teams = []lifecycle.TeamGrant{{Team: p.Teams[r.IntN(2)].Name, Role: roles[r.IntN(3)]}}
		if r.IntN(5) == 0 {
			p.Rules[i].Rollout = lifecycle.RolloutObserve
		}
	}
	return p
}

func some(r *rand.Rand, teams ...lifecycle.Team) []lifecycle.Membership {
	var on []lifecycle.Membership
	for _, t := range teams {
		if role := []lifecycle.TeamRole{"", lifecycle.TeamObserver, lifecycle.TeamResponder, lifecycle.TeamManager}[r.IntN(4)]; role != "" {
			on = append(on, lifecycle.Membership{Team: t, Role: role})
		}
	}
	return on
}

// excesses returns to what each account would be brought down: by address, and
// by what is held.
func excesses(p lifecycle.Policy, people []lifecycle.Identity, have []lifecycle.Account) map[string]map[string]int {
	found := map[string]map[string]int{}
	for _, f := range lifecycle.Reconcile(lifecycle.Roll{Policy: p, Identities: people, Have: lifecycle.Snapshot{Accounts: have}, Now: monday}) {
		if f.Kind != lifecycle.FoundExcess {
			continue
		}
		if found[f.Account.Email] == nil {
			found[f.Account.Email] = map[string]int{}
		}
		down := lifecycle.TeamRole(f.To).Rank() - 10
		if f.Entitlement.Kind == lifecycle.KindBaseRole {
			down = lifecycle.BaseRole(f.To).Rank() - 10
		}
		found[f.Account.Email][string(f.Entitlement.Team.ID)] = down
	}
	return found
}

// deeper reports whether anything is brought down further than before.
func deeper(after, before map[string]int) bool {
	for what, down := range after {
		if was, already := before[what]; !already || down < was {
			return true
		}
	}
	return false
}

func TestADiffSaysWhoIsOnCallTonight(t *testing.T) {
	t.Parallel()
	next := rules()
	next.Rules = next.Rules[1:]
	var people []lifecycle.Identity
	var have []lifecycle.Account
	for _, name := range []string{"ana", "ben", "cleo"} {
		a := holding(name, lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder))
		if name != "cleo" {
			a.Duties = []string{"a seat in Primary"}
		}
		people, have = append(people, worker(name, "Payments")), append(have, a)
	}
	d := lifecycle.Diff(rules(), next, people, have, monday)
	if diff := cmp.Diff([]lifecycle.AccountID{"PANA", "PBEN"}, d.LosersOnCall()); diff != "" {
		t.Errorf("whose shifts are worth asking for (-want +got):\n%s", diff)
	}
	seat := func(from, until time.Duration) []lifecycle.Duty {
		return []lifecycle.Duty{{Kind: lifecycle.KindSchedule, Object: lifecycle.Object{Name: "Primary"}, Shifts: []lifecycle.Shift{{From: monday.Add(from), Until: monday.Add(until)}}}}
	}
	for name, tt := range map[string]struct {
		duties []lifecycle.Duty
		want   string
	}{
		"on a shift that runs":            {seat(-time.Hour, time.Hour), "(1 on call within 24 hours)"},
		"on a shift that begins tomorrow": {seat(24*time.Hour, 48*time.Hour), "(nobody of them is on call within 24 hours)"},
		"on a shift that is over":         {seat(-2*time.Hour, 0), "(nobody of them is on call within 24 hours)"},
		"always":                          {[]lifecycle.Duty{{Kind: lifecycle.KindEscalationPolicy, Shifts: []lifecycle.Shift{{}}}}, "(1 on call within 24 hours)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := d.WithShifts(map[lifecycle.AccountID][]lifecycle.Duty{"PANA": tt.duties}, monday)
			if want := "3 people lose, 2 of those who lose are in on-call schedules or policies " + tt.want + "."; !strings.HasPrefix(is.Summary(), want) {
				t.Errorf("got %q, want %q", is.Summary(), want)
			}
		})
	}
}
