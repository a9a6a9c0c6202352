package intake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rolecall/lifecycle"
)

// A form is one object being read. It gathers every mistake instead of
// stopping at the first, so that a sender mends a message once.
type form struct {
	object object
	// place says where a mistake is: at is the member's, or -1 when it is missing.
	place func(name string, at int, message string) lifecycle.FieldError
	wrong []lifecycle.FieldError
	zones zones // looked up before; nil where no other form follows
}

const longestPath = 64 // characters of a name that somebody made up

// under places mistakes by their path in a message, such as data.status.
func under(path string) func(string, int, string) lifecycle.FieldError {
	return func(name string, _ int, message string) lifecycle.FieldError {
		return lifecycle.FieldError{Path: path + name, Message: message}
	}
}

func (f *form) blame(name, format string, args ...any) {
	at := -1
	top, _, _ := strings.Cut(name, "[")
	if m, ok := f.object.find(top); ok {
		at = m.at
	}
	f.wrong = append(f.wrong, f.place(clip(name, longestPath), at, fmt.Sprintf(format, args...)))
}

// value returns the member's value; null is nothing.
func (f *form) value(name string) any {
	m, _ := f.object.find(name)
	return m.value
}

// onlyKnown blames every member that is none of known.
func (f *form) onlyKnown(known []string) {
	for _, m := range f.object {
		if !slices.Contains(known, m.name) {
			f.blame(m.name, "%s", unknown("field", m.name, known))
		}
	}
}

// unknown says that name is none of known, and which of them was meant.
func unknown(what, name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return fmt.Sprintf("is no %s that is known here (did you mean %q?)", what, near)
	}
	return fmt.Sprintf("is no %s that is known here; there are %s", what, strings.Join(known, ", "))
}

// text returns the trimmed text of a member, or "" when it is absent.
func (f *form) text(name string, most int) string {
	switch v := f.value(name).(type) {
	case nil:
		return ""
	case string:
		return f.line(name, v, most)
	default:
		f.blame(name, "must be text, not %s", typeOf(v))
		return ""
	}
}

// need is text that must be there.
func (f *form) need(name string, most int, why string) string {
	before := len(f.wrong)
	s := f.text(name, most)
	if s == "" && len(f.wrong) == before {
		f.blame(name, "%s", why)
	}
	return s
}

// line refuses what no list and no card could show, and what PostgreSQL could not keep.
func (f *form) line(name, s string, most int) string {
	s = strings.TrimSpace(s)
	switch {
	case strings.ContainsFunc(s, unicode.IsControl):
		f.blame(name, "has a control character in it, such as a line break")
	case utf8.RuneCountInString(s) > most:
		f.blame(name, "is longer than %d characters", most)
	default:
		return s
	}
	return ""
}

// texts returns the texts of a list, or nil when it is absent or empty.
func (f *form) texts(name string, most, longest int) []string {
	v := f.value(name)
	list, ok := v.([]any)
	switch {
	case v == nil:
		return nil
	case !ok:
		f.blame(name, "must be a list of texts, not %s", typeOf(v))
		return nil
	case len(list) > most:
		f.blame(name, "has more than %d entries", most)
		return nil
	}
	var texts []string
	for i, v := range list {
		item := fmt.Sprintf("%s[%d]", name, i)
		s, ok := v.(string)
		switch {
		case !ok:
			f.blame(item, "must be text, not %s", typeOf(v))
		case strings.TrimSpace(s) == "":
			f.blame(item, "is empty")
		default:
			texts = append(texts, f.line(item, s, longest))
		}
	}
	return texts
}

// needTexts is a list that must have an entry.
func (f *form) needTexts(name string, most, longest int, why string) []string {
	before := len(f.wrong)
	list := f.texts(name, most, longest)
	if len(list) == 0 && len(f.wrong) == before {
		f.blame(name, "%s", why)
	}
	return list
}

// flag returns a member that is true or false; absent is false.
func (f *form) flag(name string) bool {
	v := f.value(name)
	b, ok := v.(bool)
	if v != nil && !ok {
		f.blame(name, "must be true or false, not %s", typeOf(v))
	}
	return b
}

// counter returns a text or a whole number as text.
func (f *form) counter(name string, most int) string {
	if n, ok := f.value(name).(json.Number); ok {
		if _, err := n.Int64(); err != nil {
			f.blame(name, "must be text or a whole number")
			return ""
		}
		return n.String()
	}
	return f.text(name, most)
}

// The years that dates may lie in. 9999-12-31 for "no end" is refused: it would
// be waited for.
const firstYear, lastYear = 1900, 2199

// date returns a calendar day, or "" when it is absent.
func (f *form) date(name string) lifecycle.Date {
	d := choice(f, name, lifecycle.ParseDate)
	if d == "" {
		return ""
	}
	if y := d.Start(time.UTC).Year(); y < firstYear || y > lastYear {
		f.blame(name, "%s lies outside %d to %d; leave it empty when there is no such day", d, firstYear, lastYear)
		return ""
	}
	return d
}

// moment returns a point in time, or the zero time when it is absent. A mere
// day is its first instant in UTC.
func (f *form) moment(name string) time.Time {
	s := f.text(name, longestName)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse(time.DateOnly, s)
	}
	switch {
	case err != nil:
		f.blame(name, "%q is not a time like 2026-05-31T09:00:00Z", s)
	case t.UTC().Year() < firstYear || t.UTC().Year() > lastYear:
		f.blame(name, "%s lies outside %d to %d", s, firstYear, lastYear)
	default:
		return t.UTC()
	}
	return time.Time{}
}

// past is a moment that must not lie ahead, but for what clocks differ: what is
// said later would be taken for older.
func (f *form) past(name string, now time.Time) time.Time {
	t := f.moment(name)
	if t.After(now.Add(tolerance)) {
		f.blame(name, "is in the future; check the sender's clock")
	}
	return t
}

// zones are the names of time zones that were looked up, and whether there is
// such a zone: in a roster the same few come again and again.
type zones map[string]bool

const mostZones = 4096 // that are remembered; there are some six hundred

func (z zones) has(name string) bool {
	if there, known := z[name]; known {
		return there
	}
	_, err := time.LoadLocation(name)
	there := err == nil && name != "Local" // which would be ours, and not theirs
	if z != nil && len(z) < mostZones {
		z[name] = there
	}
	return there
}

// zone returns the IANA name of a time zone, or "" when it is absent.
func (f *form) zone(name string) string {
	s := f.text(name, longestName)
	if s != "" && !f.zones.has(s) {
		f.blame(name, "%q is not a zone like Europe/Berlin", s)
		return ""
	}
	return s
}

// choice returns a member as one of a closed set, or "" when it is absent.
func choice[T ~string](f *form, name string, parse func(string) (T, error)) T {
	s := f.text(name, longestName)
	if s == "" {
		return ""
	}
	v, err := parse(s)
	if err != nil {
		f.blame(name, "%s", lifecycle.ReasonOf(err))
		return ""
	}
	return v
}

// needChoice is a choice that must be made.
func needChoice[T ~string](f *form, name string, parse func(string) (T, error), why string) T {
	before := len(f.wrong)
	v := choice(f, name, parse)
	if v == "" && len(f.wrong) == before {
		f.blame(name, "%s", why)
	}
	return v
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "text"
	case bool:
		return "true or false"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	default:
		return "an object"
	}
}
