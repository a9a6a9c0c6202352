package lifecycle_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

func (h *house) groups() *lifecycle.Groups {
	return lifecycle.NewGroups(h.store, h.directory(), h, h.now)
}

// named has the policy name a group as owner of Payments beside Marco, and for Security.
func (h *house) named() {
	h.policy.Teams[0].Owners, h.policy.Teams[0].Groups = []string{"marco@acme.test"}, []lifecycle.GroupID{"S0PAY"}
	h.policy.Security.Group = "S0SEC"
	*h.policy = h.policy.Indexed()
}

func slackers(names ...string) []lifecycle.SlackUser {
	var all []lifecycle.SlackUser
	for _, n := range names {
		all = append(all, lifecycle.SlackUser{ID: lifecycle.SlackID("U0" + strings.ToUpper(n)), Email: n + "@Acme.test"})
	}
	return all
}

func (h *house) seen(t *testing.T, group lifecycle.GroupID, names ...string) {
	t.Helper()
	must(t, h.groups().Seen(t.Context(), group, strings.ToLower(string(group)), slackers(names...)))
}

// routed says who may decide by the policy with its groups.
func (h *house) routed(t *testing.T, r lifecycle.Request) []string {
	t.Helper()
	route, err := lifecycle.NewRouter(h.store, h.terms(), h.now).Route(t.Context(), r)
	must(t, err)
	var words []string
	for _, a := range route {
		w := strings.TrimSuffix(a.Email, "@acme.test") + " " + a.As
		if a.Group != "" {
			w += " through " + string(a.Group)
		}
		if a.Asked {
			w += ", asked"
		}
		words = append(words, w)
	}
	return words
}

