package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// company is the invented firm of the demo: Acme, a payments company of about
// two hundred and fifty people in twenty teams. It is the same at every start.
type company struct {
	teams  []demoTeam
	people []demoPerson
}

type demoTeam struct {
	name, id, channel string
	owners            []string // addresses
}

type demoPerson struct {
	key, first, last, email, department, title, location, country string
	employment                                                    lifecycle.Employment
	slack                                                         string
}

func (p demoPerson) name() string { return p.first + " " + p.last }

func (p demoPerson) person(start time.Time) lifecycle.Person {
	return lifecycle.Person{
		EmployeeID: p.key, Status: lifecycle.StatusActive, Emails: []string{p.email}, Name: p.name(), Department: p.department, Title: p.title,
		Location: p.location, Country: p.country, Employment: p.employment, StartDate: lifecycle.Date(start.AddDate(-1, 0, 0).Format(time.DateOnly)),
	}
}

var demoTeamNames = []string{
	"Payments", "Platform", "Checkout", "Ledger", "Fraud", "Identity", "Mobile", "Search", "Data Platform", "Observability",
	"Networking", "Storage", "Billing", "Merchant Tools", "Risk", "Notifications", "Web", "Partner API", "Treasury", "Release",
}

// The people whom the story names. The others are made of the lists below.
var cast = []demoPerson{
	{first: "Marco", last: "Bruni", email: "marco@acme.test", department: "Payments", title: "Engineering Manager", location: "Berlin", country: "DE"},
	{first: "Ines", last: "Duarte", email: "ines@acme.test", department: "Payments", title: "Engineering Manager", location: "Lisbon", country: "PT"},
	{first: "Omar", last: "Haddad", email: "omar@acme.test", department: "Platform", title: "Engineering Manager", location: "Berlin", country: "DE"},
	{first: "Priya", last: "Raman", email: "priya@acme.test", department: "Security", title: "Security Engineer", location: "London", country: "GB"},
	{first: "Lee", last: "Okafor", email: "lee@acme.test", department: "Security", title: "Head of Security", location: "London", country: "GB"},
	{first: "Ben", last: "Ode", email: "ben@acme.test", department: "Payments", title: "SRE II", location: "Tokyo", country: "JP"},
	{first: "Ana", last: "Kim", email: "ana@acme.test", department: "Payments", title: "Staff Engineer", location: "Tokyo", country: "JP"},
	{first: "Dana", last: "Novak", email: "dana@acme.test", department: "Ledger", title: "Software Engineer", location: "Prague", country: "CZ"},
	{first: "Sam", last: "Whitfield", email: "sam@acme.test", department: "Information Technology", title: "IT Administrator", location: "London", country: "GB"},
	{first: "Kofi", last: "Mensah", email: "kofi@acme.test", department: "Checkout", title: "Software Engineer", location: "Accra", country: "GH"},
}

var (
	firstNames = strings.Fields("Aiko Amir Anouk Arjun Astrid Bea Caleb Carmen Chidi Clara Dario Ebba Elif Emre Esme Farah Felix Gia Hana Hugo Ida Igor Jonas Jun Kaya Lars Leila Lin Lucia Maja Malik Mei Milo Nadia Nils Noor Olga Otto Paolo Petra Quinn Rafa Rosa Ruth Sana Selma Sven Tara Theo Uma Vera Wei Yara Yusuf Zoe")
	lastNames  = strings.Fields("Abbott Aydin Berg Castillo Chen Costa Dahl Eze Fischer Ferrari Garcia Haas Ibrahim Ivanov Jansen Kaplan Khan Kowalski Larsen Lopez Mbeki Meyer Moreau Nakamura Nguyen Novotna Okoye Olsen Park Patel Quist Rahman Rossi Santos Sato Schmidt Silva Singh Tanaka Tran Vega Weber Wong Yilmaz Zhang")
	titles     = []string{"SRE I", "SRE II", "Software Engineer", "Senior Software Engineer", "Staff Engineer"}
	places     = [][2]string{{"Berlin", "DE"}, {"Tokyo", "JP"}, {"London", "GB"}, {"Lisbon", "PT"}, {"Prague", "CZ"}}
)

const (
	perTeam      = 11 // its manager included
	otherFolk    = 30 // in departments that carry no pager
	demoSecurity = "C0SECURITY"
	demoDomain   = "acme.test"
)

// newCompany returns the company.
func newCompany() company {
	var c company
	for i, name := range demoTeamNames {
		c.teams = append(c.teams, demoTeam{name: name, id: fmt.Sprintf("PT%s%02d", letters(name), i+1), channel: "C0" + strings.ToUpper(strings.ReplaceAll(name, " ", ""))})
	}
	c.people = slices.Clone(cast)
	for i := range c.teams {
		c.staff(&c.teams[i], i)
	}
	for i := range otherFolk {
		c.add(demoPerson{department: []string{"Sales", "People", "Finance"}[i%3], title: "Specialist"}, 1000+i)
	}
	for i := range c.people {
		p := &c.people[i]
		p.key, p.slack = fmt.Sprintf("E%04d", 1001+i), fmt.Sprintf("U%07d", 1001+i)
		if p.employment == "" {
			p.employment = lifecycle.Employee
		}
	}
	return c
}

