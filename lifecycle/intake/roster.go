package intake

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

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

const (
	largestRoster = 64 << 20 // bytes
	mostRows      = 500_000  // whatever is that short is no roster, and what is known of a row is kept until the last
)

// reading is one way through a roster, row by row. It gathers mistakes until
// there is an end.
type reading struct {
	fields []string // of the header, in order; of lines, those of an export and what else has occurred
	zones  zones
	row    func(row int, f *form, fact lifecycle.Fact) error // told of every row, with what is wrong with it in the form
	wrong  []lifecycle.FieldError
	count  int // of mistakes, listed or not
}

// read goes through the roster to its end, or to the first mistake after which
// nothing can be told apart. The error is of in, of row, or a Refusal of the whole.
func (r *reading) read(in io.Reader, format Format) error {
	text := bufio.NewReader(in)
	if err := startsWell(text); err != nil {
		return err
	}
	switch format {
	case CSV:
		return r.readCSV(text)
	case JSONL:
		return r.readJSONL(text)
	default:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "roster format %q is not csv or jsonl", format)
	}
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

func (r *reading) blame(wrong ...lifecycle.FieldError) {
	r.count += len(wrong)
	room := mostMistakes - len(r.wrong)
	r.wrong = append(r.wrong, wrong[:min(len(wrong), room)]...)
}

func (r *reading) blameRow(row int, format string, args ...any) {
	r.blame(lifecycle.FieldError{Path: fmt.Sprint(row), Message: fmt.Sprintf(format, args...)})
}

// take reads one row, whose members stand in the columns that column returns.
func (r *reading) take(row int, o object, column func(at int) int) error {
	f := &form{object: o, zones: r.zones, place: func(name string, at int, message string) lifecycle.FieldError {
		where := fmt.Sprint(row)
		if at >= 0 {
			where = fmt.Sprintf("%d:%d", row, column(at))
		}
		return lifecycle.FieldError{Path: where, Message: name + ": " + message}
	}}
	err := r.row(row, f, readPerson(f))
	r.blame(f.wrong...)
	return err
}

// refusal returns what is wrong with the roster, or nil.
func (r *reading) refusal(rows int) error {
	switch {
	case r.count > 0:
		reason := fmt.Sprintf("the roster has mistakes, of which the first is at %s: %s. Nothing was taken in", r.wrong[0].Path, r.wrong[0].Message)
		if r.count > len(r.wrong) {
			reason += fmt.Sprintf("; %d of %d mistakes are listed", len(r.wrong), r.count)
		}
		return &lifecycle.Refusal{Kind: lifecycle.ErrInvalid, Reason: reason, Fields: r.wrong}
	case rows == 0:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "the roster has no rows")
	default:
		return nil
	}
}

// A census is what is counted of a roster on the first way through it. What rows
// are told apart by is kept as digests, which are small whatever the rows are.
type census struct {
	rows      int
	filled    map[string]int   // field → rows in which it says something
	ids       map[[16]byte]int // employee id → its row
	addresses map[[16]byte]int // first address of somebody who has not ended → its row
}

func newCensus() *census {
	return &census{filled: map[string]int{}, ids: map[[16]byte]int{}, addresses: map[[16]byte]int{}}
}

// row counts a row, and blames one that says somebody a second time. An address
// may be in two rows when only one of the two is still with the company.
func (c *census) row(fields []string, row int, f *form, fact lifecycle.Fact) error {
	if c.rows++; c.rows > mostRows {
		return lifecycle.Refuse(lifecycle.ErrInvalid, "the roster has more than %d rows", mostRows)
	}
	for _, name := range fields {
		if !isNothing(f.value(name)) {
			c.filled[name]++
		}
	}
	if first := again(c.ids, fact.Person.EmployeeID, row); first > 0 {
		f.blame("employee_id", "%s is in row %d already", fact.Person.EmployeeID, first)
	}
	if len(f.wrong) > 0 || fact.Person.Status == lifecycle.StatusEnded {
		return nil
	}
	if first := again(c.addresses, fact.Person.Email(), row); first > 0 {
		f.blame("emails", "%s is the first address in row %d already", fact.Person.Email(), first)
	}
	return nil
}

// empty returns, of each of the fields that is not filled everywhere, in how many rows.
func (c *census) empty(fields []string) map[string]int {
	empty := map[string]int{}
	for _, name := range fields {
		if n := c.rows - c.filled[name]; n > 0 {
			empty[name] = n
		}
	}
	return empty
}

// again returns the row in which the text was before, or 0, and notes that it is in this one.
func again(rowOf map[[16]byte]int, text string, row int) int {
	if text == "" {
		return 0 // which is another mistake
	}
	sum := sha256.Sum256([]byte(text))
	key := [16]byte(sum[:16])
	first := rowOf[key]
	rowOf[key] = row
	return first
}

func isNothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return strings.TrimSpace(v) == ""
	case []any:
		return len(v) == 0
	default:
		return false
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
		return 0, errRosterTooLarge()
	}
	return n, err
}

func errRosterTooLarge() error {
	return fmt.Errorf("%w: %w", ErrTooLarge, lifecycle.Refuse(lifecycle.ErrInvalid, "the roster is larger than %d MiB", largestRoster>>20))
}
