package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// ledger is what the bot and the domain remember, for one test.
type ledger struct {
	lifecycle.HouseReader // nothing here asks how the house stands

	mu         sync.Mutex
	policy     lifecycle.Policy
	requests   map[lifecycle.RequestID]lifecycle.Request
	identities []lifecycle.Identity
	messages   []lifecycle.Message
	found      []lifecycle.Finding
	exceptions []lifecycle.Exception
	accounts   []lifecycle.Account
	tallies    []lifecycle.Tally
	digests    map[string]time.Time
	cases      map[lifecycle.CaseID]lifecycle.Case
	holds      map[lifecycle.HoldID]lifecycle.Hold
	removals   map[lifecycle.HoldID][]lifecycle.Removal
	sources    []lifecycle.Source
	absences   []lifecycle.Absence
	events     []lifecycle.AuditEvent
	jobs       []lifecycle.Job
	before     func(op string) error // fails an operation, or changes something behind its back
}

func newLedger() *ledger {
	l := &ledger{
		policy: testPolicy(), requests: map[lifecycle.RequestID]lifecycle.Request{}, digests: map[string]time.Time{},
		cases: map[lifecycle.CaseID]lifecycle.Case{}, holds: map[lifecycle.HoldID]lifecycle.Hold{}, removals: map[lifecycle.HoldID][]lifecycle.Removal{},
	}
	for _, name := range []string{"marco", "ines", "omar", "priya", "lee", "ben", "mina"} {
		l.identities = append(l.identities, lifecycle.Identity{
			ID: lifecycle.IdentityID("idn_" + name), Revision: 1, Keys: map[string]string{"okta": name},
			Person: lifecycle.Person{EmployeeID: name, Status: lifecycle.StatusActive, Emails: []string{name + "@acme.test"}, Name: name},
		})
	}
	return l
}

// op runs the hook, then f under the lock.
func (l *ledger) op(name string, f func() error) error {
	l.mu.Lock()
	before := l.before
	l.mu.Unlock()
	if before != nil {
		if err := before(name); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return f()
}

func (l *ledger) write(e lifecycle.AuditEvent, next []lifecycle.Job) {
	l.events = append(l.events, e)
	l.jobs = append(l.jobs, next...)
}

func (l *ledger) Current(context.Context) (lifecycle.Policy, error) { return l.policy, nil }

func (l *ledger) Record(_ context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return l.op("record", func() error { l.write(e, next); return nil })
}

func (l *ledger) Request(_ context.Context, id lifecycle.RequestID) (r lifecycle.Request, err error) {
	err = l.op("request", func() error {
		var ok bool
		if r, ok = l.requests[id]; !ok {
			return lifecycle.ErrNotFound
		}
		return nil
	})
	return r, err
}

func (l *ledger) SaveRequest(_ context.Context, r lifecycle.Request, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return l.op("save request", func() error { l.requests[r.ID] = r; l.write(e, next); return nil })
}

func (l *ledger) KeepFinding(ctx context.Context, r lifecycle.Request, x lifecycle.Exception, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return errors.Join(l.SaveRequest(ctx, r, e, next...), l.op("keep", func() error { l.exceptions = append(l.exceptions, x); return nil }))
}

func (l *ledger) IdentitiesByEmail(_ context.Context, email string) (hits []lifecycle.Identity, err error) {
	err = l.op("identities", func() error {
		for _, i := range l.identities {
			if i.Person.Email() == email {
				hits = append(hits, i)
			}
		}
		return nil
	})
	return hits, err
}

func (l *ledger) TeamManagers(context.Context, lifecycle.TeamID) ([]lifecycle.Account, error) {
	return nil, nil
}

func (l *ledger) Absences(_ context.Context, at time.Time) ([]lifecycle.Absence, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.absences), func(a lifecycle.Absence) bool { return !a.At(at) }), nil
}

func (l *ledger) IdentityBySlack(context.Context, lifecycle.SlackID) (lifecycle.Identity, error) {
	return lifecycle.Identity{}, lifecycle.ErrNotFound
}

func (l *ledger) Identity(_ context.Context, id lifecycle.IdentityID) (lifecycle.Identity, error) {
	return l.identity(func(i lifecycle.Identity) bool { return i.ID == id })
}

func (l *ledger) IdentityByKey(_ context.Context, source, key string) (lifecycle.Identity, error) {
	return l.identity(func(i lifecycle.Identity) bool { return key != "" && i.Keys[source] == key })
}

func (l *ledger) identity(is func(lifecycle.Identity) bool) (i lifecycle.Identity, err error) {
	err = l.op("identity", func() error {
		k := slices.IndexFunc(l.identities, is)
		if k < 0 {
			return lifecycle.ErrNotFound
		}
		i = l.identities[k]
		return nil
	})
	return i, err
}

