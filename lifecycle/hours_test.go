package lifecycle_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"rolecall/lifecycle"
)

// office is Monday to Friday from nine to half past five.
var office = lifecycle.Hours{Days: []time.Weekday{1, 2, 3, 4, 5}, From: 9 * time.Hour, To: 17*time.Hour + 30*time.Minute}

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func shows(t testing.TB, text string, zone *time.Location) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("Mon 2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestWorkingTimeIsCountedWhereItIsWorked(t *testing.T) {
	t.Parallel()
	nights := lifecycle.Hours{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, From: 0, To: 4 * time.Hour}
	for name, tt := range map[string]struct {
		hours lifecycle.Hours
		zone  string
		from  string
		after time.Duration
		want  string
	}{
		"within a day":                                   {office, "Europe/London", "Mon 2026-05-04 10:00", 4 * time.Hour, "Mon 2026-05-04 14:00"},
		"over a night":                                   {office, "Europe/London", "Mon 2026-05-04 16:30", 4 * time.Hour, "Tue 2026-05-05 12:00"},
		"over a weekend":                                 {office, "Europe/London", "Fri 2026-05-08 16:30", 4 * time.Hour, "Mon 2026-05-11 12:00"},
		"from before the day begins":                     {office, "Europe/London", "Mon 2026-05-04 03:00", time.Hour, "Mon 2026-05-04 10:00"},
		"from after it has ended":                        {office, "Europe/London", "Mon 2026-05-04 17:30", time.Hour, "Tue 2026-05-05 10:00"},
		"from a weekend":                                 {office, "Europe/London", "Sat 2026-05-09 12:00", time.Hour, "Mon 2026-05-11 10:00"},
		"to the end of a day, and not the next":          {office, "Europe/London", "Fri 2026-05-08 16:30", time.Hour, "Fri 2026-05-08 17:30"},
		"a whole week":                                   {office, "Europe/London", "Mon 2026-05-04 09:00", 5*8*time.Hour + 5*30*time.Minute, "Fri 2026-05-08 17:30"},
		"over clocks put forward at a weekend":           {office, "Europe/Berlin", "Fri 2026-03-27 17:00", time.Hour, "Mon 2026-03-30 09:30"},
		"over clocks put back at a weekend":              {office, "Europe/Berlin", "Fri 2026-10-23 17:00", time.Hour, "Mon 2026-10-26 09:30"},
		"in a night of which an hour is missing":         {nights, "Europe/Berlin", "Sun 2026-03-29 01:00", 3 * time.Hour, "Mon 2026-03-30 01:00"},
		"in a night with an hour twice":                  {nights, "Europe/Berlin", "Sun 2026-10-25 01:00", 4 * time.Hour, "Sun 2026-10-25 04:00"},
		"that ends in the hour that there is twice":      {lifecycle.Hours{Days: nights.Days, To: 2*time.Hour + 30*time.Minute}, "Europe/Berlin", "Sun 2026-10-25 01:00", 2 * time.Hour, "Mon 2026-10-26 00:30"},
		"where a midnight is missing":                    {nights, "America/Sao_Paulo", "Sat 2018-11-03 03:00", 2 * time.Hour, "Sun 2018-11-04 02:00"},
		"where a whole day is missing":                   {nights, "Pacific/Apia", "Thu 2011-12-29 03:00", 2 * time.Hour, "Sat 2011-12-31 01:00"},
		"nothing, which passes at once":                  {office, "Europe/London", "Sat 2026-05-09 12:00", 0, "Sat 2026-05-09 12:00"},
		"without hours":                                  {lifecycle.Hours{}, "Europe/London", "Sat 2026-05-09 12:00", 72 * time.Hour, "Tue 2026-05-12 12:00"},
		"so long that nobody counts the days":            {office, "UTC", "Thu 2026-01-01 00:00", 10 * 8760 * time.Hour, "Sun 2035-12-30 00:00"},
		"with hours that are none, which is all of them": {lifecycle.Hours{Days: []time.Weekday{1}, From: 9 * time.Hour, To: 9 * time.Hour}, "UTC", "Sat 2026-05-09 12:00", time.Hour, "Sat 2026-05-09 13:00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := zoneOf(t, tt.zone)
			got := tt.hours.Add(shows(t, tt.from, zone), tt.after, zone)
			if want := shows(t, tt.want, zone); !got.Equal(want) {
				t.Errorf("got %s, want %s", got.In(zone), want)
			}
		})
	}
}

