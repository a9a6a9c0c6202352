package bot

import (
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// wished is Ben, who is responder on Payments and asks to be manager there for a shift.
func wished() lifecycle.Request {
	r := mover()
	r.ID, r.Kind, r.Effects = "req_wish", lifecycle.RequestSelf, nil
	r.Holds[1].Entitlement = lifecycle.OnTeam(pay, lifecycle.TeamResponder)
	r.Changes = []lifecycle.Change{{ID: "chg_1", Op: lifecycle.OpReplace, Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamManager), From: "responder", To: "manager", State: lifecycle.ChangePlanned}}
	r.Why = lifecycle.Why{Event: "Ben Ode asks for Payments: manager until Mon 4 May 20:00 UTC.", Policy: "7c1e5a0b9d"}
	r.Asked, r.Incident, r.Until = "Marco is out, and Refunds is on fire", "INC-7", noon.Add(8*time.Hour)
	r.Approvers, r.DecideBy = []string{"marco@acme.test", "ines@acme.test"}, r.Until
	return r
}

func grantedWish() lifecycle.Request {
	return verified(decided(wished(), lifecycle.Done, "marco@acme.test", lifecycle.Approve, ""), 1)
}

func over(r *lifecycle.Request) {
	r.EndedBy, r.Ended = "req_end", noon.Add(8*time.Hour)
}

// wishEnd is the request that ends it.
func wishEnd(s lifecycle.RequestState) lifecycle.Request {
	r := mover()
	r.ID, r.Kind, r.State, r.Ends, r.Needed, r.Effects = "req_end", lifecycle.RequestSelf, s, "req_wish", 0, nil
	r.Changes = []lifecycle.Change{{ID: "chg_8", Op: lifecycle.OpReplace, Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamResponder), From: "manager", To: "responder", State: lifecycle.ChangePlanned}}
	r.Why = lifecycle.Why{Event: "Was granted until Mon 4 May 20:00 UTC.", Policy: "7c1e5a0b9d"}
	r.Decisions = []lifecycle.Decision{{By: "policy", Verdict: lifecycle.Approve, Reason: r.Why.Event, At: noon.Add(8 * time.Hour), Via: lifecycle.ViaPolicy, Seen: 1}}
	if s == lifecycle.Done {
		r = verified(r, 1)
	}
	return r
}

type askersCard struct {
	r, end lifecycle.Request
	m      lifecycle.Mode
}

