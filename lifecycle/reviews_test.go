package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func (h *house) reviews() *lifecycle.Reviews {
	return lifecycle.NewReviews(h.store, h.planner(), h.approvals(), h.now)
}

// review decides the findings as that person; the press as a whole must count.
func (h *house) review(t *testing.T, name string, what lifecycle.Review, reason string, fs ...lifecycle.Finding) []lifecycle.Outcome {
	t.Helper()
	v := lifecycle.Verdicts{By: h.who(t, name), What: what, Reason: reason, Shown: h.now().Add(-3 * time.Second), Via: lifecycle.ViaSlack}
	for _, f := range fs {
		v.Findings = append(v.Findings, f.ID)
	}
	outcomes, err := h.reviews().Decide(t.Context(), v)
	must(t, err)
	h.work(t)
	return outcomes
}

func TestAStaleFindingIsDecidedWhereItIsShown(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		what   lifecycle.Review
		state  lifecycle.RequestState
		role   lifecycle.BaseRole
		team   lifecycle.TeamRole
		quiet  bool
		writes int
	}{
		"kept: nothing changes, and nobody is sent a card": {lifecycle.ReviewKeep, lifecycle.Denied, lifecycle.RoleResponder, lifecycle.TeamResponder, true, 0},
		"reduced: they can look on":                        {lifecycle.ReviewReduce, lifecycle.Done, lifecycle.RoleObserver, lifecycle.TeamObserver, false, 2},
		"revoked: Restricted, and off the team":            {lifecycle.ReviewRevoke, lifecycle.Done, lifecycle.RoleRestricted, "", false, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := idle(t)
			h.policy.Defaults.Hold = 0
			f := h.found(t)
			before := h.store.waiting(lifecycle.JobShow)
			o := h.review(t, "marco", tt.what, "has moved to sales", f)
			if len(o) != 1 || o[0].Err != nil {
				t.Fatalf("outcomes %+v", o)
			}
			r := h.request(t, o[0].Request.ID)
			a, _ := h.pager.see("PBEN")
			if r.State != tt.state || a.BaseRole != tt.role || a.On("PPAY") != tt.team || len(h.pager.made()) != tt.writes || r.Kind != lifecycle.RequestStale {
				t.Errorf("%s %s; %s and %q on the team after %v", r.Kind, r.State, a.BaseRole, a.On("PPAY"), h.pager.made())
			}
			if d := r.Decisions[0]; d.Batch != 1 || !d.Shown.Equal(h.now().Add(-3*time.Second)) {
				t.Errorf("decision %+v", d)
			}
			if quiet := h.store.waiting(lifecycle.JobShow) == before; tt.quiet && !quiet {
				t.Error("a card is shown of what was only kept")
			}
			again := h.review(t, "ines", tt.what, "the same press again", f)
			if lifecycle.ReasonOf(again[0].Err) == "" || len(h.pager.made()) != tt.writes || len(h.requests(t)) != 1 {
				t.Errorf("again: %v, %v, %d requests", again[0].Err, h.pager.made(), len(h.requests(t)))
			}
		})
	}
}

