package scim

import (
	"fmt"
	"slices"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"rolecall/lifecycle"
)

// memberIDs returns the ids in a value of members: objects with a value, as
// RFC 7643 has them, or bare ids.
func memberIDs(value any, path string) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	ids := make([]string, 0, len(list))
	for i, v := range list {
		if m, ok := v.(map[string]any); ok {
			v = valueIn(m)
		}
		id, ok := v.(string)
		if !ok || id == "" {
			return nil, fail(invalidValue, `%s[%d] must be {"value": id}, with the id of a user`, path, i)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func valueIn(m map[string]any) any {
	for name, v := range m {
		if strings.EqualFold(name, "value") {
			return v
		}
	}
	return nil
}

// A gathering is what a sequence of operations makes of a group's members, the
// last word on each counting.
type gathering struct {
	touched bool
	whole   bool
	member  map[string]bool // those who were spoken of; in a whole, those who are in it
}

func (g *gathering) change() *lifecycle.MemberChange {
	if !g.touched {
		return nil
	}
	c := &lifecycle.MemberChange{Whole: g.whole}
	for id, in := range g.member {
		switch {
		case in:
			c.Join = append(c.Join, id)
		case !g.whole:
			c.Leave = append(c.Leave, id)
		}
	}
	slices.Sort(c.Join)
	slices.Sort(c.Leave)
	return c
}

// apply takes one operation on members into account.
func (g *gathering) apply(op string, p filter.Path, value any, at string) error {
	g.touched = true
	if p.ValueExpression != nil {
		id, err := oneMember(p, at)
		if err != nil {
			return err
		}
		if op != opRemove {
			return fail(invalidPath, "%s: only remove takes a member by a filter; add members by their ids", at)
		}
		g.set(false, id)
		return nil
	}
	if p.SubAttribute != nil || p.AttributePath.SubAttribute != nil {
		return fail(invalidPath, "%s: a member cannot be changed; add it or remove it", at)
	}
	if op == opRemove && value == nil || op == opReplace {
		g.whole, g.member = true, nil
	}
	if value == nil {
		return nil
	}
	ids, err := memberIDs(value, at+".value")
	if err != nil {
		return err
	}
	g.set(op != opRemove, ids...)
	return nil
}

func (g *gathering) set(in bool, ids ...string) {
	if g.member == nil {
		g.member = map[string]bool{}
	}
	for _, id := range ids {
		g.member[id] = in
	}
}

// oneMember returns the id in members[value eq "id"].
func oneMember(p filter.Path, at string) (string, error) {
	e, ok := p.ValueExpression.(*filter.AttributeExpression)
	if ok && p.SubAttribute == nil && strings.EqualFold(e.AttributePath.String(), "value") && isEqual(e.Operator) {
		if id, ok := e.CompareValue.(string); ok && id != "" {
			return id, nil
		}
	}
	return "", fail(invalidPath, `%s: %s is not members[value eq "id"]`, at, fmt.Sprint(p))
}

// memberIn returns the id in the one form that clients send by the thousand, for
// which the parser would take long.
func memberIn(path string) (string, bool) {
	id, ok := strings.CutPrefix(path, `members[value eq "`)
	id, closed := strings.CutSuffix(id, `"]`)
	return id, ok && closed && id != "" && !strings.ContainsAny(id, `"\\`)
}
