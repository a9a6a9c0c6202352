package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
	"rolecall/lifecycle/policy"
	"rolecall/storage"
)

// leaverHouse is a team on call in the strict fake of PagerDuty, over HTTP, and
// the flows over a database. Its people decide without Slack.
type leaverHouse struct {
	t      *testing.T
	pd     *pagerdutytest.Account
	db     *storage.DB
	where  string
	flows  flows
	rules  lifecycle.Policy
	anchor time.Time         // what the schedules are counted from
	ids    map[string]string // PagerDuty's, by first name
	mu     sync.Mutex
	alerts []string // what Security was told
}

const leaverPolicy = `version: 1
defaults: {hold: 3s} # of a deletion: what was handed over has passed by then
domains: [acme.test]
security: {channel: C0SECURITY, members: [priya@acme.test]}
protected: [rolecall@acme.test]
teams: [{name: Payments, pagerduty: PPAY, owners: [marco@acme.test], channel: C0PAYMENTS}]
rules:
  - name: payments
    when: {department: [Payments]}
    grant: {base_role: limited_user, teams: [{team: Payments, role: responder}]}
leaver: {contain: auto, delete_after: %s}
`

// newLeaverHouse opens the house over a database, "" for a new SQLite file.
func newLeaverHouse(t *testing.T, database, deleteAfter string) *leaverHouse {
	t.Helper()
	h := &leaverHouse{t: t, where: database, anchor: time.Now().UTC().Truncate(24 * time.Hour), ids: map[string]string{}, pd: pagerdutytest.New(pagerdutytest.Config{Token: demoToken})}
	if h.where == "" {
		h.where = filepath.Join(t.TempDir(), "rolecall.db")
	}
	h.populate()
	h.putOnCall()
	url, err := h.pd.Start()
	h.must(err)
	h.rules, err = policy.Parse("policy.yaml", fmt.Appendf(nil, leaverPolicy, deleteAfter))
	h.must(err)
	h.db, err = openDatabase(t.Context(), h.where, storage.Serve, quiet(), nil)
	h.must(err)
	h.must(h.db.Migrate(t.Context()))
	client, err := pagerduty.New(pagerduty.Config{
		Token: func() (string, error) { return demoToken, nil }, APIURL: url, From: "rolecall@acme.test", Now: time.Now, Log: quiet(),
		Backoff: time.Millisecond, Settle: 50 * time.Millisecond, Patience: 2 * time.Second, Timeout: 5 * time.Second, Lead: slowness * 2 * time.Second,
	})
	h.must(err)
	h.flows = newFlows(h.db, client, policy.NewLive(h.rules, client.Teams), settings{mode: lifecycle.Enforce, digest: every(24 * time.Hour)}, time.Now)
	h.work()
	h.must(h.flows.directory.Admit(t.Context(), h.rules))
	h.must(h.db.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() {
		if err := errors.Join(h.db.Stop(context.WithoutCancel(t.Context())), h.db.Close(), h.pd.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *leaverHouse) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// work has the steps taken; of those that Slack would take, alerts are kept.
func (h *leaverHouse) work() {
	h.flows.work(h.db)
	nothing := func(context.Context, lifecycle.Attempt) error { return nil }
	for _, kind := range []lifecycle.JobKind{lifecycle.JobShow, lifecycle.JobRemind, lifecycle.JobDigests, lifecycle.JobCase, lifecycle.JobHold, lifecycle.JobEnding, lifecycle.JobGroups, lifecycle.JobResync} {
		h.db.Handle(kind, nothing)
	}
	h.db.Handle(lifecycle.JobAlert, func(_ context.Context, a lifecycle.Attempt) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if !slices.Contains(h.alerts, a.Ref) { // the bot tells the same once
			h.alerts = append(h.alerts, a.Ref)
		}
		return nil
	})
}

func (h *leaverHouse) alarmed(words string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.alerts, func(a string) bool { return strings.Contains(a, words) })
}

func (h *leaverHouse) populate() {
	h.pd.AddUser(pagerdutytest.User{Name: "Owner", Email: "owner@acme.test", Role: pagerdutytest.Owner})
	h.pd.AddUser(pagerdutytest.User{Name: "rolecall", Email: "rolecall@acme.test", Role: pagerdutytest.Admin})
	h.pd.AddUser(pagerdutytest.User{Name: "Sam Ito", Email: "sam@acme.test", Role: pagerdutytest.Admin})
	h.pd.AddTeam(pagerdutytest.Team{ID: "PPAY", Name: "Payments"})
	for _, name := range []string{"Ana", "Ben", "Cho", "Dan"} {
		u := h.pd.AddUser(pagerdutytest.User{Name: name, Email: strings.ToLower(name) + "@acme.test"})
		h.ids[name] = u.ID
		h.pd.AddMember("PPAY", u.ID, "responder")
		h.pd.AddContactMethod(u.ID, pagerdutytest.ContactMethod{Type: "phone_contact_method", Label: "Mobile", Address: "5550100", CountryCode: 1})
	}
	h.pd.AddSession(h.ids["Ana"], "web")
	h.pd.AddSession(h.ids["Ana"], "mobile")
}

// putOnCall makes Ana the only one at a level, one of two at another, and gives
// her a seat in a schedule of either kind, an override in one, and an incident.
func (h *leaverHouse) putOnCall() {
	ana, ben, cho, dan := h.ids["Ana"], h.ids["Ben"], h.ids["Cho"], h.ids["Dan"]
	team, start := []string{"PPAY"}, h.anchor.AddDate(0, 0, -3)
	layers := h.pd.AddSchedule(pagerdutytest.Schedule{
		ID: "PLAYERS", Name: "Nights", TeamIDs: team,
		Layers: []pagerdutytest.Layer{
			{Name: "Base", Turn: 24 * time.Hour, Start: start, UserIDs: []string{ben, ana, cho}},
			{Name: "Weekends", Turn: 7 * 24 * time.Hour, Start: start, UserIDs: []string{ana, dan}, Restrictions: []pagerdutytest.Restriction{{Weekday: 6, From: 8 * time.Hour, Length: 12 * time.Hour}}},
		},
		Overrides: []pagerdutytest.Override{{UserID: ana, Start: h.anchor.AddDate(0, 0, 5), End: h.anchor.AddDate(0, 0, 5).Add(6 * time.Hour)}},
	})
	shifts := h.pd.AddShiftSchedule(pagerdutytest.ShiftSchedule{
		ID: "PSHIFTS", Name: "Days", TeamIDs: team,
		Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{{Name: "Weekly", Start: start, End: start.AddDate(0, 0, 7), Members: []string{ana, cho, dan}}}}},
	})
	user, rule := pagerdutytest.UserTarget, func(targets ...pagerdutytest.Target) pagerdutytest.Rule {
		return pagerdutytest.Rule{DelayMinutes: 10, Targets: targets}
	}
	crit := h.pd.AddEscalationPolicy(pagerdutytest.EscalationPolicy{ID: "PCRIT", Name: "Crit", TeamIDs: team, NumLoops: 3, Description: "Pages first", Rules: []pagerdutytest.Rule{
		rule(pagerdutytest.ScheduleTarget(layers.ID)), rule(user(ana)), rule(user(ana), user(ben)),
	}})
	h.pd.AddEscalationPolicy(pagerdutytest.EscalationPolicy{ID: "PLOW", Name: "Low", TeamIDs: team, Rules: []pagerdutytest.Rule{rule(pagerdutytest.ShiftScheduleTarget(shifts.ID)), rule(user(cho))}})
	service := h.pd.AddService(pagerdutytest.Service{Name: "Checkout", EscalationPolicyID: crit.ID})
	h.pd.AddIncident(pagerdutytest.Incident{Title: "Checkout is down", ServiceID: service.ID, EscalationPolicyID: crit.ID, AssigneeIDs: []string{ana}, TeamIDs: team})
}

