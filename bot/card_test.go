package bot

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

var (
	noon   = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	pay    = lifecycle.Team{ID: "PPAYSRE", Name: "Payments"}
	plat   = lifecycle.Team{ID: "PPLATFM", Name: "Platform"}
	known3 = map[string]lifecycle.SlackID{"marco@acme.test": "U0MARCO", "ines@acme.test": "U0INES", "omar@acme.test": "U0OMAR"}
)

func testPolicy() lifecycle.Policy {
	return lifecycle.Policy{
		SHA256:   "7c1e5a0b9d",
		Defaults: lifecycle.Defaults{Hold: 10 * time.Minute, Approval: lifecycle.Approval{Mode: lifecycle.ApprovalQuorum, N: 1, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners}}},
		Domains:  []string{"acme.test"},
		Security: lifecycle.Security{Channel: "C0SECURITY", Members: []string{"priya@acme.test", "lee@acme.test"}},
		Teams: []lifecycle.TeamPolicy{
			{Name: "Payments", ID: "PPAYSRE", Owners: []string{"marco@acme.test", "ines@acme.test"}, Channel: "C0PAYMENTS"},
			{Name: "Platform", ID: "PPLATFM", Owners: []string{"omar@acme.test"}, Channel: "C0PLATFORM"},
		},
	}
}

func testFrame() frame {
	return frame{p: testPolicy(), mode: lifecycle.Enforce, now: noon, loc: time.UTC, names: known3}
}

// frameIn is testFrame in mode m; "" is to enforce.
func frameIn(m lifecycle.Mode) frame {
	f := testFrame()
	f.mode = cmp.Or(m, f.mode)
	return f
}

// mover is Ben, who moves from Payments to Platform.
func mover() lifecycle.Request {
	return lifecycle.Request{
		ID: "req_mover", Kind: lifecycle.RequestMover, State: lifecycle.Pending, Revision: 1,
		Subject: lifecycle.Subject{ID: "idn_ben", Email: "ben@acme.test", Name: "Ben Ode"},
		Account: lifecycle.AccountRef{ID: "PBEN"},
		Holds: []lifecycle.Grant{
			{Account: "PBEN", Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "limited_user"}},
			{Account: "PBEN", Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamManager)},
		},
		Changes: []lifecycle.Change{
			{ID: "chg_1", Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(plat, lifecycle.TeamResponder), To: "responder", State: lifecycle.ChangePlanned},
			{ID: "chg_2", Op: lifecycle.OpRevoke, Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamManager), From: "manager", State: lifecycle.ChangePlanned},
		},
		Why:       lifecycle.Why{Rule: "platform-sre", Event: "Moved Payments → Platform on 2 May (okta).", Notice: "ntc_1", Policy: "7c1e5a0b9d"},
		Effects:   []string{"Is level 2 of Payments-Crit on Payments: PagerDuty refuses the removal until somebody else takes that."},
		Approvers: []string{"omar@acme.test", "marco@acme.test", "ines@acme.test"}, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners},
		Needed: 1, Silence: lifecycle.SilenceDeny, OpenedAt: noon, UpdatedAt: noon, DecideBy: noon.Add(72 * time.Hour),
	}
}

func decided(r lifecycle.Request, s lifecycle.RequestState, by string, v lifecycle.Verdict, reason string) lifecycle.Request {
	r.State = s
	r.Revision++
	r.UpdatedAt = noon.Add(time.Hour)
	r.Decisions = append(r.Decisions, lifecycle.Decision{By: by, ByID: lifecycle.IdentityID("idn_" + strings.TrimSuffix(by, "@acme.test")), Verdict: v, Reason: reason, At: noon.Add(time.Hour), Via: lifecycle.ViaSlack, Seen: 1})
	return r
}

func verified(r lifecycle.Request, n int) lifecycle.Request {
	for i := range n {
		r.Changes[i].State, r.Changes[i].VerifiedAt = lifecycle.ChangeVerified, noon.Add(time.Hour+time.Duration(i+1)*time.Minute)
	}
	return r
}

func leaver() lifecycle.Request {
	r := mover()
	r.ID, r.Kind, r.Needed, r.Silence = "req_leaver", lifecycle.RequestLeaver, 2, lifecycle.SilenceKeep
	r.Why = lifecycle.Why{Event: "Left on 2 May (okta).", Notice: "ntc_2", Policy: "7c1e5a0b9d"}
	r.Changes = []lifecycle.Change{{ID: "chg_9", Op: lifecycle.OpDelete, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount, Role: "restricted_access"}, From: "restricted_access", State: lifecycle.ChangePlanned}}
	r.Effects = []string{"Deletion is final: contact methods, notification rules and personal API keys go with the account."}
	r.NotBefore = noon.Add(14 * 24 * time.Hour)
	return r
}

