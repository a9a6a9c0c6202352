package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"rolecall/lifecycle"
)

// text returns the file.
func (d *draft) text() []byte {
	t := &page{}
	d.head(t)
	d.carefully(t)
	t.part("The PagerDuty teams that this policy speaks of, by their ids, and who is asked about each: whoever manages it in PagerDuty.",
		"With a channel (channel: C0…, the id of a Slack channel) cards about a team come there; without one, to its owners alone.")
	t.list("teams", len(d.written), func(i int) { d.team(t, d.written[i]) })
	d.granting(t)
	t.part("How somebody who left is taken out: contained at once, which can be undone, and deleted after a while by a second decision.")
	t.line("leaver: {contain: auto, delete_after: 336h}")
	d.optional(t)
	d.rehearsal(t)
	return []byte(t.String())
}

func (d *draft) head(t *page) {
	t.line("# yaml-language-server: $schema=policy.schema.json")
	t.comment(fmt.Sprintf("Who should hold what in PagerDuty, who decides, and how carefully. Begun by `rolecall policy init` on %s, from what %s on %s hold: by this file nobody gains or loses anything.",
		d.at.UTC().Format(time.DateOnly), plural(len(d.account.Accounts), "account"), plural(len(d.account.Teams), "team")))
	t.comment("It is yours to change: give the rules that list people by name a reason, or take them out. `rolecall policy check` says what is wrong, `policy explain` why somebody gets what, `policy diff` whom a change would move.")
	if !d.known {
		t.comment("No source of truth has sent anybody yet, so that all rules list people by name. Once one has (see `rolecall roster import`), another `policy init` can tell them by what they are.")
	}
	t.line("version: 1")
	t.part("What applies where a rule says nothing: one owner of the team is asked, and silence leaves things as they are.")
	t.line("defaults:")
	t.line("  unmatched: hold # of whom no rule speaks: given nothing, and left what is ordinary")
	t.line("  approval: {mode: quorum, n: 1, from: [team-owners], remind_after: 4h, escalate_after: 24h, expire_after: 72h, on_expiry: deny}")
	t.line("  hold: 10m # how long an approved deletion, or power over the whole account, can still be undone")
}

func (d *draft) carefully(t *page) {
	t.part("Whose e-mail addresses may decide.")
	t.strings("", "domains", d.domains())
	t.part("Who is asked when nobody nearer can decide, and told of trouble in the channel: the admins of the account.")
	if len(d.security) < 2 {
		t.comment("Two people release what the breaker stops, so name at least one more.")
	}
	t.line("security:")
	t.line("  channel: %s", quote(d.channel))
	t.strings("  ", "members", d.security)
	if len(d.protect) > 0 {
		t.part("Never changed, by any road: the account owner, and the user in whose name rolecall works.")
		t.strings("", "protected", d.protect)
	}
	t.part("How many people may lose access within a day before two people of Security are asked: 5, or 2 % of those with an account.")
	t.line("breaker: {removals: 5, percent: 2, window: 24h, gather: 5m, movers: 10, movers_percent: 10}")
}

func (d *draft) team(t *page, is draftTeam) {
	t.line("  - name: %s", quote(is.name))
	t.line("    pagerduty: %s", quote(string(is.id)))
	if is.nobody {
		t.line("    # Nobody manages it in PagerDuty: Security is asked until you name an owner.")
	}
	t.strings("    ", "owners", is.owners)
}

// granting writes the rules, those of a team together.
func (d *draft) granting(t *page) {
	t.part("Who should hold what. A rule speaks of whoever has all that its when asks for; a list is any of. Whoever comes to be so later is given the same, once an owner approves.")
	if len(d.nobodys) > 0 {
		t.comment(fmt.Sprintf("No rule speaks of %s that nobody who is known has; the roll call shows each: %s.", plural(len(d.nobodys), "account"), d.strangers()))
	}
	team := ""
	t.list("rules", len(d.rules), func(i int) {
		r := d.rules[i]
		if r.team != team || i == 0 {
			team = r.team
			if i > 0 {
				t.line("")
			}
			t.commentAt("  ", heading(team))
		}
		d.rule(t, r)
	})
}

func heading(team string) string {
	if team == "" {
		return "What belongs to no team: the base roles that no rule above gives. To run the whole account is given by name."
	}
	return team
}

const fewStrangers = 10

func (d *draft) strangers() string {
	var words []string
	for i, a := range d.nobodys {
		if i == fewStrangers {
			words = append(words, fmt.Sprintf("and %d more", len(d.nobodys)-i))
			break
		}
		words = append(words, cleaned(a.Email))
	}
	return strings.Join(words, ", ")
}

