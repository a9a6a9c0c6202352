package bot

import (
	"strings"
	"testing"

	"rolecall/lifecycle"
)

// leave lets somebody leave.
func (l *ledger) leave(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.identities {
		if l.identities[k].Person.Email() == name+"@acme.test" {
			l.identities[k].Person.Status = lifecycle.StatusEnded
		}
	}
}

func TestWhoLeftIsToldNothing(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		leaver string
		say    func(*testing.T, *desk, *outbound) error
	}{
		"of their access": {"ben", func(t *testing.T, d *desk, o *outbound) error {
			d.store.put(mover())
			return o.show(t.Context(), lifecycle.Attempt{Ref: "req_mover"})
		}},
		"of their teams": {"marco", func(t *testing.T, d *desk, o *outbound) error {
			d.fill()
			return o.digest(t.Context(), "marco@acme.test")
		}},
		"of what alarms Security": {"lee", func(t *testing.T, d *desk, o *outbound) error {
			d.store.policy.Security.Channel = ""
			return o.alert(t.Context(), lifecycle.Attempt{Ref: "Lee has left and still holds Global Admin."})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			o := d.out(t)
			if _, err := o.names(t.Context(), tt.leaver+"@acme.test"); err != nil { // as they were known a minute ago
				t.Fatal(err)
			}
			d.store.leave(tt.leaver)
			if err := tt.say(t, d, o); err != nil {
				t.Fatal(err)
			}
			if got := texts(d.dm("U0" + strings.ToUpper(tt.leaver))); got != "" {
				t.Errorf("was told:\n%s", got)
			}
			d.clean(t)
		})
	}
}

func TestThatAnOwnerLeftIsSecuritysBusiness(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.fill()
	d.store.leave("marco")
	if err := d.out(t).digest(t.Context(), "marco@acme.test"); err != nil {
		t.Fatal(err)
	}
	sameCount(t, "alerts", len(d.store.jobs), 1)
	wants(t, d.store.jobs[0].Ref, "marco@acme.test", "has left or cannot be reached")
}

func TestACopyOfWhoLeftLosesItsButtons(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.out(t)
	d.show(t, o, mover())
	d.store.leave("ines")
	d.show(t, o, with(mover(), func(r *lifecycle.Request) { r.Revision = 2 }))
	wants(t, texts(d.dm("U0INES")), "You are no longer asked about this.")
	sameCount(t, "messages", len(d.dm("U0INES")), 1)
}
