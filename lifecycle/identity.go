package lifecycle

import (
	"slices"
	"strings"
	"time"
)

// A Person is what a source says of somebody: the whole state, never a delta,
// so that a lost or reordered message heals with the next one.
type Person struct {
	EmployeeID string     `json:"employee_id"`
	Status     Status     `json:"status"`
	Emails     []string   `json:"emails"` // the first is the primary address; the others only ever propose a match
	Name       string     `json:"name"`
	Department string     `json:"department,omitempty"`
	Location   string     `json:"location,omitempty"`
	Country    string     `json:"country,omitempty"`
	Title      string     `json:"title,omitempty"`
	Employment Employment `json:"employment,omitempty"`
	ManagerID  string     `json:"manager_id,omitempty"`
	Groups     []string   `json:"groups,omitempty"`
	StartDate  Date       `json:"start_date,omitempty"`
	EndDate    Date       `json:"end_date,omitempty"`
	Timezone   string     `json:"timezone,omitempty"` // IANA name: in which days begin and end; empty is UTC
}

// Email returns the primary address, folded, or "".
func (p Person) Email() string {
	if len(p.Emails) == 0 {
		return ""
	}
	return FoldEmail(p.Emails[0])
}

// Label returns the name a person is called by, falling back to the address.
func (p Person) Label() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Email()
}

// An Identity is a person or service as the company knows them. Its ID is
// ours and survives renames and rehires.
type Identity struct {
	ID       IdentityID           `json:"id"`
	Revision int                  `json:"revision"`
	Keys     map[string]string    `json:"keys"`           // source → that source's immutable key; empty: known by virtue of the policy only
	Also     []SourceKey          `json:"also,omitempty"` // of records that a source had of them before: they find the identity as Keys do, and nothing comes of them any more
	Person   Person               `json:"person"`
	From     map[Attribute]string `json:"from,omitempty"`    // the source that each attribute of Person is from
	Account  AccountID            `json:"account,omitempty"` // pinned PagerDuty account
	Slack    SlackID              `json:"slack,omitempty"`   // pinned Slack user
	Says     map[string]Statement `json:"says,omitempty"`    // source → the last that it has said of them
	Spells   []Spell              `json:"spells,omitempty"`  // earlier ones, the oldest first
	Former   []FormerAddress      `json:"former,omitempty"`  // addresses they had; reserved for a while
	Not      []AccountID          `json:"not,omitempty"`     // accounts that a person has said are not theirs
	Merged   IdentityID           `json:"merged,omitempty"`  // who they turned out to be: this identity is no more
	Moving   *Moving              `json:"moving,omitempty"`  // a change that may not be all of it yet
	Observed time.Time            `json:"observed"`          // when the source saw the newest fact that counted
	Fact     NoticeID             `json:"fact,omitempty"`    // that fact
	Notice   NoticeID             `json:"notice,omitempty"`  // the newest notice about them: an older one is not planned any more
}

// Sourced reports whether a source of truth vouches for the identity. One
// named only in the policy may decide, but nothing is concluded about its own access.
func (i Identity) Sourced() bool { return len(i.Keys) > 0 }

// StatusAt returns the status at t: an end date that has passed ends a person
// even when the source has not said so yet. An end date is the last day, where they are.
func (i Identity) StatusAt(t time.Time) Status { return i.Person.statusAt(t) }

func (p Person) statusAt(t time.Time) Status {
	if p.Status != StatusEnded && p.EndDate != "" && p.EndDate.endedBy(t, p.Timezone) {
		return StatusEnded
	}
	return p.Status
}

// lastDay returns the first instant after their last day, or the zero time.
func (p Person) lastDay() time.Time {
	if p.EndDate == "" {
		return time.Time{}
	}
	return p.EndDate.End(p.Zone())
}

// firstDay returns the first instant of their first day, or the zero time.
func (p Person) firstDay() time.Time {
	if p.StartDate == "" {
		return time.Time{}
	}
	return p.StartDate.Start(p.Zone())
}

