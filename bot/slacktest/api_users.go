package slacktest

import (
	"maps"
	"slices"
	"strings"
)

// userJSON is u in the shape of the Web API; the address needs the scope users:read.email.
func (w *Workspace) userJSON(u *User) object {
	profile := object{
		"real_name": u.RealName, "real_name_normalized": u.RealName, "display_name": u.DisplayName,
		"display_name_normalized": u.DisplayName, "team": u.TeamID, "avatar_hash": "",
	}
	if !u.Bot && w.granted("users:read.email") {
		profile["email"] = u.Email
	}
	out := object{
		"id": u.ID, "team_id": u.TeamID, "name": u.Name, "deleted": u.Deleted, "profile": profile,
		"is_bot": u.Bot, "is_app_user": false, "updated": 1700000000,
	}
	if u.Stranger {
		out["is_stranger"] = true
	}
	if u.Deleted { // Slack leaves the rest out
		return out
	}
	maps.Copy(out, object{
		"real_name": u.RealName, "tz": u.TZ, "tz_label": u.TZ, "tz_offset": u.TZOffset, "is_admin": u.Admin,
		"is_owner": false, "is_primary_owner": false, "is_restricted": u.Restricted || u.UltraRestricted,
		"is_ultra_restricted": u.UltraRestricted, "is_email_confirmed": true,
	})
	return out
}

func (w *Workspace) granted(scope string) bool {
	return slices.Contains(w.cfg.Scopes, scope)
}

func (w *Workspace) usersInfo(c *call) (object, error) {
	u := w.users[c.args["user"]]
	if u == nil {
		return nil, invalid("user_not_found", "no user "+c.args["user"])
	}
	return object{"user": w.userJSON(u)}, nil
}

// usersLookupByEmail finds active members of this workspace only, whatever the case of the address.
func (w *Workspace) usersLookupByEmail(c *call) (object, error) {
	email := c.args["email"]
	if email == "" {
		return nil, invalid("invalid_arguments", "missing required field: email")
	}
	for _, id := range w.userIDs {
		u := w.users[id]
		if strings.EqualFold(u.Email, email) && !u.Deleted && !u.Bot && !u.Stranger {
			return object{"user": w.userJSON(u)}, nil
		}
	}
	return nil, invalid("users_not_found")
}

func (w *Workspace) usersList(c *call) (object, error) {
	if c.args["limit"] == "" && len(w.userIDs) > 1000 {
		return nil, invalid("limit_required")
	}
	ids, next, err := paged(c, w.userIDs, 1000, 1000)
	if err != nil {
		return nil, err
	}
	members := make([]any, len(ids))
	for i, id := range ids {
		members[i] = w.userJSON(w.users[id])
	}
	return object{"members": members, "cache_ts": w.cfg.Now().Unix(), "response_metadata": object{"next_cursor": next}}, nil
}

func (w *Workspace) usergroupsList(c *call) (object, error) {
	groups := []any{}
	for _, id := range w.groupIDs {
		g := w.groups[id]
		if g.Disabled && !c.args.flag("include_disabled") {
			continue
		}
		one := object{
			"id": g.ID, "team_id": w.cfg.TeamID, "is_usergroup": true, "name": g.Name, "handle": g.Handle,
			"description": "", "is_external": false, "date_delete": 0, "user_count": len(g.Users),
		}
		if g.Disabled {
			one["date_delete"] = 1700000000
		}
		if c.args.flag("include_users") {
			one["users"] = append([]string{}, g.Users...)
		}
		groups = append(groups, one)
	}
	return object{"usergroups": groups}, nil
}

func (w *Workspace) usergroupsUsersList(c *call) (object, error) {
	g := w.groups[c.args["usergroup"]]
	if g == nil || (g.Disabled && !c.args.flag("include_disabled")) {
		return nil, invalid("no_such_subteam", "no user group "+c.args["usergroup"])
	}
	return object{"users": append([]string{}, g.Users...)}, nil
}

func (w *Workspace) botsInfo(c *call) (object, error) {
	if c.args["bot"] != w.cfg.BotID {
		return nil, invalid("bot_not_found")
	}
	return object{"bot": object{
		"id": w.cfg.BotID, "name": w.cfg.BotName, "deleted": false, "user_id": w.cfg.BotUserID,
		"app_id": w.cfg.AppID, "updated": 1700000000, "icons": object{},
	}}, nil
}
