package bot

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

func secondsLong(n int) time.Duration { return time.Duration(n) * time.Second }

func found(n int, kind lifecycle.FindingKind, about string) lifecycle.Finding {
	return lifecycle.Finding{
		ID: lifecycle.FindingID(fmt.Sprintf("fnd_%s_%d", kind, n)), Kind: kind, Severity: lifecycle.SeverityMedium,
		Account:     lifecycle.AccountCard{ID: lifecycle.AccountID(fmt.Sprint("PACC", n)), Email: fmt.Sprintf("p%d@acme.test", n), Name: about, BaseRole: lifecycle.RoleAdmin},
		Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamManager), From: "manager", To: "responder", Since: noon, Source: "roll call",
	}
}

// fill gives Marco something of everything.
func (d *desk) fill() {
	l := d.store
	l.digests["marco@acme.test"] = noon.Add(-25 * time.Hour)
	l.put(mover())
	l.put(finding())
	l.put(with(verified(decided(joiner(), lifecycle.Done, "ines@acme.test", lifecycle.Approve, ""), 2), func(r *lifecycle.Request) { r.UpdatedAt = noon.Add(-time.Hour) }))
	stale := found(3, lifecycle.FoundStale, "Old Hand")
	var alike []lifecycle.Finding
	for i := range 12 {
		f := found(20+i, lifecycle.FoundStale, fmt.Sprintf("Idle %c", 'A'+i))
		f.Account.BaseRole, f.Entitlement, f.From, f.To, f.Severity = lifecycle.RoleResponder, lifecycle.Entitlement{Kind: lifecycle.KindAccount, Role: "limited_user"}, "limited_user", "", lifecycle.SeverityLow
		f.Since = noon.AddDate(0, 0, -i)
		f.Note, f.Proxy = "has not signed in for 120 days.", "PagerDuty analytics, up to 24 h old"
		l.accounts = append(l.accounts, lifecycle.Account{ID: f.Account.ID, Email: f.Account.Email, Name: f.Account.Name, BaseRole: lifecycle.RoleResponder, Teams: []lifecycle.Membership{{Team: pay, Role: lifecycle.TeamResponder}}})
		alike = append(alike, f)
	}
	alone := found(40, lifecycle.FoundExcess, "Only One")
	alone.Account.BaseRole = lifecycle.RoleResponder
	stale.Note, stale.Proxy = "has not signed in for 120 days.", "PagerDuty analytics, up to 24 h old"
	kept := found(4, lifecycle.FoundExcess, "Kept Kim")
	kept.Exception = "exc_1"
	drift := found(5, lifecycle.FoundDrift, "Dana Roe")
	drift.MadeBy = "Sam Ito in the web app at 02:14 UTC on 4 May"
	untold := found(6, lifecycle.FoundDrift, "Eve Low")
	untold.Note = "PagerDuty's audit records do not tell who made it so."
	invited := found(7, lifecycle.FoundInvitePending, "New Hand")
	invited.Note = "was invited and has not accepted, seen pending since 1 May 2026: cannot be paged."
	l.found = []lifecycle.Finding{found(1, lifecycle.FoundLeaverPresent, "Ana Gone"), drift, untold, found(2, lifecycle.FoundExcess, "Max More"), stale, alone, kept, invited}
	l.found = append(l.found, alike...)
	l.exceptions = []lifecycle.Exception{{ID: "exc_1", Finding: kept.ID, By: "ines@acme.test", Reason: "covers the night", Since: noon, Until: noon.Add(72 * time.Hour), Held: "manager"}}
}

// places are findings that have no account: of a deleted one, and of none at all.
func places() []lifecycle.Finding {
	at := func(n int, e lifecycle.Entitlement, name, note string) lifecycle.Finding {
		f := found(n, lifecycle.FoundOrphan, name)
		f.Account, f.Entitlement, f.From, f.To, f.Note = lifecycle.AccountCard{Name: name}, e, "", "", note
		return f
	}
	ds := duties()
	return []lifecycle.Finding{
		at(8, ds[1].Entitlement(), "Old Hand", "Level 2 of Payments-Crit still calls Old Hand, whose account was deleted: nobody answers there."),
		at(9, ds[2].Entitlement(), "", "Schedule Payments primary has nobody in it. It is called by level 1 of Payments-Crit."),
	}
}

