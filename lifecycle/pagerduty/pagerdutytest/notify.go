package pagerdutytest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func ruleSummary(r NotificationRule) string {
	return fmt.Sprintf("%d minutes: channel %s", r.DelayMinutes, r.ContactMethodID)
}

func (r NotificationRule) ref() Ref {
	return Ref{ID: r.ID, Type: "assignment_notification_rule_reference", Summary: ruleSummary(r)}
}

func (a *Account) ruleRef(user string, r NotificationRule) obj {
	return obj{
		"id": r.ID, "type": "assignment_notification_rule_reference", "summary": ruleSummary(r),
		"self": apiBase + "/users/" + user + "/notification_rules/" + r.ID, "html_url": nil,
	}
}

func (a *Account) drawRule(user string, r NotificationRule) obj {
	o := a.ruleRef(user, r)
	o["type"], o["start_delay_in_minutes"], o["urgency"] = "assignment_notification_rule", r.DelayMinutes, r.Urgency
	if m, found := a.contact(user, r.ContactMethodID); found {
		o["contact_method"] = a.contactRef(user, m)
	}
	return o
}

func (a *Account) rule(user, id string) (NotificationRule, bool) {
	i := slices.IndexFunc(a.rules[user], func(r NotificationRule) bool { return r.ID == id })
	if i < 0 {
		return NotificationRule{}, false
	}
	return a.rules[user][i], true
}

func listNotificationRules(c *call) reply {
	id := c.r.PathValue("id")
	with, bad := includes(c, "contact_methods")
	if bad != nil {
		return *bad
	}
	if c.view.user(id) == nil {
		return notFound()
	}
	urgency := c.r.URL.Query().Get("urgency")
	rows := []obj{}
	for _, r := range c.rules[id] {
		if urgency == "" || urgency == "all" || urgency == r.Urgency {
			rows = append(rows, c.drawRuleWith(id, r, with))
		}
	}
	return ok(obj{"notification_rules": rows})
}

func (c *call) drawRuleWith(user string, r NotificationRule, with map[string]bool) obj {
	o := c.drawRule(user, r)
	if m, found := c.contact(user, r.ContactMethodID); with["contact_methods"] && found {
		o["contact_method"] = c.drawContact(user, m)
	}
	return o
}

func getNotificationRule(c *call) reply {
	user := c.r.PathValue("id")
	with, bad := includes(c, "contact_methods")
	if bad != nil {
		return *bad
	}
	r, found := c.rule(user, c.r.PathValue("notification_rule_id"))
	if c.view.user(user) == nil || !found {
		return notFound()
	}
	return ok(obj{"notification_rule": c.drawRuleWith(user, r, with)})
}

type notificationPatch struct {
	Type    string `json:"type"`
	Delay   *int   `json:"start_delay_in_minutes"`
	Urgency string `json:"urgency"`
	Method  struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	} `json:"contact_method"`
}

func createNotificationRule(c *call) reply {
	user := c.r.PathValue("id")
	if c.live(user) == nil {
		return notFound()
	}
	var body struct {
		Rule *notificationPatch `json:"notification_rule"`
	}
	if bad := c.decode(&body); bad != nil {
		return *bad
	}
	if body.Rule == nil {
		return invalid("The notification_rule object is missing")
	}
	if bad := c.checkNotification(user, *body.Rule); bad != nil {
		return *bad
	}
	r := NotificationRule{
		ID: c.newID(), ContactMethodID: body.Rule.Method.ID, Urgency: body.Rule.Urgency, DelayMinutes: *body.Rule.Delay,
	}
	c.addRule(c.author(), user, r)
	return reply{status: http.StatusCreated, body: obj{"notification_rule": c.drawRule(user, r)}}
}

// checkNotification refuses a rule that cannot be. The words for a duplicate are those that users of PagerDuty's Go library
// match on; the others are the fake's.
func (c *call) checkNotification(user string, p notificationPatch) *reply {
	m, found := c.contact(user, p.Method.ID)
	switch {
	case p.Type != "assignment_notification_rule":
		return new(invalid("Type must be assignment_notification_rule"))
	case p.Delay == nil || *p.Delay < 0:
		return new(invalid("Start delay in minutes must be 0 or more"))
	case p.Urgency != "high" && p.Urgency != "low":
		return new(invalid("Urgency must be high or low"))
	case p.Urgency == "low" && !c.can(AbilityUrgencies):
		return new(needsAbility("The urgencies account ability is required to have a low urgency notification rule"))
	case !found || strings.TrimSuffix(p.Method.Type, "_reference") != m.Type:
		return new(invalid("Contact method does not exist"))
	}
	if slices.ContainsFunc(c.rules[user], func(r NotificationRule) bool {
		return r.ContactMethodID == m.ID && r.Urgency == p.Urgency && r.DelayMinutes == *p.Delay
	}) {
		return new(invalid("Channel Start delay must be unique for a given contact method"))
	}
	return nil
}

func deleteNotificationRule(c *call) reply {
	user := c.r.PathValue("id")
	r, found := c.rule(user, c.r.PathValue("notification_rule_id"))
	if c.live(user) == nil || !found {
		return notFound()
	}
	c.dropRule(c.author(), user, r)
	return noContent()
}

func (a *Account) addRule(by author, user string, r NotificationRule) {
	a.rules[user] = append(a.rules[user], r)
	a.record(by, AuditRecord{
		Root: a.userAt(user), Action: "update", Resource: r.ref(),
		Fields:     []AuditField{{Name: "start_delay_in_minutes", Value: strconv.Itoa(r.DelayMinutes)}},
		References: []AuditReference{{Name: "contact_method", Added: a.contactsAt(user, r.ContactMethodID)}},
	})
	a.bump()
}

func (a *Account) dropRule(by author, user string, r NotificationRule) {
	a.rules[user] = slices.DeleteFunc(a.rules[user], func(x NotificationRule) bool { return x.ID == r.ID })
	a.record(by, AuditRecord{
		Root: a.userAt(user), Action: "update", Resource: r.ref(),
		Fields:     []AuditField{{Name: "start_delay_in_minutes", Before: strconv.Itoa(r.DelayMinutes)}},
		References: []AuditReference{{Name: "contact_method", Removed: a.contactsAt(user, r.ContactMethodID)}},
	})
	a.bump()
}

func (a *Account) contactsAt(user, id string) []Ref {
	if m, found := a.contact(user, id); found {
		return []Ref{m.ref()}
	}
	return nil
}

// NotificationRules returns when a user is reached, and how.
func (a *Account) NotificationRules(user string) []NotificationRule {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.rules[user])
}
