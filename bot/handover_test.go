package bot

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"rolecall/lifecycle"
)

// shownCard is a card in one state, and who looks.
type shownCard = struct {
	r lifecycle.Request
	v viewer
	m lifecycle.Mode
}

func hours(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }

// duties are Ana's: one that burns, one that calls her now, one next week.
func duties() []lifecycle.Duty {
	return []lifecycle.Duty{
		{Kind: lifecycle.KindIncident, Object: lifecycle.Object{ID: "Q1", Name: "#123 Checkout is down"}, Team: pay.ID, Pin: "a"},
		{
			Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: "PCRIT", Name: "Payments-Crit"}, Level: 2, Team: pay.ID, Pin: "b",
			Others: []lifecycle.AccountID{"PMARCO", "PGHOST"}, Shifts: []lifecycle.Shift{{From: hours(-40)}},
		},
		{
			Kind: lifecycle.KindSchedule, Object: lifecycle.Object{ID: "PSCHED", Name: "Payments primary"}, Team: pay.ID, Pin: "c",
			Others: []lifecycle.AccountID{"PINES"}, Serves: []string{"level 1 of Payments-Crit", "level 1 of Payments-Low"},
			Shifts: []lifecycle.Shift{{From: hours(-9), Until: hours(-1)}, {From: hours(69), Until: hours(237)}, {From: hours(573), Until: hours(741)}, {From: hours(1077), Until: hours(1245)}},
		},
	}
}

func candidates() []lifecycle.Candidate {
	return []lifecycle.Candidate{
		{AccountCard: lifecycle.AccountCard{ID: "PINES", Email: "ines@acme.test", Name: "Ines Roy", BaseRole: lifecycle.RoleResponder}, Teams: []lifecycle.TeamID{pay.ID}, Duties: []string{"PSCHED"}, Load: 2, Reachable: true},
		{AccountCard: lifecycle.AccountCard{ID: "PMARCO", Email: "marco@acme.test", Name: "Marco Rossi", BaseRole: lifecycle.RoleManager}, Teams: []lifecycle.TeamID{pay.ID}, Load: 1, Reachable: true},
		{AccountCard: lifecycle.AccountCard{ID: "POMAR", Email: "omar@acme.test", Name: "Omar Bell", BaseRole: lifecycle.RoleResponder}, Teams: []lifecycle.TeamID{plat.ID}, Reachable: true},
		{AccountCard: lifecycle.AccountCard{ID: "PZED", Email: "zed@acme.test", Name: "Zed Low", BaseRole: lifecycle.RoleResponder}, Teams: []lifecycle.TeamID{pay.ID}},
	}
}

// handsTo is the handover of the duty; to "" is nobody yet.
func handsTo(id string, d lifecycle.Duty, to string) lifecycle.Change {
	c := lifecycle.Change{ID: lifecycle.ChangeID(id), Op: lifecycle.OpHandover, Entitlement: d.Entitlement(), From: "PANA", To: to, State: lifecycle.ChangePlanned}
	for _, p := range candidates() {
		if string(p.ID) == to {
			c.Successor = p.AccountCard
		}
	}
	return c
}

