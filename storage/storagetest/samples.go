package storagetest

import (
	"fmt"
	"time"

	"rolecall/lifecycle"
)

// noon is when the samples happen. Databases keep microseconds.
func noon() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

func event(kind lifecycle.EventKind, ref string) lifecycle.AuditEvent {
	return lifecycle.AuditEvent{At: noon(), Actor: lifecycle.System, Kind: kind, Ref: ref, Detail: map[string]string{"why": "a <test> & more"}}
}

func sampleFact(source, eventID string) lifecycle.Fact {
	return lifecycle.Fact{
		ID: lifecycle.NewNoticeID(), Source: source, EventID: eventID, Person: samplePerson("ana"), Urgent: true,
		ObservedAt: noon(), ReceivedAt: noon().Add(time.Second), SHA256: "7c1e",
	}
}

func samplePerson(name string) lifecycle.Person {
	return lifecycle.Person{
		EmployeeID: "E-" + name, Status: lifecycle.StatusActive, Emails: []string{name + "@acme.test", name + ".second@acme.test"},
		Name: name, Department: "Payments", Groups: []string{"oncall"}, StartDate: "2026-05-01",
	}
}

func sampleIdentity(name string) lifecycle.Identity {
	return lifecycle.Identity{
		ID: lifecycle.NewIdentityID(), Revision: 1, Keys: map[string]string{"okta": "E-" + name}, Person: samplePerson(name), Observed: noon(),
	}
}

func sampleNotice(i lifecycle.Identity) lifecycle.Notice {
	return lifecycle.Notice{ID: lifecycle.NewNoticeID(), Kind: lifecycle.Joiner, Identity: i.ID, Source: "okta", After: i.Person, At: noon()}
}

func sampleRequest(cause string) lifecycle.Request {
	team := lifecycle.Team{ID: "PPAY", Name: "Payments"}
	return lifecycle.Request{
		ID: lifecycle.RequestIDFor(cause, "change"), Kind: lifecycle.RequestJoiner, State: lifecycle.Pending, Revision: 1,
		Subject: lifecycle.Subject{ID: "idn_ana", Email: "ana@acme.test", Name: "Ana"}, Account: lifecycle.AccountRef{ID: "PANA"},
		Changes: []lifecycle.Change{{
			ID: lifecycle.NewChangeID(), Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam(team, lifecycle.TeamResponder),
			To: string(lifecycle.TeamResponder), State: lifecycle.ChangePlanned,
		}},
		Why: lifecycle.Why{Rule: "payments-sre", Event: "Joined.", Policy: "7c1e"}, Needed: 1, Approvers: []string{"marco@acme.test"},
		Decisions: []lifecycle.Decision{}, OpenedAt: noon(), UpdatedAt: noon(), DecideBy: noon().Add(time.Hour),
	}
}

// moved returns r as its next revision in the state.
func moved(r lifecycle.Request, s lifecycle.RequestState) lifecycle.Request {
	r.Revision++
	r.State, r.UpdatedAt = s, r.UpdatedAt.Add(time.Minute)
	return r
}

func sampleAccount(id lifecycle.AccountID) lifecycle.Account {
	return lifecycle.Account{
		ID: id, Email: fmt.Sprintf("%s@acme.test", id), Name: string(id), BaseRole: lifecycle.RoleResponder,
		Teams: []lifecycle.Membership{{Team: lifecycle.Team{ID: "PPAY", Name: "Payments"}, Role: lifecycle.TeamManager}},
	}
}

func sampleFinding(id lifecycle.FindingID) lifecycle.Finding {
	return lifecycle.Finding{
		ID: id, Kind: lifecycle.FoundExcess, Severity: lifecycle.SeverityHigh, Account: lifecycle.AccountCard{ID: "PANA", Email: "ana@acme.test"},
		Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindBaseRole, Role: "admin"}, From: "admin", To: "limited_user", Since: noon(), Source: "roll call",
	}
}

func sampleException(f lifecycle.Finding) lifecycle.Exception {
	return lifecycle.Exception{
		ID: lifecycle.NewExceptionID(), Finding: f.ID, By: "marco@acme.test", Reason: "migration", Since: noon(), Until: noon().AddDate(0, 1, 0), Held: f.From,
	}
}

func sampleOriginal(id lifecycle.ChangeID) lifecycle.Original {
	return lifecycle.Original{
		Request: "req_1", Change: id, Kind: lifecycle.KindEscalationPolicy, Object: lifecycle.Object{ID: "PESC", Name: "Payments"},
		Body: []byte(`{"escalation_policy":{"id":"PESC"}}`), KeptAt: noon(),
	}
}

func rollCall(taken time.Time, accounts []lifecycle.Account, open, cleared []lifecycle.Finding) lifecycle.RollResult {
	return lifecycle.RollResult{
		Snapshot: lifecycle.Snapshot{TakenAt: taken, Accounts: accounts}, Open: open, Cleared: cleared,
		Events: []lifecycle.AuditEvent{event(lifecycle.EventRollCallDone, "rollcall")},
	}
}
