package pagerduty

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// In shifts an override is of somebody: whoever covers for the one who goes would cover for nobody once the seat is
// another's. So what is ahead is made once more, of the one who takes over, and taken away when the seat is given back. What
// was there stays, and does nothing meanwhile.

// covers returns what is left to write of that.
func (h *handover) covers(ctx context.Context, s swap, was []event) ([]write, error) {
	if !slices.ContainsFunc(was, func(e event) bool { return e.heldBy(s.from) && !e.endsBy(s.at) }) {
		return nil, nil
	}
	k := shiftOverrides()
	all, err := h.oneOffs(ctx, k)
	if err != nil {
		return nil, err
	}
	var left []write
	for _, x := range all {
		covered, err := x.child("overridden_member")
		if err != nil {
			return nil, err
		}
		if memberSpot().user(covered) != s.from || x.user == s.to || x.user == s.from || !x.until.After(s.cut) || !s.aloneIn(was, x) {
			continue
		}
		twin, made := x.twin(all, s.to)
		switch {
		case s.back && made:
			left = append(left, h.uncover(k, twin))
		case !s.back && !made:
			left = append(left, h.cover(k, x, s.to, later(x.from, s.cut)))
		}
	}
	return left, nil
}

// aloneIn reports whether of the two only the one who goes has a seat in the rotation while the override lasts. Had the
// taker one too, an override of theirs would be of both.
func (s swap) aloneIn(was []event, x oneOff) bool {
	seated := func(user string) bool {
		return slices.ContainsFunc(was, func(e event) bool {
			return e.rotation == x.text("rotation_id") && e.heldBy(user) && e.since.Before(x.until) && !e.endsBy(later(x.from, s.at))
		})
	}
	return seated(s.from) && !seated(s.to)
}

// twin returns the override that covers for another as this one does.
func (x oneOff) twin(all []oneOff, of string) (oneOff, bool) {
	i := slices.IndexFunc(all, func(y oneOff) bool {
		covered, err := y.child("overridden_member")
		return err == nil && memberSpot().user(covered) == of && y.user == x.user && y.until.Equal(x.until) &&
			y.text("rotation_id") == x.text("rotation_id")
	})
	if i < 0 {
		return oneOff{}, false
	}
	return all[i], true
}

func (h *handover) cover(k oneOffKind, x oneOff, of string, from time.Time) write {
	o := k.given(x, x.user, from).with("overridden_member", memberSpot().given(object{}, of))
	return write{name: "cover " + x.id, do: func(ctx context.Context) error { return h.create(ctx, k, o) }}
}

func (h *handover) uncover(k oneOffKind, x oneOff) write {
	place := k.place(h.Change.Entitlement.Object.ID) + "/" + x.id
	return write{name: "uncover " + x.id, do: func(ctx context.Context) error {
		err := h.prompt.erase(ctx, place)
		if e, is := asAnswer(err); is && e.status == http.StatusNotFound && e.gone() {
			return nil
		}
		return err
	}}
}