func TestWhatMayNotBeDecidedInPlace(t *testing.T) {
	t.Parallel()
	nothing := func(*house, *lifecycle.Finding) {}
	for name, tt := range map[string]struct {
		by     string
		what   lifecycle.Review
		reason string
		change func(*house, *lifecycle.Finding)
		want   string
	}{
		"the owner of another team": {"omar", lifecycle.ReviewRevoke, "x", nothing, "Only marco@acme.test or ines@acme.test can decide this"},
		"somebody about themselves": {"ben", lifecycle.ReviewKeep, "mine", nothing, "no one decides on their own access"},
		"was used yesterday": {"marco", lifecycle.ReviewRevoke, "x", func(h *house, _ *lifecycle.Finding) {
			h.pager.used = lifecycle.Signal{At: h.now().Add(-24 * time.Hour), Proxy: "on call"}
		}, "Ben Ode was used on 3 May 2026 (on call), so this is not stale any more."},
		"is on call by now": {"marco", lifecycle.ReviewReduce, "x", func(h *house, _ *lifecycle.Finding) {
			h.pager.duties["PBEN"] = []lifecycle.Duty{{}}
		}, "Ben Ode has a place on call by now."},
		"holds another role by now": {"marco", lifecycle.ReviewRevoke, "x", func(h *house, _ *lifecycle.Finding) {
			h.pager.put(account(lifecycle.RoleManager))
		}, "Ben Ode holds"},
		"the account is gone":         {"marco", lifecycle.ReviewRevoke, "x", func(h *house, _ *lifecycle.Finding) { h.pager.drop("PBEN") }, "Ben Ode: The account is gone already."},
		"nobody knows such a finding": {"marco", lifecycle.ReviewRevoke, "x", func(_ *house, f *lifecycle.Finding) { f.ID = "fnd_x" }, `No finding is called "fnd_x".`},
		"kept for ever":               {"marco", lifecycle.ReviewKeep, strings.Repeat("x", 2001), nothing, "the reason is longer than 2000 characters"},
		"kept for no reason":          {"marco", lifecycle.ReviewKeep, " ", nothing, "Say why it is kept"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := idle(t)
			f := h.found(t)
			tt.change(h, &f)
			o, err := h.reviews().Decide(t.Context(), lifecycle.Verdicts{Findings: []lifecycle.FindingID{f.ID}, By: h.who(t, tt.by), What: tt.what, Reason: tt.reason, Via: lifecycle.ViaCLI})
			if err == nil {
				err = o[0].Err
			}
			if !strings.Contains(lifecycle.ReasonOf(err), tt.want) || len(h.requests(t)) != 0 || len(h.pager.made()) != 0 {
				t.Errorf("got %v, want %q; %d requests, %v", err, tt.want, len(h.requests(t)), h.pager.made())
			}
		})
	}
}

// crowded is a house in which ben of Payments and oz of Platform have not signed in.
func crowded(t *testing.T) (*house, []lifecycle.Finding) {
	t.Helper()
	h := idle(t)
	oz := account(lifecycle.RoleResponder, on(platform, lifecycle.TeamResponder))
	oz.ID, oz.Email, oz.Name = "POZ", "oz@acme.test", "Oz Kay"
	h.pager.put(oz)
	p := person("Platform")
	p.EmployeeID, p.Emails, p.Name = "E2", []string{"oz@acme.test"}, "Oz Kay"
	h.known(t, p)
	h.pager.signals["POZ"] = h.pager.signals["PBEN"]
	return h, h.call(t).Open
}

func TestAMixedPressSaysOfEachWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	h, found := crowded(t)
	o := h.review(t, "marco", lifecycle.ReviewRevoke, "nobody uses it", append(found, found[0])...)
	got := map[string]string{}
	for i, one := range o {
		got[lifecycle.FoldEmail(found[i].Account.Email)] = lifecycle.ReasonOf(one.Err)
	}
	want := map[string]string{"ben@acme.test": "", "oz@acme.test": "Only omar@acme.test can decide this. You can still comment in the thread."}
	if diff := cmp.Diff(want, got); diff != "" || len(o) != 2 {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	r := h.requests(t)[0]
	var batch, seconds string
	for _, e := range h.store.lines {
		if e.Kind == lifecycle.EventRequestApproved && e.Ref == string(r.ID) {
			batch, seconds = e.Detail["batch"], e.Detail["seconds"]
		}
	}
	if batch != "2" || seconds != "3" || r.Decisions[0].Batch != 2 {
		t.Errorf("on record: a batch of %q after %q seconds; decision %+v", batch, seconds, r.Decisions[0])
	}
	if h.trail(lifecycle.EventRequestRefused) != 1 {
		t.Error("the attempt on another team's is not on record")
	}
}

