package oktatest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// logs is GET /api/v1/logs as it is polled: without until, in ascending order. There is a next link with every answer, also
// with an empty one: it is where the next poll begins.
func (o *Org) logs(r *http.Request) answer {
	q := r.URL.Query()
	o.known(r, "since", "until", "after", "filter", "q", "limit", "sortOrder")
	limit, ok := number(q.Get("limit"), 100)
	if !ok || limit < 1 || limit > 1000 {
		return failure(http.StatusBadRequest, "E0000001", "Api validation failed: limit")
	}
	if order := q.Get("sortOrder"); order != "ASCENDING" {
		o.violate("a poll of the log in the order %q: its next link ends", order)
	}
	types, ok := typesOf(q.Get("filter"))
	if !ok {
		return failure(http.StatusBadRequest, "E0000031", "Invalid search criteria.")
	}
	places, ok := o.place(q.Get("since"), q.Get("after"), types)
	if !ok {
		return failure(http.StatusBadRequest, "E0000001", "Api validation failed: since")
	}
	next := len(o.log)
	if len(places) > limit {
		next = places[limit]
		places = places[:limit]
	}
	page := make([]json.RawMessage, 0, len(places))
	for _, p := range places {
		page = append(page, o.log[p].raw)
	}
	return answer{status: http.StatusOK, body: page, links: []string{link(r, "self", "", ""), link(r, "next", "after", cursor(next))}}
}

// place returns where in the log the call begins, and false when it cannot be told.
func (o *Org) place(since, after string, types []string) ([]int, bool) {
	if after != "" {
		from, err := strconv.Atoi(strings.TrimPrefix(after, "c"))
		if err != nil || cursor(from) != after || from > len(o.log) {
			return nil, false
		}
		return slices.DeleteFunc(o.since(time.Time{}, types), func(i int) bool { return i < from }), true
	}
	t, err := time.Parse(time.RFC3339, since)
	if err != nil {
		return nil, false
	}
	return o.since(t, types), true
}

func cursor(place int) string { return "c" + strconv.Itoa(place) }

var term = regexp.MustCompile(`^eventType eq "([a-z_.]+)"$`)

// typesOf returns the event types of a filter that asks for nothing else, nil for no filter.
func typesOf(filter string) ([]string, bool) {
	if filter == "" {
		return nil, true
	}
	var types []string
	for _, t := range strings.Split(filter, " or ") {
		m := term.FindStringSubmatch(t)
		if m == nil {
			return nil, false
		}
		types = append(types, m[1])
	}
	return types, true
}

func (o *Org) user(r *http.Request) answer {
	o.known(r)
	u := o.users[r.PathValue("id")]
	if u == nil {
		return missing(r)
	}
	return answer{status: http.StatusOK, body: u}
}

func missing(r *http.Request) answer {
	return failure(http.StatusNotFound, "E0000007", "Not found: Resource not found: "+r.PathValue("id")+" (User)")
}

// userGroups is GET /api/v1/users/{id}/groups.
func (o *Org) userGroups(r *http.Request) answer {
	id, q := r.PathValue("id"), r.URL.Query()
	o.known(r, "limit", "after")
	limit, ok := number(q.Get("limit"), 200)
	from, fine := number(strings.TrimPrefix(q.Get("after"), "g"), 0)
	switch {
	case o.users[id] == nil:
		return missing(r)
	case !ok || limit < 1 || limit > 200 || !fine || from > len(o.groups[id]):
		return failure(http.StatusBadRequest, "E0000001", "Api validation failed: limit")
	}
	end := min(from+limit, len(o.groups[id]))
	page := []any{}
	for _, name := range o.groups[id][from:end] {
		page = append(page, map[string]any{"id": "00g" + name, "type": "OKTA_GROUP", "profile": map[string]any{"name": name, "description": nil}})
	}
	a := answer{status: http.StatusOK, body: page, links: []string{link(r, "self", "", "")}}
	if end < len(o.groups[id]) {
		a.links = append(a.links, link(r, "next", "after", "g"+strconv.Itoa(end)))
	}
	return a
}

func number(s string, otherwise int) (int, bool) {
	if s == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0
}

// known notes parameters that Okta does not know, and ignores.
func (o *Org) known(r *http.Request, params ...string) {
	for name, values := range r.URL.Query() {
		if !slices.Contains(params, name) || len(values) > 1 {
			o.violate("%s: the parameter %q is ignored", r.URL.Path, name)
		}
	}
}
