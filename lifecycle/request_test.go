package lifecycle_test

import (
	"errors"
	"testing"
	"time"

	"rolecall/lifecycle"
)

func pending() lifecycle.Request {
	return lifecycle.Request{
		ID: "req_1", State: lifecycle.Pending, Revision: 1, Needed: 1, DecideBy: monday.Add(time.Hour),
		Subject: lifecycle.Subject{ID: "idn_ben", Email: "ben@acme.test", Name: "Ben"},
		Changes: []lifecycle.Change{{ID: "chg_1", Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(payments, lifecycle.TeamResponder), To: "responder"}},
	}
}

func by(who string, v lifecycle.Verdict, reason string) lifecycle.Decision {
	return lifecycle.Decision{By: who + "@acme.test", ByID: lifecycle.IdentityID("idn_" + who), Verdict: v, Reason: reason, At: monday, Seen: 1}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	deletion, two, decided := pending(), pending(), pending()
	deletion.Changes[0] = lifecycle.Change{Op: lifecycle.OpDelete, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}, From: "limited_user"}
	two.Needed = 2
	decided.State = lifecycle.Done
	late, ahead := by("marco", lifecycle.Approve, ""), by("marco", lifecycle.Approve, "")
	inName, unknown := by("marco", lifecycle.Approve, ""), by("marco", lifecycle.Approve, "")
	inName.For, unknown.ByID = "Ben@acme.test", ""
	late.At, ahead.Seen = monday.Add(time.Hour), 7
	for name, tt := range map[string]struct {
		request  lifecycle.Request
		decision lifecycle.Decision
		state    lifecycle.RequestState
		refused  error
	}{
		"one of one approves":                  {pending(), by("marco", lifecycle.Approve, ""), lifecycle.Approved, nil},
		"one of two approves":                  {two, by("marco", lifecycle.Approve, ""), lifecycle.Pending, nil},
		"a denial with its reason":             {pending(), by("marco", lifecycle.Deny, "not yet"), lifecycle.Denied, nil},
		"a denial without a reason":            {pending(), by("marco", lifecycle.Deny, ""), lifecycle.Pending, lifecycle.ErrInvalid},
		"a deletion without a reason":          {deletion, by("marco", lifecycle.Approve, ""), lifecycle.Pending, lifecycle.ErrInvalid},
		"the subject":                          {pending(), by("ben", lifecycle.Approve, ""), lifecycle.Pending, lifecycle.ErrForbidden},
		"a delegate of the subject":            {pending(), inName, lifecycle.Pending, lifecycle.ErrForbidden},
		"nobody who is known":                  {pending(), unknown, lifecycle.Pending, lifecycle.ErrForbidden},
		"a verdict that is none":               {pending(), by("marco", "perhaps", ""), lifecycle.Pending, lifecycle.ErrInvalid},
		"too late by nothing":                  {pending(), late, lifecycle.Pending, lifecycle.ErrConflict},
		"already done":                         {decided, by("marco", lifecycle.Approve, ""), lifecycle.Done, lifecycle.ErrConflict},
		"a revision that nobody can have seen": {pending(), ahead, lifecycle.Pending, lifecycle.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.request.Decide(tt.decision)
			if !errors.Is(err, tt.refused) {
				t.Errorf("error: got %v, want %v", err, tt.refused)
			}
			if got.State != tt.state {
				t.Errorf("state: got %s, want %s", got.State, tt.state)
			}
			if err != nil && lifecycle.ReasonOf(err) == "" {
				t.Errorf("the refusal %v has no words for the person", err)
			}
		})
	}
}

func TestTheSamePersonDoesNotMakeAQuorum(t *testing.T) {
	t.Parallel()
	r := pending()
	r.Needed = 2
	r, err := r.Decide(by("marco", lifecycle.Approve, ""))
	if err != nil {
		t.Fatalf("first approval: %v", err)
	}
	if _, err := r.Decide(by("marco", lifecycle.Approve, "")); !errors.Is(err, lifecycle.ErrDuplicate) {
		t.Errorf("second approval by the same person: got %v, want ErrDuplicate", err)
	}
	r, err = r.Decide(by("ines", lifecycle.Approve, ""))
	if err != nil || r.State != lifecycle.Approved {
		t.Errorf("approval by another: got %s, %v; want approved", r.State, err)
	}
	if r.Revision != 3 {
		t.Errorf("revision: got %d, want 3", r.Revision)
	}
}

func TestDecideDoesNotChangeTheRequestItIsGiven(t *testing.T) {
	t.Parallel()
	r := pending()
	if _, err := r.Decide(by("marco", lifecycle.Approve, "")); err != nil {
		t.Fatal(err)
	}
	if r.State != lifecycle.Pending || len(r.Decisions) != 0 || r.Revision != 1 {
		t.Errorf("got %+v, want it as it was", r)
	}
}

func TestRisk(t *testing.T) {
	t.Parallel()
	base := lifecycle.Entitlement{Kind: lifecycle.KindBaseRole}
	for name, tt := range map[string]struct {
		change lifecycle.Change
		want   lifecycle.Risk
	}{
		"a team role":               {lifecycle.Change{Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(payments, lifecycle.TeamManager), To: "manager"}, lifecycle.Routine},
		"up to Responder":           {lifecycle.Change{Op: lifecycle.OpReplace, Entitlement: base, From: "observer", To: "limited_user"}, lifecycle.Routine},
		"up to Manager":             {lifecycle.Change{Op: lifecycle.OpReplace, Entitlement: base, From: "limited_user", To: "user"}, lifecycle.Privileged},
		"down from Admin":           {lifecycle.Change{Op: lifecycle.OpReplace, Entitlement: base, From: "admin", To: "user"}, lifecycle.Routine},
		"a new account as an admin": {lifecycle.Change{Op: lifecycle.OpCreate, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}, To: "admin"}, lifecycle.Privileged},
		"a deletion":                {lifecycle.Change{Op: lifecycle.OpDelete, Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}, From: "observer"}, lifecycle.Destructive},
	} {
		if got := (lifecycle.Request{Changes: []lifecycle.Change{tt.change}}).Risk(); got != tt.want {
			t.Errorf("%s: got risk %d, want %d", name, got, tt.want)
		}
	}
}