// statuses are the states of what somebody sees of what they have asked for, by
// the name of their golden file.
func statuses() map[string]askersCard {
	state := func(s lifecycle.RequestState, note string) lifecycle.Request {
		return with(wished(), func(r *lifecycle.Request) { r.State, r.Revision, r.Note = s, 2, note })
	}
	return map[string]askersCard{
		"pending": {r: wished()},
		"pending_nudged": {r: with(wished(), func(r *lifecycle.Request) {
			r.Nudged = noon.Add(2 * time.Hour)
		})},
		"pending_one_of_two": {r: with(wished(), func(r *lifecycle.Request) {
			r.Needed = 2
			*r = decided(*r, lifecycle.Pending, "marco@acme.test", lifecycle.Approve, "")
		})},
		"pending_nobody": {r: with(wished(), func(r *lifecycle.Request) { r.Approvers = nil })},
		"observe":        {r: with(wished(), func(r *lifecycle.Request) { r.Observe = true }), m: lifecycle.Observe},
		"holding": {r: with(decided(wished(), lifecycle.Holding, "priya@acme.test", lifecycle.Approve, "For the audit"), func(r *lifecycle.Request) {
			r.Changes = []lifecycle.Change{{ID: "chg_1", Op: lifecycle.OpReplace, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "admin"}, From: "limited_user", To: "admin", State: lifecycle.ChangePlanned}}
			r.HoldUntil = noon.Add(70 * time.Minute)
		})},
		"approved":  {r: decided(wished(), lifecycle.Approved, "marco@acme.test", lifecycle.Approve, "")},
		"applying":  {r: decided(wished(), lifecycle.Applying, "marco@acme.test", lifecycle.Approve, "")},
		"running":   {r: grantedWish()},
		"given":     {r: with(grantedWish(), func(r *lifecycle.Request) { r.GivenBack = noon.Add(3 * time.Hour) })},
		"over":      {r: with(grantedWish(), over), end: wishEnd(lifecycle.Done)},
		"ending":    {r: with(grantedWish(), over), end: wishEnd(lifecycle.Applying)},
		"end_waits": {r: with(grantedWish(), over), end: with(wishEnd(lifecycle.Pending), func(r *lifecycle.Request) { r.Decisions = nil })},
		"end_failed": {r: with(grantedWish(), over), end: with(wishEnd(lifecycle.Failed), func(r *lifecycle.Request) {
			r.Note = "PagerDuty says no."
		})},
		"over_nothing_left": {r: with(grantedWish(), func(r *lifecycle.Request) {
			over(r)
			r.Note = "It is Payments: observer by now, and not what was given: that stays as it is."
		})},
		"undone":    {r: with(grantedWish(), over), end: with(wishEnd(lifecycle.Done), func(r *lifecycle.Request) { r.Ends, r.Undoes = "", "req_wish" })},
		"denied":    {r: decided(wished(), lifecycle.Denied, "ines@acme.test", lifecycle.Deny, "Omar has it today")},
		"expired":   {r: state(lifecycle.Expired, "Nobody decided in time. Nothing was changed.")},
		"cancelled": {r: state(lifecycle.Withdrawn, "Cancelled by Ben Ode, who had asked for it.")},
		"blocked":   {r: state(lifecycle.Blocked, "Ben Ode was Payments: responder when this was approved, and is Payments: observer now.")},
		"failed": {r: with(decided(wished(), lifecycle.Failed, "marco@acme.test", lifecycle.Approve, ""), func(r *lifecycle.Request) {
			r.Note = "PagerDuty refuses the role."
			r.Changes[0].State = lifecycle.ChangeFailed
		})},
		"longer": {r: with(wished(), func(r *lifecycle.Request) { r.Changes[0].From = "manager" })},
		"hostile": {r: with(hostile(), func(r *lifecycle.Request) {
			*r = with(wished(), func(w *lifecycle.Request) {
				w.Asked, w.Incident = r.Why.Event, r.Why.Event
				w.Approvers = []string{r.Why.Event}
			})
		})},
	}
}

func TestStatusesOfWhatSomebodyAskedFor(t *testing.T) {
	t.Parallel()
	for name, tt := range statuses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := cardMaker{frame: frameIn(tt.m), r: tt.r}.statusCard(tt.end).message()
			golden(t, "wish/"+name+".txt", read(t, m))
			golden(t, "wish/"+name+".json", encoded(t, m.Blocks))
			within(t, m)
			text := string(read(t, m))
			if strings.Contains(text, "✅") != (name == "running") {
				t.Errorf("a tick, or none where it is due:\n%s", text)
			}
			told := []string{"Decide by", "Nothing is left", "Nothing was changed", "Nothing to do", "Not applied", "Applying", "ends by itself", "taken back", "being taken back", "asked again", "cancel it"}
			if !containsAny(m.Text, told) {
				t.Errorf("the push does not say what comes next: %s", m.Text)
			}
		})
	}
}

// wishCards are the states of the card that those who decide see of a wish.
func wishCards() map[string]shownCard {
	marco := viewer{Email: "marco@acme.test"}
	return map[string]shownCard{
		"wish_pending":          {r: wished()},
		"wish_pending_approver": {r: wished(), v: marco},
		"wish_done":             {r: grantedWish()},
		"wish_over":             {r: with(grantedWish(), over)},
		"wish_denied":           {r: decided(wished(), lifecycle.Denied, "ines@acme.test", lifecycle.Deny, "Omar has it today")},
		"wish_end":              {r: wishEnd(lifecycle.Done)},
		"wish_new_on_team": {r: with(wished(), func(r *lifecycle.Request) {
			r.Changes = []lifecycle.Change{
				{ID: "chg_1", Op: lifecycle.OpReplace, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "observer"}, From: "read_only_user", To: "observer", State: lifecycle.ChangePlanned},
				{ID: "chg_2", Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(plat, lifecycle.TeamResponder), To: "responder", State: lifecycle.ChangePlanned},
			}
		})},
	}
}

