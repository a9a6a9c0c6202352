package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
	"rolecall/lifecycle/policy"
)

// demoPlace is the demo's PagerDuty and people, as commands find them, before any
// policy was written.
func demoPlace(t *testing.T) (w *world, dir string) {
	t.Helper()
	dir = t.TempDir()
	database := filepath.Join(dir, "rolecall.db")
	w, err := newWorld(t.Context(), database, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Errorf("close the demo: %v", err)
		}
	})
	bareEnvironment(t)
	for name, value := range map[string]string{
		"DATABASE": database, "POLICY": filepath.Join(dir, "policy.yaml"), "PAGERDUTY_TOKEN": demoToken, "PAGERDUTY_API_URL": w.service.pagerDuty.APIURL, "PAGERDUTY_FROM": demoFrom,
	} {
		t.Setenv("ROLECALL_"+name, value)
	}
	return w, dir
}

func TestAPolicyThatWasBegunFindsNothing(t *testing.T) {
	w, dir := demoPlace(t)
	path := filepath.Join(dir, "policy.yaml")
	o := command(t, "policy", "init", "--file", path, "--security-channel", "C0SECURITY").exits(t, 0)
	if !strings.HasPrefix(o.out, path+" was written: 20 teams, ") {
		t.Errorf("init says %q", o.out)
	}
	command(t, "policy", "check").exits(t, 0)
	command(t, "policy", "test").exits(t, 0)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "begun.yaml", strings.Replace(string(text), w.started.UTC().Format("2006-01-02"), "2026-05-04", 1))

	rules, err := policy.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	result, err := lifecycle.NewRollCall(w.service.db, w.service.pd, policy.NewLive(rules, w.service.pd.Teams), now).Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range result.Open {
		if f.Kind != lifecycle.FoundOrphan && f.Kind != lifecycle.FoundStale && f.Kind != lifecycle.FoundInvitePending { // no policy mends these
			t.Errorf("found: %s", f.Story())
		}
	}
	if o := command(t, "policy", "init", "--file", path, "--security-channel", "C0SECURITY").exits(t, exitUsage); !strings.Contains(o.err, "is there already") {
		t.Errorf("a file that is there is answered with %q", o.err)
	}
}

func TestPolicyInit(t *testing.T) {
	p := settle(t, nil)
	p.pd.AddUser(pagerdutytest.User{Name: "Omar Haddad", Email: "omar@acme.test", Role: pagerdutytest.Admin})
	path := filepath.Join(p.dir, "begun.yaml")
	if o := command(t, "policy", "init", "--file", path).exits(t, exitUsage); !strings.Contains(o.err, "--security-channel with its id") {
		t.Errorf("without a channel it says %q", o.err)
	}
	if o := command(t, "policy", "init", "--file", path, "--security-channel", "#security").exits(t, exitUsage); !strings.Contains(o.err, `"#security" is not the id of a Slack channel`) {
		t.Errorf("with the name of a channel it says %q", o.err)
	}
	o := command(t, "policy", "init", "--file", "-", "--security-channel", "C0SECURITY").exits(t, 0)
	for _, want := range []string{"No source of truth has sent anybody yet", "members: [omar@acme.test]", "protected: [breakglass@acme.test, rolecall@acme.test]", "Nobody manages it in PagerDuty"} {
		if !strings.Contains(o.out, want) {
			t.Errorf("it does not say %q:\n%s", want, o.out)
		}
	}
	if _, err := os.Stat(p.database); err == nil {
		t.Error("it has made a database")
	}
	var said struct {
		File         string
		Teams, Rules int
		ByName       int `json:"by_name"`
		SHA256       string
	}
	o = command(t, "policy", "init", "--file", path, "--security-channel", "C0SECURITY", "--json").exits(t, 0)
	if err := json.Unmarshal([]byte(o.out), &said); err != nil || said.Teams != 2 || said.Rules != 1 || said.ByName != 1 || len(said.SHA256) != 64 {
		t.Errorf("--json is %s: %v", o.out, err)
	}
	command(t, "policy", "check", path).exits(t, 0)
	roster := filepath.Join(p.dir, "people.csv")
	if err := os.WriteFile(roster, []byte("employee_id,status,name,emails,department\nE1,active,Omar Haddad,omar@acme.test,Platform\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := command(t, "policy", "init", "--file", "-", "--security-channel", "C0SECURITY", "--roster", roster).exits(t, 0); strings.Contains(o.out, "No source of truth") {
		t.Errorf("with a roster it says\n%s", o.out)
	}
	t.Setenv("ROLECALL_PAGERDUTY_TOKEN", "u+another")
	if o := command(t, "policy", "init", "--file", filepath.Join(p.dir, "no.yaml"), "--security-channel", "C0SECURITY").exits(t, exitPartial); !strings.Contains(o.err, "so no policy was written") {
		t.Errorf("with a key that is not accepted it says %q", o.err)
	}
}

func TestPolicySchemaIsJSON(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	if err := json.Unmarshal([]byte(command(t, "policy", "schema").exits(t, 0).out), &schema); err != nil || schema["title"] != "rolecall policy" {
		t.Errorf("got %v and %v", schema["title"], err)
	}
}
