package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// The trail, precisely enough to check it with other tools.
//
// A list of texts is hashed as SHA-256 over, for each text in order, its length
// in bytes as 8 bytes big-endian, and then the bytes. Every digest is written
// as 64 lower-case hexadecimal digits.
//
//	hash = H(seq, at, actor, kind, ref, detail, record, record_sha256, prev)
//
// seq and at (microseconds since 1970, UTC) are decimal. detail is a JSON
// object of strings, its keys sorted, without spaces and with no more escapes
// than JSON needs ({} when there is none); the column is hashed as it stands.
// prev is the hash of the line before, or 64 zeros; seq counts from 1 without
// gaps. audit_head repeats the seq and hash of the last line.
//
// record names the row that was written with the line, as table/key:
// fact/ntc_…, identity/idn_…, notice/ntc_…, request/req_…, finding/fnd_…,
// exception/exc_…, account/P…, message/KEY, mark/NAME, original/chg_…,
// case/cas_…, hold/hld_…, removal/ntc_…, source/NAME, resource/CLIENT/KIND/ID,
// member/CLIENT/GROUP/USER, policy/SHA-256, absence/abs_…, group/S…, tally/DAY.
// record_sha256 is the SHA-256 of the row's column body as it was written. Both
// are "" when the line came with no row.
// When it came with n > 1 rows, record is records/n, each row is in audit_records
// under the line's seq, and
//
//	record_sha256 = H(record1, sha256_1, record2, sha256_2, …)
//
// sorted by record, bytewise. Of provisioned resources only what they were called
// by is left when they are gone, and members who left keep a row that says so:
// rows are never deleted, so every row must have
// the digest of the last line that names it.

const manifestPrefix = "records/"

func genesis() string { return strings.Repeat("0", 2*sha256.Size) }

func chain(texts ...string) string {
	h := sha256.New()
	var size [8]byte
	for _, t := range texts {
		binary.BigEndian.PutUint64(size[:], uint64(len(t)))
		h.Write(size[:])
		h.Write([]byte(t))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func lineHash(l q.AuditEvent) string {
	return chain(strconv.FormatInt(l.Seq, 10), strconv.FormatInt(l.At, 10), l.Actor, l.Kind, l.Ref, l.Detail, l.Record, l.RecordSha256, l.Prev)
}

func bodyDigest(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// records is the digest of each row that one transaction wrote.
type records map[string]string

func (r records) add(table string, key, body string) { r[table+"/"+key] = bodyDigest(body) }

// cover returns what the line that comes with the rows says of them.
func (r records) cover() (record, digest string) {
	names := slices.Sorted(maps.Keys(r))
	switch len(names) {
	case 0:
		return "", ""
	case 1:
		return names[0], r[names[0]]
	}
	pairs := make([]string, 0, 2*len(names))
	for _, name := range names {
		pairs = append(pairs, name, r[name])
	}
	return manifestPrefix + strconv.Itoa(len(names)), chain(pairs...)
}

// entry is a line to be appended, and the rows it vouches for.
type entry struct {
	event lifecycle.AuditEvent
	rows  records
}

// append numbers, chains and stores the lines. It comes last in a transaction:
// from here to the commit, everybody else who writes waits. The head is never
// kept in memory, where a rollback would fork it.
func (t *tx) append(ctx context.Context) error {
	head, err := t.q.LockHead(ctx)
	if err != nil {
		return fmt.Errorf("lock head of the trail: %w", err)
	}
	for _, e := range t.lines {
		line, err := newLine(e, head.Seq+1, head.Hash)
		if err != nil {
			return err
		}
		if err := t.appendLine(ctx, line, e.rows); err != nil {
			return err
		}
		head.Seq, head.Hash = line.Seq, line.Hash
	}
	if err := t.q.AdvanceHead(ctx, q.AdvanceHeadParams(head)); err != nil {
		return fmt.Errorf("advance head of the trail: %w", err)
	}
	return nil
}

func newLine(n entry, seq int64, prev string) (q.AuditEvent, error) {
	e := n.event
	detail, err := canonical(e.Detail)
	if err != nil {
		return q.AuditEvent{}, err
	}
	l := q.AuditEvent{Seq: seq, At: micros(e.At), Actor: text(e.Actor), Kind: text(e.Kind), Ref: text(e.Ref), Detail: detail, Prev: prev}
	l.Record, l.RecordSha256 = n.rows.cover()
	l.Hash = lineHash(l)
	return l, nil
}

func (t *tx) appendLine(ctx context.Context, l q.AuditEvent, covered records) error {
	if err := t.q.AppendLine(ctx, q.AppendLineParams(l)); err != nil {
		return fmt.Errorf("append line %d to the trail: %w", l.Seq, err)
	}
	if len(covered) < 2 {
		return nil
	}
	for name, digest := range covered {
		if err := t.q.AppendRecord(ctx, q.AppendRecordParams{Seq: l.Seq, Record: name, Sha256: digest}); err != nil {
			return fmt.Errorf("append record %s of line %d: %w", name, l.Seq, err)
		}
	}
	return nil
}

// canonical returns detail as the one JSON text that stands for it.
func canonical(detail map[string]string) (string, error) {
	if len(detail) == 0 {
		return "{}", nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(detail); err != nil {
		return "", fmt.Errorf("encode audit detail: %w", err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// An AuditLine is one line of the trail as it stands.
type AuditLine struct {
	Seq          int64               `json:"seq"`
	At           time.Time           `json:"at"`
	Actor        lifecycle.Actor     `json:"actor"`
	Kind         lifecycle.EventKind `json:"kind"`
	Ref          string              `json:"ref"`
	Detail       map[string]string   `json:"detail"`
	Record       string              `json:"record"`
	RecordSHA256 string              `json:"record_sha256"`
	Prev         string              `json:"prev"`
	Hash         string              `json:"hash"`
}

// Tail returns up to limit lines that follow line afterSeq, oldest first.
func (db *DB) Tail(ctx context.Context, afterSeq int64, limit int) ([]AuditLine, error) {
	rows, err := db.read.LinesAfter(ctx, q.LinesAfterParams{After: afterSeq, Page: int32(min(limit, 1<<20))})
	if err != nil {
		return nil, fmt.Errorf("read the trail after line %d: %w", afterSeq, err)
	}
	lines := make([]AuditLine, len(rows))
	for i, l := range rows {
		detail, err := decode[map[string]string](l.Detail)
		if err != nil {
			return nil, fmt.Errorf("read line %d of the trail: %w", l.Seq, err)
		}
		lines[i] = AuditLine{
			Seq: l.Seq, At: fromMicros(l.At), Actor: lifecycle.Actor(l.Actor), Kind: lifecycle.EventKind(l.Kind), Ref: l.Ref, Detail: detail,
			Record: l.Record, RecordSHA256: l.RecordSha256, Prev: l.Prev, Hash: l.Hash,
		}
	}
	return lines, nil
}

// Head returns the number and the hash of the last line; 0 and 64 zeros before the first.
func (db *DB) Head(ctx context.Context) (seq int64, hash string, err error) {
	head, err := db.read.Head(ctx)
	if err != nil {
		return 0, "", fmt.Errorf("read head of the trail: %w", err)
	}
	return head.Seq, head.Hash, nil
}
