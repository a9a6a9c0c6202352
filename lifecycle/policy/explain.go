package policy

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// Explain writes one line for what each rule says of the person, those that
// match first and then the nearest miss, and at the end what the person would
// be given, what caps, ends or raises that, and who would be asked. Exceptions
// count in a policy that is dated (see lifecycle.Policy.At). The error is w's.
func Explain(w io.Writer, p lifecycle.Policy, person lifecycle.Person) error {
	var lines []string
	for _, v := range verdicts(p, person) {
		lines = append(lines, v.String())
	}
	lines = append(lines, outcome(bound(p), person)...)
	if _, err := io.WriteString(w, strings.Join(lines, "\n")+"\n"); err != nil {
		return fmt.Errorf("write explanation: %w", err)
	}
	return nil
}

// bound gives teams that are not resolved yet an id of their own, so that the
// file alone tells whose owners are asked. No id of PagerDuty has a colon.
func bound(p lifecycle.Policy) lifecycle.Policy {
	p.Teams = slices.Clone(p.Teams)
	for i, t := range p.Teams {
		if t.ID == "" {
			p.Teams[i].ID = lifecycle.TeamID("name:" + t.Name)
		}
	}
	return p.Indexed()
}

// outcome says what would come of the person joining now, with no account yet,
// and what capped, ended or raised it; of who has left nothing does.
func outcome(p lifecycle.Policy, person lifecycle.Person) []string {
	plan, want := lifecycle.PlanJoin(p, person, nil), p.Want(person)
	lines := []string{"Grant: nothing. " + plan.Held}
	if person.Status == lifecycle.StatusEnded {
		return []string{"Grant: nothing, because they have left; what the rules say would count if they came back."}
	}
	if plan.Held == "" {
		granted := memberships(want.Teams)
		if want.BaseRole != "" {
			granted = append([]string{"base role " + want.BaseRole.String()}, granted...)
		}
		lines = []string{fmt.Sprintf("Grant: %s (by %s)", list(granted), strings.Join(want.Rules, ", "))}
	}
	for _, c := range want.Capped {
		lines = append(lines, "Capped: "+c)
	}
	if want.Until != "" {
		lines = append(lines, fmt.Sprintf("Until: %s, their end date%s", want.Until, ending(p, want)))
	}
	for _, e := range want.Excepted {
		lines = append(lines, "May hold too: "+e)
	}
	if plan.Held == "" {
		lines = append(lines, "Approval: "+approval(p, plan, person))
	}
	return lines
}

// ending names the rules that end with the end date.
func ending(p lifecycle.Policy, want lifecycle.Want) string {
	var names []string
	for _, r := range p.Rules {
		if r.Expires == lifecycle.ExpiryEndDate && slices.Contains(want.Rules, r.Name) {
			names = append(names, fmt.Sprintf("%s (line %d)", r.Name, r.Line))
		}
	}
	return ", for " + strings.Join(names, ", ")
}

func approval(p lifecycle.Policy, plan lifecycle.Plan, person lifecycle.Person) string {
	j := p.Judge(plan)
	switch j.Mode {
	case lifecycle.ApprovalAuto:
		return "none is needed"
	case lifecycle.ApprovalDeny:
		return "refused by policy"
	case lifecycle.ApprovalQuorum:
	}
	r := lifecycle.Request{
		Changes: plan.Changes, From: j.From, Needed: j.N,
		Subject: lifecycle.Subject{Email: person.Email(), Name: person.Name},
	}
	return fmt.Sprintf("%d of %s%s", j.N, list(append(p.Named(r), elsewhere(p, r)...)), silence(j.Approval, p.Defaults.Hours))
}

// elsewhere names whom else is asked, who are not in the file.
func elsewhere(p lifecycle.Policy, r lifecycle.Request) []string {
	var words []string
	for _, from := range r.From {
		switch from {
		case lifecycle.FromTeamOwners:
			for _, t := range r.HomeTeams() {
				tp, _ := p.TeamFor(t)
				for _, g := range tp.Groups {
					words = append(words, "members of group "+string(g))
				}
			}
		case lifecycle.FromTeamManagers:
			words = append(words, "managers of the team in PagerDuty")
		case lifecycle.FromManager:
			words = append(words, "their manager")
		case lifecycle.FromSecurity:
			if p.Security.Group != "" {
				words = append(words, "members of group "+string(p.Security.Group))
			}
		}
	}
	return words
}

func silence(a lifecycle.Approval, h lifecycle.Hours) string {
	if a.ExpireAfter == 0 {
		return ""
	}
	in := ""
	if !h.Always() {
		in = " in working hours"
	}
	return fmt.Sprintf("; after %s of silence%s: %s", plainly(a.ExpireAfter), in, a.OnExpiry)
}

// plainly returns d as the policy file says it: 72h, not 72h0m0s.
func plainly(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// An Answer is what one rule says of a person, for programs.
type Answer struct {
	Rule       string   `json:"rule"`
	Line       int      `json:"line"`
	Answer     string   `json:"answer"` // YES, NO, CANNOT TELL, or YES, but only observed
	Conditions []string `json:"conditions"`
}

// Answers returns what every rule says of the person: those that match first,
// then the nearest miss.
func Answers(p lifecycle.Policy, person lifecycle.Person) []Answer {
	answers := []Answer{}
	for _, v := range verdicts(p, person) {
		a := Answer{Rule: v.rule.Name, Line: v.rule.Line, Answer: v.answer(), Conditions: []string{}}
		for _, c := range v.conditions {
			a.Conditions = append(a.Conditions, c.text)
		}
		answers = append(answers, a)
	}
	return answers
}