func TestAPlaceWhereNobodyAnswersIsSaidAsOne(t *testing.T) {
	t.Parallel()
	v := digestView{frame: testFrame(), d: lifecycle.Digest{At: noon, Others: places()}}
	m := v.message()
	within(t, m)
	wants(t, readBlocks(t, m.Blocks), "*Nobody answers there* (2)\n• Level 2 of Payments-Crit still calls Old Hand, whose account was deleted: nobody answers there.\n• Schedule Payments primary has nobody in it. It is called by level 1 of Payments-Crit.")
	if text := readBlocks(t, m.Blocks); strings.Contains(text, "More than policy says") || strings.Contains(text, "no role") {
		t.Errorf("it is said as somebody's account:\n%s", text)
	}
	wants(t, strings.Join(tally(places()), "\n"), "`nobody answers ██████████    2`")
}

// hostileBundle is n findings by which somebody tries to be more than a name.
func hostileBundle(i, n int) lifecycle.Bundle {
	b := lifecycle.Bundle{Kind: lifecycle.FoundStale, Severity: lifecycle.SeverityLow, Of: lifecycle.KindTeamRole, Role: "<!here> *x*", Team: lifecycle.Team{ID: "P", Name: "<!channel> & 𝔘"}, Proxy: "<https://evil.test|trust>", Reducible: true}
	for k := range n {
		f := found(i*10+k, lifecycle.FoundStale, strings.Repeat("✅ <!channel> & 𝔘 ", 20))
		f.Note, f.Proxy = "*not* <@U1> `used`", b.Proxy
		b.Findings = append(b.Findings, f)
	}
	return b
}

func TestADigestOfBadNames(t *testing.T) {
	t.Parallel()
	v := digestView{frame: testFrame(), d: lifecycle.Digest{At: noon, Bundles: []lifecycle.Bundle{hostileBundle(1, 1), hostileBundle(2, 4)}, Others: []lifecycle.Finding{hostileBundle(3, 1).Findings[0]}}}
	m := v.message()
	within(t, m)
	golden(t, "digest/hostile.txt", []byte("push: "+m.Text+"\n\n"+readBlocks(t, m.Blocks)+"\n"))
}

func TestATeamsDigestIsForNobodyAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.fill()
	v := digestView{frame: testFrame(), team: "Payments", d: lifecycle.Digest{At: noon, Waiting: []lifecycle.Request{mover()}, Bundles: []lifecycle.Bundle{hostileBundle(2, 4)}}}
	m := v.message()
	within(t, m)
	text := readBlocks(t, m.Blocks)
	wants(t, text, "Payments: PagerDuty access digest", "*Needs the owners today* (1)", "Only the owners and Security can decide")
	if strings.Contains(text, "you ") {
		t.Errorf("it speaks to one person:\n%s", text)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.fill()
	o := d.out(t)
	if err := o.digest(t.Context(), "Marco@acme.test"); err != nil {
		t.Fatal(err)
	}
	got := d.dm("U0MARCO")
	sameCount(t, "digests", len(got), 1)
	golden(t, "digest/marco.txt", []byte("push: "+got[0].Text+"\n\n"+slacktest.PlainText(got[0].Blocks)+"\n"))
	sameCount(t, "digests on record", d.store.count(lifecycle.EventDigestSent), 1)
	d.clean(t)
}

func TestDigestIsSentOnceADay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.fill()
	for range 2 {
		if err := d.out(t).digest(t.Context(), "marco@acme.test"); err != nil {
			t.Fatal(err)
		}
	}
	sameCount(t, "digests on the first day", len(d.dm("U0MARCO")), 1)
	d.forward(24 * time.Hour)
	if err := d.out(t).digest(t.Context(), "marco@acme.test"); err != nil {
		t.Fatal(err)
	}
	sameCount(t, "digests on two days", len(d.dm("U0MARCO")), 2)
}

