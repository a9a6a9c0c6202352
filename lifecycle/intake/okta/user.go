package okta

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rolecall/lifecycle"
	"rolecall/lifecycle/intake"
)

// A user is one as Okta keeps it, in what of it is read. Whatever else is in a
// profile is none of our business.
type user struct {
	ID            string    `json:"id"`
	Status        string    `json:"status"`
	StatusChanged time.Time `json:"statusChanged"`
	LastUpdated   time.Time `json:"lastUpdated"`
	Profile       profile   `json:"profile"`
}

type profile struct {
	Login          string `json:"login"`
	Email          string `json:"email"`
	SecondEmail    string `json:"secondEmail"`
	FirstName      string `json:"firstName"`
	LastName       string `json:"lastName"`
	DisplayName    string `json:"displayName"`
	Department     string `json:"department"`
	Title          string `json:"title"`
	EmployeeNumber string `json:"employeeNumber"`
	ManagerID      string `json:"managerId"`
	CountryCode    string `json:"countryCode"`
	City           string `json:"city"`
	Timezone       string `json:"timezone"`
	UserType       string `json:"userType"`
}

const (
	mostGroupPages = 20 // of 200
	mostGroups     = 1000
)

// state reads whom the event is about and returns their whole state, and false
// when they are deleted: nothing is concluded from that. A state that cannot be
// taken as it stands is a Refusal.
func (r *Resync) state(ctx context.Context, e event) (lifecycle.Fact, bool, error) {
	who, _ := e.user()
	place := r.client.base.JoinPath("api", "v1", "users", who.ID)
	answer, err := r.client.get(ctx, place)
	if isStatus(err, http.StatusNotFound) {
		return lifecycle.Fact{}, false, nil
	}
	if err != nil {
		return lifecycle.Fact{}, false, err
	}
	u, err := readUser(who.ID, answer.body)
	if err != nil {
		return lifecycle.Fact{}, false, err
	}
	groups, err := r.groups(ctx, who.ID)
	if isStatus(err, http.StatusNotFound) {
		return lifecycle.Fact{}, false, nil
	}
	if err != nil {
		return lifecycle.Fact{}, false, err
	}
	fact, err := u.fact(e, groups)
	sum := sha256.Sum256(answer.body)
	fact.SHA256 = hex.EncodeToString(sum[:])
	return fact, err == nil, err
}

// readUser returns the user that body is. A profile that has something else than
// text where text belongs is a Refusal: reading it again mends nothing.
func readUser(id string, body []byte) (user, error) {
	var u user
	err := json.Unmarshal(body, &u)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return user{}, lifecycle.Refuse(lifecycle.ErrInvalid, "user %s is not as Okta keeps them: %s", id, mistyped(err))
	}
	if err != nil {
		return user{}, fmt.Errorf("read user %s: %w", id, err)
	}
	if u.ID != id {
		return user{}, fmt.Errorf("read user %s: Okta answered with another, %q", id, u.ID)
	}
	return u, nil
}

// groups returns the names of the groups of a user, where they are asked for.
func (r *Resync) groups(ctx context.Context, id string) ([]string, error) {
	if !r.config.Groups {
		return nil, nil
	}
	place := r.client.base.JoinPath("api", "v1", "users", id, "groups")
	place.RawQuery = "limit=200"
	found, err := list[struct {
		Profile struct {
			Name string `json:"name"`
		} `json:"profile"`
	}](ctx, r.client, place, mostGroupPages)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, g := range found {
		names = append(names, g.Profile.Name)
	}
	return names, nil
}

// fact returns the whole state of the user, as of the newest change that it is
// known to contain: by Okta's clock, and never by ours.
func (u user) fact(e event, groups []string) (lifecycle.Fact, error) {
	status, ok := statusOf(u.Status)
	if !ok {
		return lifecycle.Fact{}, lifecycle.Refuse(lifecycle.ErrInvalid, "user %s has the status %q, which is none that is known", u.ID, u.Status)
	}
	p := u.Profile.person()
	p.Status, p.Groups = status, groups
	if err := checkPerson(u.ID, p); err != nil {
		return lifecycle.Fact{}, err
	}
	seen := e.Published
	for _, t := range []time.Time{u.LastUpdated, u.StatusChanged} {
		if t.After(seen) {
			seen = t
		}
	}
	return lifecycle.Fact{
		Source: Source, EventID: "user/" + u.ID + "@" + e.UUID, Key: u.ID, Person: p, Piecemeal: true, ObservedAt: seen.UTC(),
	}, nil
}

// statusOf returns what Okta's status says. Source: Okta, "Users API", "User status".
func statusOf(s string) (lifecycle.Status, bool) {
	switch s {
	case "STAGED", "PROVISIONED", "ACTIVE", "RECOVERY", "PASSWORD_EXPIRED", "LOCKED_OUT":
		return lifecycle.StatusActive, true
	case "SUSPENDED":
		return lifecycle.StatusSuspended, true
	case "DEPROVISIONED":
		return lifecycle.StatusEnded, true
	default:
		return "", false
	}
}

// person returns what a profile says. A zone and a user type that are none are
// silence: profiles have any text there.
func (p profile) person() lifecycle.Person {
	is := lifecycle.Person{
		EmployeeID: strings.TrimSpace(p.EmployeeNumber), Name: strings.TrimSpace(p.DisplayName), Department: strings.TrimSpace(p.Department),
		Location: strings.TrimSpace(p.City), Country: strings.TrimSpace(p.CountryCode), Title: strings.TrimSpace(p.Title), ManagerID: strings.TrimSpace(p.ManagerID),
	}
	if is.Name == "" {
		is.Name = strings.TrimSpace(p.FirstName + " " + p.LastName)
	}
	if zone := strings.TrimSpace(p.Timezone); zone != "" && zone != "Local" {
		if _, err := time.LoadLocation(zone); err == nil {
			is.Timezone = zone
		}
	}
	if kind, err := lifecycle.ParseEmployment(lifecycle.FoldEmail(p.UserType)); err == nil {
		is.Employment = kind
	}
	seen := map[string]bool{}
	for _, e := range []string{p.Email, p.Login, p.SecondEmail} {
		if folded := lifecycle.FoldEmail(e); intake.IsAddress(strings.TrimSpace(e)) && !seen[folded] {
			seen[folded], is.Emails = true, append(is.Emails, strings.TrimSpace(e))
		}
	}
	return is
}

// checkPerson refuses what no list could show and no database keep: a department
// that was cut or mended would be another one.
func checkPerson(id string, p lifecycle.Person) error {
	texts := map[string]string{
		"employeeNumber": p.EmployeeID, "displayName": p.Name, "department": p.Department, "city": p.Location,
		"countryCode": p.Country, "title": p.Title, "managerId": p.ManagerID,
	}
	for i, g := range p.Groups {
		texts[fmt.Sprintf("group %d", i+1)] = g
	}
	for name, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || utf8.RuneCountInString(text) > longestName {
			return lifecycle.Refuse(lifecycle.ErrInvalid, "user %s has a %s that is longer than %d characters or has a control character in it", id, name, longestName)
		}
	}
	switch {
	case len(p.Groups) > mostGroups:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "user %s is in more than %d groups", id, mostGroups)
	case len(p.Emails) == 0:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "user %s has no address: neither email nor login is one", id)
	default:
		return nil
	}
}
