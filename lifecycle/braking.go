package lifecycle

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// passAtOnce is how many people may lose access within a gathering before more of
// them are waited for.
const passAtOnce = 3

// gatherMost is how many gatherings a removal waits at the most while more come.
const gatherMost = 3

// MoverLimit returns how many people of a population may move to another
// department in one window.
func (b Breaker) MoverLimit(population int) int {
	return max(b.Movers, int(b.MoversPercent*float64(population)/100))
}

func (b Breaker) limitOf(k NoticeKind, population int) int {
	if k == Mover {
		return b.MoverLimit(population)
	}
	return b.Limit(population)
}

func holdKindOf(k NoticeKind) HoldKind {
	if k == Mover {
		return HoldMovers
	}
	return HoldLeavers
}

// Counts reports whether the breaker counts the removal: somebody with an account
// has left, or moved to another department.
func (r Removal) Counts() bool {
	return !r.Bare && (r.Kind == Leaver || r.Department != r.Moved)
}

// Prompt reports whether the removal waits for no other: it is urgent, or a
// person has said so.
func (r Removal) Prompt() bool { return r.Urgent || r.Source == SourcePeople }

// seen reports whether a person has said so, or has let it go.
func (r Removal) seen() bool { return r.Source == SourcePeople || r.Hold != "" }

// A Braking is what becomes of the removals that are queued.
type Braking struct {
	Pass []Removal
	Stop []Stop
	Wait map[NoticeKind]time.Time // when those that gather are judged, by their kind; none gather where there is none
}

// A Stop is what is held together. Source "" is of all sources.
type Stop struct {
	Kind     NoticeKind
	Source   string
	Removals []Removal
	People   int // who would lose access in the window, those who were let pass included; 0 when it joins a hold that stands
	Passed   int // of them
	Limit    int
}

// JudgeRemovals says what becomes of every removal that is queued, given all of the
// breaker's window and those that are queued or held whenever they were, the
// oldest first. It is pure, and linear in removals.
//
// The first few pass as they come. Those that come many at once are waited for,
// so that they are judged together: once the first of a wrong list has lost
// access it is too late to see how long the list is. What a person has let go
// passes and counts; what is held has taken nothing from anybody and counts for
// nothing. What is urgent gathers with nothing, and passes until as many have that
// no person has seen as are ordinary: beyond them it is held at once, for a feed
// that is broken may call everybody urgent.
func JudgeRemovals(removals []Removal, open []Hold, b Breaker, population int, now time.Time) Braking {
	is := Braking{Wait: map[NoticeKind]time.Time{}}
	dockets := map[NoticeKind]*docket{}
	for _, k := range []NoticeKind{Leaver, Mover} {
		dockets[k] = newDocket(k, open)
	}
	for _, r := range removals {
		d, known := dockets[r.Kind]
		switch {
		case !known, r.State == RemovalRefused, r.State == RemovalOvertaken:
		case r.Counts():
			d.add(r, b, now, &is)
		case r.State == RemovalQueued:
			is.Pass = append(is.Pass, r)
		}
	}
	for _, k := range []NoticeKind{Leaver, Mover} {
		dockets[k].decide(b.limitOf(k, population), b.Gather, now, &is)
	}
	return is
}

// A docket is what is to be judged of one kind.
type docket struct {
	kind   NoticeKind
	stands map[string]bool                    // sources of which a hold stands
	lost   map[string]map[IdentityID]struct{} // by source, who was let pass in the window
	unseen map[string]map[IdentityID]struct{} // of them, whom no person has seen; by source, and of all under ""
	queued []Removal
	urgent []Removal // that are queued
	recent int       // that came within the last gathering
}

func newDocket(k NoticeKind, open []Hold) *docket {
	d := &docket{kind: k, stands: map[string]bool{}, lost: map[string]map[IdentityID]struct{}{}, unseen: map[string]map[IdentityID]struct{}{}}
	for _, h := range open {
		if h.Kind == holdKindOf(k) {
			d.stands[h.Source] = true
		}
	}
	return d
}

func (d *docket) add(r Removal, b Breaker, now time.Time, is *Braking) {
	if r.At.Add(b.Gather).After(now) {
		d.recent++
	}
	switch {
	case r.State == RemovalHeld:
	case r.State == RemovalPassed:
		if !r.At.Before(now.Add(-b.Window)) {
			d.lose(r)
		}
	case r.seen():
		d.lose(r)
		is.Pass = append(is.Pass, r)
	case r.Urgent:
		d.urgent = append(d.urgent, r)
	case d.stands[""], d.stands[r.Source]:
		is.join(d.kind, d.holdOf(r.Source), r)
	default:
		d.queued = append(d.queued, r)
	}
}

func (d *docket) lose(r Removal) {
	note(d.lost, r.Source, r.Identity)
	if !r.seen() {
		note(d.unseen, r.Source, r.Identity)
		note(d.unseen, "", r.Identity)
	}
}

func note(people map[string]map[IdentityID]struct{}, source string, who IdentityID) {
	if people[source] == nil {
		people[source] = map[IdentityID]struct{}{}
	}
	people[source][who] = struct{}{}
}

