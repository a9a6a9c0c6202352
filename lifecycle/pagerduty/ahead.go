package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"rolecall/lifecycle"
)

// An entriesRow is who is on call when, of a schedule of layers.
type entriesRow struct {
	Entries []struct {
		User  pointer   `json:"user"`
		Start time.Time `json:"start"`
		End   time.Time `json:"end"`
	} `json:"rendered_schedule_entries"`
}

// A computedRow is who is on call when, of a shift-based schedule.
type computedRow struct {
	Shifts []struct {
		Member memberRow `json:"member"`
		Start  time.Time `json:"start_time"`
		End    time.Time `json:"end_time"`
	} `json:"computed_shift_assignments"`
}

func (d *dutyReader) period(length time.Duration) url.Values {
	return url.Values{"since": {d.at.UTC().Format(time.RFC3339)}, "until": {d.at.Add(length).UTC().Format(time.RFC3339)}}
}

// readShifts reads when the account is on call in the rota within the next 30 days.
func (d *dutyReader) readShifts(ctx context.Context, r rota) error {
	var shifts []lifecycle.Shift
	query := d.period(horizon)
	query.Set("overflow", "true") // else a shift seems to end where the period does
	if r.shiftBased {
		query.Set("include[]", "final_schedule")
		s, err := d.prompt.shifts(ctx, r.ID, query)
		if err != nil {
			return upgraded(err)
		}
		for _, e := range s.Final.Shifts {
			if e.Member.ID == string(d.id) {
				shifts = append(shifts, d.shift(e.Start, e.End))
			}
		}
	} else {
		s, err := d.prompt.layers(ctx, r.ID, query)
		if err != nil {
			return upgraded(err)
		}
		for _, e := range s.Final.Entries {
			if e.User.ID == string(d.id) {
				shifts = append(shifts, d.shift(e.Start, e.End))
			}
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shifts[r.ID] = merged(shifts)
	return nil
}

// upgraded lets everything be read again when a schedule has become one of the other kind, or was deleted.
func upgraded(err error) error {
	if errors.Is(err, errOtherKind) {
		return fmt.Errorf("%w: %w", errMoved, err)
	}
	return err
}

// shift is what is ahead of it.
func (d *dutyReader) shift(start, end time.Time) lifecycle.Shift {
	if start.Before(d.at) {
		start = d.at
	}
	return lifecycle.Shift{From: start.UTC(), Until: end.UTC()}
}

// merged returns the first few shifts, those that touch as one.
func merged(shifts []lifecycle.Shift) []lifecycle.Shift {
	slices.SortFunc(shifts, func(a, b lifecycle.Shift) int { return a.From.Compare(b.From) })
	var out []lifecycle.Shift
	for _, s := range shifts {
		if n := len(out); n > 0 && !s.From.After(out[n-1].Until) {
			if s.Until.After(out[n-1].Until) {
				out[n-1].Until = s.Until
			}
			continue
		}
		out = append(out, s)
	}
	return out[:min(len(out), soonest)]
}

// extras returns how to read what puts the account on call in the rota beside its seat.
func (d *dutyReader) extras(r rota) []func(context.Context, rota) error {
	if r.shiftBased {
		return []func(context.Context, rota) error{d.readShiftOverrides, d.readCustomShifts}
	}
	return []func(context.Context, rota) error{d.readOverrides}
}

// An overrideRow is an override of a schedule of layers.
type overrideRow struct {
	ID    string    `json:"id"`
	User  pointer   `json:"user"`
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

func (d *dutyReader) readOverrides(ctx context.Context, r rota) error {
	var got struct {
		Overrides []overrideRow `json:"overrides"`
	}
	query := d.period(farAhead)
	query.Set("overflow", "true") // with their own start and end, and not those of the period
	query.Set("editable", "true") // else they come without ids
	if err := d.prompt.schedule(ctx, "/schedules/", r.ID, "/overrides", query, &got); err != nil {
		return upgraded(err)
	}
	for _, o := range got.Overrides {
		d.add(r, o.ID, o.User.ID, o.Start, o.End)
	}
	return nil
}

// A oneOffRow is an override of a shift-based schedule, or a single shift in it.
type oneOffRow struct {
	ID          string    `json:"id"`
	Start       time.Time `json:"start_time"`
	End         time.Time `json:"end_time"`
	Overriding  memberRow `json:"overriding_member"`
	Assignments []struct {
		Member memberRow `json:"member"`
	} `json:"assignments"`
}

func (d *dutyReader) readShiftOverrides(ctx context.Context, r rota) error {
	rows, err := d.listOneOffs(r, "overrides").all(ctx)
	for _, o := range rows {
		d.add(r, o.ID, o.Overriding.ID, o.Start, o.End)
	}
	return upgraded(err)
}

func (d *dutyReader) readCustomShifts(ctx context.Context, r rota) error {
	rows, err := d.listOneOffs(r, "custom_shifts").all(ctx)
	for _, o := range rows {
		for _, x := range o.Assignments {
			d.add(r, o.ID, x.Member.ID, o.Start, o.End)
		}
	}
	return upgraded(err)
}

func (d *dutyReader) listOneOffs(r rota, kind string) listing[oneOffRow] {
	return listing[oneOffRow]{
		what: kind + " of schedule " + r.ID, overlap: true, id: func(o oneOffRow) string { return o.ID },
		fetch: func(ctx context.Context, offset, limit uint, _ bool) (page[oneOffRow], error) {
			var got struct {
				Overrides []oneOffRow `json:"overrides"`
				Custom    []oneOffRow `json:"custom_shifts"`
				More      bool        `json:"more"`
			}
			query := d.period(farAhead)
			query.Set("overflow", "true")
			err := d.prompt.schedule(ctx, "/v3/schedules/", r.ID, "/"+kind, paging(query, offset, limit, false), &got)
			return page[oneOffRow]{rows: append(got.Overrides, got.Custom...), more: got.More}, err
		},
	}
}

// add notes a stretch of time that is the account's beside any seat, unless it is over.
func (d *dutyReader) add(r rota, id, user string, start, end time.Time) {
	if user != string(d.id) || !end.After(d.at) {
		return
	}
	duty := lifecycle.Duty{
		Kind: lifecycle.KindSchedule, Object: r.Object, Override: id,
		Shifts: []lifecycle.Shift{{From: start.UTC(), Until: end.UTC()}}, Pin: pin(id, user, instant(start), instant(end)),
	}
	if len(r.teams) > 0 {
		duty.Team = r.teams[0]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.extra = append(d.extra, duty)
}
