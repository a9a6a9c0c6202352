package pagerdutytest

// The kinds of what lags beside users and teams. On-calls do not lag: they are computed from what there is.
const (
	policyKind = "policy "
	layerKind  = "schedule "
	shiftKind  = "shifts "
)

// rememberDuty keeps how a policy or a schedule looks now, before another is put in its place.
func (a *Account) rememberDuty(kind, id string, was any) { a.remember(kind+id, old{duty: was}) }

// seenOne returns a policy or a schedule as the read sees it, or nil.
func seenOne[T any](v *view, kind string, t *table[T], id string) *T {
	if len(v.a.lagged) == 0 { // most accounts do not lag
		return t.get(id)
	}
	if o := v.look(kind + id); o != nil {
		return o.duty.(*T)
	}
	return t.get(id)
}

// seenAll returns those that match, as the read sees them, in order.
func seenAll[T any](v *view, kind string, t *table[T], match func(*T) bool) []*T {
	var out []*T
	for _, id := range t.order {
		if x := seenOne(v, kind, t, id); match(x) {
			out = append(out, x)
		}
	}
	return out
}
