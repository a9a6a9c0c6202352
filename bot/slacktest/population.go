package slacktest

import (
	"slices"
	"strings"
)

// User is a member of the workspace, or a stranger from another one who shares a channel with it.
type User struct {
	ID              string // default a new U… id
	Name            string // the handle; default the local part of Email
	RealName        string // default Name
	DisplayName     string
	Email           string
	TZ              string // default "Etc/UTC"
	TZOffset        int    // seconds east of UTC
	Deleted         bool
	Restricted      bool // multi-channel guest
	UltraRestricted bool // single-channel guest
	Bot             bool
	Admin           bool
	TeamID          string // home workspace; default this one
	Stranger        bool   // from another workspace, through Slack Connect; implied by a foreign TeamID
}

// Channel is a public or private channel.
type Channel struct {
	ID       string // default a new C… id
	Name     string
	Private  bool
	Archived bool
	Shared   bool     // with another organisation, through Slack Connect
	Members  []string // user ids; the bot is a member only when it is listed
}

// UserGroup is a handle such as @payments-owners that stands for several users.
type UserGroup struct {
	ID       string // default a new S… id
	Handle   string
	Name     string
	Users    []string
	Disabled bool
}

// channelKind separates what Slack calls conversations.
type channelKind string

const (
	kindChannel channelKind = "channel"
	kindIM      channelKind = "im"
	kindMPIM    channelKind = "mpim"
)

type channel struct {
	Channel
	kind     channelKind
	messages []*message // oldest first, replies among them
}

func (c *channel) has(userID string) bool { return slices.Contains(c.Members, userID) }

// AddUser adds u, or replaces the user with its id, and returns it with the defaults filled in.
func (w *Workspace) AddUser(u User) User {
	w.mu.Lock()
	defer w.mu.Unlock()
	if u.ID == "" {
		u.ID = w.id("U")
	}
	if u.Name == "" {
		u.Name, _, _ = strings.Cut(u.Email, "@")
	}
	if u.RealName == "" {
		u.RealName = u.Name
	}
	if u.TZ == "" {
		u.TZ = "Etc/UTC"
	}
	if u.TeamID == "" {
		u.TeamID = w.cfg.TeamID
	}
	u.Stranger = u.Stranger || u.TeamID != w.cfg.TeamID
	if _, known := w.users[u.ID]; !known {
		w.userIDs = append(w.userIDs, u.ID)
	}
	w.users[u.ID] = &u
	w.bump()
	return u
}

// ChangeUser lets change edit the user with this id; it reports whether there is one. change must not call the workspace.
func (w *Workspace) ChangeUser(id string, change func(*User)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.users[id]
	if u == nil {
		return false
	}
	change(u)
	w.bump()
	return true
}

// DeleteUser deactivates a user, as Slack does: the id stays, Deleted becomes true. It reports whether there is one.
func (w *Workspace) DeleteUser(id string) bool {
	return w.ChangeUser(id, func(u *User) { u.Deleted = true })
}

// User returns the user with this id and whether there is one.
func (w *Workspace) User(id string) (User, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	u := w.users[id]
	if u == nil {
		return User{}, false
	}
	return *u, true
}

// Users returns everybody, the bot and the deleted included, in the order they were added.
func (w *Workspace) Users() []User {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]User, 0, len(w.userIDs))
	for _, id := range w.userIDs {
		out = append(out, *w.users[id])
	}
	return out
}

// AddChannel adds c, or replaces the channel with its id and keeps its messages, and returns it with its id.
func (w *Workspace) AddChannel(c Channel) Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.ID == "" {
		c.ID = w.id("C")
	}
	c.Members = slices.Clone(c.Members)
	w.putChannel(kindChannel, c)
	w.bump()
	return c
}

func (w *Workspace) putChannel(kind channelKind, c Channel) *channel {
	if old := w.channels[c.ID]; old != nil {
		old.Channel = c
		return old
	}
	made := &channel{Channel: c, kind: kind}
	w.channels[c.ID] = made
	w.chanIDs = append(w.chanIDs, c.ID)
	return made
}

// ChangeChannel lets change edit the channel with this id; it reports whether there is one. change must not call the
// workspace.
func (w *Workspace) ChangeChannel(id string, change func(*Channel)) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.channels[id]
	if c == nil {
		return false
	}
	change(&c.Channel)
	w.bump()
	return true
}

// AddUserGroup adds g, or replaces the group with its id, and returns it with its id.
func (w *Workspace) AddUserGroup(g UserGroup) UserGroup {
	w.mu.Lock()
	defer w.mu.Unlock()
	if g.ID == "" {
		g.ID = w.id("S")
	}
	g.Users = slices.Clone(g.Users)
	if _, known := w.groups[g.ID]; !known {
		w.groupIDs = append(w.groupIDs, g.ID)
	}
	w.groups[g.ID] = &g
	w.bump()
	return g
}

// directMessage returns the one direct conversation between the bot and a user, opened if need be.
// It reports whether it was open already. The caller holds mu.
func (w *Workspace) directMessage(userID string) (*channel, bool) {
	id := directMessageID(userID)
	if c := w.channels[id]; c != nil {
		return c, true
	}
	c := Channel{ID: id, Private: true, Members: []string{userID, w.cfg.BotUserID}}
	made := w.putChannel(kindIM, c)
	w.bump()
	return made, false
}

// directMessageID makes the D… id out of the user's, so that tests can read it.
func directMessageID(userID string) string { return "D" + strings.TrimPrefix(userID, "U") }

// DirectMessage returns the id of the direct conversation between the bot and a user, or "" while there is none.
func (w *Workspace) DirectMessage(userID string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.channels[directMessageID(userID)]; c != nil {
		return c.ID
	}
	return ""
}
