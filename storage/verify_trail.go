package storage

import (
	"context"
	"fmt"
	"strings"

	"rolecall/storage/q"
)

// lines walks the trail from its first line. After a break it goes on from
// what the next line says of itself, so that each break is told once.
func (v *verifier) lines(ctx context.Context) error {
	last := q.AuditEvent{Hash: genesis()}
	for {
		page, err := v.q.LinesAfter(ctx, q.LinesAfterParams{After: last.Seq, Page: verifyPage})
		if err != nil {
			return fmt.Errorf("read the lines after %d: %w", last.Seq, err)
		}
		for _, l := range page {
			v.line(last, l)
			if err := v.vouch(ctx, l); err != nil {
				return err
			}
			last = l
		}
		v.report.Lines += int64(len(page))
		v.report.Head, v.last = last.Hash, last.Seq
		v.step(len(page))
		if len(page) < verifyPage {
			return nil
		}
	}
}

func (v *verifier) line(last, l q.AuditEvent) {
	wrong := func(seq int64, format string, args ...any) {
		v.problem(Problem{Seq: seq, Table: "audit_events", Row: fmt.Sprint(seq), Why: fmt.Sprintf(format, args...)})
	}
	switch {
	case l.Seq == last.Seq+2:
		wrong(last.Seq+1, "this line is missing")
	case l.Seq > last.Seq+2:
		wrong(last.Seq+1, "this line and those up to %d are missing", l.Seq-1)
	case l.Prev != last.Hash:
		wrong(l.Seq, "it does not follow from line %d: one of the two was changed or put here", last.Seq)
	}
	if lineHash(l) != l.Hash {
		wrong(l.Seq, "its text is not what its hash was made of: it was changed after it was written")
	}
}

// vouch notes which rows the line speaks for, in the state in which it left them.
func (v *verifier) vouch(ctx context.Context, l q.AuditEvent) error {
	if l.Record == "" {
		return nil
	}
	if !strings.HasPrefix(l.Record, manifestPrefix) {
		v.vouched[l.Record] = voucher{digest: l.RecordSha256, seq: l.Seq}
		return nil
	}
	rows, err := v.q.RecordsOfLine(ctx, l.Seq)
	if err != nil {
		return fmt.Errorf("read the records of line %d: %w", l.Seq, err)
	}
	covered := records{}
	for _, r := range rows {
		covered[r.Record] = r.Sha256
		v.vouched[r.Record] = voucher{digest: r.Sha256, seq: l.Seq}
	}
	if record, digest := covered.cover(); record != l.Record || digest != l.RecordSha256 {
		v.problem(Problem{Seq: l.Seq, Table: "audit_records", Row: fmt.Sprint(l.Seq), Why: "the rows listed for this line are not those it was written with"})
	}
	return nil
}

func (v *verifier) head(ctx context.Context) error {
	head, err := v.q.Head(ctx)
	if err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	lines, err := v.q.CountLines(ctx)
	if err != nil {
		return fmt.Errorf("count lines: %w", err)
	}
	wrong := func(seq int64, format string, args ...any) {
		v.problem(Problem{Seq: seq, Table: "audit_head", Why: fmt.Sprintf(format, args...)})
	}
	switch {
	case v.unread:
	case lines > v.report.Lines:
		wrong(1, "%d lines are numbered below 1, where rolecall writes none", lines-v.report.Lines)
	case head.Seq > v.last:
		wrong(v.last+1, "the head is at line %d, but the trail ends at %d: lines were cut off its end", head.Seq, v.last)
	case head.Seq < v.last:
		wrong(head.Seq+1, "the head is at line %d, but the trail goes on to %d: the head was set back, or lines were added", head.Seq, v.last)
	case head.Hash != v.report.Head:
		wrong(max(head.Seq, 1), "the head does not have the hash of the last line: one of the two was changed")
	}
	return nil
}
