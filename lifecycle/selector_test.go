package lifecycle_test

import (
	"testing"

	"rolecall/lifecycle"
)

func TestGlob(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		pattern, s string
		want       bool
	}{
		"a word is itself":                   {"sre", "sre", true},
		"and nothing longer":                 {"sre", "sre ii", false},
		"a star ends it":                     {"sre*", "sre ii", true},
		"a star stands for nothing too":      {"sre*", "sre", true},
		"a star begins it":                   {"*engineer", "staff engineer", true},
		"a star in the middle":               {"site*engineer", "site reliability engineer", true},
		"two stars do not overlap":           {"a*aa*a", "aaa", false},
		"what follows the last star ends it": {"*ab", "abab", true},
		"a lone star is anything":            {"*", "", true},
		"nothing is only nothing":            {"", "x", false},
		"the head is not used twice":         {"ab*b", "ab", false},
	} {
		if got := lifecycle.Glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%s: Glob(%q, %q) = %v, want %v", name, tt.pattern, tt.s, got, tt.want)
		}
	}
}

func TestSelector(t *testing.T) {
	t.Parallel()
	is := func(a lifecycle.Attribute, patterns ...string) lifecycle.Selector {
		return lifecycle.Selector{Match: []lifecycle.Match{{Attribute: a, Patterns: patterns}}}
	}
	who := lifecycle.Person{Department: "Payments", Location: "Tokyo", Groups: []string{"oncall", "cards"}}
	for name, tt := range map[string]struct {
		s    lifecycle.Selector
		want lifecycle.Truth
	}{
		"nothing asked":                      {lifecycle.Selector{}, lifecycle.Yes},
		"any of a list":                      {is(lifecycle.AttrDepartment, "x", "payments"), lifecycle.Yes},
		"one of several groups":              {is(lifecycle.AttrGroups, "cards"), lifecycle.Yes},
		"an absent attribute":                {is(lifecycle.AttrCountry, "jp"), lifecycle.No},
		"any of":                             {lifecycle.Selector{Any: []lifecycle.Selector{is(lifecycle.AttrLocation, "berlin"), is(lifecycle.AttrGroups, "oncall")}}, lifecycle.Yes},
		"none of any":                        {lifecycle.Selector{Any: []lifecycle.Selector{is(lifecycle.AttrLocation, "berlin")}}, lifecycle.No},
		"all of":                             {lifecycle.Selector{All: []lifecycle.Selector{is(lifecycle.AttrLocation, "tokyo"), is(lifecycle.AttrGroups, "x")}}, lifecycle.No},
		"not, of what is known":              {lifecycle.Selector{Not: []lifecycle.Selector{is(lifecycle.AttrLocation, "berlin")}}, lifecycle.Yes},
		"not, of what is so":                 {lifecycle.Selector{Not: []lifecycle.Selector{is(lifecycle.AttrLocation, "tokyo")}}, lifecycle.No},
		"not, of what nobody sent":           {lifecycle.Selector{Not: []lifecycle.Selector{is(lifecycle.AttrCountry, "ru")}}, lifecycle.Undetermined},
		"false and undetermined is false":    {lifecycle.Selector{Match: is(lifecycle.AttrDepartment, "x").Match, Not: []lifecycle.Selector{is(lifecycle.AttrCountry, "ru")}}, lifecycle.No},
		"not of not keeps what is not known": {lifecycle.Selector{Not: []lifecycle.Selector{{Not: []lifecycle.Selector{is(lifecycle.AttrCountry, "ru")}}}}, lifecycle.Undetermined},
	} {
		if got := tt.s.Matches(who); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}
