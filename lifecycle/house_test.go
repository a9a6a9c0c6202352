package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// firstMorning is a migrated SQLite file that knows who the policy names, made
// once: every test begins with a copy.
var firstMorning = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "rolecall")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	path := filepath.Join(dir, "rolecall.db")
	p := rules()
	h := &house{clock: &clock{at: monday}, policy: &p}
	db, err := storage.Open(context.Background(), storage.Config{URL: path, Role: storage.Serve, Log: slog.New(slog.DiscardHandler), Now: h.now})
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(context.Background()); err != nil {
		return nil, err
	}
	admitted := lifecycle.NewDirectory(db, h, h.now).Admit(context.Background(), p)
	if err := errors.Join(admitted, db.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// house is every flow over a real store and a fake PagerDuty, with a queue that
// the test works by hand.
type house struct {
	*clock
	store  *store
	pager  *pager
	faults *faults
	policy *lifecycle.Policy
	mode   lifecycle.Mode
	alerts []string
	failed []error // of jobs that were given up
}

const tries = 12 // as the real queue's

func (h *house) Written() lifecycle.Policy { return *h.policy }

func (h *house) Current(context.Context) (lifecycle.Policy, error) { return *h.policy, nil }

// newHouse opens on a Monday morning, in enforce mode, with nobody in it.
func newHouse(t testing.TB) *house {
	t.Helper()
	first, err := firstMorning()
	must(t, err)
	return openHouse(t, first)
}

func openHouse(t testing.TB, file []byte) *house {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rolecall.db")
	must(t, os.WriteFile(path, file, 0o600))
	p := rules()
	p.Breaker = ordinary
	p.Leaver.DeleteAfter = 14 * 24 * time.Hour
	h := &house{clock: &clock{at: monday}, faults: &faults{}, policy: &p, mode: lifecycle.Enforce}
	db, err := storage.Open(t.Context(), storage.Config{URL: path, Role: storage.Command, Log: slog.New(slog.DiscardHandler), Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	h.store = &store{DB: db, faults: h.faults}
	h.pager = &pager{faults: h.faults, now: h.now, accounts: map[lifecycle.AccountID]lifecycle.Account{}, duties: map[lifecycle.AccountID][]lifecycle.Duty{}, sessions: map[lifecycle.AccountID]int{}, calendars: map[lifecycle.AccountID]string{}}
	h.pager.put(lifecycle.Account{ID: "POWNER", Email: "owner@acme.test", Name: "Owner", BaseRole: lifecycle.RoleOwner})
	return h
}

// still keeps the house as it is, and returns what opens another one like it.
func (h *house) still(t testing.TB) func() *house {
	t.Helper()
	path := filepath.Join(t.TempDir(), "still.db")
	must(t, h.store.Backup(t.Context(), path))
	file, err := os.ReadFile(path)
	must(t, err)
	return func() *house {
		is := openHouse(t, file)
		is.at, is.mode, *is.policy = h.now(), h.mode, *h.policy
		is.store.jobs, is.store.lines, is.store.events = slices.Clone(h.store.jobs), slices.Clone(h.store.lines), h.store.events
		is.pager.accounts, is.pager.duties = maps.Clone(h.pager.accounts), maps.Clone(h.pager.duties)
		is.pager.sessions, is.pager.calendars = maps.Clone(h.pager.sessions), maps.Clone(h.pager.calendars)
		is.pager.stand, is.pager.writes = slices.Clone(h.pager.stand), slices.Clone(h.pager.writes)
		return is
	}
}

// settle is how long what a source sends piece by piece is waited for.
const settle = time.Minute

func (h *house) matcher() *lifecycle.Matcher { return lifecycle.NewMatcher(h.store, h, h.now) }

func (h *house) inbox() *lifecycle.Inbox { return lifecycle.NewInbox(h.store, h.now) }

func (h *house) registrar() *lifecycle.Registrar {
	return lifecycle.NewRegistrar(h.store, h, settle, h.now)
}

func (h *house) approvals() *lifecycle.Approvals { return lifecycle.NewApprovals(h.store, h, h.now) }

// terms is the policy with what runs for a time.
func (h *house) terms() *lifecycle.Terms { return lifecycle.NewTerms(h, h.store, h.now) }

func (h *house) absences() *lifecycle.Absences { return lifecycle.NewAbsences(h.store, h, h.now) }

func (h *house) directory() *lifecycle.Directory { return lifecycle.NewDirectory(h.store, h, h.now) }

func (h *house) keeper() *lifecycle.Timekeeper { return lifecycle.NewTimekeeper(h.store, h, h.now) }

func (h *house) rollCall() *lifecycle.RollCall {
	return lifecycle.NewRollCall(h.store, h.pager, h.terms(), h.now)
}

func (h *house) lastMile() *lifecycle.LastMile {
	return lifecycle.NewLastMile(h.store, h.pager, h.mode, h.now)
}

func (h *house) desk() *lifecycle.Desk { return lifecycle.NewDesk(h.store, h.approvals(), h, h.now) }

func (h *house) planner() *lifecycle.Planner {
	return lifecycle.NewPlanner(h.store, h.store, h.pager, h.terms(), h.brakes(), h.mode, h.now)
}

func (h *house) brakes() *lifecycle.Brakes { return lifecycle.NewBrakes(h.store, h, h.now) }

func (h *house) sources() *lifecycle.Sources { return lifecycle.NewSources(h.store, h, h.now) }

func (h *house) snapshots() *lifecycle.Snapshots {
	return lifecycle.NewSnapshots(h.store, h.inbox(), h.sources(), h.now)
}

func (h *house) provisioner() *lifecycle.Provisioner {
	return lifecycle.NewProvisioner(h.store, h.store, h.pager, h.mode, h.now)
}

// take takes one step, as the queue would.
func (h *house) take(ctx context.Context, j lifecycle.Job, last bool) error {
	switch j.Kind {
	case lifecycle.JobRegister:
		return h.registrar().Register(ctx, lifecycle.NoticeID(j.Ref))
	case lifecycle.JobPlan:
		return h.planner().Plan(ctx, lifecycle.NoticeID(j.Ref))
	case lifecycle.JobAsk:
		return h.planner().Ask(ctx, lifecycle.FindingID(j.Ref))
	case lifecycle.JobReplan:
		return h.planner().Replan(ctx, lifecycle.RequestID(j.Ref))
	case lifecycle.JobApply:
		return h.provisioner().Apply(ctx, lifecycle.RequestID(j.Ref), last)
	case lifecycle.JobStop:
		return h.planner().Stop(ctx, lifecycle.RequestID(j.Ref))
	case lifecycle.JobEnd:
		return h.planner().End(ctx, lifecycle.RequestID(j.Ref))
	case lifecycle.JobReroute:
		return h.absences().Reroute(ctx, lifecycle.AbsenceID(j.Ref))
	case lifecycle.JobEscalate:
		return h.keeper().Escalate(ctx, lifecycle.RequestID(j.Ref))
	case lifecycle.JobExpire:
		return h.keeper().Expire(ctx, lifecycle.RequestID(j.Ref))
	case lifecycle.JobFollow:
		return h.lastMile().Follow(ctx, lifecycle.RequestID(j.Ref))
	case lifecycle.JobGlance:
		_, err := h.rollCall().Glance(ctx, lifecycle.Actor(j.Ref))
		return err
	case lifecycle.JobRelease:
		return h.brakes().Take(ctx, lifecycle.HoldID(j.Ref))
	case lifecycle.JobAlert:
		if !slices.Contains(h.alerts, j.Ref) { // a sentence is told once
			h.alerts = append(h.alerts, j.Ref)
		}
		return nil
	case lifecycle.JobAnswer:
		return h.matcher().Take(ctx, lifecycle.CaseID(j.Ref))
	case lifecycle.JobCase, lifecycle.JobShow, lifecycle.JobRemind, lifecycle.JobDigests, lifecycle.JobRollCall, lifecycle.JobHold, lifecycle.JobEnding: // other rooms'
		return nil
	default:
		return fmt.Errorf("nobody takes %s", j.Kind)
	}
}

// work takes every step that is due, and what follows from it, as the queue
// does: what fails is tried again at once, what asks to wait waits.
func (h *house) work(t testing.TB) {
	t.Helper()
	for {
		j, ok := h.store.due(h.now())
		if !ok {
			return
		}
		for try := 1; ; try++ {
			err := h.take(t.Context(), j, try == tries)
			told, isJobError := errors.AsType[*lifecycle.JobError](err)
			if isJobError && told.RetryAfter > 0 {
				h.store.enqueue(lifecycle.Job{Kind: j.Kind, Ref: j.Ref, At: h.now().Add(told.RetryAfter)})
				break
			}
			if err == nil {
				break
			}
			if try == tries || isJobError && told.Permanent || errors.Is(err, lifecycle.ErrNotFound) {
				h.failed = append(h.failed, fmt.Errorf("%s %s: %w", j.Kind, j.Ref, err))
				break
			}
		}
	}
}

// until takes every step that is due before one of the kind, which is left.
func (h *house) until(t testing.TB, kind lifecycle.JobKind) {
	t.Helper()
	for {
		j, ok := h.store.due(h.now())
		if !ok || j.Kind == kind {
			return
		}
		must(t, h.take(t.Context(), j, false))
	}
}

// later lets time pass, and works what falls due.
func (h *house) later(t testing.TB, d time.Duration) {
	t.Helper()
	h.pass(d)
	h.work(t)
}

// hear receives what hr says now of somebody, and works what follows.
func (h *house) hear(t testing.TB, p lifecycle.Person) lifecycle.NoticeID {
	t.Helper()
	id := h.receive(t, "hr", p, h.now(), time.Time{})
	h.work(t)
	return id
}

func (h *house) receive(t testing.TB, source string, p lifecycle.Person, observed, effective time.Time) lifecycle.NoticeID {
	t.Helper()
	h.store.mu.Lock()
	h.store.events++
	event := fmt.Sprintf("evt_%d", h.store.events)
	h.store.mu.Unlock()
	id, _, err := h.inbox().Receive(t.Context(), lifecycle.Fact{Source: source, EventID: event, Person: p, ObservedAt: observed, EffectiveAt: effective, SHA256: "00"})
	must(t, err)
	return id
}

// who returns the one identity with the address.
func (h *house) who(t testing.TB, name string) lifecycle.Identity {
	t.Helper()
	i, err := h.directory().Find(t.Context(), name+"@acme.test")
	must(t, err)
	return i
}

// press decides as that person.
func (h *house) press(t testing.TB, r lifecycle.Request, name string, v lifecycle.Verdict, reason string) (lifecycle.Request, error) {
	t.Helper()
	return h.approvals().Decide(t.Context(), lifecycle.Press{Request: r.ID, Seen: r.Revision, By: h.who(t, name), Verdict: v, Reason: reason, Via: lifecycle.ViaSlack})
}

// approve decides as that person and works what follows; it must count.
func (h *house) approve(t testing.TB, r lifecycle.Request, name string) lifecycle.Request {
	t.Helper()
	_, err := h.press(t, r, name, lifecycle.Approve, "as agreed")
	must(t, err)
	h.work(t)
	return h.request(t, r.ID)
}

func (h *house) request(t testing.TB, id lifecycle.RequestID) lifecycle.Request {
	t.Helper()
	r, err := h.store.Request(t.Context(), id)
	must(t, err)
	return r
}

// requests returns every request there is, oldest first.
func (h *house) requests(t testing.TB, states ...lifecycle.RequestState) []lifecycle.Request {
	t.Helper()
	rs, err := h.store.Requests(t.Context(), lifecycle.RequestFilter{States: states})
	must(t, err)
	return rs
}

// only returns the one request in that state.
func (h *house) only(t testing.TB, state lifecycle.RequestState) lifecycle.Request {
	t.Helper()
	rs := h.requests(t, state)
	if len(rs) != 1 {
		t.Fatalf("got %d requests that are %s, want one: %s", len(rs), state, h.story(t))
	}
	return rs[0]
}

// story says every request in a line, sorted.
func (h *house) story(t testing.TB) []string {
	t.Helper()
	var lines []string
	for _, r := range h.requests(t) {
		lines = append(lines, fmt.Sprintf("%s %s %s", r.Kind, r.State, say(r.Changes)))
	}
	slices.Sort(lines)
	return lines
}

// call calls the roll and works what follows.
func (h *house) call(t testing.TB) lifecycle.RollResult {
	t.Helper()
	result, err := h.rollCall().Run(t.Context(), lifecycle.System)
	must(t, err)
	h.work(t)
	return result
}

// trail returns how many lines of the kind there are.
func (h *house) trail(kind lifecycle.EventKind) int {
	h.store.mu.Lock()
	defer h.store.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(h.store.lines), func(e lifecycle.AuditEvent) bool { return e.Kind != kind }))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// known makes somebody known as hr has had them for long, with nothing left to do.
func (h *house) known(t testing.TB, p lifecycle.Person) lifecycle.Identity {
	t.Helper()
	i := lifecycle.Identity{ID: lifecycle.NewIdentityID(), Revision: 1, Keys: map[string]string{"hr": p.EmployeeID}, Person: p, Observed: h.now().Add(-720 * time.Hour)}
	must(t, h.store.SaveIdentity(t.Context(), i, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(i.ID)}))
	return i
}

// drain withdraws whatever is being asked, so that what follows stands alone.
func (h *house) drain(t testing.TB) {
	t.Helper()
	for _, r := range h.requests(t, lifecycle.Pending) {
		is, err := r.Withdraw("not of this test", h.now())
		must(t, err)
		must(t, h.store.SaveRequest(t.Context(), is, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventRequestWithdrawn, Ref: string(r.ID)}))
	}
}

var equateEmpty = cmpopts.EquateEmpty()
