package slacktest_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"rolecall/bot/slacktest"
)

const (
	jsonBody = "application/json; charset=utf-8"
	formBody = "application/x-www-form-urlencoded"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ method, contentType, bearer, body, want string }{
		"bearer and JSON":           {"auth.test", jsonBody, "xoxb-slacktest", `{}`, ""},
		"bearer and form":           {"auth.test", formBody, "xoxb-slacktest", "", ""},
		"token in the form":         {"auth.test", formBody, "", "token=xoxb-slacktest", ""},
		"token in JSON is not read": {"auth.test", jsonBody, "", `{"token":"xoxb-slacktest"}`, "not_authed"},
		"no token":                  {"auth.test", formBody, "", "", "not_authed"},
		"wrong token":               {"auth.test", formBody, "xoxb-other", "", "invalid_auth"},
		"app token for the bot":     {"auth.test", formBody, "xapp-slacktest", "", "not_allowed_token_type"},
		"bot token for the socket":  {"apps.connections.open", formBody, "xoxb-slacktest", "", "not_allowed_token_type"},
		"unknown method":            {"chat.shout", formBody, "xoxb-slacktest", "", "unknown_method"},
		"argument given twice":      {"auth.test", formBody, "xoxb-slacktest", "a=1&a=2", "invalid_arguments"},
		"broken JSON":               {"auth.test", jsonBody, "xoxb-slacktest", `{`, "invalid_json"},
		"another content type":      {"auth.test", "text/plain", "xoxb-slacktest", `x`, "invalid_post_type"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, got := w.raw(t, tt.method, tt.contentType, tt.bearer, tt.body)
			if said, _ := got["error"].(string); said != tt.want {
				t.Errorf("got %v, want error %q", got, tt.want)
			}
			if got := len(w.Violations()) > 0; got != (tt.want != "") {
				t.Errorf("violations recorded: %v", got)
			}
		})
	}
}

func TestAuthTestTellsWhoTheBotIsAndWhatItMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *slacktest.Config) { c.Scopes = []string{"chat:write", "users:read"} })
	who, err := w.api.AuthTestContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if who.UserID != w.Config().BotUserID || who.TeamID != "T0ACME" || who.BotID != "B0ROLECALL" {
		t.Errorf("got %+v", who)
	}
	if got := who.Header.Get("X-Oauth-Scopes"); got != "chat:write,users:read" {
		t.Errorf("got scopes %q", got)
	}
	_, err = w.api.GetUserGroupsContext(t.Context())
	refused, _ := errors.AsType[slack.SlackErrorResponse](err)
	if refused.Err != "missing_scope" || refused.Needed != "usergroups:read" || refused.Provided != "chat:write,users:read" {
		t.Errorf("got %+v, want missing_scope", refused)
	}
}

func TestUsersAreFoundAsSlackFindsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, err := w.api.GetUserByEmailContext(t.Context(), "MARCO@acme.test")
	if err != nil || u.ID != marco || u.Profile.Email != "marco@acme.test" || u.TZOffset != 7200 {
		t.Errorf("got %+v, %v", u, err)
	}
	for _, email := range []string{"nobody@acme.test", "gone@acme.test", "eve@other.test"} {
		if _, err := w.api.GetUserByEmailContext(t.Context(), email); code(err) != "users_not_found" {
			t.Errorf("%s: got %v, want users_not_found", email, err)
		}
	}
	if found := w.Violations(); len(found) > 0 {
		t.Errorf("a miss is not a violation: %+v", found)
	}
	if _, err := w.api.GetUserInfoContext(t.Context(), "U0NOBODY"); code(err) != "user_not_found" {
		t.Errorf("got %v, want user_not_found", err)
	}
	for id, check := range map[string]func(*slack.User) bool{
		guest:        func(u *slack.User) bool { return u.IsRestricted && !u.IsUltraRestricted },
		stranger:     func(u *slack.User) bool { return u.IsStranger && u.TeamID == "T0OTHER" },
		gone:         func(u *slack.User) bool { return u.Deleted },
		"U0ROLECALL": func(u *slack.User) bool { return u.IsBot },
	} {
		if u, err := w.api.GetUserInfoContext(t.Context(), id); err != nil || !check(u) {
			t.Errorf("%s: got %+v, %v", id, u, err)
		}
	}
}

func TestUsersChangeWhileTheWorkspaceRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.DeleteUser(marco)
	if _, err := w.api.GetUserByEmailContext(t.Context(), "marco@acme.test"); code(err) != "users_not_found" {
		t.Errorf("got %v, want users_not_found", err)
	}
	w.ChangeUser(ines, func(u *slacktest.User) { u.Email = "ines@new.test" })
	if u, err := w.api.GetUserByEmailContext(t.Context(), "ines@new.test"); err != nil || u.ID != ines {
		t.Errorf("got %+v, %v", u, err)
	}
	if w.ChangeUser("U0NOBODY", func(*slacktest.User) {}) {
		t.Error("changed a user who does not exist")
	}
}

func TestEveryPageOfUsersIsServedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var seen []string
	pages := w.api.GetUsersPaginated(slack.GetUsersOptionLimit(2))
	for {
		var err error
		if pages, err = pages.Next(t.Context()); err != nil {
			if !pages.Done(err) {
				t.Fatal(err)
			}
			break
		}
		for _, u := range pages.Users {
			seen = append(seen, u.ID)
		}
	}
	if got, want := strings.Join(seen, " "), "U0ROLECALL U0MARCO U0INES U0GUEST U0STRANGER U0GONE"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUserGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.AddUserGroup(slacktest.UserGroup{ID: "S0OLD", Handle: "old", Disabled: true})
	groups, err := w.api.GetUserGroupsContext(t.Context(), slack.GetUserGroupsOptionIncludeUsers(true))
	if err != nil || len(groups) != 1 || groups[0].Handle != "payments-owners" || len(groups[0].Users) != 2 {
		t.Errorf("got %+v, %v", groups, err)
	}
	members, err := w.api.GetUserGroupMembersContext(t.Context(), "S0OWNERS")
	if err != nil || strings.Join(members, " ") != marco+" "+ines {
		t.Errorf("got %v, %v", members, err)
	}
	if _, err := w.api.GetUserGroupMembersContext(t.Context(), "S0OLD"); code(err) != "no_such_subteam" {
		t.Errorf("got %v, want no_such_subteam", err)
	}
}

func TestBotsInfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, err := w.api.GetBotInfoContext(t.Context(), slack.GetBotInfoParameters{Bot: "B0ROLECALL"})
	if err != nil || b.UserID != "U0ROLECALL" || b.AppID != "A0ROLECALL" {
		t.Errorf("got %+v, %v", b, err)
	}
	if _, err := w.api.GetBotInfoContext(t.Context(), slack.GetBotInfoParameters{Bot: "B1"}); code(err) != "bot_not_found" {
		t.Errorf("got %v, want bot_not_found", err)
	}
}

func TestCallsAreRememberedUpToALimitAndWithoutTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *slacktest.Config) { c.MaxCalls = 3 })
	for _, user := range []string{marco, ines, guest, gone} {
		w.raw(t, "users.info", formBody, "", url.Values{"token": {"xoxb-slacktest"}, "user": {user}}.Encode())
	}
	w.raw(t, "auth.test", formBody, "xoxb-slacktest", "")
	calls := w.Calls("users.info")
	if len(calls) != 2 || calls[0].Args["user"] != guest || calls[1].Args["user"] != gone || len(w.Calls("")) != 3 {
		t.Errorf("got %+v, want the newest three calls, oldest first", calls)
	}
	for _, c := range calls {
		if c.Args["token"] != "" || c.Status != http.StatusOK {
			t.Errorf("got %+v", c)
		}
	}
}
