package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRosterImportAsksForBothHalves(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		"roster import a.csv --accept":                    "--accept --as EMAIL --reason TEXT",
		"roster import a.csv --accept --as priya@x":       "--accept --as EMAIL --reason TEXT",
		"roster import a.csv --as priya@x":                "go with --accept",
		"roster import a.csv --at yesterday":              "is not a time like",
		"roster import a.csv --source scim:okta":          "does not come in rosters",
		"roster import a.csv --source rolecall":           "does not come in rosters",
		"roster import a.csv --at 2026-05-31 --reason no": "go with --accept",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			if o := command(t, strings.Fields(line)...); o.code != exitUsage && o.code != exitRefused || !strings.Contains(o.err, says) || o.out != "" {
				t.Errorf("exit %d, it says %q, want %q", o.code, o.err, says)
			}
		})
	}
}

// A roster that is out of the ordinary is refused, until somebody of Security
// says that it is right all the same; one that is older is refused by anybody.
func TestRosterImportIsGuarded(t *testing.T) {
	p := settle(t, nil)
	p.kept() // and the policy's people are known
	file := filepath.Join(p.dir, "people.csv")
	write := func(people int) {
		var text strings.Builder
		text.WriteString("employee_id,status,emails\n")
		for n := range people {
			fmt.Fprintf(&text, "E%d,active,e%d@acme.test\n", n, n)
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	day := func(n int) string {
		return time.Now().AddDate(0, 0, n-30).UTC().Format(time.RFC3339)
	}
	write(40)
	command(t, "roster", "import", file, "--at", day(1)).exits(t, 0)
	if o := command(t, "roster", "import", file, "--at", day(2)).exits(t, 0); !strings.Contains(o.out, "the same as the last time") {
		t.Errorf("the same file is %q", o.out)
	}
	write(10)
	refused := command(t, "roster", "import", file, "--at", day(3)).exits(t, exitRefused)
	if !strings.Contains(refused.err, "it has 10 rows, and the last had 40") || !strings.Contains(refused.err, "--accept") {
		t.Errorf("a quarter of the company is refused as %q", refused.err)
	}
	accept := func(as string, at string) []string {
		return []string{"roster", "import", file, "--at", at, "--accept", "--as", as, "--reason", "we sold Berlin"}
	}
	command(t, accept("marco@acme.test", day(3))...).exits(t, exitRefused)
	command(t, accept("nobody@acme.test", day(3))...).exits(t, exitRefused)
	command(t, accept("priya@acme.test", day(0))...).exits(t, exitConflict)
	command(t, accept("priya@acme.test", day(60))...).exits(t, exitConflict)
	if o := command(t, accept("priya@acme.test", day(3))...).exits(t, 0); !strings.HasPrefix(o.out, "10 rows,") {
		t.Errorf("what Security accepted is %q", o.out)
	}
	trail := command(t, "audit", "tail", "-n", "50", "--json").exits(t, 0).out
	for _, says := range []string{"snapshot.refused", "snapshot.taken", "we sold Berlin"} {
		if !strings.Contains(trail, says) {
			t.Errorf("the trail does not say %q:\n%s", says, trail)
		}
	}
	command(t, "audit", "verify").exits(t, 0)
}
