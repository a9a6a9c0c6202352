package scim

import (
	"fmt"
	"slices"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"rolecall/lifecycle"
)

// The operations of RFC 7644, 3.5.2, as the library has them.
const (
	opAdd     = "add"
	opRemove  = "remove"
	opReplace = "replace"
)

// How much a PATCH can be.
const (
	mostOperations = 10_000 // of members one each, in the worst dialect of Entra ID
	mostChanges    = 500    // of attributes; there are some thirty
	longestPath    = 512    // bytes
)

// An operation is one that the library understands: of one attribute that is
// kept, with a path and a value of the schema's type.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

// A patch is what a PATCH asks for.
type patch struct {
	*reader
	operations []operation
	members    gathering
	parsed     map[string]filter.Path // by what was sent: many operations have one path
}

// readPatch reads the body of a PATCH in any dialect of Okta and Entra ID.
func (n *reader) readPatch(body any) (*patch, error) {
	m, ok := body.(map[string]any)
	if !ok {
		return nil, fail(invalidSyntax, "the body must be an object, not %s", typeOf(body))
	}
	if err := checkSchemas(m, urnPatch); err != nil {
		return nil, err
	}
	list, _ := member(m, "Operations").([]any)
	if len(list) == 0 || len(list) > mostOperations {
		return nil, fail(invalidSyntax, "Operations must be a list of 1 to %d operations", mostOperations)
	}
	p := &patch{reader: n, parsed: map[string]filter.Path{}}
	for i, o := range list {
		if err := p.read(o, fmt.Sprintf("Operations[%d]", i)); err != nil {
			return nil, err
		}
		if len(p.operations) > mostChanges {
			return nil, fail(invalidSyntax, "Operations change more than %d attributes; send them in several requests", mostChanges)
		}
	}
	return p, nil
}

func member(m map[string]any, name string) any {
	for n, v := range m {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return nil
}

// read reads one operation. Without a path it is one for each attribute in its value.
func (p *patch) read(o any, at string) error {
	m, ok := o.(map[string]any)
	if !ok {
		return fail(invalidSyntax, "%s must be an object, not %s", at, typeOf(o))
	}
	op, _ := member(m, "op").(string)
	op = strings.ToLower(op)
	if !slices.Contains([]string{opAdd, opRemove, opReplace}, op) {
		return fail(invalidSyntax, "%s.op must be add, remove or replace", at)
	}
	path, isText := member(m, "path").(string)
	if member(m, "path") != nil && !isText {
		return fail(invalidPath, "%s.path must be text", at)
	}
	value := member(m, "value")
	if path = strings.TrimSpace(path); path != "" {
		return p.target(op, path, value, at)
	}
	if op == opRemove {
		return fail(noTarget, "%s: remove needs a path", at)
	}
	attributes, ok := value.(map[string]any)
	if !ok {
		return fail(invalidValue, "%s.value must be an object of attributes where there is no path, not %s", at, typeOf(value))
	}
	return p.each(op, "", attributes, at)
}

// each makes an operation of every attribute, in the order of their names: a map has none.
func (p *patch) each(op, prefix string, attributes map[string]any, at string) error {
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if prefix == "" && slices.ContainsFunc([]string{"id", "schemas", "meta"}, func(s string) bool { return strings.EqualFold(s, name) }) {
			continue // Okta sends the id along
		}
		if err := p.target(op, prefix+name, attributes[name], at); err != nil {
			return err
		}
	}
	return nil
}

