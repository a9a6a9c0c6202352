package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// printJSON writes v as one JSON document for programs; <, > and & stay as they are.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// say writes a sentence, or with --json what it says as v.
func say(t *terminal, v any, sentence string) error {
	if t.json {
		return printJSON(t.out, v)
	}
	if _, err := fmt.Fprintln(t.out, sentence); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}

// printJSONLine writes v as one line.
func printJSONLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// plain returns s without control characters, so that a name cannot move the
// cursor or forge a line of output.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, s)
}

// plainLines is plain for text of several lines. All but the first are
// indented, so that a name with a line break in it cannot pass for a line of ours.
func plainLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = plain(line)
		if i > 0 && !strings.HasPrefix(line, "  ") {
			lines[i] = "  " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// count says how many of a thing there are: "1 rule", "2 rules".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func at(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