// handover is what Ana, who left, hands over in Payments; the incident has nobody yet.
func handover() lifecycle.Request {
	r := mover()
	r.ID, r.Kind, r.Silence = "req_handover", lifecycle.RequestLeaver, lifecycle.SilenceKeep
	r.Subject = lifecycle.Subject{ID: "idn_ana", Email: "ana@acme.test", Name: "Ana Ito"}
	r.Account = lifecycle.AccountRef{ID: "PANA", Email: "ana@acme.test"}
	r.Holds = []lifecycle.Grant{
		{Account: "PANA", Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "restricted_access"}},
		{Account: "PANA", Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamObserver)},
	}
	r.Why = lifecycle.Why{Event: "Left on 2 May (okta).", Notice: "ntc_2", Policy: "7c1e5a0b9d"}
	r.Duties, r.Candidates = duties(), candidates()
	r.Used = lifecycle.Signal{At: hours(-50), Proxy: "signed in, by PagerDuty's analytics, which may be a day old"}
	r.Changes = []lifecycle.Change{handsTo("chg_1", r.Duties[0], ""), handsTo("chg_2", r.Duties[1], "PINES"), handsTo("chg_3", r.Duties[2], "PZED")}
	r.Changes = append(r.Changes, lifecycle.Change{ID: "chg_4", Op: lifecycle.OpContain, Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamObserver), From: "observer", State: lifecycle.ChangePlanned})
	r.Effects = []string{"Is on call now, by level 2 of Payments-Crit.", "Nobody else is assigned to incident #123 Checkout is down."}
	r.Approvers = []string{"marco@acme.test", "ines@acme.test"}
	return r
}

// chosen is handover with somebody for everything.
func chosen() lifecycle.Request {
	return with(handover(), func(r *lifecycle.Request) {
		r.Revision = 2
		r.Chosen = lifecycle.Chosen{By: "marco@acme.test", At: noon.Add(30 * time.Minute), Via: lifecycle.ViaSlack}
		r.Changes[0] = handsTo("chg_1", r.Duties[0], "PMARCO")
		r.Changes[1] = handsTo("chg_2", r.Duties[1], lifecycle.NoSuccessor)
	})
}

// contains is the first stage of a leaver.
func contains() lifecycle.Request {
	return with(handover(), func(r *lifecycle.Request) {
		r.ID, r.Duties, r.Candidates = "req_contain", duties(), nil
		r.Holds[0].Entitlement.Role = "user"
		session := func(id, which, from string) lifecycle.Change {
			return lifecycle.Change{ID: lifecycle.ChangeID(id), Op: lifecycle.OpContain, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindSession, Role: which}, From: from, State: lifecycle.ChangePlanned}
		}
		r.Changes = []lifecycle.Change{
			session("chg_1", lifecycle.SessionSignIns, "open"), session("chg_2", lifecycle.SessionCalendar, "0a1b2c3d4e5f"),
			{ID: "chg_3", Op: lifecycle.OpContain, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "restricted_access"}, From: "user", To: "restricted_access", State: lifecycle.ChangePlanned},
			{ID: "chg_4", Op: lifecycle.OpContain, Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamObserver), From: "manager", To: "observer", State: lifecycle.ChangePlanned},
			{ID: "chg_5", Op: lifecycle.OpContain, Entitlement: lifecycle.OnTeam(plat, lifecycle.TeamResponder), From: "responder", State: lifecycle.ChangePlanned},
		}
		r.Effects = []string{"Stays on Payments until somebody takes over: level 2 of Payments-Crit."}
	})
}

// contained is it once it is done, by policy.
func contained() lifecycle.Request {
	return with(verified(contains(), 5), func(r *lifecycle.Request) {
		r.State, r.Revision, r.Needed, r.Approvers = lifecycle.Done, 8, 0, nil
		r.Decisions = []lifecycle.Decision{{By: "policy", Verdict: lifecycle.Approve, Reason: "The policy contains leavers without asking.", At: noon, Via: lifecycle.ViaPolicy, Seen: 1}}
	})
}

