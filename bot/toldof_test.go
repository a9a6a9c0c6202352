package bot

import (
	"strings"
	"testing"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func TestTheThreadSaysWhoChoseWhom(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, handover())
	asked := with(chosen(), func(r *lifecycle.Request) { r.Needed = 2 })
	d.show(t, o, asked)
	approved := decided(asked, lifecycle.Pending, "ines@acme.test", lifecycle.Approve, "")
	d.show(t, o, approved)
	again := with(asked, func(r *lifecycle.Request) { // a choice takes back what was approved before it
		r.Revision, r.Chosen.By, r.Chosen.Via, r.Chosen.At = 4, "ines@acme.test", lifecycle.ViaCLI, r.Chosen.At.Add(time.Hour)
	})
	d.show(t, o, again)
	d.show(t, o, decided(again, lifecycle.Pending, "ines@acme.test", lifecycle.Approve, ""))
	card := d.Messages("C0PAYMENTS")[0]
	notes := d.Thread("C0PAYMENTS", card.TS)[1:]
	sameCount(t, "notes", len(notes), 4)
	wants(t, notes[0].Text, "<@U0MARCO> chose who takes over:\n• incident #123 Checkout is down → Marco Rossi\n• level 2 of Payments-Crit: nobody follows", "What was approved before that counts no more.")
	wants(t, notes[1].Text, "<@U0INES> approved")
	wants(t, notes[2].Text, "<@U0INES> chose who takes over, at the command line:")
	wants(t, notes[3].Text, "<@U0INES> approved")
	wants(t, texts([]slacktest.Message{card}), "→ *Marco Rossi*", "Chosen by <@U0INES>")
	d.clean(t)
}

// inesTakesTwo is a handover that Marco approved, of which two duties go to Ines.
func inesTakesTwo(state lifecycle.RequestState) lifecycle.Request {
	return with(decided(chosen(), state, "marco@acme.test", lifecycle.Approve, "Agreed"), func(r *lifecycle.Request) {
		r.Changes[1] = handsTo("chg_2", r.Duties[1], "PINES")
		r.Changes[2] = handsTo("chg_3", r.Duties[2], "PINES")
	})
}

func TestWhoTakesOverIsTold(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	r := inesTakesTwo(lifecycle.Applying)
	d.show(t, o, verified(r, 2))
	if told := texts(d.dm("U0INES")); strings.Contains(told, "taken over") {
		t.Errorf("told before all of it is done: %s", told)
	}
	done := with(verified(r, 4), func(r *lifecycle.Request) { r.State, r.Revision = lifecycle.Done, 9 })
	d.show(t, o, done)
	d.show(t, o, done)
	wants(t, texts(d.dm("U0INES")), "You have taken over from Ana Ito in PagerDuty, checked Mon 4 May 13:04 UTC:\n• level 2 of Payments-Crit: 🔴 On call now, for good\n• a seat in Payments primary: Next on call <!date^1778144400", "<@U0MARCO> chose you.")
	wants(t, texts(d.dm("U0MARCO")), "• incident #123 Checkout is down: 🔴 Open now")
	sameCount(t, "what Ines is told", strings.Count(texts(d.dm("U0INES")), "taken over"), 1)
	d.clean(t)
}

func TestWhoTakesOverIsToldAlsoWhereTheRestFailed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	r := inesTakesTwo(lifecycle.Failed)
	half := with(verified(r, 2), func(r *lifecycle.Request) { r.State = lifecycle.Failed })
	d.show(t, o, half)
	d.show(t, o, half)
	wants(t, texts(d.dm("U0INES")), "You have taken over from Ana Ito in PagerDuty, checked Mon 4 May 13:02 UTC:\n• level 2 of Payments-Crit")
	sameCount(t, "what Ines is told half-way", strings.Count(texts(d.dm("U0INES")), "taken over"), 1)
	d.show(t, o, with(verified(r, 4), func(r *lifecycle.Request) { r.State, r.Revision = lifecycle.Done, 9 }))
	wants(t, texts(d.dm("U0INES")), "• a seat in Payments primary")
	sameCount(t, "what Ines is told", strings.Count(texts(d.dm("U0INES")), "taken over"), 2)
	sameCount(t, "what Marco is told", strings.Count(texts(d.dm("U0MARCO")), "taken over"), 1)
	d.clean(t)
}

