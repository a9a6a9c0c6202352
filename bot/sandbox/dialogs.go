package sandbox

import (
	"encoding/json"
	"html/template"

	"rolecall/bot/slacktest"
)

// dialogsView is what lies over the workspace: the modal on top of the stack, or a question before a press.
type dialogsView struct {
	Modal *modalView
	Ask   *askView
}

// modalView is the modal that the acting person has before them.
type modalView struct {
	ID, Title     string
	Submit, Close string
	Beneath       []string // titles of the modals under it
	Blocks        []block
	Wrong         int // how many inputs have an error
}

// askView is the confirmation dialog of a button.
type askView struct {
	Title, Confirm, Deny string
	Text                 template.HTML
	Press                string
	Modal                bool // asked from within a modal
	Danger               bool
}

func (p *page) dialogs() dialogsView {
	var out dialogsView
	stack := p.s.cfg.Workspace.Modals(p.user.ID)
	if n := len(stack); n > 0 {
		out.Modal = p.modalView(stack[n-1])
		for _, under := range stack[:n-1] {
			out.Modal.Beneath = append(out.Modal.Beneath, under.Title)
		}
	}
	if asked := p.query.Get("ask"); asked != "" {
		out.Ask = p.ask(asked)
	}
	return out
}

func (p *page) modalView(v slacktest.View) *modalView {
	c := p.canvas(place{Surface: "modal", View: v.ID})
	c.values, c.errors = v.Values, v.Errors
	out := &modalView{ID: v.ID, Title: v.Title, Submit: v.Submit, Close: v.Close, Blocks: c.draw(v.Blocks), Wrong: len(v.Errors)}
	if out.Close == "" {
		out.Close = "Cancel"
	}
	return out
}

// ask draws the question that stands before a press; nil when there is nothing of the kind to press.
func (p *page) ask(text string) *askView {
	t, err := parseTarget(text)
	if err != nil {
		return nil
	}
	c, ok := p.s.control(p.user, t)
	if !ok || c.Confirm == nil {
		return nil
	}
	return &askView{
		Title: c.Confirm.Title, Confirm: c.Confirm.Confirm, Deny: c.Confirm.Deny, Text: p.canvas(t.place).mrkdwn(c.Confirm.Text),
		Press: text, Modal: t.Surface == "modal", Danger: c.Style == "danger",
	}
}

// control finds the element that a target names among what the person sees.
func (s *sandbox) control(u slacktest.User, t target) (slacktest.Control, bool) {
	for _, c := range slacktest.Controls(s.blocksAt(u, t.place)) {
		if c.ActionID == t.action && (t.block == "" || c.BlockID == t.block) && (c.Value == t.value || c.Type != "button") {
			return c, true
		}
	}
	return slacktest.Control{}, false
}

// blocksAt returns the blocks that stand at a place, as the person sees it; nil for none.
func (s *sandbox) blocksAt(u slacktest.User, at place) json.RawMessage {
	switch at.Surface {
	case "modal":
		v, _ := s.cfg.Workspace.Modal(u.ID)
		return v.Blocks
	case "home":
		v, _ := s.cfg.Workspace.Home(u.ID)
		return v.Blocks
	}
	if !s.canOpen(u, at.Channel) {
		return nil
	}
	if m, ok := s.cfg.Workspace.Message(at.Channel, at.TS); ok {
		return m.Blocks
	}
	for _, m := range s.cfg.Workspace.Ephemerals(u.ID) {
		if m.TS == at.TS && m.Channel == at.Channel {
			return m.Blocks
		}
	}
	return nil
}
