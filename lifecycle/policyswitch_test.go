package lifecycle_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// shelf is a store of policies and of what they are held against, whose calls
// can be made to fail.
type shelf struct {
	*faults
	texts    map[string]lifecycle.PolicyText
	force    string
	holds    []lifecycle.Hold
	lines    []lifecycle.EventKind
	told     []string // to Security
	admitted []string
	people   []lifecycle.Identity
	accounts []lifecycle.Account
}

func newShelf(people []lifecycle.Identity, accounts []lifecycle.Account) *shelf {
	return &shelf{faults: &faults{}, texts: map[string]lifecycle.PolicyText{}, people: people, accounts: accounts}
}

func (s *shelf) still() *shelf {
	is := *s
	is.faults, is.texts = &faults{}, maps.Clone(s.texts)
	is.holds, is.lines, is.told, is.admitted = slices.Clone(s.holds), slices.Clone(s.lines), slices.Clone(s.told), slices.Clone(s.admitted)
	return &is
}

func (s *shelf) write(kind lifecycle.EventKind, next []lifecycle.Job, do func() error) error {
	_, err := through(s.faults, func() (nothing, error) {
		if err := do(); err != nil {
			return nothing{}, err
		}
		s.lines = append(s.lines, kind)
		for _, j := range next {
			if j.Kind == lifecycle.JobAlert {
				s.told = append(s.told, j.Ref)
			}
		}
		return nothing{}, nil
	})
	return err
}

func (s *shelf) PolicyInForce(context.Context) (lifecycle.PolicyText, error) {
	return through(s.faults, func() (lifecycle.PolicyText, error) {
		if s.force == "" {
			return lifecycle.PolicyText{}, lifecycle.ErrNotFound
		}
		return s.texts[s.force], nil
	})
}

func (s *shelf) PolicyText(_ context.Context, sha string) (lifecycle.PolicyText, error) {
	return through(s.faults, func() (lifecycle.PolicyText, error) {
		if p, kept := s.texts[sha]; kept {
			return p, nil
		}
		return lifecycle.PolicyText{}, lifecycle.ErrNotFound
	})
}

func (s *shelf) KeepPolicy(_ context.Context, p lifecycle.PolicyText, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e.Kind, next, func() error { s.texts[p.SHA256] = p; return nil })
}

func (s *shelf) EnforcePolicy(_ context.Context, p lifecycle.PolicyText, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e.Kind, next, func() error { s.texts[p.SHA256], s.force = p, p.SHA256; return nil })
}

func (s *shelf) Record(_ context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e.Kind, next, func() error { return nil })
}

func (s *shelf) Holds(context.Context) ([]lifecycle.Hold, error) {
	return through(s.faults, func() ([]lifecycle.Hold, error) { return s.open(), nil })
}

func (s *shelf) open() []lifecycle.Hold {
	return slices.DeleteFunc(slices.Clone(s.holds), func(h lifecycle.Hold) bool { return !h.Open() })
}

func (s *shelf) SaveHold(_ context.Context, h lifecycle.Hold, _ []lifecycle.Removal, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return s.write(e.Kind, next, func() error {
		i := slices.IndexFunc(s.holds, func(o lifecycle.Hold) bool { return o.ID == h.ID })
		if i < 0 || s.holds[i].Revision != h.Revision-1 {
			return lifecycle.ErrConflict
		}
		s.holds[i] = h
		return nil
	})
}

func (s *shelf) Identities(context.Context) ([]lifecycle.Identity, error) {
	return through(s.faults, func() ([]lifecycle.Identity, error) { return s.people, nil })
}

func (s *shelf) Baseline(context.Context) ([]lifecycle.Account, error) {
	return through(s.faults, func() ([]lifecycle.Account, error) { return s.accounts, nil })
}

func (s *shelf) Admit(_ context.Context, p lifecycle.Policy) error {
	_, err := through(s.faults, func() (nothing, error) { s.admitted = append(s.admitted, p.People()...); return nothing{}, nil })
	return err
}

func (s *shelf) HoldPolicy(_ context.Context, waiting lifecycle.PolicyText, why string, limit, population int) (lifecycle.Hold, error) {
	i := slices.IndexFunc(s.holds, func(h lifecycle.Hold) bool { return h.Open() && h.Policy == waiting.SHA256 })
	if i >= 0 {
		return through(s.faults, func() (lifecycle.Hold, error) { return s.holds[i], nil })
	}
	h := lifecycle.Hold{ID: lifecycle.NewHoldID(), Kind: lifecycle.HoldPolicy, Revision: 1, State: lifecycle.HoldStands, Why: why, Limit: limit, Population: population, Policy: waiting.SHA256}
	return h, s.write(lifecycle.EventHoldOpened, nil, func() error {
		s.texts[waiting.SHA256] = waiting
		s.holds = append(s.holds, h)
		return nil
	})
}

