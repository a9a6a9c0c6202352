package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const gap = 2 // blanks between two columns

// printTable writes rows under a header, in columns. Text from outside cannot
// break a row or colour the terminal. On a terminal the widest columns are
// folded until a row is no wider than that; anywhere else a row is a line.
func printTable(w io.Writer, header []string, rows [][]string) error {
	for _, row := range rows {
		for i := range row {
			row[i] = plain(row[i])
		}
	}
	rows = append([][]string{header}, rows...)
	widths := fitted(rows, columnsOf(w))
	for _, row := range rows {
		for _, line := range foldedRow(row, widths) {
			if _, err := fmt.Fprintln(w, padded(line, widths)); err != nil {
				return fmt.Errorf("write table: %w", err)
			}
		}
	}
	return nil
}

// padded is a line of cells, each as wide as its column.
func padded(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		fmt.Fprintf(&b, "%-*s", widths[i]+gap, cell)
	}
	return strings.TrimRight(b.String(), " ")
}

// fitted returns how wide each column may be so that all of them fit into
// most, 0 for any width. Nothing is made narrower than its longest word: ids
// and addresses stay whole, to be copied.
func fitted(rows [][]string, most int) []int {
	widths, words := make([]int, len(rows[0])), make([]int, len(rows[0]))
	total := gap * (len(widths) - 1)
	for i := range widths {
		for _, row := range rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
			for word := range strings.FieldsSeq(row[i]) {
				words[i] = max(words[i], utf8.RuneCountInString(word))
			}
		}
		total += widths[i]
	}
	for ; most > 0 && total > most; total-- {
		k := -1
		for i := range widths {
			if widths[i] > words[i] && (k < 0 || widths[i] > widths[k]) {
				k = i
			}
		}
		if k < 0 {
			break
		}
		widths[k]--
	}
	return widths
}

// foldedRow returns the lines that a row takes in columns of those widths.
func foldedRow(row []string, widths []int) [][]string {
	cells, high := make([][]string, len(row)), 1
	for i, text := range row {
		cells[i] = fold(text, widths[i])
		high = max(high, len(cells[i]))
	}
	lines := make([][]string, high)
	for l := range lines {
		lines[l] = make([]string, len(row))
		for i, cell := range cells {
			if l < len(cell) {
				lines[l][i] = cell[l]
			}
		}
	}
	return lines
}

// fold breaks text between words into lines of at most width, where its words allow that.
func fold(text string, width int) []string {
	if utf8.RuneCountInString(text) <= width {
		return []string{text}
	}
	var lines []string
	for word := range strings.FieldsSeq(text) {
		n := len(lines) - 1
		if n >= 0 && utf8.RuneCountInString(lines[n])+1+utf8.RuneCountInString(word) <= width {
			lines[n] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}

const fieldName = 10 // how wide the names of fields are

// printFields writes names and what they are, one a line, folded on a terminal.
func printFields(w io.Writer, fields [][2]string) error {
	for _, f := range fields {
		lines := []string{plain(f[1])}
		if most := columnsOf(w); most > 0 {
			lines = fold(lines[0], max(most-fieldName-1, fieldName))
		}
		for i, line := range lines {
			name := f[0]
			if i > 0 {
				name = ""
			}
			if _, err := fmt.Fprintf(w, "%-*s %s\n", fieldName, name, line); err != nil {
				return fmt.Errorf("write: %w", err)
			}
		}
	}
	return nil
}
