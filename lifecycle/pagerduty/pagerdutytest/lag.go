package pagerdutytest

import (
	"maps"
	"slices"
	"time"
)

// ReadLag is how long what was written stays unseen. A write becomes visible when both have passed.
type ReadLag struct {
	Reads int           // reads of the thing that still see the old state
	For   time.Duration // by Config.Now
}

func (l ReadLag) none() bool { return l.Reads <= 0 && l.For <= 0 }

// old is how a thing looked before a write that readers do not see yet.
type old struct {
	user  *User // nil: it did not exist
	team  roster
	duty  any // a policy or a schedule, as it is kept
	reads int
	until time.Time
}

// remember keeps how a user or a roster looks now, before it is written. A thing that is already lagging keeps the look
// it had and lags anew.
func (a *Account) remember(key string, look old) {
	if a.cfg.ReadLag.none() {
		return
	}
	if was := a.lagged[key]; was != nil && a.stale(was) {
		look = *was
	}
	look.reads, look.until = a.cfg.ReadLag.Reads, a.now().Add(a.cfg.ReadLag.For)
	a.lagged[key] = &look
}

func (a *Account) rememberUser(id string) {
	look := old{}
	if u := a.live(id); u != nil {
		v := *u
		look.user = &v
	}
	a.remember("user "+id, look)
}

func (a *Account) rememberTeam(id string) { a.remember("team "+id, old{team: a.rosters[id].clone()}) }

func (a *Account) stale(o *old) bool {
	return o.reads > 0 || (a.cfg.ReadLag.For > 0 && a.now().Before(o.until))
}

// A view is the account as one read sees it.
type view struct {
	a       *Account
	touched map[string]bool
}

func (a *Account) newView() *view { return &view{a: a, touched: map[string]bool{}} }

func (v *view) look(key string) *old {
	o := v.a.lagged[key]
	if o == nil || !v.a.stale(o) {
		return nil
	}
	v.touched[key] = true
	return o
}

// user returns the user as seen, or nil.
func (v *view) user(id string) *User {
	if len(v.a.lagged) == 0 { // most accounts do not lag, and a page asks for thousands
		return v.a.live(id)
	}
	if o := v.look("user " + id); o != nil {
		return o.user
	}
	return v.a.live(id)
}

func (v *view) roster(team string) roster {
	if len(v.a.lagged) == 0 {
		return v.a.rosters[team]
	}
	if o := v.look("team " + team); o != nil {
		return o.team
	}
	return v.a.rosters[team]
}

// users returns the users as seen, in listing order; those who were just deleted come last.
func (v *view) users() []*User {
	out := make([]*User, 0, len(v.a.users))
	for _, id := range v.a.listed() {
		if u := v.user(id); u != nil {
			out = append(out, u)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(v.a.lagged)) {
		if o := v.a.lagged[key]; o.user != nil && v.a.live(o.user.ID) == nil && v.look(key) != nil {
			out = append(out, o.user)
		}
	}
	return out
}

// seen counts this read against what it saw old.
func (v *view) seen() {
	for key := range v.touched {
		o := v.a.lagged[key]
		o.reads--
		if !v.a.stale(o) {
			delete(v.a.lagged, key)
		}
	}
}