// manyHanded is a handover of n duties for which m people could be chosen.
func manyHanded(n, m int, name func(int) string) lifecycle.Request {
	return with(handover(), func(r *lifecycle.Request) {
		r.Duties, r.Changes, r.Candidates = nil, nil, nil
		for i := range m {
			r.Candidates = append(r.Candidates, lifecycle.Candidate{
				AccountCard: lifecycle.AccountCard{ID: lifecycle.AccountID(fmt.Sprintf("PCAND%07d", i)), Email: fmt.Sprintf("c%d@acme.test", i), Name: name(i)},
				Teams:       []lifecycle.TeamID{pay.ID}, Load: i, Reachable: i%3 > 0,
			})
		}
		for i := range n {
			d := duties()[1+i%2]
			d.Object = lifecycle.Object{ID: fmt.Sprint("POBJ", i), Name: name(i)}
			r.Duties = append(r.Duties, d)
			to := ""
			if i%4 > 0 && m > 0 {
				to = string(r.Candidates[i%m].ID)
			}
			c := handsTo(fmt.Sprintf("chg_%026d", i), d, to)
			c.Successor = lifecycle.AccountCard{Name: name(i)}
			r.Changes = append(r.Changes, c)
		}
	})
}

func plainName(i int) string { return fmt.Sprint("Somebody ", i) }

func badName(i int) string {
	return strings.Repeat("<!channel> *bold* `x` 𝔘𝔫𝔦 👩‍🚒 שלום ✅ ", 80) + fmt.Sprint(i)
}

// undo is the request that gives Ana back what the handover took.
func undo() lifecycle.Request {
	was := verified(with(chosen(), func(r *lifecycle.Request) { r.State = lifecycle.Done }), 4)
	return with(was, func(r *lifecycle.Request) {
		r.ID, r.State, r.Revision, r.Undoes = "req_undo", lifecycle.Pending, 1, was.ID
		r.Changes, r.Effects = was.TakesBack()
		r.Duties, r.Candidates, r.Chosen = nil, nil, lifecycle.Chosen{}
		r.Why.Event = "Marco asks to undo req_handover: she is back on Monday."
	})
}

func adminFinding() lifecycle.Request {
	return with(finding(), func(r *lifecycle.Request) {
		r.Why.Held = "admin"
		r.Approvers = append(r.Approvers, "priya@acme.test", "lee@acme.test")
	})
}

func handoverCards() map[string]shownCard {
	marco := viewer{Email: "marco@acme.test"}
	yes := func(r lifecycle.Request, s lifecycle.RequestState) lifecycle.Request {
		return decided(r, s, "marco@acme.test", lifecycle.Approve, "Agreed with Ines")
	}
	return map[string]shownCard{
		"handover":          {r: handover()},
		"handover_approver": {r: handover(), v: marco},
		"handover_chosen":   {r: chosen(), v: marco},
		"handover_holding":  {r: with(yes(chosen(), lifecycle.Holding), func(r *lifecycle.Request) { r.HoldUntil = noon.Add(70 * time.Minute) })},
		"handover_applying": {r: verified(yes(chosen(), lifecycle.Applying), 1)},
		"handover_done":     {r: verified(yes(chosen(), lifecycle.Done), 4)},
		"handover_failed": {r: with(verified(yes(chosen(), lifecycle.Failed), 2), func(r *lifecycle.Request) {
			r.Changes[2].State, r.Changes[2].Error = lifecycle.ChangeFailed, "PagerDuty says that Zed Low has no licence to be on call"
			r.Note = r.Changes[2].Error
		})},
		"handover_blocked": {r: with(yes(chosen(), lifecycle.Blocked), func(r *lifecycle.Request) {
			r.Note = "Payments primary was changed by somebody since this was approved."
		})},
		"handover_many":    {r: manyHanded(30, 100, plainName)},
		"handover_hostile": {r: manyHanded(30, 5, badName)},
		"handover_of_mover": {r: with(mover(), func(r *lifecycle.Request) {
			r.Duties, r.Candidates = duties()[1:2], candidates()
			r.Changes = append(r.Changes[:1:1], handsTo("chg_3", r.Duties[0], "PINES"), r.Changes[1])
		})},
		"handover_unknown": {r: with(handover(), func(r *lifecycle.Request) { r.Duties, r.Candidates = nil, nil })},
		"contain":          {r: contains()},
		"contained":        {r: contained()},
		"delete_done": {r: with(verified(yes(leaver(), lifecycle.Done), 1), func(r *lifecycle.Request) {
			r.Used = lifecycle.Signal{Proxy: "PagerDuty's analytics know of no sign-in"}
		})},
		"unused": {r: with(leaver(), func(r *lifecycle.Request) {
			r.Used = lifecycle.Signal{Proxy: "PagerDuty's analytics know of no sign-in"}
		})},
		"undo":                   {r: undo()},
		"undone":                 {r: verified(yes(undo(), lifecycle.Done), 4)},
		"finding_admin":          {r: adminFinding()},
		"finding_admin_owner":    {r: adminFinding(), v: marco},
		"finding_admin_security": {r: adminFinding(), v: viewer{Email: "priya@acme.test"}},
		"finding_handover": {r: with(finding(), func(r *lifecycle.Request) {
			r.Duties, r.Candidates = duties()[1:2], candidates()
			r.Changes = []lifecycle.Change{handsTo("chg_3", r.Duties[0], ""), {
				ID: "chg_7", Op: lifecycle.OpRevoke, Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamManager), From: "manager", State: lifecycle.ChangePlanned,
			}}
		})},
	}
}

