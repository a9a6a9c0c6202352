package bot_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dlclark/regexp2"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"rolecall/bot"
)

const (
	manifestFile = "../manifest.yaml"
	// Slack's published schema, from github.com/slackapi/manifest-schema, kept beside the project.
	schemaFile = "../../shared/spec/slack-manifest.schema.1.0.0.json"
)

type manifest struct {
	Features struct {
		AppHome struct {
			HomeTab bool `yaml:"home_tab_enabled"`
		} `yaml:"app_home"`
		Commands []struct {
			Command string `yaml:"command"`
			Escape  bool   `yaml:"should_escape"`
		} `yaml:"slash_commands"`
		Shortcuts []struct {
			Type       string `yaml:"type"`
			CallbackID string `yaml:"callback_id"`
		} `yaml:"shortcuts"`
	} `yaml:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `yaml:"bot"`
		} `yaml:"scopes"`
	} `yaml:"oauth_config"`
	Settings struct {
		Events struct {
			Bot []string `yaml:"bot_events"`
		} `yaml:"event_subscriptions"`
		Interactivity struct {
			Enabled bool `yaml:"is_enabled"`
		} `yaml:"interactivity"`
		SocketMode bool `yaml:"socket_mode_enabled"`
	} `yaml:"settings"`
}

func TestManifestIsWhatTheCodeNeeds(t *testing.T) {
	t.Parallel()
	raw, m := readManifest(t)
	want := bot.Surface()
	var commands []string
	shortcuts := map[string][]string{}
	for _, c := range m.Features.Commands {
		commands = append(commands, c.Command)
		if !c.Escape {
			t.Errorf("command %s: should_escape is off, so that a mention arrives as a name that anybody can have", c.Command)
		}
	}
	for _, s := range m.Features.Shortcuts {
		shortcuts[s.Type] = append(shortcuts[s.Type], s.CallbackID)
	}
	for name, got := range map[string]struct{ have, want []string }{
		"commands":              {commands, want.Commands},
		"shortcuts on messages": {shortcuts["message"], want.Shortcuts},
		"global shortcuts":      {shortcuts["global"], want.Global},
		"events":                {m.Settings.Events.Bot, want.Events},
		"scopes":                {slices.Sorted(slices.Values(m.OAuth.Scopes.Bot)), slices.Sorted(maps.Keys(want.Scopes))},
	} {
		if diff := cmp.Diff(got.want, got.have); diff != "" {
			t.Errorf("manifest and code disagree on %s (-code +manifest):\n%s", name, diff)
		}
	}
	for scope, why := range want.Scopes {
		if !strings.Contains(raw, "- "+scope+" # "+why+"\n") {
			t.Errorf("scope %s does not say why: %q", scope, why)
		}
	}
	if !m.Features.AppHome.HomeTab || !m.Settings.Interactivity.Enabled || !m.Settings.SocketMode {
		t.Errorf("home tab %v, interactivity %v, Socket Mode %v: all must be on", m.Features.AppHome.HomeTab, m.Settings.Interactivity.Enabled, m.Settings.SocketMode)
	}
}

func TestManifestFollowsSlacksSchema(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t)
	raw, _ := readManifest(t)
	if err := schema.Validate(asJSON(t, raw)); err != nil {
		t.Error(err)
	}
	if err := schema.Validate(asJSON(t, strings.Replace(raw, "is_enabled: true", "is_enabled: perhaps", 1))); err == nil {
		t.Error("the schema accepts interactivity that is enabled \"perhaps\": it checks nothing")
	}
}

func readManifest(t *testing.T) (string, manifest) {
	t.Helper()
	raw, err := os.ReadFile(manifestFile)
	if err != nil {
		t.Fatal(err)
	}
	var m manifest
	if err := yaml.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return string(raw), m
}

// compileSchema skips where Slack's schema is not at hand.
func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := os.ReadFile(schemaFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("Slack's manifest schema is not at %s; get it from github.com/slackapi/manifest-schema to run this", schemaFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.UseRegexpEngine(lookAhead)
	if err := c.AddResource("manifest.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// lookAhead compiles what Go's own engine refuses: the schema looks ahead.
func lookAhead(s string) (jsonschema.Regexp, error) {
	re, err := regexp2.Compile(s, regexp2.ECMAScript)
	if err != nil {
		return nil, err
	}
	return looking{re}, nil
}

type looking struct{ *regexp2.Regexp }

func (l looking) MatchString(s string) bool {
	ok, err := l.Regexp.MatchString(s)
	return ok && err == nil
}

func asJSON(t *testing.T, raw string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(raw), &v); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
