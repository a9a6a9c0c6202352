package policy

import (
	"net/mail"
	"strings"
	"unicode"

	"rolecall/lifecycle"
)

// address returns the folded e-mail address, or "".
func (v value) address() string {
	s := v.name()
	v.shape.set("format", "email")
	v.shape.set("pattern", anAddress)
	if s == "" {
		return ""
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s {
		v.wrong("%q is not an e-mail address such as ana@acme.test", clip(s))
		return ""
	}
	return lifecycle.FoldEmail(s)
}

// addresses returns the folded addresses of a list, which may be empty but not
// name anybody twice.
func (v value) addresses() []string {
	if v.emptyList() || v.sketchEither(func(v value) { v.address() }, func(v value) { v.sketchList(func(v value) { v.address() }, 0) }) {
		return nil
	}
	return v.people(value.address)
}

// decider returns the address of somebody whom the policy lets decide.
func (d *document) decider(v value) string {
	a := v.address()
	if a != "" && len(d.policy.Domains) > 0 && !d.policy.MayDecideFrom(a) {
		v.wrong("%s is not on %s, so they could never decide; add the domain or name somebody else", a, strings.Join(d.policy.Domains, ", "))
	}
	return a
}

func (d *document) deciders(v value) []string { return v.people(d.decider) }

func (v value) people(read func(value) string) []string {
	var people []string
	named := map[string]bool{}
	v.oneOrMore(func(v value) {
		switch a := read(v); {
		case a == "":
		case named[a]:
			v.wrong("%s is named twice", a)
		default:
			named[a] = true
			people = append(people, a)
		}
	})
	return people
}

// slackID returns an id of Slack that begins with one of the letters in
// prefixes. Names are not enough: they can be changed by anybody.
func (v value) slackID(what, prefixes string) string {
	s := v.name()
	v.shape.set("pattern", "^["+prefixes+"][A-Z0-9]{2,}$")
	if s != "" && !isSlackID(s, prefixes) {
		v.wrong("%q is not the id of a Slack %s, such as %c0ABC123; copy it from its details in Slack", clip(s), what, prefixes[0])
		return ""
	}
	return s
}

func isSlackID(s, prefixes string) bool {
	alnum := func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' }
	return len(s) >= 3 && strings.ContainsRune(prefixes, rune(s[0])) && strings.TrimFunc(s, alnum) == ""
}

// isDomain reports whether s is two or more labels of letters, digits and inner hyphens.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	odd := func(r rune) bool { return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }
	for _, l := range labels {
		if l == "" || strings.Trim(l, "-") != l || strings.ContainsFunc(l, odd) {
			return false
		}
	}
	return len(labels) > 1
}
