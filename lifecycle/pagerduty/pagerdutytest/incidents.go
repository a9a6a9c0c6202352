package pagerdutytest

import (
	"fmt"
	"net/http"
	"slices"
)

const maxIncidentsPerPut = 250

func listIncidents(c *call) reply {
	statuses, bad := oneOf(c, "statuses[]", "triggered", "acknowledged", "resolved")
	if bad != nil {
		return *bad
	}
	urgencies, bad := oneOf(c, "urgencies[]", "high", "low")
	if bad != nil {
		return *bad
	}
	if _, bad := includes(c, "acknowledgers", "agents", "assignees", "conference_bridge", "escalation_policies",
		"first_trigger_log_entries", "priorities", "services", "teams", "users"); bad != nil {
		return *bad
	}
	over, bad := c.span(c.at.AddDate(0, 0, -30), c.at)
	if bad != nil {
		return *bad
	}
	q := c.r.URL.Query()
	all := c.incidents.find(func(i *Incident) bool {
		within := q.Get("date_range") == "all" || (!i.CreatedAt.Before(over.from) && !i.CreatedAt.After(over.to))
		return within && anyOf(statuses, func(s string) bool { return s == i.Status }) &&
			anyOf(urgencies, func(u string) bool { return u == i.Urgency }) &&
			anyOf(q["user_ids[]"], func(u string) bool { return slices.Contains(i.AssigneeIDs, u) }) &&
			anyOf(q["team_ids[]"], func(t string) bool { return slices.Contains(i.TeamIDs, t) }) &&
			anyOf(q["service_ids[]"], func(s string) bool { return s == i.ServiceID })
	})
	return list(c, "incidents", all, c.drawIncident)
}

func (c *call) drawIncident(i *Incident) obj {
	o := c.head("incident", i.ID, fmt.Sprintf("[#%d] %s", i.Number, i.Title))
	o["incident_number"], o["title"], o["status"], o["urgency"] = i.Number, i.Title, i.Status, i.Urgency
	o["incident_key"] = "key-" + i.ID
	o["created_at"], o["updated_at"], o["last_status_change_at"] = stamp(i.CreatedAt), stamp(i.UpdatedAt), stamp(i.UpdatedAt)
	o["service"], o["escalation_policy"] = c.serviceRef(i.ServiceID), c.policyRef(i.EscalationPolicyID)
	o["assignments"] = each(i.AssigneeIDs, func(id string) obj {
		return obj{"at": stamp(i.UpdatedAt), "assignee": c.userRef(id)}
	})
	o["assigned_via"] = "escalation_policy"
	o["acknowledgements"], o["pending_actions"] = []obj{}, []obj{}
	o["teams"] = each(i.TeamIDs, c.teamRef)
	return o
}

type incidentPatch struct {
	ID          string  `json:"id"`
	Type        string  `json:"type"`
	Status      *string `json:"status"`
	Title       *string `json:"title"`
	Urgency     *string `json:"urgency"`
	Level       *int    `json:"escalation_level"`
	Assignments *[]struct {
		Assignee struct {
			ID string `json:"id"`
		} `json:"assignee"`
	} `json:"assignments"`
	Policy *struct {
		ID string `json:"id"`
	} `json:"escalation_policy"`
}

// updateIncidents changes all that the body names, or none of them.
func updateIncidents(c *call) reply {
	if _, bad := c.from(); bad != nil {
		return *bad
	}
	var body struct {
		Incidents []incidentPatch `json:"incidents"`
	}
	if bad := c.decode(&body); bad != nil {
		return *bad
	}
	switch n := len(body.Incidents); {
	case n == 0:
		return invalid("Incidents can't be blank")
	case n > maxIncidentsPerPut:
		return refuse(http.StatusRequestEntityTooLarge, 2001, "Request Entity Too Large")
	}
	var changed []Incident
	for _, p := range body.Incidents {
		is, bad := c.patchIncident(p)
		if bad != nil {
			return *bad
		}
		changed = append(changed, is)
	}
	for _, is := range changed {
		c.incidents.put(is.ID, is)
	}
	c.bump()
	return list(c, "incidents", changed, func(i Incident) obj { return c.drawIncident(&i) })
}

func (c *call) patchIncident(p incidentPatch) (Incident, *reply) {
	was := c.incidents.get(p.ID)
	if was == nil {
		return Incident{}, new(notFound())
	}
	is := was.clone()
	is.UpdatedAt = c.at
	if bad := p.check(is); bad != nil {
		return is, bad
	}
	assign(&is.Status, p.Status)
	assign(&is.Title, p.Title)
	assign(&is.Urgency, p.Urgency)
	if p.Assignments != nil {
		is.AssigneeIDs = nil
		for _, a := range *p.Assignments {
			if c.live(a.Assignee.ID) == nil {
				return is, new(invalid("Assignee " + a.Assignee.ID + " does not exist"))
			}
			is.AssigneeIDs = append(is.AssigneeIDs, a.Assignee.ID)
		}
	}
	if p.Policy != nil {
		to := c.policies.get(p.Policy.ID)
		if to == nil {
			return is, new(invalid("Escalation policy " + p.Policy.ID + " does not exist"))
		}
		is.EscalationPolicyID = to.ID
		is.AssigneeIDs = c.calledFirst(to)
	}
	if !is.open() {
		is.AssigneeIDs = nil
	}
	return is, nil
}

func (p incidentPatch) check(is Incident) *reply {
	switch {
	case p.Type != "incident" && p.Type != "incident_reference":
		return new(invalid("Type must be incident or incident_reference"))
	case p.Assignments != nil && p.Policy != nil:
		return new(invalid("Assignments and escalation policy cannot both be given"))
	case p.Assignments != nil && len(*p.Assignments) == 0:
		return new(invalid("Assignments can't be blank"))
	case p.Status != nil && !slices.Contains([]string{"triggered", "acknowledged", "resolved"}, *p.Status):
		return new(invalid("Status must be a list of triggered, acknowledged, or resolved."))
	case !is.open():
		return new(invalid("Incident Already Resolved"))
	}
	return nil
}

// calledFirst returns whom the first level of a policy calls now.
func (a *Account) calledFirst(p *EscalationPolicy) []string {
	var out []string
	if len(p.Rules) == 0 {
		return out
	}
	for _, t := range p.Rules[0].Targets {
		id := t.ID
		if s := a.schedules.get(t.ID); s != nil {
			id = onCall(s.Layers, a.now())
		}
		if a.live(id) != nil {
			out = append(out, id)
		}
	}
	return out
}
