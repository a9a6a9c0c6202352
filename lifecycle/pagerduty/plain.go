package pagerduty

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"
)

// plain returns a value without what PagerDuty adds to it or writes in several ways: links and summaries, the zone of a
// time, spaces, and the order of fields. What is plainly the same means the same.
func plain(raw json.RawMessage) []byte {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return raw
	}
	return encode(stripped(v))
}

func stripped(v any) any {
	switch v := v.(type) {
	case string:
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return t.UTC().Format(time.RFC3339Nano)
		}
		return v
	case []any:
		for i := range v {
			v[i] = stripped(v[i])
		}
		return v
	case map[string]any:
		for k := range v {
			if slices.Contains([]string{"summary", "self", "html_url"}, k) {
				delete(v, k)
				continue
			}
			v[k] = stripped(v[k])
		}
		return v
	default:
		return v
	}
}

// differing returns the names of the fields that are not plainly the same in both, in the order of a, then of b.
func differing(a, b object) []string {
	var names []string
	for _, k := range a.keys {
		if !a.sameField(b, k) {
			names = append(names, k)
		}
	}
	for _, k := range b.keys {
		if _, has := a.fields[k]; !has && b.has(k) {
			names = append(names, k)
		}
	}
	return names
}

func (o object) sameField(p object, k string) bool {
	if !o.has(k) && !p.has(k) {
		return true
	}
	return bytes.Equal(plain(o.fields[k]), plain(p.fields[k]))
}
