package pagerdutytest

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"
)

// An analyticsMark is what a cursor holds: the place of a row in the order.
type analyticsMark struct {
	ID      string `json:"id"`
	Team    string `json:"team,omitempty"`
	Value   string `json:"value"`
	OrderBy string `json:"order_by"`
}

func (m analyticsMark) encode() string {
	b, err := json.Marshal(m)
	if err != nil {
		panic("pagerdutytest: a cursor cannot be written as JSON: " + err.Error())
	}
	return string(b)
}

// mark is the row's place in the order. Two rows never share one.
func (q analyticsQuery) mark(r analyticsRow) analyticsMark {
	m := analyticsMark{ID: r.user.ID, Team: r.team, OrderBy: *q.OrderBy}
	switch *q.OrderBy {
	case "name":
		m.Value = r.user.Name
	case "created_at":
		m.Value = r.user.CreatedAt.UTC().Format(time.RFC3339Nano)
	default:
		m.Value = r.user.ID
	}
	return m
}

func (q analyticsQuery) compare(x, y analyticsRow) int { return q.compareMarks(q.mark(x), q.mark(y)) }

func (q analyticsQuery) compareMarks(x, y analyticsMark) int {
	n := cmp.Or(cmp.Compare(x.Value, y.Value), cmp.Compare(x.ID, y.ID), cmp.Compare(x.Team, y.Team))
	if *q.Order == "desc" {
		return -n
	}
	return n
}

func (q analyticsQuery) cursorAt(r analyticsRow) string {
	return base64.StdEncoding.EncodeToString([]byte(q.mark(r).encode()))
}

// page returns the rows that the cursor and the limit leave of all, which is in order, and whether there are more beyond.
func (q analyticsQuery) page(all []analyticsRow) ([]analyticsRow, bool, *reply) {
	if q.Before != nil {
		at, bad := q.readCursor(*q.Before)
		if bad != nil {
			return nil, false, bad
		}
		all = slices.DeleteFunc(all, func(r analyticsRow) bool { return q.compareMarks(q.mark(r), at) >= 0 })
		from := max(len(all)-*q.Limit, 0)
		return all[from:], from > 0, nil
	}
	if q.After != nil {
		at, bad := q.readCursor(*q.After)
		if bad != nil {
			return nil, false, bad
		}
		all = slices.DeleteFunc(all, func(r analyticsRow) bool { return q.compareMarks(q.mark(r), at) <= 0 })
	}
	to := min(*q.Limit, len(all))
	return all[:to], to < len(all), nil
}

// readCursor refuses a cursor that is none, or that is of another order.
func (q analyticsQuery) readCursor(text string) (analyticsMark, *reply) {
	var m analyticsMark
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil || m.OrderBy != *q.OrderBy {
		return m, new(invalid("Cursor is invalid"))
	}
	return m, nil
}
