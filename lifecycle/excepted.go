package lifecycle

import (
	"context"
	"fmt"
	"time"
)

// tooEarly is by how much the clock of a queue may be ahead.
const tooEarly = time.Hour

// excepted is the exception that covers a finding, or did: the zero value is none.
type excepted struct {
	Exception
	by string // who gave it, by name
}

// excepted returns the exception by which the finding was last kept. One that is
// about to end is a RetryAfter: the step that asks anew has come too early.
func (p *Planner) excepted(ctx context.Context, f Finding) (excepted, error) {
	x, err := p.keptBy(ctx, f)
	if err != nil || x.ID == "" && x.By == "" {
		return excepted{}, err
	}
	if left := x.Until.Sub(p.now()); left > 0 && left < tooEarly {
		return excepted{}, RetryAfter(fmt.Errorf("finding %s is kept until %s", f.ID, x.Until), left)
	}
	known, err := p.store.IdentitiesByEmail(ctx, x.By)
	if err != nil {
		return excepted{}, fmt.Errorf("look up who kept finding %s: %w", f.ID, err)
	}
	is := excepted{Exception: x, by: x.By}
	if len(known) == 1 {
		is.by = known[0].Person.Label()
	}
	return is, nil
}

// keptBy returns the exception that the finding says, or, once a roll call has
// seen that it is over, what the last answer to the finding was.
func (p *Planner) keptBy(ctx context.Context, f Finding) (Exception, error) {
	if f.Exception != "" {
		x, err := p.read.Exception(ctx, f.Exception)
		if err != nil {
			return x, fmt.Errorf("load exception %s: %w", f.Exception, err)
		}
		return x, nil
	}
	if f.Request == "" {
		return Exception{}, nil
	}
	r, err := p.store.Request(ctx, f.Request)
	if err != nil {
		return Exception{}, fmt.Errorf("load request %s: %w", f.Request, err)
	}
	d, decided := r.DecidedBy()
	if !decided || r.State != Denied || d.Until.IsZero() || d.Until.After(p.now()) {
		return Exception{}, nil
	}
	return Exception{By: d.By, Until: d.Until}, nil
}

// stands reports whether it covers the finding still.
func (x excepted) stands(t time.Time) bool { return t.Before(x.Until) }

// round names the time that the finding is asked about: anew after each exception.
func (x excepted) round(f Finding) string {
	if x.ID != "" {
		return "after " + string(x.ID)
	}
	return f.round()
}

// words says why it is asked about again.
func (x excepted) words(story string) string {
	if x.Until.IsZero() {
		return story
	}
	return fmt.Sprintf("The exception that %s gave until %s has ended. %s", x.by, x.Until.UTC().Format("2 Jan"), story)
}
