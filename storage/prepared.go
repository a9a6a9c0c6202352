package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
)

// maxPrepared is more than the queries there are, ours and the job queue's.
const maxPrepared = 256

// openSQL opens a SQLite database whose connections keep the statements they
// have prepared. database/sql and the job queue prepare each query anew, and
// parsing was a third of the time that storing a fact took.
func openSQL(dsn string) (*sql.DB, error) {
	inner, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(preparing{inner}), nil
}

type preparing struct{ driver.Connector }

func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := c.(liteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the SQLite driver's %T lacks what rolecall needs", c), c.Close())
	}
	return &preparedConn{liteConn: inner, idle: map[string]liteStmt{}}, nil
}

type liteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type liteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// preparedConn is one connection; database/sql lets one goroutine at a time use
// it. A statement that is at work is not among the idle ones.
type preparedConn struct {
	liteConn
	idle map[string]liteStmt
}

// ExecContext runs the query.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if script(query) {
		return c.liteConn.ExecContext(ctx, query, args)
	}
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(ctx, args)
	return result, c.give(query, s, err)
}

// QueryContext runs the query; its statement is idle again when the rows are closed.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if script(query) {
		return c.liteConn.QueryContext(ctx, query, args)
	}
	s, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, c.give(query, s, err)
	}
	return &preparedRows{Rows: rows, done: func(err error) error { return c.give(query, s, err) }}, nil
}

// Close closes the idle statements, and then the connection.
func (c *preparedConn) Close() error {
	var errs []error
	for _, s := range c.idle {
		errs = append(errs, s.Close())
	}
	clear(c.idle)
	return errors.Join(append(errs, c.liteConn.Close())...)
}

// script reports whether the text may hold more than one statement. Such text,
// of migrations above all, runs once.
func script(query string) bool { return strings.Contains(query, ";") }

func (c *preparedConn) take(ctx context.Context, query string) (liteStmt, error) {
	if s, ok := c.idle[query]; ok {
		delete(c.idle, query)
		return s, nil
	}
	p, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s, ok := p.(liteStmt)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the SQLite driver's %T lacks what rolecall needs", p), p.Close())
	}
	return s, nil
}

// give takes a statement back, and returns err. One that failed is closed:
// the next starts afresh.
func (c *preparedConn) give(query string, s liteStmt, err error) error {
	_, twice := c.idle[query]
	if err == nil && !twice && len(c.idle) < maxPrepared {
		c.idle[query] = s
		return nil
	}
	if closeErr := s.Close(); closeErr != nil {
		return errors.Join(err, closeErr)
	}
	return err
}

type preparedRows struct {
	driver.Rows
	done func(error) error // nil once closed
}

// Close ends the rows.
func (r *preparedRows) Close() error {
	if r.done == nil {
		return nil
	}
	done := r.done
	r.done = nil
	return done(r.Rows.Close())
}