func TestWhoHadTakenOverIsToldWhenThatIsUndone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	was := with(decided(chosen(), lifecycle.Applying, "marco@acme.test", lifecycle.Approve, "Agreed"), func(r *lifecycle.Request) {
		r.Changes[2] = handsTo("chg_3", r.Duties[2], "PINES")
	})
	was = with(verified(was, 4), func(r *lifecycle.Request) { r.State, r.Revision = lifecycle.Done, 9 })
	d.show(t, o, was)
	back := with(was, func(r *lifecycle.Request) {
		r.ID, r.Undoes, r.State = "req_undo", was.ID, lifecycle.Applying
		r.Changes, _ = was.TakesBack()
	})
	d.show(t, o, verified(back, 3))
	if told := texts(d.dm("U0INES")); strings.Contains(told, "yours no longer") {
		t.Errorf("told before all of it is done: %s", told)
	}
	done := with(verified(back, 4), func(r *lifecycle.Request) { r.State, r.Revision = lifecycle.Done, 10 })
	d.show(t, o, done)
	d.show(t, o, done)
	wants(t, texts(d.dm("U0INES")), "What you had taken over from Ana Ito in PagerDuty is theirs again, and yours no longer, checked Mon 4 May 13:04 UTC:\n• a seat in Payments primary")
	wants(t, texts(d.dm("U0MARCO")), "yours no longer, checked Mon 4 May 13:04 UTC:\n• incident #123 Checkout is down")
	sameCount(t, "what Ines is told of it", strings.Count(texts(d.dm("U0INES")), "yours no longer"), 1)
	d.clean(t)
}

// reached is a joiner's request once it was looked how they can be reached.
func reached(missing ...string) lifecycle.Request {
	return with(verified(decided(joiner(), lifecycle.Done, "ines@acme.test", lifecycle.Approve, ""), 2), func(r *lifecycle.Request) {
		r.Reach = &lifecycle.Reach{Missing: missing}
		r.Duties = []lifecycle.Duty{{Kind: lifecycle.KindSchedule, Shifts: []lifecycle.Shift{{From: hours(-30), Until: hours(-20)}, {From: hours(69), Until: hours(80)}}}}
	})
}

func TestAJoinerIsToldWhatIsMissingOnceForEachChangeOfIt(t *testing.T) {
	t.Parallel()
	const invited, phone = "You have not accepted the invitation: follow its link.", "You have no phone number, so you cannot be called: add one."
	for name, tt := range map[string]struct {
		looks [][]string
		want  []string
	}{
		"the same, looked at twice": {[][]string{{invited, phone}, {phone, invited}}, []string{invited + " " + phone}},
		"less and less":             {[][]string{{invited, phone}, {phone}, {}}, []string{invited, phone, "You can be paged now. Your next shift begins <!date^"}},
		"there and back":            {[][]string{{phone}, {}, {phone}, {}, {}}, []string{phone, "You can be paged now.", phone, "You can be paged now."}},
		"nothing from the start":    {[][]string{{}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			o := d.out(t)
			for i, missing := range tt.looks {
				r := reached(missing...)
				r.Revision += i
				d.show(t, o, r)
				d.show(t, o, r)
			}
			got := d.dm("U0MINA")
			sameCount(t, "messages", len(got), 1+len(tt.want)) // that she is in, and these
			for i, want := range tt.want {
				if i+1 < len(got) {
					wants(t, got[i+1].Text, want)
				}
			}
			d.clean(t)
		})
	}
}

func TestWhatAJoinerIsToldSurvivesACrash(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		d := newDesk(t)
		r := reached("You have no phone number: add one.")
		d.store.put(r)
		hook, died := dieAt(n)
		d.store.hook(hook)
		_ = d.out(t).show(t.Context(), lifecycle.Attempt{Ref: string(r.ID)})
		d.store.hook(nil)
		o := d.out(t)
		d.settle(t, func() error { return o.show(t.Context(), lifecycle.Attempt{Ref: string(r.ID)}) })
		sameCount(t, "messages", len(d.dm("U0MINA")), 2)
		if !died() {
			return
		}
	}
}

func TestTheManagerOfALeaverIsToldWhatWasTaken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		manager string
		want    bool
	}{
		"a manager who is known":    {"omar", true},
		"nobody is named":           {"", false},
		"somebody who is not known": {"E999", false},
		"themselves":                {"ana", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.store.policy.Leaver.DeleteAfter = 14 * 24 * time.Hour
			d.store.identities = append(d.store.identities, lifecycle.Identity{
				ID: "idn_ana", Keys: map[string]string{"okta": "ana"}, Person: lifecycle.Person{EmployeeID: "ana", ManagerID: tt.manager, Status: lifecycle.StatusEnded, Emails: []string{"ana@acme.test"}},
			})
			o := d.out(t)
			d.show(t, o, contained())
			d.show(t, o, contained())
			told := texts(d.dm("U0OMAR"))
			if !tt.want && told != "" {
				t.Errorf("Omar is told %q", told)
			}
			if tt.want {
				sameCount(t, "messages to the manager", len(d.dm("U0OMAR")), 1)
				wants(t, told, "Ana Ito has left and is contained in PagerDuty since Mon 4 May 13:05 UTC: sessions ended · calendar feed key replaced · Manager (`user`) → Restricted Access",
					"Stays on Payments until somebody takes over: level 2 of Payments-Crit.", "not before 14 days after the notice", "You are told because you are their manager.")
			}
			card := d.Messages("C0SECURITY")[0]
			wants(t, texts(d.Thread("C0SECURITY", card.TS)), "✅ Done, checked in PagerDuty", "Ana Ito has left and is contained", "is asked to choose who takes over")
			if told := texts(d.Messages("C0PAYMENTS")); strings.Contains(told, "contained") {
				t.Errorf("it is said where Ana may still be reading: %s", told)
			}
			d.clean(t)
		})
	}
}