func TestDigestSurvivesACrashAnywhere(t *testing.T) {
	t.Parallel()
	for n := 1; ; n++ {
		d := newDesk(t)
		d.fill()
		hook, died := dieAt(n)
		d.store.hook(hook)
		err := d.out(t).digest(t.Context(), "marco@acme.test")
		if !died() {
			return
		}
		if err == nil {
			t.Fatalf("dying at operation %d went unnoticed", n)
		}
		d.store.hook(nil)
		o := d.out(t)
		d.settle(t, func() error { return o.digest(t.Context(), "marco@acme.test") })
		sameCount(t, "digests", len(d.dm("U0MARCO")), 1)
	}
}

func TestEmptyDigestIsQuiet(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if err := d.out(t).digest(t.Context(), "marco@acme.test"); err != nil {
		t.Fatal(err)
	}
	sameCount(t, "messages", len(d.dm("U0MARCO")), 0)
	if d.store.digests["marco@acme.test"].IsZero() {
		t.Error("the digest is due again")
	}
}

func TestDigestOfSomebodyOutsideSlackIsSecuritysBusiness(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.fill()
	d.DeleteUser("U0MARCO")
	if err := d.out(t).digest(t.Context(), "marco@acme.test"); err != nil {
		t.Fatal(err)
	}
	sameCount(t, "alerts", len(d.store.jobs), 1)
	wants(t, d.store.jobs[0].Ref, "marco@acme.test", "cannot be reached")
	if d.store.digests["marco@acme.test"].IsZero() {
		t.Error("the digest is due again")
	}
}

func TestOneFailingDigestDoesNotKeepTheOthersBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.fill()
	for _, who := range d.store.policy.People() {
		d.store.digests[who] = noon.Add(-25 * time.Hour)
	}
	d.Fail("chat.postMessage", slacktest.Fault{Error: "fatal_error", Channel: "U0INES"})
	o := d.out(t)
	if err := o.digests(t.Context(), lifecycle.Attempt{}); err == nil {
		t.Error("the failure went unnoticed")
	}
	sameCount(t, "digests for Marco", len(d.dm("U0MARCO")), 1)
	sameCount(t, "digests for Ines", len(d.dm("U0INES")), 0)
	d.ClearFaults()
	if err := o.digests(t.Context(), lifecycle.Attempt{}); err != nil {
		t.Fatal(err)
	}
	sameCount(t, "digests for Marco", len(d.dm("U0MARCO")), 1)
	sameCount(t, "digests for Ines", len(d.dm("U0INES")), 1)
}

func TestDigestOfFiveThousandFindingsIsOneMessage(t *testing.T) {
	t.Parallel()
	v := digestView{d: lifecycle.Digest{At: noon, For: lifecycle.Identity{Person: lifecycle.Person{Emails: []string{"marco@acme.test"}}}}, frame: frame{p: testPolicy(), mode: lifecycle.Observe, now: noon, loc: time.UTC}}
	for i := range 5000 {
		for _, p := range digestParts() {
			f := found(i, lifecycle.FoundOrphan, strings.Repeat("<!channel> & 𝔘 ", 200))
			if p.places {
				f.Account.ID, f.Entitlement.Kind = "", lifecycle.KindSchedule
			} else {
				f.Kind = p.kinds[0]
			}
			f.Note, f.MadeBy, f.Proxy = f.Account.Name, f.Account.Name, f.Account.Name
			v.d.Findings, v.d.Others = append(v.d.Findings, f), append(v.d.Others, f)
		}
		r := hostile()
		r.State, r.ID = lifecycle.Pending, lifecycle.RequestID(fmt.Sprint("req_", i))
		v.d.Waiting = append(v.d.Waiting, r)
		v.d.Bundles = append(v.d.Bundles, hostileBundle(i, i%3+1))
		v.d.Done = append(v.d.Done, hostile())
		v.d.Ending = append(v.d.Ending, lifecycle.Exception{Finding: "fnd_x", By: "<@U1>", Reason: strings.Repeat("*x* ", 500), Until: noon})
		if i == 60 {
			break
		}
	}
	m := v.message()
	within(t, m)
	wants(t, readBlocks(t, m.Blocks), "more: `/rolecall inbox`", "more: `/rolecall findings`", "more in 52 rows, the lesser risks, did not fit in here: `/rolecall findings` lists them.")
	d := newDesk(t)
	if _, _, err := d.out(t).box.post(t.Context(), "C0SECURITY", "", m); err != nil {
		t.Fatal(err)
	}
	if len(d.Messages("C0SECURITY")[0].Blocks) == 0 {
		t.Error("Slack did not take the blocks")
	}
	d.clean(t)
}

