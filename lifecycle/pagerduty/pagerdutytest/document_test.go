package pagerdutytest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// documentPath is where PagerDuty's OpenAPI document lies beside the project, when it is at hand.
const documentPath = "../../../../shared/spec/pagerduty-rest.openapi.json"

const documentURL = "mem:///pagerduty.json"

// A document is PagerDuty's OpenAPI document, with its schemas turned into JSON Schema.
type document struct {
	root     map[string]any
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// openDocument reads the document, or skips the test when it is not there.
func openDocument(t *testing.T) *document {
	t.Helper()
	b, err := os.ReadFile(documentPath)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("PagerDuty's OpenAPI document is not at %s: nothing was held to it", documentPath)
	}
	if err != nil {
		t.Fatalf("read the document: %v", err)
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("parse the document: %v", err)
	}
	d := &document{compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.root = translate(root).(map[string]any)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(documentURL, d.root); err != nil {
		t.Fatalf("load the document: %v", err)
	}
	return d
}

// translate turns OpenAPI 3.0 schemas into JSON Schema wherever they are: nullable becomes a type, what stands beside a
// reference is dropped, and keywords with another meaning go.
func translate(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = translate(v[i])
		}
	case map[string]any:
		if ref, is := v["$ref"].(string); is {
			return map[string]any{"$ref": ref}
		}
		for k := range v {
			v[k] = translate(v[k])
		}
		return nullable(v)
	}
	return v
}

// nullable lets null pass in place, so that references into the schema still find their way.
func nullable(s map[string]any) any {
	if s["nullable"] != true {
		return s
	}
	if typ, is := s["type"].(string); is {
		s["type"] = []any{typ, "null"}
	}
	if enum, is := s["enum"].([]any); is {
		s["enum"] = append(enum, nil)
	}
	if either, is := s["anyOf"].([]any); is {
		s["anyOf"] = append(either, map[string]any{"type": "null"})
	}
	return s
}

// at follows JSON pointer tokens, and references on the way. It returns the place reached as tokens too.
func (d *document) at(tokens ...string) (any, []string) {
	var v any = d.root
	for i, tok := range tokens {
		m, is := v.(map[string]any)
		if !is {
			return nil, nil
		}
		if v = m[tok]; v == nil {
			return nil, nil
		}
		if ref, is := refOf(v); is && i < len(tokens)-1 {
			return d.at(slices.Concat(ref, tokens[i+1:])...)
		}
	}
	return v, tokens
}

func refOf(v any) ([]string, bool) {
	m, is := v.(map[string]any)
	if !is {
		return nil, false
	}
	ref, is := m["$ref"].(string)
	if !is {
		return nil, false
	}
	tokens := strings.Split(strings.TrimPrefix(ref, "#/"), "/")
	for i := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(tokens[i])
	}
	return tokens, true
}

// schema compiles the schema that the tokens lead to. It returns nil when there is none.
func (d *document) schema(t *testing.T, tokens ...string) *jsonschema.Schema {
	t.Helper()
	v, place := d.at(tokens...)
	if v == nil {
		return nil
	}
	var ptr strings.Builder
	for _, tok := range place {
		tok = strings.NewReplacer("~", "~0", "/", "~1").Replace(tok)
		ptr.WriteString("/" + url.PathEscape(tok))
	}
	if s := d.schemas[ptr.String()]; s != nil {
		return s
	}
	s, err := d.compiler.Compile(documentURL + "#" + ptr.String())
	if err != nil {
		t.Fatalf("compile %s: %v", ptr.String(), err)
	}
	d.schemas[ptr.String()] = s
	return s
}

// A deviation is one place where the fake is not as the document says.
type deviation struct {
	exchange, place, what string
}

func (d deviation) String() string { return fmt.Sprintf("%s at %q: %s", d.exchange, d.place, d.what) }

// check holds a JSON text to a schema.
func check(exchange string, s *jsonschema.Schema, body []byte) []deviation {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return []deviation{{exchange, "", "not JSON: " + err.Error()}}
	}
	err = s.Validate(v)
	invalid, is := errors.AsType[*jsonschema.ValidationError](err)
	if !is {
		return nil
	}
	return leaves(exchange, invalid)
}

func leaves(exchange string, e *jsonschema.ValidationError) []deviation {
	if len(e.Causes) == 0 {
		p := message.NewPrinter(language.English)
		return []deviation{{exchange, strings.Join(e.InstanceLocation, "/"), e.ErrorKind.LocalizedString(p)}}
	}
	var out []deviation
	for _, c := range e.Causes {
		out = append(out, leaves(exchange, c)...)
	}
	return out
}

// An allowance is a deviation that stays because the document is wrong there.
type allowance struct {
	exchange, place, reason string // patterns as of path.Match
}

func (a allowance) covers(d deviation) bool {
	exchange, err1 := path.Match(a.exchange, d.exchange)
	place, err2 := path.Match(a.place, d.place)
	return err1 == nil && err2 == nil && exchange && place
}