func finding() lifecycle.Request {
	r := mover()
	r.ID, r.Kind, r.Silence = "req_drift", lifecycle.RequestDrift, lifecycle.SilenceKeep
	r.Subject = lifecycle.Subject{ID: "idn_dana", Email: "dana@acme.test", Name: "Dana Roe"}
	r.Why = lifecycle.Why{Event: "Dana Roe was given Global Admin (admin) with no decision on file; policy says Responder (limited_user).", Find: "fnd_1", Policy: "7c1e5a0b9d"}
	r.Holds[0].Entitlement.Role = "admin"
	r.Changes = []lifecycle.Change{{ID: "chg_7", Op: lifecycle.OpReplace, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "limited_user"}, From: "admin", To: "limited_user", State: lifecycle.ChangePlanned}}
	r.Effects, r.Approvers = nil, []string{"marco@acme.test", "ines@acme.test"}
	return r
}

func joiner() lifecycle.Request {
	r := mover()
	r.ID, r.Kind = "req_joiner", lifecycle.RequestJoiner
	r.Subject = lifecycle.Subject{ID: "idn_mina", Email: "mina@acme.test", Name: "Mina Park"}
	r.Account, r.Holds, r.Effects = lifecycle.AccountRef{}, nil, nil
	r.Why = lifecycle.Why{Rule: "payments-sre", Event: "Joined Payments on 4 May (workday).", Notice: "ntc_3", Policy: "7c1e5a0b9d"}
	r.Changes = []lifecycle.Change{
		{ID: "chg_1", Op: lifecycle.OpCreate, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount, Role: "limited_user"}, To: "limited_user", State: lifecycle.ChangePlanned},
		{ID: "chg_2", Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamResponder), To: "responder", State: lifecycle.ChangePlanned},
	}
	r.Approvers = []string{"marco@acme.test", "ines@acme.test"}
	return r
}

func with(r lifecycle.Request, f func(*lifecycle.Request)) lifecycle.Request {
	f(&r)
	return r
}

func hostile() lifecycle.Request {
	bad := "<!channel> *bold* _it_ ~no~ `code` <https://evil.test|Approve> <@U0MARCO> @here :white_check_mark: ✅ Done \u202Eevil\u202C\n*Why*  all is well & fine 👩‍🚒𝔘𝔫𝔦 שלום "
	r := mover()
	r.ID = "req_hostile"
	r.Subject.Name = strings.Repeat(bad, 3000/utf8.RuneCountInString(bad)+1)
	r.Why.Event, r.Why.Rule = strings.Repeat(bad, 60), strings.Repeat("rule_*x*, ", 300)
	r.Effects = nil
	for range 40 {
		r.Effects = append(r.Effects, strings.Repeat(bad, 30))
	}
	r.Changes = nil
	for i := range 60 {
		team := lifecycle.Team{ID: lifecycle.TeamID(fmt.Sprint("P", i)), Name: bad + fmt.Sprint(i)}
		r.Changes = append(r.Changes, lifecycle.Change{Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(team, "responder"), To: "<responder>", State: lifecycle.ChangeFailed, Error: bad})
	}
	r = decided(r, lifecycle.Failed, bad, lifecycle.Approve, strings.Repeat(bad, 20))
	r.Note = strings.Repeat(bad, 30)
	return r
}

