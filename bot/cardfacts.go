package bot

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

const (
	manyTeams   = 12
	manyEffects = 8
	manyPeople  = 8
)

// facts says why, what is and will be, and what deciding means.
func (m cardMaker) facts() []fact {
	r := m.r
	facts := append([]fact{{"Why", m.why()}}, m.compared()...)
	if isWish(r) {
		facts = m.wishFacts()
	}
	if len(handovers(r)) > 0 && (r.State == lifecycle.Pending || r.State == lifecycle.Approved || r.State == lifecycle.Holding) {
		facts = append(facts, fact{"On call", m.onCall()})
	}
	if r.State != lifecycle.Pending {
		return facts
	}
	facts = append(facts, fact{"If you " + strings.ToLower(m.yes()), m.effects()})
	switch {
	case r.IsFinding() && !takesAway(r):
		facts = append(facts, fact{"If you deny", "Nothing is given, as an exception with your reason, for 90 days or until the date you choose. Then it is asked again."})
	case r.IsFinding():
		facts = append(facts, fact{"If you keep", m.keeping()})
	}
	if used := m.used(); used != "" {
		facts = append(facts, fact{"Last used", used})
	}
	return append(facts, fact{"Decide by", m.decideBy()}, m.who())
}

// compared says what the account holds before and after, or only once what is
// not touched.
func (m cardMaker) compared() []fact {
	if !slices.ContainsFunc(m.r.Changes, lifecycle.Change.OnAccount) {
		return []fact{{"Holds", held(m.r, false)}}
	}
	now, after := m.labels()
	return []fact{{now, held(m.r, false)}, {after, held(m.r, true)}}
}

func (m cardMaker) keeping() string {
	const then = "It stays, as an exception with your reason, for 90 days or until the date you choose. Then it is asked again."
	if !m.keepsPower() {
		return then
	}
	var who []string
	for _, email := range m.p.Security.Members {
		who = append(who, m.person(email))
	}
	only := "Only Security can keep somebody as " + roleWords(m.r.Why.Held)
	if len(who) > 0 {
		only += " (" + orList(few(who)) + ")"
	}
	return only + ". " + then
}

// used says when the account was last seen in use before this was asked, and
// what that rests on: a proxy is no sign-in.
func (m cardMaker) used() string {
	s := m.r.Used
	rests := foreign(s.Proxy, maxPhrase)
	switch {
	case s.At.IsZero() && rests == "":
		return ""
	case s.At.IsZero():
		return fullStop("No use seen: " + rests)
	}
	words := m.date(s.At)
	if before := m.r.OpenedAt.Sub(s.At); before >= time.Minute {
		words += ", " + span(before) + " before this was asked"
	}
	if rests != "" {
		words += ": " + rests
	}
	return fullStop(words)
}

func (m cardMaker) yes() string {
	if m.revokes() {
		return "Revoke"
	}
	return "Approve"
}

// labels says what the two states of the account are called: "After" promises
// nothing that has not happened.
func (m cardMaker) labels() (now, after string) {
	if m.begun() && m.r.State != lifecycle.Done {
		return "Before", "Wanted"
	}
	switch m.r.State {
	case lifecycle.Done:
		if isWish(m.r) && m.over() { // it is not so any more
			return "Before", "Given"
		}
		return "Before", "Now"
	case lifecycle.Applying, lifecycle.Failed:
		return "Before", "Wanted"
	case lifecycle.Denied, lifecycle.Expired, lifecycle.Withdrawn, lifecycle.Blocked:
		return "Held then", "Asked for"
	case lifecycle.Pending, lifecycle.Approved, lifecycle.Holding:
		return "Now", "After"
	default:
		return "Now", "After"
	}
}

func (m cardMaker) why() string {
	parts := []string{foreign(fullStop(m.r.Why.Event), maxPhrase)}
	switch rules := m.r.Why.Rule; {
	case strings.Contains(rules, ", "):
		parts = append(parts, fullStop("Rules "+foreign(rules, maxPhrase)))
	case rules != "":
		parts = append(parts, fullStop("Rule "+foreign(rules, maxPhrase)))
	}
	return strings.TrimSpace(strings.Join(parts, " "))
}

