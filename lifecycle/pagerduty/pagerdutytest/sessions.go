package pagerdutytest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
)

func listSessions(c *call) reply {
	id, q := c.r.PathValue("id"), c.r.URL.Query()
	if c.view.user(id) == nil {
		return notFound()
	}
	var all []Session
	for _, s := range c.sessions {
		typ, status := q.Get("delegation_type"), q.Get("status")
		if s.UserID == id && (typ == "" || typ == s.Type) && (status == "" || status == s.status()) {
			all = append(all, s)
		}
	}
	limit, from, bad := c.cursor()
	if bad != nil {
		return *bad
	}
	from = min(from, len(all))
	to := min(from+limit, len(all))
	var next any
	if to < len(all) {
		next = cursorTo(to)
	}
	return ok(obj{
		"oauth_delegations": each(all[from:to], drawSession), "limit": limit, "more": next != nil, "next_cursor": next,
	})
}

func (s Session) status() string {
	if s.Revoked {
		return "revoked"
	}
	return "issued"
}

// drawSession gives the kind under both names: the document's schema says delegation_type, its example type.
func drawSession(s Session) obj {
	return obj{
		"id": s.ID, "type": s.Type, "delegation_type": s.Type, "client_id": s.ClientID, "status": s.status(),
		"scope": "openid profile", "created_at": stamp(s.CreatedAt), "expires_at": stamp(s.ExpiresAt),
		"self": apiBase + "/users/" + s.UserID + "/oauth_delegations/" + s.ID,
	}
}

// deleteSessions signs a user out of the web app, the mobile app, or both. It answers when that is done.
func deleteSessions(c *call) reply {
	q := c.r.URL.Query()
	if q.Get("user_id") == "" || q.Get("type") == "" {
		return invalid("user_id and type are required")
	}
	types := strings.Split(q.Get("type"), ",")
	for _, t := range types {
		if t != "web" && t != "mobile" {
			return invalid("type must be web, mobile, or both")
		}
	}
	if c.live(q.Get("user_id")) == nil {
		return refuse(http.StatusBadRequest, 2001, "Invalid Input Provided", "User does not exist")
	}
	c.endSessions(q.Get("user_id"), types)
	return ok(obj{"status": "ok"})
}

func (a *Account) endSessions(user string, types []string) {
	for i, s := range a.sessions {
		if s.UserID == user && !s.Revoked && slices.Contains(types, s.Type) {
			a.sessions[i].Revoked = true
			a.bump()
		}
	}
}

func regenerateKey(c *call) reply {
	id := c.r.PathValue("id")
	if c.live(id) == nil {
		return notFound()
	}
	c.icalKeys[id] = rand.Text()
	c.bump()
	return ok(obj{"private_url_key": c.icalKeys[id]})
}
