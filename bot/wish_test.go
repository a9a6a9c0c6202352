package bot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// wishing is as much of a store, and of PagerDuty, as asking for access takes.
type wishing struct {
	lifecycle.PlanReader
	lifecycle.PlanWriter
	lifecycle.AccountReader
	m *memory
}

func (w wishing) Request(ctx context.Context, id lifecycle.RequestID) (lifecycle.Request, error) {
	return w.m.Request(ctx, id)
}

func (w wishing) Requests(ctx context.Context, f lifecycle.RequestFilter) ([]lifecycle.Request, error) {
	return w.m.Requests(ctx, f)
}

func (w wishing) Identity(ctx context.Context, id lifecycle.IdentityID) (lifecycle.Identity, error) {
	return w.m.Identity(ctx, id)
}

func (w wishing) IdentitiesByEmail(ctx context.Context, email string) ([]lifecycle.Identity, error) {
	return w.m.IdentitiesByEmail(ctx, email)
}

func (w wishing) IdentityByKey(ctx context.Context, source, key string) (lifecycle.Identity, error) {
	return w.m.IdentityByKey(ctx, source, key)
}

func (w wishing) TeamManagers(ctx context.Context, team lifecycle.TeamID) ([]lifecycle.Account, error) {
	return w.m.TeamManagers(ctx, team)
}

func (w wishing) Absences(ctx context.Context, at time.Time) ([]lifecycle.Absence, error) {
	return w.m.Absences(ctx, at)
}

func (w wishing) SaveRequest(ctx context.Context, r lifecycle.Request, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return w.m.SaveRequest(ctx, r, e, next...)
}

func (w wishing) Record(ctx context.Context, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return w.m.Record(ctx, e, next...)
}

func (w wishing) Account(_ context.Context, id lifecycle.AccountID) (a lifecycle.Account, err error) {
	w.m.change(func(m *memory) {
		k := slices.IndexFunc(m.accounts, func(a lifecycle.Account) bool { return a.ID == id })
		if k < 0 {
			err = fmt.Errorf("account %s: %w", id, lifecycle.ErrNotFound)
			return
		}
		a = m.accounts[k]
	})
	return a, err
}

func (w wishing) AccountsByEmail(context.Context, string) ([]lifecycle.Account, error) {
	return nil, nil
}

func (w wishing) Holdings(context.Context, lifecycle.AccountID) (lifecycle.Holdings, error) {
	return lifecycle.Holdings{OtherAdmins: -1}, nil
}

// linked ties Ben to his account, as a roll call would have.
func (h *house) linked() {
	h.store.change(func(m *memory) {
		i := m.identities["idn_ben"]
		i.Account = "PBEN"
		m.identities["idn_ben"] = i
	})
}

// wishes returns what Ben has asked for.
func (h *house) wishes() (all []lifecycle.Request) {
	h.store.change(func(m *memory) {
		for _, r := range m.requests {
			if r.Kind == lifecycle.RequestSelf {
				all = append(all, r)
			}
		}
	})
	return all
}

func asked() map[string]any {
	return map[string]any{bot.InputRole: "manager", bot.InputTeam: string(paymentsTeam.ID), bot.InputFor: "8h", bot.InputReason: "Marco is out", bot.InputIncident: "INC-7"}
}

