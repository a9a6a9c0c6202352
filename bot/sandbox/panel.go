package sandbox

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Panel is what PagerDuty looks like at one moment.
type Panel struct {
	Teams  []PanelTeam
	Counts []PanelCount
	OnCall PanelOnCall
	Writes []PanelWrite // what was changed, newest first
}

// PanelTeam is one team and who is on it.
type PanelTeam struct {
	Name    string
	Members []PanelMember
}

// PanelMember is one person on one team. Roles are words for people, such as "Responder (limited_user)".
type PanelMember struct {
	Name, Email        string
	TeamRole, BaseRole string
	Contained          bool // sessions ended and role lowered: a leaver in the first stage
}

// PanelCount is one figure, such as 214 accounts.
type PanelCount struct {
	Label string
	N     int
}

// PanelWrite is one change that was made.
type PanelWrite struct {
	At       time.Time
	Sentence string
}

// fresh is how long a change stays marked.
const fresh = 30 * time.Second

// tracker compares what PagerDuty looks like with what it looked like before.
type tracker struct {
	mu      sync.Mutex
	begun   bool
	last    map[string]PanelMember
	changes map[string]change
	touched map[string]bool // teams that have changed since the demo began
}

// change is what happened to one member lately.
type change struct {
	at   time.Time
	was  *PanelMember // nil for one who was not there
	gone bool
}

func newTracker() *tracker {
	return &tracker{last: map[string]PanelMember{}, changes: map[string]change{}, touched: map[string]bool{}}
}

// teamView is one team with its recent changes.
type teamView struct {
	Name    string
	Slug    string
	Size    int
	Open    bool // shown unfolded
	Changed bool
	Members []memberView
}

// memberView is one row.
type memberView struct {
	PanelMember
	Key, Slug string
	New, Gone bool
	WasTeam   string // the team role before, when it changed lately
	WasBase   string
	State     string // differs whenever the row says something else
}

// A team is shown unfolded once it has changed, and before that while there are few teams and it is small.
const (
	fewTeams  = 6
	smallTeam = 8
)

// look notes what changed since it was last called and returns the teams with what changed within the last half
// minute marked. Members who left stay for as long, struck out.
func (t *tracker) look(p Panel, now time.Time) []teamView {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note(p, now)
	views := make([]teamView, 0, len(p.Teams))
	for _, team := range p.Teams {
		v := teamView{Name: team.Name, Slug: slug(team.Name), Size: len(team.Members)}
		for _, m := range team.Members {
			v.Members = append(v.Members, t.row(team.Name, m))
		}
		v.Members = append(v.Members, t.left(team.Name)...)
		v.Changed = slices.ContainsFunc(v.Members, memberView.changed)
		t.touched[team.Name] = t.touched[team.Name] || v.Changed
		v.Open = t.touched[team.Name] || len(p.Teams) <= fewTeams && len(v.Members) <= smallTeam
		views = append(views, v)
	}
	return views
}

func (m memberView) changed() bool { return m.New || m.Gone || m.WasTeam != "" || m.WasBase != "" }

func memberKey(team string, m PanelMember) string { return team + "\x00" + m.Email + "\x00" + m.Name }

func (t *tracker) note(p Panel, now time.Time) {
	maps.DeleteFunc(t.changes, func(_ string, c change) bool { return now.Sub(c.at) > fresh })
	current := map[string]PanelMember{}
	for _, team := range p.Teams {
		for _, m := range team.Members {
			current[memberKey(team.Name, m)] = m
		}
	}
	if t.begun {
		t.compare(current, now)
	}
	t.last, t.begun = current, true
}

func (t *tracker) compare(current map[string]PanelMember, now time.Time) {
	for key, m := range current {
		was, known := t.last[key]
		switch {
		case !known:
			t.changes[key] = change{at: now}
		case was != m:
			t.changes[key] = change{at: now, was: &was}
		}
	}
	for key, was := range t.last {
		if _, still := current[key]; !still {
			t.changes[key] = change{at: now, was: &was, gone: true}
		}
	}
}

func (t *tracker) row(team string, m PanelMember) memberView {
	key := memberKey(team, m)
	v := memberView{PanelMember: m, Key: digest([]byte(key)), Slug: slug(team) + "-" + slug(localPart(m))}
	if c, changed := t.changes[key]; changed {
		v.New = c.was == nil || c.gone // one who left and came back is new
		if !v.New && c.was.TeamRole != m.TeamRole {
			v.WasTeam = c.was.TeamRole
		}
		if !v.New && c.was.BaseRole != m.BaseRole {
			v.WasBase = c.was.BaseRole
		}
	}
	v.State = strings.Join([]string{m.TeamRole, m.BaseRole, map[bool]string{true: "contained"}[m.Contained]}, "|")
	return v
}

// left lists those who are no longer on a team, by name.
func (t *tracker) left(team string) []memberView {
	var out []memberView
	for key, c := range t.changes {
		if !c.gone || !strings.HasPrefix(key, team+"\x00") {
			continue
		}
		if _, back := t.last[key]; !back {
			out = append(out, memberView{PanelMember: *c.was, Key: digest([]byte(key)), Slug: slug(team) + "-" + slug(localPart(*c.was)), Gone: true, State: "gone"})
		}
	}
	slices.SortFunc(out, func(a, b memberView) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func localPart(m PanelMember) string {
	local, _, _ := strings.Cut(m.Email, "@")
	if local == "" {
		return m.Name
	}
	return local
}

// slug returns a name as it stands in test ids: lower-case letters, digits and dashes.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}
