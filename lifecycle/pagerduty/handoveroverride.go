package pagerduty

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"rolecall/lifecycle"
)

// handOverride gives an override, or a custom shift, to another for what is left of it; giving it back is the same the
// other way round.
func (h *handover) handOverride() deed {
	return func(ctx context.Context) (sight, error) {
		s, err := h.schedule(ctx)
		if err != nil {
			return sight{}, err
		}
		if !s.shifts {
			return h.handOneOff(ctx, layerOverrides())
		}
		found, err := h.handInPlace(ctx)
		if !errors.Is(err, lifecycle.ErrNotFound) {
			return found, err
		}
		return h.handOneOff(ctx, customShifts())
	}
}

// handInPlace gives an override of shifts to another in one write. Source: OpenAPI operation updateOverride, which lets
// overriding_member be changed at any time, unlike that of a custom shift.
func (h *handover) handInPlace(ctx context.Context) (sight, error) {
	k := shiftOverrides()
	place := k.place(h.Change.Entitlement.Object.ID) + "/" + h.Change.Entitlement.Override
	body, err := h.fetch(ctx, place, nil)
	if err != nil {
		return sight{}, h.unread(err)
	}
	o, err := inner(body, k.one)
	if err != nil {
		return sight{}, err
	}
	x, err := k.read(o)
	switch {
	case err != nil:
		return sight{}, err
	case x.user == h.Change.To || h.over(x.stretch):
		return sight{}, nil
	case x.user != h.Change.From:
		return sight{}, h.moved()
	default:
		return sight{body: body, left: []write{h.putOneOff(k, x)}}, nil
	}
}

func (h *handover) over(s stretch) bool { return !h.now().Before(s.until) }

func (h *handover) putOneOff(k oneOffKind, x oneOff) write {
	place := k.place(h.Change.Entitlement.Object.ID) + "/" + x.id
	is := k.given(x, h.Change.To, x.from)
	patch := object{}
	for _, key := range []string{k.from, k.till, "overriding_member", "assignments"} {
		if is.has(key) {
			patch = patch.with(key, is.fields[key])
		}
	}
	return write{name: k.one, do: func(ctx context.Context) error {
		return h.prompt.send(ctx, http.MethodPut, place, "", object{}.with(k.one, patch), nil)
	}}
}

// handOneOff makes the other's first, which wins at once, and then takes away the first one's. Of shifts one that has not
// begun is changed where it is.
func (h *handover) handOneOff(ctx context.Context, k oneOffKind) (sight, error) {
	all, err := h.oneOffs(ctx, k)
	if err != nil {
		return sight{}, h.unread(err)
	}
	window, known, err := h.window(k)
	if err != nil {
		return sight{}, err
	}
	now := h.now().UTC()
	held := h.held(all, window, known)
	switch {
	case len(held) == 0 && known && h.over(window):
		return sight{}, nil
	case len(held) == 0 && known:
		return h.settled(h.taken(all, window), nil)
	case len(held) == 0:
		return h.settled(h.takenSome(all), nil)
	case k.v3 && now.Add(soon).Before(held[0].from):
		return sight{body: alone(k, held[0]), left: []write{h.putOneOff(k, held[0])}}, nil
	case k.v3 && now.Before(held[0].from):
		return sight{}, errSoon
	}
	s := sight{body: alone(k, held[0])}
	if !h.taken(all, held[0].stretch) {
		s.left = append(s.left, h.createOneOff(k, held[0], now))
	}
	for _, x := range held {
		s.left = append(s.left, h.removeOneOff(k, x))
	}
	return s, nil
}

// alone is one of a list in the shape of an answer that has it alone.
func alone(k oneOffKind, x oneOff) []byte { return encode(object{}.with(k.one, x.object)) }

// window returns the time that was kept, if it was.
func (h *handover) window(k oneOffKind) (stretch, bool, error) {
	if h.Original == nil {
		return stretch{}, false, nil
	}
	o, err := inner(h.Original.Body, k.one)
	if err != nil {
		return stretch{}, false, fmt.Errorf("read what was kept: %w", err)
	}
	x, err := k.read(o)
	if err != nil {
		return stretch{}, false, fmt.Errorf("read what was kept: %w", err)
	}
	return x.stretch, true, nil
}

// held returns what is to change hands: by its id, or by the time it covers when it was made by a handover, and then
// perhaps twice.
func (h *handover) held(all []oneOff, window stretch, known bool) []oneOff {
	back := h.Change.Restores != ""
	return slices.DeleteFunc(slices.Clone(all), func(x oneOff) bool {
		ours := back && known && x.until.Equal(window.until) && !x.from.Before(window.from)
		return x.user != h.Change.From || x.id != h.Change.Entitlement.Override && !ours || h.over(x.stretch)
	})
}

// taken reports whether the other has the rest of the time already.
func (h *handover) taken(all []oneOff, window stretch) bool {
	from := later(window.from, h.now())
	for _, x := range all {
		if x.user == h.Change.To && x.until.Equal(window.until) && !x.from.After(from) {
			return true
		}
	}
	return false
}

func (h *handover) takenSome(all []oneOff) bool {
	for _, x := range all {
		if x.user == h.Change.To {
			return true
		}
	}
	return false
}

func (h *handover) createOneOff(k oneOffKind, x oneOff, now time.Time) write {
	return write{name: "create", do: func(ctx context.Context) error {
		return h.create(ctx, k, k.given(x, h.Change.To, now.Truncate(time.Second)))
	}}
}

func (h *handover) removeOneOff(k oneOffKind, x oneOff) write {
	place := k.place(h.Change.Entitlement.Object.ID) + "/" + x.id
	remove := func(ctx context.Context) error { return h.prompt.erase(ctx, place) }
	return write{name: "remove " + x.id, do: remove, failed: func(_ context.Context, no error) error {
		e, is := errors.AsType[*lifecycle.Refusal](no)
		if !is {
			return no
		}
		return lifecycle.Refuse(e.Kind, "%s What %s has in its place stands; that of %s is still there.", e.Reason, h.taker(), h.giver())
	}}
}