// status returns the ts of the message in which Ben sees what he asked for.
func (h *house) status(t *testing.T, words string) slacktest.Message {
	t.Helper()
	var found slacktest.Message
	h.await(t, "a status with "+words+"; told: "+h.told(ben), func() bool {
		dm := h.DirectMessage(ben)
		if dm == "" {
			return false
		}
		for _, m := range h.Messages(dm) {
			if strings.HasPrefix(m.Text, "You asked for") && strings.Contains(m.Text+slacktest.PlainText(m.Blocks), words) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

func TestSomebodyAsksForAccess(t *testing.T) {
	t.Parallel()
	eachTransport(t, func(t *testing.T, over transport) {
		h := newHouse(t, over)
		h.linked()
		if _, err := h.Command(t.Context(), ben, payments, bot.Command, "request manager payments for 8h"); err != nil {
			t.Fatal(err)
		}
		h.awaitModal(t, ben)
		if red := h.fill(t, ben, map[string]any{bot.InputReason: "Marco is out"}); len(red) > 0 {
			t.Fatalf("what was said is not filled in: %v", red)
		}
		m := h.status(t, "Waiting for a decision")
		all := h.wishes()
		if len(all) != 1 || !all[0].Until.Equal(today.Add(8*time.Hour)) || all[0].Asked != "Marco is out" || all[0].State != lifecycle.Pending {
			t.Fatalf("opened %+v", all)
		}
		dm := h.DirectMessage(ben)
		h.press(t, ben, dm, m.TS, bot.ActionNudge)
		h.awaitTold(t, ben, "Those who have not decided are reminded")
		h.press(t, ben, dm, h.status(t, "You had them reminded").TS, bot.ActionNudge)
		h.awaitTold(t, ben, "Once in four hours is enough")
		h.press(t, ben, dm, m.TS, bot.ActionCancel)
		h.awaitState(t, all[0].ID, lifecycle.Withdrawn)
		if h.status(t, "Cancelled by Ben").TS != m.TS {
			t.Error("the status is another message")
		}
		h.clean(t)
	})
}

func TestAccessIsAskedForByTheShortcutAndOnHome(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.linked()
	if _, err := h.GlobalShortcut(t.Context(), ben, bot.ShortcutWish); err != nil {
		t.Fatal(err)
	}
	h.awaitModal(t, ben)
	if err := h.CloseModal(t.Context(), ben); err != nil {
		t.Fatal(err)
	}
	h.openHome(t, ben)
	if _, err := h.PressHome(t.Context(), ben, bot.ActionWish); err != nil {
		t.Fatal(err)
	}
	h.awaitModal(t, ben)
	if red := h.fill(t, ben, asked()); len(red) > 0 {
		t.Fatalf("refused: %v", red)
	}
	h.status(t, "Waiting for a decision")
	h.clean(t)
}

func TestWhatIsWrongStandsUnderItsInput(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overSocket)
	h.linked()
	if _, err := h.GlobalShortcut(t.Context(), ben, bot.ShortcutWish); err != nil {
		t.Fatal(err)
	}
	h.awaitModal(t, ben)
	missing := asked() // before any other date was picked: the modal keeps what was entered
	missing[bot.InputFor] = "day"
	if red := h.fill(t, ben, missing); !strings.Contains(red[bot.InputUntil], "Pick a day") {
		t.Errorf("a date that is missing: %v", red)
	}
	for name, tt := range map[string]struct {
		change map[string]any
		field  string
		words  string
	}{
		"a date that has passed": {map[string]any{bot.InputFor: "day", bot.InputUntil: "2026-05-01"}, bot.InputUntil, "passed"},
		"a date too far":         {map[string]any{bot.InputFor: "day", bot.InputUntil: "2026-07-01"}, bot.InputUntil, "too long"},
		"only blanks for a why":  {map[string]any{bot.InputReason: "   "}, bot.InputReason, "Say why"},
	} {
		values := asked()
		values[bot.InputRole] = "responder"
		values[bot.InputTeam] = string(platformTeam.ID)
		for k, v := range tt.change {
			values[k] = v
		}
		if red := h.fill(t, ben, values); !strings.Contains(red[tt.field], tt.words) {
			t.Errorf("%s: %v, want %q under %s", name, red, tt.words, tt.field)
		}
	}
	if all := h.wishes(); len(all) > 0 {
		t.Errorf("opened %+v", all)
	}
}

// submission returns Ben's filled-in modal as Slack delivered it, changed.
func (h *house) resubmit(t *testing.T, change func(values map[string]any)) {
	t.Helper()
	for _, d := range h.Deliveries(slacktest.KindInteraction) {
		if !strings.Contains(string(d.Payload), `"view_submission"`) {
			continue
		}
		payload := altered(t, d.Payload, func(p map[string]any) {
			view := p["view"].(map[string]any)
			view["hash"] = "another"
			change(view["state"].(map[string]any)["values"].(map[string]any))
		})
		h.deliverRaw(t, payload)
		return
	}
	t.Fatal("nothing was submitted")
}

// deliverRaw has a payload arrive with Slack's own signature.
func (h *house) deliverRaw(t *testing.T, payload json.RawMessage) {
	t.Helper()
	req, err := h.Request(t.Context(), h.hook+"/slack/interactions", slacktest.Delivery{Kind: slacktest.KindInteraction, Payload: payload}, h.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	h.send(t, req, http.StatusOK)
}

func TestAModalThatWasForged(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.linked()
	if _, err := h.GlobalShortcut(t.Context(), ben, bot.ShortcutWish); err != nil {
		t.Fatal(err)
	}
	h.awaitModal(t, ben)
	if red := h.fill(t, ben, asked()); len(red) > 0 {
		t.Fatalf("refused: %v", red)
	}
	h.status(t, "Waiting for a decision")
	choose := func(values map[string]any, block, value string) {
		values[block] = map[string]any{block: map[string]any{"type": "static_select", "selected_option": map[string]any{"value": value}}}
	}
	for name, forge := range map[string]func(map[string]any){
		"the same again":      func(map[string]any) {},
		"a team that is none": func(v map[string]any) { choose(v, bot.InputTeam, "PNONE") },
		"a role that is none": func(v map[string]any) { choose(v, bot.InputRole, "owner") },
		"the Account Owner": func(v map[string]any) {
			choose(v, bot.InputRole, "base:owner")
			delete(v, bot.InputTeam)
		},
		"a base role on a team": func(v map[string]any) { choose(v, bot.InputRole, "base:admin") },
		"for ever":              func(v map[string]any) { choose(v, bot.InputFor, "999d") },
		"for no time":           func(v map[string]any) { choose(v, bot.InputFor, "-1h") },
	} {
		h.resubmit(t, forge)
		if all := h.wishes(); len(all) != 1 || all[0].Changes[0].To != "manager" {
			t.Errorf("%s opened %+v", name, all)
		}
	}
}

func TestWhoCannotAskIsToldWhy(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		house func(*memory)
		told  string
	}{
		"without an account":   {func(m *memory) { m.accounts = m.accounts[:1] }, "You have no PagerDuty account"},
		"known to no source":   {func(m *memory) { i := m.identities["idn_ben"]; i.Keys = nil; m.identities["idn_ben"] = i }, "No source of truth knows you"},
		"a protected address":  {func(m *memory) { m.policy.Protected = []string{"ben@acme.test"} }, "The policy protects this address"},
		"the Account Owner":    {func(m *memory) { m.accounts[1].BaseRole = lifecycle.RoleOwner }, "Account Owner"},
		"where nobody may ask": {func(m *memory) { m.policy.Defaults.Ask.Off = true }, "does not let people ask"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, overHTTP)
			h.store.change(tt.house)
			h.hears(t, h.ask(t, ben, "request"), tt.told)
			if _, open := h.Modal(ben); open {
				t.Error("a modal opened all the same")
			}
		})
	}
}

func TestATriggerThatHasExpiredSaysSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.linked()
	h.Fail("views.open", slacktest.Fault{Error: "expired_trigger_id"})
	h.hears(t, h.ask(t, ben, "request"), "took longer than Slack allows")
}

