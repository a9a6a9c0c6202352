package pagerduty

import (
	"fmt"
	"slices"
	"strings"
)

// A Scope is a right that a scoped OAuth app is asked to have.
type Scope struct {
	Name     string
	Optional bool   // everything else works without it
	Without  string // what does not, as the end of a sentence
}

const (
	scopeAudit      = "audit_records.read"
	scopeAnalytics  = "analytics.write"
	scopeSessions   = "oauth_delegations.read"
	scopeEnd        = "oauth_delegations.write"
	scopeLicences   = "licenses.read"
	scopeOnCalls    = "oncalls.read"
	scopeIncidentsW = "incidents.write"
)

// ScopeTable returns every scope that rolecall asks for and what each is for, sorted by name. There is none for
// shift-based schedules: PagerDuty's document names none, its upgrade guide says that those of schedules serve. Source:
// x-pd-requires-scope in PagerDuty's OpenAPI document.
func ScopeTable() []Scope {
	return []Scope{
		{Name: "abilities.read", Without: "what the plan includes cannot be told"},
		{scopeAnalytics, true, "when somebody last signed in cannot be told"},
		{scopeAudit, true, "who made a change cannot be told"},
		{Name: "escalation_policies.read", Without: "whom escalation policies call cannot be seen"},
		{Name: "escalation_policies.write", Without: "a leaver's levels in escalation policies cannot be handed over"},
		{Name: "incidents.read", Without: "open incidents cannot be seen"},
		{Name: scopeIncidentsW, Without: "a leaver's open incidents cannot be handed over"},
		{scopeLicences, true, "how many licence seats are free cannot be told"},
		{scopeSessions, true, "whether a leaver is still signed in cannot be seen"},
		{scopeEnd, true, "a leaver's sessions cannot be ended"},
		{Name: scopeOnCalls, Without: "when somebody is on call next cannot be told, so nobody is taken off anything"},
		{Name: "schedules.read", Without: "who has a place in a schedule cannot be seen"},
		{Name: "schedules.write", Without: "a leaver's places in schedules cannot be handed over"},
		{Name: "teams.read", Without: "team roles cannot be seen"},
		{Name: "teams.write", Without: "team roles cannot be changed"},
		{Name: "users.read", Without: "accounts cannot be seen"},
		{Name: "users.write", Without: "accounts cannot be made, changed or deleted"},
	}
}

// Scopes returns the names of all scopes that rolecall asks for, sorted.
func Scopes() []string {
	table := ScopeTable()
	names := make([]string, len(table))
	for i, s := range table {
		names[i] = s.Name
	}
	return names
}

func without(scope string) string {
	table := ScopeTable()
	return table[slices.IndexFunc(table, func(s Scope) bool { return s.Name == scope })].Without
}

// lack says in words what an app cannot do without the scopes it lacks, of the optional ones or of the others.
func lack(lacking []string, optional bool) string {
	var words []string
	for _, s := range ScopeTable() {
		if s.Optional == optional && slices.Contains(lacking, s.Name) {
			words = append(words, fmt.Sprintf("the app lacks %s: %s", s.Name, s.Without))
		}
	}
	return strings.Join(words, "; ")
}
