package lifecycle

import "maps"

// A hearing puts what one source says of a person beside what others have said.
type hearing struct {
	source string
	from   map[Attribute]string // which source each attribute is from
}

// Attributes that no selector asks for, by their name in notices.
const (
	attrName  Attribute = "name"
	attrStart Attribute = "start_date"
	attrEnd   Attribute = "end_date"
)

// hear returns who the person is once the source has been heard, and which
// source each attribute is from. A source says its whole state, so what it said
// before and does not say now is gone; but its silence takes nothing from what
// another source says: a directory that knows no departments moves nobody, and
// one that knows no last day keeps nobody.
func (i Identity) hear(source string, says Person) (Person, map[Attribute]string) {
	h := hearing{source: source, from: maps.Clone(i.From)}
	if h.from == nil {
		h.from = map[Attribute]string{}
	}
	was, is := i.Person, says
	is.Name = heard(h, attrName, was.Name, says.Name)
	is.Department = heard(h, AttrDepartment, was.Department, says.Department)
	is.Location = heard(h, AttrLocation, was.Location, says.Location)
	is.Country = heard(h, AttrCountry, was.Country, says.Country)
	is.Title = heard(h, AttrTitle, was.Title, says.Title)
	is.Employment = heard(h, AttrEmployment, was.Employment, says.Employment)
	is.ManagerID = heard(h, AttrManagerID, was.ManagerID, says.ManagerID)
	is.StartDate = heard(h, attrStart, was.StartDate, says.StartDate)
	is.EndDate = heard(h, attrEnd, was.EndDate, says.EndDate)
	if h.keeps(AttrGroups, len(says.Groups) == 0) {
		is.Groups = was.Groups
	}
	return is, h.from
}

func heard[T ~string](h hearing, a Attribute, was, says T) T {
	if h.keeps(a, says == "") {
		return was
	}
	return says
}

// keeps reports whether another source's word on the attribute stands, and
// notes whose word it is otherwise.
func (h hearing) keeps(a Attribute, silent bool) bool {
	switch from := h.from[a]; {
	case !silent:
		h.from[a] = h.source
		return false
	case from == "" || from == h.source:
		delete(h.from, a)
		return false
	default:
		return true
	}
}
