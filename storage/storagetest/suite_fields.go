package storagetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

// testEveryField stores values of which every field is set, and wants every
// field back: what the domain adds to a type is not to be lost on the way.
func testEveryField(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	same := func(what string, want, got any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-stored +loaded):\n%s", what, diff)
		}
	}
	f := filled[lifecycle.Fact]()
	must1(t)(db.SaveFact(t.Context(), f, event(lifecycle.EventNoticeReceived, "")))
	same("a fact", f, get[lifecycle.Fact](t)(db.Fact(t.Context(), f.ID)))

	i, n := filled[lifecycle.Identity](), filled[lifecycle.Notice]()
	i.Revision = 1
	must(t, db.SaveIdentity(t.Context(), i, &n, event(lifecycle.EventIdentityChanged, "")))
	same("an identity", i, get[lifecycle.Identity](t)(db.Identity(t.Context(), i.ID)))
	same("a notice", n, get[lifecycle.Notice](t)(db.Notice(t.Context(), n.ID)))

	a, found, cleared := filled[lifecycle.Account](), sampleFinding("fnd_1"), filled[lifecycle.Finding]()
	must(t, db.SaveRollCall(t.Context(), rollCall(noon(), []lifecycle.Account{a}, []lifecycle.Finding{found}, []lifecycle.Finding{cleared})))
	same("an account of a roll call", []lifecycle.Account{a}, get[[]lifecycle.Account](t)(db.Baseline(t.Context())))
	same("a finding", cleared, finding(t, db, cleared.ID))

	r := filled[lifecycle.Request]()
	r.State, r.Revision, r.Why.Find = lifecycle.Pending, 1, found.ID
	must(t, db.SaveRequest(t.Context(), r, event(lifecycle.EventRequestOpened, "")))
	same("a request", r, get[lifecycle.Request](t)(db.Request(t.Context(), r.ID)))
	exception := filled[lifecycle.Exception]()
	exception.Finding = found.ID
	r.Revision, r.State = 2, lifecycle.Applying
	must(t, db.KeepFinding(t.Context(), r, exception, event(lifecycle.EventFindingKept, "")))
	_, exceptions, err := db.Findings(t.Context(), noon())
	must(t, err)
	same("an exception", []lifecycle.Exception{exception}, exceptions)

	r.Revision, a.Name = 3, "after a change"
	must(t, db.SaveEffect(t.Context(), r, lifecycle.Effect{Account: a.ID, Held: &a}, event(lifecycle.EventChangeVerified, "")))
	same("an account after a change", []lifecycle.Account{a}, get[[]lifecycle.Account](t)(db.Baseline(t.Context())))

	m := filled[lifecycle.Message]()
	must(t, db.SaveMessage(t.Context(), m, event(lifecycle.EventCardShown, "")))
	same("a message", m, get[lifecycle.Message](t)(db.Message(t.Context(), m.Key)))

	o := filled[lifecycle.Original]()
	must(t, keepOriginal(t, db, o))
	same("an original", o, get[lifecycle.Original](t)(db.Original(t.Context(), o.Change)))
	testMoreFields(t, db, same)
	whole(t, url)
}

func testMoreFields(t *testing.T, db *storage.DB, same func(what string, want, got any)) {
	c := filled[lifecycle.Case]()
	c.Revision = 1
	must(t, saveCase(t, db, c))
	same("a case", c, get[lifecycle.Case](t)(db.Case(t.Context(), c.ID)))

	gone := filled[lifecycle.Identity]()
	gone.ID, gone.Revision = "idn_leaver", 1
	n := filled[lifecycle.Notice]()
	n.ID, n.Kind, n.Identity = "ntc_leaver", lifecycle.Leaver, gone.ID
	must(t, db.SaveIdentity(t.Context(), gone, &n, event(lifecycle.EventIdentityChanged, "")))
	h, r := filled[lifecycle.Hold](), filled[lifecycle.Removal]()
	h.Revision, h.Kind = 1, lifecycle.HoldLeavers
	r.Notice, r.State = n.ID, lifecycle.RemovalHeld
	must(t, db.SaveHold(t.Context(), h, []lifecycle.Removal{r}, event(lifecycle.EventHoldOpened, "")))
	same("a hold", h, get[lifecycle.Hold](t)(db.Hold(t.Context(), h.ID)))
	same("a removal", []lifecycle.Removal{r}, get[[]lifecycle.Removal](t)(db.RemovalsOf(t.Context(), r.Hold)))

	s := filled[lifecycle.Source]()
	s.Revision = 1
	must(t, db.SaveSource(t.Context(), s, event(lifecycle.EventSourceConnected, "")))
	same("a source", s, get[lifecycle.Source](t)(db.Source(t.Context(), s.Name)))

	user := filled[lifecycle.Resource]()
	user.Kind, user.Version = lifecycle.ResourceUser, 1
	must(t, db.Provision(t.Context(), put(user)))
	same("a resource", user, get[lifecycle.Resource](t)(db.Resource(t.Context(), user.Client, user.Kind, user.ID)))

	away, g := filled[lifecycle.Absence](), filled[lifecycle.Group]()
	away.Revision, g.Revision = 1, 1
	must(t, saveAbsence(t, db, away))
	same("an absence", away, get[lifecycle.Absence](t)(db.Absence(t.Context(), away.ID)))
	must(t, db.SaveGroup(t.Context(), g, event(lifecycle.EventGroupChanged, "")))
	same("a group", []lifecycle.Group{g}, get[[]lifecycle.Group](t)(db.Groups(t.Context())))

	p := samplePolicy("version: 1\n")
	p.By = "ines@acme.test"
	must(t, db.EnforcePolicy(t.Context(), p, event(lifecycle.EventPolicyLoaded, "")))
	same("a policy", p, get[lifecycle.PolicyText](t)(db.PolicyInForce(t.Context())))
}
