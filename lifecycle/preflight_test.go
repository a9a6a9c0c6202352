package lifecycle_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func TestWhatAChangeWouldDoBesideWhatItSays(t *testing.T) {
	t.Parallel()
	base := func(from, to lifecycle.BaseRole) lifecycle.Change {
		return lifecycle.Change{Op: lifecycle.OpReplace, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole}, From: string(from), To: string(to)}
	}
	leave := lifecycle.Change{Op: lifecycle.OpRevoke, Entitlement: lifecycle.OnTeam(payments, lifecycle.TeamManager), From: "manager"}
	lower := base(lifecycle.RoleManager, lifecycle.RoleResponder)
	alone, calm := seat(monday), seat(monday.Add(day))
	alone.Others = nil
	once := alone
	once.Override = "OV1"
	incident := lifecycle.Duty{Kind: lifecycle.KindIncident, Object: lifecycle.Object{ID: "Q1", Name: "#12 Checkout is down"}, Team: payments.ID}
	seats := []lifecycle.Seats{
		{Licence: "Full User", Roles: []lifecycle.BaseRole{lifecycle.RoleManager, lifecycle.RoleResponder}, Free: 3},
		{Licence: "Stakeholder", Roles: []lifecycle.BaseRole{lifecycle.RoleStakeholder}, Free: 0},
	}
	for name, tt := range map[string]struct {
		change lifecycle.Change
		has    lifecycle.Holdings
		want   []string
	}{
		"nothing hangs on it":                         {change: leave},
		"on call now, and alone":                      {leave, lifecycle.Holdings{Duties: []lifecycle.Duty{alone}}, []string{"Is on call now, by a seat in Payments-Primary.", "Nobody else is in Payments-Primary.", "Still has a seat in Payments-Primary: that must be handed over first."}},
		"on call later, by turns":                     {leave, lifecycle.Holdings{Duties: []lifecycle.Duty{calm}}, []string{"Still has a seat in Payments-Primary: that must be handed over first."}},
		"an override is one's own":                    {leave, lifecycle.Holdings{Duties: []lifecycle.Duty{once}}, []string{"Is on call now, by an override in Payments-Primary.", "Still has an override in Payments-Primary: that must be handed over first."}},
		"an incident":                                 {leave, lifecycle.Holdings{Duties: []lifecycle.Duty{incident}}, []string{"Nobody else is assigned to incident #12 Checkout is down.", "Still has incident #12 Checkout is down: that must be handed over first."}},
		"a lower base role leaves the role on a team": {lower, lifecycle.Holdings{Seats: seats}, []string{"Stays manager on Payments: a role on a team counts more there than the base role."}},
		"another licence has no seat": {base(lifecycle.RoleManager, lifecycle.RoleStakeholder), lifecycle.Holdings{Seats: seats}, []string{
			"Stays manager on Payments: a role on a team counts more there than the base role.",
			"No seat of the licence Stakeholder is free, so PagerDuty will refuse this until one is.",
		}},
		"another licence has a seat": {base(lifecycle.RoleStakeholder, lifecycle.RoleResponder), lifecycle.Holdings{Seats: seats}, []string{"Takes a seat of the licence Full User and frees one of another."}},
		"the last who runs it all": {base(lifecycle.RoleAdmin, lifecycle.RoleResponder), lifecycle.Holdings{}, []string{
			"Stays manager on Payments: a role on a team counts more there than the base role.",
			"Is the last Global Admin (admin): rolecall will not leave the account without one. Make somebody else one first.",
		}},
		"the last but one": {base(lifecycle.RoleAdmin, lifecycle.RoleResponder), lifecycle.Holdings{OtherAdmins: 1}, []string{
			"Stays manager on Payments: a role on a team counts more there than the base role.",
			"Leaves one other person who runs the whole account.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			held := account(lifecycle.RoleManager, on(payments, lifecycle.TeamManager))
			if diff := cmp.Diff(tt.want, lifecycle.Preflight([]lifecycle.Change{tt.change}, held, tt.has, monday)); diff != "" {
				t.Errorf("effects (-want +got):\n%s", diff)
			}
		})
	}
}
