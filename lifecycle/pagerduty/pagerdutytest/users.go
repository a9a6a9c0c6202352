package pagerdutytest

import (
	"net/http"
	"slices"
	"strings"
)

func listUsers(c *call) reply {
	with, bad := includes(c, "contact_methods", "notification_rules", "teams", "subdomains")
	if bad != nil {
		return *bad
	}
	q := c.r.URL.Query()
	match := func(u *User) bool {
		return fuzzy(q.Get("query"), u.Name, u.Email) && (len(q["team_ids[]"]) == 0 || c.onAny(u.ID, q["team_ids[]"]))
	}
	all := slices.DeleteFunc(c.view.users(), func(u *User) bool { return !match(u) })
	return list(c, "users", all, func(u *User) obj { return c.drawUser(u, with) })
}

func getUser(c *call) reply {
	return c.showUser(c.r.PathValue("id"))
}

// getMe knows whose a user's token is. To an account key it is an error; which one is not documented.
func getMe(c *call) reply {
	if c.who.userID == "" {
		return refuse(http.StatusBadRequest, 2001, "Invalid Input Provided",
			"Must be authenticated with a user-level API key to look up the current user")
	}
	return c.showUser(c.who.userID)
}

func (c *call) showUser(id string) reply {
	with, bad := includes(c, "contact_methods", "notification_rules", "teams", "subdomains", "calendar_urls")
	if bad != nil {
		return *bad
	}
	u := c.view.user(id)
	if u == nil {
		return notFound()
	}
	return ok(obj{"user": c.drawUser(u, with)})
}

// fuzzy reports whether every word of the query is somewhere in the texts. An address is found by any part of it, so a
// search for ann@example.com also finds joann@example.com.
func fuzzy(query string, texts ...string) bool {
	if query == "" {
		return true
	}
	all := strings.ToLower(strings.Join(texts, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

func (c *call) onAny(user string, teams []string) bool {
	if len(c.lagged) == 0 { // as in teamsOf
		return slices.ContainsFunc(c.places[user], func(t string) bool { return slices.Contains(teams, t) })
	}
	return slices.ContainsFunc(teams, func(t string) bool { return c.view.roster(t).roles[user] != "" })
}

func (c *call) teamsOf(user string) []*Team {
	if len(c.lagged) == 0 { // nobody sees anything old: the index is what everybody sees
		out := make([]*Team, 0, len(c.places[user]))
		for _, id := range c.places[user] {
			out = append(out, c.teams.get(id))
		}
		return out
	}
	return c.teams.find(func(t *Team) bool { return c.view.roster(t.ID).roles[user] != "" })
}

func (c *call) drawUser(u *User, with map[string]bool) obj {
	o := c.head("user", u.ID, u.Name)
	o["name"], o["email"], o["role"] = u.Name, u.Email, u.Role
	o["time_zone"], o["color"] = u.TimeZone, u.Color
	o["avatar_url"] = "https://secure.gravatar.com/avatar/" + strings.ToLower(u.ID) + ".png?d=mm&r=PG"
	o["billed"], o["description"], o["job_title"] = true, nil, nil
	if u.Description != "" {
		o["description"] = u.Description
	}
	if u.JobTitle != "" {
		o["job_title"] = u.JobTitle
	}
	o["invitation_sent"], o["created_via_sso"] = u.InvitationSent, u.CreatedViaSSO
	o["teams"] = each(c.teamsOf(u.ID), func(t *Team) obj {
		if with["teams"] {
			return c.drawTeam(t)
		}
		return c.teamRef(t.ID)
	})
	c.drawReach(o, u.ID, with)
	if with["calendar_urls"] {
		c.drawFeed(o, u.ID)
	}
	return o
}

func (c *call) drawReach(o obj, id string, with map[string]bool) {
	o["contact_methods"] = each(c.contacts[id], func(m ContactMethod) obj {
		if with["contact_methods"] {
			return c.drawContact(id, m)
		}
		return c.contactRef(id, m)
	})
	o["notification_rules"] = each(c.rules[id], func(r NotificationRule) obj {
		if with["notification_rules"] {
			return c.drawRule(id, r)
		}
		return c.ruleRef(id, r)
	})
}
