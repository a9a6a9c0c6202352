package sandbox_test

import (
	"context"
	"sync"
	"time"

	"rolecall/bot/sandbox"
)

// pagerduty is what the panel shows.
type pagerduty struct {
	mu      sync.Mutex
	version uint64
	changed chan struct{}
	state   sandbox.Panel
	benLeft bool
}

func newPagerDuty() *pagerduty {
	return &pagerduty{version: 1, changed: make(chan struct{}), state: sandbox.Panel{
		Counts: []sandbox.PanelCount{{Label: "accounts", N: 214}, {Label: "teams", N: 2}},
		OnCall: sandbox.PanelOnCall{
			Levels: []sandbox.PanelLevel{
				{Policy: "Payments-Crit", N: 1, Answers: []sandbox.PanelAnswer{{Who: "Ben Ode", Through: "Primary", Line: "Marco Rossi"}}},
				{Policy: "Payments-Crit", N: 2, Answers: []sandbox.PanelAnswer{{Who: "Marco Rossi"}, {Through: "Nights"}}},
			},
			Incidents: []sandbox.PanelIncident{{Name: "#7 Checkout is <down>", Assigned: "Ben Ode"}},
		},
		Teams: []sandbox.PanelTeam{
			{Name: "Payments", Members: []sandbox.PanelMember{
				{Name: "Marco Rossi", Email: "marco@acme.test", TeamRole: "Manager", BaseRole: "Manager (user)"},
				{Name: "Ben Ode", Email: "ben@acme.test", TeamRole: "Manager", BaseRole: "Responder (limited_user)"},
			}},
			{Name: "Platform", Members: []sandbox.PanelMember{
				{Name: "Omar Haddad", Email: "omar@acme.test", TeamRole: "Manager", BaseRole: "Manager (user)"},
				{Name: "Lena Vogt", Email: "lena@acme.test", TeamRole: "Responder", BaseRole: "Restricted Access (restricted_access)", Contained: true},
			}},
		},
	}}
}

func (p *pagerduty) panel() sandbox.Panel {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.state
	out.Teams = nil
	for _, t := range p.state.Teams {
		t.Members = append([]sandbox.PanelMember{}, t.Members...)
		out.Teams = append(out.Teams, t)
	}
	out.Writes = append([]sandbox.PanelWrite{}, p.state.Writes...)
	return out
}

func (p *pagerduty) change(sentence string, f func(*sandbox.Panel)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.state)
	p.state.Writes = append([]sandbox.PanelWrite{{At: time.Now(), Sentence: sentence}}, p.state.Writes...)
	p.version++
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pagerduty) join(name string) {
	p.change(name+" joined Payments as responder", func(s *sandbox.Panel) {
		s.Teams[0].Members = append(s.Teams[0].Members, sandbox.PanelMember{Name: name, Email: "ana@acme.test", TeamRole: "Responder", BaseRole: "Responder (limited_user)"})
	})
}

func (p *pagerduty) moveBen() {
	p.change("Ben Ode left Payments and joined Platform as responder", func(s *sandbox.Panel) {
		p.benLeft = true
		s.Teams[0].Members = append(s.Teams[0].Members[:1:1], s.Teams[0].Members[2:]...)
		s.Teams[1].Members = append(s.Teams[1].Members, sandbox.PanelMember{Name: "Ben Ode", Email: "ben@acme.test", TeamRole: "Responder", BaseRole: "Responder (limited_user)"})
	})
}

func (p *pagerduty) moved() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.benLeft
}

func (p *pagerduty) wait(ctx context.Context, since uint64) (uint64, error) {
	for {
		p.mu.Lock()
		version, changed := p.version, p.changed
		p.mu.Unlock()
		if version > since {
			return version, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return version, ctx.Err()
		}
	}
}
