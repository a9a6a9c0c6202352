package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// bar draws progress on a terminal, and nothing anywhere else.
type bar struct {
	term  *terminal
	what  string
	drawn time.Time
	on    bool
}

const (
	barWidth = 30
	barEvery = 100 * time.Millisecond
)

func progressBar(t *terminal, what string) *bar {
	return &bar{term: t, what: what, on: isTerminal(t.err)}
}

// update draws done of total, at most ten times a second.
func (b *bar) update(done, total int64) {
	if !b.on || total <= 0 || time.Since(b.drawn) < barEvery {
		return
	}
	b.drawn = time.Now()
	full := int(min(barWidth, barWidth*done/total))
	fmt.Fprintf(b.term.err, "\r%s [%s%s] %d of %d", b.what, strings.Repeat("█", full), strings.Repeat("·", barWidth-full), done, total)
}

// done clears the line.
func (b *bar) done() {
	if !b.drawn.IsZero() {
		fmt.Fprint(b.term.err, "\r\x1b[K")
	}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
