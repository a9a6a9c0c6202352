package sandbox

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func panelOf(payments, platform []PanelMember) Panel {
	return Panel{Teams: []PanelTeam{{Name: "Payments", Members: payments}, {Name: "Platform", Members: platform}}}
}

// TestChangesStayMarkedForHalfAMinute follows one person from team to team, and out.
func TestChangesStayMarkedForHalfAMinute(t *testing.T) {
	t.Parallel()
	ben := PanelMember{Name: "Ben", Email: "ben@acme.test", TeamRole: "Manager", BaseRole: "Responder"}
	lower, moved, ana := ben, ben, PanelMember{Name: "Ana", Email: "ana@acme.test", TeamRole: "Responder"}
	lower.BaseRole, lower.Contained = "Restricted", true
	moved.TeamRole = "Responder"
	start := time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
	look := newTracker()

	for i, step := range []struct {
		after time.Duration
		panel Panel
		want  []string
	}{
		{0, panelOf([]PanelMember{ben}, nil), []string{"Payments Ben"}},
		{time.Second, panelOf([]PanelMember{ben}, nil), []string{"Payments Ben"}},
		{2 * time.Second, panelOf([]PanelMember{ben, ana}, nil), []string{"Payments Ben", "Payments Ana new"}},
		{3 * time.Second, panelOf([]PanelMember{lower, ana}, nil), []string{"Payments Ben was /Responder contained", "Payments Ana new"}},
		{10 * time.Second, panelOf([]PanelMember{ana}, []PanelMember{moved}), []string{"Payments Ana new", "Payments Ben gone contained", "Platform Ben new"}},
		{31 * time.Second, panelOf([]PanelMember{ana}, []PanelMember{moved}), []string{"Payments Ana new", "Payments Ben gone contained", "Platform Ben new"}},
		{33 * time.Second, panelOf([]PanelMember{ana}, []PanelMember{moved}), []string{"Payments Ana", "Payments Ben gone contained", "Platform Ben new"}},
		{41 * time.Second, panelOf([]PanelMember{ana}, []PanelMember{moved}), []string{"Payments Ana", "Platform Ben"}},
		{42 * time.Second, panelOf([]PanelMember{ben, ana}, nil), []string{"Payments Ben new", "Payments Ana", "Platform Ben gone"}},
		{43 * time.Second, panelOf([]PanelMember{ana}, nil), []string{"Payments Ana", "Payments Ben gone", "Platform Ben gone"}},
		{44 * time.Second, panelOf([]PanelMember{ben, ana}, nil), []string{"Payments Ben new", "Payments Ana", "Platform Ben gone"}},
	} {
		if got := rows(look.look(step.panel, start.Add(step.after))); !slices.Equal(got, step.want) {
			t.Errorf("step %d, after %s:\n got %q\nwant %q", i, step.after, got, step.want)
		}
	}
}

func rows(teams []teamView) []string {
	var out []string
	for _, team := range teams {
		for _, m := range team.Members {
			row := team.Name + " " + m.Name
			for words, is := range map[string]bool{" new": m.New, " gone": m.Gone, " was " + m.WasTeam + "/" + m.WasBase: m.WasTeam+m.WasBase != ""} {
				if is {
					row += words
				}
			}
			if m.Contained {
				row += " contained"
			}
			out = append(out, row)
		}
	}
	return out
}

func TestTeamsAreFoldedUntilTheyChange(t *testing.T) {
	t.Parallel()
	var large []PanelMember
	for i := range smallTeam + 1 {
		large = append(large, PanelMember{Email: fmt.Sprintf("p%d@acme.test", i)})
	}
	many := Panel{Teams: make([]PanelTeam, fewTeams+1)}
	for i := range many.Teams {
		many.Teams[i] = PanelTeam{Name: fmt.Sprint(i), Members: large[:1]}
	}
	now := time.Now()
	look := newTracker()
	if v := look.look(panelOf(large, nil), now); v[0].Open || !v[1].Open {
		t.Errorf("open: %v %v, want the large team folded and the empty one open", v[0].Open, v[1].Open)
	}
	if v := newTracker().look(many, now); v[0].Open {
		t.Error("one of many teams is unfolded, though nothing has changed")
	}
	if v := look.look(panelOf(large[1:], nil), now); !v[0].Open || !v[0].Changed {
		t.Error("a team that has changed stays folded")
	}
	if v := look.look(panelOf(large[1:], nil), now.Add(time.Hour)); !v[0].Open || v[0].Changed {
		t.Errorf("an hour later: open %v, changed %v, want a team that stays open and is not marked", v[0].Open, v[0].Changed)
	}
}

func TestNamesInTestIDs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Payments SRE": "payments-sre", " Ops / EU ": "ops-eu", "日本": "", "a__b": "a-b", `"><b>`: "b"} {
		if got := slug(name); got != want {
			t.Errorf("slug(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"Marco Rossi": "MR", "rolecall": "R", "Ana Maria de Lima": "AL", "": "?", "…": "?", "émile zola": "ÉZ"} {
		if got := initials(name); got != want {
			t.Errorf("initials(%q) = %q, want %q", name, got, want)
		}
	}
}

// Whoever is called at a level is shown beside it, and what has nobody is shown before all else.
func TestWhoIsOnCallIsShownLevelByLevel(t *testing.T) {
	t.Parallel()
	on := PanelOnCall{Levels: []PanelLevel{
		{Policy: "Payments Crit", N: 1, Answers: []PanelAnswer{{Who: "Ana", Through: "Primary", Line: "Ben, Cho"}, {Through: "Nights"}}},
		{Policy: "Payments Crit", N: 12},
	}}
	got := levels(on)
	if got[0].Key != "payments-crit-1" || got[1].Key != "payments-crit-12" {
		t.Errorf("the levels are called %q and %q", got[0].Key, got[1].Key)
	}
	other := on
	other.Levels = []PanelLevel{on.Levels[0]}
	other.Levels[0].Answers = []PanelAnswer{{Who: "Ben", Through: "Primary", Line: "Cho"}, {Through: "Nights"}}
	if was, is := got[0].State, levels(other)[0].State; was == is {
		t.Errorf("with another person on call the level is marked as it was: %s", is)
	}
}
