package main

import (
	"log/slog"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/lifecycle/pagerduty/pagerdutytest"
	"rolecall/storage"
)

// TestARequestThatWasLeftHalfAppliedIsTakenUp starts over a record in which a
// request is being applied, and no step is left that would go on with it.
func TestARequestThatWasLeftHalfAppliedIsTakenUp(t *testing.T) {
	p := settle(t, nil)
	u := p.pd.AddUser(pagerdutytest.User{Name: "Kofi", Email: email("kofi"), Role: "limited_user"})
	long := time.Now().Add(-time.Hour)
	r := lifecycle.Request{
		ID: "req_left", Kind: lifecycle.RequestDrift, State: lifecycle.Applying, Revision: 1, Needed: 1,
		Subject: lifecycle.Subject{Email: email("kofi"), Name: "Kofi"}, Account: lifecycle.AccountRef{ID: lifecycle.AccountID(u.ID)},
		Changes: []lifecycle.Change{{
			ID: "chg_left", Op: lifecycle.OpGrant, State: lifecycle.ChangePlanned, To: "responder",
			Entitlement: lifecycle.OnTeam(lifecycle.Team{ID: "PTPAY01", Name: "Payments"}, lifecycle.TeamResponder),
		}},
		Approvers: []string{email("marco")}, Decisions: []lifecycle.Decision{{By: email("marco"), Verdict: lifecycle.Approve, At: long, Via: lifecycle.ViaCLI}},
		OpenedAt: long, UpdatedAt: long,
	}
	p.keeps(t, r)
	p.serve()
	p.until("Kofi on the team", func() bool { return p.pd.TeamRole("PTPAY01", u.ID) == "responder" })
}

// keeps puts a request into the record before anything serves it.
func (p *place) keeps(t *testing.T, r lifecycle.Request) {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Config{URL: p.database, Role: storage.Serve, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := lifecycle.AuditEvent{At: r.UpdatedAt, Actor: lifecycle.System, Kind: lifecycle.EventRequestApplying, Ref: string(r.ID)}
	if err := db.SaveRequest(t.Context(), r, e); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