// holding is what an account holds, for the two lines that compare.
type holding struct {
	account bool
	base    string
	teams   []lifecycle.Membership
}

// held says what the account held when this was planned, or (after) what it
// holds when every change is made. What a change found counts more than what
// was held: the grants of a second request about a leaver are those of the first.
func held(r lifecycle.Request, after bool) string {
	h := holding{account: r.Account.ID != ""}
	for _, g := range r.Holds {
		h.set(g.Entitlement, g.Entitlement.Role)
	}
	for _, c := range r.Changes {
		if c.Op == lifecycle.OpDelete {
			h.teams = nil
		}
		h.set(c.Entitlement, c.From)
	}
	if after {
		for _, c := range r.Changes {
			h.set(c.Entitlement, c.To)
		}
	}
	return h.String()
}

func (h *holding) set(e lifecycle.Entitlement, role string) {
	switch e.Kind {
	case lifecycle.KindBaseRole:
		h.base = role
	case lifecycle.KindAccount:
		h.base, h.account = role, role != ""
	case lifecycle.KindTeamRole:
		h.teams = slices.DeleteFunc(h.teams, func(m lifecycle.Membership) bool { return m.Team.ID == e.Team.ID && m.Team.Name == e.Team.Name })
		if role != "" {
			h.teams = append(h.teams, lifecycle.Membership{Team: e.Team, Role: lifecycle.TeamRole(role)})
		}
	case lifecycle.KindSchedule, lifecycle.KindEscalationPolicy, lifecycle.KindSession, lifecycle.KindIncident:
	}
}

func (h holding) String() string {
	if !h.account && h.base == "" {
		return "no PagerDuty account"
	}
	var words []string
	if h.base != "" {
		words = append(words, roleWords(h.base))
	}
	if len(h.teams) == 0 {
		words = append(words, "on no team")
	}
	for _, t := range h.teams {
		words = append(words, teamName(t.Team)+": "+foreign(string(t.Role), maxTeam))
	}
	return listed(words, manyTeams, " · ")
}

// effects says what approving does beside the changes themselves.
func (m cardMaker) effects() string {
	var lines []string
	for _, e := range m.r.Effects {
		lines = append(lines, foreign(fullStop(e), maxPhrase))
	}
	if len(lines) == 0 {
		lines = append(lines, "These changes are made, and nothing else.")
	}
	switch hold := m.p.HoldFor(m.r); {
	case m.r.Observe:
	case m.r.NotBefore.After(m.now.Add(hold)):
		lines = append(lines, "Not done before "+moment(m.r.NotBefore, m.loc)+", and can be undone until then.")
	case hold > 0:
		lines = append(lines, "It waits "+span(hold)+" first, and can be undone until then.")
	}
	switch {
	case m.r.Observe:
		lines = append(lines, "It was opened in observe mode: your decision is recorded, and nothing is changed.")
	case m.paused():
		lines = append(lines, "All of it waits until writing to PagerDuty is switched on again.")
	}
	return listed(lines, manyEffects, " ")
}

func (m cardMaker) decideBy() string {
	if m.r.DecideBy.IsZero() {
		return "No deadline. Until somebody decides, nothing changes."
	}
	return "*" + moment(m.r.DecideBy, m.loc) + "*" + m.counted() + "; " + silenceWords(m.r) + "."
}

// counted says in which hours the deadline counts, where not in all of them.
func (m cardMaker) counted() string {
	if !m.r.InWorkingHours() {
		return ""
	}
	return ", counted in working hours (" + m.r.Hours.String() + " " + foreign(cmp.Or(m.r.Zone, "UTC"), maxTeam) + ")"
}

func few(people []string) []string {
	if len(people) <= manyPeople {
		return people
	}
	return append(slices.Clone(people[:manyPeople]), fmt.Sprintf("%d more", len(people)-manyPeople))
}
