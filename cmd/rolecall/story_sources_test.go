package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rolecall/bot"
	"rolecall/lifecycle"
)

// TestTheConfiguredOrderSaysWhoseWordCounts lets HR and Okta disagree: of each
// attribute the source counts that the policy names first, and the real command
// says who said what, and when.
func TestTheConfiguredOrderSaysWhoseWordCounts(t *testing.T) {
	t.Parallel()
	order := housePolicy + "sources: {order: [hr/acme, \"scim:okta\"], title: [\"scim:okta\", hr/acme]}\n"
	onEachDatabase(t, order, func(h *sourceHouse) {
		account := h.employs("mina", "Payments")
		id := h.provisions(oktaClient, "mina", "Platform", true)
		h.callsTheRoll()
		h.starts("scim:okta")
		said := knownAs("mina", "Payments", lifecycle.StatusActive)
		said.Title, said.Location = "Engineer", "Oslo"
		h.notice(said)
		h.patch(oktaClient, "/Users/"+id, `{"op":"replace","value":{"title":"Staff SRE","addresses":[{"type":"work","locality":"Berlin"}]}}`)
		h.until("both have been heard", func() bool { p := h.person("mina").Person; return p.Location == "Oslo" && p.Title == "Staff SRE" })
		h.until("her new title has settled", func() bool { return h.person("mina").Moving == nil })
		h.rests()
		is := h.person("mina")
		if p := is.Person; p.Department != "Payments" || is.From[lifecycle.AttrDepartment] != "hr/acme" || is.From[lifecycle.AttrTitle] != "scim:okta" {
			h.t.Errorf("she is %s in %s, said by %v", p.Title, p.Department, is.From)
		}
		h.untouched("she is as policy wants who HR says she is")
		golden(h.t, "identity_show.txt", strings.ReplaceAll(steady(h.command("identity", "show", email("mina"))), account, "PMINA"))
	})
}

var (
	anyID = regexp.MustCompile(`\b(idn|usr)_[a-z0-9]+`)
	anyAt = regexp.MustCompile(`20\d\d-\d\d-\d\d \d\d:\d\d UTC`)
)

// steady returns what a command says with what differs from run to run replaced.
func steady(out string) string {
	return anyAt.ReplaceAllString(anyID.ReplaceAllString(out, "${1}_…"), "2026-05-31 09:00 UTC")
}

// TestNothingFollowsFromAFirstSyncThatIsWrong connects a source that says of
// everybody, wrongly, that they are not active or were deleted.
func TestNothingFollowsFromAFirstSyncThatIsWrong(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, housePolicy, func(h *sourceHouse) {
		const people = 30
		var known []string
		for i := range people {
			name := fmt.Sprintf("p%03d", i)
			h.employs(name, "Payments")
			known = append(known, name+" Payments")
		}
		h.roster(http.StatusAccepted, rosterOf(known...))
		h.callsTheRoll()
		for i := range people {
			id := h.provisions(entraClient, fmt.Sprintf("p%03d", i), "Payments", i%3 != 0)
			if i%3 == 1 {
				h.patch(entraClient, "/Users/"+id, `{"op":"Replace","path":"active","value":"False"}`)
			}
			if i%3 == 2 {
				h.scim(entraClient, http.StatusNoContent, http.MethodDelete, "/Users/"+id, "")
			}
		}
		h.becomes("p000", lifecycle.StatusSuspended)
		h.becomes("p002", lifecycle.StatusEnded)
		h.callsTheRoll()
		h.untouched("the first sync is observed")
		h.starts("scim:entra")
		h.callsTheRoll()
		h.untouched("what was said before the start is not acted on")
		if open, err := h.service.db.Cases(h.t.Context()); err != nil || len(open) > 0 {
			h.t.Errorf("%d questions are asked: %v", len(open), err)
		}
	})
}

// rewrites writes the policy file as somebody who has merged a change.
func (h *sourceHouse) rewrites(text string) {
	h.t.Helper()
	next := filepath.Join(h.dir, "next.yaml")
	h.must(os.WriteFile(next, []byte(text), 0o600))
	h.must(os.Rename(next, h.settings.policy))
}

// goesBy reports whether the text is the policy in force, and the service goes by it.
func (h *sourceHouse) goesBy(text string) bool {
	h.t.Helper()
	in, err := h.service.db.PolicyInForce(h.t.Context())
	h.must(err)
	return in.Text == text && h.service.live.Written().SHA256 == in.SHA256
}

