package bot

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func TestShowTellsEverybodyOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, mover())
	d.show(t, o, mover())
	cards := d.Messages("C0PLATFORM")
	sameCount(t, "cards in the channel of the team he joins", len(cards), 1)
	sameCount(t, "cards in the other team's channel", len(d.Messages("C0PAYMENTS")), 0)
	wants(t, texts(cards), "Ben Ode: joins Platform as responder", "[Approve] [Deny…]", "<@U0OMAR> (owns Platform)")
	for _, owner := range []string{"U0OMAR", "U0MARCO", "U0INES"} {
		sameCount(t, "copies for "+owner, len(d.dm(owner)), 1)
	}
	wants(t, texts(d.dm("U0MARCO")), "You own Payments.", "[Approve] [Deny…]")
	wants(t, texts(d.dm("U0BEN")), "Your PagerDuty access is to change", "Nothing to do for you.")
	sameCount(t, "messages to the subject", len(d.dm("U0BEN")), 1)
	sameCount(t, "cards on record", d.store.count(lifecycle.EventCardShown), 4)
	sameCount(t, "edits, while nothing moved", len(d.Calls("chat.update")), 0)
	d.clean(t)
}

func TestShowEditsEveryCopyAndTellsTheStory(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, mover())
	d.show(t, o, decided(mover(), lifecycle.Applying, "omar@acme.test", lifecycle.Approve, "Agreed"))
	done := verified(decided(mover(), lifecycle.Done, "omar@acme.test", lifecycle.Approve, "Agreed"), 2)
	done.Revision = 5
	d.show(t, o, done)
	d.show(t, o, done)
	card := d.Messages("C0PLATFORM")[0]
	thread := d.Thread("C0PLATFORM", card.TS)
	sameCount(t, "cards", len(d.Messages("C0PLATFORM")), 1)
	sameCount(t, "edits of the card", card.Edits, 2)
	sameCount(t, "card and notes", len(thread), 3)
	wants(t, texts(thread[:1]), "✅ Done, checked in PagerDuty")
	wants(t, texts(thread[1:]), "<@U0OMAR> approved", "Agreed", "✅ Done")
	if strings.Contains(texts(thread[:1]), "[Approve]") {
		t.Error("the settled card still has live buttons")
	}
	wants(t, texts(d.dm("U0INES")), "Handled by <@U0OMAR>, who approved", "Nothing is left for you.")
	wants(t, texts(d.dm("U0OMAR")), "You approved")
	wants(t, texts(d.dm("U0BEN")), "Your PagerDuty access has changed: Joins Platform as responder")
	sameCount(t, "messages to the subject", len(d.dm("U0BEN")), 2)
	d.clean(t)
}

func TestShowSurvivesACrashAnywhere(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		d := newDesk(t)
		d.store.put(mover())
		hook, died := dieAt(n)
		d.store.hook(hook)
		err := d.out(t).show(t.Context(), lifecycle.Attempt{Ref: "req_mover"})
		if !died() {
			if err != nil {
				t.Fatal(err)
			}
			if n < 15 {
				t.Fatalf("only %d places to die at: the test no longer tests anything", n)
			}
			return
		}
		if err == nil {
			t.Fatalf("dying at operation %d went unnoticed", n)
		}
		d.store.hook(nil)
		o := d.out(t)
		d.settle(t, func() error { return o.show(t.Context(), lifecycle.Attempt{Ref: "req_mover"}) })
		wholeOnce(t, d)
	}
}

// wholeOnce checks that everything about the mover was said, and said once.
func wholeOnce(t *testing.T, d *desk) {
	t.Helper()
	sameCount(t, "cards", len(d.Messages("C0PLATFORM")), 1)
	for _, person := range []string{"U0OMAR", "U0MARCO", "U0INES", "U0BEN"} {
		sameCount(t, "messages to "+person, len(d.dm(person)), 1)
	}
	for _, m := range d.store.messages {
		if m.TS == "" {
			t.Errorf("%s is not known to have been sent", m.Key)
		}
	}
	d.clean(t)
}

