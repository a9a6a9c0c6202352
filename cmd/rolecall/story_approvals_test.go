package main

import (
	"testing"
	"time"

	"rolecall/bot"
	"rolecall/lifecycle"
)

// TestSomebodyStandsInForAnOwnerWhoIsAway lets Marco go on holiday while a joiner
// waits for him: Omar decides for him, and the record says so.
func TestSomebodyStandsInForAnOwnerWhoIsAway(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, housePolicy, func(h *sourceHouse) {
		h.callsTheRoll()
		h.notice(knownAs("mina", "Payments", lifecycle.StatusActive))
		h.card("C0PAYMENTS", "Mina Test", "Approve")
		h.command("away", "set", "--as", email("marco"), "--until", tomorrow(), "--to", email("omar"))
		asked := h.card("C0PAYMENTS", "Mina Test", "(for <@U0MARCO>, who is away until")
		h.presses("omar", asked, bot.ActionApprove, nil)
		h.until("Mina is on Payments", func() bool { return h.on("mina", "PTPAY01") == "responder" })
		h.rests()
		h.card("C0PAYMENTS", "Mina Test", "Approved by <@U0OMAR> for <@U0MARCO>")
		h.command("away", "back", "--as", email("marco"))
		h.notice(knownAs("zoe", "Payments", lifecycle.StatusActive))
		asked = h.card("C0PAYMENTS", "Zoe Test", "Approve")
		h.presses("omar", asked, bot.ActionApprove, nil)
		h.presses("marco", asked, bot.ActionApprove, nil)
		h.until("Zoe is on Payments", func() bool { return h.on("zoe", "PTPAY01") == "responder" })
		h.rests()
		h.card("C0PAYMENTS", "Zoe Test", "Approved by <@U0MARCO>, ")
	})
}

func tomorrow() string { return time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly) }

// on returns the role of somebody on a team, in PagerDuty.
func (h *sourceHouse) on(name, team string) string {
	u, ok := h.pd.UserByEmail(email(name))
	if !ok {
		return ""
	}
	return h.pd.TeamRole(team, u.ID)
}

// TestWhatIsAskedForEndsInWhatWasHeld lets Mina, of Platform, ask for a role on
// Payments: she is given it for an hour, no roll call takes it for drift, and
// once she gives it back she holds what she held.
func TestWhatIsAskedForEndsInWhatWasHeld(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, housePolicy, func(h *sourceHouse) {
		h.employs("mina", "Platform")
		h.notice(knownAs("mina", "Platform", lifecycle.StatusActive))
		h.callsTheRoll()
		h.rests()
		r, err := h.service.flows.planner.Wish(h.t.Context(), lifecycle.Wish{
			By: h.person("mina"), Team: "Payments", Role: "responder", Until: time.Now().Add(time.Hour), Why: "Refunds are stuck", Incident: "Q1AB", Via: lifecycle.ViaSlack,
		})
		h.must(err)
		asked := h.card("C0PAYMENTS", "Mina Test", "Refunds are stuck")
		h.presses("marco", asked, bot.ActionApprove, nil)
		h.until("Mina is on Payments", func() bool { return h.on("mina", "PTPAY01") == "responder" })
		h.rests()
		h.callsTheRoll()
		h.rests()
		if found, _, err := h.service.db.Findings(h.t.Context(), time.Now()); err != nil || len(found) > 0 {
			h.t.Errorf("the roll call finds %v, %v", found, err)
		}
		_, err = h.service.flows.approvals.GiveBack(h.t.Context(), r.ID, h.person("mina"), lifecycle.ViaSlack)
		h.must(err)
		h.until("Mina is off Payments", func() bool { return h.on("mina", "PTPAY01") == "" })
		h.rests()
		if role := h.on("mina", "PTPLA02"); role != "responder" {
			h.t.Errorf("on Platform she is %q", role)
		}
	})
}
