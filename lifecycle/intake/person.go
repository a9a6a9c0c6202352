package intake

import (
	"strings"

	"rolecall/lifecycle"
)

// How much one person can be, in characters and entries.
const (
	longestName  = 256
	longestEmail = 254 // RFC 5321, 4.5.3.1.3, without the angle brackets
	mostEmails   = 20
	mostGroups   = 1000
)

// personFields are the fields of data in a lifecycle message and the columns
// of a roster. They are a contract: a change is a new version of the type.
func personFields() []string {
	return append(stateFields(), "effective_at", "urgent", "version")
}

// stateFields are the fields that say who somebody is, in the order of an export.
func stateFields() []string {
	return []string{
		"employee_id", "status", "emails", "name", "department", "location", "country", "title",
		"employment", "manager_id", "groups", "start_date", "end_date", "timezone",
	}
}

// readPerson returns what the form says of a person. It leaves the source, the
// event and the times of the fact to the caller, and every mistake in the form.
func readPerson(f *form) lifecycle.Fact {
	f.onlyKnown(personFields())
	p := lifecycle.Person{
		EmployeeID: f.need("employee_id", longestName, "is needed: it is how the person is known again"),
		Status:     needChoice(f, "status", lifecycle.ParseStatus, "is needed: active, leave, suspended or ended"),
		Emails:     f.needTexts("emails", mostEmails, longestEmail, "needs at least one address; the first is the primary one"),
		Name:       f.text("name", longestName),
		Department: f.text("department", longestName),
		Location:   f.text("location", longestName),
		Country:    f.text("country", longestName),
		Title:      f.text("title", longestName),
		Employment: choice(f, "employment", lifecycle.ParseEmployment),
		ManagerID:  f.text("manager_id", longestName),
		Groups:     f.texts("groups", mostGroups, longestName),
		StartDate:  f.date("start_date"),
		EndDate:    f.date("end_date"),
		Timezone:   f.zone("timezone"),
	}
	checkPerson(f, p)
	return lifecycle.Fact{
		Person: p, Urgent: f.flag("urgent"), Version: f.counter("version", longestName), EffectiveAt: f.moment("effective_at"),
	}
}

func checkPerson(f *form, p lifecycle.Person) {
	for _, e := range p.Emails {
		if e != "" && !isAddress(e) {
			f.blame("emails", "%q is not an address", e)
		}
	}
	// Somebody who never came has left before the first day. Anybody else would
	// be taken for a leaver by a date that was forgotten.
	if p.Status != lifecycle.StatusEnded && p.EndDate != "" && p.StartDate != "" && p.EndDate < p.StartDate {
		f.blame("end_date", "%s is before start_date %s; leave it empty for somebody who came back", p.EndDate, p.StartDate)
	}
}

// isAddress reports whether s has the outline of an address, and nothing that
// would make two of it in a list.
func isAddress(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && !strings.ContainsAny(domain, "@") && !strings.ContainsAny(s, " \t<>,;")
}