func TestShowSurvivesLostAnswers(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]slacktest.Fault{
		"the answer is lost":   {LostAnswer: true, Times: 1},
		"the request is lost":  {LostRequest: true, Times: 1},
		"Slack fails":          {Status: 503, Times: 1},
		"Slack wants a moment": {RetryAfter: time.Second, Times: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for nth := 1; nth <= 5; nth++ {
				if nth > 1 && fault.RetryAfter > 0 {
					break // that one is waited for, in real time
				}
				d := newDesk(t)
				d.store.put(mover())
				fault.Nth = nth
				d.Fail("chat.postMessage", fault)
				o := d.out(t)
				d.settle(t, func() error { return o.show(t.Context(), lifecycle.Attempt{Ref: "req_mover"}) })
				wholeOnce(t, d)
			}
		})
	}
}

func TestPostIsNotRepeatedBlindly(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Fail("chat.postMessage", slacktest.Fault{Status: 502})
	_, _, err := d.out(t).box.post(t.Context(), "C0PLATFORM", "", message{Text: "once"})
	if err == nil {
		t.Error("a failed post passed for a good one")
	}
	sameCount(t, "tries", len(d.Calls("chat.postMessage")), 1)
}

func TestShowFollowsARequestThatMovesOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.store.put(mover())
	var once sync.Once
	d.store.hook(func(op string) error {
		if op == "save message" {
			once.Do(func() { d.store.put(decided(mover(), lifecycle.Denied, "ines@acme.test", lifecycle.Deny, "No")) })
		}
		return nil
	})
	if err := d.out(t).show(t.Context(), lifecycle.Attempt{Ref: "req_mover"}); err != nil {
		t.Fatal(err)
	}
	wants(t, texts(d.Messages("C0PLATFORM")), "Denied by <@U0INES>")
	for _, owner := range []string{"U0OMAR", "U0MARCO"} {
		wants(t, texts(d.dm(owner)), "Handled by <@U0INES>, who denied")
	}
}

func TestTwoWorkersLeaveTheNewerCard(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	fast := d.out(t)
	d.show(t, fast, mover())
	d.store.put(decided(mover(), lifecycle.Approved, "omar@acme.test", lifecycle.Approve, ""))
	var once sync.Once
	d.cfg.Client = &http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		if strings.HasSuffix(req.URL.Path, "/chat.update") {
			once.Do(func() { // the older state is on its way, and the newer one overtakes it
				done := verified(decided(mover(), lifecycle.Done, "omar@acme.test", lifecycle.Approve, ""), 2)
				done.Revision = 5
				d.show(t, fast, done)
			})
		}
		return http.DefaultTransport.RoundTrip(req)
	})}
	if err := d.out(t).show(t.Context(), lifecycle.Attempt{Ref: "req_mover"}); err != nil {
		t.Fatal(err)
	}
	wants(t, texts(d.Messages("C0PLATFORM")), "✅ Done")
	wants(t, texts(d.dm("U0OMAR")), "✅ Done")
}

func TestUnreachableChannelSendsTheCardToSecurity(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(*slacktest.Channel){
		"archived":            func(c *slacktest.Channel) { c.Archived = true },
		"private, not member": func(c *slacktest.Channel) { c.Private, c.Members = true, []string{"U0OMAR"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.ChangeChannel("C0PLATFORM", breakIt)
			o := d.out(t)
			d.show(t, o, mover())
			d.show(t, o, decided(mover(), lifecycle.Denied, "omar@acme.test", lifecycle.Deny, "No"))
			wants(t, texts(d.Messages("C0SECURITY")), "Ben Ode", "Denied by <@U0OMAR>")
			sameCount(t, "cards with security", len(d.Messages("C0SECURITY")), 1)
			sameCount(t, "copies for the owner", len(d.dm("U0OMAR")), 1)
			sameCount(t, "lines on record", d.store.count(lifecycle.EventCardFailed), 1)
			alerts := d.store.jobs
			sameCount(t, "alerts", len(alerts), 1)
			wants(t, alerts[0].Ref, "C0PLATFORM", "invite rolecall")
		})
	}
}

