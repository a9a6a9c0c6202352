package scim

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	server "github.com/elimity-com/scim"
	filter "github.com/scim2/filter-parser/v2"
)

// A condition is one that picks values of a list: a sub-attribute and what it is.
type condition struct {
	name string // in the schema's case
	want any    // text or bool
}

// conditionsOf returns the conditions of a filter on the values of an attribute:
// eq and and. Anything else is a failure.
func conditionsOf(e filter.Expression, a attribute, at string) ([]condition, error) {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		if !strings.EqualFold(string(e.Operator), string(filter.AND)) {
			break
		}
		left, err := conditionsOf(e.Left, a, at)
		if err != nil {
			return nil, err
		}
		right, err := conditionsOf(e.Right, a, at)
		return append(left, right...), err
	case *filter.AttributeExpression:
		sub, ok := find(a.subs, e.AttributePath.String())
		if !ok || !isEqual(e.Operator) {
			break
		}
		if sub.shape == flag {
			want, err := readFlag(e.CompareValue, at+".path")
			return []condition{{name: sub.name, want: want}}, err
		}
		if s, ok := e.CompareValue.(string); ok {
			return []condition{{name: sub.name, want: s}}, nil
		}
	}
	return nil, fail(invalidPath, `%s: values of %s are picked by eq and and, like %s[type eq "work"]`, at, a.name, a.name)
}

// holds reports whether an element is what the condition wants. Text of types
// and addresses is compared in any case. Source: RFC 7643, 2.4 and 4.1.2.
func (c condition) holds(element map[string]any) bool {
	want, isText := c.want.(string)
	have, haveText := element[c.name].(string)
	if isText && haveText {
		return strings.EqualFold(want, have)
	}
	return element[c.name] == c.want || c.want == false && element[c.name] == nil
}

func all(conditions []condition, element map[string]any) bool {
	return !slices.ContainsFunc(conditions, func(c condition) bool { return !c.holds(element) })
}

// apply changes the attributes as one operation says, which the library has parsed.
func (v *visit) apply(attributes map[string]any, o server.PatchOperation) error {
	if o.Path == nil {
		return nil // the library's own form of nothing to do
	}
	table, within := attributesOf(v.kind), attributes
	if strings.EqualFold(o.Path.AttributePath.URI(), urnEnterprise) {
		table = enterpriseAttributes()
		extension, ok := attributes[urnEnterprise].(map[string]any)
		if !ok {
			extension = map[string]any{}
			attributes[urnEnterprise] = extension
		}
		within = extension
	}
	a, ok := find(table, o.Path.AttributePath.AttributeName)
	if !ok {
		return fmt.Errorf("apply %s %v: it was read and is not in the schema", o.Op, o.Path)
	}
	sub := o.Path.SubAttributeName()
	if sub == "" {
		sub = o.Path.AttributePath.SubAttributeName()
	}
	value := plain(o.Value)
	switch a.shape {
	case many:
		return applyMany(within, a, o, sub, value)
	case one:
		applyOne(within, a, o.Op, sub, value)
	default:
		set(within, a.name, o.Op, value)
	}
	return nil
}

// set sets a value that is one, or removes it.
func set(m map[string]any, name, op string, value any) {
	if op == opRemove {
		delete(m, name)
		return
	}
	m[name] = value
}

// applyOne changes an object: what the value does not name stays. Source: RFC
// 7644, 3.5.2.1 and 3.5.2.3.
func applyOne(m map[string]any, a attribute, op, sub string, value any) {
	if sub == "" && op == opRemove {
		delete(m, a.name)
		return
	}
	is, ok := m[a.name].(map[string]any)
	if !ok {
		is = map[string]any{}
		m[a.name] = is
	}
	if sub != "" {
		set(is, sub, op, value)
		return
	}
	merge(is, value)
}

func merge(into map[string]any, value any) {
	m, _ := value.(map[string]any)
	for name, v := range m {
		into[name] = v
	}
}

