package slacktest

// payload is what every interaction payload has: who, where from, and a fresh trigger. The caller holds mu.
func (w *Workspace) payload(kind, userID string, modal bool) object {
	u := w.users[userID]
	return object{
		"type": kind, "token": "deprecated", "api_app_id": w.cfg.AppID, "trigger_id": w.newTrigger(userID, modal),
		"team":       object{"id": w.cfg.TeamID, "domain": w.cfg.TeamDomain},
		"user":       object{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.TeamID},
		"enterprise": nil, "is_enterprise_install": false,
	}
}

func containerOf(m *message) object {
	out := object{"type": "message", "message_ts": m.TS, "channel_id": m.Channel, "is_ephemeral": m.Ephemeral}
	if m.ThreadTS != "" {
		out["thread_ts"] = m.ThreadTS
	}
	return out
}

// channelName is what payloads call a conversation; Slack keeps the names of private ones to itself.
func (w *Workspace) channelName(c *channel) string {
	switch {
	case c.kind == kindIM:
		return "directmessage"
	case c.Private:
		return "privategroup"
	default:
		return c.Name
	}
}