// target reads an operation on what path names. What is not kept is dropped.
func (p *patch) target(op, path string, value any, at string) error {
	if len(path) > longestPath {
		return fail(invalidPath, "%s.path has %d bytes; at most %d are read", at, len(path), longestPath)
	}
	if p.kind == lifecycle.ResourceUser && strings.EqualFold(path, urnEnterprise) {
		return p.wholeExtension(op, value, at)
	}
	if id, ok := memberIn(path); ok && p.kind == lifecycle.ResourceGroup && op == opRemove {
		p.members.touched = true
		p.members.set(false, id)
		return nil
	}
	parsed, err := p.parse(path)
	if err != nil {
		return fail(invalidPath, `%s: %q is no path such as title, name.givenName or emails[type eq "work"].value`, at, path)
	}
	if p.kind == lifecycle.ResourceGroup && strings.EqualFold(parsed.AttributePath.AttributeName, "members") {
		return p.members.apply(op, parsed, value, at)
	}
	if slices.ContainsFunc([]string{"id", "schemas", "meta"}, func(s string) bool { return strings.EqualFold(s, path) }) {
		return fail(mutability, "%s: %s is not a client's to change", at, path)
	}
	t, ok := p.resolve(parsed)
	if !ok {
		p.drop(parsed.AttributePath.String())
		return nil
	}
	if parsed.ValueExpression != nil {
		if _, err := conditionsOf(parsed.ValueExpression, t.whole, at); err != nil {
			return err
		}
		// As it was written: how the parser would write it is not how it reads it.
		t.path = strings.Replace(t.path, "[]", path[strings.IndexByte(path, '['):strings.LastIndexByte(path, ']')+1], 1)
	}
	return p.add(op, t, value, at)
}

func (p *patch) parse(path string) (filter.Path, error) {
	if known, ok := p.parsed[path]; ok {
		return known, nil
	}
	parsed, err := parsePath(path)
	if err == nil {
		p.parsed[path] = parsed
	}
	return parsed, err
}

// wholeExtension reads an operation on all attributes of the extension: they come
// as an object under its URN.
func (p *patch) wholeExtension(op string, value any, at string) error {
	if op == opRemove || value == nil {
		for _, a := range enterpriseAttributes() {
			p.operations = append(p.operations, operation{Op: opRemove, Path: urnEnterprise + ":" + a.name})
		}
		return nil
	}
	attributes, ok := value.(map[string]any)
	if !ok {
		return fail(invalidValue, "%s: the value of %s must be an object, not %s", at, urnEnterprise, typeOf(value))
	}
	return p.each(op, urnEnterprise+":", attributes, at)
}

// A target is an attribute that is kept, or a part of it.
type target struct {
	attribute attribute // of which the value is: a sub-attribute, where the path names one
	whole     attribute // the attribute at the top
	path      string    // in the schema's case
	where     bool      // a filter picks the values
	sub       bool
}

// resolve finds what a path names; false: nothing that is kept.
func (p *patch) resolve(parsed filter.Path) (target, bool) {
	table, prefix := attributesOf(p.kind), ""
	switch uri := parsed.AttributePath.URI(); {
	case uri == "", strings.EqualFold(uri, urnUser), strings.EqualFold(uri, urnGroup):
	case p.kind == lifecycle.ResourceUser && strings.EqualFold(uri, urnEnterprise):
		table, prefix = enterpriseAttributes(), urnEnterprise+":"
	default:
		return target{}, false
	}
	a, ok := find(table, parsed.AttributePath.AttributeName)
	if !ok {
		return target{}, false
	}
	t := target{attribute: a, whole: a, path: prefix + a.name}
	if parsed.ValueExpression != nil {
		t.where = true
		t.path += "[]"
	}
	sub := parsed.SubAttributeName()
	if sub == "" {
		sub = parsed.AttributePath.SubAttributeName()
	}
	if sub == "" {
		return t, true
	}
	if t.attribute, ok = find(a.subs, sub); !ok {
		return target{}, false
	}
	t.path, t.sub = t.path+"."+t.attribute.name, true
	return t, true
}

// add adds an operation whose value is of the schema's type. null removes.
func (p *patch) add(op string, t target, value any, at string) error {
	if t.where && t.whole.shape != many {
		return fail(invalidPath, "%s: %s is no list, so no filter picks from it", at, t.whole.name)
	}
	o := operation{Op: op, Path: t.path}
	if value == nil {
		o.Op = opRemove
	}
	if o.Op == opRemove && (t.whole.required || t.whole.name == "active") {
		return fail(mutability, "%s: %s cannot be removed; replace it", at, t.whole.name)
	}
	if value != nil && (op != opRemove || t.attribute.shape == many && !t.where) {
		is, err := p.value(t.asked(), value, at+".value")
		if err != nil {
			return err
		}
		o.Value = is
	}
	p.operations = append(p.operations, o)
	return nil
}

// asked returns the attribute that the value must be of: one of a list, where a
// filter picks it.
func (t target) asked() attribute {
	a := t.attribute
	if t.where && a.shape == many {
		a.shape = one
	}
	return a
}
