package sandbox

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	// settle is how long the stream waits after a change for more of them: one press causes several.
	settle = 40 * time.Millisecond
	// heartbeat keeps the stream open where something between browser and server closes what is silent.
	heartbeat = 15 * time.Second
)

// live tells the browser, as server-sent events, that something has changed; the browser then asks for the panes.
// The first event comes at once: something may have changed while the stream was opened.
func (s *sandbox) live(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	w.Header().Set("Content-Type", "text/event-stream")
	changes := make(chan struct{}, 1)
	var watchers sync.WaitGroup
	defer watchers.Wait()
	defer cancel()
	watchers.Go(func() { s.follow(ctx, s.cfg.Workspace.Version(), s.cfg.Workspace.Wait, changes) })
	if s.cfg.Watch != nil {
		watchers.Go(func() { s.follow(ctx, 0, s.cfg.Watch, changes) })
	}
	out := http.NewResponseController(w)
	if err := out.SetWriteDeadline(time.Time{}); err != nil { // the server's own would cut the stream
		s.cfg.Log.DebugContext(ctx, "lift the write deadline", slog.Any("err", err))
	}
	tell := func(line string) bool {
		_, err := fmt.Fprint(w, line)
		return err == nil && out.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for n := 0; tell("event: change\ndata: " + strconv.Itoa(n) + "\n\n"); n++ {
		if !await(ctx, changes, beat.C, tell) {
			return
		}
	}
}

// await returns true after a change, and false when the browser has gone.
func await(ctx context.Context, changes <-chan struct{}, beat <-chan time.Time, tell func(string) bool) bool {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-beat:
			if !tell(": still here\n\n") {
				return false
			}
		case <-changes:
			return pause(ctx, settle)
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// follow reports every change of one source until ctx ends, or the source fails: then there is nothing to follow.
func (s *sandbox) follow(ctx context.Context, since uint64, wait func(context.Context, uint64) (uint64, error), changes chan<- struct{}) {
	for {
		version, err := wait(ctx, since)
		if err != nil {
			if ctx.Err() == nil {
				s.cfg.Log.WarnContext(ctx, "follow changes", slog.Any("err", err))
			}
			return
		}
		since = version
		select {
		case changes <- struct{}{}:
		default: // one is pending already
		}
	}
}

func formatSeconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
