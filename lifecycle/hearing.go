package lifecycle

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Attributes that no selector asks for, by their name in notices.
const (
	attrStatus Attribute = "status"
	attrName   Attribute = "name"
	attrStart  Attribute = "start_date"
	attrEnd    Attribute = "end_date"
	attrZone   Attribute = "timezone"
)

// heardAttributes returns every attribute of which sources may say different things.
func heardAttributes() []Attribute {
	return []Attribute{
		attrStatus, attrName, AttrEmail, AttrEmployeeID, AttrDepartment, AttrTitle, AttrLocation, AttrCountry,
		AttrEmployment, AttrManagerID, AttrGroups, attrStart, attrEnd, attrZone,
	}
}

// Derive returns who somebody is at now by what all sources say of them, and
// whose word each attribute is. It depends on nothing else, nor on the order in
// which they were heard. For each attribute the first source in the order that
// says anything counts, then the newest word: a source says its whole state, but
// its silence takes nothing from what another one says. A directory that knows
// no departments moves nobody, and one that knows no last day keeps nobody.
func Derive(says map[string]Statement, order SourceOrder, now time.Time) (Person, map[Attribute]string) {
	h := hearing{says: says, order: order, byAge: byAge(says), from: map[Attribute]string{}}
	p := Person{
		EmployeeID: word(h, AttrEmployeeID, func(p Person) string { return p.EmployeeID }),
		Name:       word(h, attrName, func(p Person) string { return p.Name }),
		Department: word(h, AttrDepartment, func(p Person) string { return p.Department }),
		Location:   word(h, AttrLocation, func(p Person) string { return p.Location }),
		Country:    word(h, AttrCountry, func(p Person) string { return p.Country }),
		Title:      word(h, AttrTitle, func(p Person) string { return p.Title }),
		Employment: word(h, AttrEmployment, func(p Person) Employment { return p.Employment }),
		ManagerID:  word(h, AttrManagerID, func(p Person) string { return p.ManagerID }),
		StartDate:  word(h, attrStart, func(p Person) Date { return p.StartDate }),
		EndDate:    word(h, attrEnd, func(p Person) Date { return p.EndDate }),
		Timezone:   word(h, attrZone, func(p Person) string { return p.Timezone }),
	}
	if s, ok := h.first(AttrEmail, func(p Person) bool { return p.Email() != "" }); ok {
		p.Emails = h.says[s].Person.Emails
	}
	if s, ok := h.first(AttrGroups, func(p Person) bool { return len(p.Groups) > 0 }); ok {
		p.Groups = h.says[s].Person.Groups
	}
	return h.standing(p, now), h.from
}

// A hearing weighs what sources say of one person.
type hearing struct {
	says  map[string]Statement
	order SourceOrder
	byAge []string             // the sources, who spoke last first
	from  map[Attribute]string // which source each attribute is from
}

func byAge(says map[string]Statement) []string {
	return slices.SortedFunc(maps.Keys(says), func(a, b string) int {
		x, y := says[a], says[b]
		if c := y.At.Compare(x.At); c != 0 {
			return c
		}
		if c := y.Heard.Compare(x.Heard); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
}

// ranked returns the sources in the order in which their word on the attribute
// counts, and how many of them the policy names.
func (h hearing) ranked(a Attribute) ([]string, int) {
	order := h.order.For(a)
	if len(order) == 0 {
		return h.byAge, 0
	}
	ranked := make([]string, 0, len(h.byAge))
	for _, s := range order {
		if _, spoke := h.says[s]; spoke && !slices.Contains(ranked, s) {
			ranked = append(ranked, s)
		}
	}
	named := len(ranked)
	for _, s := range h.byAge {
		if !slices.Contains(ranked[:named], s) {
			ranked = append(ranked, s)
		}
	}
	return ranked, named
}

// first returns the source whose word on the attribute counts, and notes it.
func (h hearing) first(a Attribute, speaks func(Person) bool) (string, bool) {
	ranked, _ := h.ranked(a)
	for _, s := range ranked {
		if speaks(h.says[s].Person) {
			h.from[a] = s
			return s, true
		}
	}
	return "", false
}

func word[T ~string](h hearing, a Attribute, of func(Person) T) T {
	s, ok := h.first(a, func(p Person) bool { return of(p) != "" })
	if !ok {
		return ""
	}
	return of(h.says[s].Person)
}
