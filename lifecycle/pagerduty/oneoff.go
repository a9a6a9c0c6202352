package pagerduty

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A oneOff is time in a schedule that is somebody's beside any turns: an override, or a custom shift.
type oneOff struct {
	object
	stretch
	id, user string
}

// A oneOffKind is how PagerDuty has it: in layers an override that is nobody's in particular, in shifts an override of
// somebody, or a custom shift.
type oneOffKind struct {
	list       string // the last part of its path, and the name of its list
	one        string // its name when it is alone
	from, till string // what its ends are called
	v3         bool
}

func layerOverrides() oneOffKind {
	return oneOffKind{list: "overrides", one: "override", from: "start", till: "end"}
}

func shiftOverrides() oneOffKind {
	return oneOffKind{list: "overrides", one: "override", from: "start_time", till: "end_time", v3: true}
}

func customShifts() oneOffKind {
	return oneOffKind{list: "custom_shifts", one: "custom_shift", from: "start_time", till: "end_time", v3: true}
}

func (k oneOffKind) place(schedule string) string {
	if k.v3 {
		return "/v3/schedules/" + schedule + "/" + k.list
	}
	return "/schedules/" + schedule + "/" + k.list
}

func (k oneOffKind) read(o object) (oneOff, error) {
	x := oneOff{object: o, id: o.text("id")}
	var err error
	if x.stretch, err = readStretch(o, k.from, k.till); err != nil {
		return x, err
	}
	switch {
	case k.list == "custom_shifts":
		all, err := o.list("assignments")
		if err != nil || len(all) != 1 {
			return x, fmt.Errorf("read custom shift %s: it has %d assignments: %w", clean(x.id, 40), len(all), err)
		}
		member, err := all[0].child("member")
		x.user = memberSpot().user(member)
		return x, err
	case k.v3:
		member, err := o.child("overriding_member")
		x.user = memberSpot().user(member)
		return x, err
	default:
		x.user = turnSpot().user(o)
		return x, nil
	}
}

// given returns it as it is sent for another user, from a moment on.
func (k oneOffKind) given(x oneOff, user string, from time.Time) object {
	o := x.without("id", "self", "html_url")
	if from.After(x.from) {
		o = o.with(k.from, from.UTC().Format(time.RFC3339))
	}
	if !k.v3 {
		return o.with("user", userReference(user))
	}
	member := memberSpot().given(object{}, user)
	if k.list == "custom_shifts" {
		return o.with("assignments", []object{object{}.with("type", "shift_assignment").with("member", member)})
	}
	return o.with("overriding_member", member)
}

const farAhead = 89 * 24 * time.Hour // PagerDuty says who is on call for 90 days ahead

// oneOffs lists what is not over. Of layers PagerDuty tells ids only of what can still be changed, and only when asked so.
// Source: OpenAPI operation listScheduleOverrides, parameter editable.
func (h *handover) oneOffs(ctx context.Context, k oneOffKind) ([]oneOff, error) {
	now := h.now().UTC()
	query := url.Values{"since": {now.Format(time.RFC3339)}, "until": {now.Add(farAhead).Format(time.RFC3339)}, "overflow": {"true"}}
	place := k.place(h.Change.Entitlement.Object.ID)
	if !k.v3 {
		query.Set("editable", "true")
		p, err := h.oneOffPage(ctx, k, place, query)
		return p.rows, err
	}
	l := listing[oneOff]{
		what: k.list, overlap: true, id: func(x oneOff) string { return x.id },
		fetch: func(ctx context.Context, offset, limit uint, _ bool) (page[oneOff], error) {
			query.Set("offset", strconv.Itoa(int(offset)))
			query.Set("limit", strconv.Itoa(int(limit)))
			return h.oneOffPage(ctx, k, place, query)
		},
	}
	return l.all(ctx)
}

func (h *handover) oneOffPage(ctx context.Context, k oneOffKind, place string, query url.Values) (page[oneOff], error) {
	body, err := h.fetch(ctx, place, query)
	if err != nil {
		return page[oneOff]{}, err
	}
	answer, err := parseObject(body)
	if err != nil {
		return page[oneOff]{}, err
	}
	all, err := answer.list(k.list)
	if err != nil {
		return page[oneOff]{}, err
	}
	p := page[oneOff]{more: string(answer.fields["more"]) == "true"}
	for _, o := range all {
		x, err := k.read(o)
		if err != nil {
			return p, err
		}
		p.rows = append(p.rows, x)
	}
	return p, nil
}

// create makes one. Of layers each override is answered for by itself. Source: OpenAPI operation createScheduleOverride.
func (h *handover) create(ctx context.Context, k oneOffKind, o object) error {
	place := k.place(h.Change.Entitlement.Object.ID)
	var answer json.RawMessage
	if err := h.prompt.send(ctx, http.MethodPost, place, "", object{}.with(k.list, []object{o}), &answer); err != nil {
		return err
	}
	var each []struct {
		Status int      `json:"status"`
		Errors []string `json:"errors"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(answer), []byte("[")) { // an answer that is not a list has no refusals in it
		if err := json.Unmarshal(answer, &each); err != nil {
			return &lostError{fmt.Errorf("POST %s: %w", place, err)}
		}
	}
	for _, e := range each {
		if e.Status >= http.StatusBadRequest {
			no := &answerError{method: http.MethodPost, path: place, status: e.Status, code: 2001, envelope: true}
			no.add("Invalid Input Provided")
			no.add(e.Errors...)
			return no
		}
	}
	return nil
}
