package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"rolecall/lifecycle"
)

// A rota is a schedule of either kind, with what the domain need not know of it.
type rota struct {
	lifecycle.Object
	shiftBased bool
	teams      []lifecycle.TeamID
	seated     []pointer // who has a place now or ahead, deleted users too, each once
	leaving    []string  // who has one that a handover has ended, and that is over in a moment, by id
	pin        string
}

func (r *rota) seat(p pointer) {
	if p.ID != "" && !slices.ContainsFunc(r.seated, func(q pointer) bool { return q.ID == p.ID }) {
		r.seated = append(r.seated, p)
	}
}

// inWords puts the rota into the domain's words.
func (r rota) inWords(gone goneNames) lifecycle.Rota {
	is := lifecycle.Rota{Object: r.Object, ShiftBased: r.shiftBased, Teams: r.teams}
	for _, p := range r.seated {
		if name, dead := gone[p.ID]; dead {
			is.Gone = append(is.Gone, name)
			continue
		}
		is.Seats = append(is.Seats, lifecycle.AccountID(p.ID))
	}
	return is
}

// A layersRow is a schedule of layers. Its users[] are not relied on: whether those of layers that are over are among them
// is not documented.
type layersRow struct {
	pointer
	Teams  []pointer   `json:"teams"`
	Layers *[]layerRow `json:"schedule_layers"` // nil: not told
	Final  entriesRow  `json:"final_schedule"`
}

type layerRow struct {
	ID    string    `json:"id"`
	End   time.Time `json:"end"` // zero: it does not end
	Turn  int       `json:"rotation_turn_length_seconds"`
	Users []struct {
		User pointer `json:"user"`
	} `json:"users"`
	Restrictions []struct {
		Type     string `json:"type"`
		From     string `json:"start_time_of_day"`
		Weekday  int    `json:"start_day_of_week"`
		Duration int    `json:"duration_seconds"`
	} `json:"restrictions"`
}

func (s layersRow) rota(at time.Time) rota {
	r := rota{Object: s.object(), teams: teamIDs(s.Teams)}
	var parts []string
	for _, l := range *s.Layers {
		parts = append(parts, "layer", l.ID, instant(l.End), strconv.Itoa(l.Turn))
		for _, u := range l.Users {
			parts = append(parts, u.User.ID)
			if l.End.IsZero() || at.Before(l.End) {
				r.seat(u.User)
			}
		}
		for _, x := range l.Restrictions {
			parts = append(parts, x.Type, x.From, strconv.Itoa(x.Weekday), strconv.Itoa(x.Duration))
		}
	}
	r.pin = pin(parts...) // not its starts, which move with time; layers that are over, since they do not come and go
	return r
}

// A shiftsRow is a shift-based schedule.
type shiftsRow struct {
	pointer
	Teams     []pointer `json:"teams"`
	Rotations []struct {
		ID     string     `json:"id"`
		Events []eventRow `json:"events"`
	} `json:"rotations"`
	Final computedRow `json:"final_schedule"`
}

type eventRow struct {
	ID         string    `json:"id"`
	Until      time.Time `json:"effective_until"` // zero: it does not end
	Recurrence []string  `json:"recurrence"`
	Strategy   struct {
		Type    string      `json:"type"`
		Shifts  int         `json:"shifts_per_member"`
		Members []memberRow `json:"members"`
	} `json:"assignment_strategy"`
}

// A memberRow is who has a shift: nobody, when the id is empty.
type memberRow struct {
	ID string `json:"user_id"`
}