// cards are the states of a card, by the name of their golden file.
func cards() map[string]shownCard {
	omar := viewer{Email: "omar@acme.test"}
	approved := func(s lifecycle.RequestState) lifecycle.Request {
		return decided(mover(), s, "omar@acme.test", lifecycle.Approve, "Agreed with Payments")
	}
	all := map[string]shownCard{
		"pending":          {r: mover()},
		"pending_approver": {r: mover(), v: omar},
		"pending_joiner":   {r: joiner()},
		"pending_one_of_two": {r: with(leaver(), func(r *lifecycle.Request) {
			*r = decided(*r, lifecycle.Pending, "omar@acme.test", lifecycle.Approve, "He has left, shifts are handed over")
		})},
		"pending_escalated": {r: with(mover(), func(r *lifecycle.Request) {
			r.Escalated, r.Silence = true, lifecycle.SilenceEscalate
			r.Approvers = append(r.Approvers, "priya@acme.test", "lee@acme.test")
		})},
		"pending_working_hours": {r: with(mover(), func(r *lifecycle.Request) {
			r.Hours, r.Zone, r.DecideBy = office, "Europe/London", noon.Add(8*24*time.Hour+3*time.Hour+30*time.Minute)
		}), v: omar},
		"pending_not_asked": {r: mover(), v: viewer{Email: "gone@acme.test"}},
		"pending_nobody":    {r: with(mover(), func(r *lifecycle.Request) { r.Approvers = nil; r.DecideBy = time.Time{} })},
		"observe_pending":   {r: with(mover(), func(r *lifecycle.Request) { r.Observe = true }), m: lifecycle.Observe},
		"observe_approved":  {r: with(approved(lifecycle.Approved), func(r *lifecycle.Request) { r.Observe = true }), m: lifecycle.Observe},
		"observed_before":   {r: with(mover(), func(r *lifecycle.Request) { r.Observe = true })},
		"paused_pending":    {r: mover(), m: lifecycle.Observe},
		"paused_approved":   {r: approved(lifecycle.Approved), m: lifecycle.Observe},
		"paused_done":       {r: verified(approved(lifecycle.Done), 2), m: lifecycle.Observe},
		"approved":          {r: approved(lifecycle.Approved)},
		"holding":           {r: with(decided(leaver(), lifecycle.Holding, "ines@acme.test", lifecycle.Approve, "Agreed"), func(r *lifecycle.Request) { r.HoldUntil = noon.Add(70 * time.Minute) })},
		"applying":          {r: verified(approved(lifecycle.Applying), 1)},
		"waiting_for_pagerduty": {r: with(approved(lifecycle.Applying), func(r *lifecycle.Request) {
			r.Note = "PagerDuty is not answering. It will be tried again."
			r.Changes[0].State = lifecycle.ChangeApplied
		})},
		"done":         {r: verified(approved(lifecycle.Done), 2)},
		"done_decider": {r: verified(approved(lifecycle.Done), 2), v: omar},
		"done_other":   {r: verified(approved(lifecycle.Done), 2), v: viewer{Email: "ines@acme.test"}},
		"failed": {r: with(verified(approved(lifecycle.Failed), 1), func(r *lifecycle.Request) {
			r.Changes[1].State, r.Changes[1].Error = lifecycle.ChangeFailed, "PagerDuty says he is a target of policy Refunds"
			r.Note = r.Changes[1].Error
		})},
		"blocked": {r: with(approved(lifecycle.Blocked), func(r *lifecycle.Request) {
			r.Note = "Ben Ode was Payments: manager when this was approved, and is Payments: responder now."
		})},
		"denied": {r: decided(mover(), lifecycle.Denied, "ines@acme.test", lifecycle.Deny, "He stays with us until June")},
		"expired": {r: with(mover(), func(r *lifecycle.Request) {
			r.State, r.Revision, r.Note = lifecycle.Expired, 2, "Nobody decided in time. Nothing was changed."
		})},
		"withdrawn": {r: with(mover(), func(r *lifecycle.Request) {
			r.State, r.Revision, r.Note = lifecycle.Withdrawn, 2, "Superseded by a newer notice."
		})},
		"withdrawn_midway": {r: with(verified(approved(lifecycle.Withdrawn), 1), func(r *lifecycle.Request) {
			r.Note = "Superseded by a newer notice."
			r.Changes[1].State, r.Changes[1].Error = lifecycle.ChangeFailed, "PagerDuty says he is a target of policy Refunds"
		})},
		"pending_lapsed": {r: with(leaver(), func(r *lifecycle.Request) {
			*r = decided(*r, lifecycle.Pending, "marco@acme.test", lifecycle.Approve, "He has left")
			*r = decided(*r, lifecycle.Pending, "omar@acme.test", lifecycle.Approve, "Shifts are handed over")
			r.Decisions[1].Lapsed = true
			r.Approvers = []string{"marco@acme.test", "ines@acme.test"}
		})},
		"pending_asked_again": {r: with(leaver(), func(r *lifecycle.Request) {
			*r = decided(*r, lifecycle.Pending, "omar@acme.test", lifecycle.Approve, "Shifts are handed over")
			r.Decisions[0].Lapsed = true
		}), v: omar},
		"pending_invisible_name": {r: with(mover(), func(r *lifecycle.Request) { r.Subject.Name = "\u200B\u3164 \u2800" })},
		"by_policy": {r: with(joiner(), func(r *lifecycle.Request) {
			r.State, r.Needed, r.Approvers = lifecycle.Approved, 0, nil
			r.Decisions = []lifecycle.Decision{{By: "policy", Verdict: lifecycle.Approve, Reason: "Rule payments-sre approves this by itself.", At: noon, Via: lifecycle.ViaPolicy, Seen: 1}}
		})},
		"finding": {r: finding()},
		"finding_missing": {r: with(joiner(), func(r *lifecycle.Request) {
			r.ID, r.Kind, r.Why.Find, r.Silence = "req_missing", lifecycle.RequestDrift, "fnd_2", lifecycle.SilenceKeep
			r.Why.Event = "Mina Park should hold Responder (limited_user) and holds nothing there."
		})},
		"finding_kept": {r: with(decided(finding(), lifecycle.Denied, "marco@acme.test", lifecycle.Deny, "Covers for the admin on leave"), func(r *lifecycle.Request) {
			r.Decisions[0].Until = noon.AddDate(0, 2, 0)
		})},
		"finding_revoked": {r: verified(decided(finding(), lifecycle.Done, "marco@acme.test", lifecycle.Approve, "Not ours"), 1)},
		"hostile":         {r: hostile()},

		"pending_asked":         {r: questioned(), v: viewer{Email: "marco@acme.test"}},
		"pending_answered":      {r: replied1(questioned())},
		"pending_handed":        {r: with(mover(), func(r *lifecycle.Request) { r.Assigned = handedOn() })},
		"pending_asked_hostile": {r: hostilelyAsked()},
		"denied_asked":          {r: decided(questioned(), lifecycle.Denied, "omar@acme.test", lifecycle.Deny, "Nobody could say why")},
	}
	maps.Copy(all, handoverCards())
	maps.Copy(all, wishCards())
	return all
}

