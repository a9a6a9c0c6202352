package policy

import (
	"fmt"
	"strings"
	"unicode"
)

// didYouMean returns a hint such as ` (did you mean "department"?)`, or "" when
// none of the candidates is near.
func didYouMean(word string, candidates []string) string {
	if c := nearest(word, candidates); c != "" {
		return fmt.Sprintf(" (did you mean %q?)", c)
	}
	return ""
}

// otherwise returns hint, or what to say when there is none.
func otherwise(hint, fallback string) string {
	if hint == "" {
		return fallback
	}
	return hint
}

// nearest returns the candidate that word most likely stands for, or "".
func nearest(word string, candidates []string) string {
	word = squash(word)
	best, least := "", 1+min(2, len(word)/3)
	for _, c := range candidates {
		if d := distance(word, squash(c), least); d < least {
			best, least = c, d
		}
	}
	if best != "" {
		return best
	}
	for _, c := range candidates {
		if s := squash(c); min(len(word), len(s)) >= 3 && (strings.Contains(word, s) || strings.Contains(s, word)) {
			return c
		}
	}
	return ""
}

// squash drops what people vary without meaning anything by it.
func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == ' ' {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// distance returns how many letters have to be added, dropped, changed or
// swapped with their neighbour to make b of a, or limit when it is that many or more.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+differs(a[i], b[j]))
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
	}
	return min(row[len(b)], limit)
}

func differs(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
