package policy

import (
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"rolecall/lifecycle"
)

func (d *document) team(v value) {
	var t lifecycle.TeamPolicy
	var id string
	var owners, notify, digest value
	v.object([]field{
		{"name", "Its exact name in PagerDuty; where pagerduty gives its id, what this policy calls it.", func(v value) { t.Name = d.newTeam(v, "name") }},
		{"pagerduty", "Its id in PagerDuty.", func(v value) { id = d.newTeam(v, "PagerDuty id") }},
		{"owners", "Those who decide on it: addresses, and ids of Slack user groups.", func(v value) { owners = v; t.Owners, t.Groups = d.owners(v) }},
		{"channel", "The id of the Slack channel where its requests are shown.", func(v value) { t.Channel = v.slackID("channel", "CG") }},
		{"notify", "The owners who are sent a copy of each card. Without it, all who are named by address.", func(v value) { t.Notify, notify = d.told(v), v }},
		{"digest", "true: the channel is sent what waits, day by day.", func(v value) { t.Digest, digest = v.boolean(), v }},
		{"timezone", "In which its working hours are, such as Europe/London.", func(v value) { t.Zone = v.zone() }},
	}, "name", "owners")
	d.tells(t, owners, notify, digest)
	t.ID = lifecycle.TeamID(id)
	for _, ref := range []string{t.Name, id} {
		if ref != "" {
			d.teams[ref] = t.Name
		}
	}
	d.policy.Teams = append(d.policy.Teams, t)
}

// newTeam returns a name or id that no team before goes by: rules may name a
// team by either.
func (d *document) newTeam(v value, what string) string {
	s := v.name()
	if _, taken := d.teams[s]; s != "" && taken {
		v.wrong("another team has the %s %q; rules could not tell the two apart", what, clip(s))
		return ""
	}
	return s
}

// owners returns the addresses and the user groups of those who decide on a team.
func (d *document) owners(v value) (people []string, groups []lifecycle.GroupID) {
	if v.emptyList() {
		v.wrong("names nobody; a team needs at least one owner")
		return nil, nil
	}
	for _, who := range v.people(d.owner) {
		if strings.Contains(who, "@") {
			people = append(people, who)
		} else {
			groups = append(groups, lifecycle.GroupID(who))
		}
	}
	return people, groups
}

// owner returns the address of a person, or the id of a user group of Slack.
func (d *document) owner(v value) string {
	if v.sketchEither(func(v value) { d.decider(v) }, func(v value) { v.slackID("user group", "S") }) {
		return ""
	}
	s := v.node.Value
	if v.node.Kind != yaml.ScalarNode || v.doc.refused[v.node] || strings.TrimSpace(s) == "" || strings.Contains(s, "@") {
		return d.decider(v)
	}
	if !isSlackID(s, "S") {
		v.wrong("%q is neither an e-mail address such as ana@acme.test nor the id of a Slack user group such as S0ABC123", clip(s))
		return ""
	}
	return s
}

// told returns the owners who are sent a copy of each card; none is said by an
// empty list, which is not nil.
func (d *document) told(v value) []string {
	if v.emptyList() {
		return []string{}
	}
	if v.sketchEither(func(v value) { d.decider(v) }, func(v value) { v.sketchList(func(v value) { d.decider(v) }, 0) }) {
		return nil
	}
	return d.deciders(v)
}

// tells refuses what would leave the owners untold. Of a group it is not known
// here who is in it.
func (d *document) tells(t lifecycle.TeamPolicy, owners, notify, digest value) {
	if notify.node != nil && len(t.Notify) == 0 && t.Channel == "" && notify.emptyList() {
		notify.wrong("tells nobody: without a channel, somebody must be sent the card")
	}
	for _, who := range t.Notify {
		if len(t.Groups) == 0 && len(t.Owners) > 0 && !slices.Contains(t.Owners, who) {
			notify.wrong("%s is not one of the owners%s", who, otherwise(didYouMean(who, t.Owners), "; there are "+strings.Join(t.Owners, ", ")))
		}
	}
	if len(t.Groups) > 0 && len(t.Owners)+len(t.Notify) == 0 && t.Channel == "" {
		owners.wrong("a group is asked in the team's channel, and there is none; name the channel, or an owner by address")
	}
	if t.Digest && t.Channel == "" {
		digest.wrong("a digest is posted to the team's channel, and there is none; name the channel")
	}
}

// zone returns the name of a time zone.
func (v value) zone() string {
	s := v.name()
	v.shape.set("pattern", aZone)
	if s == "" {
		return ""
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		v.wrong("%q is not a time zone such as Europe/London", clip(s))
		return ""
	}
	return s
}
