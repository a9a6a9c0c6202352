package intake

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"rolecall/lifecycle"
)

// neededColumns are those without which no row says anything.
func neededColumns() []string { return []string{"employee_id", "status", "emails"} }

func (r *reading) readCSV(in io.Reader) error {
	t := newTable(in)
	header, err := t.next()
	if errors.Is(err, io.EOF) {
		return lifecycle.Refuse(lifecycle.ErrInvalid, "the roster is empty; its first row names the columns: %s", strings.Join(personFields(), ","))
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	if r.blameTable(t, err) || err == nil && r.checkHeader(t.row, header) {
		return nil // what stands under columns that are not known says nothing
	}
	r.fields = header
	for err == nil {
		var cells []string
		if cells, err = t.next(); err == nil {
			err = r.takeCells(t.row, header, cells)
		}
	}
	if errors.Is(err, io.EOF) || r.blameTable(t, err) {
		return nil
	}
	return fmt.Errorf("read roster: %w", err)
}

// blameTable reports whether err is a mistake in how the table is written. What
// follows one cannot be told apart, so that it is the last.
func (r *reading) blameTable(t *table, err error) bool {
	syntax, ok := errors.AsType[*csv.ParseError](err)
	if ok {
		r.blameRow(t.row, "%v (in line %d of the file); the rest was not read", syntax.Err, syntax.Line)
	}
	return ok
}

func (r *reading) takeCells(row int, header, cells []string) error {
	if len(cells) != len(header) {
		r.blameRow(row, "has %d cells, but there are %d columns", len(cells), len(header))
		return nil
	}
	o := make(object, 0, len(header))
	for i, name := range header {
		if !utf8.ValidString(cells[i]) {
			r.blame(lifecycle.FieldError{Path: fmt.Sprintf("%d:%d", row, i+1), Message: name + ": is not UTF-8"})
			return nil
		}
		if v := cellValue(name, cells[i]); v != nil {
			o = append(o, member{name: name, value: v, at: i + 1})
		}
	}
	if len(o) == 0 {
		return nil // spreadsheets leave such rows behind
	}
	return r.take(row, o, func(at int) int { return at })
}

// checkHeader reports whether anything is wrong with the header.
func (r *reading) checkHeader(row int, header []string) bool {
	before := r.count
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t|") {
		r.blameRow(row, "the columns must be separated by commas")
		return true
	}
	for i, name := range header {
		where := fmt.Sprintf("%d:%d", row, i+1)
		switch first := slices.Index(header, name); {
		case !slices.Contains(personFields(), name):
			r.blame(lifecycle.FieldError{Path: where, Message: clip(name, longestPath) + ": " + unknown("column", name, personFields())})
		case first < i:
			r.blame(lifecycle.FieldError{Path: where, Message: fmt.Sprintf("%s: is column %d already", name, first+1)})
		}
	}
	for _, name := range neededColumns() {
		if !slices.Contains(header, name) {
			r.blameRow(row, "there is no column %s", name)
		}
	}
	return r.count > before
}

// A table counts rows as a spreadsheet does: a cell with line breaks is in one
// row, an empty line is a row.
type table struct {
	csv  *csv.Reader
	row  int // of the record that next returned last, from 1
	line int // of the file, where the next row begins
}

func newTable(in io.Reader) *table {
	c := csv.NewReader(in)
	c.FieldsPerRecord = -1
	return &table{csv: c, line: 1}
}

// next returns the cells of the next row that is not empty, io.EOF, a
// *csv.ParseError, or an error of the reader.
func (t *table) next() ([]string, error) {
	cells, err := t.csv.Read()
	if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
		t.row += 1 + syntax.StartLine - t.line
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	line, _ := t.csv.FieldPos(0)
	t.row += 1 + line - t.line
	t.line = line + 1
	for _, c := range cells {
		t.line += strings.Count(c, "\n")
	}
	return cells, nil
}

// cellValue returns what a cell would be in JSON; an empty one is nil.
func cellValue(name, cell string) any {
	cell = strings.TrimSpace(unescapeFormula(cell))
	switch {
	case cell == "":
		return nil
	case name == "emails" || name == "groups":
		return splitList(cell)
	case name == "urgent" && strings.EqualFold(cell, "true"): // Excel writes TRUE
		return true
	case name == "urgent" && strings.EqualFold(cell, "false"):
		return false
	default:
		return cell
	}
}

// splitList splits at semicolons; \; is a semicolon and \\ a backslash within an entry.
func splitList(cell string) []any {
	list, entry := []any{}, strings.Builder{}
	end := func() {
		if s := strings.TrimSpace(entry.String()); s != "" {
			list = append(list, s)
		}
		entry.Reset()
	}
	for i := 0; i < len(cell); i++ {
		switch c := cell[i]; {
		case c == ';':
			end()
		case c == '\\' && i+1 < len(cell) && strings.IndexByte(`\;`, cell[i+1]) >= 0:
			i++
			entry.WriteByte(cell[i])
		default:
			entry.WriteByte(c)
		}
	}
	end()
	return list
}

func joinList(list []string) string {
	escaped := make([]string, len(list))
	for i, s := range list {
		escaped[i] = strings.NewReplacer(`\`, `\\`, `;`, `\;`).Replace(s)
	}
	return strings.Join(escaped, ";")
}

// startsFormula reports whether a spreadsheet would run what begins like s.
// Source: OWASP, "CSV Injection".
func startsFormula(s string) bool { return s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 }

// escaped reports whether s is what escapeFormula makes of something.
func escaped(s string) bool {
	rest, ok := strings.CutPrefix(s, "'")
	return ok && (startsFormula(rest) || strings.HasPrefix(rest, "'"))
}

// escapeFormula keeps a spreadsheet from running s. A text that looks escaped
// already is escaped once more, so that unescapeFormula returns every text as it was.
func escapeFormula(s string) string {
	if startsFormula(s) || escaped(s) {
		return "'" + s
	}
	return s
}

func unescapeFormula(s string) string {
	if escaped(s) {
		return s[1:]
	}
	return s
}
