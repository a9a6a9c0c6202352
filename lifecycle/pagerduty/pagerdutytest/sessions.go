package pagerdutytest

import "slices"

func listSessions(c *call) reply {
	id := c.r.PathValue("id")
	types, bad := commas(c, "delegation_type", "mobile", "web", "integration")
	if bad != nil {
		return *bad
	}
	statuses, bad := commas(c, "status", "issued", "revoked")
	if bad != nil {
		return *bad
	}
	if c.view.user(id) == nil {
		return notFound()
	}
	all := slices.DeleteFunc(slices.Clone(c.sessions), func(s Session) bool {
		return s.UserID != id || !anyOf(types, func(t string) bool { return t == s.Type }) ||
			!anyOf(statuses, func(x string) bool { return x == s.status() })
	})
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
	user := c.r.URL.Query().Get("user_id")
	types, bad := commas(c, "type", "mobile", "web")
	if bad != nil {
		return *bad
	}
	if user == "" || len(types) == 0 {
		return invalid("user_id and type are required")
	}
	if c.live(user) == nil {
		return invalid("User does not exist")
	}
	c.endSessions(user, types)
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
