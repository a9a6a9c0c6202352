package storagetest

import (
	"strings"
	"testing"

	"rolecall/lifecycle"
)

// testPopulation counts people by the accounts that the last roll call has seen.
func testPopulation(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	count := func(want int, when string) {
		t.Helper()
		if got := get[int](t)(db.Population(t.Context())); got != want {
			t.Errorf("%s: %d people have an account, want %d", when, got, want)
		}
	}
	know := func(name string, account lifecycle.AccountID) lifecycle.Identity {
		i := sampleIdentity(name)
		i.Account = account
		must(t, db.SaveIdentity(t.Context(), i, nil, event(lifecycle.EventIdentityChanged, string(i.ID))))
		return i
	}
	know("ana", "PANA")
	bo := know("bo", "")
	know("cy", "") // has no account
	count(0, "before the first roll call")

	linked, byAddress, orphan := sampleAccount("PANA"), sampleAccount("PBO"), sampleAccount("PNOBODY")
	linked.Email, byAddress.Email = "other@acme.test", strings.ToUpper(bo.Person.Emails[0])
	must(t, db.SaveRollCall(t.Context(), rollCall(noon(), []lifecycle.Account{linked, byAddress, orphan}, nil, nil)))
	count(2, "one that is linked and one by its address, and nobody's")

	bo.Account = byAddress.ID
	bo.Revision++
	must(t, db.SaveIdentity(t.Context(), bo, nil, event(lifecycle.EventIdentityChanged, string(bo.ID))))
	count(2, "both ways at once")

	must(t, db.SaveRollCall(t.Context(), rollCall(noon().Add(1), []lifecycle.Account{byAddress, orphan}, nil, nil)))
	count(1, "an account that is gone")
	whole(t, url)
}
