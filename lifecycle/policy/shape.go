package policy

import (
	"strings"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

// A shape is what may be written in one place of the file, as JSON Schema says
// it. It is drawn by reading nothing: whatever reads a value says first what it
// wants, so that a file and its schema cannot disagree about a key. Where a file
// is read there is no shape, and nothing is drawn.
type shape map[string]any

func (s shape) set(keyword string, is any) {
	if s != nil {
		s[keyword] = is
	}
}

// clear begins the shape anew; what it is about stays.
func (s shape) clear() {
	for keyword := range s {
		if keyword != "description" {
			delete(s, keyword)
		}
	}
}

// sketch returns the shape that read draws.
func (v value) sketch(about string, read func(value)) shape {
	s := shape{}
	if about != "" {
		s["description"] = about
	}
	read(value{doc: v.doc, node: &yaml.Node{}, shape: s})
	return s
}

// sketchObject draws an object with the fields, and reports whether anything is
// drawn at all; so do the others.
func (v value) sketchObject(fields []field, required ...string) bool {
	if v.shape == nil {
		return false
	}
	properties := map[string]shape{}
	for _, f := range fields {
		properties[f.key] = v.sketch(f.about, f.read)
	}
	v.shape.set("type", "object")
	v.shape.set("properties", properties)
	v.shape.set("additionalProperties", false)
	if len(required) > 0 {
		v.shape.set("required", required)
	}
	return true
}

func (v value) sketchList(read func(value), least int) bool {
	if v.shape == nil {
		return false
	}
	v.shape.set("type", "array")
	v.shape.set("items", v.sketch("", read))
	if least > 0 {
		v.shape.set("minItems", least)
	}
	return true
}

func (v value) sketchEither(reads ...func(value)) bool {
	if v.shape == nil {
		return false
	}
	either := make([]shape, len(reads))
	for i, read := range reads {
		either[i] = v.sketch("", read)
	}
	v.shape.set("anyOf", either)
	return true
}

// unique draws that nothing is written twice in the list.
func (s shape) unique() {
	if either, ok := s["anyOf"].([]shape); ok {
		either[len(either)-1].set("uniqueItems", true)
	}
}

// sketchNamed draws a shape that may contain itself: once, under its name.
func (v value) sketchNamed(name string, read func(value)) bool {
	if v.shape == nil {
		return false
	}
	if _, drawn := v.doc.defs[name]; !drawn {
		v.doc.defs[name] = nil // until it is: inside itself it is only named
		v.doc.defs[name] = v.sketch("", read)
	}
	v.shape.set("$ref", "#/$defs/"+name)
	return true
}

// sketchText draws a scalar that is taken as it is written: 1.10 and NO are text.
func (v value) sketchText(pattern string) bool {
	if v.shape == nil {
		return false
	}
	v.shape.set("type", []string{"string", "number", "boolean"})
	v.shape.set("pattern", pattern)
	return true
}

// sketchNumber draws a number, which may also be written in quotes.
func (v value) sketchNumber(kind, pattern string, limits map[string]any) {
	if v.shape == nil {
		return
	}
	v.shape.set("type", []string{kind, "string"})
	v.shape.set("pattern", pattern)
	for keyword, is := range limits {
		v.shape.set(keyword, is)
	}
}

// sketchChoice draws one of the values.
func sketchChoice[T any](v value, allowed ...T) {
	if v.shape != nil {
		v.shape.clear()
		v.shape.set("enum", allowed)
	}
}

// The shapes of text, as regular expressions that Go and ECMAScript read alike.
const (
	someText    = `\S`
	oneLine     = `^\S([^\n\t]*\S)?$`
	ruleName    = `^[^\s,]([^\n\t,]*[^\s,])?$`
	anAddress   = `^[^\s<>]+@[^\s<>]+$`
	aPattern    = `@.*[^*@]|[^*@].*@`
	aDomain     = `^[^\s@.]+(\.[^\s@.]+)+$`
	aZone       = `^[A-Za-z][A-Za-z0-9_+/-]*$`
	anHour      = `^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$`
	aDay        = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	aNumber     = `^[0-9]+$`
	aPercentage = `^[0-9.eE+]+$`
	aDuration   = `^(0|\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`
)

// anEmployment is the kinds of employment in any case, and whatever has a star.
func anEmployment() string {
	var kinds []string
	for _, e := range employments() {
		var b strings.Builder
		for _, r := range string(e) {
			b.WriteString("[" + strings.ToUpper(string(r)) + string(r) + "]")
		}
		kinds = append(kinds, b.String())
	}
	return `^(` + strings.Join(kinds, "|") + `)$|\*`
}

func employments() []lifecycle.Employment {
	return []lifecycle.Employment{lifecycle.Employee, lifecycle.Contractor, lifecycle.Intern, lifecycle.Vendor, lifecycle.Service}
}
