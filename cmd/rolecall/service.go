package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"rolecall/bot"
	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

// settings are all that a running service needs, read and parsed.
type settings struct {
	database  string
	policy    string // path of the file
	mode      lifecycle.Mode
	location  *time.Location
	reconcile lifecycle.Schedule
	watch     lifecycle.Schedule // nil: no glances
	digest    lifecycle.Schedule
	slack     bot.Secrets
	slackURL  string
	replicas  int // that share the Slack app token
	pagerDuty pagerduty.Config
	doors     doors
	settle    time.Duration // how long a change that a source sends piece by piece is waited for
	looks     time.Duration // how often the policy file is looked at
	listen    string
	log       *slog.Logger
	committed func(lifecycle.EventKind) // told of every line of the trail; nil for nobody
}

// A service is the whole house, running.
type service struct {
	settings
	db       *storage.DB
	pd       *pagerduty.Client
	live     *policy.Live
	terms    *lifecycle.Terms // over live
	policies *lifecycle.PolicySwitch
	flows    flows
	bot      *bot.Bot
	intakes  intakes
	meter    *meter
	listener net.Listener
}

const (
	drainFor      = 10 * time.Second
	digestsEvery  = time.Minute
	silenceEvery  = 10 * time.Minute
	groupsEvery   = 10 * time.Minute
	slackDeadline = 15 * time.Second
)

// newService opens the database, brings it up to date, and builds the rings.
// Nothing runs yet; the listener is open, so that its address is known.
func newService(ctx context.Context, s settings) (_ *service, err error) {
	h := &service{settings: s, meter: newMeter()}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.db, err = openDatabase(ctx, s.database, storage.Serve, s.log, h.lineKept); err != nil {
		return nil, err
	}
	if err = h.db.Migrate(ctx); err != nil {
		return nil, fmt.Errorf("bring the database up to date: %w", err)
	}
	if h.pd, err = pagerduty.New(s.pagerDuty); err != nil {
		return nil, fmt.Errorf("set up PagerDuty: %w", err)
	}
	h.flows = newFlows(h.db, h.pd, h, s, time.Now)
	if err = h.takePolicy(ctx); err != nil {
		return nil, err
	}
	if h.bot, err = bot.New(h.botConfig()); err != nil {
		return nil, fmt.Errorf("set up Slack: %w", err)
	}
	if h.intakes, err = newIntakes(s, h.flows, h.db); err != nil {
		return nil, err
	}
	h.meter.watch(h.db)
	h.flows.work(h.db)
	for kind, handle := range h.bot.Handlers() {
		h.db.Handle(kind, handle)
	}
	h.db.Every("rollcall", s.reconcile, lifecycle.Job{Kind: lifecycle.JobRollCall, Ref: "schedule"}, true)
	if s.watch != nil {
		h.db.Every("glance", s.watch, lifecycle.Job{Kind: lifecycle.JobGlance, Ref: "schedule"}, false)
	}
	h.db.Every("digests", every(digestsEvery), lifecycle.Job{Kind: lifecycle.JobDigests}, true)
	h.db.Every("silence", every(silenceEvery), lifecycle.Job{Kind: lifecycle.JobSilence}, false)
	h.db.Every("groups", every(groupsEvery), lifecycle.Job{Kind: lifecycle.JobGroups}, true)
	h.intakes.work(h.db, s.doors)
	var lc net.ListenConfig
	if h.listener, err = lc.Listen(ctx, "tcp", s.listen); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return h, nil
}

func (h *service) lineKept(kind lifecycle.EventKind) {
	h.meter.events.WithLabelValues(string(kind)).Inc()
	if h.committed != nil {
		h.committed(kind)
	}
}

func (h *service) botConfig() bot.Config {
	return bot.Config{
		Secrets: h.slack, APIURL: h.slackURL, Client: &http.Client{Timeout: slackDeadline}, Replicas: h.replicas,
		Approvals: h.flows.approvals, Directory: h.flows.directory, Desk: h.flows.desk, Digests: h.flows.digests,
		Matcher: h.flows.matcher, Absences: h.flows.absences, Groups: h.flows.groups, Reviews: h.flows.reviews, Brakes: h.flows.brakes, Sources: h.flows.sources,
		Policies: h, Tallies: h.db, Planner: h.flows.planner, Store: h.db, RollCall: h.askRollCall,
		Mode: h.mode, Location: h.location, Now: time.Now, Log: h.log,
	}
}

