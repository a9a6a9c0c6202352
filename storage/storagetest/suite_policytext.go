package storagetest

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func samplePolicy(text string) lifecycle.PolicyText {
	sum := sha256.Sum256([]byte(text))
	return lifecycle.PolicyText{SHA256: hex.EncodeToString(sum[:]), Text: text, At: noon()}
}

func testPolicies(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	keep := func(p lifecycle.PolicyText) error {
		return db.KeepPolicy(t.Context(), p, event(lifecycle.EventPolicyRefused, p.SHA256), lifecycle.Job{Kind: lifecycle.JobHold, Ref: "hld_1"})
	}
	enforce := func(p lifecycle.PolicyText) error {
		return db.EnforcePolicy(t.Context(), p, event(lifecycle.EventPolicyLoaded, p.SHA256))
	}
	inForce := func(want lifecycle.PolicyText) {
		t.Helper()
		if diff := cmp.Diff(want, get[lifecycle.PolicyText](t)(db.PolicyInForce(t.Context()))); diff != "" {
			t.Errorf("in force (-want +got):\n%s", diff)
		}
	}
	one, two := samplePolicy("version: 1\nrules: [one]\n# \u2028 <&>\n"), samplePolicy("version: 1\nrules: [two]\n")
	must(t, keep(one))
	if _, err := db.PolicyInForce(t.Context()); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("in force, where one is only kept: %v", err)
	}
	if _, err := db.PolicyText(t.Context(), two.SHA256); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("one that was never kept: %v", err)
	}
	must(t, enforce(one))
	inForce(one)
	must(t, enforce(two))
	inForce(two)
	again := one
	again.At, again.By = noon().Add(-time.Hour), "ines@acme.test, omar@acme.test" // by a clock that was set back
	must(t, enforce(again))
	inForce(again)
	must(t, keep(two)) // stays as it is
	must(t, keep(one))
	inForce(again)
	for _, p := range []lifecycle.PolicyText{again, two} {
		if diff := cmp.Diff(p, get[lifecycle.PolicyText](t)(db.PolicyText(t.Context(), p.SHA256))); diff != "" {
			t.Errorf("by its digest (-want +got):\n%s", diff)
		}
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobHold); n != 6 || j != 3 {
		t.Errorf("%d lines and %d jobs, want each call's: 6 and 3", n, j)
	}
	forged, broken := two, samplePolicy("not \xff UTF-8")
	forged.Text = "version: 1\n"
	for name, p := range map[string]lifecycle.PolicyText{"another's digest": forged, "text that would come back as another": broken} {
		if keep(p) == nil || enforce(p) == nil {
			t.Errorf("%s was kept", name)
		}
	}
	if won := together(8, func() bool { return enforce(two) == nil }); won != 8 { // replicas that start at once
		t.Errorf("%d of 8 who put it in force at once could", won)
	}
	inForce(two)
	whole(t, url)
}
