package pagerduty

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

const (
	pageSize = 100    // the most that PagerDuty gives at a time of almost everything
	reach    = 10_000 // offset+limit beyond it is refused
	sweeps   = 3      // how often a listing is begun anew because it moved
)

// errMoved is a listing that changed while it was read: what was read is not whole.
var errMoved = errors.New("it changed while it was being read")

// A page is one answer of a listing. Total is 0 when it was not told.
type page[T any] struct {
	rows  []T
	more  bool
	total int
}

// A listing is a PagerDuty list. Pages are no snapshot: when a row goes away between two pages, the next moves up unseen.
// Where nothing else would tell, overlap has each page begin with the last row of the one before: if that is another row,
// the listing has moved.
type listing[T any] struct {
	what     string
	id       func(T) string
	fetch    func(ctx context.Context, offset, limit uint, total bool) (page[T], error)
	overlap  bool
	parallel int            // pages at a time, when PagerDuty tells how many rows there are; 0 and 1: one after another
	size     int            // of a page; pageSize when 0
	cut      bool           // the first rows that PagerDuty lists are all that is wanted, where it has more
	ahead    func(more int) // told of pages that will follow; may be nil
}

// A tooLongError is a listing of which PagerDuty gives only a part. Total is 0 where it did not tell how many rows there are.
type tooLongError struct {
	what  string
	total int
}

func (e *tooLongError) Error() string { return e.Unwrap().Error() }

func (e *tooLongError) Unwrap() error {
	return lifecycle.Refuse(lifecycle.ErrInvalid, "This PagerDuty account has more %s than the first %d, which are all that PagerDuty's API lists. Nothing is concluded from a part of them.", e.what, reach)
}

func (l listing[T]) pageSize() int {
	if l.size > 0 {
		return l.size
	}
	return pageSize
}

func (l listing[T]) step() int {
	if l.overlap {
		return l.pageSize() - 1
	}
	return l.pageSize()
}

// all returns every row, or an error: never fewer.
func (l listing[T]) all(ctx context.Context) ([]T, error) {
	for try := 1; ; try++ {
		rows, err := l.sweep(ctx)
		if err == nil {
			return rows, nil
		}
		if !errors.Is(err, errMoved) || try == sweeps {
			return nil, fmt.Errorf("list %s: %w", l.what, err)
		}
	}
}

func (l listing[T]) sweep(ctx context.Context) ([]T, error) {
	first, err := l.fetch(ctx, 0, uint(l.pageSize()), l.parallel > 1)
	if err != nil {
		return nil, err
	}
	if first.total > reach && !l.cut {
		return nil, &tooLongError{l.what, first.total}
	}
	pages, err := l.following(ctx, first)
	if err != nil {
		return nil, err
	}
	for !l.cut && pages[len(pages)-1].more { // the total was not told, or has grown
		p, err := l.page(ctx, len(pages))
		if err != nil {
			return nil, err
		}
		pages = append(pages, p)
	}
	return l.join(pages, first.total)
}

// following returns the first page and those that must follow by its total.
func (l listing[T]) following(ctx context.Context, first page[T]) ([]page[T], error) {
	pages := []page[T]{first}
	if l.parallel > 1 && first.more {
		n := 1
		for (n-1)*l.step()+l.pageSize() < min(first.total, reach) {
			n++
		}
		pages = append(pages, make([]page[T], n-1)...)
		if l.ahead != nil {
			l.ahead(n - 1)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(l.parallel, 1))
	for i := 1; i < len(pages); i++ {
		g.Go(func() (err error) {
			pages[i], err = l.page(ctx, i)
			return err
		})
	}
	return pages, g.Wait()
}

func (l listing[T]) page(ctx context.Context, n int) (page[T], error) {
	offset := n * l.step()
	if offset+l.pageSize() > reach {
		return page[T]{}, &tooLongError{what: l.what}
	}
	return l.fetch(ctx, uint(offset), uint(l.pageSize()), false)
}

// join puts pages together, or says that they do not fit.
func (l listing[T]) join(pages []page[T], total int) ([]T, error) {
	rows := make([]T, 0, (len(pages)-1)*l.pageSize()+len(pages[len(pages)-1].rows))
	seen := make(map[string]bool, cap(rows))
	for n, p := range pages {
		if err := l.fits(p, n, len(pages)); err != nil {
			return nil, err
		}
		own := p.rows
		if l.overlap && n > 0 {
			if len(own) == 0 || l.id(own[0]) != l.id(rows[len(rows)-1]) {
				return nil, errMoved
			}
			own = own[1:]
		}
		for _, row := range own {
			if id := l.id(row); id == "" || seen[id] {
				return nil, fmt.Errorf("row %q comes twice or has no id: %w", id, errMoved)
			}
			seen[l.id(row)] = true
		}
		rows = append(rows, own...)
	}
	if len(rows) < total && !l.cut {
		return nil, fmt.Errorf("%d of %d came: %w", len(rows), total, errMoved)
	}
	return rows, nil
}

func (l listing[T]) fits(p page[T], n, pages int) error {
	last := n == pages-1 && !l.cut
	if p.more == last || !last && len(p.rows) != l.pageSize() {
		return fmt.Errorf("page %d of %d has %d rows and more is %t: %w", n+1, pages, len(p.rows), p.more, errMoved)
	}
	return nil
}
