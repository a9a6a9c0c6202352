package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"rolecall/lifecycle"
)

// How much of a JSON text anybody needs. They keep a small text from costing much.
const (
	deepest     = 16
	mostMembers = 256
)

// An object is a JSON object with its members in order. A value is a string,
// json.Number, bool, nil, []any or object.
type object []member

type member struct {
	name  string
	value any
	at    int // where it stands: the offset of its name, or the column of a table, from 1
}

func (o object) find(name string) (member, bool) {
	for _, m := range o {
		if m.name == name {
			return m, true
		}
	}
	return member{}, false
}

// parseJSON returns the one value that body is. It is stricter than
// encoding/json: trailing data, a name given twice and text that is not UTF-8
// are refused, because two readers of a signed body must not read two things.
// Every error about the text is a *syntaxFault.
func parseJSON(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, newSyntaxFault(body, invalidUTF8(body), "is not UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		syntax, ok := errors.AsType[*json.SyntaxError](err)
		if !ok {
			return nil, fmt.Errorf("parse JSON: %w", err)
		}
		return nil, newSyntaxFault(body, int(syntax.Offset)-1, syntax.Error())
	}
	p := parser{body: body, tokens: json.NewDecoder(bytes.NewReader(body))}
	p.tokens.UseNumber()
	return p.value(0)
}

type parser struct {
	body   []byte
	tokens *json.Decoder
}

func (p parser) value(depth int) (any, error) {
	t, err := p.tokens.Token()
	if err != nil {
		return nil, fmt.Errorf("parse JSON: %w", err)
	}
	if depth > deepest {
		return nil, newSyntaxFault(p.body, int(p.tokens.InputOffset())-1, "is nested too deeply")
	}
	switch t {
	case json.Delim('{'):
		return p.object(depth)
	case json.Delim('['):
		return p.list(depth)
	default:
		return t, nil
	}
}

func (p parser) object(depth int) (any, error) {
	o := object{}
	for p.tokens.More() {
		m := member{at: p.next()}
		t, err := p.tokens.Token()
		if err != nil {
			return nil, fmt.Errorf("parse JSON: %w", err)
		}
		m.name, _ = t.(string) // the text is valid, so a member begins with its name
		if _, twice := o.find(m.name); twice {
			return nil, newSyntaxFault(p.body, m.at, fmt.Sprintf("the name %q is given twice", clip(m.name, longestPath)))
		}
		if len(o) == mostMembers {
			return nil, newSyntaxFault(p.body, m.at, fmt.Sprintf("an object has more than %d members", mostMembers))
		}
		if m.value, err = p.value(depth + 1); err != nil {
			return nil, err
		}
		o = append(o, m)
	}
	return o, p.end()
}

func (p parser) list(depth int) (any, error) {
	list := []any{}
	for p.tokens.More() {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, p.end()
}

func (p parser) end() error {
	if _, err := p.tokens.Token(); err != nil {
		return fmt.Errorf("parse JSON: %w", err)
	}
	return nil
}

// next returns the offset at which the next name begins.
func (p parser) next() int {
	from := int(p.tokens.InputOffset())
	return from + max(0, bytes.IndexByte(p.body[from:], '"'))
}

// A syntaxFault is where and why a text is not the JSON that is read here.
type syntaxFault struct {
	line, column int
	what         string
}

func newSyntaxFault(body []byte, offset int, what string) error {
	line, column := position(body, offset)
	return &syntaxFault{line: line, column: column, what: what}
}

func (s *syntaxFault) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", s.line, s.column, s.what)
}

// errMalformed marks a body that is no JSON, which is another status than JSON
// that says something wrong.
var errMalformed = fmt.Errorf("%w JSON", lifecycle.ErrInvalid)

// parseBody is parseJSON for a message: what is wrong with it is a Refusal.
func parseBody(body []byte) (any, error) {
	value, err := parseJSON(body)
	if fault, ok := errors.AsType[*syntaxFault](err); ok {
		return nil, lifecycle.Refuse(errMalformed, "%v", fault)
	}
	return value, err
}

// position returns the line and the column, in characters from 1, of an offset in bytes.
func position(body []byte, offset int) (line, column int) {
	before := body[:min(max(offset, 0), len(body))]
	line = 1 + bytes.Count(before, []byte{'\n'})
	return line, 1 + utf8.RuneCount(before[1+bytes.LastIndexByte(before, '\n'):])
}

func invalidUTF8(body []byte) int {
	at := 0
	for at < len(body) {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}
