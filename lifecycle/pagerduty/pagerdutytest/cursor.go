package pagerdutytest

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// cursorMark begins every cursor. It reads as "++++" and "/" in base64, which a URL must escape.
const cursorMark = "\xfb\xef\xbe\xff"

func cursorTo(n int) string {
	return base64.StdEncoding.EncodeToString([]byte(cursorMark + strconv.Itoa(n)))
}

// cursor reads limit and cursor. The position is 0 without a cursor.
func (c *call) cursor() (limit, at int, bad *reply) {
	q := c.r.URL.Query()
	if limit, bad = number(q, "limit", defaultLimit); bad != nil {
		return 0, 0, bad
	}
	limit = min(max(limit, 1), maxLimit)
	cur := q.Get("cursor")
	if cur == "" {
		return limit, 0, nil
	}
	b, err := base64.StdEncoding.DecodeString(cur)
	if err != nil {
		return 0, 0, new(invalid("Cursor is invalid"))
	}
	at, err = strconv.Atoi(strings.TrimPrefix(string(b), cursorMark))
	if err != nil || at < 1 {
		return 0, 0, new(invalid("Cursor is invalid"))
	}
	return limit, at, nil
}