func TestAlertIsToldOnceADay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	sentence := "Stopped: 140 leaver notices in 5 min (limit 10) <!channel>."
	for range 3 {
		if err := d.out(t).alert(t.Context(), lifecycle.Attempt{Ref: sentence}); err != nil {
			t.Fatal(err)
		}
	}
	sameCount(t, "alerts", len(d.Messages("C0SECURITY")), 1)
	wants(t, texts(d.Messages("C0SECURITY")), "140 leaver notices", "&lt;!channel&gt;")
	d.forward(24 * time.Hour)
	if err := d.out(t).alert(t.Context(), lifecycle.Attempt{Ref: sentence}); err != nil {
		t.Fatal(err)
	}
	sameCount(t, "alerts on two days", len(d.Messages("C0SECURITY")), 2)
	d.clean(t)
}

func TestAnAlertLinksToTheCardOfWhatItNames(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c, r := caseCards()["person"], mover()
	h, people := stopped(lifecycle.HoldLeavers, 12)
	d.store.putCase(c)
	d.store.putHold(h, people)
	o := d.out(t)
	d.show(t, o, r)
	for ref, step := range map[string]func(context.Context, lifecycle.Attempt) error{string(c.ID): o.showCase, string(h.ID): o.showHold} {
		if err := step(t.Context(), lifecycle.Attempt{Ref: ref}); err != nil {
			t.Fatal(err)
		}
	}
	for sentence, linked := range map[string]bool{
		"12 people still wait (hld_1).": true, "Nobody has answered cas_mina.": true, "Look at req_mover again.": true,
		"Look at req_none.": false, "The policy names nobody.": false,
	} {
		if err := o.alert(t.Context(), lifecycle.Attempt{Ref: sentence}); err != nil {
			t.Fatal(err)
		}
		said := d.Messages("C0SECURITY")
		if got := strings.Contains(said[len(said)-1].Text, "|See its card>"); got != linked {
			t.Errorf("%q links: %v, want %v: %s", sentence, got, linked, said[len(said)-1].Text)
		}
	}
	d.Fail("chat.getPermalink", slacktest.Fault{Error: "fatal_error"})
	if err := o.alert(t.Context(), lifecycle.Attempt{Ref: "hld_1 waits for two days."}); err != nil {
		t.Errorf("an alert was kept back for want of a link: %v", err)
	}
	d.clean(t)
}

func TestAlertFindsSecurityWithoutTheirChannel(t *testing.T) {
	t.Parallel()
	for name, breakIt := range map[string]func(*desk){
		"it is archived":        func(d *desk) { d.ChangeChannel("C0SECURITY", func(c *slacktest.Channel) { c.Archived = true }) },
		"the policy names none": func(d *desk) { d.store.policy.Security.Channel = "" },
		"one member is not here": func(d *desk) {
			d.store.policy.Security.Channel = ""
			d.store.policy.Security.Members = append(d.store.policy.Security.Members, "gone@acme.test")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			breakIt(d)
			o := d.out(t)
			for range 2 {
				if err := o.alert(t.Context(), lifecycle.Attempt{Ref: "Look at this."}); err != nil {
					t.Fatal(err)
				}
			}
			sameCount(t, "alerts for Priya", len(d.dm("U0PRIYA")), 1)
			sameCount(t, "alerts for Lee", len(d.dm("U0LEE")), 1)
		})
	}
	d := newDesk(t)
	d.store.policy.Security = lifecycle.Security{}
	if err := d.out(t).alert(t.Context(), lifecycle.Attempt{Ref: "Look at this."}); err == nil {
		t.Error("an alert that reached nobody passed for told")
	}
}