// rota returns the schedule at that moment. Seats of events that are over within lead do not count: somebody else has them.
func (s shiftsRow) rota(at time.Time, lead time.Duration) rota {
	r := rota{Object: s.object(), shiftBased: true, teams: teamIDs(s.Teams)}
	var parts []string
	for _, rotation := range s.Rotations {
		parts = append(parts, "rotation", rotation.ID)
		for _, e := range rotation.Events {
			parts = append(parts, "event", e.ID, instant(e.Until), e.Strategy.Type, strconv.Itoa(e.Strategy.Shifts))
			parts = append(parts, e.Recurrence...)
			for _, m := range e.Strategy.Members {
				parts = append(parts, m.ID)
				switch {
				case e.Until.IsZero() || at.Add(lead).Before(e.Until):
					r.seat(pointer{ID: m.ID})
				case at.Before(e.Until):
					r.leaving = append(r.leaving, m.ID)
				}
			}
		}
	}
	r.pin = pin(parts...)
	return r
}

func teamIDs(teams []pointer) []lifecycle.TeamID {
	ids := make([]lifecycle.TeamID, len(teams))
	for i, t := range teams {
		ids[i] = lifecycle.TeamID(t.ID)
	}
	return ids
}

// listLayers lists the schedules of layers, with the layers.
func (c *Client) listLayers(a api) listing[layersRow] {
	return listing[layersRow]{
		what: "schedules", overlap: true, parallel: c.cfg.Concurrency, id: func(s layersRow) string { return s.ID },
		fetch: func(ctx context.Context, offset, limit uint, total bool) (page[layersRow], error) {
			var got struct {
				Rows  []layersRow `json:"schedules"`
				More  bool        `json:"more"`
				Total int         `json:"total"`
			}
			err := a.get(ctx, "/schedules", paging(url.Values{"include[]": {"schedule_layers"}}, offset, limit, total), &got)
			return page[layersRow]{rows: got.Rows, more: got.More, total: got.Total}, err
		},
	}
}

// listShifts lists references to the shift-based schedules, of which PagerDuty gives 1000 at a time and tells no total.
func listShifts(a api) listing[pointer] {
	return listing[pointer]{
		what: "shift-based schedules", overlap: true, size: 1000, id: func(p pointer) string { return p.ID },
		fetch: func(ctx context.Context, offset, limit uint, _ bool) (page[pointer], error) {
			var got struct {
				Rows []pointer `json:"schedules"`
				More bool      `json:"more"`
			}
			err := a.get(ctx, "/v3/schedules", paging(url.Values{}, offset, limit, false), &got)
			return page[pointer]{rows: got.Rows, more: got.More}, err
		},
	}
}

// errOtherKind is a schedule that is not of the kind it was asked for as, or is none.
var errOtherKind = errors.New("it is no schedule of that kind")

func (a api) layers(ctx context.Context, id string, query url.Values) (layersRow, error) {
	var got struct {
		Schedule layersRow `json:"schedule"`
	}
	err := a.schedule(ctx, "/schedules/", id, "", query, &got)
	if err == nil && got.Schedule.Layers == nil { // an upgraded one might be answered for by the old API, without layers
		err = fmt.Errorf("read schedule %s: %w", id, errOtherKind)
	}
	return got.Schedule, err
}

func (a api) shifts(ctx context.Context, id string, query url.Values) (shiftsRow, error) {
	var got struct {
		Schedule shiftsRow `json:"schedule"`
	}
	err := a.schedule(ctx, "/v3/schedules/", id, "", query, &got)
	return got.Schedule, err
}

// schedule reads one schedule, or a list beneath it. To v3 one of layers is a 400. Source: PagerDuty's upgrade guide for schedules.
func (a api) schedule(ctx context.Context, place, id, beneath string, query url.Values, out any) error {
	if !plainID.MatchString(id) {
		return fmt.Errorf("read schedule %q: %w", clean(id, 40), errOtherKind)
	}
	err := a.get(ctx, place+id+beneath, query, out)
	if e, is := asAnswer(err); is && (e.gone() || e.status == http.StatusBadRequest) {
		return fmt.Errorf("read schedule %s: %w", id, errOtherKind)
	}
	if err != nil {
		return fmt.Errorf("read schedule %s: %w", id, err)
	}
	return nil
}