func (l *ledger) SaveIdentity(_ context.Context, _ lifecycle.Identity, _ *lifecycle.Notice, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return l.op("save identity", func() error { l.write(e, next); return nil })
}

func (l *ledger) Message(_ context.Context, key string) (m lifecycle.Message, err error) {
	err = l.op("message", func() error {
		k := slices.IndexFunc(l.messages, func(m lifecycle.Message) bool { return m.Key == key })
		if k < 0 {
			return lifecycle.ErrNotFound
		}
		m = l.messages[k]
		return nil
	})
	return m, err
}

func (l *ledger) Messages(_ context.Context, id lifecycle.RequestID) (ms []lifecycle.Message, err error) {
	err = l.op("messages", func() error {
		for _, m := range l.messages {
			if m.Request == id {
				ms = append(ms, m)
			}
		}
		return nil
	})
	return ms, err
}

func (l *ledger) Original(context.Context, lifecycle.ChangeID) (lifecycle.Original, error) {
	return lifecycle.Original{}, lifecycle.ErrNotFound
}

func (l *ledger) SaveMessage(_ context.Context, m lifecycle.Message, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return l.op("save message", func() error {
		l.write(e, next)
		if k := slices.IndexFunc(l.messages, func(was lifecycle.Message) bool { return was.Key == m.Key }); k >= 0 {
			l.messages[k] = m
			return nil
		}
		l.messages = append(l.messages, m)
		return nil
	})
}

func (l *ledger) Requests(_ context.Context, f lifecycle.RequestFilter) (rs []lifecycle.Request, err error) {
	err = l.op("requests", func() error {
		for _, r := range l.requests {
			if (len(f.States) == 0 || slices.Contains(f.States, r.State)) && !r.UpdatedAt.Before(f.Since) {
				rs = append(rs, r)
			}
		}
		slices.SortFunc(rs, func(a, b lifecycle.Request) int { return strings.Compare(string(a.ID), string(b.ID)) })
		return nil
	})
	return rs, err
}

func (l *ledger) Findings(context.Context, time.Time) ([]lifecycle.Finding, []lifecycle.Exception, error) {
	return slices.Clone(l.found), slices.Clone(l.exceptions), nil
}

func (l *ledger) Baseline(context.Context) ([]lifecycle.Account, error) { return l.accounts, nil }

func (l *ledger) LastRollCall(context.Context) (time.Time, error) { return noon, nil }

func (l *ledger) LastDigest(_ context.Context, email string) (at time.Time, err error) {
	err = l.op("last digest", func() error { at = l.digests[email]; return nil })
	return at, err
}

func (l *ledger) SaveDigest(_ context.Context, email string, at time.Time, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return l.op("save digest", func() error { l.digests[email] = at; l.write(e, next); return nil })
}

func (l *ledger) put(r lifecycle.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests[r.ID] = r
}

func (l *ledger) hook(f func(op string) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before = f
}

// count returns how many lines of the trail are of the kind.
func (l *ledger) count(kind lifecycle.EventKind) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, e := range l.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// desk is a workspace with its people, and what the bot needs to speak there.
type desk struct {
	*slacktest.Workspace
	store *ledger
	cfg   Config
	mu    sync.Mutex
	now   time.Time
}

// unpaced lets everything through at once: pace_test.go holds the pace.
func unpaced() pacing { return pacing{channel: rate.Inf, channelBurst: 1} }

type everyDay struct{}

func (everyDay) Next(t time.Time) time.Time { return t.Add(24 * time.Hour) }

func newDesk(t testing.TB, adjust ...func(*slacktest.Config)) *desk {
	t.Helper()
	d := &desk{store: newLedger(), now: noon}
	sc := slacktest.Config{Now: d.Now, NoRateLimits: true}
	for _, f := range adjust {
		f(&sc)
	}
	d.Workspace = slacktest.New(sc)
	base, err := d.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	d.populate()
	d.cfg = d.config(d.Now, base, &http.Client{Timeout: 5 * time.Second})
	return d
}

// reviews decide what stands in the ledger.
func (d *desk) reviews(now func() time.Time) *Reviewer {
	return &Reviewer{Now: now, Found: func() []lifecycle.Finding { return slices.Clone(d.store.found) }, Put: func(r lifecycle.Request) {
		d.store.put(r)
		d.store.mu.Lock()
		defer d.store.mu.Unlock()
		for i, f := range d.store.found {
			if f.ID == r.Why.Find {
				d.store.found[i].Request = r.ID
			}
		}
	}}
}