func TestApproverOutsideSlackDoesNotFailTheCard(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.DeleteUser("U0INES")
	o := d.out(t)
	d.show(t, o, mover())
	d.show(t, o, with(mover(), func(r *lifecycle.Request) { r.Revision = 2 }))
	card := d.Messages("C0PLATFORM")[0]
	thread := d.Thread("C0PLATFORM", card.TS)
	sameCount(t, "card and notes", len(thread), 2)
	wants(t, texts(thread), "ines@acme.test may decide this but cannot be reached in Slack", "rolecall request approve req_mover")
	sameCount(t, "copies for the other owner", len(d.dm("U0MARCO")), 1)
}

func TestACardIsNeverGivenUp(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]slacktest.Fault{
		"Slack is down":            {Status: 503},
		"Slack wants another form": {Error: "something_new"},
		"the token is refused":     {Error: "invalid_auth"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.store.put(mover())
			d.Fail("*", fault)
			err := d.out(t).handlers()[lifecycle.JobShow](t.Context(), lifecycle.Attempt{Ref: "req_mover", Last: true})
			if job, ok := asJobError(err); !ok || job.RetryAfter <= 0 {
				t.Errorf("after the last try the queue is told %v, want to come back", err)
			}
		})
	}
	err := newDesk(t).out(t).handlers()[lifecycle.JobShow](t.Context(), lifecycle.Attempt{Ref: "req_none", Last: true})
	if job, ok := asJobError(err); !ok || !job.Permanent {
		t.Errorf("of no request the queue is told %v, want to give up", err)
	}
}

func TestACardGoesWhereItCanBeShown(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fault slacktest.Fault
		to    string // the channel that the policy names by now
		want  string
	}{
		"a place where only people may post":      {slacktest.Fault{Error: "restricted_action_read_only_channel"}, "C0PLATFORM", "C0SECURITY"},
		"a workspace that has taken it away":      {slacktest.Fault{Error: "team_access_not_granted"}, "C0PLATFORM", "C0SECURITY"},
		"a place where rolecall has no say":       {slacktest.Fault{Error: "no_permission"}, "C0PLATFORM", "C0SECURITY"},
		"an old channel, when there is a new one": {slacktest.Fault{Error: "is_archived"}, "C0PAYMENTS", "C0PAYMENTS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			o := d.out(t)
			d.show(t, o, mover())
			tt.fault.Channel = "C0PLATFORM"
			d.Fail("chat.update", tt.fault)
			d.Fail("chat.postMessage", tt.fault)
			d.store.policy.Teams[1].Channel = tt.to
			d.show(t, o, decided(mover(), lifecycle.Denied, "omar@acme.test", lifecycle.Deny, "No"))
			wants(t, texts(d.Messages(tt.want)), "Denied by <@U0OMAR>")
			if other := map[string]string{"C0SECURITY": "C0PAYMENTS", "C0PAYMENTS": "C0SECURITY"}[tt.want]; len(d.Messages(other)) > 0 {
				t.Errorf("it is shown in %s as well", other)
			}
		})
	}
}

func TestOnlyWhoMayDecideIsMissedInSlack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.show(t, d.out(t), mover())
	d.DeleteUser("U0INES")
	d.show(t, d.out(t), decided(mover(), lifecycle.Denied, "omar@acme.test", lifecycle.Deny, "No"))
	thread := texts(d.Thread("C0PLATFORM", d.Messages("C0PLATFORM")[0].TS))
	if strings.Contains(thread, "may decide this") {
		t.Errorf("of a settled request the thread says:\n%s", thread)
	}
	wants(t, texts(d.dm("U0INES")), "Handled by <@U0OMAR>, who denied")
}