// applyMany changes a list of objects.
func applyMany(m map[string]any, a attribute, o server.PatchOperation, sub string, value any) error {
	list, _ := m[a.name].([]any)
	before := primaries(list)
	var conditions []condition
	if o.Path.ValueExpression != nil {
		var err error
		if conditions, err = conditionsOf(o.Path.ValueExpression, a, "path"); err != nil {
			return err
		}
	}
	switch {
	case o.Path.ValueExpression == nil && sub == "":
		list = applyList(list, o.Op, value)
	case o.Path.ValueExpression == nil && len(list) > 1:
		return fail(noTarget, `path: there are %d %s; pick one, like %s[type eq "work"].%s`, len(list), a.name, a.name, sub)
	case o.Op == opRemove:
		list = removeFrom(list, conditions, sub)
	default:
		list = applyPicked(list, conditions, sub, value)
	}
	if len(list) > mostValues {
		return fail(invalidValue, "%s would have %d values; at most %d are kept", a.name, len(list), mostValues)
	}
	onePrimary(before, list)
	m[a.name] = list
	return nil
}

// applyList adds values that are not there, removes those that are named, or
// replaces all.
func applyList(list []any, op string, value any) []any {
	values, _ := value.([]any)
	switch {
	case op == opReplace, op == opRemove && value == nil:
		return values
	case op == opRemove:
		return slices.DeleteFunc(list, func(e any) bool {
			return slices.ContainsFunc(values, func(v any) bool { return contains(e, v) })
		})
	}
	for _, v := range values {
		if !slices.ContainsFunc(list, func(e any) bool { return reflect.DeepEqual(e, v) }) {
			list = append(list, v)
		}
	}
	return list
}

// contains reports whether an element has everything that part says.
func contains(element, part any) bool {
	e, _ := element.(map[string]any)
	p, _ := part.(map[string]any)
	for name, want := range p {
		if !(condition{name: name, want: want}).holds(e) {
			return false
		}
	}
	return len(p) > 0
}

// removeFrom removes the values that are picked, or one part of each; a value
// of which nothing but its kind is left goes with it.
func removeFrom(list []any, conditions []condition, sub string) []any {
	return slices.DeleteFunc(list, func(v any) bool {
		e, _ := v.(map[string]any)
		if !all(conditions, e) {
			return false
		}
		if sub == "" {
			return true
		}
		delete(e, sub)
		for name := range e {
			if name != "type" && name != "primary" && name != "display" {
				return false
			}
		}
		return true
	})
}

// applyPicked changes the values that are picked. Where there is none it makes
// one: Entra ID addresses what is not there yet by a filter.
func applyPicked(list []any, conditions []condition, sub string, value any) []any {
	found := false
	for _, v := range list {
		if e, ok := v.(map[string]any); ok && all(conditions, e) {
			found = true
			put(e, sub, value)
		}
	}
	if found {
		return list
	}
	e := map[string]any{}
	for _, c := range conditions {
		e[c.name] = c.want
	}
	put(e, sub, value)
	return append(list, e)
}

func put(e map[string]any, sub string, value any) {
	if sub == "" {
		merge(e, value)
		return
	}
	e[sub] = value
}

// primaries returns the elements of a list that are primary.
func primaries(list []any) []map[string]any {
	var are []map[string]any
	for _, v := range list {
		if e, _ := v.(map[string]any); e["primary"] == true {
			are = append(are, e)
		}
	}
	return are
}

// onePrimary makes those that were primary before ordinary ones, where another
// has become it. Source: RFC 7643, 2.4.
func onePrimary(before []map[string]any, list []any) {
	isNew := func(e map[string]any) bool {
		return !slices.ContainsFunc(before, func(b map[string]any) bool {
			return reflect.ValueOf(b).Pointer() == reflect.ValueOf(e).Pointer()
		})
	}
	if !slices.ContainsFunc(primaries(list), isNew) {
		return
	}
	for _, b := range before {
		b["primary"] = false
	}
}

// plain returns a copy of the library's value in the types of a decoded body: an
// operation may be applied again, to what somebody else has changed meanwhile.
func plain(value any) any {
	switch v := value.(type) {
	case server.ResourceAttributes:
		return plain(map[string]any(v))
	case map[string]any:
		is := make(map[string]any, len(v))
		for name, inner := range v {
			is[name] = plain(inner)
		}
		return is
	case []any:
		is := make([]any, len(v))
		for i, inner := range v {
			is[i] = plain(inner)
		}
		return is
	default:
		return value
	}
}
