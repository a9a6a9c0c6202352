package pagerduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"strconv"
)

// rows returns every row of a list that PagerDuty pages by cursor, in its order, or an error: never fewer. The rows are
// under the last part of the path. The library cannot read such lists: it fails on the last page, and sends cursors
// without escaping them.
func rows[T any](ctx context.Context, a api, place string, query url.Values) ([]T, error) {
	query = maps.Clone(query)
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", strconv.Itoa(pageSize))
	var all []T
	for seen := map[string]bool{}; ; {
		var page map[string]json.RawMessage
		if err := a.get(ctx, place, query, &page); err != nil {
			return nil, err
		}
		var some []T
		if err := json.Unmarshal(page[path.Base(place)], &some); err != nil {
			return nil, fmt.Errorf("GET %s: %w", place, err)
		}
		all = append(all, some...)
		next, err := cursorAfter(page)
		switch {
		case err != nil:
			return nil, fmt.Errorf("GET %s: %w", place, err)
		case next == "":
			return all, nil
		case seen[next]:
			return nil, fmt.Errorf("GET %s: a cursor comes a second time", place)
		}
		seen[next] = true
		query.Set("cursor", next)
	}
}

// cursorAfter returns where the next page begins, or "" after the last one.
func cursorAfter(page map[string]json.RawMessage) (string, error) {
	var next string
	if raw, told := page["next_cursor"]; told {
		if err := json.Unmarshal(raw, &next); err != nil {
			return "", fmt.Errorf("read the cursor: %w", err)
		}
	}
	if next == "" && string(page["more"]) == "true" {
		return "", errors.New("more is promised, and there is no cursor to it")
	}
	return next, nil
}
