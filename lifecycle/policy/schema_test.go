package policy

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON returns the file as an editor sees it: YAML 1.2's core schema, by which a
// day is text.
func asJSON(t *testing.T, file []byte) any {
	t.Helper()
	var root yaml.Node
	if err := yaml.Load(file, &root); err != nil {
		t.Fatal(err)
	}
	return plain(t, root.Content[0])
}

func plain(t *testing.T, n *yaml.Node) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(t, n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, plain(t, item))
		}
		return list
	default:
	}
	switch n.ShortTag() {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int", "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || strings.ContainsAny(n.Value, "nN") { // a NaN is no number of JSON's
			return n.Value
		}
		return f
	default:
		return n.Value
	}
}

func TestEveryGoodFileFitsTheSchema(t *testing.T) {
	t.Parallel()
	s := schema(t)
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "../../cmd/rolecall/testdata/policy.yaml")
	fit := 0
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if _, err := Parse(name, b); err != nil {
			continue
		}
		fit++
		if err := s.Validate(asJSON(t, b)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(readme), "```yaml\nversion: 1\n")
	text, _, _ = strings.Cut(text, "```")
	text = "version: 1\n" + text
	if _, err := Parse("README.md", []byte(text)); !found || err != nil {
		t.Errorf("the README's policy: %v", err)
	} else if err := s.Validate(asJSON(t, []byte(text))); err != nil {
		t.Errorf("the README's policy: %v", err)
	}
	if fit < 3 {
		t.Errorf("only %d of %v were held against the schema", fit, files)
	}
	for name, tt := range all() {
		if err := s.Validate(asJSON(t, []byte(head+tt.text))); tt.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func all() map[string]said {
	cases := sense()
	for name, tt := range bounds() {
		cases[name] = tt
	}
	maps.Copy(cases, waits())
	return cases
}

// beyondASchema is what only Parse tells: what depends on what else the file says,
// on the calendar, on who is named, or on what YAML hides from a schema.
var beyondASchema = []string{
	"an anchor on text", "a shared address twice", "an exception until a day that there is not",
	"a manager given automatically", "an admin automatic by default", "a rule above its own ceiling", "a role on a team above its own ceiling",
	"a rule whose employment is asked for further in", "a rule that grants what nobody may hold together", "exceptions that break a segregation",
	"a segregation of base roles", "a segregation of one team from itself", "a segregation of what everybody holds", "two segregations of one name",
	"a team twice in a grant", "an exception twice", "a team that is not there", "a segregation of a team that is not there", "a test of a rule that is not there",
	"a credential of an outsider", "a shared address that is an owner's",
	"power of owners", "power of more than there are", "power of nobody", "hours over midnight", "hours that are none", "hours of half an hour",
}

func TestABadFileIsRefusedByTheSchemaTooOrIsBeyondIt(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for name, tt := range all() {
		if tt.want == "" {
			continue
		}
		refused, beyond := s.Validate(asJSON(t, []byte(head+tt.text))) != nil, slices.Contains(beyondASchema, name)
		switch {
		case !refused && !beyond:
			t.Errorf("%q passes the schema: %s", name, tt.want)
		case refused && beyond:
			t.Errorf("%q is refused by the schema, and is listed as beyond it", name)
		}
	}
	b, err := os.ReadFile("testdata/mistakes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.ReplaceAll(b, []byte("&who "), nil) // what no editor's YAML would get past
	b = bytes.ReplaceAll(b, []byte("not: *who, <<: *who"), []byte("title: x"))
	if s.Validate(asJSON(t, b)) == nil {
		t.Error("the file of all mistakes passes the schema")
	}
}

func TestTheSchemaIsGolden(t *testing.T) {
	t.Parallel()
	b, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "policy.schema.golden", string(b))
}
