package pagerdutytest

import (
	"net/http"
	"slices"
)

// standardLicenses are those of a plan without limits.
func standardLicenses() []License {
	return []License{
		{
			ID: "PLICFULL", Name: "Business (Full User)", Description: "Full User", RoleGroup: "FullUser",
			ValidRoles: []string{Owner, Admin, Manager, Responder, Observer, Restricted},
		},
		{
			ID: "PLICSTKH", Name: "Business (Stakeholder)", Description: "Stakeholder", RoleGroup: "Stakeholder",
			ValidRoles: []string{Stakeholder, LimitStakeholder},
		},
	}
}

func (a *Account) seatsTaken(license string) int {
	n := 0
	for _, u := range a.users {
		if u.DeletedAt.IsZero() && u.LicenseID == license {
			n++
		}
	}
	return n
}

func (a *Account) license(id string) *License {
	if i := slices.IndexFunc(a.licenses, func(l License) bool { return l.ID == id }); i >= 0 {
		return &a.licenses[i]
	}
	return nil
}

// fits reports whether the user may sit on the licence: it must allow the role and have a seat left, or be theirs.
func (a *Account) fits(l *License, u User) bool {
	return l != nil && slices.Contains(l.ValidRoles, u.Role) &&
		(l.ID == u.LicenseID || l.Seats == nil || a.seatsTaken(l.ID) < *l.Seats)
}

// licenseFor picks the licence of a user as they will be. A licence that the body names must fit. Without one the user
// keeps theirs while it allows their role, and else takes the first that fits.
func (c *call) licenseFor(p userPatch, u User) (string, *reply) {
	if p.Role != nil {
		u.Role = *p.Role
	}
	if p.License != nil {
		if p.Role != nil {
			c.violate("a license is sent with a role: PagerDuty finds the right one when it is left out")
		}
		if !c.fits(c.license(p.License.ID), u) {
			return "", new(noLicense())
		}
		return p.License.ID, nil
	}
	id, found := c.pickLicense(u)
	if !found {
		return "", new(noLicense())
	}
	return id, nil
}

func (a *Account) pickLicense(u User) (string, bool) {
	if a.fits(a.license(u.LicenseID), u) {
		return u.LicenseID, true
	}
	for i := range a.licenses {
		if a.fits(&a.licenses[i], u) {
			return a.licenses[i].ID, true
		}
	}
	return "", false
}

func drawLicense(l *License) obj {
	return obj{
		"id": l.ID, "type": "license", "name": l.Name, "summary": l.Name, "description": l.Description,
		"valid_roles": l.ValidRoles, "role_group": l.RoleGroup, "self": nil, "html_url": nil,
	}
}

func listLicenses(c *call) reply {
	return ok(obj{"licenses": each(c.licenses, func(l License) obj {
		o := drawLicense(&l)
		taken := c.seatsTaken(l.ID)
		o["current_value"], o["allocations_available"] = taken, nil
		if l.Seats != nil {
			o["allocations_available"] = max(*l.Seats-taken, 0)
		}
		return o
	})})
}

func listAllocations(c *call) reply {
	if c.who.userID != "" {
		if u := c.live(c.who.userID); u.Role != Admin && u.Role != Owner {
			return refuse(http.StatusForbidden, 0, "Cannot read license allocations")
		}
	}
	all := slices.DeleteFunc(c.view.users(), func(u *User) bool { return c.license(u.LicenseID) == nil })
	return list(c, "license_allocations", all, func(u *User) obj {
		return obj{"user": c.userRef(u.ID), "license": drawLicense(c.license(u.LicenseID)), "allocated_at": stamp(u.LicensedAt)}
	})
}

func getUserLicense(c *call) reply {
	u := c.view.user(c.r.PathValue("id"))
	if u == nil || c.license(u.LicenseID) == nil {
		return notFound()
	}
	return ok(obj{"license": drawLicense(c.license(u.LicenseID))})
}
