package lifecycle_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// nine strikes at nine every morning, where it is.
type nine struct{ in *time.Location }

func (n nine) Next(t time.Time) time.Time {
	local := t.In(n.in)
	next := time.Date(local.Year(), local.Month(), local.Day(), 9, 0, 0, 0, n.in)
	if !next.After(t) {
		next = time.Date(local.Year(), local.Month(), local.Day()+1, 9, 0, 0, 0, n.in)
	}
	return next
}

func (h *house) digests(in *time.Location) *lifecycle.Digests {
	return lifecycle.NewDigests(h.store, h.desk(), h.directory(), h, nine{in}, h.now)
}

func TestWhenDigestsAreDue(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, berlin)
	}
	for name, tt := range map[string]struct {
		start time.Time
		looks []time.Time // each by a process that has just started
		due   []bool
	}{
		"nobody is sent one the moment they are named": {at(5, 4, 9, 30), []time.Time{at(5, 4, 9, 30)}, []bool{false}},
		"the next stroke is theirs, once":              {at(5, 4, 9, 30), []time.Time{at(5, 5, 8, 59), at(5, 5, 9, 0), at(5, 5, 9, 1)}, []bool{false, true, false}},
		"what was missed while down is sent once":      {at(5, 4, 9, 30), []time.Time{at(5, 8, 15, 0), at(5, 8, 16, 0), at(5, 9, 9, 0)}, []bool{true, false, true}},
		"in the night the clocks go forward":           {at(3, 28, 9, 30), []time.Time{at(3, 29, 8, 59), at(3, 29, 9, 0), at(3, 30, 8, 59), at(3, 30, 9, 0)}, []bool{false, true, false, true}},
		"in the night the clocks go back":              {at(10, 24, 9, 30), []time.Time{at(10, 25, 8, 59), at(10, 25, 9, 0), at(10, 26, 8, 59), at(10, 26, 9, 0)}, []bool{false, true, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.pass(tt.start.Sub(h.now()))
			_, err := h.digests(berlin).Due(t.Context()) // everybody is new
			must(t, err)
			var got []bool
			for _, look := range tt.looks {
				h.pass(look.Sub(h.now()))
				due, err := h.digests(berlin).Due(t.Context())
				must(t, err)
				got = append(got, len(due) > 0)
				for _, email := range due {
					must(t, h.digests(berlin).Sent(t.Context(), email, "sent"))
				}
			}
			if diff := cmp.Diff(tt.due, got); diff != "" {
				t.Errorf("due (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADigestIsEmptyWhenThereIsNothingToSay(t *testing.T) {
	t.Parallel()
	h, f := drifted(t)
	for name, tt := range map[string]struct{ waiting, findings int }{
		"marco@acme.test": {1, 1}, // owns Payments, which Ben is on
		"omar@acme.test":  {0, 0},
		"priya@acme.test": {1, 1}, // security is asked too, for only they can keep an admin
	} {
		d, err := h.digests(time.UTC).Compose(t.Context(), name)
		if len(d.Waiting) != tt.waiting || len(d.Findings) != tt.findings || d.Empty() != (tt.waiting+tt.findings == 0) || err != nil {
			t.Errorf("%s: %d waiting, %d findings, empty %t, %v; want %+v", name, len(d.Waiting), len(d.Findings), d.Empty(), err, tt)
		}
	}
	r := h.request(t, f.Request)
	_, err := h.press(t, r, "priya", lifecycle.Deny, "covers for Sam")
	must(t, err)
	h.pass(85 * day)
	h.call(t)
	d, err := h.digests(time.UTC).Compose(t.Context(), "marco@acme.test")
	must(t, err)
	if len(d.Ending) != 1 || d.Ending[0].Finding != f.ID || len(d.Waiting) != 0 {
		t.Errorf("five days before the exception ends: %+v", d)
	}
}

func TestADigestOfNobodyKnownIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	if _, err := h.digests(time.UTC).Compose(t.Context(), "eve@acme.test"); lifecycle.ReasonOf(err) == "" {
		t.Errorf("got %v, want a refusal", err)
	}
}
