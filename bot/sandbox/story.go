package sandbox

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"rolecall/bot/slacktest"
)

// stepTime is how long the button of a step may take.
const stepTime = 30 * time.Second

// guideView is the guide: how far one is, and what to do next.
type guideView struct {
	Done, Total int
	Steps       []stepView
}

// stepView is one step of the guide.
type stepView struct {
	N             int
	ID            string
	Title, Text   string
	Done, Current bool
	Begun         bool   // its button was pressed, so that it is the workspace's turn
	Go            string // words of the link to where the step is taken
	To            string // its address; "" for nowhere, or when ToHome
	ToHome        bool   // the Home tab is opened with a form, because the app is told
	There         bool   // one is there already
	Who           string // base address of whom to be
	Action        string // label of the button; "" for none
}

func (p *page) guide() guideView {
	out := guideView{Total: len(p.s.cfg.Story)}
	current := false
	for i, step := range p.s.cfg.Story {
		v := stepView{N: i + 1, ID: step.ID, Title: step.Title, Text: step.Text, Done: p.s.isDone(step)}
		if v.Done {
			out.Done++
		} else if !current {
			current, v.Current = true, true
		}
		if !v.Done {
			v.Action, v.Begun = actionLabel(step), p.s.desk.isTicked(step.ID)
		}
		p.way(&v, step)
		out.Steps = append(out.Steps, v)
	}
	return out
}

func (s *sandbox) isDone(step Step) bool {
	if step.Done != nil {
		return step.Done()
	}
	return s.desk.isTicked(step.ID)
}

// actionLabel is what the button of a step says; "" for a step that is done in the workspace.
func actionLabel(step Step) string {
	switch {
	case step.Run != nil:
		return step.Action
	case step.Done == nil && step.Action != "":
		return step.Action
	case step.Done == nil:
		return "Next"
	default:
		return ""
	}
}

// way says who to be and where to go for a step.
func (p *page) way(v *stepView, step Step) {
	u := p.user
	if step.ActAs != "" {
		found, ok := p.s.actor(step.ActAs)
		if !ok {
			return // they were deactivated in the course of the story
		}
		u = found
	}
	open := step.Open
	if open == "" {
		if step.ActAs == "" {
			return
		}
		open = p.where
	}
	v.Who, v.ToHome = "/u/"+url.PathEscape(u.ID), open == Home
	v.To = p.s.doorOf(u, open)
	v.There = v.To == p.Path
	v.Go = wayWords(step, person(u).Name, p.s.placeName(u, open))
}

func wayWords(step Step, who, place string) string {
	switch {
	case step.ActAs == "":
		return "Open " + place
	case step.Open == "":
		return "Act as " + who
	default:
		return "Act as " + who + " and open " + place
	}
}

func (s *sandbox) placeName(u slacktest.User, open string) string {
	bot := s.cfg.Workspace.Config().BotName
	switch open {
	case DM:
		return "the messages from " + bot
	case Home:
		return "the Home of " + bot
	}
	for _, c := range s.cfg.Workspace.Channels(u.ID) {
		if c.ID == open && c.Kind == "channel" {
			return "#" + c.Name
		}
	}
	return "the conversation"
}

// step presses the button of a step of the guide. What it began is carried through although the browser goes away.
func (s *sandbox) step(ctx context.Context, _ slacktest.User, r *http.Request) (reply, error) {
	for _, step := range s.cfg.Story {
		if step.ID != r.PostForm.Get("step") {
			continue
		}
		if step.Run == nil {
			s.desk.tick(step.ID)
			return reply{}, nil
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
		defer cancel()
		if err := step.Run(limited); err != nil {
			return reply{}, fmt.Errorf("%s: %w", step.Action, err)
		}
		s.desk.tick(step.ID)
		return reply{words: cmp.Or(step.Said, "Done: "+step.Action+".")}, nil
	}
	return reply{}, &excuse{"There is no such step in the guide."}
}

// pagerdutyView is the panel.
type pagerdutyView struct {
	Shown  bool
	Counts []PanelCount
	Teams  []teamView
	OnCall PanelOnCall
	Levels []levelView
	Writes []writeView
}

// writeView is one change in the panel.
type writeView struct {
	Key, Clock, Sentence string
}

// maxWrites is how many changes the panel lists.
const maxWrites = 30

func (p *page) pagerduty() pagerdutyView {
	if p.s.cfg.Panel == nil {
		return pagerdutyView{}
	}
	now := p.s.cfg.Panel()
	out := pagerdutyView{Shown: true, Counts: now.Counts, Teams: p.s.trail.look(now, p.now), OnCall: now.OnCall, Levels: levels(now.OnCall)}
	for _, w := range now.Writes[:min(len(now.Writes), maxWrites)] {
		at := w.At.In(zone(p.user))
		out.Writes = append(out.Writes, writeView{Key: at.Format(time.RFC3339Nano) + w.Sentence, Clock: at.Format("15:04:05"), Sentence: w.Sentence})
	}
	return out
}
