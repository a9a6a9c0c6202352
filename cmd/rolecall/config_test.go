package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// needs is what each command asks of the configuration.
var needs = map[string][]string{
	"serve": {"serve"}, "doctor": {"doctor"}, "reconcile": {"reconcile"}, "digest": {"digest", "--dry-run"},
	"request approve": {"request", "approve", "req_x", "--as", "marco@acme.test"}, "request list": {"request", "list"},
	"roster export": {"roster", "export"}, "audit verify": {"audit", "verify"}, "audit tail": {"audit", "tail"}, "backup": {"backup", "copy.db"},
	"policy check": {"policy", "check"}, "policy test": {"policy", "test"}, "policy explain": {"policy", "explain", "--given", "title=SRE"}, "health": {"health"},
	"migrate": {"migrate"}, "who": {"who", "ana@acme.test"}, "request choose": {"request", "choose", "req_x", "--as", "marco@acme.test", "--to", "ines@acme.test"},
	"request undo": {"request", "undo", "req_x", "--as", "marco@acme.test"}, "status": {"status"}, "source list": {"source", "list"}, "source start": {"source", "start", "scim:okta", "--as", "lee@acme.test"},
	"identity list": {"identity", "list"}, "identity answer": {"identity", "answer", "cas_x", "--answer", "left", "--as", "lee@acme.test"},
	"hold list": {"hold", "list"}, "hold release": {"hold", "release", "hld_x", "--all", "--as", "lee@acme.test"},
}

// Every mistake in what a command uses is said at once, and no word about what it does not use.
func TestEveryMistakeInTheConfigurationIsSaidAtOnce(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"nothing is set": {"DATABASE": "", "LISTEN": "127.0.0.1:1"}, // where nothing listens
		"everything is wrong": {
			"DATABASE": "", "POLICY": "nowhere.yaml", "LISTEN": "8080", "MODE": "shadow", "TIMEZONE": "Mars/Olympus", "RECONCILE_SCHEDULE": "daily",
			"DIGEST_SCHEDULE": "61 9 * * *", "WATCH_SCHEDULE": "often", "PAGERDUTY_CONCURRENCY": "many", "SLACK_BOT_TOKEN_FILE": "no-such-file", "SLACK_APP_TOKEN": "xapp-secret", "SLACK_SIGNING_SECRET": "hush",
			"SLACK_API_URL": "slack.example", "PAGERDUTY_TOKEN": "u+secret", "PAGERDUTY_TOKEN_FILE": "no-such-file", "PAGERDUTY_SUBDOMAIN": "acme",
			"PAGERDUTY_REGION": "mars", "PAGERDUTY_API_URL": "ftp://x", "PAGERDUTY_TOKEN_URL": "x", "PAGERDUTY_FROM": "nobody", "WEBHOOK_SECRET": "whsec_secret-that-is-no-base64",
			"SCIM_TOKEN": "okta=too-short-a-token", "ROSTER_TOKEN_FILE": "no-such-file", "OKTA_SECRET": "three words here", "OKTA_URL": "acme.okta.com", "OKTA_SCHEDULE": "never",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			bareEnvironment(t)
			for name, value := range env {
				t.Setenv("ROLECALL_"+name, value)
			}
			var said strings.Builder
			for _, what := range slices.Sorted(maps.Keys(needs)) {
				o := command(t, needs[what]...)
				fmt.Fprintf(&said, "%s: exit %d\n%s%s\n", what, o.code, o.out, o.err)
				for _, secret := range []string{"xapp-secret", "hush", "u+secret", "secret-that-is-no-base64", "too-short-a-token"} {
					if strings.Contains(o.out+o.err, secret) {
						t.Errorf("%s says the secret %q: %s", what, secret, o.err)
					}
				}
			}
			golden(t, "config_"+strings.ReplaceAll(name, " ", "_")+".txt", said.String())
		})
	}
}

func TestSecretsCanBeFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key := write("key", pagerDutyKey+"\n")
	for name, tt := range map[string]struct {
		set   map[string]string
		wrong string // "" for nothing
	}{
		"a file holds it, and a line ends it": {set: map[string]string{"PAGERDUTY_TOKEN": "", "PAGERDUTY_TOKEN_FILE": key}},
		"the secret and the file":             {set: map[string]string{"PAGERDUTY_TOKEN_FILE": key}, wrong: "ROLECALL_PAGERDUTY_TOKEN: give either the secret or ROLECALL_PAGERDUTY_TOKEN_FILE, not both"},
		"an empty file":                       {set: map[string]string{"PAGERDUTY_TOKEN": "", "PAGERDUTY_TOKEN_FILE": write("empty", " \n")}, wrong: "is empty"},
		"a file that is not there":            {set: map[string]string{"PAGERDUTY_TOKEN": "", "PAGERDUTY_TOKEN_FILE": dir + "/none"}, wrong: `/none" cannot be read: no such file or directory`},
		"a directory":                         {set: map[string]string{"PAGERDUTY_TOKEN": "", "PAGERDUTY_TOKEN_FILE": dir}, wrong: "cannot be read: is a directory"},
		"one that this command does not use":  {set: map[string]string{"SLACK_BOT_TOKEN": "", "SLACK_BOT_TOKEN_FILE": dir + "/none"}},
		"an unprefixed name is another's":     {set: map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			settle(t, tt.set)
			t.Setenv("PAGERDUTY_CLIENT_ID", "of another program")
			command(t, "migrate").exits(t, 0)
			want := 0
			if tt.wrong != "" {
				want = exitUsage
			}
			o := command(t, "reconcile", "--dry-run").exits(t, want)
			if !strings.Contains(o.err, tt.wrong) || strings.Contains(o.out+o.err, pagerDutyKey) {
				t.Errorf("it says %q, want %q", o.err, tt.wrong)
			}
		})
	}
}

// A key that is rotated in its file counts without a restart.
func TestARotatedSecretIsTakenUp(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(pagerDutyKey), 0o600); err != nil {
		t.Fatal(err)
	}
	p := settle(t, map[string]string{"PAGERDUTY_TOKEN": "", "PAGERDUTY_TOKEN_FILE": key})
	s := p.serve()
	p.pd.SetToken("u+the-next-key")
	if status, text := p.get("/readyz"); status != 503 || !strings.Contains(text, "PagerDuty") {
		t.Errorf("with a key that is worthless /readyz says %d %q", status, text)
	}
	if err := os.WriteFile(key, []byte("u+the-next-key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, text := p.get("/readyz"); status != 200 {
		t.Errorf("with the next key /readyz says %d %q", status, text)
	}
	if o := s.stop(); strings.Contains(o.err, "u+the-next-key") || strings.Contains(o.err, pagerDutyKey) {
		t.Errorf("the log names a key:\n%s", o.err)
	}
}
