package slacktest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// call is one request to the Web API while it is worked on.
type call struct {
	method string
	args   args
	token  string
	scheme string // of WebSocket URLs
	host   string
}

// refusal is an answer with ok:false.
type refusal struct {
	code   string
	detail []string
	needed string        // missing_scope only
	after  time.Duration // ratelimited only: answered with 429
	status int           // HTTP status; 0 for 200
}

func (r *refusal) Error() string { return r.code }

// invalid is a refusal that says where and why.
func invalid(code string, detail ...string) error { return &refusal{code: code, detail: detail} }

// method is how the fake answers one Web API method.
type method struct {
	scope   string // what the bot token needs; several alternatives are joined with "|"
	perMin  int    // rate limit; 0 for none
	app     bool   // wants the app-level token
	respond func(*call) (object, error)
}

// Tiers of the Web API in calls a minute (facts of docs.slack.dev; "special" is taken as 300).
const (
	tier2       = 20
	tier3       = 50
	tier4       = 100
	tierSpecial = 300
)

func (w *Workspace) methodTable() map[string]method {
	const anyInfo = "channels:read|groups:read|im:read|mpim:read"
	const anyHistory = "channels:history|groups:history|im:history|mpim:history"
	return map[string]method{
		"api.test":                     {"", tier4, false, w.apiTest},
		"apps.connections.open":        {"", tier3, true, w.connectionsOpen},
		"auth.test":                    {"", tierSpecial, false, w.authTest},
		"bots.info":                    {"users:read", tier3, false, w.botsInfo},
		"chat.delete":                  {"chat:write", tier3, false, w.chatDelete},
		"chat.getPermalink":            {"", tierSpecial, false, w.chatGetPermalink},
		"chat.postEphemeral":           {"chat:write", tier4, false, w.chatPostEphemeral},
		"chat.postMessage":             {"chat:write", tierSpecial, false, w.chatPostMessage},
		"chat.update":                  {"chat:write", tier3, false, w.chatUpdate},
		"conversations.history":        {anyHistory, tier3, false, w.conversationsHistory},
		"conversations.info":           {anyInfo, tier3, false, w.conversationsInfo},
		"conversations.join":           {"channels:join", tier3, false, w.conversationsJoin},
		"conversations.list":           {anyInfo, tier2, false, w.conversationsList},
		"conversations.members":        {anyInfo, tier4, false, w.conversationsMembers},
		"conversations.open":           {"im:write|mpim:write", tier3, false, w.conversationsOpen},
		"conversations.replies":        {anyHistory, tier3, false, w.conversationsReplies},
		"files.completeUploadExternal": {"files:write", tier4, false, w.filesCompleteUploadExternal},
		"files.getUploadURLExternal":   {"files:write", tier4, false, w.filesGetUploadURLExternal},
		"reactions.add":                {"reactions:write", tier3, false, w.reactionsAdd},
		"usergroups.list":              {"usergroups:read", tier2, false, w.usergroupsList},
		"usergroups.users.list":        {"usergroups:read", tier2, false, w.usergroupsUsersList},
		"users.info":                   {"users:read", tier4, false, w.usersInfo},
		"users.list":                   {"users:read", tier2, false, w.usersList},
		"users.lookupByEmail":          {"users:read.email", tier3, false, w.usersLookupByEmail},
		"views.open":                   {"", tier4, false, w.viewsOpen},
		"views.publish":                {"", tier4, false, w.viewsPublish},
		"views.push":                   {"", tier4, false, w.viewsPush},
		"views.update":                 {"", tier4, false, w.viewsUpdate},
	}
}

func allScopes() []string {
	return []string{
		"channels:history", "channels:join", "channels:read", "chat:write", "chat:write.public", "commands", "files:write",
		"groups:history", "groups:read", "im:history", "im:read", "im:write", "mpim:history", "mpim:read", "mpim:write",
		"reactions:write", "usergroups:read", "users:read", "users:read.email",
	}
}

func (w *Workspace) serveAPI(rw http.ResponseWriter, r *http.Request) {
	a, token, err := readArgs(r)
	c := &call{method: r.PathValue("method"), args: a, token: token, scheme: "ws", host: r.Host}
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		c.scheme = "wss"
	}
	w.learnURL(r, c)
	if err != nil {
		w.answer(rw, c, nil, err)
		return
	}
	if !w.beforeFault(rw, r, c) {
		return
	}
	reply, err := w.perform(c)
	w.answer(rw, c, reply, err)
}

