package policy

import (
	"slices"
	"strings"
	"time"

	"rolecall/lifecycle"
)

// standing is what applies where the file says nothing.
func standing() lifecycle.Policy {
	return lifecycle.Policy{
		Defaults: lifecycle.Defaults{
			Approval: lifecycle.Approval{
				Mode: lifecycle.ApprovalQuorum, N: 1, From: []lifecycle.ApproverSource{lifecycle.FromTeamOwners},
				RemindAfter: 4 * time.Hour, EscalateAfter: 24 * time.Hour, ExpireAfter: 72 * time.Hour,
				OnExpiry: lifecycle.SilenceDeny,
			},
			Hold: 10 * time.Minute,
		},
		Reserve: 365 * 24 * time.Hour,
		Breaker: lifecycle.Breaker{Removals: 5, Percent: 2, Window: 24 * time.Hour, Gather: 5 * time.Minute, Movers: 10, MoversPercent: 10},
		Leaver:  lifecycle.LeaverPolicy{DeleteAfter: 336 * time.Hour},
	}
}

// read reads the whole file. The order matters: rules name teams, take over
// defaults and are held against ceilings and segregations, tests name rules.
func (d *document) read(root value) {
	d.policy = standing()
	d.claims, d.teams, d.rules = map[claimKey]claim{}, map[string]string{}, map[string]int{}
	root.object([]field{
		{"version", "The version of this format.", d.version},
		{"defaults", "What applies where a rule says nothing.", d.defaults},
		{"domains", "Whose e-mail addresses may decide.", d.domains},
		{"security", "Who is asked when nobody nearer can decide, and told of trouble.", d.security},
		{"protected", "Addresses that are never changed, such as a break-glass account.", func(v value) { d.policy.Protected = v.addresses() }},
		{"shared", "Addresses that are nobody's, as patterns: no person is matched to such an account, and it is no orphan.", d.sharedAddresses},
		{"sources", "Whose word counts where sources of truth disagree, the first before the others.", d.sources},
		{"reserve", "How long an address that somebody gave up is nobody else's. Without it 8760h, a year.", func(v value) { d.policy.Reserve = v.duration() }},
		{"breaker", "How many people may lose access at once before two people are asked.", d.breaker},
		{"teams", "The PagerDuty teams that this policy speaks of.", func(v value) { v.list(d.team) }},
		{"ceilings", "The most that people of one employment may hold, whatever rules grant.", d.ceilings},
		{"segregation", "What nobody may hold together.", func(v value) { v.list(d.segregation) }},
		{"exceptions", "Who may hold more than rules grant, and until when. An exception grants nothing by itself.", func(v value) { v.list(d.exception) }},
		{"rules", "Who should hold what, for what they are.", func(v value) { v.list(d.rule) }},
		{"leaver", "How somebody who left is taken out.", d.leaver},
		{"credentials", "The keys that are governed, and who answers for them.", func(v value) { v.list(d.credential) }},
		{"tests", "What this policy is expected to say of somebody.", func(v value) { v.list(d.test) }},
	}, "version", "domains", "security")
	d.coversNobody()
}

func (d *document) version(v value) {
	s := v.text()
	sketchChoice[any](v, 1, "1")
	if s != "" && s != "1" {
		v.wrong("version %q is not known; this program reads version 1", clip(s))
	}
}

func (d *document) defaults(v value) {
	def := &d.policy.Defaults
	v.object([]field{
		{"unmatched", "What becomes of whom no rule speaks: they are given nothing, and keep what is ordinary.", func(v value) { choose(v, "hold") }},
		{"approval", "How a change is asked for.", func(v value) { def.Approval = v.approval(def.Approval) }},
		{"privileged", "How what gives power over the whole account is asked for, at least. Without it, of one of Security.", func(v value) { def.Privileged = d.ofPower(v, def.Approval) }},
		{"hold", "How long an approved destructive or privileged change waits. Without it 10m.", func(v value) { def.Hold = v.duration() }},
		{"hours", "When people work: an approval is waited for only then. Without it, all hours count.", func(v value) { def.Hours = v.hours() }},
		{"requests", "What people may ask for themselves, for a time.", func(v value) { def.Ask = v.requests() }},
	})
}

