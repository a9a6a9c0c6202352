package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// apart is how long after its first greeting the second connection is made
	// anew, once: what was opened together Slack would end together.
	apart = time.Hour
	// countAgain is how long after an odd count Slack is asked for another: it may
	// not have noticed yet that a connection, or the process before us, has gone.
	countAgain = 2 * time.Minute
	// countStill is that many times longer, while it is known that the count is odd.
	countStill = 5
)

// A link knows which of our Socket Mode connections stand, and what Slack says of
// how many there are.
type link struct {
	replicas int
	patience time.Duration
	anew     [connections]*time.Timer // when each connection is to be made anew

	mu    sync.Mutex
	lines map[*line]bool // ours; true: it stands
	cause error          // why none stands
	count census
}

// A census is what Slack said last of how many connections there are.
type census struct {
	Slack, Ours int
	Odd         bool // it counted more than there can be, once
	Ghosts      int  // that many more, and again when asked for another count
}

func newLink(replicas int, patience time.Duration) *link {
	l := &link{replicas: max(replicas, 1), patience: patience, lines: map[*line]bool{}, cause: errors.New("slack has not greeted us yet")}
	if patience <= 0 {
		l.patience = countAgain
	}
	for i := range l.anew {
		l.anew[i] = time.NewTimer(apart)
		if i == 0 {
			l.anew[i].Stop()
		}
	}
	return l
}

func (l *link) opened(is *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines[is] = false
}

func (l *link) closed(is *line, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.lines, is)
	if cause != nil {
		l.cause = cause
	}
}

func (l *link) set(is *line, up bool, cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ours := l.lines[is]; ours {
		l.lines[is] = up
	}
	if cause != nil {
		l.cause = cause
	}
}

func (l *link) connected() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, up := range l.lines {
		if up {
			return nil
		}
	}
	return fmt.Errorf("slack is not connected: %w", l.cause)
}

// counted takes in that Slack counted so many connections when it greeted the
// line, and returns what is known by that: ghosts only once a second count was as
// odd as the first. Another count is asked for while it is odd.
func (l *link) counted(is *line, slack int) census {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.count
	l.count = census{Slack: slack, Ours: len(l.lines)}
	more := slack - l.count.Ours - (l.replicas-1)*connections
	if more <= 0 {
		return l.count
	}
	l.count.Odd, l.count.Ghosts = true, was.Ghosts
	wait := l.patience
	if was.Odd && is.counts {
		l.count.Ghosts = more
		wait *= countStill
	}
	l.anew[0].Reset(wait)
	return l.count
}

// tally returns how many of our connections stand, and what Slack counts.
func (l *link) tally() (up int, c census) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, stands := range l.lines {
		if stands {
			up++
		}
	}
	return up, l.count
}

// greeted notes that a connection stands. Connections that Slack counts beyond
// ours and the other replicas' are half-open ones that Slack still delivers to:
// what people press is then lost without a trace.
func (b *Bot) greeted(ctx context.Context, is *line, counted int) {
	b.link.set(is, true, nil)
	is.greeted.Do(func() { close(is.hello) })
	t := b.link.counted(is, counted)
	up, _ := b.link.tally()
	b.log.InfoContext(ctx, "slack connected", slog.Int("connection", is.conn), slog.Int("up", up), slog.Int("slack_counts", counted))
	if t.Odd {
		b.log.WarnContext(ctx, "slack counts more connections than rolecall has: some presses may be lost",
			slog.Int("ours", t.Ours), slog.Int("replicas", b.link.replicas), slog.Int("slack_counts", counted), slog.Int("ghosts", t.Ghosts))
	}
	if t.Odd == (t.Ghosts > 0) { // else it is not known yet
		ctx = context.WithoutCancel(ctx)
		if !b.telling.try(func() { b.noteGhosts(ctx, t) }) {
			b.log.WarnContext(ctx, "count of connections not noted: too busy")
		}
	}
}