// ana is as HR knows her.
func ana(status lifecycle.Status) lifecycle.Person {
	return lifecycle.Person{EmployeeID: "E1", Status: status, Emails: []string{"ana@acme.test"}, Name: "Ana Ito", Department: "Payments", Title: "SRE"}
}

// hears takes in what HR says of Ana.
func (h *leaverHouse) hears(status lifecycle.Status) {
	h.t.Helper()
	now := time.Now()
	f := lifecycle.Fact{Source: "hr/acme", EventID: fmt.Sprintf("%s %d", status, now.UnixNano()), Person: ana(status), ObservedAt: now, ReceivedAt: now, SHA256: strings.Repeat("0", 64)}
	_, _, err := h.flows.inbox.Receive(h.t.Context(), f)
	h.must(err)
}

// employed makes Ana known, and returns once she is as policy wants her.
func (h *leaverHouse) employed() {
	h.t.Helper()
	h.hears(lifecycle.StatusActive)
	h.must(h.db.Idle(h.t.Context()))
}

func (h *leaverHouse) requests() []lifecycle.Request {
	h.t.Helper()
	all, err := h.db.Requests(h.t.Context(), lifecycle.RequestFilter{})
	h.must(err)
	return all
}

// await returns the newest request that is as wanted, once there is one.
func (h *leaverHouse) await(what string, is func(lifecycle.Request) bool) lifecycle.Request {
	h.t.Helper()
	var found lifecycle.Request
	h.until(what, func() bool {
		for _, r := range slices.Backward(h.requests()) {
			if is(r) {
				found = r
				return true
			}
		}
		return false
	})
	return found
}

