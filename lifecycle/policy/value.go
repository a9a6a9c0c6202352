package policy

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A value is a node of the file, with the key it was written under.
type value struct {
	doc   *document
	key   *yaml.Node // nil in a list
	node  *yaml.Node
	path  string
	shape shape // what may be written here; nil: a file is read
}

// line is where the value begins for a reader: at its key.
func (v value) line() int {
	if v.key != nil {
		return v.key.Line
	}
	return v.node.Line
}

func (v value) wrong(format string, args ...any) {
	v.doc.wrong(v.node.Line, v.node.Column, v.path, format, args...)
}

// is reports whether the value is of that kind, and says so when it is not.
func (v value) is(kind yaml.Kind) bool {
	if v.node.Kind == kind && !v.null() {
		return true
	}
	v.wants(kindWords(kind))
	return false
}

func (v value) wants(what string) {
	if v.doc.refused[v.node] {
		return
	}
	v.wrong("wants %s, but this is %s", what, v.words())
}

func kindWords(kind yaml.Kind) string {
	switch kind {
	case yaml.MappingNode:
		return "keys with values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "text"
	}
}

func (v value) words() string {
	switch {
	case v.null():
		return "empty"
	case v.node.Kind == yaml.ScalarNode:
		return fmt.Sprintf("the text %q", clip(v.node.Value))
	default:
		return kindWords(v.node.Kind)
	}
}

func (v value) null() bool {
	return v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == "!!null"
}

// A field is a key of an object, what it says to people, and how its value is read.
type field struct {
	key, about string
	read       func(value)
}

func keys(fields []field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.key
	}
	return names
}

// object reads the fields that are present, in the order of fields and not of
// the file: what a later field refers to has been read by then.
func (v value) object(fields []field, required ...string) {
	if v.sketchObject(fields, required...) {
		return
	}
	entries, ok := v.entries(keys(fields))
	if !ok {
		return
	}
	present := make(map[string]value, len(entries))
	for _, e := range entries {
		present[e.key.Value] = e
	}
	for _, f := range fields {
		if e, ok := present[f.key]; ok {
			f.read(e)
		} else if slices.Contains(required, f.key) {
			v.wrong("%s is missing", f.key)
		}
	}
}

// entries returns the values under known keys, in the order of the file, and
// false when the value has no keys at all.
func (v value) entries(allowed []string) ([]value, bool) {
	if !v.is(yaml.MappingNode) {
		return nil, false
	}
	var entries []value
	seen := map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key := v.node.Content[i]
		e := value{doc: v.doc, key: key, node: v.node.Content[i+1], path: join(v.path, key.Value)}
		if e.keyed(allowed, seen) {
			seen[key.Value] = key.Line
			entries = append(entries, e)
		}
	}
	return entries, true
}

// keyed reports whether the key is a known one that is written for the first time.
func (v value) keyed(allowed []string, seen map[string]int) bool {
	wrong := func(format string, args ...any) { v.doc.wrong(v.key.Line, v.key.Column, v.path, format, args...) }
	first, twice := seen[v.key.Value]
	switch {
	case v.doc.refused[v.key]:
	case v.key.Kind != yaml.ScalarNode:
		wrong("a key must be a word")
	case v.key.Value == "<<":
		wrong("the merge key << is refused: write the keys out")
	case !slices.Contains(allowed, v.key.Value):
		wrong("unknown key%s", otherwise(didYouMean(v.key.Value, allowed), "; there are "+strings.Join(allowed, ", ")))
	case twice:
		wrong("written twice; the first is in line %d", first)
	default:
		return true
	}
	return false
}

// under returns the value of a key, rightly or wrongly written, and whether there is one.
func (v value) under(key string) (value, bool) {
	if v.node.Kind != yaml.MappingNode {
		return value{}, false
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if k := v.node.Content[i]; k.Value == key {
			return value{doc: v.doc, key: k, node: v.node.Content[i+1], path: join(v.path, key)}, true
		}
	}
	return value{}, false
}

func (v value) emptyList() bool { return v.node.Kind == yaml.SequenceNode && len(v.node.Content) == 0 }

// list reads each item of a list, and reports whether it is one.
func (v value) list(read func(value)) bool {
	if v.sketchList(read, 0) {
		return true
	}
	if !v.is(yaml.SequenceNode) {
		return false
	}
	for _, item := range v.items() {
		read(item)
	}
	return true
}

// oneOrMore reads each item of a list that may not be empty, or one scalar for a list of it.
func (v value) oneOrMore(read func(value)) {
	if v.sketchEither(read, func(v value) { v.sketchList(read, 1) }) {
		return
	}
	switch {
	case v.node.Kind == yaml.ScalarNode && !v.null():
		read(v)
	case v.emptyList():
		v.wrong("the list is empty; name at least one")
	default:
		v.list(read)
	}
}

func (v value) items() []value {
	items := make([]value, len(v.node.Content))
	for i, n := range v.node.Content {
		items[i] = value{doc: v.doc, node: n, path: fmt.Sprintf("%s[%d]", v.path, i)}
	}
	return items
}
