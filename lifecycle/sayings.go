package lifecycle

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// A Saying is one attribute of somebody: what counts, whose word that is, and
// what the others say.
type Saying struct {
	Attribute Attribute `json:"attribute"`
	Said                // what counts; Source is "" where nobody's word is known
	Others    []Said    `json:"others,omitempty"` // of the other sources that say anything, by name
}

// Said is what one source says of an attribute, and when it said so.
type Said struct {
	Source string    `json:"source,omitempty"`
	Value  string    `json:"value"`
	At     time.Time `json:"at,omitzero"`
}

// Sayings returns, for each attribute that anybody speaks of, which source's word
// counts, what the others say, and when each said it.
func (i Identity) Sayings() []Saying {
	says := i.statements("")
	var all []Saying
	for _, a := range heardAttributes() {
		s := Saying{Attribute: a, Said: Said{Source: i.From[a], Value: i.Person.value(a)}}
		if s.Source == "" {
			s.Source = agrees(says, s)
		}
		for source, said := range says {
			one := said.on(a)
			one.Source = source
			switch {
			case source == s.Source:
				s.At = one.At
			case one.Value != "":
				s.Others = append(s.Others, one)
			}
		}
		slices.SortFunc(s.Others, func(a, b Said) int { return strings.Compare(a.Source, b.Source) })
		if s.Value != "" || len(s.Others) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// agrees returns the first source that says what counts, where it is not kept
// whose word that is: who was known before sources were told apart.
func agrees(says map[string]Statement, s Saying) string {
	for _, source := range slices.Sorted(maps.Keys(says)) {
		if s.Value != "" && says[source].on(s.Attribute).Value == s.Value {
			return source
		}
	}
	return ""
}

// on returns what the source says of the attribute.
func (s Statement) on(a Attribute) Said {
	switch {
	case a != attrStatus:
		return Said{Value: s.Person.value(a), At: s.At}
	case s.Status.Disabled:
		return Said{Value: string(s.Status.Status) + ": their account there is disabled", At: s.Status.At}
	default:
		return Said{Value: string(s.Status.Status), At: s.Status.At}
	}
}

// value returns what is said of the attribute, in words.
func (p Person) value(a Attribute) string {
	switch a {
	case attrStatus:
		return string(p.Status)
	case attrName:
		return p.Name
	case AttrEmail:
		return strings.Join(p.Emails, ", ")
	case AttrEmployeeID:
		return p.EmployeeID
	case AttrDepartment:
		return p.Department
	case AttrTitle:
		return p.Title
	case AttrLocation:
		return p.Location
	case AttrCountry:
		return p.Country
	case AttrEmployment:
		return string(p.Employment)
	case AttrManagerID:
		return p.ManagerID
	case AttrGroups:
		return strings.Join(p.Groups, ", ")
	case attrStart:
		return string(p.StartDate)
	case attrEnd:
		return string(p.EndDate)
	case attrZone:
		return p.Timezone
	default:
		return ""
	}
}
