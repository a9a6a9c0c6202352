package pagerdutytest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestRecurrences(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rule []string
		want []string // of March 2026, from Monday the 2nd at 09:00 in New York, eight hours each
	}{
		"weekly":              {[]string{"RRULE:FREQ=WEEKLY"}, []string{"02 14:00", "09 13:00", "16 13:00"}}, // summer begins on the 8th
		"every other week":    {[]string{"RRULE:FREQ=WEEKLY;INTERVAL=2"}, []string{"02 14:00", "16 13:00"}},
		"on two days":         {[]string{"RRULE:FREQ=WEEKLY;BYDAY=MO,FR"}, []string{"02 14:00", "06 14:00", "09 13:00", "13 13:00", "16 13:00"}},
		"daily, three times":  {[]string{"RRULE:FREQ=DAILY;COUNT=3"}, []string{"02 14:00", "03 14:00", "04 14:00"}},
		"daily up to a time":  {[]string{"RRULE:FREQ=DAILY;UNTIL=20260303T140000Z"}, []string{"02 14:00", "03 14:00"}},
		"on days of the week": {[]string{"RRULE:FREQ=DAILY;BYDAY=SU"}, []string{"08 13:00", "15 13:00"}},
		"one left out":        {[]string{"RRULE:FREQ=WEEKLY", "EXDATE:20260309T130000Z"}, []string{"02 14:00", "16 13:00"}},
		"one added":           {[]string{"RRULE:FREQ=WEEKLY;COUNT=2", "RDATE:20260305T000000Z,20260314T000000Z"}, []string{"02 14:00", "05 00:00", "09 13:00", "14 00:00"}},
		"monthly":             {[]string{"RRULE:FREQ=MONTHLY"}, []string{"02 14:00"}},
		"every hundred hours": {[]string{"RRULE:FREQ=HOURLY;INTERVAL=100"}, []string{"02 14:00", "06 18:00", "10 22:00", "15 02:00", "19 06:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := pagerdutytest.New(pagerdutytest.Config{})
			begin := time.Date(2026, 3, 2, 14, 0, 0, 0, time.UTC)
			s := a.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: "S", Rotations: []pagerdutytest.Rotation{{Events: []pagerdutytest.Event{{
				Start: begin, End: begin.Add(8 * time.Hour), TimeZone: "America/New_York", Recurrence: tt.rule, Members: populate(a, 1),
			}}}}})
			var got []string
			for _, x := range a.Shifts(s.ID, begin, begin.AddDate(0, 0, 17)) {
				got = append(got, x.From.Format("02 15:04"))
				if x.To.Sub(x.From) != 8*time.Hour {
					t.Errorf("the shift of %s ends at %s", x.From, x.To)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What the fake cannot follow it refuses, rather than show somebody on call who is not.
func TestRecurrencesThatAreRefused(t *testing.T) {
	t.Parallel()
	a, c, ids, s, events := shifty(t)
	put(t, a, events+"/"+s.Rotations[0].Events[0].ID, `{"event":{"effective_until":"`+stamp(c.now().Add(time.Minute))+`"}}`)
	for rule, want := range map[string]string{
		"FREQ=DAILY":                   `400 event.recurrence: "FREQ=DAILY" is not RRULE, EXDATE or RDATE`,
		"RRULE:FREQ=YEARLY":            `400 event.recurrence: RRULE: FREQ "YEARLY" is not HOURLY, DAILY, WEEKLY or MONTHLY`,
		"RRULE:FREQ=MONTHLY;BYDAY=1MO": `400 event.recurrence: RRULE: BYDAY "1MO" is not a day of the week`,
		"RRULE:FREQ=DAILY;BYHOUR=9":    `400 event.recurrence: RRULE: the part "BYHOUR" is not supported`,
		"RRULE:FREQ=DAILY;INTERVAL=0":  `400 event.recurrence: RRULE: INTERVAL and COUNT must be positive`,
		"RDATE:tomorrow":               `400 event.recurrence: "tomorrow" is not a time such as 20260131T120000Z`,
	} {
		body := eventBody(s.Rotations[0].Events[0], func(e *pagerdutytest.Event) { e.Recurrence, e.Members = []string{rule}, ids })
		if got := saidOfShifts(t, a, "POST", events, body); got != want {
			t.Errorf("%s: got %s, want %s", rule, got, want)
		}
	}
}