func TestCards(t *testing.T) {
	t.Parallel()
	for name, tt := range cards() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newCard(tt.r, frameIn(tt.m), tt.v).message()
			golden(t, "card/"+name+".txt", read(t, m))
			golden(t, "card/"+name+".json", encoded(t, m.Blocks))
			within(t, m)
		})
	}
}

// within holds a message to Slack's limits, in code points.
func within(t *testing.T, m message) {
	t.Helper()
	if n := len(m.Blocks); n > maxBlocks {
		t.Errorf("%d blocks, want at most %d", n, maxBlocks)
	}
	if n := utf8.RuneCountInString(m.Text); n == 0 || n > 4000 {
		t.Errorf("push has %d characters, want 1 to 4000", n)
	}
	ids := map[string]bool{}
	for _, b := range m.Blocks {
		if ids[b.ID()] || b.ID() == "" {
			t.Errorf("block id %q is missing or used twice", b.ID())
		}
		ids[b.ID()] = true
		s, ok := b.(*slack.SectionBlock)
		if ok && utf8.RuneCountInString(s.Text.Text) > maxSection {
			t.Errorf("a section has %d characters, want at most %d", utf8.RuneCountInString(s.Text.Text), maxSection)
		}
	}
}

func TestCardTellsWithoutItsBlocks(t *testing.T) {
	t.Parallel()
	for name, tt := range cards() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			push := newCard(tt.r, frameIn(tt.m), tt.v).Push
			for what, want := range map[string]string{
				"who": foreign(tt.r.Subject.Label(), maxName), "what": strings.ReplaceAll(titleWords(tt.r)[0], "`", ""),
				"why": foreign(fullStop(tt.r.Why.Event), maxPhrase),
			} {
				if !strings.Contains(push, want) {
					t.Errorf("push does not say %s, %q: %s", what, want, push)
				}
			}
			outcomes := []string{
				"if nobody does", "Nothing is left", "Nothing more happens", "nothing changes", "Nothing was changed", "about to start", "nothing will be", "switched on again",
				"asked again", "checked in PagerDuty", "presses Retry", "until then",
			}
			if !containsAny(push, outcomes) {
				t.Errorf("push does not say what comes of doing nothing: %s", push)
			}
		})
	}
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func TestCardTicksOnlyWhatWasReadBack(t *testing.T) {
	t.Parallel()
	for name, tt := range cards() {
		m := newCard(tt.r, frameIn(tt.m), tt.v).message()
		seen := false
		for _, c := range tt.r.Changes {
			seen = seen || c.State == lifecycle.ChangeVerified
		}
		if text := string(read(t, m)); !seen && strings.ContainsAny(text, "✅✓✔☑") {
			t.Errorf("%s shows a tick before anything was read back:\n%s", name, text)
		}
		if text := string(read(t, m)); tt.r.State != lifecycle.Done && strings.Contains(text, "✅") {
			t.Errorf("%s looks done:\n%s", name, text)
		}
	}
}

func TestEveryEditHasNewBlockIDs(t *testing.T) {
	t.Parallel()
	was := newCard(mover(), testFrame(), viewer{}).message()
	is := newCard(decided(mover(), lifecycle.Approved, "omar@acme.test", lifecycle.Approve, ""), testFrame(), viewer{}).message()
	for _, a := range was.Blocks {
		for _, b := range is.Blocks {
			if a.ID() == b.ID() {
				t.Errorf("block id %s stands in both versions", a.ID())
			}
		}
	}
	again := newCard(mover(), frame{p: testPolicy(), mode: lifecycle.Enforce, now: noon.Add(time.Hour), loc: time.UTC, names: known3}, viewer{}).message()
	if was.digest() != again.digest() {
		t.Error("the same card drawn an hour later is another card")
	}
}

func BenchmarkCard(b *testing.B) {
	r, f := mover(), testFrame()
	for b.Loop() {
		_ = newCard(r, f, viewer{}).message()
	}
}
