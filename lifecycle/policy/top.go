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
		Breaker: lifecycle.Breaker{Removals: 5, Percent: 2, Window: 24 * time.Hour},
		Leaver:  lifecycle.LeaverPolicy{DeleteAfter: 336 * time.Hour},
	}
}

// read reads the whole file. The order matters: rules name teams and take over
// defaults, tests name rules.
func (d *document) read(root value) {
	d.policy = standing()
	d.claims = map[claimKey]claim{}
	root.object([]field{
		{"version", d.version},
		{"defaults", d.defaults},
		{"domains", d.domains},
		{"security", d.security},
		{"protected", func(v value) { d.policy.Protected = v.addresses() }},
		{"breaker", d.breaker},
		{"teams", func(v value) { v.list(d.team) }},
		{"rules", func(v value) { v.list(d.rule) }},
		{"leaver", d.leaver},
		{"credentials", func(v value) { v.list(d.credential) }},
		{"tests", func(v value) { v.list(d.test) }},
	}, "version", "domains", "security")
}

func (d *document) version(v value) {
	if s := v.text(); s != "" && s != "1" {
		v.wrong("version %q is not known; this program reads version 1", clip(s))
	}
}

func (d *document) defaults(v value) {
	def := &d.policy.Defaults
	v.object([]field{
		{"unmatched", func(v value) { choose(v, "hold") }},
		{"approval", func(v value) { def.Approval = v.approval(def.Approval) }},
		{"hold", func(v value) { def.Hold = v.duration() }},
	})
}

// approval returns base with what is written here in its place.
func (v value) approval(base lifecycle.Approval) lifecycle.Approval {
	a, count := base, v
	v.object([]field{
		{"mode", func(v value) {
			a.Mode = choose(v, lifecycle.ApprovalAuto, lifecycle.ApprovalQuorum, lifecycle.ApprovalDeny)
		}},
		{"n", func(v value) { a.N, count = v.whole(0), v }},
		{"from", func(v value) { a.From = v.sources() }},
		{"not_self", v.notSelf},
		{"remind_after", func(v value) { a.RemindAfter = v.duration() }},
		{"escalate_after", func(v value) { a.EscalateAfter = v.duration() }},
		{"expire_after", func(v value) { a.ExpireAfter = v.duration() }},
		{"on_expiry", func(v value) {
			a.OnExpiry = choose(v, lifecycle.SilenceDeny, lifecycle.SilenceKeep, lifecycle.SilenceRevoke, lifecycle.SilenceEscalate)
		}},
	})
	if a.Mode == lifecycle.ApprovalQuorum && a.N < 1 {
		count.wrong("a quorum needs n of at least 1")
	}
	return a
}

func (v value) sources() []lifecycle.ApproverSource {
	var from []lifecycle.ApproverSource
	v.oneOrMore(func(v value) {
		s := choose(v, lifecycle.FromTeamOwners, lifecycle.FromSecurity)
		if s != "" && slices.Contains(from, s) {
			v.wrong("%s is named twice", s)
			return
		}
		from = append(from, s)
	})
	return from
}

// notSelf accepts saying what always holds, and nothing else.
func (value) notSelf(v value) {
	if s := v.text(); s != "" && s != "true" {
		v.wrong("must be true or left out: no one decides on their own access")
	}
}

func (d *document) domains(v value) {
	v.oneOrMore(func(v value) {
		s := strings.ToLower(v.name())
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
		{"channel", func(v value) { s.Channel = v.slackID("channel", "CG") }},
		{"members", func(v value) { s.Members = d.deciders(v) }},
	}, "channel", "members")
}

func (d *document) breaker(v value) {
	b := &d.policy.Breaker
	v.object([]field{
		{"removals", func(v value) { b.Removals = v.whole(0) }},
		{"percent", func(v value) { b.Percent = v.percent() }},
		{"window", func(v value) { b.Window = v.positive() }},
	})
}

func (d *document) leaver(v value) {
	l := &d.policy.Leaver
	v.object([]field{
		{"contain", func(v value) { l.AskToContain = choose(v, "auto", "ask") == "ask" }},
		{"delete_after", func(v value) { l.DeleteAfter = v.duration() }},
	})
}

func (d *document) team(v value) {
	var t lifecycle.TeamPolicy
	var id string
	v.object([]field{
		{"name", func(v value) { t.Name = d.newTeam(v, "name") }},
		{"pagerduty", func(v value) { id = d.newTeam(v, "PagerDuty id") }},
		{"owners", func(v value) { t.Owners = d.owners(v) }},
		{"channel", func(v value) { t.Channel = v.slackID("channel", "CG") }},
	}, "name", "owners")
	t.ID = lifecycle.TeamID(id)
	d.policy.Teams = append(d.policy.Teams, t)
}

// newTeam returns a name or id that no team before goes by: rules may name a
// team by either.
func (d *document) newTeam(v value, what string) string {
	s := v.name()
	if _, taken := d.policy.Team(s); s != "" && taken {
		v.wrong("another team has the %s %q; rules could not tell the two apart", what, clip(s))
		return ""
	}
	return s
}

func (d *document) owners(v value) []string {
	if v.emptyList() {
		v.wrong("names nobody; a team needs at least one owner")
		return nil
	}
	return d.deciders(v)
}

func (d *document) credential(v value) {
	var c lifecycle.Credential
	v.object([]field{
		{"name", func(v value) { c.Name = v.name() }},
		{"purpose", func(v value) { c.Purpose = v.text() }},
		{"kind", func(v value) { c.Kind = v.name() }},
		{"owner", func(v value) { c.Owner = d.decider(v) }},
		{"revoker", func(v value) { c.Revoker = d.decider(v) }},
		{"rotate_every", func(v value) { c.RotateEvery = v.positive() }},
		{"scopes", func(v value) { v.list(func(v value) { c.Scopes = append(c.Scopes, v.name()) }) }},
	}, "name", "purpose", "owner", "revoker", "rotate_every")
	known := func(have lifecycle.Credential) bool { return have.Name == c.Name }
	if c.Name != "" && slices.ContainsFunc(d.policy.Credentials, known) {
		v.wrong("another credential has the name %q", clip(c.Name))
	}
	d.policy.Credentials = append(d.policy.Credentials, c)
}
