package pagerdutytest

import (
	"net/http"
	"slices"
	"time"
)

// listOverrides lists overrides of a time. As PagerDuty's document has it: the status is 201, the ends are cut unless
// overflow is asked for, and ids are there only with editable, which leaves out what is over.
func listOverrides(c *call) reply {
	s := seenOne(c.view, layerKind, &c.schedules, c.r.PathValue("id"))
	if s == nil {
		return notFound()
	}
	over, bad := c.bounds(func(_, why string) reply { return invalid(why) })
	if bad != nil {
		return *bad
	}
	q := c.r.URL.Query()
	editable, overflow := q.Has("editable"), q.Get("overflow") == "true"
	rows := []obj{}
	for _, o := range s.Overrides {
		during := span{o.Start, o.End}
		if !during.overlaps(over) || (editable && !c.at.Before(o.End)) {
			continue
		}
		if !overflow {
			o.Start, o.End = later(o.Start, over.from), earlier(o.End, over.to)
		}
		row := c.drawOverride(o, s.zone())
		if !editable {
			delete(row, "id")
		}
		rows = append(rows, row)
	}
	return reply{status: http.StatusCreated, body: obj{"overrides": rows}}
}

func (c *call) drawOverride(o Override, zone *time.Location) obj {
	return obj{"id": o.ID, "start": stampIn(o.Start, zone), "end": stampIn(o.End, zone), "user": c.userRef(o.UserID)}
}

type overridePatch struct {
	Start *string `json:"start"`
	End   *string `json:"end"`
	User  *struct {
		ID string `json:"id"`
	} `json:"user"`
}

// createOverrides answers for each override by itself: some may be made and others not.
func createOverrides(c *call) reply {
	s := c.schedules.get(c.r.PathValue("id"))
	if s == nil {
		return notFound()
	}
	var body struct {
		Overrides []overridePatch `json:"overrides"`
	}
	if bad := c.decode(&body); bad != nil {
		return *bad
	}
	if len(body.Overrides) == 0 {
		return invalid("Overrides can't be blank")
	}
	is := s.clone()
	rows := []obj{}
	for _, b := range body.Overrides {
		o, why := c.readOverride(b)
		row := c.drawOverride(o, s.zone())
		if why != "" {
			delete(row, "id")
			rows = append(rows, obj{"status": http.StatusBadRequest, "errors": []string{why}, "override": row})
			continue
		}
		o.ID = c.newOverrideID()
		row["id"] = o.ID
		is.Overrides = append(is.Overrides, o)
		rows = append(rows, obj{"status": http.StatusCreated, "override": row})
	}
	if len(is.Overrides) > len(s.Overrides) {
		c.changeSchedule(c.author(), is)
	}
	return reply{status: http.StatusCreated, body: rows}
}

// readOverride returns the override, and why it cannot be when it cannot.
func (c *call) readOverride(b overridePatch) (Override, string) {
	var o Override
	if b.Start == nil || b.End == nil || b.User == nil {
		return o, "Override start, end and user can't be blank"
	}
	o.UserID = b.User.ID
	var err1, err2 error
	o.Start, err1 = time.Parse(time.RFC3339, *b.Start)
	o.End, err2 = time.Parse(time.RFC3339, *b.End)
	o.Start, o.End = o.Start.UTC(), o.End.UTC()
	switch {
	case err1 != nil || err2 != nil:
		return o, "Override start and end must be times"
	case !o.Start.Before(o.End):
		return o, "Override must end after its start"
	case !c.at.Before(o.End):
		return o, "Override must not be in the past"
	}
	return o, c.seatable(o.UserID)
}

// newOverrideID returns an id in the shape that overrides have.
func (c *call) newOverrideID() string { return "Q" + c.newID()[1:] + c.newID() }

// deleteOverride removes what has not begun and cuts what has. What is over cannot be removed; the status is the fake's.
func deleteOverride(c *call) reply {
	s := c.schedules.get(c.r.PathValue("id"))
	if s == nil {
		return notFound()
	}
	is := s.clone()
	i := slices.IndexFunc(is.Overrides, func(o Override) bool { return o.ID == c.r.PathValue("override_id") })
	if i < 0 {
		return notFound()
	}
	o := &is.Overrides[i]
	switch {
	case !c.at.Before(o.End):
		return invalid("You cannot remove a past override")
	case c.at.Before(o.Start):
		is.Overrides = slices.Delete(is.Overrides, i, i+1)
		c.changeSchedule(c.author(), is)
		return noContent()
	case c.at.Equal(o.Start):
		is.Overrides = slices.Delete(is.Overrides, i, i+1)
	default:
		o.End = c.at
	}
	c.changeSchedule(c.author(), is)
	return reply{status: http.StatusOK}
}
