package pagerdutytest

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	defaultLimit = 25
	maxLimit     = 100
	maxOffset    = 10_000 // offset+limit beyond it is refused
)

// A page is what a list call asked for in classic paging.
type page struct {
	limit, offset int
	total         bool
}

// pageOf reads limit, offset and total. The second result is the refusal when they make no sense, else nil.
func pageOf(c *call) (page, *reply) {
	q := c.r.URL.Query()
	p := page{total: q.Get("total") == "true"}
	var bad *reply
	if p.limit, bad = number(q, "limit", defaultLimit); bad != nil {
		return p, bad
	}
	if p.offset, bad = number(q, "offset", 0); bad != nil {
		return p, bad
	}
	if p.limit > maxLimit {
		c.violate("limit %d is over %d and was cut", p.limit, maxLimit)
	}
	p.limit = min(max(p.limit, 1), maxLimit)
	if p.offset+p.limit > maxOffset {
		r := invalid(fmt.Sprintf("Offset must be less than %d", maxOffset-p.limit+1))
		return p, &r
	}
	return p, nil
}

func number(q url.Values, key string, def int) (int, *reply) {
	if q.Get(key) == "" {
		return def, nil
	}
	n, err := strconv.Atoi(q.Get(key))
	if err != nil || n < 0 {
		r := invalid(fmt.Sprintf("%s must be a number that is not negative", key))
		return 0, &r
	}
	return n, nil
}

// list answers with one page of all, drawn by draw, under key.
func list[T any](c *call, key string, all []T, draw func(T) obj) reply {
	p, bad := pageOf(c)
	if bad != nil {
		return *bad
	}
	from := min(p.offset, len(all))
	to := min(from+p.limit, len(all))
	rows := make([]obj, 0, to-from)
	for _, v := range all[from:to] {
		rows = append(rows, draw(v))
	}
	body := obj{key: rows, "limit": p.limit, "offset": p.offset, "more": to < len(all), "total": nil}
	if p.total {
		body["total"] = len(all)
	}
	return ok(body)
}

// includes reads include[] and refuses what is not among known.
func includes(c *call, known ...string) (map[string]bool, *reply) {
	got := map[string]bool{}
	for _, v := range c.r.URL.Query()["include[]"] {
		if !slices.Contains(known, v) {
			r := invalid(fmt.Sprintf("include[] %q is not one of %v", v, known))
			return nil, &r
		}
		got[v] = true
	}
	return got, nil
}

// oneOf refuses values of a list parameter that are not among known.
func oneOf(c *call, key string, known ...string) ([]string, *reply) {
	vs := c.r.URL.Query()[key]
	for _, v := range vs {
		if !slices.Contains(known, v) {
			r := invalid(fmt.Sprintf("%s %q is not one of %v", key, v, known))
			return nil, &r
		}
	}
	return vs, nil
}

// commas reads one parameter that holds a list with commas, and refuses what is not among known.
func commas(c *call, key string, known ...string) ([]string, *reply) {
	text := c.r.URL.Query().Get(key)
	if text == "" {
		return nil, nil
	}
	vs := strings.Split(text, ",")
	for _, v := range vs {
		if !slices.Contains(known, v) {
			return nil, new(invalid(fmt.Sprintf("%s %q is not one of %v", key, v, known)))
		}
	}
	return vs, nil
}
