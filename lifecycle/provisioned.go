package lifecycle

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// guest marks the userName of somebody from another company. Source: Entra ID, B2B.
const guest = "#ext#"

type mailbox struct {
	Value   string `json:"value"`
	Type    string `json:"type"`
	Primary bool   `json:"primary"`
}

// A profile is what a body says that means something here. Source: RFC 7643, 4.
type profile struct {
	UserName    string `json:"userName"`
	DisplayName string `json:"displayName"`
	ExternalID  string `json:"externalId"`
	Title       string `json:"title"`
	UserType    string `json:"userType"`
	Timezone    string `json:"timezone"`
	Active      *bool  `json:"active"`
	Name        struct {
		Formatted  string `json:"formatted"`
		GivenName  string `json:"givenName"`
		FamilyName string `json:"familyName"`
	} `json:"name"`
	Emails    []mailbox `json:"emails"`
	Addresses []struct {
		Type     string `json:"type"`
		Primary  bool   `json:"primary"`
		Locality string `json:"locality"`
		Country  string `json:"country"`
	} `json:"addresses"`
	Enterprise struct {
		EmployeeNumber string `json:"employeeNumber"`
		Department     string `json:"department"`
		Manager        struct {
			Value string `json:"value"`
		} `json:"manager"`
	} `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

func readProfile(body []byte) (profile, error) {
	var p profile
	if err := json.Unmarshal(body, &p); err != nil {
		return profile{}, fmt.Errorf("read a provisioned body: %w", err)
	}
	return p, nil
}

// person returns who the user of those groups is, with an address or, when none
// can be used, without.
func (p profile) person(groups []string) Person {
	is := Person{
		EmployeeID: p.Enterprise.EmployeeNumber, Status: p.status(), Emails: p.addresses(), Name: p.label(),
		Department: p.Enterprise.Department, Title: p.Title, Employment: p.employment(),
		ManagerID: p.Enterprise.Manager.Value, Groups: groups, Timezone: p.Timezone,
	}
	best := 3
	for _, a := range p.Addresses {
		if r := rank(a.Primary, a.Type); r < best {
			best, is.Location, is.Country = r, a.Locality, a.Country
		}
	}
	return is
}

// status never is ended: a user is inactive also who was merely taken out of
// the client's scope. Source: Okta and Entra ID, provisioning.
func (p profile) status() Status {
	if p.Active != nil && !*p.Active {
		return StatusSuspended
	}
	return StatusActive
}

func (p profile) label() string {
	return cmp.Or(p.DisplayName, p.Name.Formatted, strings.TrimSpace(p.Name.GivenName+" "+p.Name.FamilyName))
}

// addresses returns those that can be used, the primary one first, else one of
// work; without any the userName, when it is one.
func (p profile) addresses() []string {
	emails := slices.Clone(p.Emails)
	for i := range emails {
		emails[i].Value = strings.TrimSpace(emails[i].Value)
	}
	slices.SortStableFunc(emails, func(a, b mailbox) int { return rank(a.Primary, a.Type) - rank(b.Primary, b.Type) })
	var list []string
	for _, e := range emails {
		if isMailbox(e.Value) && !slices.Contains(list, e.Value) {
			list = append(list, e.Value)
		}
	}
	if name := strings.TrimSpace(p.UserName); len(list) == 0 && isMailbox(name) {
		return []string{name}
	}
	return list
}

// folded returns every address of the user as the client may look for it.
func (p profile) folded() []string {
	var list []string
	for _, e := range p.Emails {
		if f := FoldEmail(e.Value); f != "" {
			list = append(list, f)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (p profile) employment() Employment {
	if e, err := ParseEmployment(strings.ToLower(strings.TrimSpace(p.UserType))); err == nil {
		return e
	}
	if strings.Contains(strings.ToLower(p.UserName), guest) {
		return Vendor
	}
	return ""
}

// rank orders the values of an attribute: the primary one, those of work, the rest.
func rank(primary bool, kind string) int {
	switch {
	case primary:
		return 0
	case strings.EqualFold(kind, "work"):
		return 1
	default:
		return 2
	}
}

// isMailbox reports whether s has the outline of an address that mail reaches. A
// guest's userName has not: it is made of another address.
func isMailbox(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && !strings.Contains(domain, "@") &&
		!strings.ContainsAny(s, " \t<>,;") && !strings.Contains(strings.ToLower(s), guest)
}