func TestHoursAreOpenFromTheirFirstMomentToBeforeTheirLast(t *testing.T) {
	t.Parallel()
	london := zoneOf(t, "Europe/London")
	for at, next := range map[string]string{
		"Mon 2026-05-04 09:00": "Mon 2026-05-04 09:00",
		"Mon 2026-05-04 17:29": "Mon 2026-05-04 17:29",
		"Mon 2026-05-04 17:30": "Tue 2026-05-05 09:00",
		"Fri 2026-05-08 17:30": "Mon 2026-05-11 09:00",
		"Mon 2026-05-04 08:59": "Mon 2026-05-04 09:00",
	} {
		is, want := shows(t, at, london), shows(t, next, london)
		if got := office.Next(is.UTC(), london); !got.Equal(want) {
			t.Errorf("after %s got %s, want %s", at, got.In(london), want)
		}
		if got := office.Open(is, london); got != (at == next) {
			t.Errorf("at %s got open %v", at, got)
		}
	}
	if !(lifecycle.Hours{}).Open(shows(t, "Sun 2026-05-03 03:00", london), london) {
		t.Error("got closed without hours, want all hours")
	}
}

func TestHoursSayThemselves(t *testing.T) {
	t.Parallel()
	for want, h := range map[string]lifecycle.Hours{
		"Monday to Friday, 09:00–17:30":  office,
		"every day, 00:00–24:00":         {Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, To: 24 * time.Hour},
		"Monday, Wednesday, 08:05–12:00": {Days: []time.Weekday{3, 1}, From: 8*time.Hour + 5*time.Minute, To: 12 * time.Hour},
		"Saturday, Sunday, 09:00–10:00":  {Days: []time.Weekday{0, 6}, From: 9 * time.Hour, To: 10 * time.Hour},
		"all hours":                      {},
	} {
		if got := h.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// someHours are made of a few numbers, so that a fuzzer can make them too.
func someHours(days uint8, from, length uint16) lifecycle.Hours {
	h := lifecycle.Hours{From: time.Duration(from%1380) * time.Minute}
	h.To = min(h.From+time.Hour+time.Duration(length%1380)*time.Minute, 24*time.Hour)
	for d := range time.Weekday(7) {
		if days&(1<<d) != 0 {
			h.Days = append(h.Days, d)
		}
	}
	return h
}

// checkHours holds the hours against the definition, minute by minute.
func checkHours(t *testing.T, h lifecycle.Hours, at time.Time, d time.Duration, zone *time.Location) {
	t.Helper()
	next, end := h.Next(at, zone), h.Add(at, d, zone)
	if next.Before(at) || !h.Open(next, zone) || next.After(at) && h.Open(at, zone) {
		t.Fatalf("%v in %s: the next after %s is %s", h, zone, at.In(zone), next.In(zone))
	}
	worked := time.Duration(0)
	for m := at; m.Before(end); m = m.Add(time.Minute) {
		open := h.Open(m, zone)
		if open != inHours(h, m.In(zone)) && !shownTwice(m, zone) {
			t.Fatalf("%v in %s: at %s open is %v", h, zone, m.In(zone), open)
		}
		if open {
			worked += time.Minute
		}
		if open && m.Before(next) {
			t.Fatalf("%v in %s: at %s it is open, before %s which is to be the next time", h, zone, m.In(zone), next.In(zone))
		}
	}
	if worked != d {
		t.Fatalf("%v in %s: from %s to %s is %s of working time, want %s", h, zone, at.In(zone), end.In(zone), worked, d)
	}
	if later := h.Add(at, d+time.Minute, zone); !later.After(end) {
		t.Fatalf("%v in %s: a minute more ends at %s, not after %s", h, zone, later, end)
	}
}

// shownTwice reports whether clocks show the same at another moment, because they
// were put back: hours may end at the first.
func shownTwice(m time.Time, zone *time.Location) bool {
	for d := -3 * time.Hour; d <= 3*time.Hour; d += 30 * time.Minute {
		if d != 0 && m.Add(d).In(zone).Format(time.DateTime) == m.In(zone).Format(time.DateTime) {
			return true
		}
	}
	return false
}

// inHours is what hours are, said by what the clock shows.
func inHours(h lifecycle.Hours, local time.Time) bool {
	if h.Always() {
		return true
	}
	read := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	for _, day := range h.Days {
		if day == local.Weekday() {
			return read >= h.From && read < h.To
		}
	}
	return false
}

// zones change their clocks at night, at midnight, by half an hour, or never.
var zones = []string{"UTC", "Europe/London", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Auckland"}

func FuzzHours(f *testing.F) {
	f.Add(uint8(62), uint16(540), uint16(450), uint32(1774746000), uint16(300), uint8(2))
	f.Add(uint8(127), uint16(0), uint16(1380), uint32(1541300000), uint16(2000), uint8(4))
	f.Add(uint8(127), uint16(0), uint16(1387), uint32(1541299928), uint16(2035), uint8(3)) // ends in an hour that there is twice
	f.Add(uint8(1), uint16(120), uint16(0), uint32(1743280000), uint16(90), uint8(6))
	f.Fuzz(func(t *testing.T, days uint8, from, length uint16, at uint32, minutes uint16, zone uint8) {
		start := time.Unix(int64(at), 0).Truncate(time.Minute)
		checkHours(t, someHours(days, from, length), start, time.Duration(minutes%1500)*time.Minute, zoneOf(t, zones[int(zone)%len(zones)]))
	})
}

func TestAnyHoursCountWhatTheClockShows(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 11)) //nolint:gosec // the same cases each time
	for range 300 {
		// From 1990 to 2040: clocks before that were put by odd seconds here and there.
		at := time.Unix(631152000+r.Int64N(50*365*24*3600), 0).Truncate(time.Minute)
		checkHours(t, someHours(uint8(r.UintN(128)), uint16(r.UintN(1500)), uint16(r.UintN(1500))), at,
			time.Duration(r.IntN(1500))*time.Minute, zoneOf(t, zones[r.IntN(len(zones))]))
	}
}

func TestAllDayEveryDayIsAllTheTime(t *testing.T) {
	t.Parallel()
	always := lifecycle.Hours{Days: []time.Weekday{0, 1, 2, 3, 4, 5, 6}, To: 24 * time.Hour}
	r := rand.New(rand.NewPCG(7, 3)) //nolint:gosec // the same cases each time
	for range 500 {
		zone := zoneOf(t, zones[r.IntN(len(zones))])
		at, d := time.Unix(631152000+r.Int64N(50*365*24*3600), r.Int64N(1e9)), time.Duration(r.Int64N(int64(2000*time.Hour)))
		if got := always.Add(at, d, zone); !got.Equal(at.Add(d)) {
			t.Fatalf("in %s, %s after %s: got %s, want %s", zone, d, at, got, at.Add(d))
		}
	}
}

func BenchmarkHoursAdd(b *testing.B) {
	zone := zoneOf(b, "Europe/London")
	at := shows(b, "Fri 2026-05-08 16:30", zone)
	b.ReportAllocs()
	for b.Loop() {
		if !office.Add(at, 72*time.Hour, zone).After(at) {
			b.Fatal("no time passes")
		}
	}
}
