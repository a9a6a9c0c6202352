package bot

import (
	"bytes"
	"image/png"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// tallies are those of the last n days before noon, but for the days that skip names.
func tallies(n int, skip func(ago int) bool) []lifecycle.Tally {
	var all []lifecycle.Tally
	for ago := n - 1; ago >= 0; ago-- {
		if skip(ago) {
			continue
		}
		at := noon.AddDate(0, 0, -ago)
		all = append(all, lifecycle.Tally{Day: lifecycle.Date(at.Format(time.DateOnly)), At: at, Seen: 900, Kinds: map[lifecycle.FindingKind]int{
			lifecycle.FoundStale: 31 + ago/3 + (ago*7)%5, lifecycle.FoundExcess: 10 + (ago*ago)%7, lifecycle.FoundDrift: 3, lifecycle.FoundLeaverPresent: (ago / 11) % 4,
		}})
	}
	return all
}

func never(int) bool { return false }

func holidays(ago int) bool { return ago > 40 && ago < 48 || ago == 20 || ago == 22 }

func TestTheTrendSaysItsNumbersInWords(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		tallies []lifecycle.Tally
		want    string
	}{
		"nothing was counted": {nil, ""},
		"one day":             {tallies(1, never), "Counted for the first time on 4 May 2026. Stale access: 31, as at the beginning, More than policy says: 13, as at the beginning, Leavers still present: 0, as at the beginning."},
		"a season":            {tallies(91, never), "From 3 February to 4 May 2026. Stale access: 31, down from 61; More than policy says: 13, down from 14; Leavers still present: 0, as at the beginning."},
		"days are missing":    {tallies(60, holidays), "From 6 March to 4 May 2026. Stale access: 31, down from 53; More than policy says: 13, down from 15; Leavers still present: 0, down from 1. 9 days in between had no whole roll call: there the lines break off."},
		"what is older":       {tallies(200, never), "From 3 February to 4 May 2026. Stale access: 31, down from 61; More than policy says: 13, down from 14; Leavers still present: 0, as at the beginning."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := trendOf(tt.tallies, noon).words(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestTheTrendIsDrawn(t *testing.T) {
	t.Parallel()
	for name, all := range map[string][]lifecycle.Tally{"a season": tallies(91, holidays), "two days": tallies(2, never), "all of it nothing": {{Day: "2026-05-03"}, {Day: "2026-05-04"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := trendOf(all, noon)
			picture, err := tr.png()
			if err != nil || !tr.drawable() {
				t.Fatal(err, tr.drawable())
			}
			img, err := png.Decode(bytes.NewReader(picture))
			if err != nil {
				t.Fatal(err)
			}
			if got := img.Bounds().Size(); got.X != chartWidth || got.Y != chartHeight {
				t.Errorf("it is %v", got)
			}
			if _, _, _, a := img.At(0, 0).RGBA(); a != 0xffff {
				t.Error("its background lets Slack's dark theme through")
			}
		})
	}
	if trendOf(tallies(1, never), noon).drawable() {
		t.Error("one day makes a line")
	}
}