func TestAnApprovalThatLapsedIsShownSo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	half := decided(with(mover(), func(r *lifecycle.Request) { r.Needed = 2 }), lifecycle.Pending, "omar@acme.test", lifecycle.Approve, "Agreed")
	d.show(t, o, half)
	wants(t, texts(d.Messages("C0PLATFORM")), "Waiting: 1 of 2 approvals")
	d.store.policy.Teams[1].Owners = []string{"lee@acme.test"}
	d.show(t, o, half)
	wants(t, texts(d.Messages("C0PLATFORM")), "Waiting for 2 approvals.", "This counts no more, because they may not decide any more.")
}

func TestDeletedCardIsShownAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, mover())
	d.Fail("chat.update", slacktest.Fault{Error: "message_not_found", Channel: "C0PLATFORM", Times: 1})
	d.show(t, o, decided(mover(), lifecycle.Denied, "omar@acme.test", lifecycle.Deny, "No"))
	cards := d.Messages("C0PLATFORM")
	sameCount(t, "cards", len(cards), 2)
	wants(t, texts(cards[1:]), "Denied by <@U0OMAR>")
}

func TestRefusedBlocksAreSaidInPlainWords(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.Fail("chat.postMessage", slacktest.Fault{Error: "invalid_blocks", Times: 1})
	d.show(t, d.out(t), mover())
	cards := d.Messages("C0PLATFORM")
	sameCount(t, "cards", len(cards), 1)
	wants(t, cards[0].Text, "Ben Ode", "Moved Payments → Platform", "Decide by", "`/rolecall inbox`")
	if cards[0].Blocks != nil {
		t.Error("the card has blocks that Slack refused")
	}
	sameCount(t, "lines on record", d.store.count(lifecycle.EventCardFailed), 1)
}

func TestSubjectIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		r    lifecycle.Request
		want []string // nil: nothing
	}{
		"that something is asked for": {joiner(), []string{"Your PagerDuty access is to change", "Waiting for <@U0MARCO> or <@U0INES>", "Nothing to do for you."}},
		"that they are in":            {verified(decided(joiner(), lifecycle.Done, "marco@acme.test", lifecycle.Approve, ""), 2), []string{"You're in: New PagerDuty account", "invitation by e-mail", "phone number"}},
		"that it was denied":          {decided(joiner(), lifecycle.Denied, "marco@acme.test", lifecycle.Deny, "Not in my team"), []string{"will not be made", "Denied by <@U0MARCO>", "Not in my team"}},
		"nothing in observe mode":     {with(joiner(), func(r *lifecycle.Request) { r.Observe = true }), nil},
		"nothing of a finding that is being judged": {with(finding(), func(r *lifecycle.Request) {
			r.Subject = lifecycle.Subject{ID: "idn_mina", Email: "mina@acme.test", Name: "Mina Park"}
		}), nil},
		"nothing of a leaver": {with(leaver(), func(r *lifecycle.Request) {
			r.Subject = lifecycle.Subject{ID: "idn_mina", Email: "mina@acme.test", Name: "Mina Park"}
		}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.show(t, d.out(t), tt.r)
			got := texts(d.dm("U0MINA"))
			if tt.want == nil && got != "" {
				t.Errorf("was told:\n%s", got)
			}
			wants(t, got, tt.want...)
			d.clean(t)
		})
	}
}

func TestSubjectIsToldWhenWhatTheyWereToldOfIsTakenBack(t *testing.T) {
	t.Parallel()
	undone := with(decided(joiner(), lifecycle.Withdrawn, "marco@acme.test", lifecycle.Approve, ""), func(r *lifecycle.Request) {
		r.Note = "Undone by Marco before anything was changed."
	})
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, joiner())
	d.show(t, o, undone)
	wants(t, texts(d.dm("U0MINA")), "will not be made", "Undone by Marco")

	d = newDesk(t)
	d.show(t, d.out(t), undone)
	if got := texts(d.dm("U0MINA")); got != "" {
		t.Errorf("who knew of nothing was told:\n%s", got)
	}
}