func TestWhatRunsIsGivenBackFromHome(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.linked()
	r := h.open("req_1", func(r *lifecycle.Request) {
		r.Kind, r.State, r.Asked, r.Until = lifecycle.RequestSelf, lifecycle.Done, "Marco is out", today.Add(8*time.Hour)
		r.Changes = []lifecycle.Change{{ID: "chg_1", Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(paymentsTeam, lifecycle.TeamResponder), To: "responder", State: lifecycle.ChangeVerified, VerifiedAt: today}}
	})
	h.openHome(t, ben)
	for _, words := range []string{"Payments: responder — asked for: Marco is out · until Sat 2 May 17:00 UTC", "[Give back", "[Request access…"} {
		if got := h.homeText(ben); !strings.Contains(got, words) {
			t.Errorf("Home lacks %q:\n%s", words, got)
		}
	}
	if _, err := h.PressHome(t.Context(), ben, bot.ActionEnd); err != nil {
		t.Fatal(err)
	}
	h.await(t, "it is given back", func() bool { return !h.store.request(r.ID).GivenBack.IsZero() })
	h.clean(t)
}

func TestNobodyElseActsOnWhatSomebodyAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t, overHTTP)
	h.linked()
	r := h.open("req_1", func(r *lifecycle.Request) { r.Kind, r.Until = lifecycle.RequestSelf, today.Add(8*time.Hour) })
	if err := h.bot.Handlers()[lifecycle.JobShow](t.Context(), lifecycle.Attempt{Ref: string(r.ID)}); err != nil {
		t.Fatal(err)
	}
	m := h.status(t, "Waiting for a decision")
	for _, d := range []string{bot.ActionNudge, bot.ActionCancel} { // by whoever has got hold of the button
		h.press(t, ben, h.DirectMessage(ben), m.TS, d)
		last := h.Deliveries(slacktest.KindInteraction)
		h.deliverRaw(t, altered(t, last[len(last)-1].Payload, func(p map[string]any) {
			p["user"].(map[string]any)["id"] = omar
			p["actions"].([]any)[0].(map[string]any)["action_ts"] = d
		}))
		if d == bot.ActionNudge {
			h.awaitTold(t, omar, "Only Ben can do that, who has asked for it")
		}
	}
}
