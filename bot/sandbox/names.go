package sandbox

import (
	"html/template"
	"net/url"
)

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
