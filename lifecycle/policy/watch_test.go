package policy

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/lifecycle"
)

// drawer is a store of policies, in which nobody is known.
type drawer struct {
	mu       sync.Mutex
	texts    map[string]lifecycle.PolicyText
	force    string
	lines    []lifecycle.EventKind
	admitted []string
	down     error
}

func (d *drawer) with(do func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down != nil {
		return d.down
	}
	do()
	return nil
}

func (d *drawer) PolicyInForce(context.Context) (p lifecycle.PolicyText, err error) {
	err = d.with(func() { p = d.texts[d.force] })
	if err == nil && p.SHA256 == "" {
		err = lifecycle.ErrNotFound
	}
	return p, err
}

func (d *drawer) PolicyText(_ context.Context, sha string) (p lifecycle.PolicyText, err error) {
	return p, d.with(func() { p = d.texts[sha] })
}

func (d *drawer) KeepPolicy(_ context.Context, p lifecycle.PolicyText, e lifecycle.AuditEvent, _ ...lifecycle.Job) error {
	return d.with(func() { d.texts[p.SHA256], d.lines = p, append(d.lines, e.Kind) })
}

func (d *drawer) EnforcePolicy(_ context.Context, p lifecycle.PolicyText, e lifecycle.AuditEvent, _ ...lifecycle.Job) error {
	return d.with(func() { d.texts[p.SHA256], d.force, d.lines = p, p.SHA256, append(d.lines, e.Kind) })
}

func (d *drawer) Record(_ context.Context, e lifecycle.AuditEvent, _ ...lifecycle.Job) error {
	return d.with(func() { d.lines = append(d.lines, e.Kind) })
}

func (d *drawer) Holds(context.Context) ([]lifecycle.Hold, error) { return nil, d.with(func() {}) }

func (d *drawer) SaveHold(context.Context, lifecycle.Hold, []lifecycle.Removal, lifecycle.AuditEvent, ...lifecycle.Job) error {
	return errors.New("nothing is held here")
}

func (d *drawer) Identities(context.Context) ([]lifecycle.Identity, error) { return nil, nil }
func (d *drawer) Baseline(context.Context) ([]lifecycle.Account, error)    { return nil, nil }

func (d *drawer) HoldPolicy(context.Context, lifecycle.PolicyText, string, int, int) (lifecycle.Hold, error) {
	return lifecycle.Hold{}, errors.New("nothing is held here")
}

func (d *drawer) Admit(_ context.Context, p lifecycle.Policy) error {
	return d.with(func() { d.admitted = append(d.admitted, p.People()...) })
}

// watched is a Live that watches a file, in time that only the test moves.
type watched struct {
	t    *testing.T
	path string
	live *Live
	shop *drawer
	now  chan os.Signal
	log  *bytes.Buffer
}

const everySoOften = 5 * time.Second

// watch runs the test while a file that says head is watched.
func watch(t *testing.T, test func(w *watched)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	synctest.Test(t, func(t *testing.T) {
		w := &watched{t: t, path: path, shop: &drawer{texts: map[string]lifecycle.PolicyText{}}, now: make(chan os.Signal), log: &bytes.Buffer{}}
		w.write(head)
		teams := func(context.Context) ([]lifecycle.Team, error) { return account(), nil }
		flow := lifecycle.NewPolicySwitch(w.shop, w.shop, w.shop, Reader("policy.yaml"), teams, time.Now)
		first, err := flow.Start(t.Context(), head)
		if err != nil {
			t.Fatal(err)
		}
		w.live = NewLive(first, teams)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			w.live.Watch(ctx, Watch{Path: path, Every: everySoOften, Now: w.now, Switch: flow, Log: slog.New(slog.NewTextHandler(w.log, nil))})
		})
		synctest.Wait()
		test(w)
		stop()
		running.Wait()
	})
}

