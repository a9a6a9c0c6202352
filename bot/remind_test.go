package bot

import (
	"errors"
	"slices"
	"testing"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// office is Monday to Friday from nine to half past five.
var office = lifecycle.Hours{Days: []time.Weekday{1, 2, 3, 4, 5}, From: 9 * time.Hour, To: 17*time.Hour + 30*time.Minute}

// abroad is a desk whose people work in office hours all over the world, and a
// card that waits for them. It is noon in UTC, on a Monday.
func abroad(t *testing.T, r lifecycle.Request) (*desk, *outbound) {
	t.Helper()
	d := newDesk(t)
	d.store.policy.Defaults.Hours = office
	for id, zone := range map[string]string{"U0OMAR": "Europe/London", "U0INES": "America/Los_Angeles", "U0MARCO": "Asia/Tokyo"} {
		d.ChangeUser(id, func(u *slacktest.User) { u.TZ = zone })
	}
	o := d.out(t)
	d.show(t, o, r)
	return d, o
}

// reminds reminds, and returns who has been by now, and for how long it waits then.
func (d *desk) reminds(t *testing.T, o *outbound, id lifecycle.RequestID) (reminded []string, wait time.Duration) {
	t.Helper()
	err := o.remind(t.Context(), lifecycle.Attempt{Ref: string(id)})
	told, waits := errors.AsType[*lifecycle.JobError](err)
	if err != nil && (!waits || told.Permanent || told.Why == "") {
		t.Fatal(err)
	}
	if waits {
		wait = told.RetryAfter
	}
	for _, name := range []string{"INES", "MARCO", "OMAR"} {
		if len(d.dm("U0"+name)) > 1 {
			reminded = append(reminded, name)
		}
	}
	return reminded, wait
}

func TestEverybodyIsRemindedInTheirOwnHours(t *testing.T) {
	t.Parallel()
	d, o := abroad(t, mover())
	for _, step := range []struct {
		after time.Duration
		who   []string
		wait  time.Duration
	}{
		{0, []string{"OMAR"}, 4 * time.Hour},                        // nine in Los Angeles
		{time.Hour, []string{"OMAR"}, 3 * time.Hour},                // a clock that is ahead
		{3 * time.Hour, []string{"INES", "OMAR"}, 8 * time.Hour},    // nine in Tokyo
		{8 * time.Hour, []string{"INES", "MARCO", "OMAR"}, 0},       // midnight in UTC
		{24 * time.Hour, []string{"INES", "MARCO", "OMAR"}, 0},      // once more, as after a crash
		{24 * 30 * time.Hour, []string{"INES", "MARCO", "OMAR"}, 0}, // long after the deadline
	} {
		d.forward(step.after)
		if who, wait := d.reminds(t, o, "req_mover"); !slices.Equal(who, step.who) || wait != step.wait {
			t.Errorf("at %s %v are reminded, and the rest in %s; want %v and %s", d.Now(), who, wait, step.who, step.wait)
		}
	}
	sameCount(t, "messages to Omar", len(d.dm("U0OMAR")), 2)
	d.clean(t)
}

func TestWhoIsRemindedAndWhen(t *testing.T) {
	t.Parallel()
	snoozed := func(until time.Duration) lifecycle.Snooze {
		return lifecycle.Snooze{By: "omar@acme.test", Until: noon.Add(until)}
	}
	everybody := []string{"INES", "MARCO", "OMAR"}
	for name, tt := range map[string]struct {
		request func(*lifecycle.Request)
		desk    func(*desk)
		who     []string
		wait    time.Duration
	}{
		"not who has decided": {request: func(r *lifecycle.Request) {
			r.Needed = 2
			r.Decisions = []lifecycle.Decision{{By: "omar@acme.test", ByID: "idn_omar", Verdict: lifecycle.Approve, At: noon, Via: lifecycle.ViaSlack}}
		}, wait: 4 * time.Hour},
		"not who has put it off":                       {request: func(r *lifecycle.Request) { r.Snoozed = []lifecycle.Snooze{snoozed(time.Hour)} }, wait: time.Hour},
		"who had put it off, once that is over":        {request: func(r *lifecycle.Request) { r.Snoozed = []lifecycle.Snooze{snoozed(-time.Minute)} }, who: []string{"OMAR"}, wait: 4 * time.Hour},
		"everybody, when the requester asks for it":    {request: func(r *lifecycle.Request) { r.Nudged = noon }, who: everybody},
		"not who has put it off even then":             {request: func(r *lifecycle.Request) { r.Nudged, r.Snoozed = noon, []lifecycle.Snooze{snoozed(time.Hour)} }, who: []string{"INES", "MARCO"}, wait: time.Hour},
		"everybody, where there are no hours any more": {desk: func(d *desk) { d.store.policy.Defaults.Hours = lifecycle.Hours{} }, who: everybody},
		"nobody for whom it is over before they come":  {request: func(r *lifecycle.Request) { r.DecideBy = noon.Add(4 * time.Hour) }, who: []string{"OMAR"}},
		"nobody once it is over":                       {request: func(r *lifecycle.Request) { r.DecideBy, r.Nudged = noon, noon }},
		"by what a source says, where Slack does not": {desk: func(d *desk) {
			d.ChangeUser("U0MARCO", func(u *slacktest.User) { u.TZ = "" })
			k := slices.IndexFunc(d.store.identities, func(i lifecycle.Identity) bool { return i.Person.Email() == "marco@acme.test" })
			d.store.identities[k].Person.Timezone = "Europe/Berlin"
		}, who: []string{"MARCO", "OMAR"}, wait: 4 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mover()
			if tt.request != nil {
				tt.request(&r)
			}
			d, o := abroad(t, r)
			if tt.desk != nil {
				tt.desk(d)
			}
			if who, wait := d.reminds(t, o, r.ID); !slices.Equal(who, tt.who) || wait != tt.wait {
				t.Errorf("%v are reminded, and the rest in %s; want %v and %s", who, wait, tt.who, tt.wait)
			}
		})
	}
}

func TestARequesterReminds(t *testing.T) {
	t.Parallel()
	d, o := abroad(t, mover())
	d.reminds(t, o, "req_mover")
	d.store.put(with(mover(), func(r *lifecycle.Request) { r.Revision, r.Nudged = 2, noon.Add(time.Minute) }))
	for range 2 { // as after a crash
		d.reminds(t, o, "req_mover")
	}
	got := d.dm("U0OMAR")
	sameCount(t, "card and two reminders", len(got), 3)
	wants(t, got[1].Text, "Still waiting for you: Ben Ode")
	wants(t, got[2].Text, "Ben Ode asks you to look at this: Ben Ode", "Decide by")
	d.clean(t)
}
