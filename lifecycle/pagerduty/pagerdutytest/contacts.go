package pagerdutytest

import (
	"net/http"
	"slices"
	"strings"
)

func contactTypes() []string {
	return []string{
		"email_contact_method", "phone_contact_method", "push_notification_contact_method", "sms_contact_method",
		"whatsapp_contact_method",
	}
}

func (m ContactMethod) dialled() bool {
	return slices.Contains([]string{"phone_contact_method", "sms_contact_method", "whatsapp_contact_method"}, m.Type)
}

func (m ContactMethod) ref() Ref { return Ref{ID: m.ID, Type: m.Type + "_reference", Summary: m.Label} }

func (a *Account) contactRef(user string, m ContactMethod) obj {
	return obj{
		"id": m.ID, "type": m.Type + "_reference", "summary": m.Label,
		"self": apiBase + "/users/" + user + "/contact_methods/" + m.ID, "html_url": nil,
	}
}

func (a *Account) drawContact(user string, m ContactMethod) obj {
	o := a.contactRef(user, m)
	o["type"], o["label"], o["address"] = m.Type, m.Label, m.Address
	switch {
	case m.Type == "email_contact_method":
		o["send_short_email"] = false
	case m.dialled():
		o["country_code"], o["enabled"], o["blacklisted"] = m.CountryCode, true, false
	default:
		o["device_type"], o["blacklisted"] = "ios", false
	}
	return o
}

func (a *Account) contact(user, id string) (ContactMethod, bool) {
	i := slices.IndexFunc(a.contacts[user], func(m ContactMethod) bool { return m.ID == id })
	if i < 0 {
		return ContactMethod{}, false
	}
	return a.contacts[user][i], true
}

func listContactMethods(c *call) reply {
	id := c.r.PathValue("id")
	if c.view.user(id) == nil {
		return notFound()
	}
	return ok(obj{"contact_methods": each(c.contacts[id], func(m ContactMethod) obj { return c.drawContact(id, m) })})
}

func getContactMethod(c *call) reply {
	user := c.r.PathValue("id")
	m, found := c.contact(user, c.r.PathValue("contact_method_id"))
	if c.view.user(user) == nil || !found {
		return notFound()
	}
	return ok(obj{"contact_method": c.drawContact(user, m)})
}

func createContactMethod(c *call) reply {
	user := c.r.PathValue("id")
	if c.live(user) == nil {
		return notFound()
	}
	var body struct {
		Method *struct {
			Type    string `json:"type"`
			Label   string `json:"label"`
			Address string `json:"address"`
			Country *int   `json:"country_code"`
		} `json:"contact_method"`
	}
	if bad := c.decode(&body); bad != nil {
		return *bad
	}
	if body.Method == nil {
		return invalid("The contact_method object is missing")
	}
	m := ContactMethod{Type: body.Method.Type, Label: body.Method.Label, Address: body.Method.Address}
	assign(&m.CountryCode, body.Method.Country)
	if problems := c.contactProblems(user, m); len(problems) > 0 {
		return invalid(problems...)
	}
	m.ID = c.newID()
	c.addContact(c.author(), user, m)
	return reply{status: http.StatusCreated, body: obj{"contact_method": c.drawContact(user, m)}}
}

// contactProblems says why a client cannot give a user the method. The words for a duplicate are those that users of
// PagerDuty's Go library match on; the others are the fake's.
func (a *Account) contactProblems(user string, m ContactMethod) []string {
	var out []string
	add := func(bad bool, text string) {
		if bad {
			out = append(out, text)
		}
	}
	add(!slices.Contains(contactTypes(), m.Type), "Type is not included in the list")
	add(m.Type == "push_notification_contact_method", "Push notification contact methods can only be created from the device")
	add(strings.TrimSpace(m.Label) == "", "Label can't be blank")
	add(m.Type == "email_contact_method" && !looksLikeEmail(m.Address), "Address is invalid")
	if m.dialled() {
		add(m.CountryCode < 1 || m.CountryCode > 1999, "Country code must be between 1 and 1999")
		add(m.Address == "" || strings.Trim(m.Address, "0123456789") != "", "Address must be the digits of a phone number")
	}
	if len(out) == 0 {
		add(a.hasContact(user, m), "User Contact method must be unique")
	}
	return out
}

func (a *Account) hasContact(user string, m ContactMethod) bool {
	return slices.ContainsFunc(a.contacts[user], func(have ContactMethod) bool {
		return have.Type == m.Type && strings.EqualFold(have.Address, m.Address) && have.CountryCode == m.CountryCode
	})
}

func deleteContactMethod(c *call) reply {
	user := c.r.PathValue("id")
	m, found := c.contact(user, c.r.PathValue("contact_method_id"))
	if c.live(user) == nil || !found {
		return notFound()
	}
	c.dropContact(c.author(), user, m)
	return noContent()
}

// addContact and the functions below leave an audit record about the user: what a user has is part of them.
func (a *Account) addContact(by author, user string, m ContactMethod) {
	a.contacts[user] = append(a.contacts[user], m)
	a.record(by, AuditRecord{
		Root: a.userAt(user), Action: "update", Resource: m.ref(),
		Fields: []AuditField{{Name: "label", Value: m.Label}, {Name: "address", Value: m.Address}},
	})
	a.bump()
}

// dropContact takes the notification rules that use the method with it; whether PagerDuty does is not documented.
func (a *Account) dropContact(by author, user string, m ContactMethod) {
	for _, r := range slices.Clone(a.rules[user]) {
		if r.ContactMethodID == m.ID {
			a.dropRule(by, user, r)
		}
	}
	a.contacts[user] = slices.DeleteFunc(a.contacts[user], func(x ContactMethod) bool { return x.ID == m.ID })
	a.record(by, AuditRecord{
		Root: a.userAt(user), Action: "update", Resource: m.ref(),
		Fields: []AuditField{{Name: "label", Before: m.Label}, {Name: "address", Before: m.Address}},
	})
	a.bump()
}
