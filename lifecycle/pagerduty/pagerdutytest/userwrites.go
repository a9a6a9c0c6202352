package pagerdutytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A userPatch is what a body says about a user. Fields that it does not name are nil; read-only and unknown ones are ignored.
type userPatch struct {
	Name        *string `json:"name"`
	Email       *string `json:"email"`
	Type        *string `json:"type"`
	Role        *string `json:"role"`
	TimeZone    *string `json:"time_zone"`
	Color       *string `json:"color"`
	JobTitle    *string `json:"job_title"`
	Description *string `json:"description"`
	License     *struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	} `json:"license"`
	Password *json.RawMessage `json:"password"`
}

// patchOf reads {"user": {…}}.
func patchOf(c *call) (userPatch, *reply) {
	var body struct {
		User *userPatch `json:"user"`
	}
	if bad := c.decode(&body); bad != nil {
		return userPatch{}, bad
	}
	if body.User == nil {
		return userPatch{}, new(invalid("The user object is missing"))
	}
	if body.User.Password != nil {
		c.violate("password is no longer honoured")
	}
	return *body.User, nil
}

// problems lists what is wrong with the values, in PagerDuty's manner.
func (p userPatch) problems() []string {
	var out []string
	add := func(bad bool, format string, args ...any) {
		if bad {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	if p.Name != nil {
		add(strings.TrimSpace(*p.Name) == "", "Name can't be blank")
		add(utf8.RuneCountInString(*p.Name) > 100, "Name is too long (maximum is 100 characters)")
	}
	if p.Email != nil {
		add(len(*p.Email) < 6, "Email is too short (minimum is 6 characters)")
		add(len(*p.Email) > 100, "Email is too long (maximum is 100 characters)")
		add(!looksLikeEmail(*p.Email), "Email is invalid")
	}
	add(p.Type != nil && *p.Type != "user", "Type must be user")
	add(p.Role != nil && !slices.Contains(baseRoles(), *p.Role), "Role is not included in the list")
	if p.JobTitle != nil {
		add(utf8.RuneCountInString(*p.JobTitle) > 100, "Job title is too long (maximum is 100 characters)")
	}
	if p.TimeZone != nil {
		_, err := time.LoadLocation(*p.TimeZone)
		add(err != nil, "Time zone is invalid")
	}
	return out
}

func looksLikeEmail(s string) bool {
	local, domain, has := strings.Cut(s, "@")
	return has && local != "" && strings.Contains(domain, ".") && !strings.ContainsAny(s, " \t\r\n<>,") && !strings.Contains(domain, "@")
}

func createUser(c *call) reply {
	if _, bad := c.from(); bad != nil && (!c.cfg.LenientFrom || c.r.Header.Get("From") != "") {
		return *bad
	}
	p, bad := patchOf(c)
	if bad != nil {
		return *bad
	}
	if p.Name == nil || p.Email == nil || p.Type == nil {
		return invalid("Name, email and type can't be blank")
	}
	if p.Role == nil {
		c.violate("role is left out: what PagerDuty gives then is not documented")
		p.Role = new(Manager)
	}
	if bad := c.checkPatch(p, nil); bad != nil {
		return *bad
	}
	u := User{ID: c.newID(), Role: *p.Role, InvitationSent: true, TimeZone: accountZone, CreatedAt: c.at}
	license, bad := c.licenseFor(p, u)
	if bad != nil {
		return *bad
	}
	u.LicenseID = license
	p.apply(&u)
	c.makeUser(c.author(), u)
	return reply{status: http.StatusCreated, body: obj{"user": c.drawUser(&u, nil)}}
}

// accountZone is the zone of users who have none of their own.
const accountZone = "Etc/UTC"

// checkPatch refuses values that are wrong, an address that is taken, the owner's role, and roles the plan lacks. Was is
// nil for a new user.
func (c *call) checkPatch(p userPatch, was *User) *reply {
	if problems := p.problems(); len(problems) > 0 {
		return new(invalid(problems...))
	}
	if p.Email != nil {
		if u := c.byEmail(*p.Email); u != nil && (was == nil || u.ID != was.ID) {
			return new(invalid("Email has already been taken"))
		}
	}
	switch {
	case p.Role == nil:
		return nil
	case *p.Role == Owner:
		return new(forbidden("The account owner can only be changed by the account owner in the web app"))
	case isStakeholder(*p.Role) && !c.can(AbilityStakeholders):
		return new(needsAbility("The read_only_users account ability is required to use this role"))
	case (*p.Role == Observer || *p.Role == Restricted) && !c.can(AbilityPermissions):
		return new(needsAbility("The permissions_service account ability is required to use this role"))
	}
	return nil
}

// apply writes the named fields.
func (p userPatch) apply(u *User) {
	for to, v := range map[*string]*string{
		&u.Name: p.Name, &u.Email: p.Email, &u.Role: p.Role, &u.TimeZone: p.TimeZone,
		&u.Color: p.Color, &u.JobTitle: p.JobTitle, &u.Description: p.Description,
	} {
		if v != nil {
			*to = *v
		}
	}
}

func updateUser(c *call) reply {
	was := c.live(c.r.PathValue("id"))
	if was == nil {
		return notFound()
	}
	p, bad := patchOf(c)
	if bad != nil {
		return *bad
	}
	if was.Role == Owner && (p.Role != nil || c.who.userID != was.ID) {
		return forbidden("The account owner can only be changed by the account owner")
	}
	if bad := c.checkPatch(p, was); bad != nil {
		return *bad
	}
	is := *was
	p.apply(&is)
	if bad := c.checkDowngrade(*was, is); bad != nil {
		return *bad
	}
	license, bad := c.licenseFor(p, is)
	if bad != nil {
		return *bad
	}
	is.LicenseID = license
	c.changeUser(c.author(), is)
	return ok(obj{"user": c.drawUser(&is, nil)})
}

func (c *call) checkDowngrade(was, is User) *reply {
	becomes := isStakeholder(is.Role) && !isStakeholder(was.Role)
	if c.cfg.StrictDowngrade && becomes && len(c.holders(is.ID)) > 0 {
		return new(invalid("Stakeholders cannot be added to schedules"))
	}
	return nil
}

func deleteUser(c *call) reply {
	u := c.live(c.r.PathValue("id"))
	if u == nil {
		return notFound()
	}
	if u.Role == Owner {
		return forbidden("The account owner cannot be deleted")
	}
	if why := c.blockers(u.ID); len(why) > 0 {
		return invalid(why...)
	}
	c.dropUser(c.author(), u.ID)
	return noContent()
}

// blockers says why a user cannot be deleted. PagerDuty's words are not known.
func (a *Account) blockers(id string) []string {
	var why []string
	open := len(a.openIncidents(id)) > 0
	if open && (!a.cfg.Offboarding.Enabled || !a.cfg.Offboarding.RestartIncidents) {
		why = append(why, "User cannot be deleted as they have incidents assigned to them")
	}
	if !a.cfg.Offboarding.Enabled {
		why = append(why, a.holders(id)...)
	}
	return why
}

// holders says which kinds of on-call objects hold the user.
func (a *Account) holders(id string) []string {
	var why []string
	if a.onSchedule(id) {
		why = append(why, "User cannot be deleted as they are on a schedule")
	}
	if len(a.policies.find(func(p *EscalationPolicy) bool { return p.calls(id) })) > 0 {
		why = append(why, "User cannot be deleted as they belong to an escalation policy")
	}
	return why
}

func (a *Account) openIncidents(user string) []*Incident {
	return a.incidents.find(func(i *Incident) bool { return i.open() && slices.Contains(i.AssigneeIDs, user) })
}
