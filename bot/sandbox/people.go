package sandbox

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"rolecall/bot/slacktest"
)

// maxFound is how many people the switcher lists besides the actors of the story.
const maxFound = 40

// personView is one person in the switcher, or the author of a message.
type personView struct {
	ID, Name, Handle string
	Email            string
	Role             string // who they are in the story, or what sets them apart
	Initials         string
	Hue              int // one of twelve colours
	App              bool
	Current          bool
	Waiting          bool // something unread waits for them
	To               string
}

// actor finds somebody whom one can be.
func (s *sandbox) actor(id string) (slacktest.User, bool) {
	u, ok := s.cfg.Workspace.User(id)
	return u, ok && canAct(u)
}

// firstPerson is who a newcomer begins as: the first actor who is still there, else the first person.
func (s *sandbox) firstPerson() (slacktest.User, bool) {
	for _, a := range s.cfg.Actors {
		if u, ok := s.actor(a.UserID); ok {
			return u, true
		}
	}
	for _, u := range s.cfg.Workspace.Users() {
		if canAct(u) {
			return u, true
		}
	}
	return slacktest.User{}, false
}

func (s *sandbox) role(userID string) string {
	for _, a := range s.cfg.Actors {
		if a.UserID == userID {
			return a.Role
		}
	}
	return ""
}

// kindOf says what sets a user apart from an ordinary member.
func kindOf(u slacktest.User) string {
	switch {
	case u.Stranger:
		return "from another workspace"
	case u.Restricted || u.UltraRestricted:
		return "guest"
	default:
		return ""
	}
}

func person(u slacktest.User) personView {
	name := cmp.Or(u.DisplayName, u.RealName, u.Name, u.ID)
	return personView{ID: u.ID, Name: name, Handle: u.Name, Email: u.Email, Role: kindOf(u), Initials: initials(name), Hue: hue(u.ID), App: u.Bot}
}

// initials returns up to two letters that stand for a name.
func initials(name string) string {
	var out []rune
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		out = append(out, unicode.ToUpper([]rune(word)[0]))
	}
	switch len(out) {
	case 0:
		return "?"
	case 1:
		return string(out)
	default:
		return string([]rune{out[0], out[len(out)-1]})
	}
}

func hue(id string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // a hash never fails
	return int(h.Sum32() % 12)
}

// peopleView is the switcher: who one is, who one could be.
type peopleView struct {
	Me     personView
	Query  string
	Actors []personView
	Others []personView
	More   int // how many more there are
	Total  int
	Waits  string // who of the story has something unread; "" for nobody
	Back   string
}

// people lists the actors of the story first, then everybody whose name, handle or address contains the query.
func (s *sandbox) people(p *page) peopleView {
	out := peopleView{Me: p.me(), Query: p.query.Get("who"), Back: p.Path}
	out.Me.Role = cmp.Or(s.role(p.user.ID), out.Me.Role)
	query := strings.ToLower(strings.TrimSpace(out.Query))
	inStory := map[string]bool{}
	for _, a := range s.cfg.Actors {
		inStory[a.UserID] = true
		if u, ok := s.actor(a.UserID); ok && matches(u, a.Role, query) {
			v := s.switchTo(p, u)
			v.Role, v.Waiting = a.Role, s.waiting(u)
			if v.Waiting && !v.Current && out.Waits == "" {
				out.Waits = v.Name
			}
			out.Actors = append(out.Actors, v)
		}
	}
	for _, u := range s.everybody() {
		out.Total++
		if inStory[u.ID] || !matches(u, "", query) {
			continue
		}
		if len(out.Others) == maxFound {
			out.More++
			continue
		}
		out.Others = append(out.Others, s.switchTo(p, u))
	}
	return out
}

func matches(u slacktest.User, role, query string) bool {
	for _, text := range []string{u.RealName, u.DisplayName, u.Name, u.Email, role} {
		if strings.Contains(strings.ToLower(text), query) {
			return true
		}
	}
	return false
}

// everybody lists those whom one can be, by name.
func (s *sandbox) everybody() []slacktest.User {
	all := slices.DeleteFunc(s.cfg.Workspace.Users(), func(u slacktest.User) bool { return !canAct(u) })
	slices.SortStableFunc(all, func(a, b slacktest.User) int {
		return cmp.Compare(strings.ToLower(person(a).Name), strings.ToLower(person(b).Name))
	})
	return all
}

func (s *sandbox) switchTo(p *page, u slacktest.User) personView {
	v := person(u)
	v.Current = u.ID == p.user.ID
	v.To = "/u/" + url.PathEscape(u.ID) + "?open=" + url.QueryEscape(p.where)
	return v
}

// waiting reports whether a person has something unread in their direct messages with the app.
func (s *sandbox) waiting(u slacktest.User) bool {
	dm := s.cfg.Workspace.DirectMessage(u.ID)
	return dm != "" && s.unread(u.ID, dm) > 0
}

// unread counts the messages in a conversation that a person has not seen.
func (s *sandbox) unread(userID, channelID string) int {
	last, n := s.desk.lastRead(userID, channelID), 0
	for _, m := range s.cfg.Workspace.Messages(channelID) {
		if m.TS > last && m.User != userID {
			n++
		}
	}
	for _, m := range s.cfg.Workspace.Ephemerals(userID) {
		if m.Channel == channelID && m.TS > last && !s.desk.isDismissed(userID, m.TS) {
			n++
		}
	}
	return n
}

// zone returns the time zone of a user; where this machine does not know it, the offset that the workspace knows.
func zone(u slacktest.User) *time.Location {
	if loc, err := time.LoadLocation(u.TZ); err == nil {
		return loc
	}
	return time.FixedZone(fmt.Sprintf("UTC%+d", u.TZOffset/3600), u.TZOffset)
}