// staff fills the team up, and finds its owners.
func (c *company) staff(t *demoTeam, n int) {
	for size := c.size(t.name); size < perTeam; size++ {
		title := titles[(n+size)%len(titles)]
		if len(c.managers(t.name)) == 0 {
			title = "Engineering Manager"
		}
		c.add(demoPerson{department: t.name, title: title}, n*perTeam+size)
	}
	t.owners = c.managers(t.name)
}

func (c *company) add(p demoPerson, n int) {
	place := places[n%len(places)]
	p.location, p.country = place[0], place[1]
	for try := 0; ; try++ { // two people never share an address
		p.first, p.last = firstNames[(n*7+try)%len(firstNames)], lastNames[(n*13+try*5)%len(lastNames)]
		p.email = strings.ToLower(p.first+"."+p.last) + "@" + demoDomain
		if _, taken := c.find(p.email); !taken {
			break
		}
	}
	c.people = append(c.people, p)
}

func (c company) size(department string) int {
	n := 0
	for _, p := range c.people {
		if p.department == department {
			n++
		}
	}
	return n
}

func (c company) managers(department string) []string {
	var emails []string
	for _, p := range c.people {
		if p.department == department && p.title == "Engineering Manager" {
			emails = append(emails, p.email)
		}
	}
	return emails
}

func (c company) find(email string) (demoPerson, bool) {
	i := slices.IndexFunc(c.people, func(p demoPerson) bool { return p.email == email })
	if i < 0 {
		return demoPerson{}, false
	}
	return c.people[i], true
}

func (c company) team(name string) (demoTeam, bool) {
	i := slices.IndexFunc(c.teams, func(t demoTeam) bool { return t.name == name })
	if i < 0 {
		return demoTeam{}, false
	}
	return c.teams[i], true
}

// letters returns the first three letters of a name, in capitals.
func letters(name string) string {
	return strings.ToUpper(strings.ReplaceAll(name, " ", ""))[:3]
}

// policyFile returns the policy of the company. Its holds are seconds, because
// nobody watches a demo for the two weeks that a real one should wait.
func (c company) policyFile() string {
	var b strings.Builder
	b.WriteString(demoPolicyHead)
	b.WriteString("teams:\n")
	for _, t := range c.teams {
		fmt.Fprintf(&b, "  - {name: %s, pagerduty: %s, owners: [%s], channel: %s}\n", t.name, t.id, strings.Join(t.owners, ", "), t.channel)
	}
	b.WriteString("rules:\n")
	for _, t := range c.teams {
		slug := strings.ReplaceAll(strings.ToLower(t.name), " ", "-")
		fmt.Fprintf(&b, demoPolicyRules, slug, t.name, t.name, t.name, slug, t.name, t.name, t.name)
	}
	b.WriteString(demoPolicyTail)
	return b.String()
}

const demoPolicyHead = `# The policy of the demo. Yours would wait longer: hold 10m, gather 5m, delete_after 336h.
version: 1
defaults:
  unmatched: hold
  approval: {mode: quorum, n: 1, from: [team-owners], remind_after: 4h, escalate_after: 24h, expire_after: 72h, on_expiry: deny}
  hold: 12s
domains: [acme.test]
security: {channel: C0SECURITY, members: [priya@acme.test, lee@acme.test]}
protected: [breakglass@acme.test, rolecall@acme.test]
breaker: {removals: 5, percent: 2, window: 24h, gather: 4s}
`

const demoPolicyRules = `  - name: %s-engineers
    why: Engineers in %s carry its pager
    when: {department: [%s], title: ["SRE*", "*Engineer"], employment: [employee]}
    grant: {base_role: limited_user, teams: [{team: %s, role: responder}]}
  - name: %s-managers
    why: The manager of %s keeps its services and schedules
    when: {department: [%s], title: ["Engineering Manager"]}
    grant: {base_role: limited_user, teams: [{team: %s, role: manager}]}
`

const demoPolicyTail = `  - name: administrators
    why: IT keeps the account itself
    when: {department: [Information Technology], title: ["IT Administrator"]}
    grant: {base_role: admin}
leaver: {contain: auto, delete_after: 15s}
credentials:
  - name: prod-governor
    purpose: rolecall applies approved role and team changes
    kind: pagerduty-key
    owner: priya@acme.test
    revoker: lee@acme.test
    rotate_every: 2160h
tests:
  - given: {department: Payments, title: SRE II, location: Tokyo, employment: employee}
    expect: {rules: [payments-engineers], base_role: limited_user, teams: [{team: Payments, role: responder}]}
  - given: {department: Payments, title: Engineering Manager, employment: employee}
    expect: {rules: [payments-managers], base_role: limited_user, teams: [{team: Payments, role: manager}]}
`
