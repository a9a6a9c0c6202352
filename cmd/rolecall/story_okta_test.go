package main

import (
	"testing"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake/okta/oktatest"
)

// directory is who the identity provider knows besides those who decide, by department.
var directory = map[string]string{"mina": "Payments", "ada": "Platform", "teo": "Payments", "kai": "Platform"}

// oktaPerson is somebody in Okta's directory, and as its SCIM client provisioned them.
type oktaPerson struct{ okta, scim, account string }

// oktaProvisions has Okta's directory, its client provision everybody in it, and
// Security start the source.
func (h *sourceHouse) oktaProvisions() map[string]oktaPerson {
	h.t.Helper()
	h.oktaHooked()
	people := map[string]oktaPerson{}
	for name, department := range directory {
		people[name] = oktaPerson{
			okta: h.okta.AddUser(map[string]any{
				"login": email(name), "email": email(name), "firstName": full(name)[:len(name)], "lastName": "Test",
				"department": department, "title": "SRE II", "employeeNumber": "E-" + name,
			}),
			account: h.employs(name, department), scim: h.provisions(oktaClient, name, department, true),
		}
	}
	h.oktaDelivers()
	h.oktaIsRead()
	h.callsTheRoll()
	h.starts("scim:okta")
	return people
}

// unassigned has Okta's client say that somebody is not in its scope any more,
// as Okta says it whether they have left or not.
func (h *sourceHouse) unassigned(p oktaPerson) {
	h.t.Helper()
	h.patch(oktaClient, "/Users/"+p.scim, `{"op":"replace","value":{"active":false}}`)
}

// hasLeft is an answer on a card that asks whether somebody has left.
const hasLeft = "They have left"

// TestOktaSaysTwiceThatSomebodyHasLeft lets Okta's SCIM client take somebody out
// of its scope, which is a question, and its event hook say that they have left,
// which is the answer. What Okta says again changes nothing.
func TestOktaSaysTwiceThatSomebodyHasLeft(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, housePolicy, func(h *sourceHouse) {
		people := h.oktaProvisions()
		mina := people["mina"]
		h.unassigned(mina)
		h.becomes("mina", lifecycle.StatusSuspended)
		asked := h.card(security, "Has Mina Test", hasLeft)
		h.untouched("Okta has only unassigned her")

		h.okta.Decide(func(int) oktatest.Fate { return oktatest.Doubled })
		h.okta.Deactivate(mina.okta)
		h.oktaDelivers()
		h.until("Mina is contained", func() bool { return h.contained("mina") })
		if settled := h.card(security, "Has Mina Test", "This has settled itself"); settled.TS != asked.TS || !settled.Edited {
			h.t.Errorf("the question was not settled in place: %s, then %s", asked.TS, settled.TS)
		}
		h.rests()
		effects, changes := len(h.pd.Effects()), h.changes()
		h.unassigned(mina)
		h.okta.Tell(mina.okta, "user.lifecycle.deactivate", "FAILURE")
		h.oktaDelivers()
		h.oktaIsRead()
		h.callsTheRoll()
		if again := len(h.pd.Effects()); again != effects {
			h.t.Errorf("what Okta says again has %d effects more", again-effects)
		}
		if again := h.changes(); again != changes {
			h.t.Errorf("what Okta says again changes who people are: %s times, then %s", changes, again)
		}
		h.card(security, "Has Mina Test", "This has settled itself")

		ada := people["ada"]
		h.unassigned(ada)
		h.card(security, "Has Ada Test", hasLeft)
		h.okta.Decide(func(int) oktatest.Fate { return oktatest.Lost })
		h.okta.Deactivate(ada.okta)
		h.oktaDelivers()
		h.rests()
		if h.contained("ada") {
			h.t.Fatal("nobody has said that Ada has left")
		}
		h.oktaIsRead()
		h.until("Ada is contained, though the hook has lost it", func() bool { return h.contained("ada") })
		h.card(security, "Has Ada Test", "This has settled itself")
		for _, name := range []string{"teo", "kai"} {
			if h.contained(name) {
				h.t.Errorf("%s was contained", name)
			}
		}
	})
}
