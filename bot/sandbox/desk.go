package sandbox

import (
	"crypto/rand"
	"maps"
	"slices"
	"sync"
)

// maxNotes is how many notes are kept for pages that have not asked for them.
const maxNotes = 100

// desk is what a browser would remember for each person: what they have read, what they dismissed, and the notes
// that acts leave for the page that follows them.
type desk struct {
	mu        sync.Mutex
	read      map[string]string                         // user and conversation → timestamp of the newest message seen there
	dismissed map[string]bool                           // user and timestamp
	ticked    map[string]bool                           // steps that were taken
	chosen    map[string]map[string]map[string][]string // user and timestamp → block → action → what they chose on a message
	notes     map[string]note
	order     []string // of the notes, oldest first
}

// note is a line shown once, after an act.
type note struct {
	Words string
	Good  bool
}

func newDesk() *desk {
	return &desk{read: map[string]string{}, dismissed: map[string]bool{}, ticked: map[string]bool{}, chosen: map[string]map[string]map[string][]string{}, notes: map[string]note{}}
}

// markRead notes that a person has seen a conversation up to a timestamp.
func (d *desk) markRead(user, channel, ts string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if key := user + " " + channel; ts > d.read[key] {
		d.read[key] = ts
	}
}

func (d *desk) lastRead(user, channel string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.read[user+" "+channel]
}

func (d *desk) dismiss(user, ts string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dismissed[user+" "+ts] = true
}

func (d *desk) isDismissed(user, ts string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dismissed[user+" "+ts]
}

func (d *desk) tick(step string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ticked[step] = true
}

func (d *desk) isTicked(step string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ticked[step]
}

// choose notes what a person chose in an element of a message; Slack shows it until the message changes.
func (d *desk) choose(user, ts, block, action string, picks []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := user + " " + ts
	if d.chosen[key] == nil {
		d.chosen[key] = map[string]map[string][]string{}
	}
	if d.chosen[key][block] == nil {
		d.chosen[key][block] = map[string][]string{}
	}
	d.chosen[key][block][action] = slices.Clone(picks)
}

// choices returns a copy of what a person chose on a message, by block and action.
func (d *desk) choices(user, ts string) map[string]map[string][]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]map[string][]string{}
	for block, actions := range d.chosen[user+" "+ts] {
		out[block] = maps.Clone(actions)
	}
	return out
}

// leave keeps a note and returns the name under which the next page finds it.
func (d *desk) leave(n note) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := rand.Text()
	d.notes[id] = n
	d.order = append(d.order, id)
	if len(d.order) > maxNotes {
		delete(d.notes, d.order[0])
		d.order = slices.Delete(d.order, 0, 1)
	}
	return id
}

func (d *desk) note(id string) (note, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, ok := d.notes[id]
	return n, ok
}
