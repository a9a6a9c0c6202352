package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"
	"golang.org/x/sync/errgroup"

	"rolecall/lifecycle"
)

const (
	horizon = 30 * 24 * time.Hour // how far shifts are looked for; overrides are as far as farAhead
	soonest = 5                   // shifts of one duty that are told
)

// duties returns everything that on-call expects of the account but incidents: levels that call it directly, seats, and
// overrides and single shifts ahead. It is all of it or an error: what the key may not read is a Refusal.
//
// The calls are all pages of policies and of schedules, one for each shift-based schedule (their list names nobody), the
// on-calls of the account, two or three for each schedule that it is in, and one for each of those who are there with it,
// since schedules keep placeholders of people who were deleted. PagerDuty's filter of policies by user is not used: whether
// it finds more than direct targets is not documented, and who else answers at a level the schedules tell.
func (c *Client) duties(ctx context.Context, id lifecycle.AccountID) ([]lifecycle.Duty, error) {
	duties, _, err := c.dutiesAndBlind(ctx, id)
	return duties, err
}

func (c *Client) dutiesAndBlind(ctx context.Context, id lifecycle.AccountID) ([]lifecycle.Duty, []string, error) {
	if err := checkID(id); err != nil {
		return nil, nil, err
	}
	for try := 1; ; try++ {
		d := &dutyReader{Client: c, id: id, at: c.now()}
		duties, err := d.read(ctx)
		if err == nil || !errors.Is(err, errMoved) || try == sweeps {
			return duties, slices.Concat(d.on.blind, d.blind), explain(err)
		}
	}
}

// A dutyReader is one try to read the duties of one account.
type dutyReader struct {
	*Client
	id lifecycle.AccountID
	at time.Time
	on onCall

	mu     sync.Mutex
	gone   goneNames
	shifts map[string][]lifecycle.Shift // by rota
	extra  []lifecycle.Duty             // overrides and single shifts
	blind  []string
}

