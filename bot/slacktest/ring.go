package slacktest

// ring remembers the newest entries, up to a limit, so that a long demo does not grow without end.
type ring[T any] struct {
	entries []T
	start   int
	limit   int
}

func newRing[T any](limit int) ring[T] {
	return ring[T]{limit: limit}
}

func (r *ring[T]) add(entry T) {
	if len(r.entries) < r.limit {
		r.entries = append(r.entries, entry)
		return
	}
	r.entries[r.start] = entry
	r.start = (r.start + 1) % r.limit
}

// all returns a copy, oldest first.
func (r *ring[T]) all() []T {
	out := make([]T, 0, len(r.entries))
	out = append(out, r.entries[r.start:]...)
	return append(out, r.entries[:r.start]...)
}