func TestTheHolderIsToldWhatEndsAndWhatThen(t *testing.T) {
	t.Parallel()
	m := cardMaker{frame: testFrame(), r: grantedWish()}.endsSoon()
	golden(t, "wish/ends_soon.txt", read(t, m))
	within(t, m)
}

func testMenu() lifecycle.Menu {
	return lifecycle.Menu{
		Longest: 30 * 24 * time.Hour, Holds: lifecycle.RoleResponder, Base: []lifecycle.BaseRole{lifecycle.RoleManager, lifecycle.RoleAdmin},
		Teams: []lifecycle.MenuTeam{
			{Team: pay, Holds: lifecycle.TeamResponder, Roles: []lifecycle.TeamRole{lifecycle.TeamManager}},
			{Team: plat, Roles: []lifecycle.TeamRole{lifecycle.TeamObserver, lifecycle.TeamResponder, lifecycle.TeamManager}},
		},
		Without: []string{"You cannot be given Ledger: manager: that is above the ceiling of contractor in line 7 of the policy."},
	}
}

func TestWishModal(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		said saidWish
		menu func(*lifecycle.Menu)
	}{
		"empty":     {},
		"filled_in": {said: saidWish{Role: "responder", Team: string(plat.ID), For: 8 * time.Hour, Why: "Refunds"}},
		"odd_span":  {said: saidWish{Role: "base:user", For: 3 * time.Hour}},
		"a_day":     {said: saidWish{Day: "2026-05-09"}},
		"short":     {menu: func(m *lifecycle.Menu) { m.Longest = 8 * time.Hour; m.Teams = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			menu := testMenu()
			if tt.menu != nil {
				tt.menu(&menu)
			}
			golden(t, "wish/modal_"+name+".json", encoded(t, wishModal(menu, tt.said, testFrame())))
		})
	}
}

func TestReadWish(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]saidWish{
		"":                               {},
		"responder payments for 8h":      {Role: "responder", Team: string(pay.ID), For: 8 * time.Hour},
		"Manager on Platform for 2 days": {Role: "manager", Team: string(plat.ID), For: 48 * time.Hour},
		"payments responder":             {Role: "responder", Team: string(pay.ID)},
		"responder":                      {Role: "responder"},
		"global admin for 4h":            {Role: "base:admin", For: 4 * time.Hour},
		"limited_user payments":          {Role: "responder", Team: string(pay.ID)},
		"user until 2026-05-09":          {Role: "base:user", Day: "2026-05-09"},
		"for 1w":                         {For: 7 * 24 * time.Hour},
	} {
		if got, err := readWish(words, testMenu(), noon); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", words, got, err, want)
		}
	}
	for words, told := range map[string]string{
		"responder paymints":          `Did you mean "Payments"?`,
		"respnder":                    `Did you mean "responder"?`,
		"boss of everything":          "I know no role and no team",
		"responder payments for ever": "how long",
		"responder until friday":      "is not a day like 2026-05-11",
		"responder payments for -3h":  "how long",
	} {
		_, err := readWish(words, testMenu(), noon)
		if reason := lifecycle.ReasonOf(err); !strings.Contains(reason, told) || !strings.Contains(reason, "For example") {
			t.Errorf("%q: %v, want %q and an example", words, err, told)
		}
	}
}

func TestHomeSaysWhyAndUntilWhen(t *testing.T) {
	t.Parallel()
	d := homeData{frame: testFrame(), Viewer: lifecycle.Identity{Person: lifecycle.Person{Emails: []string{"ben@acme.test"}}}}
	d.Standing.Account = &lifecycle.Account{ID: "PBEN", BaseRole: lifecycle.RoleResponder}
	d.Standing.Access = []lifecycle.Access{
		{Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "limited_user"}, Why: "rule payments-sre"},
		{Entitlement: lifecycle.OnTeam(pay, lifecycle.TeamManager), Why: "asked for: Marco is out", Until: noon.Add(8 * time.Hour), Grant: "req_wish"},
		{Entitlement: lifecycle.OnTeam(plat, lifecycle.TeamObserver), Why: "an exception of the policy"},
	}
	golden(t, "home/access.txt", []byte(readBlocks(t, homeView(d).Blocks.BlockSet)+"\n"))
}