const leaverPatience = 60 * time.Second

func (h *leaverHouse) until(what string, reached func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), leaverPatience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !reached() {
		select {
		case <-ctx.Done():
			h.t.Fatalf("%s did not come:\n%s", what, h.story())
		case <-tick.C:
		}
	}
}

// story is every request and what was written, for whoever reads a failure.
func (h *leaverHouse) story() string {
	var b strings.Builder
	for _, r := range h.requests() {
		fmt.Fprintf(&b, "%s %s %s %s\n", r.ID, r.Kind, r.State, r.Note)
		for _, c := range r.Changes {
			fmt.Fprintf(&b, "  %s: %s %s\n", changeInWords(r, c), c.State, c.Error)
		}
	}
	for _, w := range h.pd.Writes() {
		fmt.Fprintf(&b, "%s %s %d %s %s\n", w.Method, w.Path, w.Status, w.Refusal, w.Body)
	}
	return b.String()
}

func (h *leaverHouse) person(email string) lifecycle.Identity {
	h.t.Helper()
	i, err := h.flows.directory.Find(h.t.Context(), email)
	h.must(err)
	return i
}

// chooses names somebody for whatever nobody was proposed for, and approves.
func (h *leaverHouse) approves(r lifecycle.Request) {
	h.t.Helper()
	ctx, marco := h.t.Context(), h.person("marco@acme.test")
	to := map[lifecycle.ChangeID]lifecycle.AccountID{}
	for _, c := range r.Changes {
		if c.Unchosen() {
			to[c.ID] = lifecycle.AccountID(h.ids["Dan"])
		}
	}
	if len(to) > 0 {
		var err error
		r, err = h.flows.approvals.Choose(ctx, lifecycle.Choice{Request: r.ID, Seen: r.Revision, By: marco, Successors: to, Via: lifecycle.ViaCLI})
		h.must(err)
	}
	_, err := h.flows.approvals.Decide(ctx, lifecycle.Press{Request: r.ID, Seen: r.Revision, By: marco, Verdict: lifecycle.Approve, Reason: "Agreed with the team.", Via: lifecycle.ViaCLI})
	h.must(err)
}

func handsOver(r lifecycle.Request) bool { return r.HandsOver() }

// goes lets Ana go all the way: whoever is asked approves, and what failed is tried again.
func (h *leaverHouse) goes() {
	h.t.Helper()
	h.hears(lifecycle.StatusEnded)
	var asked, failed int
	h.until("her account's deletion", func() bool {
		for _, r := range h.requests() {
			switch r.State {
			case lifecycle.Pending:
				h.approves(r)
				asked++
			case lifecycle.Failed:
				if r.Note == "" {
					h.t.Errorf("%s failed and does not say why", r.ID)
				}
				_, err := h.flows.approvals.Retry(h.t.Context(), r.ID, h.person("priya@acme.test"))
				if errors.Is(err, lifecycle.ErrForbidden) {
					_, err = h.flows.approvals.Retry(h.t.Context(), r.ID, h.person("marco@acme.test"))
				}
				h.must(err)
				failed++
			default:
			}
		}
		_, there := h.pd.UserByEmail("ana@acme.test")
		return !there
	})
	h.until("the last request to be done", func() bool {
		return !slices.ContainsFunc(h.requests(), func(r lifecycle.Request) bool { return r.State.Open() })
	})
	if asked == 0 || asked > 4 || failed > 3 {
		h.t.Errorf("somebody was asked %d times, and %d times it had to be tried again:\n%s", asked, failed, h.story())
	}
}

// whole fails the test unless nobody was ever without an answer, PagerDuty has
// nothing to object to, and the record verifies.
func (h *leaverHouse) whole() {
	h.t.Helper()
	for _, g := range h.pd.GapsSeen() {
		h.t.Errorf("nobody was on call: %s", g)
	}
	for _, v := range h.pd.Violations() {
		h.t.Errorf("PagerDuty objects: %s", v)
	}
	h.must(h.db.Idle(h.t.Context()))
	report, err := storage.Verify(h.t.Context(), h.where, nil)
	if err != nil || !report.Whole {
		h.t.Errorf("verify: %+v, %v", report, err)
	}
}
