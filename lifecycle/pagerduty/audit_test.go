package pagerduty

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// window is one that was asked about.
type window struct{ Since, Until string }

// asked notes the windows that calls ask about.
type asked struct {
	http.Handler
	windows []window
}

func (x *asked) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	x.windows = append(x.windows, window{q.Get("since"), q.Get("until")})
	x.Handler.ServeHTTP(w, r)
}

// Each window is at most 31 days, and PagerDuty remembers twelve months. In a bubble it is midnight of 1 January 2000.
func TestWindowsOfTheHistory(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for name, tt := range map[string]struct {
		since, until time.Duration // before now
		want         []window
	}{
		"an hour is one call": {time.Hour, 0, []window{{"1999-12-31T23:00:00.000Z", "2000-01-01T00:00:00.000Z"}}},
		"a moment is one call, of whole milliseconds": {
			1500 * time.Microsecond, 1200 * time.Microsecond, []window{{"1999-12-31T23:59:59.998Z", "1999-12-31T23:59:59.999Z"}},
		},
		"no time is no call":       {time.Hour, time.Hour, nil},
		"31 days are one call":     {31 * day, 0, []window{{"1999-12-01T00:00:00.000Z", "2000-01-01T00:00:00.000Z"}}},
		"a little more is another": {31*day + time.Second, 0, []window{{"1999-11-30T23:59:59.000Z", "1999-12-31T23:59:59.000Z"}, {"1999-12-31T23:59:59.000Z", "2000-01-01T00:00:00.000Z"}}},
		"63 days that are over":    {73 * day, 10 * day, []window{{"1999-10-20T00:00:00.000Z", "1999-11-20T00:00:00.000Z"}, {"1999-11-20T00:00:00.000Z", "1999-12-21T00:00:00.000Z"}, {"1999-12-21T00:00:00.000Z", "1999-12-22T00:00:00.000Z"}}},
		"what is forgotten is not asked about": {
			500 * day, 360 * day, []window{{"1999-01-01T00:00:00.000Z", "1999-01-06T00:00:00.000Z"}},
		},
		"what ended before it was remembered is no call": {500 * day, 400 * day, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				_, p, c := bubble(t, pagerdutytest.Config{}, 900)
				x := &asked{Handler: p.Handler}
				p.Handler = x
				if _, err := c.Traces(t.Context(), time.Now().Add(-tt.since), time.Now().Add(-tt.until)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, x.windows); diff != "" {
					t.Errorf("windows (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Over a year, in a bubble, every change is told once: the ones that fall on a cut too.
func TestHistoryOfAYear(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, _, c := bubble(t, pagerdutytest.Config{}, 900)
		a.AddUser(pagerdutytest.User{Name: "Olga", Email: "olga@example.com", Role: pagerdutytest.Owner})
		ann := a.AddUser(pagerdutytest.User{Name: "Ann", Email: "ann@example.com", Role: pagerdutytest.Manager})
		begun := time.Now()
		for i := range 12 {
			if err := a.SetRoleAs("olga@example.com", ann.ID, []string{pagerdutytest.Admin, pagerdutytest.Manager}[i%2]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(31 * 24 * time.Hour / 2)
		}
		got, err := c.Traces(t.Context(), begun, time.Now())
		if err != nil || len(got) != 12 || a.TotalCalls() != 12+6 { // each change counts as a request, too
			t.Fatalf("%d traces and %v after %d calls, want 12", len(got), err, a.TotalCalls())
		}
		for i, tr := range got {
			if want := begun.Add(time.Duration(i) * 31 * 12 * time.Hour); !tr.At.Equal(want) {
				t.Errorf("trace %d is of %s, want %s", i, tr.At, want)
			}
		}
		time.Sleep(300 * 24 * time.Hour)
		if got, err = c.Traces(t.Context(), begun, time.Now()); err != nil || len(got) != 4 {
			t.Errorf("%d traces and %v after ten months more, want the 4 that PagerDuty still has", len(got), err)
		}
	})
}
