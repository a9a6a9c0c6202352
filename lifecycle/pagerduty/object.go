package pagerduty

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// An object is a JSON object of PagerDuty's. Its fields keep their order, and those that are not written keep every byte:
// what rolecall does not know of goes back as it came.
type object struct {
	keys   []string
	fields map[string]json.RawMessage
}

func parseObject(b []byte) (object, error) {
	var o object
	err := json.Unmarshal(b, &o)
	return o, err
}

// UnmarshalJSON reads any JSON object, and null as none.
func (o *object) UnmarshalJSON(b []byte) error {
	*o = object{}
	d := json.NewDecoder(bytes.NewReader(b))
	t, err := d.Token()
	if err != nil {
		return fmt.Errorf("read an object: %w", err)
	}
	if t == nil {
		return nil
	}
	if t != json.Delim('{') {
		return fmt.Errorf("read an object: it begins with %v", t)
	}
	o.fields = map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fmt.Errorf("read the name of a field: %w", err)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("read field %v: %w", key, err)
		}
		name := key.(string) // a decoder of JSON gives no other token here
		if _, twice := o.fields[name]; !twice {
			o.keys = append(o.keys, name)
		}
		o.fields[name] = v
	}
	return nil
}

// MarshalJSON writes the fields in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, key := range o.keys {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(key)
		if err != nil {
			return nil, fmt.Errorf("write the name of field %q: %w", key, err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(o.fields[key])
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func (o object) none() bool { return o.fields == nil }

func (o object) has(key string) bool { return o.fields[key] != nil && string(o.fields[key]) != "null" }

// text returns a field that is a text, else "".
func (o object) text(key string) string {
	var s string
	if json.Unmarshal(o.fields[key], &s) != nil {
		return ""
	}
	return s
}

// child returns a field that is an object; none when there is no such field.
func (o object) child(key string) (object, error) {
	if !o.has(key) {
		return object{}, nil
	}
	c, err := parseObject(o.fields[key])
	if err != nil {
		return c, fmt.Errorf("field %s: %w", key, err)
	}
	return c, nil
}

// list returns a field that is a list of objects. A field that is not there is an error: a list that is missing is not an
// empty one.
func (o object) list(key string) ([]object, error) {
	var all []object
	if !o.has(key) {
		return nil, fmt.Errorf("PagerDuty's answer has no %s", key)
	}
	if err := json.Unmarshal(o.fields[key], &all); err != nil {
		return nil, fmt.Errorf("field %s: %w", key, err)
	}
	return all, nil
}

// with returns the object with a field set; a new one comes last.
func (o object) with(key string, v any) object {
	b := encode(v)
	is := object{keys: o.keys, fields: maps.Clone(o.fields)}
	if is.fields == nil {
		is.fields = map[string]json.RawMessage{}
	}
	if _, had := o.fields[key]; !had {
		is.keys = append(slices.Clone(o.keys), key)
	}
	is.fields[key] = b
	return is
}

// without returns the object without some fields.
func (o object) without(keys ...string) object {
	is := object{fields: maps.Clone(o.fields)}
	for _, k := range o.keys {
		if slices.Contains(keys, k) {
			delete(is.fields, k)
			continue
		}
		is.keys = append(is.keys, k)
	}
	return is
}

// withoutSecrets returns a value without the addresses of calendar feeds in it, however deep, which read the calendar
// without a password (OpenAPI schemas User and ScheduleResponse); the rest with every byte that came.
func withoutSecrets(raw json.RawMessage) (json.RawMessage, error) {
	if !bytes.Contains(raw, []byte("_cal_url")) {
		return raw, nil
	}
	switch bytes.TrimSpace(raw)[0] {
	case '{':
		o, err := parseObject(raw)
		for _, k := range o.keys {
			if o.fields[k], err = withoutSecrets(o.fields[k]); err != nil {
				return nil, err
			}
		}
		return encode(o.without("http_cal_url", "web_cal_url")), err
	case '[':
		var all []json.RawMessage
		err := json.Unmarshal(raw, &all)
		for i := range all {
			if all[i], err = withoutSecrets(all[i]); err != nil {
				return nil, err
			}
		}
		return encode(all), err
	default:
		return raw, nil
	}
}

// encode writes what is made of texts, numbers, objects and lists of them, which cannot fail.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("pagerduty: encode %T: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func reference(id, typ string) object {
	return object{}.with("id", id).with("type", typ)
}

func userReference(id string) object { return reference(id, "user_reference") }
