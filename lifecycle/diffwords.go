package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Summary says the diff in sentences, the numbers first.
func (d PolicyDiff) Summary() string {
	words := []string{d.numbers()}
	if d.Exceeds() {
		words = append(words, d.held())
	}
	if d.Assumed && d.People > 0 {
		words = append(words, "What is held is not known, so everybody was taken to hold what the old policy gives them.")
	}
	return strings.Join(words, " ")
}

func (d PolicyDiff) numbers() string {
	if d.People == 0 {
		return "No source of truth has sent anybody, so it cannot be told whom this moves."
	}
	if !d.Moved() {
		return fmt.Sprintf("Nobody gains or loses anything, of %s.", people(d.People))
	}
	var words []string
	if d.Gain > 0 {
		words = append(words, people(d.Gain)+" "+verb(d.Gain, "gain"))
	}
	switch {
	case d.Lose > 0 && d.Gain > 0:
		words = append(words, fmt.Sprintf("%d %s", d.Lose, verb(d.Lose, "lose")))
	case d.Lose > 0:
		words = append(words, people(d.Lose)+" "+verb(d.Lose, "lose"))
	}
	if d.OnCall > 0 {
		words = append(words, d.callers())
	}
	return strings.Join(words, ", ") + "."
}

func (d PolicyDiff) callers() string {
	words := fmt.Sprintf("%d of those who lose are in on-call schedules or policies", d.OnCall)
	if d.OnCall == 1 {
		words = "1 of those who lose is in an on-call schedule or policy"
	}
	switch {
	case d.Shifts && d.Tonight == 0:
		words += " (nobody of them is on call within 24 hours)"
	case d.Shifts:
		words += fmt.Sprintf(" (%d on call within 24 hours)", d.Tonight)
	}
	return words
}

func (d PolicyDiff) held() string {
	return fmt.Sprintf("That exceeds the breaker: no more than %s may lose something at once, so it comes into force only when two of Security release it.", people(d.Limit))
}

// String says the team in a line: "Payments: 3 gain responder, 1 loses manager".
func (t TeamDiff) String() string {
	var words []string
	for _, r := range t.Roles {
		role := r.Role
		if t.Team.ID == "" {
			role = BaseRole(role).String()
		}
		if r.Gain > 0 {
			words = append(words, fmt.Sprintf("%d %s %s", r.Gain, verb(r.Gain, "gain"), role))
		}
		if r.Lose > 0 {
			words = append(words, fmt.Sprintf("%d %s %s", r.Lose, verb(r.Lose, "lose"), role))
		}
	}
	return t.Label() + ": " + strings.Join(words, ", ")
}

// Label returns the team's name, or what the base roles are called.
func (t TeamDiff) Label() string {
	if t.Team.ID == "" {
		return "Whole account"
	}
	return t.Team.Name
}

// String says the role as a card does: "Payments: responder → none".
func (r RoleDiff) String() string {
	from, to := orNothing(r.From), orNothing(r.To)
	if r.Team.ID == "" {
		return fmt.Sprintf("%s → %s", BaseRole(r.From), BaseRole(r.To))
	}
	return fmt.Sprintf("%s: %s → %s", r.Team.Name, from, to)
}

// String says the rule in a line: "payments-sre: when changed (10 → 19 people)".
func (r RuleDiff) String() string {
	switch r.What {
	case RuleAdded:
		return fmt.Sprintf("%s: new (%s)", r.Name, people(r.After))
	case RuleRemoved:
		return fmt.Sprintf("%s: gone (was %s)", r.Name, people(r.Before))
	case RuleRenamed:
		return fmt.Sprintf("%s: was called %s", r.Name, r.Was)
	default:
		return fmt.Sprintf("%s: %s changed (%d → %s)", r.Name, strings.Join(r.Parts, ", "), r.Before, people(r.After))
	}
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

// verb is the verb as it follows a number.
func verb(n int, word string) string {
	if n == 1 {
		return word + "s"
	}
	return word
}

// A DiffGroup is people of whom the same is to be said.
type DiffGroup struct {
	Words  string
	People []string
}

// AskedBy returns whose access would be given in another way, those of whom the
// same is to be said together, the most first.
func (d PolicyDiff) AskedBy() []DiffGroup {
	return grouped(d.Asked, func(a AskedDiff) (string, string) { return a.From + " → " + a.To, cmp.Or(a.Name, a.Email) })
}

// UnclearBy returns of whom nothing is concluded any more, and of whom something
// is now, those for the same reason together, the most first.
func (d PolicyDiff) UnclearBy() []DiffGroup {
	return grouped(d.Unclear, func(u UnclearDiff) (string, string) {
		if u.Why == "" {
			return "Clear now. Before: " + u.Was, cmp.Or(u.Name, u.Email)
		}
		return u.Why, cmp.Or(u.Name, u.Email)
	})
}

func grouped[T any](all []T, say func(T) (words, who string)) []DiffGroup {
	by := map[string][]string{}
	for _, x := range all {
		words, who := say(x)
		by[words] = append(by[words], who)
	}
	groups := make([]DiffGroup, 0, len(by))
	for words, who := range by {
		groups = append(groups, DiffGroup{words, sorted(who)})
	}
	slices.SortFunc(groups, func(a, b DiffGroup) int {
		return cmp.Or(len(b.People)-len(a.People), strings.Compare(a.Words, b.Words))
	})
	return groups
}