// TestAGroupOwnsATeam is a group whose members come and go: who is in it decides,
// and only the owner who is named himself is sent a copy.
func TestAGroupOwnsATeam(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	h.named()
	h.seen(t, "S0PAY", "ines", "gus", "marco")
	want := []string{"marco owns Payments, asked", "gus owns Payments through S0PAY", "ines owns Payments through S0PAY"}
	if diff := cmp.Diff(want, h.routed(t, r)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if h.who(t, "gus").Sourced() {
		t.Error("who was made known by a group passes for sourced")
	}
	lines := h.trail(lifecycle.EventGroupChanged)
	h.seen(t, "S0PAY", "marco", "gus", "ines")
	if got := h.trail(lifecycle.EventGroupChanged); got != lines {
		t.Errorf("the same members, in another order, left %d lines", got-lines)
	}
	h.seen(t, "S0PAY", "marco", "gus")
	gus := lifecycle.Press{Request: r.ID, Seen: r.Revision, By: h.who(t, "ines"), Verdict: lifecycle.Approve, Via: lifecycle.ViaSlack}
	approvals := lifecycle.NewApprovals(h.store, h.terms(), h.now)
	if _, err := approvals.Decide(t.Context(), gus); !errors.Is(err, lifecycle.ErrForbidden) {
		t.Errorf("who has left the group between the card and the press: %v", err)
	}
	gus.By = h.who(t, "gus")
	if is, err := approvals.Decide(t.Context(), gus); err != nil || is.State == lifecycle.Pending {
		t.Errorf("who is in it: %s, %v", is.State, err)
	}
}

func TestWhoIsNoMember(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*lifecycle.SlackUser){
		"a guest":                      func(u *lifecycle.SlackUser) { u.Guest = true },
		"a bot":                        func(u *lifecycle.SlackUser) { u.Bot = true },
		"somebody of elsewhere":        func(u *lifecycle.SlackUser) { u.Stranger = true },
		"who is deactivated":           func(u *lifecycle.SlackUser) { u.Deleted = true },
		"an address of another domain": func(u *lifecycle.SlackUser) { u.Email = "ines@elsewhere.test" },
		"nobody's address":             func(u *lifecycle.SlackUser) { u.Email = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, r := asking(t)
			h.named()
			members := slackers("ines")
			change(&members[0])
			must(t, h.groups().Seen(t.Context(), "S0PAY", "payments", members))
			if diff := cmp.Diff([]string{"marco owns Payments, asked"}, h.routed(t, r)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Whoever has changed the address in their Slack profile is still who they were
// when they were tied.
func TestAGroupGoesByWhoSomebodyIsTiedTo(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	h.named()
	_, err := h.directory().Who(t.Context(), slackers("ben")[0])
	must(t, err)
	disguised := slackers("ben")
	disguised[0].Email = "ines@acme.test"
	must(t, h.groups().Seen(t.Context(), "S0PAY", "payments", disguised))
	if diff := cmp.Diff([]string{"marco owns Payments, asked"}, h.routed(t, r)); diff != "" {
		t.Errorf("the subject is not an approver by another's address (-want +got):\n%s", diff)
	}
}

func TestAGroupThatCannotBeReadCountsForADay(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	h.named()
	h.seen(t, "S0PAY", "ines")
	for range 2 {
		h.pass(11 * time.Hour)
		must(t, h.groups().Unread(t.Context(), "S0PAY", "Slack answers missing_scope"))
	}
	if got := h.routed(t, r); len(got) != 2 {
		t.Errorf("within a day: %v", got)
	}
	for range 3 {
		h.pass(2 * time.Hour)
		must(t, h.groups().Unread(t.Context(), "S0PAY", "Slack answers missing_scope"))
	}
	h.work(t)
	if got := h.routed(t, r); len(got) != 1 {
		t.Errorf("after a day: %v", got)
	}
	if len(h.alerts) != 1 || !strings.Contains(h.alerts[0], "@s0pay") || !strings.Contains(h.alerts[0], "missing_scope") {
		t.Errorf("Security is told %q", h.alerts)
	}
	h.seen(t, "S0PAY", "ines")
	if got := h.routed(t, r); len(got) != 2 {
		t.Errorf("once it can be read again: %v", got)
	}
}

func TestAGroupThatIsGoneHasNobodyInItAtOnce(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	h.named()
	h.seen(t, "S0PAY", "ines")
	for range 2 {
		must(t, h.groups().Gone(t.Context(), "S0PAY"))
	}
	h.work(t)
	if got := h.routed(t, r); len(got) != 1 || len(h.alerts) != 1 {
		t.Errorf("%v may decide, and Security is told %q", got, h.alerts)
	}
}

// Who is of Security through its group decides as they do, and is not told of
// everything: that are those whom the policy names.
func TestSecurityIsAGroupToo(t *testing.T) {
	t.Parallel()
	h, r := asking(t)
	h.named()
	h.seen(t, "S0SEC", "zoe", "priya")
	r.From = []lifecycle.ApproverSource{lifecycle.FromSecurity}
	if diff := cmp.Diff([]string{"priya security, asked", "lee security, asked", "zoe security through S0SEC"}, h.routed(t, r)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	p, err := h.terms().Current(t.Context())
	must(t, err)
	if diff := cmp.Diff([]string{"priya@acme.test", "lee@acme.test"}, p.Security.Told()); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(h.policy.People(), p.Told()); diff != "" {
		t.Errorf("sent a digest (-want +got):\n%s", diff)
	}
}

// The terms are made once for what they are made of, and anew when that changes.
func TestTheTermsKeepUp(t *testing.T) {
	t.Parallel()
	h, _ := asking(t)
	h.named()
	terms := h.terms()
	owners := func() int {
		p, err := terms.Current(t.Context())
		must(t, err)
		tp, ok := p.Team("Payments")
		if !ok {
			t.Fatal("the team is gone")
		}
		return len(tp.Owners)
	}
	if n := owners(); n != 1 {
		t.Errorf("before it was read there are %d owners", n)
	}
	h.seen(t, "S0PAY", "ines", "gus")
	if n := owners(); n != 3 {
		t.Errorf("after it was read there are %d owners", n)
	}
	if n := owners(); n != 3 {
		t.Errorf("asked again there are %d owners", n)
	}
	h.seen(t, "S0PAY", "ines")
	if n := owners(); n != 2 {
		t.Errorf("when one has left there are %d owners", n)
	}
	h.pass(lifecycle.GroupFresh)
	if n := owners(); n != 1 {
		t.Errorf("when it could not be read for a day there are %d owners", n)
	}
}
