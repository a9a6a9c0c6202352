package bot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// tellReach tells a joiner what is missing before they can be paged, again
// whenever that has changed, and once that nothing is missing any more. Somebody
// who lacked nothing from the start is not told so.
func (o *outbound) tellReach(ctx context.Context, s scene) error {
	m := cardMaker{frame: s.frame, r: s.r}
	if s.r.Reach == nil || s.r.State != lifecycle.Done || s.r.Observe || s.r.Subject.ID == "" {
		return nil
	}
	told := s.under(subjectKey(s.r.ID, "reach/"))
	key, was, due := reachDue(s.r, told)
	if !due {
		return nil
	}
	channel, err := o.dmTo(ctx, s.r.Subject.Email)
	if errors.Is(err, errNotInSlack) || unreachable(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = o.deliver(ctx, parcel{Key: key, Request: s.r.ID, Channel: channel, Revision: s.r.Revision, Message: message{Text: m.reach()}}, was)
	if unreachable(err) {
		return nil
	}
	return err
}

// reachDue returns the key under which the reach of r is to be told, and what
// is known of that message; or false when what was told last still stands.
func reachDue(r lifecycle.Request, told []lifecycle.Message) (key string, was lifecycle.Message, due bool) {
	missing := slices.Sorted(slices.Values(r.Reach.Missing))
	sum := sha256.Sum256([]byte(strings.Join(missing, "\x00")))
	state := "whole"
	if len(missing) > 0 {
		state = hex.EncodeToString(sum[:6])
	}
	n := len(told)
	if n == 0 {
		return subjectKey(r.ID, "reach/1/"+state), was, len(missing) > 0
	}
	if last := told[n-1]; strings.HasSuffix(last.Key, "/"+state) {
		return last.Key, last, last.TS == "" // it was interrupted
	}
	return subjectKey(r.ID, fmt.Sprintf("reach/%d/%s", n+1, state)), was, true
}

// reach says whether they can be paged, what to do before, and when it matters.
func (m cardMaker) reach() string {
	r := m.r.Reach
	if len(r.Missing) == 0 {
		return strings.TrimSpace("You can be paged now. " + m.firstShift())
	}
	words := []string{"You cannot be paged by PagerDuty yet."}
	for _, todo := range r.Missing {
		words = append(words, foreign(fullStop(todo), maxPhrase))
	}
	return strings.TrimSpace(strings.Join(append(words, m.firstShift()), " "))
}

// firstShift says when they are on call next, where that is known.
func (m cardMaker) firstShift() string {
	var first time.Time
	for _, d := range m.r.Duties {
		for _, s := range d.Shifts {
			switch {
			case !s.Until.IsZero() && !s.Until.After(m.now):
			case !s.From.After(m.now):
				return "You are on call now."
			case first.IsZero() || s.From.Before(first):
				first = s.From
			}
		}
	}
	if first.IsZero() {
		return ""
	}
	return "Your next shift begins " + m.date(first) + "."
}
