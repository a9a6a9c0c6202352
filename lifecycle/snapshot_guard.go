package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// guard returns nil, or a Refusal that says how the snapshot differs from the
// last more than is ordinary. One that is older can never be taken in, which is
// ErrConflict; anything else is ErrInvalid, and Security may accept it.
func (r Roster) guard(last *SnapshotMark, now time.Time) error {
	var wrong []string
	switch {
	case r.At.After(now.Add(skew)):
		return Refuse(ErrConflict, "it says that it is of %s, which is yet to come: correct the clock that made it", r.At.UTC().Format(time.RFC3339))
	case last != nil && !r.At.After(last.At):
		return Refuse(ErrConflict, "it is of %s, and one of %s was taken in already: send a newer one", r.At.UTC().Format(time.RFC3339), last.At.UTC().Format(time.RFC3339))
	case r.Rows == 0:
		return Refuse(ErrConflict, "it has no rows at all, which cannot be everybody: look at the export that made it")
	case last == nil:
		return nil
	}
	wrong = append(wrong, r.headerDiffers(*last)...)
	if 100*r.Rows < leastRows*last.Rows {
		wrong = append(wrong, fmt.Sprintf("it has %d rows, and the last had %d: fewer than %d %%", r.Rows, last.Rows, leastRows))
	}
	for _, field := range guarded {
		was, is := share(last.Empty[field], last.Rows), share(r.Empty[field], r.Rows)
		if is > was+mostEmptier {
			wrong = append(wrong, fmt.Sprintf("%s is empty in %.1f %% of the rows, and was in %.1f %%", field, is, was))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return Refuse(ErrInvalid, "It differs from the last more than is ordinary: %s. If it is right all the same, somebody of Security can take it in with `rolecall roster import FILE --accept --as EMAIL --reason TEXT`.", strings.Join(wrong, "; "))
}

const (
	leastRows   = 95  // of a hundred that the last had
	mostEmptier = 2.0 // points
)

// guarded are the fields whose emptiness tells of a broken export.
var guarded = [...]string{"status", "emails", "department"}

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

// headerDiffers says which fields are new, and which are missing.
func (r Roster) headerDiffers(last SnapshotMark) []string {
	var wrong []string
	for what, sets := range map[string][2][]string{"misses the field": {last.Fields, r.Fields}, "has a field that the last had not:": {r.Fields, last.Fields}} {
		for _, f := range sets[0] {
			if !slices.Contains(sets[1], f) {
				wrong = append(wrong, fmt.Sprintf("it %s %s", what, f))
			}
		}
	}
	slices.Sort(wrong)
	return wrong
}