// TestThePolicyFileIsEditedWhileServeRuns makes a harmless change, one that is
// none, and one that takes access from more people than is ordinary: that waits
// for two people, and a restart is no way round them.
func TestThePolicyFileIsEditedWhileServeRuns(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, housePolicy, func(h *sourceHouse) {
		var known []string
		for i := range 12 {
			name := fmt.Sprintf("p%03d", i)
			h.employs(name, "Payments")
			known = append(known, name+" Payments")
		}
		h.roster(http.StatusAccepted, rosterOf(known...))
		h.callsTheRoll()

		harmless := strings.Replace(housePolicy, "defaults: {hold: 0s}", "defaults: {hold: 1s}", 1)
		h.rewrites(harmless)
		h.until("the harmless change is in force", func() bool { return h.goesBy(harmless) })

		h.rewrites(strings.Replace(harmless, "department: [Payments]", "depatment: [Payments]", 1))
		h.card(security, "The policy file was changed and cannot come into force", "did you mean \"department\"?")
		if !h.goesBy(harmless) {
			h.t.Error("what is no policy is in force")
		}

		taking := strings.Replace(harmless, "grant: {base_role: limited_user, teams: [{team: Payments, role: responder}]}", "grant: {base_role: limited_user}", 1)
		h.rewrites(taking)
		h.card(security, "Stopped: a policy", "[Release")
		h.stop()
		h.start()
		h.callsTheRoll()
		h.card(security, "Stopped: a policy", "[Release")
		h.card(security, "The policy file was changed and cannot come into force", "")
		h.untouched("nobody has released it")
		if !h.goesBy(harmless) {
			h.t.Fatal("a restart has put in force what waits for two people")
		}
		wantWords(h.t, h.command("status"), "HELD", "waits for two people")

		h.presses("priya", h.card(security, "Stopped: a policy", "[Release"), bot.ActionRelease, map[string]any{bot.InputReason: "Payments gives up its pager."})
		proposed := h.card(security, "Stopped: a policy", "[Confirm")
		h.rests()
		if !h.goesBy(harmless) {
			h.t.Fatal("one person is enough")
		}
		h.press("lee", proposed, bot.ActionConfirm)
		h.until("it is in force, and goes by it", func() bool { return h.goesBy(taking) })
		h.card(security, "Stopped: a policy", "Put in force by")
	})
}

// TestARosterIsHeldToTheOneBefore sends whole rosters: the first is observed, the
// second moves somebody, half of one is refused, and who is missing twice is asked
// about.
func TestARosterIsHeldToTheOneBefore(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, housePolicy, func(h *sourceHouse) {
		known := []string{"mina Payments", "teo Platform"}
		for i := range 38 {
			known = append(known, fmt.Sprintf("p%03d Payments", i))
		}
		for _, p := range known {
			name, department, _ := strings.Cut(p, " ")
			h.employs(name, department)
		}
		h.roster(http.StatusAccepted, rosterOf(known...))
		h.callsTheRoll()
		h.untouched("the first roster is observed")
		h.noCard(payments, "Test")

		known[0] = "mina Platform"
		h.roster(http.StatusAccepted, rosterOf(known...))
		h.press("omar", h.card("C0PLATFORM", "Mina Test: joins Platform", "[Approve]"), bot.ActionApprove)
		h.card("C0PLATFORM", "Mina Test: joins Platform", "Done, checked in PagerDuty")
		h.rests()
		changes, effects := h.changes(), len(h.pd.Effects())

		wantWords(h.t, h.roster(http.StatusUnprocessableEntity, rosterOf(known[:20]...)), "it has 20 rows, and the last had 40")
		h.card(security, "A snapshot of roster was refused", "nothing was changed")
		h.callsTheRoll()
		if again := h.changes(); again != changes || len(h.pd.Effects()) != effects {
			h.t.Errorf("half of a roster has changed who people are %s times, was %s, and PagerDuty %d times", again, changes, len(h.pd.Effects())-effects)
		}

		missing := slices.Concat(known[:1], known[2:])
		h.roster(http.StatusAccepted, rosterOf(missing...))
		h.noCard(security, "Teo Test")
		slices.Reverse(missing)
		h.roster(http.StatusAccepted, rosterOf(missing...))
		asked := h.card(security, "Has Teo Test", hasLeft)
		h.callsTheRoll()
		if len(h.pd.Effects()) != effects {
			h.t.Error("who is missing has lost something before anybody answered")
		}
		h.answers("priya", asked, lifecycle.AnswerLeft, "His manager says so.")
		h.until("Teo is contained", func() bool { return h.contained("teo") })
	})
}
