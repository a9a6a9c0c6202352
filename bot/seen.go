package bot

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"
)

// seenFor is how long what was seen is remembered, at least: Slack's last
// retry of an event comes five minutes after the first try, and a signed
// request can be replayed for five.
const seenFor = time.Hour

// seenMost is how many keys one generation holds: an hour of 290 presses a
// second. Beyond that the memory of the process counts more than the hour; a
// press that slips through twice is still one decision, by the domain.
const seenMost = 1 << 20

// seen remembers what has been taken in, so that a retry, a replay or the
// same delivery over a second connection is acknowledged and does nothing. It
// keeps two generations, the younger of which is at most an hour old.
type seen struct {
	now  func() time.Time
	most int

	mu         sync.Mutex
	born       time.Time
	young, old map[seenKey]struct{}
}

type seenKey [16]byte

func newSeen(now func() time.Time) *seen {
	return &seen{now: now, most: seenMost, born: now(), young: map[seenKey]struct{}{}}
}

// first reports whether this is the first time that the parts are seen.
func (s *seen) first(parts ...string) bool {
	k := keyOf(parts)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.age()
	_, inYoung := s.young[k]
	_, inOld := s.old[k]
	if inYoung || inOld {
		return false
	}
	s.young[k] = struct{}{}
	return true
}

// forget lets the parts count as unseen: nothing came of them.
func (s *seen) forget(parts ...string) {
	k := keyOf(parts)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.young, k)
	delete(s.old, k)
}

func (s *seen) age() {
	now := s.now()
	if now.Sub(s.born) < seenFor && len(s.young) < s.most {
		return
	}
	s.old, s.young, s.born = s.young, map[seenKey]struct{}{}, now
}

func keyOf(parts []string) seenKey {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return seenKey(sum[:16])
}
