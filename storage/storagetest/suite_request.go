package storagetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func testRequests(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	r := sampleRequest("ntc_1")
	save := func(r lifecycle.Request) error {
		return db.SaveRequest(t.Context(), r, event(lifecycle.EventRequestOpened, string(r.ID)), lifecycle.Job{Kind: lifecycle.JobShow, Ref: string(r.ID)})
	}
	must(t, save(r))
	if diff := cmp.Diff(r, get[lifecycle.Request](t)(db.Request(t.Context(), r.ID))); diff != "" {
		t.Errorf("the request came back different:\n%s", diff)
	}
	if err := save(r); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("opened again: %v, want a duplicate", err)
	}
	if err := save(moved(moved(r, lifecycle.Approved), lifecycle.Applying)); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("a revision that skips one: %v, want a conflict", err)
	}
	if err := save(moved(sampleRequest("ntc_none"), lifecycle.Approved)); !errors.Is(err, lifecycle.ErrConflict) {
		t.Errorf("a later revision of none: %v, want a conflict", err)
	}
	if _, err := db.Request(t.Context(), "req_none"); !errors.Is(err, lifecycle.ErrNotFound) {
		t.Errorf("an unknown request: %v", err)
	}
	if n, j := lines(t, db), jobs(t, db, lifecycle.JobShow); n != 1 || j != 1 {
		t.Errorf("what was refused left %d lines and %d jobs beside the first", n-1, j-1)
	}
	t.Run("of many approvers at once one wins", func(t *testing.T) {
		won := together(8, func() bool {
			err := save(moved(r, lifecycle.Approved))
			if err != nil && !errors.Is(err, lifecycle.ErrConflict) {
				t.Errorf("a loser got %v, want a conflict", err)
			}
			return err == nil
		})
		if n, j := lines(t, db), jobs(t, db, lifecycle.JobShow); won != 1 || n != 2 || j != 2 {
			t.Errorf("%d won, and left %d lines and %d jobs; want 1, 2 and 2", won, n, j)
		}
	})
	whole(t, url)
	t.Run("filter", func(t *testing.T) { testFilter(t, x.open(t)) })
}

// testFilter compares every combination of fields with a plain reading of what they mean.
func testFilter(t *testing.T, db *storage.DB) {
	all := manyRequests(t, db)
	check := func(f lifecycle.RequestFilter) {
		want := slices.DeleteFunc(slices.Clone(all), func(r lifecycle.Request) bool {
			return f.Subject != "" && r.Subject.ID != f.Subject || f.Account != "" && r.Account.ID != f.Account ||
				f.Open && !r.State.Open() || len(f.States) > 0 && !slices.Contains(f.States, r.State) || r.UpdatedAt.Before(f.Since)
		})
		if f.Limit > 0 && len(want) > f.Limit {
			want = want[len(want)-f.Limit:]
		}
		got := get[[]lifecycle.Request](t)(db.Requests(t.Context(), f))
		if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", f, diff)
		}
	}
	for _, subject := range []lifecycle.IdentityID{"", "idn_1", "idn_none"} {
		for _, account := range []lifecycle.AccountID{"", "P1"} {
			for _, open := range []bool{false, true} {
				for _, states := range [][]lifecycle.RequestState{nil, {lifecycle.Pending}, {lifecycle.Done, lifecycle.Failed}} {
					for _, since := range []time.Time{{}, noon().Add(12 * time.Hour)} {
						for _, limit := range []int{0, 1, 5} {
							check(lifecycle.RequestFilter{Subject: subject, Account: account, Open: open, States: states, Since: since, Limit: limit})
						}
					}
				}
			}
		}
	}
}

// manyRequests stores requests in every state, an hour apart, and returns them oldest first.
func manyRequests(t *testing.T, db *storage.DB) []lifecycle.Request {
	states := []lifecycle.RequestState{
		lifecycle.Pending, lifecycle.Approved, lifecycle.Holding, lifecycle.Applying, lifecycle.Done,
		lifecycle.Failed, lifecycle.Blocked, lifecycle.Denied, lifecycle.Expired, lifecycle.Withdrawn,
	}
	all := make([]lifecycle.Request, 30)
	for i := range all {
		r := sampleRequest(fmt.Sprint("many", i))
		r.State = states[i%len(states)]
		r.Subject.ID, r.Account.ID = lifecycle.IdentityID(fmt.Sprint("idn_", i%3)), lifecycle.AccountID(fmt.Sprint("P", i%4))
		r.OpenedAt = noon().Add(time.Duration(i) * time.Hour)
		r.UpdatedAt = r.OpenedAt
		all[i] = r
	}
	for _, i := range []int{7, 3, 11} { // stored in another order than opened
		must(t, db.SaveRequest(t.Context(), all[i], event(lifecycle.EventRequestOpened, string(all[i].ID))))
	}
	for i, r := range all {
		if !slices.Contains([]int{7, 3, 11}, i) {
			must(t, db.SaveRequest(t.Context(), r, event(lifecycle.EventRequestOpened, string(r.ID))))
		}
	}
	return all
}

func ids(rs []lifecycle.Request) []lifecycle.RequestID {
	list := make([]lifecycle.RequestID, len(rs))
	for i, r := range rs {
		list[i] = r.ID
	}
	return list
}
