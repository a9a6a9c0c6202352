package intake

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// Format is how a roster is written down.
type Format string

// The formats: comma-separated values with a header (RFC 4180), or one JSON
// object a line.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// FormatOf returns the format that a file's name says it has, or a Refusal.
func FormatOf(name string) (Format, error) {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".csv":
		return CSV, nil
	case ".jsonl", ".ndjson":
		return JSONL, nil
	default:
		return "", lifecycle.Refuse(lifecycle.ErrInvalid, "%q is no roster by its name: it must end in .csv, .jsonl or .ndjson", name)
	}
}

const largestRoster = 64 << 20 // bytes

// ReadRoster returns a fact for each row of a roster that source said at the
// time at, such as the time its file was written. It never returns some of
// them: a roster with a mistake is a Refusal that lists the first hundred as
// row:column, with rows as a spreadsheet numbers them and columns from 1. Any
// other error is of r. The event id of a fact is made from its row and from
// at, so that the same file taken in twice says nothing new.
func ReadRoster(r io.Reader, format Format, source string, at time.Time) ([]lifecycle.Fact, error) {
	if source == "" || at.IsZero() {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "a roster needs the name of its source and the time at which it was so")
	}
	roster := &roster{source: source, at: at.UTC(), rowOf: map[string]int{}}
	in := bufio.NewReader(&capped{from: r, left: largestRoster})
	if err := startsWell(in); err != nil {
		return nil, err
	}
	var err error
	switch format {
	case CSV:
		err = roster.readCSV(in)
	case JSONL:
		err = roster.readJSONL(in)
	default:
		err = lifecycle.Refuse(lifecycle.ErrInvalid, "roster format %q is not csv or jsonl", format)
	}
	if err == nil {
		err = roster.refusal()
	}
	if err != nil {
		return nil, err
	}
	return roster.facts, nil
}

// startsWell drops a byte order mark of UTF-8 and refuses one of UTF-16, which
// is what a spreadsheet calls "Unicode text".
func startsWell(in *bufio.Reader) error {
	head, err := in.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read roster: %w", err)
	}
	switch {
	case bytes.Equal(head, []byte("\xef\xbb\xbf")):
		if _, err := in.Discard(len(head)); err != nil {
			return fmt.Errorf("read roster: %w", err)
		}
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return lifecycle.Refuse(lifecycle.ErrInvalid, "the roster is UTF-16; save it as CSV UTF-8")
	}
	return nil
}

// roster gathers facts and mistakes while a file is read.
type roster struct {
	source string
	at     time.Time
	facts  []lifecycle.Fact
	rowOf  map[string]int // employee id → its row
	wrong  []lifecycle.FieldError
	count  int // of mistakes, listed or not
}

func (r *roster) blame(wrong ...lifecycle.FieldError) {
	r.count += len(wrong)
	room := mostMistakes - len(r.wrong)
	r.wrong = append(r.wrong, wrong[:min(len(wrong), room)]...)
}

func (r *roster) blameRow(row int, format string, args ...any) {
	r.blame(lifecycle.FieldError{Path: fmt.Sprint(row), Message: fmt.Sprintf(format, args...)})
}

// take reads one row, whose members stand in the columns that column returns.
func (r *roster) take(row int, o object, column func(at int) int) error {
	f := &form{object: o, place: func(name string, at int, message string) lifecycle.FieldError {
		where := fmt.Sprint(row)
		if at >= 0 {
			where = fmt.Sprintf("%d:%d", row, column(at))
		}
		return lifecycle.FieldError{Path: where, Message: name + ": " + message}
	}}
	fact := readPerson(f)
	id := fact.Person.EmployeeID
	if first, twice := r.rowOf[id]; twice && id != "" {
		f.blame("employee_id", "%s is in row %d already", id, first)
	}
	r.rowOf[id] = row
	if len(f.wrong) > 0 {
		r.blame(f.wrong...)
		return nil
	}
	return r.keep(fact)
}

func (r *roster) keep(fact lifecycle.Fact) error {
	canonical, err := json.Marshal(fact) // neither source, event nor times are set yet
	if err != nil {
		return fmt.Errorf("digest row of %s: %w", fact.Person.EmployeeID, err)
	}
	sum := sha256.Sum256(canonical)
	fact.SHA256 = hex.EncodeToString(sum[:])
	event := sha256.Sum256([]byte(fact.SHA256 + r.at.Format(time.RFC3339Nano)))
	fact.Source, fact.ObservedAt, fact.EventID = r.source, r.at, "row_"+hex.EncodeToString(event[:16])
	r.facts = append(r.facts, fact)
	return nil
}

func (r *roster) refusal() error {
	switch {
	case r.count > 0:
		reason := fmt.Sprintf("the roster has mistakes, of which the first is at %s: %s. Nothing was taken in", r.wrong[0].Path, r.wrong[0].Message)
		if r.count > len(r.wrong) {
			reason += fmt.Sprintf("; %d of %d mistakes are listed", len(r.wrong), r.count)
		}
		return &lifecycle.Refusal{Kind: lifecycle.ErrInvalid, Reason: reason, Fields: r.wrong}
	case len(r.facts) == 0:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "the roster has no rows")
	default:
		return nil
	}
}

// capped reads no more than what is left, and says so instead of ending: a
// file that was cut off must not look like a shorter one.
type capped struct {
	from io.Reader
	left int
}

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.from.Read(p[:min(len(p), c.left+1)])
	if c.left -= n; c.left < 0 {
		return 0, lifecycle.Refuse(lifecycle.ErrInvalid, "the roster is larger than %d MiB", largestRoster>>20)
	}
	return n, err
}