// switcher is a switch over the shelf whose policies are texts of the table.
type switcher struct {
	*shelf
	written map[string]lifecycle.Policy
	pager   error // in the place of PagerDuty's answer
	has     []lifecycle.Team
}

func newSwitcher(s *shelf) *switcher {
	same, fewer, more, other := rules(), rules(), rules(), rules()
	same.Breaker = lifecycle.Breaker{Removals: 1}
	fewer.Rules, fewer.Security.Members = fewer.Rules[1:], []string{"zoe@acme.test"}
	more.Rules[0].Teams[0].Role = lifecycle.TeamManager
	more.Security.Members = []string{"zoe@acme.test"}
	other.Teams[1] = lifecycle.TeamPolicy{Name: "Plattform", Owners: []string{"omar@acme.test"}}
	return &switcher{
		shelf: s, has: []lifecycle.Team{payments, platform},
		written: map[string]lifecycle.Policy{"first": same, "takes from three": fewer, "takes from nobody": more, "names no team": other},
	}
}

func (s *switcher) flow() *lifecycle.PolicySwitch {
	parse := func(text string) (lifecycle.Policy, error) {
		p, known := s.written[text]
		if !known {
			return lifecycle.Policy{}, lifecycle.Refuse(lifecycle.ErrInvalid, "policy.yaml:1:1: wants keys with values")
		}
		sum := sha256.Sum256([]byte(text))
		p.SHA256 = hex.EncodeToString(sum[:])
		return p, nil
	}
	teams := func(context.Context) ([]lifecycle.Team, error) { return s.has, s.pager }
	return lifecycle.NewPolicySwitch(s, s, s, parse, teams, (&clock{at: monday}).now)
}

// inForce is the text of the policy in force.
func (s *switcher) inForce() string { return s.texts[s.force].Text }

// threeResponders are three people of Payments who hold what the first policy gives.
func threeResponders() *shelf {
	var people []lifecycle.Identity
	var have []lifecycle.Account
	for _, name := range []string{"ana", "ben", "cleo"} {
		people = append(people, worker(name, "Payments"))
		have = append(have, holding(name, lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	}
	return newShelf(people, have)
}

func TestAPolicyFileTakesThePlaceOfTheOneInForceOrDoesNot(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		offer    []string
		outcome  lifecycle.SwitchOutcome
		inForce  string
		held     int
		told     int
		lastLine lifecycle.EventKind
		why      string
	}{
		"the same file changes nothing": {
			[]string{"first"}, lifecycle.SwitchSame, "first", 0, 0, lifecycle.EventPolicyLoaded, "",
		},
		"what takes from nobody comes into force": {
			[]string{"takes from nobody"}, lifecycle.SwitchTaken, "takes from nobody", 0, 0, lifecycle.EventPolicyLoaded, "3 people gain.",
		},
		"what takes from more than the breaker allows waits": {
			[]string{"takes from three"}, lifecycle.SwitchHeld, "first", 1, 0, lifecycle.EventHoldOpened, "3 people lose. That exceeds the breaker: no more than 1 person may",
		},
		"what waits is not held twice": {
			[]string{"takes from three", "takes from three"}, lifecycle.SwitchHeld, "first", 1, 0, lifecycle.EventHoldOpened, "3 people lose.",
		},
		"what is no policy is refused, and Security is told": {
			[]string{"garbage"}, lifecycle.SwitchRefused, "first", 0, 1, lifecycle.EventPolicyRefused, "policy.yaml:1:1: wants keys with values",
		},
		"a team that PagerDuty does not have is refused": {
			[]string{"names no team"}, lifecycle.SwitchRefused, "first", 0, 1, lifecycle.EventPolicyRefused, "Plattform",
		},
		"what waits is let go when the file is put back": {
			[]string{"takes from three", "first"}, lifecycle.SwitchSame, "first", 0, 0, lifecycle.EventHoldRefused, "",
		},
		"what waits is let go when another file comes into force": {
			[]string{"takes from three", "takes from nobody"}, lifecycle.SwitchTaken, "takes from nobody", 0, 0, lifecycle.EventPolicyLoaded, "3 people gain.",
		},
		"a file that is refused lets what waits wait on": {
			[]string{"takes from three", "garbage"}, lifecycle.SwitchRefused, "first", 1, 1, lifecycle.EventPolicyRefused, "wants keys",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSwitcher(threeResponders())
			_, err := s.flow().Start(t.Context(), "first")
			must(t, err)
			var out lifecycle.Switched
			for _, text := range tt.offer {
				out, err = s.flow().Offer(t.Context(), text)
				must(t, err)
			}
			if out.Outcome != tt.outcome || s.inForce() != tt.inForce || !strings.Contains(out.Why, tt.why) {
				t.Errorf("it is %s, and in force is %q: %s", out.Outcome, s.inForce(), out.Why)
			}
			if len(s.open()) != tt.held || len(s.told) != tt.told || s.lines[len(s.lines)-1] != tt.lastLine {
				t.Errorf("%d wait, told %q, on record %v", len(s.open()), s.told, s.lines)
			}
			if out.Outcome == lifecycle.SwitchTaken && !slices.Contains(s.admitted, "zoe@acme.test") {
				t.Errorf("whom the new policy names is not known: %v", s.admitted)
			}
			if out.Outcome == lifecycle.SwitchHeld && out.Hold != s.open()[0].ID {
				t.Errorf("it waits under %q", out.Hold)
			}
		})
	}
}