// startsAfter reports whether t is before their first day.
func (p Person) startsAfter(t time.Time) bool {
	if p.StartDate == "" {
		return false
	}
	switch start := p.StartDate.Start(time.UTC); { // the zone is looked up only where it matters
	case t.Before(start.Add(-earliestEnd)):
		return true
	case !t.Before(start.Add(latestEnd)):
		return false
	default:
		return t.Before(p.firstDay())
	}
}

// Zone returns where the person's days begin and end: UTC where nobody has said,
// or the name is none that is known. The name is looked up anew every time.
func (p Person) Zone() *time.Location { return zoneOf(p.Timezone) }

func zoneOf(name string) *time.Location {
	if name == "" || name == "Local" { // which would be ours, not theirs
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// MayDecide reports whether the identity is somebody who can decide at t.
func (i Identity) MayDecide(t time.Time) bool { return i.StatusAt(t) == StatusActive }

// Status is where a person stands with the company.
type Status string

// The statuses a source may give. Suspended is not leaving: SCIM sends it for
// a mere unassignment too (facts: Okta, Entra), so it removes nothing by itself.
const (
	StatusActive    Status = "active"
	StatusLeave     Status = "leave"
	StatusSuspended Status = "suspended"
	StatusEnded     Status = "ended"
)

// ParseStatus returns the status named s, or a Refusal that lists them.
func ParseStatus(s string) (Status, error) {
	return parseClosed("status", s, StatusActive, StatusLeave, StatusSuspended, StatusEnded)
}

// Employment is the kind of relation a person has with the company.
type Employment string

// The kinds of employment.
const (
	Employee   Employment = "employee"
	Contractor Employment = "contractor"
	Intern     Employment = "intern"
	Vendor     Employment = "vendor"
	Service    Employment = "service"
)

// ParseEmployment returns the employment named s, or a Refusal that lists them.
func ParseEmployment(s string) (Employment, error) {
	return parseClosed("employment", s, Employee, Contractor, Intern, Vendor, Service)
}

// A Date is a calendar day, YYYY-MM-DD, or "".
type Date string

// ParseDate returns the day named s; "" is no day. Anything but ISO 8601 is a Refusal.
func ParseDate(s string) (Date, error) {
	if s == "" {
		return "", nil
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", Refuse(ErrInvalid, "%q is not a date like 2026-05-31", s)
	}
	return Date(s), nil
}

// Start returns the first instant of the day in the zone, or the zero time.
func (d Date) Start(zone *time.Location) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, string(d), zone)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// End returns the first instant after the day in the zone, or the zero time.
func (d Date) End(zone *time.Location) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, string(d), zone)
	if err != nil {
		return time.Time{}
	}
	return t.AddDate(0, 0, 1).UTC()
}

// The clocks of the world, from the earliest to the latest: a day ends nowhere
// earlier than so long before it does in UTC, and nowhere later than so long after.
const (
	earliestEnd = 14 * time.Hour
	latestEnd   = 12 * time.Hour
)

// endedBy reports whether the day is over at t in the zone of that name, which is
// looked up only on the few hours when that depends on it. A day that is none is over.
func (d Date) endedBy(t time.Time, zone string) bool {
	switch end := d.End(time.UTC); {
	case t.Before(end.Add(-earliestEnd)):
		return false
	case !t.Before(end.Add(latestEnd)):
		return true
	default:
		return !t.Before(d.End(zoneOf(zone)))
	}
}

// FoldEmail returns the form in which addresses are compared: trimmed and in
// lower case throughout. Dots and plus tags are kept: mina+oncall@ is often
// another PagerDuty user.
func FoldEmail(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func parseClosed[T ~string](what, s string, allowed ...T) (T, error) {
	if slices.Contains(allowed, T(s)) {
		return T(s), nil
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	return "", Refuse(ErrInvalid, "%s %q is not one of %s", what, s, strings.Join(names, ", "))
}
