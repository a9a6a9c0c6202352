package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"rolecall/lifecycle"
)

// A RosterFile is a roster that was read to its end, and in which nothing was
// wrong. It keeps the text in a file of its own until it is closed, so that a
// large company needs no more memory than a small one, and what changes in the
// meantime where the roster is from changes nothing here.
type RosterFile struct {
	spool  *os.File
	named  bool // the file still has a name
	format Format
	sum    string
	rows   int
	fields []string
	empty  map[string]int
}

// ReadRoster reads a roster to its end, into a file in dir, or where temporary
// files go when that is "". One with a mistake is a Refusal that lists the first
// hundred as row:column, with rows as a spreadsheet numbers them and columns from
// 1; one over 64 MiB is ErrTooLarge besides. Any other error is of r or of the file.
func ReadRoster(r io.Reader, format Format, dir string) (_ *RosterFile, err error) {
	f := &RosterFile{format: format}
	if f.spool, err = os.CreateTemp(dir, "rolecall-roster-"); err != nil {
		return nil, fmt.Errorf("make a file for the roster: %w", err)
	}
	// Where an open file may lose its name, nothing of it is left by a crash either.
	f.named = os.Remove(f.spool.Name()) != nil
	if err := f.check(r); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close gives the file up, and what it keeps.
func (f *RosterFile) Close() error {
	err := f.spool.Close()
	if f.named {
		err = errors.Join(err, os.Remove(f.spool.Name()))
	}
	return err
}

func (f *RosterFile) check(r io.Reader) error {
	digest, t := sha256.New(), newCensus()
	pass := &reading{zones: zones{}}
	pass.row = func(row int, form *form, fact lifecycle.Fact) error { return t.row(pass.fields, row, form, fact) }
	text := io.TeeReader(&capped{from: r, left: largestRoster}, io.MultiWriter(f.spool, digest))
	if err := pass.read(text, f.format); err != nil {
		return err
	}
	f.sum, f.rows, f.fields, f.empty = hex.EncodeToString(digest.Sum(nil)), t.rows, pass.fields, t.empty(pass.fields)
	return pass.refusal(t.rows)
}

// Roster returns the roster as the source said it at the time at, such as the
// time its file was written. Its facts read the file anew each time. Without a
// source or a time it is a Refusal.
func (f *RosterFile) Roster(source string, at time.Time) (lifecycle.Roster, error) {
	if source == "" || at.IsZero() {
		return lifecycle.Roster{}, lifecycle.Refuse(lifecycle.ErrInvalid, "a roster needs the name of its source and the time at which it was so")
	}
	return lifecycle.Roster{
		Source: source, At: at.UTC(), SHA256: f.sum, Format: string(f.format), Fields: f.fields, Empty: f.empty, Rows: f.rows, Facts: f.facts(source, at.UTC()),
	}, nil
}

// errStop ends a way through the file early: whoever reads the facts wants no more.
var errStop = errors.New("no more rows are wanted")

func (f *RosterFile) facts(source string, at time.Time) iter.Seq2[lifecycle.Fact, error] {
	return func(yield func(lifecycle.Fact, error) bool) {
		pass := &reading{zones: zones{}, row: func(_ int, form *form, fact lifecycle.Fact) error {
			fact.Source, fact.ObservedAt = source, at
			if len(form.wrong) == 0 && !yield(fact, nil) {
				return errStop
			}
			return nil
		}}
		err := pass.read(io.NewSectionReader(f.spool, 0, largestRoster), f.format)
		if err == nil && pass.count > 0 {
			err = fmt.Errorf("the roster's file was changed while it was read: %s: %s", pass.wrong[0].Path, pass.wrong[0].Message)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(lifecycle.Fact{}, err)
		}
	}
}
