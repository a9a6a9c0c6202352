package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/lifecycle"
)

// What the numbers show does not hang on the race detector, for which they are smaller.
const (
	employed = 160 / slowness
	wrongly  = 140 / slowness // that a broken export says have left
	ordinary = 5              // and may have passed before it is seen how many come
)

// TestABrokenFeedStopsAtTheBreaker lets HR say of most of the company, within
// moments, that they have left. It is told once more with the service stopped and
// started again wherever somebody waits.
func TestABrokenFeedStopsAtTheBreaker(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, housePolicy, func(h *sourceHouse) { h.feedBreaks(func() {}) })
	t.Run("stopped and started in between", func(t *testing.T) {
		t.Parallel()
		onSQLite(t, housePolicy, func(h *sourceHouse) {
			h.feedBreaks(func() { h.stop(); h.start() })
		})
	})
}

func (h *sourceHouse) feedBreaks(between func()) {
	h.t.Helper()
	people := make([]string, employed)
	for i := range people {
		name, department := fmt.Sprintf("p%03d", i), []string{"Payments", "Platform"}[i%2]
		h.employs(name, department)
		people[i] = name + " " + department
	}
	h.roster(http.StatusAccepted, rosterOf(people...))
	h.callsTheRoll()
	for i, p := range people[:wrongly] {
		name, department, _ := strings.Cut(p, " ")
		h.notice(knownAs(name, department, lifecycle.StatusEnded))
		if i == wrongly/2 {
			between()
		}
	}
	hold := h.standingHold(lifecycle.HoldLeavers)
	h.until("all of them are judged", h.judged)
	held := h.held(hold)
	if len(held) < wrongly-ordinary {
		h.t.Errorf("%d are held, want all of %d but %d", len(held), wrongly, ordinary)
	}
	h.onlyContained(held, nil)
	between()

	let := held[10:13]
	h.releases("priya", "lee", let, between)
	h.until("exactly those three are contained", func() bool {
		return !slices.ContainsFunc(let, func(r lifecycle.Removal) bool { return !h.contained(h.nameOf(r)) })
	})
	h.callsTheRoll()
	h.onlyContained(held, let)
	h.saysWhatIsHeld(hold, len(held)-len(let))

	between()
	h.presses("lee", h.card(security, "leaver notices", "[Refuse"), bot.ActionRefuse, map[string]any{bot.InputReason: "The export was empty."})
	h.card(security, "leaver notices", "The export was empty.")
	h.callsTheRoll()
	h.onlyContained(held, let)
	if rest := h.held(hold); len(rest) > 0 {
		h.t.Errorf("%d are held after the rest was refused", len(rest))
	}
}

// standingHold returns the hold of the kind, once there is one.
func (h *sourceHouse) standingHold(kind lifecycle.HoldKind) lifecycle.HoldID {
	h.t.Helper()
	var found []lifecycle.Hold
	h.until("something is held", func() bool {
		open, err := h.service.db.Holds(h.t.Context())
		h.must(err)
		found = slices.DeleteFunc(open, func(o lifecycle.Hold) bool { return o.Kind != kind })
		return len(found) > 0
	})
	if len(found) != 1 {
		h.t.Fatalf("%d holds of %s stand, want one", len(found), kind)
	}
	return found[0].ID
}

// held returns whom the hold stops.
func (h *sourceHouse) held(id lifecycle.HoldID) []lifecycle.Removal {
	h.t.Helper()
	all, err := h.service.db.RemovalsOf(h.t.Context(), id)
	h.must(err)
	return slices.DeleteFunc(all, func(r lifecycle.Removal) bool { return r.State != lifecycle.RemovalHeld })
}

// judged reports whether all that HR has sent was heard, and judged.
func (h *sourceHouse) judged() bool {
	h.t.Helper()
	all, err := h.service.db.Removals(h.t.Context(), now().Add(-time.Hour))
	h.must(err)
	return len(all) == wrongly && !slices.ContainsFunc(all, func(r lifecycle.Removal) bool { return r.State == lifecycle.RemovalQueued })
}

func (h *sourceHouse) nameOf(r lifecycle.Removal) string {
	h.t.Helper()
	i, err := h.service.db.Identity(h.t.Context(), r.Identity)
	h.must(err)
	name, _, _ := strings.Cut(i.Person.Email(), "@")
	return name
}

// onlyContained fails the test where somebody of all has lost something in
// PagerDuty who was not let go, or more than the first few of the others have.
func (h *sourceHouse) onlyContained(all, let []lifecycle.Removal) {
	h.t.Helper()
	h.rests()
	touched := map[string]bool{}
	for _, w := range h.pd.Effects() {
		for part := range strings.SplitSeq(w.Path, "/") {
			touched[part] = true
		}
	}
	for _, r := range all {
		u, _ := h.pd.UserByEmail(email(h.nameOf(r)))
		if may := slices.ContainsFunc(let, func(o lifecycle.Removal) bool { return o.Notice == r.Notice }); touched[u.ID] != may {
			h.t.Errorf("%s: changed in PagerDuty %v, let go %v", r.Label, touched[u.ID], may)
		}
	}
	others := 0
	for _, u := range h.pd.Users() {
		if touched[u.ID] {
			others++
		}
	}
	if others -= len(let); others > ordinary {
		h.t.Errorf("%d have lost something before anybody looked, want at most %d", others, ordinary)
	}
}

// releases has one person of Security propose in the modal whom to let go, and
// another say the same.
func (h *sourceHouse) releases(first, second string, let []lifecycle.Removal, between func()) {
	h.t.Helper()
	var notices []string
	for _, r := range let {
		notices = append(notices, string(r.Notice))
	}
	h.presses(first, h.card(security, "leaver notices", "[Release"), bot.ActionRelease, map[string]any{
		bot.InputScope: "these", bot.InputPeople: notices, bot.InputReason: "These three have left, HR says.",
	})
	proposed := h.card(security, "leaver notices", "[Confirm")
	h.onlyContained(let, nil)
	between()
	h.press(first, proposed, bot.ActionConfirm)
	h.until("who proposes is told that another must confirm", func() bool { return len(h.slack.Ephemerals(slackID(first))) > 0 })
	h.onlyContained(let, nil)
	h.press(second, proposed, bot.ActionConfirm)
}

// saysWhatIsHeld asks the real commands.
func (h *sourceHouse) saysWhatIsHeld(hold lifecycle.HoldID, waiting int) {
	h.t.Helper()
	wantWords(h.t, h.command("hold", "list"), string(hold), "leavers", "hr/acme")
	shown := h.command("hold", "show", string(hold))
	if n := strings.Count(shown, "\nntc_"); n != waiting {
		h.t.Errorf("hold show lists %d, want %d:\n%s", n, waiting, shown)
	}
	wantWords(h.t, h.command("status"), "HELD", fmt.Sprintf("%d leavers", waiting), string(hold))
}
