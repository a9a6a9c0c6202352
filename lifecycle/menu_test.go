package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// menu says what Ben may ask for, in lines.
func (h *house) menu(t testing.TB) []string {
	t.Helper()
	h.call(t)
	m, err := h.desk().Menu(t.Context(), h.who(t, "ben"))
	must(t, err)
	var lines []string
	if m.Closed != "" {
		lines = append(lines, "closed: "+m.Closed)
	}
	for _, team := range m.Teams {
		line := team.Team.Name + ":"
		for _, r := range team.Roles {
			line += " " + string(r)
		}
		lines = append(lines, line)
	}
	for _, r := range m.Base {
		lines = append(lines, string(r))
	}
	for _, w := range m.Without {
		lines = append(lines, "not: "+w)
	}
	return lines
}

func TestMenu(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		have  lifecycle.Account
		house func(*testing.T, *house)
		want  []string
	}{
		"what is above what they hold": {
			have: account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)),
			want: []string{"Payments: manager", "Platform: observer responder manager", "user", "admin"},
		},
		"an admin has nothing to ask for": {
			have: account(lifecycle.RoleAdmin), want: []string{"closed: There is nothing", "not: You are Global Admin (admin)"},
		},
		"a ceiling leaves out what it forbids, and says so": {
			have: account(lifecycle.RoleResponder), house: func(t *testing.T, h *house) { h.ceiling(t, lifecycle.Contractor) },
			want: []string{"Payments: observer responder", "Platform: observer responder", "user", "admin", "not: You cannot be given Payments: manager: that is above the ceiling", "not: You cannot be given Platform: manager"},
		},
		"who is suspended": {
			have: account(lifecycle.RoleResponder), house: func(t *testing.T, h *house) { h.status(t, lifecycle.StatusSuspended) },
			want: []string{"closed: Only who is active now"},
		},
		"what runs can be asked for again, for longer": {
			have: account(lifecycle.RoleResponder), house: func(t *testing.T, h *house) { h.given(t, "Platform", "responder", 8*time.Hour, "omar") },
			want: []string{"Payments: observer responder manager", "Platform: responder manager", "user", "admin"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := wishing(t, tt.have)
			if tt.house != nil {
				tt.house(t, h)
			}
			got := h.menu(t)
			for i, line := range got { // what follows the beginning is words
				if i < len(tt.want) && strings.HasPrefix(line, tt.want[i]) {
					got[i] = tt.want[i]
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("menu (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAccessSaysWhyAndUntilWhen(t *testing.T) {
	t.Parallel()
	h := wishing(t, account(lifecycle.RoleResponder, on(payments, lifecycle.TeamResponder)))
	r := h.given(t, "Platform", "responder", 8*time.Hour, "omar")
	h.pager.put(account(lifecycle.RoleManager, on(payments, lifecycle.TeamResponder), on(platform, lifecycle.TeamResponder)))
	h.call(t)
	s, err := h.desk().Standing(t.Context(), h.who(t, "ben"))
	must(t, err)
	var got []string
	for _, a := range s.Access {
		line := a.Entitlement.String() + " by " + a.Why
		if a.Grant == r.ID {
			line += " until " + a.Until.Format(time.TimeOnly)
		}
		got = append(got, line)
	}
	want := []string{
		"Manager (user) by nothing in the policy: it can be asked about", "Payments: responder by rule payments",
		"Platform: responder by asked for: Helps with the migration until 17:00:00",
	}
	if diff := cmp.Diff(want, got, sorted()); diff != "" {
		t.Errorf("access (-want +got):\n%s", diff)
	}
}
