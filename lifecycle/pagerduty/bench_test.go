package pagerduty_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// A size is how big a company is. Each team that is not quiet has members, a policy and a schedule of layers; every tenth
// has a shift-based schedule too.
type size struct{ Users, Teams, Quiet int }

func (s size) shifts() int { return (s.Teams + 9) / 10 }

// floor is how few calls the company can be read with: pages of users, teams, policies and of both kinds of schedule, each
// shift-based schedule, and the members of each team that has some.
func (s size) floor() int {
	pages := func(n, of int) int { return max(1, (n+of-1)/of) }
	return pages(s.Users, 100) + pages(s.Teams+s.Quiet, 100) + s.Teams*pages(s.Users*11/10/s.Teams, 100) +
		2*pages(s.Teams, 100) + pages(s.shifts(), 1000) + s.shifts()
}

// company adds the crowd and what it is on call by, and returns the id of somebody in the middle.
func (s size) company(a *pagerdutytest.Account) string {
	a.AddUser(pagerdutytest.User{ID: owner, Name: "Olga Owner", Email: "olga@example.com", Role: pagerdutytest.Owner})
	crowd(a, s.Users-1, s.Teams)
	for i := range s.Quiet {
		a.AddTeam(pagerdutytest.Team{Name: fmt.Sprintf("Quiet %03d", i)})
	}
	all := a.Users()
	for i := range s.Teams {
		var on []string
		for k := range 6 {
			on = append(on, all[(i+k*s.Teams)%len(all)].ID)
		}
		layers := a.AddSchedule(pagerdutytest.Schedule{Name: fmt.Sprintf("Primary %03d", i), Layers: []pagerdutytest.Layer{{UserIDs: on[:4]}}})
		targets := []pagerdutytest.Target{pagerdutytest.ScheduleTarget(layers.ID)}
		if i%10 == 0 {
			shifts := a.AddShiftSchedule(pagerdutytest.ShiftSchedule{Name: fmt.Sprintf("Nights %03d", i), Rotations: []pagerdutytest.Rotation{
				{Events: []pagerdutytest.Event{{Members: on[2:6]}}},
			}})
			targets = append(targets, pagerdutytest.ShiftScheduleTarget(shifts.ID))
		}
		a.AddEscalationPolicy(pagerdutytest.EscalationPolicy{Name: fmt.Sprintf("Policy %03d", i), Rules: []pagerdutytest.Rule{
			{Targets: targets}, {Targets: []pagerdutytest.Target{pagerdutytest.UserTarget(on[0]), pagerdutytest.UserTarget(on[1])}},
		}})
	}
	return all[0].ID
}

const (
	latency = 50 * time.Millisecond
	owner   = "POWNER0"
)

// A servedCompany is one that another process serves, so that its memory is not taken for ours.
type servedCompany struct {
	URL, Somebody string
	keys          int
}

const servesCompany = "ROLECALL_TEST_SERVES"

// TestServeCompany is no test: it is the other process.
func TestServeCompany(t *testing.T) {
	spec := os.Getenv(servesCompany)
	if spec == "" {
		return // nobody asked for it
	}
	var s size
	must(json.Unmarshal([]byte(spec), &s))
	keys := map[string]string{}
	for i := range 100 {
		keys["key-"+strconv.Itoa(i)] = owner
	}
	a := pagerdutytest.New(pagerdutytest.Config{Latency: latency, UserTokens: keys})
	somebody := s.company(a)
	url, err := a.Start()
	must(err)
	fmt.Printf("\nSERVES %s %s\n", url, somebody)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the other side goes
}

func serve(b *testing.B, s size) *servedCompany {
	b.Helper()
	spec, err := json.Marshal(s)
	must(err)
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^TestServeCompany$", "-test.v")
	cmd.Env = append(os.Environ(), servesCompany+"="+string(spec))
	out, err := cmd.StdoutPipe()
	must(err)
	in, err := cmd.StdinPipe()
	must(err)
	must(cmd.Start())
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // how it ends is no part of what is measured
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == "SERVES" {
			return &servedCompany{URL: f[1], Somebody: f[2]}
		}
	}
	b.Fatal("the company is not served")
	return nil
}

