package sandbox

import (
	"cmp"
	"slices"
	"strings"

	"rolecall/bot/slacktest"
)

// roomView is one entry of the sidebar.
type roomView struct {
	ID, Name string
	To       string
	Private  bool
	Archived bool
	Shared   bool
	Current  bool
	Unread   int
	TestID   string
}

// sidebarView is the left side: where the acting person can go.
type sidebarView struct {
	Workspace string
	App       string
	Channels  []roomView
	Others    []roomView // public channels that they are not in
	DM        roomView
	HomeOpen  bool
	Elsewhere bool // one looks at one of the others
}

func (p *page) sidebar() sidebarView {
	cfg := p.s.cfg.Workspace.Config()
	out := sidebarView{Workspace: cfg.TeamDomain, App: cfg.BotName, HomeOpen: p.where == Home}
	for _, c := range p.s.cfg.Workspace.Channels(p.user.ID) {
		if c.Kind != "channel" {
			continue
		}
		room := p.room(c)
		if c.Member {
			out.Channels = append(out.Channels, room)
			continue
		}
		room.Unread = 0 // one is not told of what happens where one is not a member
		out.Elsewhere = out.Elsewhere || room.Current
		out.Others = append(out.Others, room)
	}
	byName := func(a, b roomView) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortStableFunc(out.Channels, byName)
	slices.SortStableFunc(out.Others, byName)
	out.DM = roomView{Name: cfg.BotName, To: p.Base() + "/dm", Current: p.where == DM, TestID: "dm"}
	if dm := p.s.cfg.Workspace.DirectMessage(p.user.ID); dm != "" {
		out.DM.Unread = p.s.unread(p.user.ID, dm)
	}
	return out
}

func (p *page) room(c slacktest.Conversation) roomView {
	return roomView{
		ID: c.ID, Name: c.Name, Private: c.Private, Archived: c.Archived, Current: c.ID == p.where,
		To: p.s.doorOf(p.user, c.ID), Unread: p.s.unread(p.user.ID, c.ID), TestID: "channel-" + c.Name,
	}
}

// conversation is the one that the middle shows.
func (p *page) conversation() (slacktest.Conversation, bool) {
	all := p.s.cfg.Workspace.Channels(p.user.ID)
	i := slices.IndexFunc(all, func(c slacktest.Conversation) bool { return c.ID == p.channel })
	if i < 0 {
		return slacktest.Conversation{}, false
	}
	return all[i], true
}

// heading is the name of what the middle shows.
func (p *page) heading() string {
	bot := p.s.cfg.Workspace.Config().BotName
	switch p.where {
	case Home:
		return bot + " · Home"
	case DM:
		return bot
	}
	if c, ok := p.conversation(); ok && c.Kind == "channel" {
		return "#" + c.Name
	}
	return bot
}

// composerView is the box at the bottom of a conversation.
type composerView struct {
	Shown       bool
	Channel     string
	Thread      string
	Placeholder string
	Closed      string // why one cannot write here
	Commands    []string
}

// composer is the box under a conversation, or under a thread of it.
func (p *page) composer(thread string) composerView {
	if p.where == Home {
		return composerView{}
	}
	out := composerView{Shown: true, Channel: p.channel, Thread: thread, Placeholder: "Message " + p.heading(), Commands: p.s.cfg.Workspace.Config().Commands}
	if c, ok := p.conversation(); ok && c.Archived {
		out.Closed = "#" + c.Name + " is archived: it can be read, not written to."
	}
	switch {
	case thread != "":
		out.Placeholder, out.Commands = "Reply in the thread", nil // Slack runs no slash commands in threads
	case len(out.Commands) > 0:
		out.Placeholder += ", or " + out.Commands[0] + " help"
	}
	return out
}

// membersLine counts the people of a conversation, in words.
func membersLine(c slacktest.Conversation) string {
	if c.Kind != "channel" {
		return ""
	}
	kind := "Public"
	if c.Private {
		kind = "Private"
	}
	return strings.TrimSpace(kind + " channel · " + plural(len(c.Members), "member", "members"))
}
