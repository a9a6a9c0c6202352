package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kelseyhightower/envconfig"

	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/policy"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// An app that was made with fewer scopes than are asked for fails the doctor;
// one with more can do what nobody needs.
func TestTheReadmeNamesTheScopes(t *testing.T) {
	t.Parallel()
	said := regexp.MustCompile("with the scopes `([^`]+)`").FindStringSubmatch(readme(t))
	if said == nil {
		t.Fatal("the README names no scopes")
	}
	got := strings.Fields(said[1])
	slices.Sort(got)
	if want := pagerduty.Scopes(); !slices.Equal(got, want) {
		t.Errorf("the README asks for the scopes %v, the code for %v", got, want)
	}
}

func TestTheReadmeNamesEveryVariable(t *testing.T) {
	t.Parallel()
	text := readme(t)
	var known strings.Builder
	if err := envconfig.Usagef(prefix, &config{}, &known, "{{range .}}{{usage_key .}}\t{{usage_default .}}\n{{end}}"); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(known.String()) {
		name, usual, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		short := strings.TrimPrefix(name, prefix+"_PAGERDUTY") // in the table beside one that has all of it
		row := regexp.MustCompile("(?m)^\\| .*`(" + name + "|" + short + ")`.*$").FindString(text)
		switch {
		case row == "":
			t.Errorf("the README's table does not have %s", name)
		case usual != "" && !strings.Contains(row, "`"+usual+"`"):
			t.Errorf("the README does not say that %s is %s by default: %s", name, usual, row)
		}
	}
}

func TestTheReadmesPolicyIsOne(t *testing.T) {
	t.Parallel()
	said := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(readme(t))
	if said == nil {
		t.Fatal("the README shows no policy")
	}
	p, err := policy.Parse("README.md", []byte(said[1]))
	if err != nil {
		t.Fatal(err)
	}
	if failures := policy.Test(p); len(failures) > 0 {
		t.Errorf("its own tests fail: %v", failures)
	}
}

// A command that the README does not name is not found by who needs it at night.
func TestTheReadmeNamesEveryCommand(t *testing.T) {
	t.Parallel()
	text := readme(t)
	for _, c := range rootCommand(terminal{}).Commands() {
		if !strings.Contains(text, "rolecall "+c.Name()) {
			t.Errorf("the README does not name rolecall %s", c.Name())
		}
	}
}
