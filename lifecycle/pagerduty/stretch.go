package pagerduty

import (
	"fmt"
	"slices"
	"time"
)

// A stretch is time that one user is on call for.
type stretch struct{ from, until time.Time }

// A timetable is who is on call when: of each user the stretches, in order, none touching the next.
type timetable map[string][]stretch

// add puts a stretch in, and joins it with those it touches.
func (r timetable) add(user string, s stretch) {
	if user == "" || !s.from.Before(s.until) {
		return
	}
	all := append(slices.Clone(r[user]), s)
	slices.SortFunc(all, func(a, b stretch) int { return a.from.Compare(b.from) })
	out := all[:1]
	for _, s := range all[1:] {
		last := &out[len(out)-1]
		if s.from.After(last.until) {
			out = append(out, s)
		} else if s.until.After(last.until) {
			last.until = s.until
		}
	}
	r[user] = out
}

// handed returns the timetable with one user's time another's.
func (r timetable) handed(from, to string) timetable {
	out := timetable{}
	for user, all := range r {
		if user == from {
			user = to
		}
		for _, s := range all {
			out.add(user, s)
		}
	}
	return out
}

// outside returns the timetable without what lies in any of the stretches.
func (r timetable) outside(holes []stretch) timetable {
	out := timetable{}
	for user, all := range r {
		for _, s := range all {
			for _, rest := range s.outside(holes) {
				out.add(user, rest)
			}
		}
	}
	return out
}

func (s stretch) outside(holes []stretch) []stretch {
	rest := []stretch{s}
	for _, h := range holes {
		var next []stretch
		for _, s := range rest {
			if !h.from.Before(s.until) || !s.from.Before(h.until) {
				next = append(next, s)
				continue
			}
			next = append(next, stretch{s.from, h.from}, stretch{h.until, s.until})
		}
		rest = slices.DeleteFunc(next, func(s stretch) bool { return !s.from.Before(s.until) })
	}
	return rest
}

// moved returns the users whose time is not the same in both, by id.
func (r timetable) moved(is timetable) []string {
	var users []string
	for user := range r {
		if !slices.EqualFunc(r[user], is[user], stretch.equal) {
			users = append(users, user)
		}
	}
	for user := range is {
		if _, had := r[user]; !had {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	return users
}

func (s stretch) equal(o stretch) bool { return s.from.Equal(o.from) && s.until.Equal(o.until) }

// readStretch reads when something begins and ends.
func readStretch(o object, from, until string) (stretch, error) {
	var s stretch
	var err error
	if s.from, err = time.Parse(time.RFC3339, o.text(from)); err != nil {
		return s, fmt.Errorf("read %s: %w", from, err)
	}
	if s.until, err = time.Parse(time.RFC3339, o.text(until)); err != nil {
		return s, fmt.Errorf("read %s: %w", until, err)
	}
	return s, nil
}

// renderedLayers reads who is on call by the final schedule of a layer-based schedule that was asked for a time, apart
// from the time that overrides cover.
func renderedLayers(schedule object, apart []stretch) (timetable, error) {
	final, err := schedule.child("final_schedule")
	if err != nil {
		return nil, err
	}
	entries, err := final.list("rendered_schedule_entries")
	if err != nil {
		return nil, err
	}
	r := timetable{}
	for _, e := range entries {
		s, err := readStretch(e, "start", "end")
		if err != nil {
			return nil, err
		}
		r.add(turnSpot().user(e), s)
	}
	return r.outside(apart), nil
}

// overridden reads the time that overrides of a layer-based schedule cover.
func overridden(schedule object) ([]stretch, error) {
	over, err := schedule.child("overrides_subschedule")
	if err != nil || over.none() {
		return nil, err
	}
	entries, err := over.list("rendered_schedule_entries")
	if err != nil {
		return nil, err
	}
	var all []stretch
	for _, e := range entries {
		s, err := readStretch(e, "start", "end")
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// renderedShifts reads who is on call by the final schedule of a shift-based schedule, whatever puts them there.
func renderedShifts(schedule object) (timetable, error) {
	final, err := schedule.child("final_schedule")
	if err != nil {
		return nil, err
	}
	entries, err := final.list("computed_shift_assignments")
	if err != nil {
		return nil, err
	}
	r := timetable{}
	for _, e := range entries {
		s, err := readStretch(e, "start_time", "end_time")
		if err != nil {
			return nil, err
		}
		member, err := e.child("member")
		if err != nil {
			return nil, err
		}
		r.add(memberSpot().user(member), s)
	}
	return r, nil
}