func (w *Workspace) learnURL(r *http.Request, c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.publicURL == "" {
		w.publicURL = strings.Replace(c.scheme, "ws", "http", 1) + "://" + r.Host
	}
}

// perform carries the call out, or refuses it.
func (w *Workspace) perform(c *call) (object, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, known := w.methods[c.method]
	if !known {
		return nil, invalid("unknown_method", fmt.Sprintf("%q is not a method of the fake", c.method))
	}
	if err := w.authorize(m, c); err != nil {
		return nil, err
	}
	if wait := w.limited(c.method, m.perMin); wait > 0 {
		return nil, &refusal{code: "ratelimited", after: wait}
	}
	return m.respond(c)
}

func (w *Workspace) authorize(m method, c *call) error {
	want, other := w.cfg.BotToken, w.cfg.AppToken
	if m.app {
		want, other = other, want
	}
	switch {
	case c.token == "":
		return invalid("not_authed")
	case c.token == other:
		return invalid("not_allowed_token_type")
	case c.token != want:
		return invalid("invalid_auth")
	case m.scope == "" || m.app:
		return nil
	}
	for scope := range strings.SplitSeq(m.scope, "|") {
		if slices.Contains(w.cfg.Scopes, scope) {
			return nil
		}
	}
	return &refusal{code: "missing_scope", needed: strings.Split(m.scope, "|")[0]}
}

// answer writes what Slack would write, and remembers the call.
func (w *Workspace) answer(rw http.ResponseWriter, c *call, reply object, err error) {
	status := http.StatusOK
	if err != nil {
		reply, status = w.refuse(rw, c, err)
	} else {
		reply["ok"] = true
	}
	w.record(c, status, err)
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.Header().Set("X-OAuth-Scopes", strings.Join(w.cfg.Scopes, ","))
	rw.WriteHeader(status)
	if _, err := rw.Write(encode(reply)); err != nil {
		w.cfg.Log.Debug("answer slack call", slog.String("method", c.method), slog.Any("err", err))
	}
}

// refuse turns an error into the body and status of a refusal.
func (w *Workspace) refuse(rw http.ResponseWriter, c *call, err error) (object, int) {
	r, ok := errors.AsType[*refusal](err)
	if !ok {
		r = &refusal{code: "fatal_error", detail: []string{err.Error()}}
	}
	reply := object{"ok": false, "error": r.code}
	if r.after > 0 {
		rw.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(r.after)))
		return reply, http.StatusTooManyRequests
	}
	if r.needed != "" {
		reply["needed"], reply["provided"] = r.needed, strings.Join(w.cfg.Scopes, ",")
	}
	if len(r.detail) > 0 {
		messages := make([]string, len(r.detail))
		for i, d := range r.detail {
			messages[i] = "[ERROR] " + d
		}
		reply["response_metadata"] = object{"messages": messages}
		if r.code == "invalid_blocks" {
			reply["errors"] = r.detail
		}
	}
	return reply, cmp.Or(r.status, http.StatusOK)
}

func wholeSeconds(d time.Duration) int {
	return max(1, int((d+time.Second-1)/time.Second))
}

// record remembers a call, and a violation when it was refused for a reason that a correct app avoids.
func (w *Workspace) record(c *call, status int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := Call{Method: c.method, At: w.cfg.Now(), Args: c.args, Status: status}
	r, refused := errors.AsType[*refusal](err)
	if refused {
		entry.Error = r.code
	}
	w.calls.add(entry)
	if refused && !unavoidable(r.code) {
		w.violate(c.method, r.code, c.args, r.detail...)
	}
	w.bump()
}

func (w *Workspace) apiTest(c *call) (object, error) {
	return object{"args": object{}}, nil
}

func (w *Workspace) authTest(*call) (object, error) {
	return object{
		"url": "https://" + w.cfg.TeamDomain + ".slack.com/", "team": w.cfg.TeamDomain, "user": w.cfg.BotName,
		"team_id": w.cfg.TeamID, "user_id": w.cfg.BotUserID, "bot_id": w.cfg.BotID, "is_enterprise_install": false,
	}, nil
}

// jsonArg decodes an argument that carries JSON; it fails with code when it is not what into wants.
func (c *call) jsonArg(name, code string, into any) error {
	if err := json.Unmarshal([]byte(c.args[name]), into); err != nil {
		return invalid(code, fmt.Sprintf("%s: %v", name, err))
	}
	return nil
}
