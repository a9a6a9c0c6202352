package scim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

// A reader turns what a client sends into what is kept: names in the schema's
// case, values of the schema's type, and nothing else. It notes what it drops.
type reader struct {
	kind    lifecycle.ResourceKind
	dropped []string
}

// Names that are noted, and how long each is, in characters.
const (
	mostDropped = 20
	longestName = 80
)

func (n *reader) drop(path string) {
	path = intake.Clip(path, longestName)
	if len(n.dropped) < mostDropped && !slices.Contains(n.dropped, path) {
		n.dropped = append(n.dropped, path)
	}
}

// resource reads the body of a POST or PUT. The members are apart from the
// attributes; nil means that the body says nothing of them.
func (n *reader) resource(body any) (map[string]any, *lifecycle.MemberChange, error) {
	m, ok := body.(map[string]any)
	if !ok {
		return nil, nil, fail(invalidSyntax, "the body must be an object, not %s", typeOf(body))
	}
	core := urnUser
	if n.kind == lifecycle.ResourceGroup {
		core = urnGroup
	}
	if err := checkSchemas(m, core); err != nil {
		return nil, nil, err
	}
	var members *lifecycle.MemberChange
	attributes, err := n.object(m, attributesOf(n.kind), "", func(name string, value any) (bool, error) {
		switch {
		case strings.EqualFold(name, "schemas"), strings.EqualFold(name, "id"), strings.EqualFold(name, "meta"), strings.EqualFold(name, "groups"):
			return true, nil // ours to say, or said already
		case n.kind == lifecycle.ResourceGroup && strings.EqualFold(name, "members"):
			ids, err := memberIDs(value, "members")
			members = &lifecycle.MemberChange{Whole: true, Join: ids}
			return true, err
		}
		return false, nil
	})
	if err != nil {
		return nil, nil, err
	}
	return attributes, members, checkRequired(attributes, n.kind)
}

// checkRequired refuses a resource without its name.
func checkRequired(attributes map[string]any, k lifecycle.ResourceKind) error {
	for _, a := range attributesOf(k) {
		if s, _ := attributes[a.name].(string); a.required && strings.TrimSpace(s) == "" {
			return fail(invalidValue, "%s is needed, and must not be empty", a.name)
		}
	}
	return nil
}

func checkSchemas(m map[string]any, want string) error {
	for name, value := range m {
		if !strings.EqualFold(name, "schemas") {
			continue
		}
		list, _ := value.([]any)
		if slices.ContainsFunc(list, func(v any) bool { s, _ := v.(string); return strings.EqualFold(s, want) }) {
			return nil
		}
	}
	return fail(invalidSyntax, "schemas must be a list with %s in it", want)
}

// object reads an object by the table. What special takes is not looked at further.
func (n *reader) object(m map[string]any, table []attribute, path string, special func(string, any) (bool, error)) (map[string]any, error) {
	is := map[string]any{}
	for name, value := range m {
		if value == nil {
			continue
		}
		if taken, err := special(name, value); taken || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		if path == "" && n.kind == lifecycle.ResourceUser && strings.EqualFold(name, urnEnterprise) {
			extension, err := n.extension(value)
			if err != nil {
				return nil, err
			}
			is[urnEnterprise] = extension
			continue
		}
		a, ok := find(table, name)
		if !ok {
			n.drop(path + name)
			continue
		}
		if _, twice := is[a.name]; twice {
			return nil, fail(invalidSyntax, "%s%s is given twice, in different case", path, a.name)
		}
		v, err := n.value(a, value, path+a.name)
		if err != nil {
			return nil, err
		}
		is[a.name] = v
	}
	return is, nil
}

func nothingSpecial(string, any) (bool, error) { return false, nil }

func (n *reader) extension(value any) (map[string]any, error) {
	m, ok := value.(map[string]any)
	if !ok {
		return nil, fail(invalidValue, "%s must be an object, not %s", urnEnterprise, typeOf(value))
	}
	return n.object(m, enterpriseAttributes(), urnEnterprise+":", nothingSpecial)
}

// value reads one value of an attribute.
func (n *reader) value(a attribute, value any, path string) (any, error) {
	switch a.shape {
	case flag:
		return readFlag(value, path)
	case one:
		return n.element(a, unwrap(value), path)
	case many:
		list, ok := value.([]any)
		if !ok {
			list = []any{value}
		}
		return n.list(a, list, path)
	default:
		return readText(unwrap(value), path)
	}
}

func (n *reader) list(a attribute, list []any, path string) (any, error) {
	if len(list) > mostValues {
		return nil, fail(invalidValue, "%s has %d values; at most %d are kept", path, len(list), mostValues)
	}
	is := make([]any, 0, len(list))
	for i, v := range list {
		if v == nil {
			continue
		}
		e, err := n.element(a, v, fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, err
		}
		is = append(is, e)
	}
	return is, nil
}

// element reads an object, or the text that stands for it: Entra ID sends the
// manager as a bare id.
func (n *reader) element(a attribute, value any, path string) (map[string]any, error) {
	if s, ok := value.(string); ok {
		if _, has := find(a.subs, "value"); has {
			value = map[string]any{"value": s}
		}
	}
	m, ok := value.(map[string]any)
	if !ok {
		return nil, fail(invalidValue, "%s must be an object, not %s", path, typeOf(value))
	}
	return n.object(m, a.subs, path+".", nothingSpecial)
}

// unwrap returns the one value that a list wraps: an old dialect of Entra ID
// sends [{"$ref":null,"value":"x"}] for x.
func unwrap(value any) any {
	list, ok := value.([]any)
	if !ok || len(list) != 1 {
		return value
	}
	if m, ok := list[0].(map[string]any); ok && m["value"] != nil {
		return m["value"]
	}
	return list[0]
}

// readFlag takes true and "True": Entra ID sends the latter, unless told not to.
func readFlag(value any, path string) (bool, error) {
	switch v := unwrap(value).(type) {
	case bool:
		return v, nil
	case string:
		if strings.EqualFold(v, "true") || strings.EqualFold(v, "false") {
			return strings.EqualFold(v, "true"), nil
		}
	}
	return false, fail(invalidValue, "%s must be true or false, not %s", path, typeOf(value))
}

func readText(value any, path string) (string, error) {
	var s string
	switch v := value.(type) {
	case string:
		s = v
	case json.Number:
		s = v.String()
	default:
		return "", fail(invalidValue, "%s must be text, not %s", path, typeOf(value))
	}
	if n := utf8.RuneCountInString(s); n > longestText {
		return "", fail(invalidValue, "%s has %d characters; at most %d are kept", path, n, longestText)
	}
	return s, nil
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	default:
		return "a number"
	}
}

// canonical returns the attributes as the one text that says them: what is
// empty is not there, and names are in order.
func canonical(attributes map[string]any) ([]byte, error) {
	prune(attributes)
	body, err := json.Marshal(attributes)
	if err != nil {
		return nil, fmt.Errorf("write attributes: %w", err)
	}
	return body, nil
}

// prune drops empty objects and lists, in depth.
func prune(m map[string]any) {
	for name, value := range m {
		switch v := value.(type) {
		case nil:
			delete(m, name)
		case map[string]any:
			if prune(v); len(v) == 0 {
				delete(m, name)
			}
		case []any:
			v = slices.DeleteFunc(v, func(e any) bool {
				o, ok := e.(map[string]any)
				if ok {
					prune(o)
				}
				return ok && len(o) == 0
			})
			if m[name] = v; len(v) == 0 {
				delete(m, name)
			}
		}
	}
}
