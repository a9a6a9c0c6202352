package scim

import (
	"net/url"
	"strings"
)

// A projection is which attributes a client wants to see. Source: RFC 7644, 3.9.
type projection struct {
	only    []string // folded paths; empty: all
	without []string
}

func projectionOf(q url.Values) projection {
	return projection{only: paths(q["attributes"]), without: paths(q["excludedAttributes"])}
}

// paths returns the paths in a comma-separated list, folded, without the URN of a core schema.
func paths(lists []string) []string {
	var all []string
	for _, p := range strings.FieldsFunc(strings.Join(lists, ","), func(c rune) bool { return c == ',' || c == ' ' }) {
		p = strings.ToLower(p)
		for _, urn := range []string{urnUser, urnGroup} {
			p = strings.TrimPrefix(p, strings.ToLower(urn)+":")
		}
		all = append(all, p)
	}
	return all
}

// wants reports whether an attribute at the top is seen at all.
func (p projection) wants(name string) bool {
	probe := map[string]any{name: true}
	p.apply(probe)
	return len(probe) > 0
}

// apply drops from a resource what is not wanted. id and schemas are always returned.
func (p projection) apply(resource map[string]any) {
	for name := range resource {
		if name == "id" || name == "schemas" {
			continue
		}
		p.prune(resource, name, strings.ToLower(name), strings.EqualFold(name, urnEnterprise))
	}
}

// prune keeps or drops one member, whose path is given, or parts of it.
func (p projection) prune(m map[string]any, name, path string, extension bool) {
	separator := "."
	if extension {
		separator = ":"
	}
	parts := func(list []string) bool {
		for _, l := range list {
			if strings.HasPrefix(l, path+separator) {
				return true
			}
		}
		return false
	}
	switch {
	case has(p.without, path):
		delete(m, name)
		return
	case len(p.only) > 0 && has(p.only, path):
		p = projection{without: p.without} // all of it
	case len(p.only) > 0 && !parts(p.only):
		delete(m, name)
		return
	}
	if len(p.only) == 0 && !parts(p.without) {
		return
	}
	p.within(m[name], path+separator)
	if inner, ok := m[name].(map[string]any); ok && len(inner) == 0 {
		delete(m, name)
	}
}

// within goes into an object, or into each of a list.
func (p projection) within(value any, prefix string) {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			p.prune(v, name, prefix+strings.ToLower(name), false)
		}
	case []any:
		for _, e := range v {
			p.within(e, prefix)
		}
	}
}

func has(list []string, path string) bool {
	for _, l := range list {
		if l == path {
			return true
		}
	}
	return false
}