// client has a key of its own, and with it a minute of its own, and counts its calls.
func (s *servedCompany) client(b *testing.B, calls *counted) *pagerduty.Client {
	key := "key-" + strconv.Itoa(s.keys)
	s.keys++
	calls.next = http.DefaultTransport
	return client(b, s.URL, key, func(cfg *pagerduty.Config) { cfg.Transport, cfg.Concurrency = calls, 8 })
}

// BenchmarkSnapshot reads whole companies at 50 ms a call with 8 calls under way. The largest paces itself for some
// minutes under PagerDuty's limit, and is read only when ROLECALL_BENCH_LONG is set.
func BenchmarkSnapshot(b *testing.B) {
	for _, s := range []size{{1000, 50, 0}, {1000, 50, 500}, {10_000, 500, 0}, {100_000, 5000, 0}} {
		b.Run(fmt.Sprintf("users=%d/teams=%d/quiet=%d", s.Users, s.Teams, s.Quiet), func(b *testing.B) {
			if s.Users > 10_000 && os.Getenv("ROLECALL_BENCH_LONG") == "" {
				b.Skip("takes minutes: set ROLECALL_BENCH_LONG")
			}
			from := serve(b, s)
			var calls counted
			idle := restingMemory(b)
			b.ResetTimer()
			for range b.N {
				got, err := from.client(b, &calls).Snapshot(context.Background())
				if err != nil || len(got.Accounts) != s.Users || len(got.Coverage.Rotas) != s.Teams+s.shifts() {
					b.Fatalf("snapshot: %d accounts, %d rotas, %v", len(got.Accounts), len(got.Coverage.Rotas), err)
				}
			}
			b.StopTimer()
			n := float64(calls.n.Load()) / float64(b.N)
			b.ReportMetric(n, "calls/op")
			b.ReportMetric(n/float64(s.floor()), "calls/floor")
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/op")
			b.ReportMetric(float64(calls.refused.Load()), "429s")
			b.ReportMetric(peakMemory(b)-idle, "MB-peak")
		})
	}
}

// BenchmarkHoldings reads what hangs on one account of a company of 500 teams, 50 of which work in shifts.
func BenchmarkHoldings(b *testing.B) {
	s := size{10_000, 500, 0}
	from := serve(b, s)
	var calls counted
	c := from.client(b, &calls)
	b.ResetTimer()
	for range b.N {
		h, err := c.Holdings(context.Background(), lifecycle.AccountID(from.Somebody))
		if err != nil || len(h.Duties) == 0 {
			b.Fatalf("holdings: %+v, %v", h, err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(calls.n.Load())/float64(b.N), "calls/op")
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/op")
}

// restingMemory returns how many MB the process has with nothing to do, and lets its peak be counted from now.
func restingMemory(b *testing.B) float64 {
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Logf("the peak of memory cannot be counted here: %v", err)
	}
	return memory(b, "VmRSS:")
}

func peakMemory(b *testing.B) float64 { return memory(b, "VmHWM:") }

func memory(b *testing.B, key string) float64 {
	all, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0 // not Linux
	}
	for line := range bytes.Lines(all) {
		if f := strings.Fields(string(line)); len(f) > 1 && f[0] == key {
			kb, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	return 0
}

// The budget of calls is held by a test too, since nobody reads benchmarks.
func TestSnapshotNeedsFewCalls(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	s := size{1000, 50, 20}
	s.company(a)
	snapshot(t, c)
	if got, most := float64(a.TotalCalls()), 1.02*float64(s.floor()); got > most {
		t.Errorf("%.0f calls, want at most %.1f", got, most)
	}
}