func (w *watched) write(text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// pass lets the file be looked at that often.
func (w *watched) pass(looks int) {
	time.Sleep(time.Duration(looks) * everySoOften) // in the bubble, where it takes no time
	synctest.Wait()
}

// says fails the test unless the policy in force is the one of the text.
func (w *watched) says(text string) {
	w.t.Helper()
	want, err := Parse("policy.yaml", []byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	p, err := w.live.Current(w.t.Context())
	if err != nil || p.SHA256 != want.SHA256 || w.live.Written().SHA256 != want.SHA256 {
		w.t.Errorf("in force is %s, and as written %s (%v), want %s", p.SHA256, w.live.Written().SHA256, err, want.SHA256)
	}
	if team, ok := p.Team("Platform"); !ok || team.ID != "PPLATFM" {
		w.t.Errorf("its teams are not resolved: %+v", p.Teams)
	}
}

const grown = head + "protected: [breakglass@acme.test]\n"

func TestAChangedFileComesIntoForceOnceItStandsStill(t *testing.T) {
	t.Parallel()
	watch(t, func(w *watched) {
		w.says(head)
		w.write(grown[:len(head)+11]) // an editor is half way
		w.pass(1)
		w.write(grown)
		w.pass(1)
		w.says(head)
		w.pass(1)
		w.says(grown)
		if n := len(w.shop.lines); n != 2 {
			w.t.Errorf("got %d lines on record, want that two came into force: %v", n, w.shop.lines)
		}
	})
}

func TestWhoAsksNeedNotWait(t *testing.T) {
	t.Parallel()
	watch(t, func(w *watched) {
		w.write(grown)
		w.now <- os.Interrupt
		synctest.Wait()
		w.says(grown)
	})
}

func TestAFileThatIsNoPolicyIsRefusedOnce(t *testing.T) {
	t.Parallel()
	watch(t, func(w *watched) {
		w.write(head + "rulez: []\n")
		w.pass(10)
		w.says(head)
		if n := len(w.shop.lines); n != 2 || w.shop.lines[1] != lifecycle.EventPolicyRefused {
			w.t.Errorf("got %v on record, want one refusal", w.shop.lines)
		}
		w.write(grown)
		w.pass(2)
		w.says(grown)
	})
}

func TestAFileThatIsGoneLeavesThePolicyInForce(t *testing.T) {
	t.Parallel()
	watch(t, func(w *watched) {
		if err := os.Remove(w.path); err != nil {
			w.t.Fatal(err)
		}
		w.pass(10)
		w.says(head)
		if n := strings.Count(w.log.String(), "level=ERROR"); n != 1 {
			w.t.Errorf("got %d errors logged, want one: %s", n, w.log)
		}
		w.write(grown)
		w.pass(2)
		w.says(grown)
	})
}

func TestWhatAnotherReplicaPutInForceIsAdopted(t *testing.T) {
	t.Parallel()
	watch(t, func(w *watched) {
		p, err := Parse("policy.yaml", []byte(grown))
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.shop.EnforcePolicy(w.t.Context(), lifecycle.PolicyText{SHA256: p.SHA256, Text: grown}, lifecycle.AuditEvent{Kind: lifecycle.EventPolicyLoaded}); err != nil {
			w.t.Fatal(err)
		}
		w.pass(3)
		w.says(grown) // although the file here still says what was in force before
		if n := len(w.shop.lines); n != 2 {
			w.t.Errorf("got %v on record: the file was offered again", w.shop.lines)
		}
		if n := strings.Count(w.log.String(), "says something else than the policy in force"); n != 1 {
			w.t.Errorf("told %d times that the file here is not what is in force:\n%s", n, w.log)
		}
	})
}

func TestAStoreThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	t.Parallel()
	watch(t, func(w *watched) {
		w.shop.mu.Lock()
		w.shop.down = errors.New("disk full")
		w.shop.mu.Unlock()
		w.write(grown)
		w.pass(5)
		w.says(head)
		w.shop.mu.Lock()
		w.shop.down = nil
		w.shop.mu.Unlock()
		w.pass(1)
		w.says(grown)
	})
}

func TestAReaderSaysTheFirstMistakes(t *testing.T) {
	t.Parallel()
	_, err := Reader("policy.yaml")(head + strings.Repeat("x: 1\n", 7))
	reason := lifecycle.ReasonOf(err)
	if !errors.Is(err, lifecycle.ErrInvalid) || !strings.HasPrefix(reason, "policy.yaml:5:1: x: unknown key") || !strings.HasSuffix(reason, "; and 2 more, which rolecall policy check says") {
		t.Errorf("got %v, and to people it says %q", err, reason)
	}
	if ms, ok := errors.AsType[Mistakes](err); !ok || len(ms) != 7 {
		t.Errorf("got %d mistakes, want all of them beneath", len(ms))
	}
	if p, err := Reader("policy.yaml")(head); err != nil || len(p.Teams) != 2 {
		t.Errorf("got %v, want the policy", err)
	}
}
