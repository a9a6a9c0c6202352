package intake

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clip makes text from outside fit for a line of the trail: one line, without
// marks that turn the direction of writing, and at most n characters long.
func clip(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// nearest returns the candidate that word most likely stands for, or "".
func nearest(word string, candidates []string) string {
	word = plain(word)
	best, least := "", 3
	for _, c := range candidates {
		p := plain(c)
		if d := edits(word, p); d < least && d <= len(p)/2 {
			best, least = c, d
		}
	}
	if best != "" || len(word) < 4 {
		return best
	}
	for _, c := range candidates {
		if p := plain(c); strings.HasPrefix(word, p) || strings.HasPrefix(p, word) {
			return c
		}
	}
	return ""
}

// plain drops what people vary without meaning anything by it, and whatever
// is too long to be anybody's slip.
func plain(s string) string {
	s = strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
	return s[:min(len(s), 40)]
}

// edits returns how many letters must be added, dropped or changed to make b of a.
func edits(a, b string) int {
	above := make([]int, len(b)+1)
	for j := range above {
		above[j] = j
	}
	for i := range len(a) {
		left, corner := i+1, above[0]
		above[0] = left
		for j := range len(b) {
			if a[i] != b[j] {
				corner++
			}
			left = min(corner, left+1, above[j+1]+1)
			corner, above[j+1] = above[j+1], left
		}
	}
	return above[len(b)]
}
