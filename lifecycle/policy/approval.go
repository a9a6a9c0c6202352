package policy

import (
	"slices"

	"rolecall/lifecycle"
)

// approval returns base with what is written here in its place.
func (v value) approval(base lifecycle.Approval) lifecycle.Approval {
	a, count := base, v
	v.object([]field{
		{"mode", "auto asks nobody, quorum asks n people, deny refuses.", func(v value) {
			a.Mode = choose(v, lifecycle.ApprovalAuto, lifecycle.ApprovalQuorum, lifecycle.ApprovalDeny)
		}},
		{"n", "How many different people have to approve.", func(v value) { a.N, count = v.whole(0), v }},
		{"from", "Where approvers come from.", func(v value) { a.From = v.approvers() }},
		{"not_self", "May be said, and always holds: no one decides on their own access.", v.notSelf},
		{"remind_after", "When those who have not decided are reminded; 0 is never.", func(v value) { a.RemindAfter = v.duration() }},
		{"escalate_after", "When security is asked too; 0 is never.", func(v value) { a.EscalateAfter = v.duration() }},
		{"expire_after", "When it is over; 0 is never.", func(v value) { a.ExpireAfter = v.duration() }},
		{"on_expiry", "What silence means then.", func(v value) {
			a.OnExpiry = choose(v, lifecycle.SilenceDeny, lifecycle.SilenceKeep, lifecycle.SilenceRevoke, lifecycle.SilenceEscalate)
		}},
	})
	if a.Mode == lifecycle.ApprovalQuorum && a.N < 1 {
		count.wrong("a quorum needs n of at least 1")
	}
	return a
}

func (v value) approvers() []lifecycle.ApproverSource {
	var from []lifecycle.ApproverSource
	v.oneOrMore(func(v value) {
		s := choose(v, lifecycle.FromTeamOwners, lifecycle.FromTeamManagers, lifecycle.FromManager, lifecycle.FromSecurity)
		if s != "" && slices.Contains(from, s) {
			v.wrong("%s is named twice", s)
			return
		}
		from = append(from, s)
	})
	v.shape.unique()
	return from
}

// notSelf accepts saying what always holds, and nothing else.
func (value) notSelf(v value) {
	s := v.text()
	sketchChoice[any](v, true, "true")
	if s != "" && s != "true" {
		v.wrong("must be true or left out: no one decides on their own access")
	}
}

// ofPower returns how what gives power over the whole account is asked for. It is
// Security's to give whatever is written, and never automatic.
func (d *document) ofPower(v value, base lifecycle.Approval) lifecycle.Approval {
	if base.Mode == lifecycle.ApprovalAuto {
		base.Mode = lifecycle.ApprovalQuorum
	}
	base.N, base.From = max(base.N, 1), []lifecycle.ApproverSource{lifecycle.FromSecurity}
	a := v.approval(base)
	if properties, ok := v.shape["properties"].(map[string]shape); ok {
		properties["mode"].set("enum", []lifecycle.ApprovalMode{lifecycle.ApprovalQuorum, lifecycle.ApprovalDeny})
	}
	if mode, ok := v.under("mode"); ok && a.Mode == lifecycle.ApprovalAuto {
		mode.wrong("power over the whole account is never given without asking; let the mode be quorum")
	}
	if from, ok := v.under("from"); ok && len(a.From) > 0 && !slices.Equal(a.From, base.From) {
		from.wrong("only security decides about power over the whole account; leave the key out, or write security alone")
	}
	if n, ok := v.under("n"); ok {
		d.quorum = n
	}
	return a
}

// outnumbered refuses a quorum of more people than Security has. How many are in a
// group is not known here.
func (d *document) outnumbered() {
	s, n := d.policy.Security, d.policy.Defaults.Privileged.N
	if d.quorum.node != nil && s.Group == "" && len(s.Members) > 0 && n > len(s.Members) {
		d.quorum.wrong("asks %d people to agree, and Security has %d; name more members, or a group", n, len(s.Members))
	}
}
