package pagerdutytest

import (
	"fmt"
	"net/http"
	"slices"
)

const maxIncidentsPerPut = 250

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
	from, bad := c.from()
	if bad != nil {
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
		was := c.incidents.get(p.ID)
		if was == nil {
			return invalid("Incident " + p.ID + " does not exist") // the document lists no 404 here
		}
		is, bad := c.patchIncident(*was, p, from)
		if bad != nil {
			return *bad
		}
		changed = append(changed, is)
	}
	c.keepIncidents(changed...)
	return list(c, "incidents", changed, func(i Incident) obj { return c.drawIncident(&i) })
}

func updateIncident(c *call) reply {
	from, bad := c.from()
	if bad != nil {
		return *bad
	}
	was := c.incident(c.r.PathValue("id"))
	if was == nil {
		return notFound()
	}
	var body struct {
		Incident *incidentPatch `json:"incident"`
	}
	if bad := c.decode(&body); bad != nil {
		return *bad
	}
	if body.Incident == nil {
		return invalid("The incident object is missing")
	}
	is, bad := c.patchIncident(*was, *body.Incident, from)
	if bad != nil {
		return *bad
	}
	c.keepIncidents(is)
	return ok(obj{"incident": c.drawIncident(&is)})
}

func (a *Account) keepIncidents(all ...Incident) {
	for _, i := range all {
		a.incidents.put(i.ID, i)
	}
	a.bump()
}

// patchIncident returns the incident as it will be, or the refusal.
func (c *call) patchIncident(was Incident, p incidentPatch, from *User) (Incident, *reply) {
	is := was.clone()
	is.UpdatedAt = c.at
	if bad := p.check(is); bad != nil {
		return is, bad
	}
	reopened := !was.open()
	assign(&is.Status, p.Status)
	assign(&is.Title, p.Title)
	assign(&is.Urgency, p.Urgency)
	switch {
	case !is.open():
		is.AssigneeIDs, is.ResolvedAt = nil, c.at
		return is, nil
	case reopened && is.Status == "acknowledged":
		is.AssigneeIDs, is.Direct = []string{from.ID}, true
		return is, nil
	}
	is.ResolvedAt = was.ResolvedAt
	return c.reassign(is, p, reopened)
}

// reassign gives an open incident to whom the body names, to the level it names, to another policy, or, when the incident
// was reopened and the body names nobody, to its own.
func (c *call) reassign(is Incident, p incidentPatch, reopened bool) (Incident, *reply) {
	if p.Assignments != nil {
		is.AssigneeIDs, is.Direct = nil, true
		for _, a := range *p.Assignments {
			if c.live(a.Assignee.ID) == nil {
				return is, new(invalid("Assignee " + a.Assignee.ID + " does not exist"))
			}
			is.AssigneeIDs = append(is.AssigneeIDs, a.Assignee.ID)
		}
		return is, nil
	}
	if p.Policy != nil {
		if !c.policies.has(p.Policy.ID) {
			return is, new(invalid("Escalation policy " + p.Policy.ID + " does not exist"))
		}
		is.EscalationPolicyID = p.Policy.ID
	}
	level := 1
	assign(&level, p.Level)
	policy := c.policies.get(is.EscalationPolicyID)
	if policy == nil || (p.Policy == nil && p.Level == nil && !reopened) {
		return is, nil
	}
	if level < 1 || level > len(policy.Rules) {
		return is, new(invalid(fmt.Sprintf("Escalation level must be between 1 and %d", len(policy.Rules))))
	}
	is.AssigneeIDs, is.Direct = c.calledAt(policy, level), false
	return is, nil
}

// check refuses what cannot be. A resolved incident can be reopened and nothing else. The words are the fake's, except
// those about statuses and about what is resolved, which users quote.
func (p incidentPatch) check(is Incident) *reply {
	switch {
	case p.Type != "incident" && p.Type != "incident_reference":
		return new(invalid("Type must be incident or incident_reference"))
	case p.Assignments != nil && (p.Policy != nil || p.Level != nil):
		return new(invalid("Assignments cannot be given with an escalation policy or level"))
	case p.Assignments != nil && len(*p.Assignments) == 0:
		return new(invalid("Assignments can't be blank"))
	case p.Status != nil && !slices.Contains([]string{"triggered", "acknowledged", "resolved"}, *p.Status):
		return new(invalid("Status must be a list of triggered, acknowledged, or resolved."))
	case p.Urgency != nil && *p.Urgency != "high" && *p.Urgency != "low":
		return new(invalid("Urgency must be high or low"))
	case !is.open() && (p.Status == nil || *p.Status == "resolved"):
		return new(invalid("Incident Already Resolved"))
	}
	return nil
}

// ResolveIncident ends an incident, as somebody does in the web app or a monitor by an event. It panics when there is none.
func (a *Account) ResolveIncident(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.incidents.get(id)
	a.must(was != nil, "resolve incident: no incident %q", id)
	is := was.clone()
	is.Status, is.AssigneeIDs, is.UpdatedAt, is.ResolvedAt = "resolved", nil, a.now(), a.now()
	a.keepIncidents(is)
}