// askRollCall puts a roll call in the queue in somebody's name.
func (h *service) askRollCall(ctx context.Context, by lifecycle.Actor) error {
	return h.db.Enqueue(ctx, lifecycle.Job{Kind: lifecycle.JobRollCall, Ref: string(by)})
}

// run runs the house until ctx ends, then lets what is under way finish.
func (h *service) run(ctx context.Context) error {
	if err := h.begin(ctx); err != nil {
		return err
	}
	server := &http.Server{
		Handler: h.routes(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelWarn),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return h.bot.Run(ctx) })
	g.Go(func() error { h.watchPolicy(ctx); return nil })
	g.Go(func() error {
		if err := server.Serve(h.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return h.end(context.WithoutCancel(ctx), server)
	})
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// begin takes up what was left, and starts the work.
func (h *service) begin(ctx context.Context) error {
	if err := h.record(ctx, lifecycle.EventServiceStarted); err != nil {
		return err
	}
	if err := h.resume(ctx); err != nil {
		return err
	}
	if err := h.db.Start(context.WithoutCancel(ctx)); err != nil { // end stops it, when what is under way has finished
		return fmt.Errorf("start work: %w", err)
	}
	h.log.InfoContext(ctx, "serving", slog.String("address", h.address()), slog.String("mode", string(h.mode)), slog.String("policy", h.live.Written().SHA256))
	return nil
}

// abandonedAfter is longer than any try at applying takes, and than it takes
// River to find out that whoever tried has died.
const abandonedAfter = 5 * time.Minute

// resume takes up every request that was left half applied: its last try could
// not even save that it failed, and no other follows.
func (h *service) resume(ctx context.Context) error {
	under, err := h.db.Requests(ctx, lifecycle.RequestFilter{States: []lifecycle.RequestState{lifecycle.Applying}})
	if err != nil {
		return fmt.Errorf("list requests under way: %w", err)
	}
	var jobs []lifecycle.Job
	for _, r := range under {
		if time.Since(r.UpdatedAt) > abandonedAfter {
			jobs = append(jobs, lifecycle.Job{Kind: lifecycle.JobApply, Ref: string(r.ID)})
		}
	}
	if err := h.db.Enqueue(ctx, jobs...); err != nil {
		return fmt.Errorf("take up requests under way: %w", err)
	}
	return nil
}

// end lets what is under way finish, for a while, and says so on the record.
func (h *service) end(ctx context.Context, server *http.Server) error {
	h.log.InfoContext(ctx, "stopping")
	ctx, cancel := context.WithTimeout(ctx, drainFor)
	defer cancel()
	err := errors.Join(server.Shutdown(ctx), h.db.Stop(ctx))
	h.intakes.flush(ctx)
	err = errors.Join(err, h.record(ctx, lifecycle.EventServiceStopped))
	h.log.InfoContext(ctx, "stopped")
	return err
}

func (h *service) record(ctx context.Context, kind lifecycle.EventKind) error {
	e := lifecycle.AuditEvent{At: time.Now(), Actor: lifecycle.System, Kind: kind, Ref: "service", Detail: map[string]string{
		"version": version().number, "revision": version().revision, "mode": string(h.mode), "policy": h.live.Written().SHA256,
	}}
	if err := h.db.Record(ctx, e); err != nil {
		return fmt.Errorf("record %s: %w", kind, err)
	}
	return nil
}

func (h *service) address() string { return h.listener.Addr().String() }

func (h *service) close() error {
	var err error
	if h.listener != nil {
		err = h.listener.Close()
	}
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if h.db != nil {
		err = errors.Join(err, h.db.Close())
	}
	return err
}

// every is a schedule that strikes at whole multiples of itself.
type every time.Duration

// Next returns the next stroke after t.
func (e every) Next(t time.Time) time.Time {
	return t.Truncate(time.Duration(e)).Add(time.Duration(e))
}
