package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"rolecall/storage/q"
)

// A VerifyReport says whether a database is as rolecall wrote it.
type VerifyReport struct {
	Whole    bool      `json:"whole"`
	Lines    int64     `json:"lines"`               // of the trail, that were read
	Rows     int64     `json:"rows"`                // that the trail vouches for, and that were read
	Head     string    `json:"head"`                // hash of the last line; 64 zeros before the first
	FirstBad int64     `json:"first_bad,omitempty"` // the lowest line that something is wrong with
	Problems []Problem `json:"problems"`            // the first hundred
	More     int       `json:"more,omitempty"`      // problems that are not listed
}

// A Problem is one thing that is not as it was written.
type Problem struct {
	Seq   int64  `json:"seq,omitempty"` // of the line that shows it; 0 when no line does
	Table string `json:"table,omitempty"`
	Row   string `json:"row,omitempty"`
	Why   string `json:"why"`
}

// String says the problem in one line.
func (p Problem) String() string {
	where := p.Table
	if p.Row != "" {
		where += " " + p.Row
	}
	if p.Seq > 0 {
		where = fmt.Sprintf("line %d: %s", p.Seq, where)
	}
	return where + ": " + p.Why
}

const (
	verifyPage   = 1000
	largePage    = 8 // of what may be large
	listProblems = 100
)

// Verify checks the database at url, a path or postgres://…, and needs nothing
// but it. It reads as of one moment and changes nothing, so it may run beside a
// rolecall that serves, on a copy, or on a medium that cannot be written.
// progress, unless nil, is told how many lines and rows of how many are done.
//
// It checks SQLite's own structure, that the lines of the trail count up
// without a gap and chain to the head, and that every row is as the last line
// about it says: neither changed, nor missing, nor added without a line. What
// is wrong, down to a file that SQLite cannot read, is in the report; the error
// is for a database that is not there or cannot be reached.
//
// Whoever can rewrite the whole file can also rewrite the whole trail: compare
// Head with a hash that was noted elsewhere.
func Verify(ctx context.Context, url string, progress func(done, total int64)) (VerifyReport, error) {
	db, closeDB, err := openForVerify(ctx, url)
	if err != nil {
		return VerifyReport{}, err
	}
	v := &verifier{lite: !isPostgres(url), progress: progress, vouched: map[string]voucher{}, keys: map[q.IdentityKey]bool{}, earlier: map[q.EarlierKey]bool{}, former: map[q.FormerAddress]bool{}, emails: map[q.ResourceEmail]bool{}, ends: map[q.RequestEnd]bool{}, managers: map[q.TeamManager]bool{}}
	v.report.Problems = []Problem{}
	err = errors.Join(v.run(ctx, db), closeDB())
	v.report.Whole = err == nil && len(v.report.Problems) == 0
	return v.report, err
}

// voucher is what the last line about a row says.
type voucher struct {
	digest string
	seq    int64
	seen   bool
}

type verifier struct {
	lite        bool
	db          *sql.Tx
	q           *q.Queries
	report      VerifyReport
	progress    func(done, total int64)
	done, total int64
	vouched     map[string]voucher
	keys        map[q.IdentityKey]bool   // that identities say should be there
	earlier     map[q.EarlierKey]bool    // likewise
	former      map[q.FormerAddress]bool // likewise
	emails      map[q.ResourceEmail]bool // likewise, that users of resources say
	ends        map[q.RequestEnd]bool    // likewise, that requests say
	managers    map[q.TeamManager]bool   // likewise, that accounts say
	last        int64                    // number of the last line that was read
	unread      bool                     // some of the trail could not be read
}

func (v *verifier) run(ctx context.Context, db *sql.DB) error {
	var options *sql.TxOptions
	if !v.lite {
		options = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := db.BeginTx(ctx, options)
	if err != nil {
		return v.broken("database", fmt.Errorf("begin: %w", err))
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	v.db, v.q = tx, q.New(tx)
	if there, err := v.recognise(ctx); err != nil || !there {
		return err
	}
	for _, part := range []struct {
		name  string
		check func(context.Context) error
	}{{"database", v.integrity}, {"database", v.count}, {"audit_events", v.lines}, {"audit_head", v.head}} {
		if err := v.broken(part.name, part.check(ctx)); err != nil {
			return err
		}
	}
	return v.rows(ctx)
}

// broken turns an error that says the file is damaged into a problem, and
// passes any other on.
func (v *verifier) broken(table string, err error) error {
	if err == nil || !damaged(err) {
		return err
	}
	v.unread = true
	v.problem(Problem{Table: table, Why: "SQLite cannot read it: " + err.Error()})
	return nil
}

func (v *verifier) problem(p Problem) {
	if p.Seq > 0 && (v.report.FirstBad == 0 || p.Seq < v.report.FirstBad) {
		v.report.FirstBad = p.Seq
	}
	if len(v.report.Problems) == listProblems {
		v.report.More++
		return
	}
	v.report.Problems = append(v.report.Problems, p)
}

// recognise reports whether this is a rolecall database at all.
func (v *verifier) recognise(ctx context.Context) (bool, error) {
	for _, name := range []string{"audit_events", "audit_head", "audit_records"} {
		there, err := v.has(ctx, name)
		if err != nil {
			return false, v.broken("database", fmt.Errorf("look for the trail: %w", err))
		}
		if !there {
			v.problem(Problem{Table: "audit_events", Why: "there is no trail: this is no rolecall database, or its trail was dropped"})
			return false, nil
		}
	}
	return true, nil
}

func (v *verifier) has(ctx context.Context, table string) (bool, error) {
	return tableExists(ctx, v.db, !v.lite, table)
}

func (v *verifier) integrity(ctx context.Context) error {
	if !v.lite {
		return nil
	}
	rows, err := v.db.QueryContext(ctx, "PRAGMA integrity_check")
	if err != nil {
		return fmt.Errorf("check integrity: %w", err)
	}
	defer rows.Close() //nolint:errcheck // Err below has said what there is to say
	for rows.Next() {
		var said string
		if err := rows.Scan(&said); err != nil {
			return fmt.Errorf("check integrity: %w", err)
		}
		if said != "ok" {
			v.problem(Problem{Table: "database", Why: "SQLite finds its structure damaged: " + said})
		}
	}
	return rows.Err()
}

// count adds up what there is to do, for progress alone.
func (v *verifier) count(ctx context.Context) error {
	tables := append([]table{{name: "audit_events"}}, v.tables()...)
	for _, t := range tables {
		there, err := v.has(ctx, t.name)
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		var n int64
		if err := v.db.QueryRowContext(ctx, "SELECT count(*) FROM "+t.name).Scan(&n); err != nil {
			return fmt.Errorf("count %s: %w", t.name, err)
		}
		v.total += n
	}
	return nil
}

func (v *verifier) step(n int) {
	v.done += int64(n)
	if v.progress != nil {
		v.progress(v.done, v.total)
	}
}
