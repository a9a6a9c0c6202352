package policy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// A Watch is how a policy file is watched.
type Watch struct {
	Path   string
	Every  time.Duration    // how often the file and the store are looked at
	Now    <-chan os.Signal // look at once; nil: never asked to
	Switch *lifecycle.PolicySwitch
	Log    *slog.Logger
}

// Watch offers the file to the switch when it has changed, and adopts whatever is
// in force, until ctx ends. A change counts once two looks in a row have seen it,
// because an editor may have written half of it; the first look, and one that was
// asked for, counts at once. What goes wrong is logged, once until it changes,
// and looked at again: the policy in force stays meanwhile.
func (l *Live) Watch(ctx context.Context, w Watch) {
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	s := watcher{Watch: w, live: l}
	for atOnce := true; ; {
		s.report(ctx, s.look(ctx, atOnce))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			atOnce = false
		case <-w.Now:
			atOnce = true
		}
	}
}

// digest is that of a text, and the zero one that of none.
type digest [sha256.Size]byte

type watcher struct {
	Watch
	live    *Live
	seen    digest // in the last look
	offered digest // to the switch, which has answered
	trouble string // that was logged last
}

func (w *watcher) look(ctx context.Context, atOnce bool) error {
	return errors.Join(w.offer(ctx, atOnce), w.adopt(ctx))
}

func (w *watcher) offer(ctx context.Context, atOnce bool) error {
	b, err := read(w.Path)
	if err != nil {
		w.seen = digest{}
		return fmt.Errorf("read policy: %w", err)
	}
	is := digest(sha256.Sum256(b))
	settled := atOnce || is == w.seen
	w.seen = is
	if is == w.offered || !settled {
		return nil
	}
	out, err := w.Switch.Offer(ctx, string(b))
	if err != nil {
		return fmt.Errorf("judge the policy file: %w", err)
	}
	w.offered = is
	level := slog.LevelInfo
	if out.Outcome == lifecycle.SwitchHeld || out.Outcome == lifecycle.SwitchRefused {
		level = slog.LevelWarn
	}
	w.Log.Log(ctx, level, "policy file judged", slog.String("outcome", string(out.Outcome)), slog.String("policy", out.SHA256), slog.String("why", out.Why), slog.String("hold", string(out.Hold)))
	return nil
}

func (w *watcher) adopt(ctx context.Context) error {
	written, resolved, changed, err := w.Switch.Adopt(ctx, w.live.Written().SHA256)
	if err != nil || !changed {
		return err
	}
	w.live.Adopt(written, resolved)
	w.Log.InfoContext(ctx, "policy in force", slog.String("policy", written.SHA256))
	if file := hex.EncodeToString(w.seen[:]); w.seen != (digest{}) && file != written.SHA256 {
		w.Log.WarnContext(ctx, "the policy file here says something else than the policy in force; it is judged when it changes, or at the next start", slog.String("file", file))
	}
	return nil
}

// report logs what went wrong, once while it stays the same.
func (w *watcher) report(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		w.trouble = ""
		return
	}
	if words := err.Error(); words != w.trouble {
		w.trouble = words
		w.Log.ErrorContext(ctx, "watch policy", slog.String("path", w.Path), slog.Any("err", err))
	}
}

// Reader returns what reads a text as the policy file of that name. What is wrong
// with it is a lifecycle.Refusal that says the first mistakes in words, and is
// Mistakes beneath.
func Reader(name string) func(text string) (lifecycle.Policy, error) {
	return func(text string) (lifecycle.Policy, error) {
		p, err := Parse(name, []byte(text))
		if ms, wrong := errors.AsType[Mistakes](err); wrong {
			return p, &lifecycle.Refusal{Kind: ms, Reason: ms.brief()}
		}
		return p, err
	}
}

const briefly = 5 // mistakes that are said where there is little room

// brief says the first mistakes, and how many more there are.
func (ms Mistakes) brief() string {
	var words []string
	for _, m := range ms[:min(len(ms), briefly)] {
		words = append(words, m.String())
	}
	if more := len(ms) - briefly; more > 0 {
		words = append(words, fmt.Sprintf("and %d more, which rolecall policy check says", more))
	}
	return strings.Join(words, "; ")
}
