package lifecycle_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// TestNoWayAroundOneself tries every tie by which somebody might come to decide on
// their own access, or one person come to count for two.
func TestNoWayAroundOneself(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]func(*testing.T, *house, *lifecycle.Request){
		"by whom they stand in for": func(t *testing.T, h *house, _ *lifecycle.Request) { h.away(t, "marco", "ben") },
		"by whom their stand-in stands in for": func(t *testing.T, h *house, _ *lifecycle.Request) {
			h.away(t, "ben", "omar")
			h.away(t, "marco", "ben")
		},
		"by a second record with an address of theirs": func(t *testing.T, h *house, _ *lifecycle.Request) {
			h.also(t, "omar", "ben@acme.test")
			h.away(t, "marco", "omar")
		},
		"by a record whose address is one of theirs": func(t *testing.T, h *house, _ *lifecycle.Request) {
			h.also(t, "ben", "omar@acme.test")
			h.away(t, "marco", "omar")
		},
		"by being handed it through a second record": func(t *testing.T, h *house, r *lifecycle.Request) {
			h.also(t, "omar", "ben@acme.test")
			h.entrusts(t, r, "marco", "omar")
		},
		"by being handed it by who stands in for an owner": func(t *testing.T, h *house, r *lifecycle.Request) {
			h.away(t, "marco", "ines")
			h.entrusts(t, r, "ines", "ben")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := asking(t)
			how(t, h, &r)
			for _, who := range []string{"ben", "omar"} {
				known, err := h.store.IdentitiesByEmail(t.Context(), who+"@acme.test")
				must(t, err)
				for _, i := range known {
					_, err := h.approvals().Decide(t.Context(), lifecycle.Press{Request: r.ID, Seen: r.Revision, By: i, Verdict: lifecycle.Approve, Via: lifecycle.ViaSlack})
					if !errors.Is(err, lifecycle.ErrForbidden) {
						t.Errorf("%s: %v", who, err)
					}
				}
			}
		})
	}
}

// also gives somebody another address, as a source of truth has it.
func (h *house) also(t *testing.T, name, email string) {
	t.Helper()
	i := h.who(t, name)
	i.Revision++
	i.Person.Emails = append(slices.Clone(i.Person.Emails), email)
	must(t, h.store.SaveIdentity(t.Context(), i, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(i.ID)}))
}

// entrusts has somebody hand the request on.
func (h *house) entrusts(t *testing.T, r *lifecycle.Request, from, to string) {
	t.Helper()
	r.Assigned = append(r.Assigned, lifecycle.Assignment{From: from + "@acme.test", To: to + "@acme.test", At: h.now()})
	r.Revision++
	must(t, h.store.SaveRequest(t.Context(), *r, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventRequestAssigned, Ref: string(r.ID)}))
}

// needing has the request need two.
func needing(t *testing.T, n int) (*house, lifecycle.Request) {
	t.Helper()
	h, r := asking(t)
	r.Needed, r.Revision = n, r.Revision+1
	must(t, h.store.SaveRequest(t.Context(), r, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventRequestOpened, Ref: string(r.ID)}))
	return h, r
}

// What one person may decide is one approval, whoever gives it.
func TestOneAuthorityCountsOnce(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		how    func(*testing.T, *house, *lifecycle.Request)
		second string
	}{
		"an owner who is away, after who stands in for them": {func(t *testing.T, h *house, _ *lifecycle.Request) { h.away(t, "marco", "omar") }, "marco"},
		"an owner after whom they have handed it to":         {func(t *testing.T, h *house, r *lifecycle.Request) { h.entrusts(t, r, "marco", "omar") }, "marco"},
		"two to whom one owner has handed it": {func(t *testing.T, h *house, r *lifecycle.Request) {
			h.entrusts(t, r, "marco", "omar")
			h.entrusts(t, r, "marco", "lee")
		}, "lee"},
		"whom it was handed to by whom it was handed to": {func(t *testing.T, h *house, r *lifecycle.Request) {
			h.entrusts(t, r, "marco", "omar")
			h.entrusts(t, r, "omar", "lee")
		}, "lee"},
		"a second record of the same person, by another owner": {func(t *testing.T, h *house, r *lifecycle.Request) {
			h.also(t, "lee", "omar@acme.test")
			h.entrusts(t, r, "marco", "omar")
			h.entrusts(t, r, "ines", "lee")
		}, "lee"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := needing(t, 2)
			tt.how(t, h, &r)
			is, err := h.press(t, r, "omar", lifecycle.Approve, "")
			must(t, err)
			if d := is.Decisions[0]; d.For != "marco@acme.test" {
				t.Errorf("it was given in the name of %q", d.For)
			}
			if _, err := h.press(t, is, tt.second, lifecycle.Approve, ""); !errors.Is(err, lifecycle.ErrDuplicate) {
				t.Errorf("%s approves too: %v", tt.second, err)
			}
			if is, err = h.press(t, is, "ines", lifecycle.Approve, ""); err != nil || is.State == lifecycle.Pending {
				t.Errorf("Ines, who is another owner: %s, %v", is.State, err)
			}
		})
	}
}

