package sandbox

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
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
}

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
	out.Messages = p.messages(p.s.cfg.Workspace.Messages(p.channel), "")
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

// joins reports whether a message needs no heading of its own: same author, within five minutes.
func joins(before, m slacktest.Message, was, at time.Time) bool {
	return before.User == m.User && before.ReplyCount == 0 && !before.Ephemeral && !m.Ephemeral && !before.Tombstone && !m.Broadcast && at.Sub(was) < 5*time.Minute
}

func (p *page) message(m slacktest.Message, thread string) messageView {
	c := p.canvas(place{Surface: "message", Channel: p.channel, TS: m.TS})
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

// canvas draws blocks for the acting person at a place.
func (p *page) canvas(at place) *canvas {
	return &canvas{
		scribe: scribe{name: p.nameOf, link: p.linkTo, date: p.date}, user: p.user, place: at,
		people: p.peopleOptions, rooms: p.roomOptions,
	}
}

func (p *page) nameOf(id string) string {
	if u, ok := p.s.cfg.Workspace.User(id); ok {
		return person(u).Name
	}
	for _, c := range p.s.cfg.Workspace.Channels(p.user.ID) {
		if c.ID == id {
			return c.Name
		}
	}
	return ""
}

func (p *page) linkTo(channelID string) string {
	if !p.s.canOpen(p.user, channelID) {
		return ""
	}
	return p.Base() + "/c/" + url.PathEscape(channelID)
}

func (p *page) peopleOptions() []option {
	var out []option
	for _, u := range p.s.everybody() {
		out = append(out, option{Words: person(u).Name, Text: template.HTML(template.HTMLEscapeString(person(u).Name)), Value: u.ID}) //nolint:gosec // escaped
	}
	return out
}

func (p *page) roomOptions() []option {
	var out []option
	for _, c := range p.s.cfg.Workspace.Channels(p.user.ID) {
		if c.Kind == "channel" {
			out = append(out, option{Words: "#" + c.Name, Text: template.HTML(template.HTMLEscapeString("#" + c.Name)), Value: c.ID}) //nolint:gosec // escaped
		}
	}
	return out
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

// moment reads a message's timestamp in the acting person's time zone.
func (p *page) moment(ts string) time.Time {
	whole, fraction, _ := strings.Cut(ts, ".")
	seconds, _ := strconv.ParseInt(whole, 10, 64)   // the workspace makes timestamps
	micros, _ := strconv.ParseInt(fraction, 10, 64) // of this form only
	return time.Unix(seconds, micros*1000).In(zone(p.user))
}

// day is the heading of a day: today and yesterday by name.
func (p *page) day(at time.Time) string {
	today := p.now.In(at.Location())
	switch at.Format(time.DateOnly) {
	case today.Format(time.DateOnly):
		return "Today"
	case today.AddDate(0, 0, -1).Format(time.DateOnly):
		return "Yesterday"
	default:
		return at.Format("Monday, 2 January 2006")
	}
}

// date draws a moment with Slack's format for dates in messages; "" when it has a token that Slack has not.
// See docs.slack.dev, Formatting message text, Date formatting.
func (p *page) date(secondsText, format string) string {
	seconds, err := strconv.ParseInt(secondsText, 10, 64)
	if err != nil {
		return ""
	}
	at := time.Unix(seconds, 0).In(zone(p.user))
	pretty := p.day(at)
	near := pretty == "Today" || pretty == "Yesterday"
	tokens := map[string]string{
		"date_num": at.Format(time.DateOnly), "date": at.Format("January 2, 2006"), "date_short": at.Format("Jan 2, 2006"),
		"date_long": at.Format("Monday, January 2, 2006"), "time": at.Format("15:04"), "time_secs": at.Format("15:04:05"),
		"day_divider_pretty": pretty, "ago": ago(p.now.Sub(at)),
	}
	for _, name := range []string{"date", "date_short", "date_long"} {
		tokens[name+"_pretty"] = tokens[name]
		if near {
			tokens[name+"_pretty"] = strings.ToLower(pretty)
		}
	}
	return fillTokens(format, tokens)
}

func fillTokens(format string, tokens map[string]string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(format, "{")
		b.WriteString(unescape(before))
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := tokens[name]
		if !closed || !known {
			return ""
		}
		b.WriteString(value)
		format = after
	}
}

func ago(d time.Duration) string {
	words := func(d time.Duration) string {
		switch {
		case d < time.Minute:
			return plural(int(d.Seconds()), "second", "seconds")
		case d < time.Hour:
			return plural(int(d.Minutes()), "minute", "minutes")
		case d < 48*time.Hour:
			return plural(int(d.Hours()), "hour", "hours")
		default:
			return plural(int(d.Hours()/24), "day", "days")
		}
	}
	if d < 0 {
		return "in " + words(-d)
	}
	return words(d) + " ago"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// ReplyWords counts the answers in a thread.
func (m messageView) ReplyWords() string { return plural(m.Replies, "reply", "replies") }

// Clock is the time of day of a message.
func (m messageView) Clock() string { return m.At.Format("15:04") }

// Full is the moment of a message in full.
func (m messageView) Full() string { return m.At.Format("Monday, 2 January 2006, 15:04:05 MST") }

// Machine is the moment of a message for machines.
func (m messageView) Machine() string { return m.At.Format(time.RFC3339) }
