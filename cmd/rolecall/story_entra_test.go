package main

import (
	"net/http"
	"testing"

	"rolecall/bot"
	"rolecall/lifecycle"
)

// entraProvisions has Entra ID provision the directory, and Security start it. It
// returns by what Entra ID knows whom.
func (h *sourceHouse) entraProvisions() map[string]string {
	h.t.Helper()
	ids := map[string]string{}
	for name, department := range directory {
		h.employs(name, department)
		ids[name] = h.provisions(entraClient, name, department, true)
	}
	h.callsTheRoll()
	h.starts("scim:entra")
	return ids
}

// TestEntraDeletesSoftlyFirst lets Entra ID soft-delete two people, in either of
// its dialects: neither loses anything before Security says that they have left,
// or Entra ID deletes them for good.
func TestEntraDeletesSoftlyFirst(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, housePolicy, func(h *sourceHouse) {
		ids := h.entraProvisions()
		h.patch(entraClient, "/Users/"+ids["mina"], `{"op":"Replace","path":"active","value":"False"}`)
		h.patch(entraClient, "/Users/"+ids["ada"]+"?aadOptscim062020", `{"op":"replace","value":{"active":false}}`)
		h.patch(entraClient, "/Users/"+ids["teo"], `{"op":"Replace","path":"active","value":"False"}`)
		for _, name := range []string{"mina", "ada", "teo"} {
			h.becomes(name, lifecycle.StatusSuspended)
			h.card(security, "Has "+full(name), hasLeft)
		}
		h.callsTheRoll()
		h.untouched("Entra ID has deleted them softly")

		h.answers("lee", h.card(security, "Has Mina Test", hasLeft), lifecycle.AnswerLeft, "Her manager confirmed it.")
		h.until("Mina is contained", func() bool { return h.contained("mina") })
		h.card(security, "Has Mina Test", "Her manager confirmed it.")
		h.scim(entraClient, http.StatusNoContent, http.MethodDelete, "/Users/"+ids["ada"], "")
		h.until("Ada is contained", func() bool { return h.contained("ada") })
		h.card(security, "Has Ada Test", "This has settled itself")
		h.answers("lee", h.card(security, "Has Teo Test", hasLeft), lifecycle.AnswerStays, "")
		h.card(security, "Has Teo Test", "They have not left")
		h.callsTheRoll()
		if h.contained("teo") || h.contained("kai") {
			h.t.Error("somebody has lost something who has not left")
		}
		if left := h.person("mina"); left.Person.Status != lifecycle.StatusEnded {
			h.t.Errorf("Mina is %s", left.Person.Status)
		}
	})
}

// TestAMoveIsToldOnceItHasSettled lets a source say a move in three requests: it
// is one, from what was before the first to what is after the last; and none
// where it goes back.
func TestAMoveIsToldOnceItHasSettled(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, housePolicy, func(h *sourceHouse) {
		ids := h.entraProvisions()
		move := func(name, department string) {
			h.patch(entraClient, "/Users/"+ids[name], `{"op":"Replace","path":"`+schemaEnterprise+`:department","value":"`+department+`"}`)
		}
		for _, department := range []string{"Risk", "Treasury", "Platform"} {
			move("mina", department)
		}
		for _, department := range []string{"Risk", "Treasury", "Payments"} {
			move("teo", department)
		}
		h.until("Mina's move is asked about", func() bool { _, said := h.cards("C0PLATFORM", "Mina Test"); return said != "" })
		card := h.card("C0PLATFORM", "Mina Test", "[Approve]")
		_, said := h.cards("C0PLATFORM", "Mina Test")
		wantWords(h.t, said, "Payments → Platform")
		wantNoWords(h.t, said, "Risk", "Treasury")
		h.press("omar", card, bot.ActionApprove)
		h.card("C0PLATFORM", "Mina Test", "Done, checked in PagerDuty")
		h.until("nothing of Teo's move settles any more", func() bool { return h.person("teo").Moving == nil })
		for _, channel := range []string{payments, "C0PLATFORM", security} {
			h.noCard(channel, "Teo Test")
		}
	})
}
