package bot

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func TestWhatWasDecidedWhileSlackWasDownIsShownOnceItIsBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	id := func(i int) lifecycle.RequestID { return lifecycle.RequestID(fmt.Sprintf("req_%d", i)) }
	const cards = 2
	for i := range cards {
		d.show(t, o, with(mover(), func(r *lifecycle.Request) { r.ID = id(i) }))
	}
	var standing []lifecycle.Message // of the cards, every copy
	for _, m := range d.sentOf(t, id, cards) {
		if strings.HasPrefix(m.Key, "card/") || strings.HasPrefix(m.Key, "dm/") {
			standing = append(standing, m)
		}
	}

	d.Fail("*", slacktest.Fault{Status: 503})
	for i := range cards {
		for revision := 2; revision <= 4; revision++ { // decided at the command line, and carried out
			d.store.put(with(decided(mover(), lifecycle.Denied, "omar@acme.test", lifecycle.Deny, "No"), func(r *lifecycle.Request) { r.ID, r.Revision = id(i), revision }))
		}
		err := o.handlers()[lifecycle.JobShow](t.Context(), lifecycle.Attempt{Ref: string(id(i)), Last: true})
		if job, ok := asJobError(err); !ok || job.RetryAfter <= 0 || job.Permanent {
			t.Fatalf("while Slack is down the queue is told %v, want to come back", err)
		}
	}
	d.ClearFaults()
	d.forward(3 * time.Hour)
	edits := len(d.Calls("chat.update"))
	o = d.out(t) // and rolecall was started anew meanwhile
	for i := range cards {
		for _, job := range []lifecycle.JobKind{lifecycle.JobRemind, lifecycle.JobShow, lifecycle.JobShow, lifecycle.JobShow, lifecycle.JobRemind} {
			if err := o.handlers()[job](t.Context(), lifecycle.Attempt{Ref: string(id(i))}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, m := range d.Messages("C0PLATFORM") {
		wants(t, texts([]slacktest.Message{m}), "Denied by <@U0OMAR>")
	}
	edited := map[string]int{}
	for _, c := range d.Calls("chat.update")[edits:] {
		edited[fmt.Sprint(c.Args["channel"], c.Args["ts"])]++
	}
	for _, m := range standing {
		sameCount(t, "edits of "+m.Key, edited[m.Channel+m.TS], 1)
	}
	for _, v := range d.Violations() {
		t.Errorf("Slack objects: %+v", v)
	}
	for _, m := range d.sentOf(t, id, cards) {
		if strings.HasPrefix(m.Key, "remind/") {
			t.Errorf("a reminder that makes no sense any more was sent: %s", m.Key)
		}
	}
}

// sentOf returns what is known of the messages about the first n requests.
func (d *desk) sentOf(t *testing.T, id func(int) lifecycle.RequestID, n int) (all []lifecycle.Message) {
	t.Helper()
	for i := range n {
		said, err := d.store.Messages(t.Context(), id(i))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, said...)
	}
	return all
}
