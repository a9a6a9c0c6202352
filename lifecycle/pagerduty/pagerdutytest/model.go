package pagerdutytest

import (
	"slices"
	"time"
)

// The base roles, as the API spells them.
const (
	Owner            = "owner"
	Admin            = "admin"
	Manager          = "user"
	Responder        = "limited_user"
	Observer         = "observer"
	Restricted       = "restricted_access"
	Stakeholder      = "read_only_user"
	LimitStakeholder = "read_only_limited_user"
)

// The team roles.
const (
	TeamManager   = "manager"
	TeamResponder = "responder"
	TeamObserver  = "observer"
)

func baseRoles() []string {
	return []string{Admin, Responder, Observer, Owner, Stakeholder, Restricted, LimitStakeholder, Manager}
}

func teamRoles() []string { return []string{TeamObserver, TeamResponder, TeamManager} }

func isStakeholder(role string) bool { return role == Stakeholder || role == LimitStakeholder }

// defaultTeamRole is the team role that PagerDuty gives when a call names none (its import script's table).
func defaultTeamRole(base string) string {
	switch base {
	case Owner, Admin, Manager:
		return TeamManager
	case Responder:
		return TeamResponder
	default:
		return TeamObserver
	}
}

// A User is a PagerDuty user. ID is chosen by the account when it is empty.
type User struct {
	ID, Name, Email, Role string
	TimeZone              string // an IANA name; the account's own when empty
	Color                 string
	JobTitle              string
	Description           string
	InvitationSent        bool // an invitation is outstanding
	CreatedViaSSO         bool
	LicenseID             string    // chosen by role when empty
	LicensedAt            time.Time // CreatedAt when zero
	CreatedAt             time.Time
	LastSignInAt          time.Time // where the account starts from; SignIns has what came later
	DeletedAt             time.Time // zero while the user exists
}

// A Team is a PagerDuty team. DefaultRole is "manager" (a public team) or "none" (a private one).
type Team struct{ ID, Name, Description, DefaultRole string }

// A Member is a user's place on a team.
type Member struct{ UserID, Role string }

// A Target is what a rule of an escalation policy calls: Type is user_reference, schedule_reference or schedule_v3_reference.
type Target struct{ ID, Type string }

// UserTarget returns the target that calls a user directly.
func UserTarget(id string) Target { return Target{ID: id, Type: userReference} }

// ScheduleTarget returns the target that calls whoever a layer-based schedule names.
func ScheduleTarget(id string) Target { return Target{ID: id, Type: scheduleReference} }

// ShiftScheduleTarget returns the target that calls whoever a shift-based schedule names.
func ShiftScheduleTarget(id string) Target { return Target{ID: id, Type: shiftReference} }

// What a target points at: a user, a schedule of layers, or one of shifts.
const (
	userReference     = "user_reference"
	scheduleReference = "schedule_reference"
	shiftReference    = "schedule_v3_reference"
)

// A Rule is one level of an escalation policy. Strategy is "assign_to_everyone" (when empty) or "round_robin".
type Rule struct {
	ID           string
	DelayMinutes int
	Targets      []Target
	Strategy     string
}

// An EscalationPolicy is a PagerDuty escalation policy; Rules are its levels from the first. An empty Description is null.
type EscalationPolicy struct {
	ID, Name, Description string
	NumLoops              int
	Handoff               string // if_has_services (when empty) or always
	TeamIDs               []string
	Rules                 []Rule
}

func (p EscalationPolicy) clone() EscalationPolicy {
	p.TeamIDs = slices.Clone(p.TeamIDs)
	p.Rules = slices.Clone(p.Rules)
	for i := range p.Rules {
		p.Rules[i].Targets = slices.Clone(p.Rules[i].Targets)
	}
	return p
}

// calls reports whether any level calls the user directly, or the schedule.
func (p EscalationPolicy) calls(t string) bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool {
		return slices.ContainsFunc(r.Targets, func(x Target) bool { return x.ID == t })
	})
}

// A Service is what incidents happen on.
type Service struct{ ID, Name, EscalationPolicyID string }

// An Incident is open while Status is triggered or acknowledged.
type Incident struct {
	ID, Title          string
	Number             int
	Status             string // triggered (when empty), acknowledged, resolved
	Urgency            string // high (when empty), low
	ServiceID          string
	EscalationPolicyID string
	AssigneeIDs        []string
	TeamIDs            []string
	CreatedAt          time.Time
	UpdatedAt          time.Time
	ResolvedAt         time.Time // of the last time
	Direct             bool      // assigned by hand, and not by its policy
}

func (i Incident) key() string { return "key-" + i.ID }

func (i Incident) resolvedAt() time.Time {
	if i.open() {
		return time.Time{}
	}
	return i.ResolvedAt
}

func (i Incident) open() bool { return i.Status != "resolved" }

func (i Incident) clone() Incident {
	i.AssigneeIDs, i.TeamIDs = slices.Clone(i.AssigneeIDs), slices.Clone(i.TeamIDs)
	return i
}

// A License is what users occupy seats of. Nil Seats means that there is no limit.
type License struct {
	ID, Name, Description string
	RoleGroup             string // FullUser or Stakeholder
	ValidRoles            []string
	Seats                 *int
}

// A ContactMethod is how a user is reached. Type is email_contact_method, phone_contact_method, sms_contact_method …
type ContactMethod struct {
	ID, Type, Label, Address string
	CountryCode              int // phones only
}

// A NotificationRule says when a contact method is used.
type NotificationRule struct {
	ID, ContactMethodID, Urgency string
	DelayMinutes                 int
}

// A Session is a sign-in of a user on the web or the mobile app, or an integration's grant: an OAuth delegation.
type Session struct {
	ID, UserID string
	Type       string // web, mobile, integration
	ClientID   string
	CreatedAt  time.Time
	ExpiresAt  time.Time
	Revoked    bool
}
