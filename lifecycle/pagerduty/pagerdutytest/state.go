package pagerdutytest

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// state is what the account holds. Its owner holds the lock.
type state struct {
	ids       uint64
	users     map[string]*User
	emails    map[string]string // ids of users who exist, by address in lower case
	byName    []string          // ids of users who exist, in listing order; rebuilt when nil
	teams     table[Team]
	rosters   map[string]roster   // by team
	places    map[string][]string // ids of a user's teams, in the order they joined
	policies  table[EscalationPolicy]
	schedules table[Schedule]
	shifts    table[ShiftSchedule]
	services  table[Service]
	incidents table[Incident]
	licenses  []License
	contacts  map[string][]ContactMethod // by user
	rules     map[string][]NotificationRule
	sessions  []Session
	icalKeys  map[string]string      // by user
	signIns   map[string][]time.Time // by user
	lagged    map[string]*old
}

// A roster is the members of a team, in the order they joined.
type roster struct {
	order []string
	roles map[string]string
}

func newState() state {
	return state{
		users: map[string]*User{}, emails: map[string]string{}, rosters: map[string]roster{}, places: map[string][]string{},
		contacts: map[string][]ContactMethod{}, rules: map[string][]NotificationRule{},
		icalKeys: map[string]string{}, signIns: map[string][]time.Time{}, lagged: map[string]*old{},
	}
}

// newID returns an id in PagerDuty's shape that was never given before.
func (s *state) newID() string {
	const space = 36 * 36 * 36 * 36 * 36 * 36
	for {
		s.ids++
		n := s.ids * 1_103_515_247 % space // the factor has no divisor in common with space: no number comes twice
		id := strings.ToUpper(strconv.FormatUint(n, 36))
		id = "P" + strings.Repeat("0", 6-len(id)) + id
		if !s.taken(id) {
			return id
		}
	}
}

func (s *state) taken(id string) bool {
	_, user := s.users[id]
	return user || s.teams.has(id) || s.policies.has(id) || s.schedules.has(id) || s.shifts.has(id) ||
		s.services.has(id) || s.incidents.has(id)
}

// live returns the user who exists, or nil.
func (s *state) live(id string) *User {
	if u := s.users[id]; u != nil && u.DeletedAt.IsZero() {
		return u
	}
	return nil
}

func (s *state) byEmail(email string) *User {
	return s.users[s.emails[strings.ToLower(email)]]
}

// store keeps a user as they are now. Users who were deleted stay, so that their ids stay taken.
func (s *state) store(u User) {
	if was := s.live(u.ID); was != nil {
		delete(s.emails, strings.ToLower(was.Email))
	}
	if u.DeletedAt.IsZero() {
		s.emails[strings.ToLower(u.Email)] = u.ID
	}
	s.users[u.ID] = &u
	s.byName = nil
}

func (s *state) owner() *User {
	for _, u := range s.users {
		if u.DeletedAt.IsZero() && u.Role == Owner {
			return u
		}
	}
	return nil
}

// listed returns the ids of users in the order PagerDuty lists them: by name.
func (s *state) listed() []string {
	if s.byName == nil {
		s.byName = make([]string, 0, len(s.users))
		for id, u := range s.users {
			if u.DeletedAt.IsZero() {
				s.byName = append(s.byName, id)
			}
		}
		slices.SortFunc(s.byName, func(x, y string) int {
			return cmp.Or(cmp.Compare(strings.ToLower(s.users[x].Name), strings.ToLower(s.users[y].Name)), cmp.Compare(x, y))
		})
	}
	return s.byName
}

// A table keeps things by id in the order they were made.
type table[T any] struct {
	order []string
	rows  map[string]*T
}

func (t *table[T]) put(id string, v T) {
	if t.rows == nil {
		t.rows = map[string]*T{}
	}
	if _, had := t.rows[id]; !had {
		t.order = append(t.order, id)
	}
	t.rows[id] = &v
}

func (t *table[T]) drop(id string) {
	delete(t.rows, id)
	t.order = slices.DeleteFunc(t.order, func(x string) bool { return x == id })
}

func (t *table[T]) has(id string) bool { return t.rows[id] != nil }

func (t *table[T]) get(id string) *T { return t.rows[id] }

func (t *table[T]) all() []*T {
	out := make([]*T, 0, len(t.order))
	for _, id := range t.order {
		out = append(out, t.rows[id])
	}
	return out
}

// find returns those that match, in order.
func (t *table[T]) find(match func(*T) bool) []*T {
	return slices.DeleteFunc(t.all(), func(v *T) bool { return !match(v) })
}

func (r roster) members() []Member {
	out := make([]Member, 0, len(r.order))
	for _, id := range r.order {
		out = append(out, Member{UserID: id, Role: r.roles[id]})
	}
	return out
}

func (r roster) clone() roster {
	c := roster{order: slices.Clone(r.order), roles: make(map[string]string, len(r.roles))}
	for k, v := range r.roles {
		c.roles[k] = v
	}
	return c
}

// seat puts a user on a team or changes the role there. It returns the role had before, empty when there was none.
func (s *state) seat(team, user, role string) string {
	r := s.rosters[team]
	if r.roles == nil {
		r.roles = map[string]string{}
	}
	before := r.roles[user]
	if before == "" {
		r.order = append(r.order, user)
		s.places[user] = append(s.places[user], team)
	}
	r.roles[user] = role
	s.rosters[team] = r
	return before
}

func (s *state) unseat(team, user string) {
	r := s.rosters[team]
	r.order = slices.DeleteFunc(r.order, func(id string) bool { return id == user })
	delete(r.roles, user)
	s.places[user] = slices.DeleteFunc(s.places[user], func(id string) bool { return id == team })
	s.rosters[team] = r
}