func TestRemindOnlyThoseWhoHaveNotDecided(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	r := with(leaver(), func(r *lifecycle.Request) { r.Needed = 2; r.Approvers = []string{"marco@acme.test", "ines@acme.test"} })
	d.show(t, o, r)
	r = decided(r, lifecycle.Pending, "marco@acme.test", lifecycle.Approve, "Left")
	d.show(t, o, r)
	for range 2 {
		if err := o.remind(t.Context(), lifecycle.Attempt{Ref: string(r.ID)}); err != nil {
			t.Fatal(err)
		}
	}
	sameCount(t, "messages to who has decided", len(d.dm("U0MARCO")), 1)
	got := d.dm("U0INES")
	sameCount(t, "card and reminder", len(got), 2)
	wants(t, got[1].Text, "Still waiting for you: Ben Ode", "Decide by")
	if got[1].ThreadTS != got[0].TS {
		t.Error("the reminder does not stand under the card")
	}
	d.clean(t)
}

func TestAReminderNeedsNoCardToStandUnder(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, mover())
	dm := d.DirectMessage("U0OMAR")
	d.Fail("chat.postMessage", slacktest.Fault{Error: "thread_not_found", Channel: dm, Times: 1}) // an admin has deleted the card
	if err := o.remind(t.Context(), lifecycle.Attempt{Ref: "req_mover"}); err != nil {
		t.Fatal(err)
	}
	wants(t, texts(d.Messages(dm)), "Still waiting for you: Ben Ode")
}

func TestRemindOfWhatIsSettledIsQuiet(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.store.put(decided(mover(), lifecycle.Denied, "ines@acme.test", lifecycle.Deny, "No"))
	if err := d.out(t).remind(t.Context(), lifecycle.Attempt{Ref: "req_mover"}); err != nil {
		t.Fatal(err)
	}
	sameCount(t, "calls", len(d.Calls("chat.postMessage")), 0)
}

func TestModals(t *testing.T) {
	t.Parallel()
	f, meta := testFrame(), encodeMeta("req_x:1", place{"C0PAYMENTS", "1.1"})
	for name, v := range map[string]slack.ModalViewRequest{
		"approve":        approveModal(leaver(), f, meta),
		"revoke":         revokeModal(finding(), f, meta),
		"deny":           denyModal(mover(), f, meta),
		"keep":           keepModal(finding(), f, meta),
		"deny_missing":   keepModal(with(joiner(), func(r *lifecycle.Request) { r.Why.Find = "fnd_2" }), f, meta),
		"deny_observing": denyModal(with(mover(), func(r *lifecycle.Request) { r.Observe = true }), f, meta),
		"hostile":        keepModal(hostile(), f, meta),

		"choose":         chooseModal(handover(), f, "req_handover:1", place{"C0PAYMENTS", "1.1"}),
		"choose_again":   chooseModal(chosen(), f, "req_handover:2", place{}),
		"choose_many":    chooseModal(manyHanded(30, 100, plainName), f, "req_handover:1", place{}),
		"choose_pages":   chooseModal(manyHanded(45, 3, plainName), f, "req_handover:1", place{}),
		"choose_hostile": chooseModal(manyHanded(3, 4, badName), f, "req_handover:1", place{}),
		"choose_nobody":  chooseModal(with(handover(), func(r *lifecycle.Request) { r.Candidates = nil }), f, "req_handover:1", place{}),
		"approve_plan":   approveModal(with(chosen(), func(r *lifecycle.Request) { r.Changes = append(r.Changes, leaver().Changes...) }), f, meta),
		"undo":           undoModal(verified(with(chosen(), func(r *lifecycle.Request) { r.State = lifecycle.Done }), 4), f, meta),
		"undo_contained": undoModal(contained(), f, meta),

		"ask":            askModal(mover(), f, "ben@acme.test", meta),
		"ask_nobody":     askModal(leaver(), f, "", meta),
		"ask_hostile":    askModal(hostile(), f, "<!channel>@acme.test", meta),
		"reply":          replyModal(questioned(), f, 1, meta),
		"reply_hostile":  replyModal(hostilelyAsked(), f, 1, meta),
		"assign":         assignModal(mover(), f, meta),
		"assign_hostile": assignModal(hostile(), f, meta),
		"plan":           planModal(with(chosen(), func(r *lifecycle.Request) { r.Changes = append(r.Changes, leaver().Changes...) }), f),
		"plan_joiner":    planModal(joiner(), f),
		"plan_hostile":   planModal(hostile(), f),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "modal/"+name+".txt", []byte(v.Title.Text+"\n\n"+readBlocks(t, v.Blocks.BlockSet)+"\n"))
			golden(t, "modal/"+name+".json", encoded(t, v))
		})
	}
}