func (v value) requests() lifecycle.AskPolicy {
	var a lifecycle.AskPolicy
	v.object([]field{
		{"off", "true: nobody may ask for themselves.", func(v value) { a.Off = v.boolean() }},
		{"longest", "How long what is asked for may last. Without it 720h.", func(v value) { a.Longest = v.positive() }},
	})
	return a
}

func (d *document) domains(v value) {
	v.oneOrMore(func(v value) {
		s := strings.ToLower(v.name())
		v.shape.set("pattern", aDomain)
		switch {
		case s == "":
		case strings.HasPrefix(s, "@"):
			v.wrong("a domain is written without the @ (did you mean %q?)", strings.TrimPrefix(s, "@"))
		case !isDomain(s):
			v.wrong("%q is not a domain such as acme.test", clip(s))
		case slices.Contains(d.policy.Domains, s):
			v.wrong("%s is named twice", s)
		default:
			d.policy.Domains = append(d.policy.Domains, s)
		}
	})
}

func (d *document) security(v value) {
	s := &d.policy.Security
	v.object([]field{
		{"channel", "The id of the Slack channel that is told.", func(v value) { s.Channel = v.slackID("channel", "CG") }},
		{"members", "The addresses of those who decide, whether Slack answers or not.", func(v value) { s.Members = d.keepers(v) }},
		{"group", "The id of the Slack user group whose members decide too.", func(v value) { s.Group = lifecycle.GroupID(v.slackID("user group", "S")) }},
	}, "channel", "members")
	d.outnumbered()
}

// keepers returns the members of Security who are named themselves. There is at
// least one, so that somebody can decide while Slack does not say who is in a group.
func (d *document) keepers(v value) []string {
	if v.emptyList() {
		v.wrong("names nobody; name at least one, who can decide while Slack does not say who is in a group")
		return nil
	}
	return d.deciders(v)
}

func (d *document) breaker(v value) {
	b := &d.policy.Breaker
	v.object([]field{
		{"removals", "How many removals in the window are ordinary, at least. Without it 5.", func(v value) { b.Removals = v.whole(0) }},
		{"percent", "The same, of the people with a linked account; the larger counts. Without it 2.", func(v value) { b.Percent = v.percent() }},
		{"window", "The time in which they are counted. Without it 24h.", func(v value) { b.Window = v.positive() }},
		{"gather", "How long removals that come many at once are waited for before they are judged together. Without it 5m.", func(v value) { b.Gather = v.duration() }},
		{"movers", "How many people may change department in the window, at least. Without it 10.", func(v value) { b.Movers = v.whole(0) }},
		{"movers_percent", "The same, of the people with a linked account. Without it 10.", func(v value) { b.MoversPercent = v.percent() }},
	})
}

func (d *document) leaver(v value) {
	l := &d.policy.Leaver
	v.object([]field{
		{"contain", "auto steps a leaver down at once, reversibly; ask asks first.", func(v value) { l.AskToContain = choose(v, "auto", "ask") == "ask" }},
		{"delete_after", "When the deletion of the account is asked for, counted from the notice. Without it 336h.", func(v value) { l.DeleteAfter = v.duration() }},
	})
}

func (d *document) credential(v value) {
	var c lifecycle.Credential
	v.object([]field{
		{"name", "What it is called here.", func(v value) { c.Name = v.name() }},
		{"purpose", "What it is for.", func(v value) { c.Purpose = v.text() }},
		{"kind", "What kind of key it is.", func(v value) { c.Kind = v.name() }},
		{"owner", "Who answers for it.", func(v value) { c.Owner = d.decider(v) }},
		{"revoker", "Who can stop it.", func(v value) { c.Revoker = d.decider(v) }},
		{"rotate_every", "How often it is renewed.", func(v value) { c.RotateEvery = v.positive() }},
		{"scopes", "What it may do.", func(v value) { v.list(func(v value) { c.Scopes = append(c.Scopes, v.name()) }) }},
	}, "name", "purpose", "owner", "revoker", "rotate_every")
	known := func(have lifecycle.Credential) bool { return have.Name == c.Name }
	if c.Name != "" && slices.ContainsFunc(d.policy.Credentials, known) {
		v.wrong("another credential has the name %q", clip(c.Name))
	}
	d.policy.Credentials = append(d.policy.Credentials, c)
}
