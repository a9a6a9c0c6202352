package policy

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/width"

	"rolecall/lifecycle"
)

// A Mistake is one thing that is wrong in a policy file, and what to do about it.
type Mistake struct {
	File    string `json:"file"`   // as it was named to Parse
	Line    int    `json:"line"`   // from 1
	Column  int    `json:"column"` // from 1, in characters
	Path    string `json:"path"`   // such as rules[0].when.department; "" is the file itself
	Message string `json:"message"`

	source []rune // the line, or nil
}

// String says where and what in one line: policy.yaml:8:15: rules[0].name: …
func (m Mistake) String() string {
	at := fmt.Sprintf("%s:%d:%d: ", m.File, m.Line, m.Column)
	if m.Path != "" {
		at += m.Path + ": "
	}
	return at + m.Message
}

// Excerpt returns the source line with a caret under the column, indented, or
// "" when there is nothing to show. A long line is cut around the column.
func (m Mistake) Excerpt() string {
	const before, shown = 80, 120
	column := min(max(m.Column-1, 0), len(m.source))
	from := max(column-before, 0)
	line := m.source[from:min(from+shown, len(m.source))]
	if strings.TrimSpace(string(line)) == "" {
		return ""
	}
	return "    " + printable(line) + "\n    " + blank(line[:column-from]) + "^"
}

// printable keeps a line from acting on the terminal it is shown on.
func printable(line []rune) string {
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return '\uFFFD'
		}
		return r
	}, string(line))
}

// blank returns as much white space as the text takes on screen.
func blank(text []rune) string {
	var b strings.Builder
	for _, r := range text {
		switch kind := width.LookupRune(r).Kind(); {
		case r == '\t':
			b.WriteRune('\t')
		case kind == width.EastAsianWide || kind == width.EastAsianFullwidth:
			b.WriteString("  ")
		default:
			b.WriteRune(' ')
		}
	}
	return b.String()
}

// Mistakes is everything that is wrong in one file, in the order of the file.
// It is a lifecycle.ErrInvalid.
type Mistakes []Mistake

// Error returns every mistake with its excerpt.
func (ms Mistakes) Error() string {
	parts := make([]string, 0, 2*len(ms))
	for _, m := range ms {
		parts = append(parts, m.String())
		if excerpt := m.Excerpt(); excerpt != "" {
			parts = append(parts, excerpt)
		}
	}
	return strings.Join(parts, "\n")
}

// Unwrap makes mistakes an answer and not a fault.
func (Mistakes) Unwrap() error { return lifecycle.ErrInvalid }

func (ms Mistakes) sorted() Mistakes {
	slices.SortStableFunc(ms, func(a, b Mistake) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return ms
}
