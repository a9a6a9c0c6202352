package intake

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"rolecall/lifecycle"
)

func (r *reading) readJSONL(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestBody)
	row := 0
	r.fields = stateFields()
	for lines.Scan() {
		row++
		if err := r.takeLine(row, lines.Bytes()); err != nil {
			return err
		}
	}
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		r.blameRow(row+1, "is longer than 1 MiB; the rest was not read")
		return nil
	}
	if err != nil {
		return fmt.Errorf("read roster: %w", err)
	}
	return nil
}

// fieldsWith returns the fields, in the order of a header, once those of a line
// are among them.
func (r *reading) fieldsWith(o object) []string {
	var more []string
	for _, m := range o {
		if !slices.Contains(r.fields, m.name) && slices.Contains(personFields(), m.name) {
			more = append(more, m.name)
		}
	}
	if len(more) == 0 {
		return r.fields
	}
	return slices.DeleteFunc(personFields(), func(name string) bool { return !slices.Contains(r.fields, name) && !slices.Contains(more, name) })
}

func (r *reading) takeLine(row int, line []byte) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	value, err := parseJSON(line)
	if fault, ok := errors.AsType[*syntaxFault](err); ok {
		r.blame(lifecycle.FieldError{Path: fmt.Sprintf("%d:%d", row, fault.column), Message: fault.what})
		return nil
	}
	if err != nil {
		return err
	}
	o, ok := value.(object)
	if !ok {
		r.blameRow(row, "must be an object, not %s", typeOf(value))
		return nil
	}
	r.fields = r.fieldsWith(o)
	return r.take(row, o, func(at int) int {
		_, column := position(line, at)
		return column
	})
}