func (d *dutyReader) read(ctx context.Context) ([]lifecycle.Duty, error) {
	watched, err := d.look(ctx)
	if err != nil {
		return nil, err
	}
	d.gone, d.shifts = d.on.placeholders(), map[string][]lifecycle.Shift{}
	g, within := errgroup.WithContext(ctx)
	g.SetLimit(2 * d.cfg.Concurrency)
	for _, r := range watched {
		if r.seats(d.id) {
			g.Go(func() error { return d.readShifts(within, r) })
		}
		for _, read := range d.extras(r) {
			g.Go(func() error { return read(within, r) })
		}
	}
	for _, other := range d.others() {
		g.Go(func() error { return d.check(within, other) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	d.unexplained(watched)
	return d.assemble(), nil
}

// unexplained says by which schedules the account is on call for no reason that is to be seen. A seat that was handed over,
// and is over in a moment, is one.
func (d *dutyReader) unexplained(watched []rota) {
	for _, r := range watched {
		if !r.seats(d.id) && !slices.Contains(r.leaving, string(d.id)) && !slices.ContainsFunc(d.extra, func(x lifecycle.Duty) bool { return x.Object.ID == r.ID }) {
			d.blind = append(d.blind, fmt.Sprintf("Is on call by %s, and PagerDuty shows neither a seat nor an override that says why.", r.Name))
		}
	}
}

// look reads who answers when, and returns the rotas that the account has a seat in, or is on call by without one.
func (d *dutyReader) look(ctx context.Context) ([]rota, error) {
	var onCallBy []string
	g, within := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		d.on, err = d.readOnCall(within, onCallReader{d.Client, d.prompt, func(int) {}})
		return err
	})
	g.Go(func() error {
		entries, err := d.listOnCalls(d.id, d.at).all(within)
		for _, e := range entries {
			onCallBy = append(onCallBy, e.Schedule.ID)
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if d.on.closed != nil {
		return nil, d.on.closed
	}
	d.memo.keep(d.on, d.at)
	var watched []rota
	for _, r := range d.on.rotas {
		if r.seats(d.id) || slices.Contains(onCallBy, r.ID) {
			watched = append(watched, r)
		}
	}
	for _, id := range onCallBy {
		if id != "" && !slices.ContainsFunc(watched, func(r rota) bool { return r.ID == id }) {
			return nil, fmt.Errorf("schedule %s is on call and was not listed: %w", id, errMoved)
		}
	}
	return watched, nil
}

func (r rota) seats(id lifecycle.AccountID) bool {
	return slices.ContainsFunc(r.seated, func(p pointer) bool { return p.ID == string(id) })
}

// others returns who answers where the account does, as far as they are not known to be deleted.
func (d *dutyReader) others() []lifecycle.AccountID {
	var all []lifecycle.AccountID
	for _, duty := range d.on.coverage(d.gone).Duties(d.id) {
		all = append(all, duty.Others...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (d *dutyReader) check(ctx context.Context, id lifecycle.AccountID) error {
	_, err := d.user(ctx, d.prompt, id)
	if !errors.Is(err, lifecycle.ErrNotFound) {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone[string(id)] = ""
	return nil
}

func (d *dutyReader) assemble() []lifecycle.Duty {
	coverage := d.on.coverage(d.gone)
	duties := coverage.Duties(d.id)
	for i := range duties {
		duties[i].Pin = d.on.pin(duties[i])
		if duties[i].Kind == lifecycle.KindSchedule {
			duties[i].Shifts = d.forGood(d.shifts[duties[i].Object.ID], duties[i].Alone())
		} else {
			duties[i].Shifts = []lifecycle.Shift{{From: d.at}} // whoever is called directly is on call for good
		}
	}
	slices.SortFunc(d.extra, func(a, b lifecycle.Duty) int { return a.Shifts[0].From.Compare(b.Shifts[0].From) })
	for _, duty := range d.extra {
		duty.Serves = coverage.Serves(duty.Object.ID)
		duties = append(duties, duty)
	}
	return duties
}

// forGood returns the shifts; of somebody who has the schedule to themselves,
// and is on call all the time that was read, without an end.
func (d *dutyReader) forGood(shifts []lifecycle.Shift, alone bool) []lifecycle.Shift {
	if alone && len(shifts) == 1 && !shifts[0].From.After(d.at) && !shifts[0].Until.Before(d.at.Add(horizon)) {
		return []lifecycle.Shift{{From: shifts[0].From}}
	}
	return shifts
}

func (on onCall) pin(d lifecycle.Duty) string {
	for _, r := range on.rotas {
		if d.Kind == lifecycle.KindSchedule && r.ID == d.Object.ID {
			return r.pin
		}
	}
	for _, p := range on.policies {
		if d.Kind == lifecycle.KindEscalationPolicy && p.ID == d.Object.ID {
			return p.Rules[d.Level-1].pin()
		}
	}
	return ""
}

// placeholders returns those who are said to be deleted where they are called or seated.
func (on onCall) placeholders() goneNames {
	gone := goneNames{}
	for id, p := range on.everyone() {
		if p.Deleted != "" {
			gone[id] = p.goneAs()
		}
	}
	return gone
}

// holds returns what on-call asks of the account but incidents, in words. A deletion must look for itself: on plans with
// PagerDuty's offboarding it goes through, and leaves a hole where the person was.
func (c *Client) holds(ctx context.Context, id lifecycle.AccountID) ([]string, error) {
	duties, err := c.duties(ctx, id)
	held := make([]string, len(duties))
	for i, d := range duties {
		held[i] = clean(d.String(), 120)
		if d.Kind == lifecycle.KindSchedule && d.Override == "" {
			held[i] = "the schedule " + clean(d.Object.Name, 80)
		}
	}
	return held, err
}

// listOnCalls lists when the account is on call, by schedules of either kind and directly, as far ahead as PagerDuty looks.
func (c *Client) listOnCalls(user lifecycle.AccountID, from time.Time) listing[pd.OnCall] {
	from = from.UTC()
	return listing[pd.OnCall]{
		what: "on-call shifts", overlap: true,
		id: func(o pd.OnCall) string {
			return fmt.Sprint(o.EscalationPolicy.ID, " ", o.EscalationLevel, " ", o.Schedule.ID, " ", o.Start)
		},
		fetch: func(ctx context.Context, offset, limit uint, _ bool) (page[pd.OnCall], error) {
			resp, err := ask(ctx, c.prompt, func(ctx context.Context, library *pd.Client) (*pd.ListOnCallsResponse, error) {
				return library.ListOnCallsWithContext(ctx, pd.ListOnCallOptions{
					UserIDs: []string{string(user)}, Offset: offset, Limit: limit,
					Since: from.Format(time.RFC3339), Until: from.Add(farAhead).Format(time.RFC3339),
				})
			})
			if err != nil {
				return page[pd.OnCall]{}, err
			}
			return page[pd.OnCall]{rows: resp.OnCalls, more: resp.More}, nil
		},
	}
}
