package lifecycle

import (
	"fmt"
	"strings"
	"time"
)

// why says in sentences, with the numbers, why the removals are stopped.
func (s Stop) why(b Breaker, population int) string {
	from, what := s.Source+" says", "have left"
	if s.Source == "" {
		from = "All sources together say"
	}
	if s.Kind == Mover {
		what = "have moved to another department"
	}
	why := fmt.Sprintf("%s that %d people %s within %s. Up to %d are ordinary, of %d people with an account.", from, s.People, what, spell(b.Window), s.Limit, population)
	if s.Passed > 0 {
		why += fmt.Sprintf(" %d of them had been let pass before.", s.Passed)
	}
	if s.Kind == Mover {
		why += " Most of those who wait: " + wherefrom(Relocations(s.Removals)) + "."
	}
	return why
}

// alarm tells Security of those who are stopped although they are urgent: whoever
// called them so counts on it that they are not waited for.
func (s Stop) alarm(h Hold) []Job {
	var labels []string
	for _, r := range s.Removals {
		if r.Urgent {
			labels = append(labels, r.Label)
		}
	}
	if len(labels) == 0 {
		return nil
	}
	who := strings.Join(labels[:min(len(labels), manyUrgent)], ", ")
	if more := len(labels) - manyUrgent; more > 0 {
		who += fmt.Sprintf(" and %d more", more)
	}
	return []Job{alert(fmt.Sprintf("Urgent, and waiting: %s. As many as are ordinary have lost access already without anybody having looked, so nothing follows until two people release them from hold %s.", who, h.ID))}
}

const manyUrgent = 5 // who are named where there is little room

const manyRelocations = 3 // that a sentence names

func wherefrom(all []Relocation) string {
	var words []string
	for _, s := range all[:min(len(all), manyRelocations)] {
		words = append(words, fmt.Sprintf("%s → %s (%d)", orUnknown(s.From), orUnknown(s.To), s.People))
	}
	return strings.Join(words, ", ")
}

// spell returns the duration in words.
func spell(d time.Duration) string {
	count := func(n int64, unit string) string {
		if n != 1 {
			unit += "s"
		}
		return fmt.Sprintf("%d %s", n, unit)
	}
	switch day := 24 * time.Hour; {
	case d >= 2*day && d%day == 0:
		return count(int64(d/day), "day")
	case d >= time.Hour && d%time.Hour == 0:
		return count(int64(d/time.Hour), "hour")
	case d >= time.Minute && d%time.Minute == 0:
		return count(int64(d/time.Minute), "minute")
	default:
		return d.String()
	}
}
