package bot

import (
	"testing"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func TestSecurityIsToldOnceOfAChannelUntilItWorksAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	card := func(id lifecycle.RequestID) {
		d.show(t, d.out(t), with(mover(), func(r *lifecycle.Request) { r.ID = id })) // each time by a process that has just started
	}
	archived := func(is bool) func(*slacktest.Channel) { return func(c *slacktest.Channel) { c.Archived = is } }
	d.ChangeChannel("C0PLATFORM", archived(true))
	card("req_1")
	card("req_2")
	card("req_3")
	sameCount(t, "alerts", len(d.store.jobs), 1)
	wants(t, d.store.jobs[0].Ref, "C0PLATFORM", "is_archived", "invite rolecall", "said once")
	sameCount(t, "cards that failed, on record", d.store.count(lifecycle.EventCardFailed), 3)
	sameCount(t, "cards with security", len(d.Messages("C0SECURITY")), 3)
	sameCount(t, "copies for the owner", len(d.dm("U0OMAR")), 3)

	d.ChangeChannel("C0PLATFORM", archived(false))
	card("req_4")
	card("req_5")
	sameCount(t, "cards where they belong", len(d.Messages("C0PLATFORM")), 2)
	sameCount(t, "cards with security", len(d.Messages("C0SECURITY")), 3)
	sameCount(t, "alerts", len(d.store.jobs), 2)
	wants(t, d.store.jobs[1].Ref, "C0PLATFORM", "again")
	sameCount(t, "lines that it works", d.store.count(lifecycle.EventChannelBack), 1)

	d.ChangeChannel("C0PLATFORM", archived(true))
	card("req_6")
	sameCount(t, "alerts", len(d.store.jobs), 3)
}
