package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// benchChild is the service as a process.
type benchChild struct {
	address string
	pid     int
	stop    func()
}

// start starts TestCrashChild, which nobody kills, and returns when it is ready.
func (h *benchHouse) start() benchChild {
	h.Helper()
	l, err := new(net.ListenConfig).Listen(h.Context(), "tcp", "127.0.0.1:0")
	h.must(err)
	address := l.Addr().String()
	h.must(l.Close())
	rules := filepath.Join(filepath.Dir(h.database), "policy.yaml")
	h.must(os.WriteFile(rules, []byte(crashPolicy), 0o600))
	is := h.slack.Config()
	child := exec.CommandContext(h.Context(), os.Args[0], "-test.run=^TestCrashChild$", "-test.timeout=10m")
	child.Stdout, child.Stderr = &h.log, &h.log
	child.Env = append(os.Environ(), crashAfter+"=0",
		"ROLECALL_DATABASE="+h.database, "ROLECALL_POLICY="+rules, "ROLECALL_LISTEN="+address, "ROLECALL_MODE=enforce",
		"ROLECALL_SLACK_BOT_TOKEN="+is.BotToken, "ROLECALL_SLACK_APP_TOKEN="+is.AppToken, "ROLECALL_SLACK_API_URL="+h.slackURL+"/api/",
		"ROLECALL_PAGERDUTY_TOKEN="+demoToken, "ROLECALL_PAGERDUTY_API_URL="+h.pdURL, "ROLECALL_PAGERDUTY_FROM=owner@acme.test",
		"ROLECALL_WEBHOOK_SECRET="+demoWebhook, "ROLECALL_RECONCILE_SCHEDULE=0 0 1 1 *", "ROLECALL_DIGEST_SCHEDULE=0 0 1 1 *")
	h.must(child.Start())
	stop := sync.OnceFunc(func() {
		_ = child.Process.Kill() // as a machine that is switched off does
		_ = child.Wait()
	})
	h.Cleanup(stop)
	h.until("the service is ready", func() bool { return h.ready(address) })
	return benchChild{address: address, pid: child.Process.Pid, stop: stop}
}

// cpu returns how long the process has kept a core busy.
func (c benchChild) cpu(b *testing.B) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), ") ") // proc(5): field 3 follows the name
	var ticks int64
	for _, field := range strings.Fields(after)[11:13] { // utime and stime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100
}

// memory returns the resident set, in bytes.
func (c benchChild) memory(b *testing.B) int64 {
	b.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kb int64
		if n, _ := fmt.Sscanf(lines.Text(), "VmRSS: %d kB", &kb); n == 1 {
			return kb << 10
		}
	}
	b.Fatal("the process has no VmRSS")
	return 0
}
