package lifecycle

import (
	"fmt"
	"slices"
	"strings"
)

// Whole reports whether the coverage is all of it: PagerDuty always has a policy
// of its own making, and a schedule that a level calls is there to be read.
func (c Coverage) Whole() bool {
	read := map[string]bool{}
	for _, r := range c.Rotas {
		read[r.ID] = true
	}
	for _, p := range c.Policies {
		for _, l := range p.Levels {
			if slices.ContainsFunc(l.Rotas, func(id string) bool { return !read[id] }) {
				return false
			}
		}
	}
	return len(c.Policies) > 0
}

// words returns what on-call expects of every account, in words, policies first.
func (c Coverage) words() map[AccountID][]string {
	words := map[AccountID][]string{}
	for _, p := range c.Policies {
		for i, l := range p.Levels {
			for _, a := range l.Accounts {
				words[a] = append(words[a], p.at(i).String())
			}
		}
	}
	for _, r := range c.Rotas {
		for _, a := range r.Seats {
			words[a] = append(words[a], r.place().String())
		}
	}
	return words
}

func (e Escalation) at(level int) Entitlement {
	return Entitlement{Kind: KindEscalationPolicy, Team: Team{ID: e.Team}, Object: e.Object, Level: level + 1}
}

func (r Rota) place() Entitlement {
	return Entitlement{Kind: KindSchedule, Team: Team{ID: r.team()}, Object: r.Object}
}

// unanswered returns a finding for every place in which somebody should answer
// and nobody does: one of an account that was deleted, which PagerDuty keeps as
// a placeholder, and a level or a schedule without anybody. Where coverage is
// not whole, nothing is concluded.
func (r Roll) unanswered() []Finding {
	if !r.covered {
		return nil
	}
	c := r.Have.Coverage
	seats := make(map[string]int, len(c.Rotas))
	var found []Finding
	for _, rota := range c.Rotas {
		seats[rota.ID] = len(rota.Seats)
		found = append(found, r.inRota(rota)...)
	}
	for _, p := range c.Policies {
		for i, l := range p.Levels {
			found = append(found, r.atLevel(p, i, l, seats)...)
		}
	}
	return found
}

func (r Roll) inRota(rota Rota) []Finding {
	alone := len(rota.Seats) == 0
	var found []Finding
	for _, name := range once(rota.Gone) {
		note := fmt.Sprintf("Schedule %s still has a place for %s, whose account was deleted: nobody answers there.", rota.Name, name)
		if alone {
			note += " Nobody else is in it."
		}
		found = append(found, r.placeholder(rota.place(), name, alone, note))
	}
	if !alone || len(found) > 0 {
		return found
	}
	severity, called := SeverityLow, "No escalation policy calls it."
	if levels := r.Have.Coverage.Serves(rota.ID); len(levels) > 0 {
		severity, called = SeverityHigh, "It is called by "+strings.Join(levels, ", ")+"."
	}
	return []Finding{r.nobody(rota.place(), severity, fmt.Sprintf("Schedule %s has nobody in it. %s", rota.Name, called))}
}

// atLevel leaves a level that only calls schedules to the findings about those.
func (r Roll) atLevel(p Escalation, i int, l Level, seats map[string]int) []Finding {
	alone := len(l.Accounts) == 0 && !slices.ContainsFunc(l.Rotas, func(id string) bool { return seats[id] > 0 })
	var found []Finding
	for _, name := range once(l.Gone) {
		note := fmt.Sprintf("Level %d of %s still calls %s, whose account was deleted", i+1, p.Name, name)
		if alone {
			note += ": nobody answers there."
		} else {
			note += "; others answer there."
		}
		found = append(found, r.placeholder(p.at(i), name, alone, note))
	}
	if alone && len(l.Gone)+len(l.Rotas) == 0 {
		found = append(found, r.nobody(p.at(i), SeverityHigh, fmt.Sprintf("Level %d of %s calls nobody.", i+1, p.Name)))
	}
	return found
}

func (r Roll) placeholder(e Entitlement, name string, alone bool, note string) Finding {
	severity := SeverityMedium
	if alone {
		severity = SeverityHigh
	}
	f := r.finding(FoundOrphan, severity, Identity{}, Account{Name: name}, r.named(e), "", "", note)
	f.ID = placeFindingID(f.Kind, e, name)
	return f
}

func (r Roll) nobody(e Entitlement, s Severity, note string) Finding {
	f := r.finding(FoundMissing, s, Identity{}, Account{}, r.named(e), "", "", note)
	f.ID = placeFindingID(f.Kind, e, "")
	return f
}

// placeFindingID is of the place alone: it stays the same when the object is renamed.
func placeFindingID(k FindingKind, e Entitlement, name string) FindingID {
	return FindingID("fnd_" + derived("unanswered", string(k), string(e.Kind), e.Object.ID, fmt.Sprint(e.Level), name))
}

// named gives the entitlement's team its name.
func (r Roll) named(e Entitlement) Entitlement {
	if i := slices.IndexFunc(r.Have.Teams, func(t Team) bool { return t.ID == e.Team.ID }); i >= 0 {
		e.Team = r.Have.Teams[i]
	}
	return e
}

// once returns the names in order, each once. PagerDuty may not say a name.
func once(names []string) []string {
	names = slices.Clone(names)
	for i, n := range names {
		if n == "" {
			names[i] = "somebody"
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
