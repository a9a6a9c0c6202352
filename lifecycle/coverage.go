package lifecycle

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// An Object is a thing of PagerDuty's that on-call hangs on: an escalation
// policy, a schedule or an incident.
type Object struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

// Coverage is who answers, at one moment: every escalation policy, and every
// schedule of both kinds, whole.
type Coverage struct {
	Policies []Escalation
	Rotas    []Rota
}

// An Escalation is an escalation policy: who is called, level by level.
type Escalation struct {
	Object
	Team   TeamID // PagerDuty allows one at the most
	Levels []Level
}

// A Level is one step of an escalation policy.
type Level struct {
	Accounts []AccountID // called directly
	Rotas    []string    // called through a schedule, by its id
	Gone     []string    // names of targets whose account was deleted: nobody answers there
}

// A Rota is an on-call schedule of either kind.
type Rota struct {
	Object
	ShiftBased bool // PagerDuty's v3 schedules; else layers
	Teams      []TeamID
	Seats      []AccountID // who has a place in it now or ahead, each once
	Gone       []string    // names of deleted accounts that still have a place: nobody answers there
}

// A Duty is something that on-call expects of one account: a level of an
// escalation policy that calls it directly, a seat in a schedule, an override
// ahead, or an open incident.
type Duty struct {
	Kind     EntitlementKind `json:"kind"` // escalation_policy, schedule or incident
	Object   Object          `json:"object"`
	Level    int             `json:"level,omitempty"`    // of an escalation policy, counted from 1
	Override string          `json:"override,omitempty"` // the id of an override of the schedule
	Team     TeamID          `json:"team,omitempty"`     // whose membership PagerDuty ties to it, or whose schedule it is
	Others   []AccountID     `json:"others,omitempty"`   // who answers there too, and would be left
	Serves   []string        `json:"serves,omitempty"`   // of a schedule: the levels that call it, in words
	Shifts   []Shift         `json:"shifts,omitempty"`   // when the account is on call by it next, soonest first
	Pin      string          `json:"pin"`                // fingerprint of how the object assigns, as it was seen
}

// A Shift is a stretch of time on call.
type Shift struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"` // zero: for good
}

// Key tells the same duty at another moment.
func (d Duty) Key() string {
	return string(d.Kind) + "/" + d.Object.ID + "/" + strconv.Itoa(d.Level) + "/" + d.Override
}

// Alone reports whether nobody would be left if the account went.
func (d Duty) Alone() bool { return len(d.Others) == 0 }

// Optional reports whether the duty may simply end: others answer there, and
// no stretch of time is left to nobody. A seat and an override are stretches of
// time, so somebody must take them.
func (d Duty) Optional() bool { return d.Kind != KindSchedule && !d.Alone() }

// Entitlement returns the duty as something that is held.
func (d Duty) Entitlement() Entitlement {
	return Entitlement{Kind: d.Kind, Team: Team{ID: d.Team}, Object: d.Object, Level: d.Level, Override: d.Override}
}

// String says the duty as a card does.
func (d Duty) String() string { return d.Entitlement().String() }

// OnCall reports whether the account is on call by the duty at t.
func (d Duty) OnCall(t time.Time) bool {
	return slices.ContainsFunc(d.Shifts, func(s Shift) bool {
		return !t.Before(s.From) && (s.Until.IsZero() || t.Before(s.Until))
	})
}

// Duties returns every level and seat of the account, policies first.
func (c Coverage) Duties(id AccountID) []Duty {
	var duties []Duty
	seats := make(map[string][]AccountID, len(c.Rotas))
	for _, r := range c.Rotas {
		seats[r.ID] = r.Seats
	}
	for _, p := range c.Policies {
		for i, l := range p.Levels {
			if slices.Contains(l.Accounts, id) {
				duties = append(duties, Duty{Kind: KindEscalationPolicy, Object: p.Object, Level: i + 1, Team: p.Team, Others: l.others(id, seats)})
			}
		}
	}
	for _, r := range c.Rotas {
		if slices.Contains(r.Seats, id) {
			duties = append(duties, Duty{Kind: KindSchedule, Object: r.Object, Team: r.team(), Others: without(r.Seats, id), Serves: c.Serves(r.ID)})
		}
	}
	return duties
}

// others returns who else answers at the level, directly or through a schedule.
func (l Level) others(id AccountID, seats map[string][]AccountID) []AccountID {
	others := without(l.Accounts, id)
	for _, rota := range l.Rotas {
		for _, a := range without(seats[rota], id) {
			if !slices.Contains(others, a) {
				others = append(others, a)
			}
		}
	}
	return others
}

// Serves returns the levels that call the schedule, in words.
func (c Coverage) Serves(rota string) []string {
	var levels []string
	for _, p := range c.Policies {
		for i, l := range p.Levels {
			if slices.Contains(l.Rotas, rota) {
				levels = append(levels, fmt.Sprintf("level %d of %s", i+1, p.Name))
			}
		}
	}
	return levels
}

func (r Rota) team() TeamID {
	if len(r.Teams) == 0 {
		return ""
	}
	return r.Teams[0]
}

func without(ids []AccountID, id AccountID) []AccountID {
	return slices.DeleteFunc(slices.Clone(ids), func(a AccountID) bool { return a == id })
}

// Holdings is what hangs on one account beside its roles.
type Holdings struct {
	Duties      []Duty
	Unread      string   // why the duties could not be read; "" when they are all there is
	Sessions    int      // sign-ins on the web and the mobile app that are open; -1 when they cannot be seen
	Calendar    string   // fingerprint of the key in the address of its calendar feed; "" when there is none to be seen
	OtherAdmins int      // how many others run the whole account; counted only for an admin, else -1
	Seats       []Seats  // licences, when they can be read
	Used        Signal   // when it was last used
	Blind       []string // what could not be seen, in sentences
}

// Seats is one licence and what is left of it.
type Seats struct {
	Licence string
	Roles   []BaseRole
	Free    int // -1: there is no limit
}

// A Signal is when an account was last seen in use, and what that rests on: a
// proxy is not a sign-in, and says so.
type Signal struct {
	At    time.Time `json:"at,omitzero"`
	Proxy string    `json:"proxy"` // such as "signed in, by PagerDuty's analytics, which may be a day old"
}

// A Candidate is somebody who could take over a duty.
type Candidate struct {
	AccountCard
	Teams     []TeamID `json:"teams,omitempty"`  // that they are on, of those that were asked about
	Duties    []string `json:"duties,omitempty"` // keys of the objects that they answer for already
	Load      int      `json:"load"`             // how many levels and seats they hold
	Reachable bool     `json:"reachable"`        // has a phone, SMS or the app: can be woken
}

// Reach is how PagerDuty can reach somebody.
type Reach struct {
	Invited bool     `json:"invited"` // the invitation has not been accepted yet
	Phone   bool     `json:"phone"`   // a phone call or an SMS
	Push    bool     `json:"push"`    // the mobile app
	Rules   bool     `json:"rules"`   // a notification rule for high urgency that uses one of them
	Missing []string `json:"missing"` // what is to be done before they can be paged, in sentences; none: they can
}

// An Original is an object of PagerDuty's as it was right before a change, so
// that the change can be undone.
type Original struct {
	Request RequestID       `json:"request"`
	Change  ChangeID        `json:"change"`
	Kind    EntitlementKind `json:"kind"`
	Object  Object          `json:"object"`
	Body    []byte          `json:"body"` // as PagerDuty gave it
	KeptAt  time.Time       `json:"kept_at"`
}
