package pagerduty_test

import (
	"slices"
	"testing"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

func TestGone(t *testing.T) {
	t.Parallel()
	a, c := start(t, pagerdutytest.Config{})
	w := populate(a)
	must(a.DeleteUserAs("olga@example.com", w.sue.ID))
	got, err := c.Gone(t.Context(), ids(w.ann.ID, "PNEVER", w.sue.ID, w.bo.ID))
	if err != nil || !slices.Equal(got, ids("PNEVER", w.sue.ID)) {
		t.Errorf("gone are %v, %v; want PNEVER and Sue", got, err)
	}
	a.Fail(pagerdutytest.Fault{Method: "GET", Path: "/users/*", Times: -1, Kind: pagerdutytest.HTML(404)})
	if got, err := c.Gone(t.Context(), ids(w.ann.ID)); err == nil {
		t.Errorf("gone are %v by the word of a stranger", got)
	}
}
