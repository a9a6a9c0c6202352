package lifecycle_test

import (
	"context"
	"errors"
	"testing"

	"rolecall/lifecycle"
)

func TestWhoSomebodyInSlackIs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		slack   lifecycle.SlackUser
		begin   func(*testing.T, *house)
		want    string
		refused error
	}{
		"whoever has the address":   {slack: lifecycle.SlackUser{ID: "U1", Email: "Marco@Acme.test"}, want: "marco"},
		"nobody, when none has":     {slack: lifecycle.SlackUser{ID: "U1", Email: "eve@acme.test"}, refused: lifecycle.ErrNotFound},
		"nobody without an address": {slack: lifecycle.SlackUser{ID: "U1"}, refused: lifecycle.ErrNotFound},
		"nobody who is deactivated": {slack: lifecycle.SlackUser{ID: "U1", Email: "marco@acme.test", Deleted: true}, refused: lifecycle.ErrForbidden},
		"no guest":                  {slack: lifecycle.SlackUser{ID: "U1", Email: "marco@acme.test", Guest: true}, refused: lifecycle.ErrForbidden},
		"no stranger":               {slack: lifecycle.SlackUser{ID: "U1", Email: "marco@acme.test", Stranger: true}, refused: lifecycle.ErrForbidden},
		"no bot":                    {slack: lifecycle.SlackUser{ID: "U1", Email: "marco@acme.test", Bot: true}, refused: lifecycle.ErrForbidden},
		"nobody of another domain":  {slack: lifecycle.SlackUser{ID: "U1", Email: "marco@acme.test"}, begin: func(_ *testing.T, h *house) { h.policy.Domains = []string{"other.test"} }, refused: lifecycle.ErrForbidden},
		"not by a second address": {slack: lifecycle.SlackUser{ID: "U1", Email: "boss@acme.test"}, begin: func(t *testing.T, h *house) {
			h.hearOf(t, "marco", func(p *lifecycle.Person) { p.Emails = append(p.Emails, "boss@acme.test") })
		}, refused: lifecycle.ErrNotFound},
		"not who is linked to another Slack user":                    {slack: lifecycle.SlackUser{ID: "U2", Email: "marco@acme.test"}, begin: linkMarco, refused: lifecycle.ErrForbidden},
		"whom they were linked to, whatever address Slack shows now": {slack: lifecycle.SlackUser{ID: "U1", Email: "priya@acme.test"}, begin: linkMarco, want: "marco"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			if tt.begin != nil {
				tt.begin(t, h)
			}
			i, err := h.directory().Who(t.Context(), tt.slack)
			if !errors.Is(err, tt.refused) {
				t.Fatalf("got %v, want %v", err, tt.refused)
			}
			if err == nil && i.ID != h.who(t, tt.want).ID {
				t.Errorf("got %s, want %s", i.Person.Email(), tt.want)
			}
			if err != nil && lifecycle.ReasonOf(err) == "" {
				t.Errorf("%v has no words for the person", err)
			}
		})
	}
}

func TestWhoseManagerSomebodyIs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		manager string // as the source says it
		want    string
	}{
		"whom the source names":   {"marco", "marco"},
		"nobody, where none is":   {"", ""},
		"nobody who is not known": {"nobody", ""},
		"not they themselves":     {"eve", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.hearOf(t, "marco", as("active"))
			h.hearOf(t, "eve", func(p *lifecycle.Person) { p.ManagerID = tt.manager })
			i, err := h.directory().Manager(t.Context(), h.who(t, "eve").ID)
			switch {
			case tt.want == "" && !errors.Is(err, lifecycle.ErrNotFound):
				t.Errorf("got %s and %v, want nobody", i.ID, err)
			case tt.want != "" && (err != nil || i.ID != h.who(t, tt.want).ID):
				t.Errorf("got %s and %v, want %s", i.Person.Email(), err, tt.want)
			}
		})
	}
}

func linkMarco(t *testing.T, h *house) {
	t.Helper()
	_, err := h.directory().Who(t.Context(), lifecycle.SlackUser{ID: "U1", Email: "marco@acme.test"})
	must(t, err)
}

// twin is a store in which another replica admits everybody just before us.
type twin struct{ *store }

func (s twin) IdentitiesByEmail(context.Context, string) ([]lifecycle.Identity, error) {
	return nil, nil
}

func TestTwoReplicasAdmitTheSamePeopleOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t) // which has admitted them
	must(t, lifecycle.NewDirectory(twin{h.store}, h, h.now).Admit(t.Context(), *h.policy))
	found, err := h.store.Identities(t.Context())
	must(t, err)
	if want := len(h.policy.People()); len(found) != want {
		t.Errorf("%d identities of %d people", len(found), want)
	}
}
