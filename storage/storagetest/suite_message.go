package storagetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func testMessages(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	save := func(m lifecycle.Message) {
		t.Helper()
		must(t, db.SaveMessage(t.Context(), m, event(lifecycle.EventCardShown, string(m.Request)), lifecycle.Job{Kind: lifecycle.JobShow, Ref: string(m.Request)}))
	}
	card := lifecycle.Message{Key: "card/req_1/C1", Request: "req_1", Channel: "C1", Intended: noon()}
	dm := lifecycle.Message{Key: "aa/req_1/U1", Request: "req_1", Channel: "D1", Intended: noon().Add(time.Second)}
	save(dm)
	save(card)
	save(lifecycle.Message{Key: "card/req_2/C1", Request: "req_2", Intended: noon()})
	card.TS, card.Revision, card.SHA256 = "1.2", 3, "7c1e"
	save(card)
	if diff := cmp.Diff(card, get[lifecycle.Message](t)(db.Message(t.Context(), card.Key))); diff != "" {
		t.Errorf("the message came back different:\n%s", diff)
	}
	if diff := cmp.Diff([]lifecycle.Message{card, dm}, get[[]lifecycle.Message](t)(db.Messages(t.Context(), "req_1"))); diff != "" {
		t.Errorf("the messages, in the order in which they were intended:\n%s", diff)
	}
	if _, err := db.Message(t.Context(), "card/none"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an unknown message: %v", err)
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobShow); n != 4 || j != 4 {
		t.Errorf("%d lines and %d jobs, want 4 and 4", n, j)
	}
	whole(t, url)
}

func testDigests(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	if at := get[time.Time](t)(db.LastDigest(t.Context(), "ana@acme.test")); !at.IsZero() {
		t.Errorf("before the first, the last was %s", at)
	}
	for i := range 2 {
		at := noon().AddDate(0, 0, i)
		must(t, db.SaveDigest(t.Context(), "ana@acme.test", at, event(lifecycle.EventDigestSent, "ana@acme.test")))
		if got := get[time.Time](t)(db.LastDigest(t.Context(), "Ana@acme.test")); !got.Equal(at) {
			t.Errorf("the last was %s, want %s", got, at)
		}
	}
	if at := get[time.Time](t)(db.LastDigest(t.Context(), "bo@acme.test")); !at.IsZero() {
		t.Errorf("somebody else's last was %s", at)
	}
	whole(t, url)
}

// testRollback makes the last of several writes fail.
func testRollback(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	ana := sampleIdentity("ana")
	n := sampleNotice(ana)
	must(t, db.SaveIdentity(t.Context(), ana, &n, event(lifecycle.EventIdentityChanged, string(ana.ID))))
	show := lifecycle.Job{Kind: lifecycle.JobShow, Ref: "x"}

	ana.Revision, ana.Slack = 2, "U1"
	if err := db.SaveIdentity(t.Context(), ana, &n, event(lifecycle.EventIdentityChanged, ""), show); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("a notice that stands: %v, want a duplicate", err)
	}
	if got := get[lifecycle.Identity](t)(db.Identity(t.Context(), ana.ID)); got.Revision != 1 {
		t.Errorf("the identity is at revision %d, want 1", got.Revision)
	}
	r := sampleRequest("ntc_1")
	if err := db.SaveEffect(t.Context(), r, lifecycle.Effect{Account: "P1", Identity: "idn_none"}, event(lifecycle.EventChangeVerified, ""), show); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an effect on nobody: %v", err)
	}
	r.Why.Find = "fnd_none"
	if err := db.SaveRequest(t.Context(), r, event(lifecycle.EventRequestOpened, ""), show); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("a request about no finding: %v", err)
	}
	if _, err := db.Request(t.Context(), r.ID); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("the request: %v, want none", err)
	}
	if got := get[[]lifecycle.Account](t)(db.Baseline(t.Context())); len(got) != 0 {
		t.Errorf("%d accounts, want none", len(got))
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobShow); n != 1 || j != 0 {
		t.Errorf("%d lines and %d jobs, want 1 and 0", n, j)
	}
	whole(t, url)
}

// testHostileText stores what neither database would take as it is.
func testHostileText(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	const bad = "a\x00b\xff' OR 1=1 -- \u202e💥 <!channel>"
	f := sampleFact(bad, bad)
	f.Person.Name = bad
	e := event(bad, bad)
	e.Actor, e.Detail = bad, map[string]string{bad: bad, "": ""}
	must1(t)(db.SaveFact(t.Context(), f, e, lifecycle.Job{Kind: lifecycle.JobRegister, Ref: bad}))
	if _, duplicate, err := db.SaveFact(t.Context(), f, e); err != nil || !duplicate {
		t.Errorf("a repeat: %t, %v", duplicate, err)
	}
	i := sampleIdentity("ana")
	i.Person.Emails, i.Keys = []string{bad}, map[string]string{bad: bad}
	must(t, db.SaveIdentity(t.Context(), i, nil, e))
	if got := get[[]lifecycle.Identity](t)(db.IdentitiesByEmail(t.Context(), bad)); len(got) != 1 {
		t.Errorf("%d people with that address, want 1", len(got))
	}
	if got := get[lifecycle.Identity](t)(db.IdentityByKey(t.Context(), bad, bad)); got.ID != i.ID {
		t.Errorf("by key: %s", got.ID)
	}
	must(t, db.SaveMessage(t.Context(), lifecycle.Message{Key: bad, Request: bad}, e))
	must(t, db.SaveDigest(t.Context(), bad, noon(), e))
	must(t, db.Record(t.Context(), e, lifecycle.Job{Kind: lifecycle.JobAlert, Ref: bad}))
	if _, err := db.Request(t.Context(), bad); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("a request of that id: %v", err)
	}
	if got, err := db.Tail(t.Context(), 0, 100); err != nil || len(got) != 5 {
		t.Errorf("the trail has %d lines, %v; want 5", len(got), err)
	}
	whole(t, url)
}

func must1(t *testing.T) func(_ lifecycle.NoticeID, _ bool, err error) {
	return func(_ lifecycle.NoticeID, _ bool, err error) {
		t.Helper()
		must(t, err)
	}
}
