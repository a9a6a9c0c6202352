package lifecycle_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// Identities that were stored before statements were kept say only who they are
// and whose word that is.
func TestWhoWasKnownBeforeStatementsWereKept(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		was    func(*lifecycle.Identity)
		says   lifecycle.Fact
		want   lifecycle.Person // department, title and status
		notice []string
		asked  int
	}{
		"what one source says no more is gone":     {says: from("okta", in(""), titled("")), want: lifecycle.Person{Department: "Payments", Status: "active"}, notice: []string{"mover Payments → Payments"}},
		"its silence takes nothing from the other": {says: from("okta", in(""), titled("SRE")), want: lifecycle.Person{Department: "Payments", Title: "SRE", Status: "active"}},
		"a newer word counts":                      {says: from("hr", in("Platform")), want: lifecycle.Person{Department: "Platform", Title: "SRE", Status: "active"}, notice: []string{"mover Payments → Platform"}},
		"an older word does not": {says: func() lifecycle.Fact {
			f := from("hr", in("Platform"))
			f.ObservedAt = monday.Add(-1000 * time.Hour)
			return f
		}(), want: lifecycle.Person{Department: "Payments", Title: "SRE", Status: "active"}},
		"ended is a leaver":                              {says: from("hr", as("ended")), want: lifecycle.Person{Department: "Payments", Title: "SRE", Status: "ended"}, notice: []string{"leaver Payments → Payments"}},
		"who was suspended is active again by one word":  {was: func(i *lifecycle.Identity) { i.Person.Status = "suspended" }, says: from("okta", titled("SRE")), want: lifecycle.Person{Department: "Payments", Title: "SRE", Status: "active"}, notice: []string{"mover Payments → Payments"}},
		"who has ended stays so, and is asked about":     {was: func(i *lifecycle.Identity) { i.Person.Status = "ended" }, says: from("okta", titled("SRE")), want: lifecycle.Person{Department: "Payments", Title: "SRE", Status: "ended"}, asked: 1},
		"who has ended comes back with a new first day":  {was: func(i *lifecycle.Identity) { i.Person.Status = "ended" }, says: from("okta", titled("SRE"), starting("2026-05-04")), want: lifecycle.Person{Department: "Payments", Title: "SRE", Status: "active"}, notice: []string{"joiner Payments → Payments"}},
		"a third source that knows less changes nothing": {says: from("scim", in(""), titled("")), want: lifecycle.Person{Department: "Payments", Title: "SRE", Status: "active"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			i := lifecycle.Identity{
				ID: lifecycle.NewIdentityID(), Revision: 1, Keys: map[string]string{"hr": "E1", "okta": "E1"}, Person: person("Payments"),
				From: map[lifecycle.Attribute]string{"department": "hr", "title": "okta", "name": "hr"}, Observed: h.now().Add(-240 * time.Hour),
			}
			i.Person.Title = "SRE"
			if tt.was != nil {
				tt.was(&i)
			}
			must(t, h.store.SaveIdentity(t.Context(), i, nil, lifecycle.AuditEvent{At: h.now(), Actor: lifecycle.System, Kind: lifecycle.EventIdentityChanged, Ref: string(i.ID)}))
			h.say(t, tt.says)
			got := h.who(t, "ben")
			if diff := cmp.Diff(tt.want, lifecycle.Person{Department: got.Person.Department, Title: got.Person.Title, Status: got.Person.Status}); diff != "" {
				t.Errorf("is (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.notice, h.notices(t), equateEmpty); diff != "" {
				t.Errorf("notices (-want +got):\n%s", diff)
			}
			if got := h.told(t); len(got) != tt.asked {
				t.Errorf("security is asked %v, want %d", got, tt.asked)
			}
		})
	}
}
