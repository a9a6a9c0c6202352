package sandbox

import (
	"cmp"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/bot/slacktest"
)

// messageView is one message as the page draws it.
type messageView struct {
	Channel, TS string
	Key, Mark   string // which message it is, and what it says: the page marks what changed
	Author      personView
	At          time.Time
	Day         string // the heading above it, where a new day begins
	Text        template.HTML
	Push        string // what a phone would show of it
	Blocks      []block
	Edited      bool
	Edits       int
	Ephemeral   bool
	Tombstone   bool
	Broadcast   bool
	Joined      bool // follows a message of the same author
	Replies     int
	ThreadURL   string
	Reactions   []slacktest.Reaction
	Shortcuts   []Shortcut
}

// mainView is the middle: a conversation or the Home tab.
type mainView struct {
	Heading, About string
	DM, Home       bool
	Messages       []messageView
	HomeView       *homeTab
	Empty          string
	Earlier        int // how many messages are left out
	EarlierURL     string
}

// maxMessages is how many messages a conversation shows until one asks for all.
const maxMessages = 150

// homeTab is the app's Home tab of one person.
type homeTab struct{ Blocks []block }

func (p *page) main() mainView {
	out := mainView{Heading: p.heading(), DM: p.where == DM, Home: p.where == Home}
	bot := p.s.cfg.Workspace.Config().BotName
	if out.Home {
		if v, ok := p.s.cfg.Workspace.Home(p.user.ID); ok {
			c := p.canvas(place{Surface: "home"})
			c.values = v.Values
			out.HomeView = &homeTab{Blocks: c.draw(v.Blocks)}
		}
		out.Empty = bot + " has published nothing to this Home yet. Open it, and the app is told that " + p.me().Name + " looks."
		return out
	}
	if c, ok := p.conversation(); ok {
		out.About = membersLine(c)
	}
	if out.DM {
		out.About = "Direct messages between " + bot + " and " + p.me().Name
	}
	out.Empty = "Nothing was said here yet."
	standing := p.s.cfg.Workspace.Messages(p.channel)
	if n := len(standing) - maxMessages; n > 0 && p.query.Get("all") == "" {
		out.Earlier, out.EarlierURL, standing = n, p.with("all", "yes"), standing[n:]
	}
	out.Messages = p.messages(standing, "")
	if n := len(out.Messages); n > 0 {
		p.s.desk.markRead(p.user.ID, p.channel, out.Messages[n-1].TS)
	}
	return out
}

// messages draws what stands in a conversation, or in a thread of it, with what only this person sees between.
func (p *page) messages(standing []slacktest.Message, thread string) []messageView {
	for _, m := range p.s.cfg.Workspace.Ephemerals(p.user.ID) {
		m.Ephemeral = true
		if m.Channel == p.channel && m.ThreadTS == thread && !p.s.desk.isDismissed(p.user.ID, m.TS) {
			standing = append(standing, m)
		}
	}
	slices.SortStableFunc(standing, func(a, b slacktest.Message) int { return cmp.Compare(a.TS, b.TS) })
	out := make([]messageView, 0, len(standing))
	day := ""
	for i, m := range standing {
		v := p.message(m, thread)
		if today := p.day(v.At); today != day {
			day, v.Day = today, today
		}
		if i > 0 && v.Day == "" {
			v.Joined = joins(standing[i-1], m, out[i-1].At, v.At)
		}
		out = append(out, v)
	}
	return out
}

// joins reports whether a message needs no heading of its own: words of the same author within five minutes. A card
// always has its heading: two of them must not be read as one.
func joins(before, m slacktest.Message, was, at time.Time) bool {
	words := len(before.Blocks) == 0 && len(m.Blocks) == 0 && !before.Tombstone && !m.Broadcast
	alike := before.User == m.User && !before.Ephemeral && !m.Ephemeral && before.ReplyCount == 0
	return words && alike && at.Sub(was) < 5*time.Minute
}

func (p *page) message(m slacktest.Message, thread string) messageView {
	c := p.canvas(place{Surface: "message", Channel: p.channel, TS: m.TS})
	c.values = p.s.desk.choices(p.user.ID, m.TS)
	out := messageView{
		Channel: p.channel, TS: m.TS, Key: m.TS, At: p.moment(m.TS), Author: p.author(m.User),
		Edited: m.Edited, Edits: m.Edits, Ephemeral: m.Ephemeral, Tombstone: m.Tombstone, Broadcast: m.Broadcast,
		Replies: m.ReplyCount, Reactions: m.Reactions, Shortcuts: p.s.cfg.Shortcuts,
		Push: strings.Join(strings.Fields(c.bare(m.Text)), " "),
		Mark: digest([]byte(m.Text + string(m.Blocks) + strconv.Itoa(m.Edits) + strconv.FormatBool(m.Tombstone))),
	}
	if len(m.Blocks) > 0 {
		out.Blocks = c.draw(m.Blocks)
	} else {
		out.Text = c.mrkdwn(m.Text)
	}
	if thread == "" && !m.Ephemeral {
		out.ThreadURL = p.with("thread", cmp.Or(m.ThreadTS, m.TS))
	}
	if m.Ephemeral {
		out.Shortcuts = nil // Slack offers none on what only one person sees
	}
	return out
}

func (p *page) author(id string) personView {
	u, ok := p.s.cfg.Workspace.User(id)
	if !ok {
		return personView{ID: id, Name: id, Initials: "?"}
	}
	return person(u)
}

// threadView is a message and what was answered to it.
type threadView struct {
	Shown    bool
	Heading  string
	Close    string
	Messages []messageView
	Composer composerView
}

func (p *page) thread() threadView {
	ts := p.query.Get("thread")
	if ts == "" || p.channel == "" {
		return threadView{}
	}
	standing := p.s.cfg.Workspace.Thread(p.channel, ts)
	if len(standing) == 0 {
		return threadView{}
	}
	return threadView{Shown: true, Heading: p.heading(), Close: p.Path, Messages: p.messages(standing, ts), Composer: p.composer(ts)}
}

// ReplyWords counts the answers in a thread.
func (m messageView) ReplyWords() string { return plural(m.Replies, "reply", "replies") }

// Clock is the time of day of a message.
func (m messageView) Clock() string { return m.At.Format("15:04") }

// Full is the moment of a message in full.
func (m messageView) Full() string { return m.At.Format("Monday, 2 January 2006, 15:04:05 MST") }

// Machine is the moment of a message for machines.
func (m messageView) Machine() string { return m.At.Format(time.RFC3339) }