func TestAHandoverIsApprovedOnlyOnceSomebodyIsChosen(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		r    lifecycle.Request
		want []cardButton
	}{
		"nobody for one of them": {handover(), []cardButton{{ActionChoose, "Choose replacement…", true}, {ActionDeny, "Deny…", false}, {ActionAsk, "Ask…", false}}},
		"somebody for each":      {chosen(), []cardButton{{ActionChoose, "Choose replacement…", false}, {ActionApprove, "Approve", true}, {ActionDeny, "Deny…", false}, {ActionAsk, "Ask…", false}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newCard(tt.r, testFrame(), viewer{}).Buttons
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("buttons are %v, want %v", got, tt.want)
			}
		})
	}
}

func TestAChoiceFitsWhatSlackTakes(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]lifecycle.Request{
		"one duty, one person":           manyHanded(1, 1, plainName),
		"thirty duties, a hundred":       manyHanded(30, 100, plainName),
		"sixty duties, 300 people":       manyHanded(60, 300, plainName),
		"sixty duties, 300 of bad names": manyHanded(60, 300, badName),
		"sixty duties, nobody":           manyHanded(60, 0, badName),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := chooseModal(r, testFrame(), "req_handover:1", place{"C0PAYMENTS", "1777892400.000100"})
			w := newDesk(t)
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if len(raw) > 250_000 || len(v.Blocks.BlockSet) > maxView {
				t.Errorf("%d bytes and %d blocks", len(raw), len(v.Blocks.BlockSet))
			}
			inputs := 0
			for _, b := range v.Blocks.BlockSet {
				if in, ok := b.(*slack.InputBlock); ok {
					inputs++
					menu := in.Element.(*slack.SelectBlockElement)
					if n := len(menu.Options); n == 0 || n > maxOptions {
						t.Errorf("%s has %d options", in.BlockID, n)
					}
				}
			}
			if got := len(decodeChoosing(v.PrivateMetadata)); got != inputs {
				t.Errorf("the modal remembers %d changes for %d inputs", got, inputs)
			}
			if value, at := decodeMeta(v.PrivateMetadata); value != "req_handover:1" || at.TS != "1777892400.000100" {
				t.Errorf("the modal remembers %q at %v", value, at)
			}
			if n := utf8.RuneCountInString(v.PrivateMetadata); n > maxMeta {
				t.Errorf("%d characters of metadata", n)
			}
			w.clean(t)
		})
	}
}

// Slack waits three seconds from the press until the modal is open.
func BenchmarkChooseModal(b *testing.B) {
	r, f := manyHanded(60, 99, badName), testFrame()
	for b.Loop() {
		_ = chooseModal(r, f, "req_handover:1", place{})
	}
}
