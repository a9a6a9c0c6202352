package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/bot/slacktest"
)

// page is one look at the workspace: who looks, at what.
type page struct {
	s    *sandbox
	user slacktest.User
	// where is what the middle shows: a channel id, DM or Home.
	where   string
	channel string // its conversation; "" for the Home tab, and while there are no direct messages
	query   url.Values
	now     time.Time

	Path string // of this page, without what is asked of it
	CSRF string
}

// panes are the parts of the page that are swapped, in the order in which they are drawn: the switcher's unread marks
// must see what the conversation has marked as read.
func panes() []string {
	return []string{"main", "composer", "thread", "sidebar", "people", "guide", "pagerduty", "modal", "toast"}
}

// pane is one drawn part.
type pane struct {
	Name, Digest string
	HTML         template.HTML
}

// show answers with the page, or, when the script asks, with those panes that differ from what it has.
func (s *sandbox) show(w http.ResponseWriter, r *http.Request) {
	p, err := s.open(r)
	if err != nil {
		s.problem(w, r, http.StatusNotFound, err)
		return
	}
	w.Header().Set("Sandbox-Turn", strconv.FormatUint(s.turns.Add(1), 10))
	body, err := p.draw(r.Header.Get("Sandbox-Panes"))
	if err != nil {
		s.cfg.Log.ErrorContext(r.Context(), "draw page", slog.String("path", r.URL.Path), slog.Any("err", err))
		http.Error(w, "The page could not be drawn; see the log.", http.StatusInternalServerError)
		return
	}
	s.send(w, r, body)
}

// send writes what was drawn. That a browser has gone meanwhile is not a fault.
func (s *sandbox) send(w http.ResponseWriter, r *http.Request, body []byte) {
	if _, err := w.Write(body); err != nil {
		s.cfg.Log.DebugContext(r.Context(), "send page", slog.String("path", r.URL.Path), slog.Any("err", err))
	}
}

// open finds who looks at what. It fails where that person does not exist or cannot look there.
func (s *sandbox) open(r *http.Request) (*page, error) {
	u, ok := s.actor(r.PathValue("user"))
	if !ok {
		return nil, fmt.Errorf("%q is nobody one can be in this workspace", r.PathValue("user"))
	}
	p := &page{s: s, user: u, query: r.URL.Query(), now: s.cfg.Now(), Path: r.URL.EscapedPath(), CSRF: s.token}
	switch channel := r.PathValue("channel"); {
	case channel != "":
		if !s.canOpen(u, channel) {
			return nil, fmt.Errorf("%s is not in this conversation", person(u).Name)
		}
		p.where, p.channel = channel, channel
	case strings.HasSuffix(r.URL.Path, "/dm"):
		p.where, p.channel = DM, s.cfg.Workspace.DirectMessage(u.ID)
	default:
		p.where = Home
	}
	return p, nil
}

func (s *sandbox) canOpen(u slacktest.User, channel string) bool {
	return slices.ContainsFunc(s.cfg.Workspace.Channels(u.ID), func(c slacktest.Conversation) bool { return c.ID == channel })
}

// doorOf returns the address of a place for a person: what they ask for when they can open it, else the first
// channel they are in, else their direct messages.
func (s *sandbox) doorOf(u slacktest.User, open string) string {
	base := "/u/" + url.PathEscape(u.ID)
	if open == DM || open == Home {
		return base + "/" + open
	}
	first := ""
	for _, c := range s.cfg.Workspace.Channels(u.ID) {
		switch {
		case c.ID == open && c.Kind == "im":
			return base + "/dm"
		case c.ID == open:
			return base + "/c/" + url.PathEscape(c.ID)
		case first == "" && c.Kind == "channel" && c.Member && !c.Archived:
			first = base + "/c/" + url.PathEscape(c.ID)
		}
	}
	if first == "" {
		return base + "/dm"
	}
	return first
}

// me is the acting person.
func (p *page) me() personView { return person(p.user) }

// Name is what the acting person is called.
func (p *page) Name() string { return p.me().Name }

// App is the name of the app.
func (p *page) App() string { return p.s.cfg.Workspace.Config().BotName }

// Bot is the app as a person.
func (p *page) Bot() personView { return p.author(p.s.cfg.Workspace.Config().BotUserID) }

// Base is the beginning of the addresses of the acting person.
func (p *page) Base() string { return "/u/" + url.PathEscape(p.user.ID) }

// Title is the title of the browser's window.
func (p *page) Title() string {
	return p.heading() + " · " + p.me().Name + " · " + p.s.cfg.Title
}

// with returns the address of this page with one thing asked of it.
func (p *page) with(key, value string) string {
	return p.Path + "?" + url.Values{key: {value}}.Encode()
}

// Here is the address of this page as it stands, for forms to come back to.
func (p *page) Here() string {
	keep := url.Values{}
	for _, key := range []string{"thread", "who", "all"} {
		if v := p.query.Get(key); v != "" {
			keep.Set(key, v)
		}
	}
	if len(keep) == 0 {
		return p.Path
	}
	return p.Path + "?" + keep.Encode()
}

// view returns what a pane shows.
func (p *page) view(name string) any {
	switch name {
	case "main":
		return p.main()
	case "composer":
		return p.composer("")
	case "thread":
		return p.thread()
	case "sidebar":
		return p.sidebar()
	case "people":
		return p.s.people(p)
	case "guide":
		return p.guide()
	case "pagerduty":
		return p.pagerduty()
	case "modal":
		return p.dialogs()
	default:
		n, _ := p.s.desk.note(p.query.Get("said"))
		return n
	}
}

func (p *page) panes() ([]pane, error) {
	var out []pane
	for _, name := range panes() {
		var b bytes.Buffer
		if err := p.s.pages.ExecuteTemplate(&b, "pane-"+name, scene{p, p.view(name)}); err != nil {
			return nil, fmt.Errorf("draw pane %s: %w", name, err)
		}
		html := bytes.TrimSpace(b.Bytes())
		out = append(out, pane{Name: name, Digest: digest(html), HTML: template.HTML(html)}) //nolint:gosec // drawn by html/template
	}
	return out, nil
}

// draw returns the whole page; or, for a script that has panes, those that differ. Have lists what it has, as
// "name:digest name:digest".
func (p *page) draw(have string) ([]byte, error) {
	drawn, err := p.panes()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if have == "" {
		err = p.s.pages.ExecuteTemplate(&b, "page", frame{
			Page: p, Panes: byName(drawn), Title: p.s.cfg.Title, Guide: len(p.s.cfg.Story) > 0, Panel: p.s.cfg.Panel != nil,
		})
	} else {
		changed := slices.DeleteFunc(drawn, func(one pane) bool { return slices.Contains(strings.Fields(have), one.Name+":"+one.Digest) })
		err = p.s.pages.ExecuteTemplate(&b, "panes", map[string]any{"Title": p.Title(), "Panes": changed, "Path": p.Path})
	}
	if err != nil {
		return nil, fmt.Errorf("draw page: %w", err)
	}
	return b.Bytes(), nil
}

// frame is what stands around the panes.
type frame struct {
	Page         *page
	Panes        map[string]pane
	Title        string
	Guide, Panel bool
}

func byName(drawn []pane) map[string]pane {
	out := map[string]pane{}
	for _, one := range drawn {
		out[one.Name] = one
	}
	return out
}

// digest is short, and different for different content.
func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6])
}
