package policy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

// maxDepth is how deep lists and keys may nest; a rule that needs more cannot be reviewed.
const maxDepth = 32

// A document is one policy file while it is being read.
type document struct {
	name     string
	lines    [][]rune
	refused  map[*yaml.Node]bool // reported already: say no more of it
	mistakes Mistakes
	policy   lifecycle.Policy
	claims   map[claimKey]claim
	teams    map[string]string // the policy's own name of each, by its name and its id
	rules    map[string]int    // the line of each, by its name
	shared   []value           // the patterns of addresses, as they are written
	quorum   value             // where it is written how many must agree about great power
	defs     map[string]shape  // shapes that are named, while a schema is drawn
}

func (d *document) wrong(line, column int, path, format string, args ...any) {
	m := Mistake{File: d.name, Line: max(line, 1), Column: max(column, 1), Path: path, Message: fmt.Sprintf(format, args...)}
	if m.Line <= len(d.lines) {
		m.source = d.lines[m.Line-1]
	}
	d.mistakes = append(d.mistakes, m)
}

// open returns the root of the file, or false when there is nothing to read further.
func (d *document) open(b []byte) (value, bool) {
	if len(b) > maxSize {
		d.wrong(1, 1, "", "the file is larger than 1 MiB; that cannot be a policy")
		return value{}, false
	}
	b = bytes.TrimPrefix(b, []byte("\uFEFF"))
	if !d.legible(b) {
		return value{}, false
	}
	var docs []yaml.Node
	if err := yaml.Load(b, &docs, yaml.WithAllDocuments()); err != nil {
		d.syntax(err)
		return value{}, false
	}
	if len(docs) == 0 || len(docs[0].Content) == 0 || docs[0].Content[0].ShortTag() == "!!null" {
		d.wrong(1, 1, "", "the file says nothing; a policy begins with version: 1")
		return value{}, false
	}
	if len(docs) > 1 {
		d.wrong(docs[1].Line, docs[1].Column, "", "a second document begins here; a policy is one document, take out the ---")
	}
	root := docs[0].Content[0]
	d.refused = map[*yaml.Node]bool{}
	d.forbid(root, "", 0)
	return value{doc: d, node: root}, true
}

// legible reports whether every character of the file can be seen for what it
// is. Whoever reviews the file must see what the program reads.
func (d *document) legible(b []byte) bool {
	if i := invalidUTF8(b); i >= 0 {
		line := 1 + bytes.Count(b[:i], []byte("\n"))
		column := utf8.RuneCount(b[bytes.LastIndexByte(b[:i], '\n')+1:i]) + 1
		d.wrong(line, column, "", "this is not UTF-8 text; save the file as UTF-8")
		return false
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		d.lines = append(d.lines, []rune(strings.TrimSuffix(line, "\r")))
	}
	before := len(d.mistakes)
	for i, line := range d.lines {
		for j, r := range line {
			if hidden(r) {
				d.wrong(i+1, j+1, "", "the character U+%04X cannot be seen for what it is; take it out", r)
				break
			}
		}
	}
	return len(d.mistakes) == before
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

// hidden reports whether a character shows as nothing, or makes text show in
// another order or on another line than it is read.
// Source: Unicode TR36 (bidirectional spoofing); YAML 1.1 reads NEL, LS and PS as line ends.
func hidden(r rune) bool {
	switch {
	case r == '\t':
		return false
	case unicode.IsControl(r), r == 0xFEFF, r == 0xFFFE, r == 0xFFFF, r == 0x2028, r == 0x2029:
		return true
	default:
		return unicode.Is(unicode.Bidi_Control, r)
	}
}

// forbid reports what YAML offers and a policy must not use.
func (d *document) forbid(n *yaml.Node, path string, depth int) {
	refuse := func(format string, args ...any) {
		d.refused[n] = true
		d.wrong(n.Line, n.Column, path, format, args...)
	}
	switch {
	case depth > maxDepth:
		refuse("nested deeper than %d levels; say it more simply", maxDepth)
		n.Kind, n.Content = 0, nil // nobody reads on from here
		return
	case n.Kind == yaml.AliasNode:
		refuse("the alias *%s is refused: write the value out", clip(n.Value))
	case n.Anchor != "":
		refuse("the anchor &%s is refused: write the value out wherever it is meant", clip(n.Anchor))
	case n.Style&yaml.TaggedStyle != 0:
		refuse("the tag %s is refused: put text in quotes", clip(n.Tag))
	}
	for i, child := range n.Content {
		d.forbid(child, childPath(path, n, i), depth+1)
	}
}

func childPath(path string, n *yaml.Node, i int) string {
	switch {
	case n.Kind == yaml.SequenceNode:
		return fmt.Sprintf("%s[%d]", path, i)
	case i%2 == 0:
		return path
	default:
		return join(path, n.Content[i-1].Value)
	}
}

func join(path, key string) string {
	if path != "" {
		path += "."
	}
	return path + clip(key)
}

// clip shortens foreign text and keeps it on one line.
func clip(s string) string {
	const most = 60
	s = printable([]rune(s))
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// syntax reports that the file is not YAML. There is only ever one such
// mistake: what follows it cannot be told.
func (d *document) syntax(err error) {
	var one *yaml.LoadError
	if !errors.As(err, &one) {
		d.wrong(1, 1, "", "not YAML: %v", err)
		return
	}
	at := one.Mark
	// What is not closed is found missing at the end, and mended at its beginning.
	if strings.Contains(one.Message, "end of stream") || strings.Contains(one.ContextMsg, "while parsing a flow") {
		at = one.ContextMark
	}
	d.wrong(at.Line, at.Column, "", "%s", d.plainly(one, at))
}

func (d *document) plainly(e *yaml.LoadError, at yaml.Mark) string {
	first := rune(0)
	if at.Line >= 1 && at.Line <= len(d.lines) && at.Column >= 1 && at.Column <= len(d.lines[at.Line-1]) {
		first = d.lines[at.Line-1][at.Column-1]
	}
	switch {
	case first == '\t' || strings.Contains(e.Message, "tab character"):
		return "a tab cannot indent here; use spaces"
	case strings.Contains(e.Message, "cannot start any token"):
		return fmt.Sprintf("text that begins with %q needs quotes", first)
	case strings.Contains(e.Message, "mapping values are not allowed"):
		return "a colon is not expected here; text with a colon in it needs quotes, and keys must be indented alike"
	case e.ContextMsg != "":
		return "not YAML: " + e.Message + " " + e.ContextMsg
	default:
		return "not YAML: " + e.Message
	}
}