func TestWhatIsPrivilegedIsDecidedAlone(t *testing.T) {
	t.Parallel()
	h, _ := crowded(t)
	a, _ := h.pager.see("PBEN")
	a.BaseRole = lifecycle.RoleManager
	h.pager.put(a)
	var f, other lifecycle.Finding
	for _, one := range h.call(t).Open {
		if one.Kind == lifecycle.FoundStale && one.Account.ID == "PBEN" {
			f = one
		} else if one.Kind == lifecycle.FoundStale {
			other = one
		}
	}
	o := h.review(t, "priya", lifecycle.ReviewRevoke, "x", f, other)
	if !strings.Contains(lifecycle.ReasonOf(o[0].Err), "is privileged, and is decided alone") {
		t.Errorf("together: %v", o[0].Err)
	}
	if o = h.review(t, "marco", lifecycle.ReviewRevoke, "", f); !strings.Contains(lifecycle.ReasonOf(o[0].Err), "needs a reason") {
		t.Errorf("without a reason: %v", o[0].Err)
	}
	if o = h.review(t, "marco", lifecycle.ReviewKeep, "is needed", f); !strings.Contains(lifecycle.ReasonOf(o[0].Err), "Only Security can keep") {
		t.Errorf("kept by an owner: %v", o[0].Err)
	}
	if o = h.review(t, "marco", lifecycle.ReviewRevoke, "is not needed", f); o[0].Err != nil {
		t.Errorf("alone and with a reason: %v", o[0].Err)
	}
}

func TestAFindingThatIsAskedAboutIsDecidedOnItsRequest(t *testing.T) {
	t.Parallel()
	h, f := drifted(t)
	if o := h.review(t, "priya", lifecycle.ReviewReduce, "x", f); !strings.Contains(lifecycle.ReasonOf(o[0].Err), "nothing between keeping and revoking") {
		t.Errorf("reduce: %v", o[0].Err)
	}
	o := h.review(t, "priya", lifecycle.ReviewKeep, "covers for Sam", f)
	if o[0].Err != nil || o[0].Request.ID != f.Request || o[0].Request.State != lifecycle.Denied {
		t.Errorf("keep: %+v", o[0])
	}
	if o = h.review(t, "lee", lifecycle.ReviewRevoke, "no", f); !strings.Contains(lifecycle.ReasonOf(o[0].Err), "kept already, by priya@acme.test") {
		t.Errorf("afterwards: %v", o[0].Err)
	}
}

func TestAPreviewSaysWhatAPressWouldDoAndDoesNothing(t *testing.T) {
	t.Parallel()
	h := idle(t)
	f := h.found(t)
	lines := len(h.store.lines)
	h.pager.drop(f.Account.ID) // which nobody finds out who does not ask
	for name, tt := range map[string]struct {
		what lifecycle.Review
		id   lifecycle.FindingID
		want string
		held bool
	}{
		"revoke":  {lifecycle.ReviewRevoke, f.ID, "limited_user→restricted_access responder→", false},
		"reduce":  {lifecycle.ReviewReduce, f.ID, "limited_user→observer responder→observer", false},
		"keep":    {lifecycle.ReviewKeep, f.ID, "", false},
		"unknown": {lifecycle.ReviewRevoke, "fnd_x", "", true},
	} {
		p, err := h.reviews().Preview(t.Context(), []lifecycle.FindingID{tt.id, tt.id}, tt.what)
		must(t, err)
		var got []string
		for _, c := range p[0].Changes {
			got = append(got, c.From+"→"+c.To)
		}
		if strings.Join(got, " ") != tt.want || (p[0].Held != "") != tt.held || len(p) != 1 || p[0].Finding.ID != tt.id {
			t.Errorf("%s: %v, held %q", name, got, p[0].Held)
		}
	}
	if len(h.store.lines) != lines || len(h.requests(t)) != 0 || len(h.pager.made()) != 0 {
		t.Error("a preview has left something behind")
	}
}
