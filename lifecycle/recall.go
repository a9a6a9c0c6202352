package lifecycle

import (
	"maps"
	"slices"
)

// statements returns what each source has said of the identity. One that was
// stored before statements were kept is read back into them: each source said
// what is known to be from it, and what is known to be from none, its status
// among it, was said by the source that is heard now, where that is known.
func (i Identity) statements(hears string) map[string]Statement {
	if len(i.Says) > 0 || !i.Sourced() {
		says := maps.Clone(i.Says)
		if says == nil {
			says = map[string]Statement{}
		}
		return says
	}
	last := hears
	if _, known := i.Keys[last]; !known {
		last = slices.Sorted(maps.Keys(i.Keys))[0]
	}
	says := map[string]Statement{}
	for source, key := range i.Keys {
		s := Statement{Person: i.saidBy(source, source == last), Began: i.Person.StartDate, At: i.Observed, Status: StatusWord{Status: StatusActive, At: i.Observed}}
		s.Person.EmployeeID = key
		if source == last {
			s.Fact, s.Status.Fact, s.Status.Status = i.Fact, i.Fact, i.Person.Status
		}
		if i.Person.Status == StatusEnded {
			s.Status.Status, s.Status.Over, s.Status.Dated = StatusEnded, Spell{Start: i.Person.StartDate, Ended: i.Observed}, false
			if end := i.Person.lastDay(); !end.IsZero() && end.Before(i.Observed) {
				s.Status.Over.Ended, s.Status.Dated = end, true
			}
		}
		says[source] = s
	}
	return says
}

// saidBy returns what of the person is from the source, and where it spoke last,
// what is from nobody.
func (i Identity) saidBy(source string, last bool) Person {
	p := i.Person
	for _, a := range heardAttributes() {
		if from := i.From[a]; from != source && (from != "" || !last) {
			p.forget(a)
		}
	}
	p.Emails = i.Person.Emails
	return p
}

// forget takes what is said of the attribute from the person.
func (p *Person) forget(a Attribute) {
	switch a {
	case attrStatus:
		p.Status = ""
	case attrName:
		p.Name = ""
	case AttrEmail:
		p.Emails = nil
	case AttrEmployeeID:
		p.EmployeeID = ""
	case AttrDepartment:
		p.Department = ""
	case AttrTitle:
		p.Title = ""
	case AttrLocation:
		p.Location = ""
	case AttrCountry:
		p.Country = ""
	case AttrEmployment:
		p.Employment = ""
	case AttrManagerID:
		p.ManagerID = ""
	case AttrGroups:
		p.Groups = nil
	case attrStart:
		p.StartDate = ""
	case attrEnd:
		p.EndDate = ""
	case attrZone:
		p.Timezone = ""
	}
}
