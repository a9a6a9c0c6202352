package pagerdutytest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func listIncidents(c *call) reply {
	match, bad := c.incidentFilter()
	if bad != nil {
		return *bad
	}
	all := c.incidents.find(match)
	if bad := sortIncidents(all, c.r.URL.Query().Get("sort_by")); bad != nil {
		return *bad
	}
	return list(c, "incidents", all, c.drawIncident)
}

// incidentFilter reads what a listing is narrowed to. Who is asked for by user_ids[] has open incidents only: what is
// resolved is nobody's.
func (c *call) incidentFilter() (func(*Incident) bool, *reply) {
	statuses, bad := oneOf(c, "statuses[]", "triggered", "acknowledged", "resolved")
	if bad != nil {
		return nil, bad
	}
	urgencies, bad := oneOf(c, "urgencies[]", "high", "low")
	if bad != nil {
		return nil, bad
	}
	if bad := c.checkIncidentQuery(len(urgencies) > 0); bad != nil {
		return nil, bad
	}
	over, bad := c.span(c.at.AddDate(0, -1, 0), c.at)
	if bad != nil {
		return nil, bad
	}
	q := c.r.URL.Query()
	always := q.Get("date_range") == "all"
	if !always && over.to.After(over.from.AddDate(0, 6, 0)) {
		return nil, new(invalid("The date range must not be longer than 6 months"))
	}
	return func(i *Incident) bool {
		return (always || (!i.CreatedAt.Before(over.from) && !i.CreatedAt.After(over.to))) &&
			anyOf(statuses, func(s string) bool { return s == i.Status }) &&
			anyOf(urgencies, func(u string) bool { return u == i.Urgency }) &&
			anyOf(q["user_ids[]"], func(u string) bool { return slices.Contains(i.AssigneeIDs, u) }) &&
			anyOf(q["team_ids[]"], func(t string) bool { return slices.Contains(i.TeamIDs, t) }) &&
			anyOf(q["service_ids[]"], func(s string) bool { return s == i.ServiceID }) &&
			asked(q, "incident_key", i.key())
	}, nil
}

// checkIncidentQuery refuses includes and date ranges that are none, and filters that the plan lacks.
func (c *call) checkIncidentQuery(byUrgency bool) *reply {
	q := c.r.URL.Query()
	_, bad := includes(c, "acknowledgers", "agents", "assignees", "conference_bridge", "escalation_policies",
		"first_trigger_log_entries", "priorities", "services", "teams", "users")
	switch {
	case bad != nil:
		return bad
	case q.Get("date_range") != "" && q.Get("date_range") != "all":
		return new(invalid("date_range must be all"))
	case len(q["team_ids[]"]) > 0 && !c.can(AbilityTeams):
		return new(needsAbility("The teams account ability is required to filter by team"))
	case byUrgency && !c.can(AbilityUrgencies):
		return new(needsAbility("The urgencies account ability is required to filter by urgency"))
	}
	return nil
}

// sortIncidents orders by up to two fields, such as "urgency:asc,created_at:desc".
func sortIncidents(all []*Incident, by string) *reply {
	if by == "" {
		return nil
	}
	fields := strings.Split(by, ",")
	if len(fields) > 2 {
		return new(invalid("sort_by takes at most two fields"))
	}
	for _, f := range slices.Backward(fields) { // the first field is the last to sort by
		name, order, _ := strings.Cut(f, ":")
		compare := incidentOrder(name)
		if compare == nil || (order != "" && order != "asc" && order != "desc") {
			return new(invalid("sort_by " + f + " is none of incident_number, created_at, resolved_at, urgency, with :asc or :desc"))
		}
		slices.SortStableFunc(all, func(x, y *Incident) int {
			if order == "desc" {
				x, y = y, x
			}
			return compare(x, y)
		})
	}
	return nil
}

func incidentOrder(field string) func(x, y *Incident) int {
	switch field {
	case "incident_number":
		return func(x, y *Incident) int { return cmp.Compare(x.Number, y.Number) }
	case "created_at":
		return func(x, y *Incident) int { return x.CreatedAt.Compare(y.CreatedAt) }
	case "resolved_at":
		return func(x, y *Incident) int { return x.resolvedAt().Compare(y.resolvedAt()) }
	case "urgency":
		return func(x, y *Incident) int { return -cmp.Compare(x.Urgency, y.Urgency) } // low before high
	default:
		return nil
	}
}

// getIncident finds an incident by its id or its number.
func getIncident(c *call) reply {
	if _, bad := includes(c, "acknowledgers", "agents", "assignees", "conference_bridge", "custom_fields", "escalation_policies",
		"first_trigger_log_entries", "priorities", "services", "teams", "users"); bad != nil {
		return *bad
	}
	i := c.incident(c.r.PathValue("id"))
	if i == nil {
		return notFound()
	}
	return ok(obj{"incident": c.drawIncident(i)})
}

func (a *Account) incident(idOrNumber string) *Incident {
	if i := a.incidents.get(idOrNumber); i != nil {
		return i
	}
	for _, i := range a.incidents.all() {
		if strconv.Itoa(i.Number) == idOrNumber {
			return i
		}
	}
	return nil
}

func (c *call) drawIncident(i *Incident) obj {
	o := c.head("incident", i.ID, fmt.Sprintf("[#%d] %s", i.Number, i.Title))
	o["incident_number"], o["title"], o["status"], o["urgency"] = i.Number, i.Title, i.Status, i.Urgency
	o["incident_key"] = i.key()
	o["created_at"], o["updated_at"], o["last_status_change_at"] = stamp(i.CreatedAt), stamp(i.UpdatedAt), stamp(i.UpdatedAt)
	o["service"], o["escalation_policy"] = c.serviceRef(i.ServiceID), c.policyRef(i.EscalationPolicyID)
	o["assignments"] = each(i.AssigneeIDs, func(id string) obj {
		return obj{"at": stamp(i.UpdatedAt), "assignee": c.userRef(id)}
	})
	o["assigned_via"] = "escalation_policy"
	if i.Direct {
		o["assigned_via"] = "direct_assignment"
	}
	if at := i.resolvedAt(); !at.IsZero() {
		o["resolved_at"] = stamp(at)
	}
	o["acknowledgements"], o["pending_actions"] = []obj{}, []obj{}
	o["teams"] = each(i.TeamIDs, c.teamRef)
	return o
}

// calledFirst returns whom the first level of a policy calls now.
func (a *Account) calledFirst(p *EscalationPolicy) []string { return a.calledAt(p, 1) }

// calledAt returns whom a level of a policy, counted from 1, calls now.
func (a *Account) calledAt(p *EscalationPolicy, level int) []string {
	var out []string
	if level > len(p.Rules) {
		return out
	}
	for _, t := range p.Rules[level-1].Targets {
		for _, id := range a.calledBy(t, a.now()) {
			if a.live(id) != nil {
				out = append(out, id)
			}
		}
	}
	return out
}
