package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"rolecall/bot/slacktest"
	"rolecall/lifecycle"
)

// inProcess carries requests to a handler without a network, so that what waits,
// waits in bubbled time.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer func() {
		if recover() != nil { // the handler cut the connection
			resp, err = nil, io.ErrUnexpectedEOF
		}
	}()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	return answer.Result(), nil
}

const (
	manyOwners   = 200
	manyFindings = 5000
	jobTime      = 30 * time.Second // that the queue lets a step take
	digestsRound = time.Minute      // how often it looks for digests that are due
)

// company has many owners with many findings, in a workspace that enforces every limit.
func company(t *testing.T) *desk {
	d := &desk{store: newLedger()}
	sc := slacktest.Config{Now: time.Now, PublicURL: "http://slack.test"}
	d.Workspace = slacktest.New(sc)
	d.store.policy.Teams = nil
	d.AddChannel(slacktest.Channel{ID: "C0SECURITY", Name: "security", Members: []string{d.Config().BotUserID}})
	for i := range 2000 {
		d.AddUser(slacktest.User{ID: fmt.Sprintf("U1P%04d", i), Email: fmt.Sprintf("p%d@acme.test", i), TZ: "Europe/Berlin"})
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	for i := range manyOwners {
		team, owner := lifecycle.Team{ID: lifecycle.TeamID(fmt.Sprint("PTEAM", i)), Name: fmt.Sprint("Team ", i)}, fmt.Sprintf("p%d@acme.test", i)
		d.store.policy.Teams = append(d.store.policy.Teams, lifecycle.TeamPolicy{Name: team.Name, ID: team.ID, Owners: []string{owner}})
		d.store.digests[owner] = yesterday
		d.store.identities = append(d.store.identities, lifecycle.Identity{ID: lifecycle.IdentityID("idn_" + owner), Revision: 1, Person: lifecycle.Person{Status: lifecycle.StatusActive, Emails: []string{owner}}})
		for n := range manyFindings / manyOwners {
			f := found(i*100+n, lifecycle.FoundStale, fmt.Sprintf("Person %d of team %d", n, i))
			f.Entitlement, f.Note = lifecycle.OnTeam(team, lifecycle.TeamResponder), "has not signed in for 120 days."
			f.Severity = lifecycle.SeverityLow
			d.store.found = append(d.store.found, f)
		}
	}
	d.cfg = d.config(time.Now, sc.PublicURL, &http.Client{Timeout: 5 * time.Second, Transport: inProcess{d.Handler()}})
	return d
}

func TestFiveThousandFindingsReachTwoHundredOwnersWithinSlacksLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := company(t)
		began := time.Now()
		box, err := newOutbox(d.cfg)
		if err != nil {
			t.Fatal(err)
		}
		o := newOutbound(d.cfg, box)
		d.rounds(t, o)
		if took := time.Since(began); took > 6*time.Minute {
			t.Errorf("it took %s", took)
		}
		said := 0
		for i := range manyOwners {
			said += len(d.dm(fmt.Sprintf("U1P%04d", i)))
		}
		sameCount(t, "digests", said, manyOwners)
		calls := d.Calls("")
		if len(calls) >= 400 {
			t.Errorf("it took %d calls: %v", len(calls), methodsOf(calls))
		}
		t.Logf("%d calls in %s: %v", len(calls), time.Since(began), methodsOf(calls))
		d.clean(t)
		for _, c := range calls {
			if c.Status != http.StatusOK {
				t.Errorf("%s was answered %d", c.Method, c.Status)
			}
		}
	})
}

// rounds sends digests as the queue does, until none is due.
func (d *desk) rounds(t *testing.T, o *outbound) {
	t.Helper()
	for range 6 {
		ctx, cancel := context.WithTimeout(t.Context(), jobTime)
		err := o.digests(ctx, lifecycle.Attempt{})
		cancel()
		if err != nil {
			if _, waits := errors.AsType[*lifecycle.JobError](err); !waits {
				t.Fatal(err)
			}
		}
		due, err := o.Digests.Due(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(due) == 0 {
			return
		}
		time.Sleep(digestsRound)
	}
}

func methodsOf(calls []slacktest.Call) map[string]int {
	counts := map[string]int{}
	for _, c := range calls {
		counts[c.Method]++
	}
	return counts
}