// config is what the bot needs to speak in the workspace at base.
func (d *desk) config(now func() time.Time, base string, client *http.Client) Config {
	approvals := lifecycle.NewApprovals(d.store, d.store, now)
	directory := lifecycle.NewDirectory(d.store, d.store, now)
	inquiries := lifecycle.NewDesk(d.store, approvals, d.store, now)
	return Config{
		Secrets: Secrets{BotToken: d.Config().BotToken}, APIURL: base + "/api/", Client: client,
		Approvals: approvals, Directory: directory, Desk: inquiries, Policies: d.store, Tallies: d.store, Store: d.store, Matcher: asker{l: d.store}, Brakes: stopper{l: d.store}, Absences: nobodyAway{}, Groups: noGroups{}, Reviews: d.reviews(now),
		Digests: lifecycle.NewDigests(d.store, inquiries, directory, d.store, everyDay{}, now),
		Mode:    lifecycle.Enforce, Location: time.UTC, Now: now, Log: slog.New(slog.DiscardHandler),
	}
}

func (d *desk) populate() {
	us := d.Config().BotUserID
	for _, name := range []string{"marco", "ines", "omar", "priya", "lee", "ben", "mina"} {
		d.AddUser(slacktest.User{ID: "U0" + strings.ToUpper(name), Name: name, Email: name + "@acme.test"})
	}
	d.AddChannel(slacktest.Channel{ID: "C0PAYMENTS", Name: "payments", Members: []string{us, "U0MARCO", "U0INES"}})
	d.AddChannel(slacktest.Channel{ID: "C0PLATFORM", Name: "platform", Members: []string{us, "U0OMAR"}})
	d.AddChannel(slacktest.Channel{ID: "C0SECURITY", Name: "security", Members: []string{us, "U0PRIYA", "U0LEE"}})
}

func (d *desk) Now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) forward(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(by)
}

// out returns an outbound as after a start: it remembers nothing.
func (d *desk) out(t testing.TB) *outbound {
	t.Helper()
	box, err := newPacedOutbox(d.cfg, unpaced())
	if err != nil {
		t.Fatal(err)
	}
	return newOutbound(d.cfg, box)
}

func (d *desk) show(t testing.TB, o *outbound, r lifecycle.Request) {
	t.Helper()
	d.store.put(r)
	if err := o.show(t.Context(), lifecycle.Attempt{Ref: string(r.ID)}); err != nil {
		t.Fatal(err)
	}
}

// dm returns what stands in the direct message with somebody, threads included.
func (d *desk) dm(user string) []slacktest.Message {
	var all []slacktest.Message
	for _, m := range d.Messages(d.DirectMessage(user)) {
		all = append(all, d.Thread(m.Channel, m.TS)...)
	}
	return all
}

// texts returns what a list of messages says, push and blocks.
func texts(ms []slacktest.Message) string {
	var all []string
	for _, m := range ms {
		all = append(all, m.Text, slacktest.PlainText(m.Blocks))
	}
	return strings.Join(all, "\n")
}

// clean fails the test for anything that Slack would have refused.
func (d *desk) clean(t testing.TB) {
	t.Helper()
	for _, v := range d.Violations() {
		t.Errorf("Slack refused %s: %s %v", v.Method, v.Code, v.Detail)
	}
}

// settle repeats a step as the queue would, until it succeeds.
func (d *desk) settle(t testing.TB, step func() error) {
	t.Helper()
	var err error
	for range 6 {
		if err = step(); err == nil {
			return
		}
		d.forward(otherTime)
	}
	t.Fatalf("the step never succeeded: %v", err)
}

func wants(t testing.TB, got string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(got, w) {
			t.Errorf("missing %q in:\n%s", w, got)
		}
	}
}

func sameCount(t testing.TB, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %d, want %d", what, got, want)
	}
}

var errCrash = errors.New("the process died")

// dieAt makes every operation from the nth on fail, as if the process had died there.
func dieAt(n int) (hook func(op string) error, died func() bool) {
	var mu sync.Mutex
	seen := 0
	return func(op string) error {
			mu.Lock()
			defer mu.Unlock()
			if seen++; seen >= n {
				return fmt.Errorf("%s: %w", op, errCrash)
			}
			return nil
		}, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return seen >= n
		}
}

func asJobError(err error) (*lifecycle.JobError, bool) {
	return errors.AsType[*lifecycle.JobError](err)
}

// roundTrip is a transport of a client.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// noGroups is a policy that names no group.
type noGroups struct{ Groups }

func (noGroups) Named(context.Context) ([]lifecycle.GroupID, error) { return nil, nil }

// nobodyAway is a house in which everybody is there.
type nobodyAway struct{ Absences }

func (nobodyAway) Of(context.Context, lifecycle.IdentityID) ([]lifecycle.Absence, error) {
	return nil, nil
}

func (l *ledger) Tallies(context.Context, lifecycle.Date) ([]lifecycle.Tally, error) {
	return slices.Clone(l.tallies), nil
}
