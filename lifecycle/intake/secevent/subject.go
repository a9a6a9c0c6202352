package secevent

import (
	"strings"

	"rolecall/lifecycle/intake"
)

// A subject is whom an event is about: what the sender knows them by, and their
// address, each "" where it does not say.
type subject struct {
	key   string
	email string
}

func (s subject) isNobody() bool { return s == subject{} }

const deepest = 4 // subjects within subjects

// subjectOf returns whom a subject identifier names (RFC 9493; the format scim:
// RFC 9967). A format that is not known names nobody. Older drafts call the
// format subject_type, and write its names with hyphens.
func subjectOf(v any) subject { return subjectWithin(v, 0) }

func subjectWithin(v any, depth int) subject {
	m, ok := v.(map[string]any)
	if !ok || depth > deepest {
		return subject{}
	}
	if user, is := m["user"]; is { // a complex subject of the Shared Signals Framework: a user, a device, a tenant
		return subjectWithin(user, depth+1)
	}
	format := textOf(m, "format")
	if format == "" {
		format = textOf(m, "subject_type")
	}
	switch strings.ReplaceAll(strings.ToLower(format), "-", "_") {
	case "scim":
		return subject{key: first(textOf(m, "externalId"), textOf(m, "uri")), email: address(textOf(m, "userName"))}
	case "email":
		return subject{email: address(textOf(m, "email"))}
	case "iss_sub":
		return subject{key: textOf(m, "sub"), email: address(textOf(m, "email"))}
	case "opaque":
		return subject{key: textOf(m, "id")}
	case "account":
		return subject{email: address(strings.TrimPrefix(textOf(m, "uri"), "acct:"))}
	case "aliases":
		return anyOf(m["identifiers"], depth)
	default:
		return subject{}
	}
}

// anyOf returns the first key and the first address of several identifiers of one subject.
func anyOf(v any, depth int) subject {
	list, _ := v.([]any)
	var s subject
	for _, one := range list {
		is := subjectWithin(one, depth+1)
		s = subject{key: first(s.key, is.key), email: first(s.email, is.email)}
	}
	return s
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// textOf returns a member that is visible text of a bearable length, or "".
func textOf(m map[string]any, name string) string {
	s, ok := m[name].(string)
	if !ok || !intake.Visible(s) || len(s) > longestName {
		return ""
	}
	return s
}

func address(s string) string {
	if !intake.IsAddress(s) {
		return ""
	}
	return s
}
