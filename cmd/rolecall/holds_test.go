package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/lifecycle"
)

// Whoever is to release a policy must be able to see whom it moves, and needs no
// file for that: what is in force and what waits are both in the database.
func TestAPolicyThatWaitsIsShownPersonByPerson(t *testing.T) {
	w, dir := demoPlace(t)
	service := w.service
	if _, err := lifecycle.NewRollCall(service.db, service.pd, service.live, now).Run(t.Context(), lifecycle.System); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(w.company.policyFile(), "department: [Fraud]", "department: [Fruad]")
	is, err := service.policies.Offer(t.Context(), text)
	if err != nil || is.Outcome != lifecycle.SwitchHeld {
		t.Fatalf("the policy is %+v: %v", is, err)
	}
	o := command(t, "hold", "show", string(is.Hold)).exits(t, 0)
	for _, want := range []string{"by two of Security", "Tara Ivanov", "Fraud: responder → none", "fraud-engineers"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("it does not say %q:\n%s", want, o.out)
		}
	}
	var said struct{ Diff struct{ Lose int } }
	if o := command(t, "hold", "show", string(is.Hold), "--json").exits(t, 0); json.Unmarshal([]byte(o.out), &said) != nil || said.Diff.Lose == 0 {
		t.Errorf("--json is %s", o.out)
	}
	o = command(t, "hold", "release", string(is.Hold), "--all", "--as", "priya@acme.test", "--reason", "as agreed").exits(t, 0)
	if !strings.HasPrefix(o.out, "Proposed: to put the policy in force.") {
		t.Errorf("a proposal says %q", o.out)
	}

	if o := command(t, "status").exits(t, 0); strings.Contains(o.out, "is not what is in force") {
		t.Errorf("without a file it says\n%s", o.out)
	}
	if err := os.WriteFile(filepath.Join(dir, "policy.yaml"), []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := command(t, "status").exits(t, 0); !strings.Contains(o.out, "policy.yaml is not what is in force: rolecall policy check") {
		t.Errorf("with a file that serve would refuse it says\n%s", o.out)
	}
}
