package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

const tailPage = 500

// tail prints the newest lines, and with follow goes on until ctx ends.
func tail(ctx context.Context, t *terminal, db *storage.DB, lines int, follow bool) error {
	if lines < 0 {
		return lifecycle.Refuse(lifecycle.ErrInvalid, "--lines %d: give how many lines, such as 20", lines)
	}
	head, _, err := db.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the head of the record: %w", err)
	}
	seen, err := printSince(ctx, t, db, max(0, head-int64(lines)))
	if err != nil || !follow {
		return err
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if seen, err = printSince(ctx, t, db, seen); err != nil {
				return err
			}
		}
	}
}

// printSince prints what came after seq, and returns the last one printed. As
// JSON it is a line an event, so that it can be followed.
func printSince(ctx context.Context, t *terminal, db *storage.DB, seq int64) (int64, error) {
	for {
		page, err := db.Tail(ctx, seq, tailPage)
		if err != nil {
			return seq, fmt.Errorf("read the record: %w", err)
		}
		for _, l := range page {
			if err := printLine(t, l); err != nil {
				return seq, err
			}
			seq = l.Seq
		}
		if len(page) < tailPage {
			return seq, nil
		}
	}
}

func printLine(t *terminal, l storage.AuditLine) error {
	if t.json {
		return printJSONLine(t.out, l)
	}
	var detail []string
	for _, key := range slices.Sorted(maps.Keys(l.Detail)) {
		detail = append(detail, key+"="+l.Detail[key])
	}
	_, err := fmt.Fprintf(t.out, "%6d  %s  %-18s  %s  by %s  %s\n", l.Seq, l.At.UTC().Format("2006-01-02 15:04:05"), l.Kind,
		plain(l.Ref), plain(string(l.Actor)), plain(strings.Join(detail, " ")))
	if err != nil {
		return fmt.Errorf("write line: %w", err)
	}
	return nil
}
