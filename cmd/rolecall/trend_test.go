package main

import (
	"bytes"
	"strings"
	"testing"

	"rolecall/lifecycle"
)

func TestTheTrendLeavesOutDaysOfWhichNothingIsKnown(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := printTrend(&terminal{out: &out}, []lifecycle.Tally{
		{Day: "2026-05-04", Kinds: map[lifecycle.FindingKind]int{lifecycle.FoundStale: 40, lifecycle.FoundDrift: 3}, Seen: 90},
		{Day: "2026-05-06", Kinds: map[lifecycle.FindingKind]int{lifecycle.FoundStale: 1}, Kept: 7, Seen: 91},
	})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if err != nil || len(lines) != 3 || strings.Count(lines[1], "█") != 20 || strings.Count(lines[2], "█") != 1 {
		t.Errorf("%v\n%s", err, out.String())
	}
	if got, want := strings.Join(strings.Fields(strings.ReplaceAll(lines[2], "█", "")), " "), "2026-05-06 1 0 0 0 7 91"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
