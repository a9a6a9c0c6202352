package pagerdutytest_test

import (
	"context"
	"errors"
	"testing"

	pd "github.com/PagerDuty/go-pagerduty"
	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

const key = "account-key-0001"

// start serves an account until the test ends.
func start(t *testing.T, cfg pagerdutytest.Config) (*pagerdutytest.Account, string) {
	t.Helper()
	if cfg.Token == "" {
		cfg.Token = key
	}
	a := pagerdutytest.New(cfg)
	url, err := a.Start()
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a, url
}

// library returns go-pagerduty, pointed at the fake.
func library(t *testing.T, cfg pagerdutytest.Config) (*pagerdutytest.Account, *pd.Client) {
	t.Helper()
	a, url := start(t, cfg)
	return a, pd.NewClient(key, pd.WithAPIEndpoint(url))
}

// refusal returns what the API said no with.
func refusal(t *testing.T, err error) (status, code int, text string) {
	t.Helper()
	e, is := errors.AsType[pd.APIError](err)
	if !is {
		t.Fatalf("error is %v, want an APIError", err)
	}
	text = e.APIError.ErrorObject.Message
	if all := e.APIError.ErrorObject.Errors; len(all) > 0 {
		text = all[0]
	}
	return e.StatusCode, e.APIError.ErrorObject.Code, text
}

func TestLibraryReadsEveryPage(t *testing.T) {
	t.Parallel()
	a, c := library(t, pagerdutytest.Config{})
	want := populate(a, 130)
	var got []string
	for offset := uint(0); ; offset += 100 {
		page, err := c.ListUsersWithContext(t.Context(), pd.ListUsersOptions{Limit: 100, Offset: offset})
		if err != nil {
			t.Fatalf("list users from %d: %v", offset, err)
		}
		for _, u := range page.Users {
			got = append(got, u.ID)
		}
		if !page.More {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if v := a.Violations(); len(v) > 0 {
		t.Errorf("violations: %v", v)
	}
}

func TestLibraryCreatesAndDeletesUsers(t *testing.T) {
	t.Parallel()
	a, c := library(t, pagerdutytest.Config{LenientFrom: true})
	ctx := t.Context()
	u, err := c.CreateUserWithContext(ctx, pd.User{APIObject: pd.APIObject{Type: "user"}, Name: "Ann Ash", Email: "ann@example.com", Role: "limited_user"})
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	got, err := c.GetUserWithContext(ctx, u.ID, pd.GetUserOptions{Includes: []string{"contact_methods"}})
	if err != nil {
		t.Fatalf("get: %v", err)
	}
	if len(got.ContactMethods) != 1 || got.ContactMethods[0].Address != "ann@example.com" {
		t.Errorf("contact methods are %+v, want the default one", got.ContactMethods)
	}
	if err := c.DeleteUserWithContext(ctx, u.ID); err != nil {
		t.Fatalf("delete: %v", err)
	}
	_, err = c.GetUserWithContext(ctx, u.ID, pd.GetUserOptions{})
	if status, code, text := refusal(t, err); status != 404 || code != 2100 || text != "Not Found" {
		t.Errorf("a deleted user answers %d %d %q, want 404 2100 Not Found", status, code, text)
	}
	if got := len(a.Effects()); got != 2 {
		t.Errorf("%d effects, want 2", got)
	}
}

// The library sends no From when it creates a user, which PagerDuty's documents require.
func TestCreatingWithoutFromIsRefused(t *testing.T) {
	t.Parallel()
	_, c := library(t, pagerdutytest.Config{})
	_, err := c.CreateUserWithContext(t.Context(), pd.User{APIObject: pd.APIObject{Type: "user"}, Name: "Ann Ash", Email: "ann@example.com", Role: "user"})
	want := `You must specify a user's email address in the "From" header to perform this action`
	if status, _, text := refusal(t, err); status != 400 || text != want {
		t.Errorf("got %d %q, want 400 %q", status, text, want)
	}
}

func TestLibraryMembers(t *testing.T) {
	t.Parallel()
	a, c := library(t, pagerdutytest.Config{})
	ctx := context.Background()
	team, ann := a.AddTeam(pagerdutytest.Team{Name: "Core"}), a.AddUser(pagerdutytest.User{Name: "Ann", Email: "ann@example.com"})
	for _, role := range []pd.TeamUserRole{pd.TeamUserRoleResponder, pd.TeamUserRoleManager} {
		if err := c.AddUserToTeamWithContext(ctx, pd.AddUserToTeamOptions{TeamID: team.ID, UserID: ann.ID, Role: role}); err != nil {
			t.Fatalf("put %s: %v", role, err)
		}
	}
	got, err := c.ListTeamMembers(ctx, team.ID, pd.ListTeamMembersOptions{Limit: 100})
	if err != nil {
		t.Fatalf("members: %v", err)
	}
	if len(got.Members) != 1 || got.Members[0].Role != "manager" || got.Members[0].User.ID != ann.ID {
		t.Errorf("members are %+v, want Ann as manager", got.Members)
	}
	if err := c.RemoveUserFromTeamWithContext(ctx, team.ID, ann.ID); err != nil {
		t.Fatalf("remove: %v", err)
	}
	if got := a.Members(team.ID); len(got) != 0 {
		t.Errorf("members are %v, want none", got)
	}
}

func TestLibraryReadsTheRest(t *testing.T) {
	t.Parallel()
	a, c := library(t, pagerdutytest.Config{})
	w := world(a)
	ctx := t.Context()
	eps, err := c.ListEscalationPoliciesWithContext(ctx, pd.ListEscalationPoliciesOptions{UserIDs: []string{w.ann.ID}, Limit: 100})
	if err != nil || len(eps.EscalationPolicies) != 1 || eps.EscalationPolicies[0].EscalationRules[0].Targets[0].ID != w.ann.ID {
		t.Errorf("policies of Ann: %+v, %v", eps, err)
	}
	oncalls, err := c.ListOnCallsWithContext(ctx, pd.ListOnCallOptions{Limit: 100})
	if err != nil || len(oncalls.OnCalls) != 2 {
		t.Errorf("on call: %+v, %v; want Ann directly and one of the schedule", oncalls, err)
	}
	schedules, err := c.ListSchedulesWithContext(ctx, pd.ListSchedulesOptions{Limit: 100})
	if err != nil || len(schedules.Schedules) != 1 || len(schedules.Schedules[0].Users) != 2 || len(schedules.Schedules[0].EscalationPolicies) != 1 {
		t.Errorf("schedules: %+v, %v", schedules, err)
	}
	incidents, err := c.ListIncidentsWithContext(ctx, pd.ListIncidentsOptions{
		UserIDs: []string{w.ann.ID}, Statuses: []string{"triggered", "acknowledged"}, DateRange: "all", Limit: 100,
	})
	if err != nil || len(incidents.Incidents) != 1 {
		t.Errorf("incidents of Ann: %+v, %v", incidents, err)
	}
	changed, err := c.ManageIncidentsWithContext(ctx, w.owner.Email, []pd.ManageIncidentsOptions{{ID: w.incident.ID, Status: "resolved"}})
	if err != nil || changed.Incidents[0].Status != "resolved" {
		t.Errorf("resolve: %+v, %v", changed, err)
	}
	licenses, err := c.ListLicensesWithContext(ctx)
	if err != nil || len(licenses.Licenses) != 2 || licenses.Licenses[0].CurrentValue != 3 {
		t.Errorf("licences: %+v, %v", licenses, err)
	}
	abilities, err := c.ListAbilitiesWithContext(ctx)
	if err != nil || len(abilities.Abilities) == 0 {
		t.Errorf("abilities: %+v, %v", abilities, err)
	}
	records, err := c.ListAuditRecords(ctx, pd.ListAuditRecordsOptions{})
	if err != nil || len(records.Records) != 0 {
		t.Errorf("audit records: %+v, %v; want none of the population", records, err)
	}
}
