package lifecycle_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func (h *house) hands(t *testing.T, r lifecycle.Request, from, to, reason string) (lifecycle.Request, error) {
	t.Helper()
	return h.approvals().Assign(t.Context(), lifecycle.Handing{Request: r.ID, Seen: r.Revision, By: h.who(t, from), To: to, Reason: reason, Via: lifecycle.ViaSlack})
}

// alone makes the request one that Security alone decides.
func (h *house) alone(t *testing.T, r lifecycle.Request, needed int) lifecycle.Request {
	t.Helper()
	r.From, r.Needed, r.Revision = []lifecycle.ApproverSource{lifecycle.FromSecurity}, needed, r.Revision+1
	must(t, h.store.SaveRequest(t.Context(), r, lifecycle.AuditEvent{At: h.now(), Kind: lifecycle.EventRequestOpened, Ref: string(r.ID)}))
	return r
}

func TestARequestIsHandedOn(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	_, err := h.hands(t, r, "marco", " Omar@acme.test ", "He knows the team.")
	must(t, err)
	_, err = h.hands(t, r, "omar", "priya@acme.test", "She asked.") // who was handed it may hand it on
	must(t, err)
	route, err := h.approvals().Route(t.Context(), h.request(t, r.ID))
	must(t, err)
	want := []string{"marco owns Payments", "ines owns Payments", "omar owns Payments, for marco", "priya owns Payments, for marco"}
	if diff := cmp.Diff(want, described(route)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := h.trail(lifecycle.EventRequestAssigned); n != 2 {
		t.Errorf("%d lines on the record", n)
	}
	h.approve(t, r, "omar")
	if d, _ := h.request(t, r.ID).DecidedBy(); d.By != "omar@acme.test" || d.For != "marco@acme.test" {
		t.Errorf("the record says that %s decided for %q", d.By, d.For)
	}
}

func TestWhatIsNotHandedOn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		how      func(*testing.T, *house, lifecycle.Request)
		from, to string
		reason   string
		kind     error
		field    string
	}{
		"by who may not decide":        {from: "omar", to: "priya", reason: "x", kind: lifecycle.ErrForbidden},
		"by who may not, to nobody":    {from: "omar", kind: lifecycle.ErrForbidden},
		"by the subject":               {from: "ben", to: "priya", reason: "x", kind: lifecycle.ErrForbidden},
		"to nobody":                    {from: "marco", reason: "x", kind: lifecycle.ErrInvalid, field: "to"},
		"to nobody who is known":       {from: "marco", to: "zed", reason: "x", kind: lifecycle.ErrInvalid, field: "to"},
		"to the subject":               {from: "marco", to: "ben", reason: "x", kind: lifecycle.ErrInvalid, field: "to"},
		"to oneself":                   {from: "marco", to: "marco", reason: "x", kind: lifecycle.ErrInvalid, field: "to"},
		"to who may decide it already": {from: "marco", to: "ines", reason: "x", kind: lifecycle.ErrInvalid, field: "to"},
		"without a reason":             {from: "marco", to: "omar", reason: " ", kind: lifecycle.ErrInvalid, field: "reason"},
		"with a reason like a book":    {from: "marco", to: "omar", reason: strings.Repeat("é", 301), kind: lifecycle.ErrInvalid, field: "reason"},
		"to who has left":              {func(t *testing.T, h *house, _ lifecycle.Request) { h.hearOf(t, "omar", as("ended")) }, "marco", "omar", "x", lifecycle.ErrInvalid, "to"},
		"to a domain that is not trusted": {
			func(t *testing.T, h *house, _ lifecycle.Request) {
				h.hearOf(t, "gus", func(p *lifecycle.Person) { p.Emails = []string{"gus@other.test"} })
			}, "marco", "gus@other.test", "x", lifecycle.ErrInvalid, "to",
		},
		"after it was decided":                   {func(t *testing.T, h *house, r lifecycle.Request) { h.approve(t, r, "ines") }, "marco", "omar", "x", lifecycle.ErrConflict, ""},
		"after the deadline":                     {func(_ *testing.T, h *house, r lifecycle.Request) { h.pass(r.DecideBy.Sub(h.now())) }, "marco", "omar", "x", lifecycle.ErrConflict, ""},
		"out of Security, what it alone decides": {func(t *testing.T, h *house, r lifecycle.Request) { h.alone(t, r, 1) }, "priya", "omar", "x", lifecycle.ErrInvalid, "to"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := asking(t)
			if tt.how != nil {
				tt.how(t, h, r)
			}
			to := tt.to
			if to != "" && !strings.Contains(to, "@") {
				to += "@acme.test"
			}
			_, err := h.hands(t, r, tt.from, to, tt.reason)
			var refusal *lifecycle.Refusal
			if !errors.Is(err, tt.kind) || !errors.As(err, &refusal) {
				t.Fatalf("it is %v, want a refusal that is %v", err, tt.kind)
			}
			if tt.field != "" && (len(refusal.Fields) != 1 || refusal.Fields[0].Path != tt.field) {
				t.Errorf("it is wrong with %v, want %s", refusal.Fields, tt.field)
			}
			if n := len(h.request(t, r.ID).Assigned); n != 0 {
				t.Errorf("it was handed on %d times", n)
			}
		})
	}
}

// What needs two people is not approved by one of them and a friend of theirs.
func TestWhoHandsOnAndWhoIsHandedAreOneSay(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	r.Needed, r.Revision = 2, r.Revision+1
	must(t, h.store.SaveRequest(t.Context(), r, lifecycle.AuditEvent{At: h.now(), Kind: lifecycle.EventRequestOpened, Ref: string(r.ID)}))
	for _, pair := range [][2]string{{"marco", "omar"}, {"omar", "priya"}} {
		_, err := h.hands(t, r, pair[0], pair[1]+"@acme.test", "x")
		must(t, err)
	}
	_, err := h.press(t, r, "priya", lifecycle.Approve, "")
	must(t, err)
	for _, name := range []string{"marco", "omar"} {
		if _, err := h.press(t, r, name, lifecycle.Approve, "me too"); !errors.Is(err, lifecycle.ErrDuplicate) {
			t.Errorf("%s approves as well: %v", name, err)
		}
	}
	if is, err := h.press(t, r, "ines", lifecycle.Approve, ""); err != nil || is.Approvals() != 2 {
		t.Errorf("with Ines it has %d approvals: %v", is.Approvals(), err)
	}
}
