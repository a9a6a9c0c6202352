package pagerdutytest_test

import (
	"context"
	"fmt"

	pd "github.com/PagerDuty/go-pagerduty"

	"rolecall/lifecycle/pagerduty/pagerdutytest"
)

// An account is made, populated, served, and then looked at from the outside and from the inside.
func Example() {
	account := pagerdutytest.New(pagerdutytest.Config{Token: "secret"})
	team := account.AddTeam(pagerdutytest.Team{ID: "PCORE", Name: "Core"})
	ann := account.AddUser(pagerdutytest.User{ID: "PANN", Name: "Ann Ash", Email: "ann@example.com"})
	url, err := account.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer account.Close()

	account.Fail(pagerdutytest.Fault{Method: "PUT", Path: "/teams/*/users/*", Kind: pagerdutytest.LostAnswer()})
	client := pd.NewClient("secret", pd.WithAPIEndpoint(url))
	err = client.AddUserToTeamWithContext(context.Background(), pd.AddUserToTeamOptions{TeamID: team.ID, UserID: ann.ID, Role: "observer"})
	fmt.Println("the client was told:", err == nil)
	fmt.Println("it happened all the same:", account.Members(team.ID))
	fmt.Println(len(account.Effects()), "effect,", len(account.Violations()), "violations")
	// Output:
	// the client was told: false
	// it happened all the same: [{PANN observer}]
	// 1 effect, 0 violations
}