func TestARestartIsNoWayRound(t *testing.T) {
	t.Parallel()
	s := newSwitcher(threeResponders())
	_, err := s.flow().Start(t.Context(), "first")
	must(t, err)
	for _, file := range []string{"takes from three", "garbage", ""} {
		p, err := s.flow().Start(t.Context(), file)
		must(t, err)
		if p.SHA256 != s.force || s.inForce() != "first" || len(p.Rules) != 3 {
			t.Errorf("started with the file %q: in force is %q", file, s.inForce())
		}
	}
	delete(s.written, "first")
	if _, err := s.flow().Start(t.Context(), "takes from nobody"); err == nil || !strings.Contains(err.Error(), "cannot be read by this version") {
		t.Errorf("what is in force cannot be read any more: got %v", err)
	}
}

func TestTheFirstPolicyHasToBeOne(t *testing.T) {
	t.Parallel()
	s := newSwitcher(threeResponders())
	if _, err := s.flow().Start(t.Context(), "garbage"); !errors.Is(err, lifecycle.ErrInvalid) || s.force != "" {
		t.Errorf("got %v, and %q in force", err, s.inForce())
	}
	if _, _, changed, err := s.flow().Adopt(t.Context(), ""); err != nil || changed {
		t.Errorf("nothing is in force: got %v and %v", changed, err)
	}
	p, err := s.flow().Start(t.Context(), "takes from three")
	must(t, err)
	if p.SHA256 != s.force || !slices.Contains(s.admitted, "zoe@acme.test") {
		t.Errorf("the first file is not in force as it is: %q", s.inForce())
	}
}

func TestWhileNothingAnswersNothingIsConcluded(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]error{
		"PagerDuty is down":             errors.New("connection refused"),
		"PagerDuty does not let us see": lifecycle.Refuse(lifecycle.ErrForbidden, "The key may not read teams."),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSwitcher(threeResponders())
			_, err := s.flow().Start(t.Context(), "first")
			must(t, err)
			lines := len(s.lines)
			s.pager = refusal
			if _, err := s.flow().Offer(t.Context(), "takes from nobody"); !errors.Is(err, refusal) {
				t.Errorf("got %v, want %v", err, refusal)
			}
			if s.inForce() != "first" || len(s.lines) != lines || len(s.told) > 0 {
				t.Errorf("in force is %q, on record %v, told %v", s.inForce(), s.lines, s.told)
			}
		})
	}
}

func TestAReplicaAdoptsWhatIsInForce(t *testing.T) {
	t.Parallel()
	s := newSwitcher(threeResponders())
	s.written["names a team by its name"] = func() lifecycle.Policy { p := rules(); p.Teams[0].ID = ""; return p }()
	first, err := s.flow().Start(t.Context(), "first")
	must(t, err)
	if _, _, changed, err := s.flow().Adopt(t.Context(), first.SHA256); err != nil || changed {
		t.Errorf("nothing has changed: got %v and %v", changed, err)
	}
	_, err = s.flow().Offer(t.Context(), "names a team by its name")
	must(t, err)
	s.admitted = nil
	written, resolved, changed, err := s.flow().Adopt(t.Context(), first.SHA256)
	must(t, err)
	if !changed || written.SHA256 != s.force || written.Teams[0].ID != "" || resolved.Teams[0].ID != payments.ID || len(s.admitted) == 0 {
		t.Errorf("adopted %v: %v and %v, admitted %v", changed, written.Teams, resolved.Teams, s.admitted)
	}
	s.has = s.has[:1]
	if _, _, changed, err := s.flow().Adopt(t.Context(), first.SHA256); err == nil || changed {
		t.Errorf("a team is gone meanwhile: got %v and %v", changed, err)
	}
}

