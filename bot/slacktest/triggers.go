package slacktest

import (
	"fmt"
	"time"
)

// A trigger lives this long and opens one view.
const triggerLife = 3 * time.Second

// triggerMemory is how long the fake can still tell an expired trigger from an invented one.
const triggerMemory = time.Hour

type trigger struct {
	user  string
	at    time.Time
	used  bool
	modal bool // it came from inside a modal, so that views.push may use it
}

// newTrigger issues a trigger to a user's act. The caller holds mu.
func (w *Workspace) newTrigger(userID string, modal bool) string {
	now := w.cfg.Now()
	w.triggerRoom = prune(w.triggers, w.triggerRoom, func(t *trigger) bool { return now.Sub(t.at) > triggerMemory })
	w.serial++
	id := fmt.Sprintf("%d.%d.%08x%s", now.UnixMilli(), 100_000+w.serial, 0x7e57_0000+w.serial, "slacktest")
	w.triggers[id] = &trigger{user: userID, at: now, modal: modal}
	return id
}

// exchange uses a trigger up, or refuses with Slack's code. The caller holds mu.
func (w *Workspace) exchange(id string) (*trigger, error) {
	t := w.triggers[id]
	switch {
	case id == "":
		return nil, invalid("invalid_arguments", "missing required field: trigger_id")
	case t == nil:
		return nil, invalid("invalid_trigger_id")
	case t.used:
		return nil, invalid("exchanged_trigger_id")
	case w.cfg.Now().Sub(t.at) > triggerLife:
		return nil, invalid("expired_trigger_id", fmt.Sprintf("the trigger is %s old", w.cfg.Now().Sub(t.at)))
	}
	t.used = true
	return t, nil
}

// prune drops what is stale once there is no room left, and returns the room there is then: looking at everything
// each time would make every act cost as much as all before it.
func prune[V any](entries map[string]V, room int, stale func(V) bool) int {
	if len(entries) < room {
		return room
	}
	for id, v := range entries {
		if stale(v) {
			delete(entries, id)
		}
	}
	return max(1000, 2*len(entries))
}
