package policy

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"rolecall/lifecycle"
)

const (
	shownRows = 12 // more are folded away
	mostRows  = 200
	mostNames = 12
)

// WriteMarkdown writes the diff for a pull request: the numbers first, then what
// each team gains and loses, who loses, who gains, and the rules. Long lists are
// folded, and cut at 200 rows unless all is set. Text from outside is escaped. The
// error is w's.
func WriteMarkdown(w io.Writer, d lifecycle.PolicyDiff, all bool) error {
	m := &markdown{all: all}
	m.line("### Policy %s → %s", brief(d.Old), brief(d.New))
	m.line("")
	numbers, rest, _ := strings.Cut(d.Summary(), ". ")
	m.line("%s", strings.TrimSpace("**"+strings.TrimSuffix(numbers, ".")+".** "+rest))
	m.teams(d.Teams)
	m.people("Who loses", d.Moves, func(p lifecycle.PersonDiff) bool { return len(p.Loses) > 0 })
	m.people("Who gains", d.Moves, func(p lifecycle.PersonDiff) bool { return len(p.Loses) == 0 })
	m.groups("Not clear, or clear now", d.UnclearBy())
	m.groups("Given in another way", d.AskedBy())
	m.list("Rules", ruleLines(d.Rules))
	m.list("Also", d.Other)
	if _, err := io.WriteString(w, m.text.String()); err != nil {
		return fmt.Errorf("write diff: %w", err)
	}
	return nil
}

func brief(sha string) string {
	if sha == "" {
		return "(none)"
	}
	return "`" + sha[:min(len(sha), 12)] + "`"
}

func ruleLines(rules []lifecycle.RuleDiff) []string {
	lines := make([]string, len(rules))
	for i, r := range rules {
		lines[i] = r.String()
	}
	return lines
}

// markdown is a text while it is written.
type markdown struct {
	text strings.Builder
	all  bool
}

func (m *markdown) line(format string, args ...any) {
	fmt.Fprintf(&m.text, format+"\n", args...)
}

func (m *markdown) teams(teams []lifecycle.TeamDiff) {
	rows := make([][]string, len(teams))
	for i, t := range teams {
		rows[i] = []string{t.Label(), strings.TrimPrefix(t.String(), t.Label()+": ")}
	}
	m.table("By team", []string{"Team", "What changes"}, rows)
}

func (m *markdown) people(title string, moves []lifecycle.PersonDiff, of func(lifecycle.PersonDiff) bool) {
	var rows [][]string
	for _, p := range moves {
		if of(p) {
			rows = append(rows, []string{who(p.Name, p.Email), p.Department, rolesInWords(p.Loses), rolesInWords(p.Gains), p.Approval, strings.Join(p.OnCall, ", "), strings.Join(p.Tonight, ", ")})
		}
	}
	m.table(title, []string{"Person", "Department", "Loses", "Gains", "Gains are", "On call", "Within 24 hours"}, rows)
}

func (m *markdown) groups(title string, groups []lifecycle.DiffGroup) {
	rows := make([][]string, len(groups))
	for i, g := range groups {
		rows[i] = []string{fmt.Sprint(len(g.People)), g.Words, names(g.People, m.all)}
	}
	m.table(title, []string{"People", "What", "Who"}, rows)
}

// names lists people, the first of them where there are many.
func names(people []string, all bool) string {
	if more := len(people) - mostNames; more > 0 && !all {
		return strings.Join(people[:mostNames], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(people, ", ")
}

// table writes rows under a title, without the columns that are empty in all of them.
func (m *markdown) table(title string, header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	defer m.fold(title, len(rows))()
	kept := columnsWithText(rows, len(header))
	cut := len(rows) - mostRows
	if cut > 0 && !m.all {
		rows = rows[:mostRows]
	}
	m.row(header, kept, func(s string) string { return s })
	m.row(header, kept, func(string) string { return "---" })
	for _, row := range rows {
		m.row(row, kept, escaped)
	}
	if cut > 0 && !m.all {
		m.line("")
		m.line("… and %d more.", cut)
	}
}

func columnsWithText(rows [][]string, n int) []int {
	var kept []int
	for i := range n {
		for _, row := range rows {
			if row[i] != "" {
				kept = append(kept, i)
				break
			}
		}
	}
	return kept
}

func (m *markdown) row(cells []string, kept []int, say func(string) string) {
	said := make([]string, len(kept))
	for i, k := range kept {
		said[i] = say(cells[k])
	}
	m.line("| %s |", strings.Join(said, " | "))
}

func (m *markdown) list(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	defer m.fold(title, len(lines))()
	for _, l := range lines {
		m.line("- %s", escaped(l))
	}
}

// fold begins a part of the text, folded when it is long, and returns what ends it.
func (m *markdown) fold(title string, n int) (end func()) {
	m.line("")
	if n <= shownRows {
		m.line("**%s** (%d)", title, n)
		m.line("")
		return func() {}
	}
	m.line("<details><summary><b>%s</b> (%d)</summary>", title, n)
	m.line("")
	return func() { m.line("\n</details>") }
}

func who(name, email string) string {
	if name == "" {
		return email
	}
	return name + " (" + email + ")"
}

func rolesInWords(roles []lifecycle.RoleDiff) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = r.String()
	}
	return strings.Join(words, "; ")
}

// escaped is text that Markdown shows as it is, in a cell of a table too: no
// markup, no link, nobody mentioned and no issue referred to.
func escaped(s string) string {
	var b strings.Builder
	before := ' '
	for _, r := range printable([]rune(strings.Join(strings.Fields(s), " "))) {
		switch {
		case strings.ContainsRune("\\`*_{}[]|~$", r), r == '!' && before == ' ':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '/' && before == ':', (r == '@' || r == '#') && !unicode.IsLetter(before) && !unicode.IsDigit(before):
			b.WriteRune(r)
			b.WriteString("<!-- -->")
		default:
			b.WriteRune(r)
		}
		before = r
	}
	return strings.ReplaceAll(b.String(), "www.", "www<!-- -->.")
}