// Every call fails in turn, in each way a call can fail; then the program starts
// again, and is offered the file again.
func TestASwitchThatCrashesAnywhereComesToTheSame(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		before, offer, inForce string
		held                   int
	}{
		"a policy that comes into force": {"", "takes from nobody", "takes from nobody", 0},
		"a policy that waits":            {"", "takes from three", "first", 1},
		"a policy that is put back":      {"takes from three", "first", "first", 0},
		"another than what waits":        {"takes from three", "takes from nobody", "takes from nobody", 0},
		"what is no policy":              {"", "garbage", "first", 0},
		"the first":                      {"none", "first", "first", 0},
	} {
		for how, way := range map[fault]string{refused: "is not made", lost: "loses its answer", dead: "is the last"} {
			t.Run(fmt.Sprintf("%s whose call %s", name, way), func(t *testing.T) {
				t.Parallel()
				begun := newSwitcher(threeResponders())
				if tt.before != "none" {
					_, err := begun.flow().Start(t.Context(), "first")
					must(t, err)
				}
				if tt.before == "takes from three" {
					_, err := begun.flow().Offer(t.Context(), tt.before)
					must(t, err)
				}
				for at := 1; ; at++ {
					s := newSwitcher(begun.shelf.still())
					s.hit(at, how)
					crashed := begin(t.Context(), s, tt.offer)
					s.hit(0, how)
					must(t, begin(t.Context(), s, tt.offer))
					if s.inForce() != tt.inForce || len(s.open()) != tt.held {
						t.Fatalf("call %d: in force is %q, and %d wait", at, s.inForce(), len(s.open()))
					}
					named := s.written[tt.inForce].People()
					if missing := slices.DeleteFunc(named, func(who string) bool { return slices.Contains(s.admitted, who) }); len(missing) > 0 {
						t.Errorf("call %d: not known: %v", at, missing)
					}
					if told := len(s.told) > 0; told != (tt.offer == "garbage") {
						t.Errorf("call %d: Security was told %q", at, s.told)
					}
					if crashed == nil {
						return // beyond the last call
					}
				}
			})
		}
	}
}

// begin is a program that starts with the file.
func begin(ctx context.Context, s *switcher, file string) error {
	if _, err := s.flow().Start(ctx, file); err != nil {
		return err
	}
	_, err := s.flow().Offer(ctx, file)
	return err
}

// With the real store and the real brakes: two people of Security let a policy
// come into force that takes much, and every replica adopts it.
func TestTwoPeopleLetAPolicyComeIntoForce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, name := range []string{"ana", "ben", "cleo"} {
		p := person("Payments")
		p.EmployeeID, p.Emails, p.Name = name, []string{name + "@acme.test"}, name
		h.known(t, p)
		h.pager.put(holding(name, lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	}
	h.call(t)
	texts := newSwitcher(nil)
	parse := func(text string) (lifecycle.Policy, error) {
		p := texts.written[text]
		p.SHA256 = fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
		return p, nil
	}
	teams := func(context.Context) ([]lifecycle.Team, error) { return texts.has, nil }
	brakes := lifecycle.NewBrakes(h.store, h, h.now)
	flow := lifecycle.NewPolicySwitch(h.store, brakes, h.directory(), parse, teams, h.now)
	first, err := flow.Start(t.Context(), "first")
	must(t, err)
	h.pass(time.Minute)
	out, err := flow.Offer(t.Context(), "takes from three")
	must(t, err)
	if out.Outcome != lifecycle.SwitchHeld {
		t.Fatalf("it is %s: %s", out.Outcome, out.Why)
	}
	for n, name := range []string{"priya", "lee"} {
		h.pass(time.Minute)
		_, err := brakes.Propose(t.Context(), lifecycle.Release{Hold: out.Hold, Seen: n + 1, By: h.who(t, name), All: true, Reason: "as planned", Via: lifecycle.ViaSlack})
		must(t, err)
	}
	h.pass(time.Minute)
	must(t, brakes.Take(t.Context(), out.Hold))
	written, _, changed, err := flow.Adopt(t.Context(), first.SHA256)
	must(t, err)
	if !changed || written.SHA256 != out.SHA256 || h.who(t, "zoe").ID == "" {
		t.Errorf("in force is %s, want %s", written.SHA256, out.SHA256)
	}
	if again, err := flow.Offer(t.Context(), "takes from three"); err != nil || again.Outcome != lifecycle.SwitchSame {
		t.Errorf("the same file again is %s: %v", again.Outcome, err)
	}
	in, err := h.store.PolicyInForce(t.Context())
	must(t, err)
	if in.By != "priya@acme.test and lee@acme.test" {
		t.Errorf("it was let by %q", in.By)
	}
}
