package storage

import (
	"context"

	"rolecall/storage/q"
)

func (v *verifier) absences(ctx context.Context) error {
	return walk(v, "absence", verifyPage,
		func(after string, page int32) ([]q.Absence, error) {
			return v.q.AbsencesAfter(ctx, q.AbsencesAfterParams{After: after, Page: page})
		},
		func(r *q.Absence) (string, *string) { return r.ID, &r.Body }, absenceRow)
}

func (v *verifier) userGroups(ctx context.Context) error {
	return walk(v, "group", verifyPage,
		func(after string, page int32) ([]q.UserGroup, error) {
			return v.q.UserGroupsAfter(ctx, q.UserGroupsAfterParams{After: after, Page: page})
		},
		func(r *q.UserGroup) (string, *string) { return r.ID, &r.Body }, groupRow)
}

func (v *verifier) tallies(ctx context.Context) error {
	return walk(v, "tally", verifyPage,
		func(after string, page int32) ([]q.Tally, error) {
			return v.q.TalliesAfter(ctx, q.TalliesAfterParams{After: after, Page: page})
		},
		func(r *q.Tally) (string, *string) { return r.Day, &r.Body }, tallyRow)
}

// requestEnds holds when requests end against the requests, which the trail vouches for.
func (v *verifier) requestEnds(ctx context.Context) error {
	last := ""
	return repeats(v, "request_ends", v.ends,
		func(page int32) ([]q.RequestEnd, error) {
			return v.q.RequestEndsAfter(ctx, q.RequestEndsAfterParams{After: last, Page: page})
		},
		func(e q.RequestEnd) string {
			last = e.Request
			return e.Request
		})
}

// teamManagers holds who manages which team against the accounts, which the trail vouches for.
func (v *verifier) teamManagers(ctx context.Context) error {
	var last q.TeamManager
	return repeats(v, "team_managers", v.managers,
		func(page int32) ([]q.TeamManager, error) {
			return v.q.TeamManagersAfter(ctx, q.TeamManagersAfterParams{Team: last.Team, Account: last.Account, Page: page})
		},
		func(m q.TeamManager) string {
			last = m
			return m.Account + " " + m.Team
		})
}
