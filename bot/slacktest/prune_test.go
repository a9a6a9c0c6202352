package slacktest

import "testing"

func TestPruneLooksOnlyWhenThereIsNoRoomLeft(t *testing.T) {
	t.Parallel()
	entries := map[string]int{"old": 1, "new": 9}
	stale := func(v int) bool { return v < 5 }
	if room := prune(entries, 3, stale); room != 3 || len(entries) != 2 {
		t.Errorf("with room left: room %d, %v", room, entries)
	}
	if room := prune(entries, 2, stale); room != 1000 || len(entries) != 1 || entries["new"] != 9 {
		t.Errorf("without: room %d, %v", room, entries)
	}
}

func TestARingKeepsTheNewest(t *testing.T) {
	t.Parallel()
	r := newRing[int](3)
	for i := range 5 {
		r.add(i)
	}
	if got := r.all(); len(got) != 3 || got[0] != 2 || got[2] != 4 {
		t.Errorf("got %v, want 2 3 4", got)
	}
}