func TestSubjectIsToldThatItTakesLonger(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, joiner())
	d.show(t, o, with(decided(joiner(), lifecycle.Failed, "marco@acme.test", lifecycle.Approve, ""), func(r *lifecycle.Request) { r.Note = "PagerDuty has no free seat." }))
	wants(t, texts(d.dm("U0MINA")), "takes longer than expected", "have been told")
	if strings.Contains(texts(d.dm("U0MINA")), "seat") {
		t.Error("the subject is told of seats")
	}
}

func TestAFailureIsToldToWhoeverApprovedIt(t *testing.T) {
	t.Parallel()
	failed := with(decided(mover(), lifecycle.Failed, "omar@acme.test", lifecycle.Approve, ""), func(r *lifecycle.Request) { r.Note = "PagerDuty says no." })
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, mover())
	d.show(t, o, failed)
	d.show(t, o, failed)
	got := d.dm("U0OMAR")
	sameCount(t, "card and line", len(got), 2)
	wants(t, got[1].Text, "What you approved is not done: Ben Ode", "PagerDuty says no.", "presses Retry")
	sameCount(t, "messages to who did not decide", len(d.dm("U0MARCO")), 1)
	sameCount(t, "messages to security", len(d.Messages("C0SECURITY")), 0)
	failed.Revision = 5 // it was retried, in vain
	d.show(t, o, failed)
	sameCount(t, "card and lines", len(d.dm("U0OMAR")), 3)
	d.clean(t)
}

func TestThatSomebodyIsContainedIsSaidWhereTheyDoNotRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.show(t, d.out(t), with(leaver(), func(r *lifecycle.Request) {
		r.State, r.Needed, r.Approvers, r.NotBefore = lifecycle.Applying, 0, nil, time.Time{}
		r.Changes = []lifecycle.Change{{ID: "chg_8", Op: lifecycle.OpContain, Entitlement: lifecycle.OnTeam(lifecycle.Team{ID: "PPAY", Name: "Payments"}, lifecycle.TeamManager), From: "manager", State: lifecycle.ChangePlanned}}
		r.Decisions = []lifecycle.Decision{{By: "policy", Verdict: lifecycle.Approve, Reason: "The policy contains leavers without asking.", At: noon, Via: lifecycle.ViaPolicy}}
	}))
	sameCount(t, "cards for security", len(d.Messages("C0SECURITY")), 1)
	sameCount(t, "cards in the team's channel", len(d.Messages("C0PAYMENTS")), 0)
	sameCount(t, "messages to the subject", len(d.dm("U0BEN")), 0)
	d.clean(t)
}

func TestAFailureOfWhatThePolicyApprovedIsToldToSecurity(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.show(t, d.out(t), with(leaver(), func(r *lifecycle.Request) {
		r.State, r.Needed, r.Approvers, r.Note = lifecycle.Failed, 0, nil, "PagerDuty says no."
		r.Decisions = []lifecycle.Decision{{By: "policy", Verdict: lifecycle.Approve, Reason: "The policy contains leavers without asking.", At: noon, Via: lifecycle.ViaPolicy}}
	}))
	wants(t, texts(d.Messages("C0SECURITY")), "What the policy approved is not done: Ben Ode", "PagerDuty says no.")
}

func TestObserveModeIsSaidOnEveryCopy(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.cfg.Mode = lifecycle.Observe
	d.show(t, d.out(t), with(mover(), func(r *lifecycle.Request) { r.Observe = true }))
	wants(t, texts(d.Messages("C0PLATFORM")), observing)
	wants(t, texts(d.dm("U0OMAR")), observing)
}

func TestShowOfNothingIsNotRepeated(t *testing.T) {
	t.Parallel()
	err := newDesk(t).out(t).show(t.Context(), lifecycle.Attempt{Ref: "req_none"})
	if job, ok := asJobError(err); !ok || !job.Permanent {
		t.Errorf("got %v, want a permanent failure", err)
	}
}
