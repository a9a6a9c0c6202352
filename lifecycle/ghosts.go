package lifecycle

import "time"

// GhostsKey is the key under which it is remembered that Slack delivers to
// connections that nobody answers on.
const GhostsKey = "slack/ghosts"

// GhostsSince returns since when Slack delivers to connections that nobody answers
// on, by what is remembered under GhostsKey, or the zero time: it does not. Of an
// odd revision it does.
func GhostsSince(m Message) time.Time {
	if m.Revision%2 == 0 {
		return time.Time{}
	}
	return m.Intended
}
