package intake

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"rolecall/lifecycle"
)

const (
	linesAMinute = 20 // on the trail, for each path and whether the sender was known
	longestWhy   = 300
	recordWithin = 5 * time.Second
)

// Sources of messages that do not say, or cannot be believed to say, where
// they come from.
const (
	sourceUnverified = "unverified"
	sourceWebhook    = "webhook"
)

// A ledger puts refusals on the record, and a flood of them as one line that
// counts. What strangers send is counted apart from what known sources send,
// so that a flood of forgeries hides nobody's honest mistake.
type ledger struct {
	inbox *lifecycle.Inbox
	now   func() time.Time
	log   *slog.Logger

	mu    sync.Mutex
	pages map[page]*tally
}

type page struct {
	route    string // with its method
	verified bool
	source   string // whose page it is; "": of all who are known, or of all strangers
}

// teller returns the source in whose name the page's count is told.
func (p page) teller() string {
	switch {
	case !p.verified:
		return sourceUnverified
	case p.source != "":
		return p.source
	default:
		return sourceWebhook
	}
}

// tally is what happened on a page in the minute that began at since.
type tally struct {
	since         time.Time
	written, left int
}

// A line is something for the trail.
type line struct {
	page        page
	source, why string
	counts      int // of refusals that it stands for
}

func newLedger(inbox *lifecycle.Inbox, now func() time.Time, log *slog.Logger) *ledger {
	return &ledger{inbox: inbox, now: now, log: log, pages: map[page]*tally{}}
}

// refuse puts one refusal on the record, or counts it when the minute is full.
func (l *ledger) refuse(ctx context.Context, p page, source, why string) {
	if l.hasRoom(p) {
		l.write(ctx, line{page: p, source: source, why: clip(p.route+": "+why, longestWhy), counts: 1})
	}
}

func (l *ledger) hasRoom(p page) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.pages[p]
	if !ok {
		t = &tally{since: l.now()}
		l.pages[p] = t
	}
	if t.written == linesAMinute {
		t.left++
		return false
	}
	t.written++
	return true
}

// settle writes the counts of minutes that are over, or of all when now.
func (l *ledger) settle(ctx context.Context, all bool) {
	for _, line := range l.over(all) {
		l.write(ctx, line)
	}
}

func (l *ledger) over(all bool) []line {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []line
	now := l.now()
	for p, t := range l.pages {
		if age := now.Sub(t.since); !all && age >= 0 && age < time.Minute {
			continue // a negative age is a clock that was set back
		}
		if t.left > 0 {
			why := fmt.Sprintf("%s: %d more were refused since %s and are not listed one by one", p.route, t.left, t.since.UTC().Format(time.RFC3339))
			lines = append(lines, line{page: p, source: p.teller(), why: why, counts: t.left})
		}
		delete(l.pages, p)
	}
	return lines
}

// write outlives a sender who hangs up. What cannot be written is counted, and
// told with the next count.
func (l *ledger) write(ctx context.Context, n line) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordWithin)
	defer cancel()
	err := l.inbox.Refused(ctx, n.source, n.why)
	if err == nil {
		return
	}
	l.log.ErrorContext(ctx, "record a refusal", slog.String("route", n.page.route), slog.Int("refusals", n.counts), slog.Any("err", err))
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.pages[n.page]
	if !ok {
		t = &tally{since: l.now()}
		l.pages[n.page] = t
	}
	t.left += n.counts
}

// neighbourhood returns where a stranger's request came from, no closer than a
// /24 or a /64: enough to find a flood by, and nobody's address.
func neighbourhood(r *http.Request) string {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "an unknown address"
	}
	addr, bits := from.Addr().Unmap().WithZone(""), 64
	if addr.Is4() {
		bits = 24
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return "an unknown address"
	}
	return prefix.String()
}