// What somebody has decided for an owner stands when the owner is back; and the
// owner can still deny.
func TestWhatAStandInDecidedStands(t *testing.T) {
	t.Parallel()
	h, r := needing(t, 2)
	h.away(t, "marco", "omar")
	is, err := h.press(t, r, "omar", lifecycle.Approve, "")
	must(t, err)
	_, err = h.absences().Back(t.Context(), h.who(t, "marco"), "", lifecycle.ViaSlack)
	must(t, err)
	route, err := h.approvals().Route(t.Context(), is)
	must(t, err)
	if is.Lapse(route).Approvals() != 1 {
		t.Error("what Omar has approved for Marco lapsed when Marco came back")
	}
	h.hearOf(t, "omar", as("suspended"))
	route, err = h.approvals().Route(t.Context(), is)
	must(t, err)
	if is.Lapse(route).Approvals() != 0 {
		t.Error("what Omar has approved counts though he is suspended")
	}
	if is, err = h.press(t, is, "marco", lifecycle.Deny, "Not him"); err != nil || is.State != lifecycle.Denied {
		t.Errorf("Marco denies: %s, %v", is.State, err)
	}
}

func TestAnOwnerWhoIsSuspendedBetweenTheCardAndThePress(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	marco := h.who(t, "marco")
	h.hearOf(t, "marco", as("suspended"))
	_, err := h.approvals().Decide(t.Context(), lifecycle.Press{Request: r.ID, Seen: r.Revision, By: marco, Verdict: lifecycle.Approve, Via: lifecycle.ViaSlack})
	if !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("%v", err)
	}
}

// A digest goes to who stands in, with what they stand in for, and nothing of Security's.
func TestADigestGoesToWhoStandsIn(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	h.hearOf(t, "gus", func(*lifecycle.Person) {})
	for _, email := range append(h.policy.People(), "gus@acme.test") {
		must(t, h.digests(time.UTC).Sent(t.Context(), email, "sent"))
	}
	a := h.away(t, "marco", "gus")
	h.pass(a.Until.Sub(h.now()) - time.Millisecond)
	due, err := h.digests(time.UTC).Due(t.Context())
	must(t, err)
	if slices.Contains(due, "marco@acme.test") || !slices.Contains(due, "gus@acme.test") {
		t.Errorf("due are %v", due)
	}
	d, err := h.digests(time.UTC).Compose(t.Context(), "gus@acme.test")
	must(t, err)
	if len(d.StandIn) != 1 || d.StandIn[0].Email != "marco@acme.test" || len(d.Waiting) != 1 || d.Waiting[0].ID != r.ID {
		t.Errorf("for whom: %v, waiting: %v", d.StandIn, d.Waiting)
	}
	h.pass(2 * time.Minute)
	if d, err = h.digests(time.UTC).Compose(t.Context(), "gus@acme.test"); err != nil || len(d.StandIn)+len(d.Waiting) != 0 {
		t.Errorf("after it has ended: %v, %v, %v", d.StandIn, d.Waiting, err)
	}
}

// waiting fills the house with n requests that wait for owners, about people of their own.
func waiting(b testing.TB, h *house, n int) {
	b.Helper()
	for k := range n {
		email := fmt.Sprintf("p%05d@acme.test", k)
		r := lifecycle.Request{
			ID: lifecycle.RequestID(fmt.Sprintf("req_%05d", k)), Kind: lifecycle.RequestMover, State: lifecycle.Pending, Revision: 1, Needed: 1,
			Subject: lifecycle.Subject{ID: lifecycle.IdentityID(fmt.Sprintf("idn_%05d", k)), Email: email, Name: email}, Account: lifecycle.AccountRef{ID: lifecycle.AccountID(fmt.Sprintf("P%05d", k))},
			Changes:  []lifecycle.Change{{ID: lifecycle.ChangeID(fmt.Sprintf("chg_%05d", k)), Op: lifecycle.OpGrant, Entitlement: lifecycle.OnTeam([]lifecycle.Team{payments, platform}[k%2], lifecycle.TeamResponder), To: "responder"}},
			From:     []lifecycle.ApproverSource{lifecycle.FromTeamOwners},
			OpenedAt: h.now(), UpdatedAt: h.now(),
		}
		must(b, h.store.SaveRequest(b.Context(), r, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventRequestOpened, Ref: string(r.ID)}))
	}
}

// BenchmarkInbox is the inbox of an owner in a house in which 10,000 requests wait.
func BenchmarkInbox(b *testing.B) {
	h := newHouse(b)
	waiting(b, h, 10_000)
	marco := h.who(b, "marco")
	for b.Loop() {
		mine, err := h.desk().Inbox(b.Context(), marco)
		if err != nil || len(mine) != 5_000 {
			b.Fatalf("%d, %v", len(mine), err)
		}
	}
}

// The answers of a router that remembers are those of one that does not.
func TestARouterThatRemembers(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	h.manages(t, "gus")
	h.away(t, "marco", "omar")
	waiting(t, h, 20)
	router := lifecycle.NewRouter(h.store, h, h.now)
	quick := router.Remembering()
	more := h.requests(t, lifecycle.Pending)
	lonely := r
	lonely.Needed = 3
	for _, r := range append(more, lonely) {
		want, err := router.Route(t.Context(), r)
		must(t, err)
		got, err := quick.Route(t.Context(), r)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", r.ID, diff)
		}
	}
}