func (d *draft) rule(t *page, r draftRule) {
	t.line("  - name: %s", quote(r.name))
	t.line("    why: %s", quote(r.why))
	t.line("    when:")
	for _, p := range r.when.parts() {
		t.strings("      ", string(p.attribute), p.values)
	}
	t.line("    grant:")
	if r.base != "" {
		t.line("      base_role: %s # %s", string(r.base), r.base.Title())
	}
	if r.team != "" {
		t.line("      teams: [{team: %s, role: %s}]", quote(r.team), string(r.role))
	}
}

func (d *draft) optional(t *page) {
	t.part("What else can be said; take the # away and fill it in.")
	for _, l := range []string{
		`shared: ["oncall-*@acme.test"] # accounts that are nobody's: no person is matched to them, and they are no orphans`,
		`ceilings: {contractor: {base_role: limited_user, team_role: responder}} # the most of one employment, whatever rules grant`,
		`exceptions: [{who: ana@acme.test, why: Trains the new lead, team: Payments, role: manager, until: 2026-12-31}]`,
		`sources: {order: [hris, okta]} # whose word counts where sources of truth disagree`,
	} {
		t.line("# %s", l)
	}
}

// rehearsal writes the tests.
func (d *draft) rehearsal(t *page) {
	if len(d.tests) == 0 {
		return
	}
	t.part("What this policy is expected to say of somebody; `rolecall policy test` holds it to that.")
	t.list("tests", len(d.tests), func(i int) {
		is := d.tests[i]
		var given []string
		for _, p := range is.given.parts() {
			value := quote(p.values[0])
			if p.attribute == lifecycle.AttrGroups {
				value = "[" + value + "]"
			}
			given = append(given, string(p.attribute)+": "+value)
		}
		t.line("  - given: {%s}", strings.Join(given, ", "))
		t.line("    expect: {%s}", strings.Join(expected(is.want), ", "))
	})
}

func expected(w lifecycle.Want) []string {
	rules := make([]string, len(w.Rules))
	for i, r := range w.Rules {
		rules[i] = quote(r)
	}
	all := []string{"rules: [" + strings.Join(rules, ", ") + "]"}
	if w.BaseRole != "" {
		all = append(all, "base_role: "+string(w.BaseRole))
	}
	teams := make([]string, len(w.Teams))
	for i, m := range w.Teams {
		teams[i] = fmt.Sprintf("{team: %s, role: %s}", quote(m.Team.Name), m.Role)
	}
	return append(all, "teams: ["+strings.Join(teams, ", ")+"]")
}

// page is YAML while it is written.
type page struct{ strings.Builder }

func (t *page) line(format string, args ...any) { fmt.Fprintf(t, format+"\n", args...) }

// part begins a part of the file with what it is about.
func (t *page) part(about ...string) {
	t.line("")
	for _, a := range about {
		t.comment(a)
	}
}

const commentWidth = 110

func (t *page) comment(text string) { t.commentAt("", text) }

// commentAt writes a comment, folded. Text from outside cannot end it.
func (t *page) commentAt(indent, text string) {
	line := ""
	for word := range strings.FieldsSeq(cleaned(text)) {
		if line != "" && len(line)+len(word) > commentWidth {
			t.line("%s#%s", indent, line)
			line = ""
		}
		line += " " + word
	}
	t.line("%s#%s", indent, line)
}

// list writes the items of a list, or that it is empty.
func (t *page) list(key string, n int, item func(i int)) {
	if n == 0 {
		t.line("%s: []", key)
		return
	}
	t.line("%s:", key)
	for i := range n {
		item(i)
	}
}

const inOneLine = 100

// strings writes a list of text: in one line when that can be read, else one a line.
func (t *page) strings(indent, key string, values []string) {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quote(v)
	}
	if line := fmt.Sprintf("%s%s: [%s]", indent, key, strings.Join(quoted, ", ")); len(line) <= inOneLine {
		t.line("%s", line)
		return
	}
	t.line("%s%s:", indent, key)
	for _, q := range quoted {
		t.line("%s  - %s", indent, q)
	}
}

// bare is text that YAML reads as itself without quotes, in a list of any style.
var bare = regexp.MustCompile(`^[\pL][\pL\pN ._/+@()-]*[\pL\pN)]$`)

// quote returns the text as YAML reads it back: JSON's strings are YAML's.
func quote(s string) string {
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off":
	default:
		if bare.MatchString(s) {
			return s
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""` // which the reader refuses; a string can always be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// sayable reports whether the text can be written into a policy and read back as it is.
func sayable(s string) bool {
	return s != "" && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool { return hidden(r) || r == '\t' || r == unicode.ReplacementChar })
}

// expressible reports whether a pattern can stand for the text and no other.
func expressible(s string) bool { return sayable(s) && !strings.Contains(s, "*") }

// cleaned is text of one line without what cannot be seen for what it is.
func cleaned(s string) string {
	s = strings.Map(func(r rune) rune {
		if hidden(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// slugged returns the name as part of a rule's name, or the other where nothing is left.
func slugged(name, other string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return strings.ToLower(other)
	}
	return strings.Join(words, "-")
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