// hurry lets what is urgent pass up to the limit, and stops the rest.
func (d *docket) hurry(limit int, is *Braking) {
	over := map[string][]Removal{}
	for _, r := range d.urgent {
		switch {
		case d.full(r.Source, r, limit):
			over[r.Source] = append(over[r.Source], r)
		case d.full("", r, limit):
			over[""] = append(over[""], r)
		default:
			d.lose(r)
			is.Pass = append(is.Pass, r)
		}
	}
	for _, source := range slices.Sorted(maps.Keys(over)) {
		if !d.stands[source] && !d.stands[""] {
			is.Stop = append(is.Stop, d.weigh(source, over[source], limit, d.unseen[source]))
			continue
		}
		for _, r := range over[source] {
			is.join(d.kind, d.holdOf(source), r)
		}
	}
}

// holdOf returns the source of the hold that stands for it: that of all comes first.
func (d *docket) holdOf(source string) string {
	if d.stands[""] {
		return ""
	}
	return source
}

// full reports whether the removal would be of one more person than may be let
// pass without anybody having seen it.
func (d *docket) full(source string, r Removal, limit int) bool {
	_, counted := d.unseen[source][r.Identity]
	return !counted && len(d.unseen[source]) >= limit
}

// join puts the removal with those that join the hold of the source.
func (is *Braking) join(k NoticeKind, source string, r Removal) {
	i := slices.IndexFunc(is.Stop, func(s Stop) bool { return s.People == 0 && s.Kind == k && s.Source == source })
	if i < 0 {
		i, is.Stop = len(is.Stop), append(is.Stop, Stop{Kind: k, Source: source})
	}
	is.Stop[i].Removals = append(is.Stop[i].Removals, r)
}

// decide judges what is queued: what is urgent, then each source by itself, then
// what is left of all.
func (d *docket) decide(limit int, gather time.Duration, now time.Time, is *Braking) {
	d.hurry(limit, is)
	if len(d.queued) == 0 {
		return
	}
	if until := gathered(d.queued, gather); d.recent > passAtOnce && until.After(now) {
		is.Wait[d.kind] = until
		return
	}
	var rest []Removal
	for _, of := range bySource(d.queued) {
		s := d.weigh(of[0].Source, of, limit, d.lost[of[0].Source])
		if s.People > limit {
			is.Stop = append(is.Stop, s)
		} else {
			rest = append(rest, of...)
		}
	}
	var lost []map[IdentityID]struct{}
	for _, of := range d.lost {
		lost = append(lost, of)
	}
	if s := d.weigh("", rest, limit, lost...); len(rest) > 0 && s.People > limit {
		is.Stop = append(is.Stop, s)
	} else {
		is.Pass = append(is.Pass, rest...)
	}
}

func (d *docket) weigh(source string, queued []Removal, limit int, lost ...map[IdentityID]struct{}) Stop {
	people := map[IdentityID]struct{}{}
	for _, of := range lost {
		for id := range of {
			people[id] = struct{}{}
		}
	}
	passed := len(people)
	for _, r := range queued {
		people[r.Identity] = struct{}{}
	}
	return Stop{Kind: d.kind, Source: source, Removals: queued, People: len(people), Passed: passed, Limit: limit}
}

// gathered returns when no more are waited for: when it has been quiet for a
// gathering since the newest of them, but not for ever after the oldest.
func gathered(queued []Removal, gather time.Duration) time.Time {
	oldest, newest := queued[0].At, queued[0].At
	for _, r := range queued {
		if r.At.Before(oldest) {
			oldest = r.At
		}
		if r.At.After(newest) {
			newest = r.At
		}
	}
	quiet, most := newest.Add(gather), oldest.Add(gatherMost*gather)
	if most.Before(quiet) {
		return most
	}
	return quiet
}

// bySource returns the removals of each source, sources in order.
func bySource(removals []Removal) [][]Removal {
	of := map[string][]Removal{}
	var sources []string
	for _, r := range removals {
		if of[r.Source] == nil {
			sources = append(sources, r.Source)
		}
		of[r.Source] = append(of[r.Source], r)
	}
	slices.Sort(sources)
	all := make([][]Removal, len(sources))
	for i, s := range sources {
		all[i] = of[s]
	}
	return all
}

// A Relocation is how many people go from one department to another; To is "" for
// those who leave.
type Relocation struct {
	From   string `json:"from"`
	To     string `json:"to,omitempty"`
	People int    `json:"people"`
}

// Relocations returns where the removals take people from and to, most people first.
func Relocations(removals []Removal) []Relocation {
	at := map[[2]string]int{}
	var all []Relocation
	for _, r := range removals {
		key := [2]string{r.Department, r.Moved}
		i, seen := at[key]
		if !seen {
			i = len(all)
			at[key], all = i, append(all, Relocation{From: r.Department, To: r.Moved})
		}
		all[i].People++
	}
	slices.SortStableFunc(all, func(a, b Relocation) int {
		return cmp.Or(b.People-a.People, cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return all
}
