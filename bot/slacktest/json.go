package slacktest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// object is a decoded JSON object. Blocks are kept in this form, so that what the fake does not know passes through.
type object = map[string]any

// encode returns v as JSON without HTML escaping, as Slack writes it. Everything it is given came out of a decoder or
// is made of maps, strings, numbers and booleans, so that it cannot fail.
func encode(v any) json.RawMessage {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("slacktest: encode %T: %v", v, err))
	}
	return bytes.TrimSpace(buf.Bytes())
}

func decodeObject(raw string) (object, error) {
	var out object
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		return nil, fmt.Errorf("decode object: %w", err)
	}
	return out, nil
}

func str(o object, key string) string {
	s, _ := o[key].(string)
	return s
}

func obj(o object, key string) object {
	child, _ := o[key].(object)
	return child
}

func list(o object, key string) []any {
	items, _ := o[key].([]any)
	return items
}

func boolean(o object, key string) bool {
	b, _ := o[key].(bool)
	return b
}

// number returns the value as an integer, and whether it is there and whole.
func number(o object, key string) (int, bool) {
	f, ok := o[key].(float64)
	return int(f), ok && f == float64(int(f))
}

// objects returns those items that are objects.
func objects(items []any) []object {
	var out []object
	for _, item := range items {
		if o, ok := item.(object); ok {
			out = append(out, o)
		}
	}
	return out
}

// texts returns those items that are strings.
func texts(items []any) []string {
	var out []string
	for _, item := range items {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