func home(n int) homeData {
	d := homeData{
		Viewer: lifecycle.Identity{ID: "idn_marco", Person: lifecycle.Person{Emails: []string{"marco@acme.test"}, Name: "Marco"}},
		frame:  testFrame(),
	}
	d.Standing = lifecycle.Standing{
		Identity: d.Viewer, AsOf: noon,
		Account:  &lifecycle.Account{ID: "PMARCO", BaseRole: lifecycle.RoleManager, Teams: []lifecycle.Membership{{Team: pay, Role: lifecycle.TeamManager}}},
		Want:     lifecycle.Want{Rules: []string{"payments-lead"}, BaseRole: lifecycle.RoleManager, Teams: []lifecycle.Membership{{Team: pay, Role: lifecycle.TeamManager}}},
		Requests: []lifecycle.Request{verified(decided(joiner(), lifecycle.Done, "ines@acme.test", lifecycle.Approve, ""), 2)},
	}
	kept := found(9, lifecycle.FoundExcess, "Kept Kim")
	kept.Exception = "exc_9"
	for i := range n {
		d.Inbox = append(d.Inbox, with(mover(), func(r *lifecycle.Request) { r.ID = lifecycle.RequestID(fmt.Sprint("req_", i)) }))
		d.Teams = append(d.Teams, homeTeam{Team: d.p.Teams[0]})
		for j := range n {
			d.Teams[i].Holders = append(d.Teams[i].Holders, lifecycle.Holder{Account: lifecycle.Account{Name: fmt.Sprint("Holder ", j), BaseRole: lifecycle.RoleResponder}, Role: lifecycle.TeamResponder})
		}
		d.Findings = append(d.Findings, found(i, lifecycle.FoundExcess, "Max More"), kept)
		d.Ending = append(d.Ending, lifecycle.Exception{Finding: kept.ID, By: "ines@acme.test", Reason: "covers", Until: noon.Add(time.Hour)})
	}
	return d
}

// halfDecided is the home of somebody who waits for a second approval.
func halfDecided() homeData {
	d := home(0)
	d.mode = lifecycle.Observe
	d.Inbox = []lifecycle.Request{decided(leaver(), lifecycle.Pending, "marco@acme.test", lifecycle.Approve, "Left")}
	return d
}

func TestHomes(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]homeData{"empty": home(0), "one": home(1), "many": home(40), "half_decided": halfDecided()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := homeView(d)
			golden(t, "home/"+name+".txt", []byte(readBlocks(t, v.Blocks.BlockSet)+"\n"))
			if n := len(v.Blocks.BlockSet); n > maxView {
				t.Errorf("%d blocks, want at most %d", n, maxView)
			}
			w := newDesk(t)
			if err := w.out(t).box.publishHome(t.Context(), "U0MARCO", v); err != nil {
				t.Error(err)
			}
			w.clean(t)
		})
	}
}
