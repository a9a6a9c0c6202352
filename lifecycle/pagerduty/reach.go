package pagerduty

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"rolecall/lifecycle"
)

// A reachable is a user with all ways to reach them. Source: OpenAPI schemas User, PhoneContactMethod, PushContactMethod,
// NotificationRule.
type reachable struct {
	ID      string             `json:"id"`
	Invited bool               `json:"invitation_sent"`
	Methods []contactMethod    `json:"contact_methods"`
	Rules   []notificationRule `json:"notification_rules"`
}

type contactMethod struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Label   string `json:"label"`
	Enabled *bool  `json:"enabled"`     // of a phone: nil is yes
	Blocked bool   `json:"blacklisted"` // PagerDuty sends nothing there
}

type notificationRule struct {
	Urgency string   `json:"urgency"`
	Method  auditRef `json:"contact_method"`
}

// Reach returns how PagerDuty can reach the account's person, and what they have yet to do before they can be paged. It is
// an error that is lifecycle.ErrNotFound when PagerDuty itself says that there is no such account.
func (c *Client) Reach(ctx context.Context, id lifecycle.AccountID) (lifecycle.Reach, error) {
	if err := checkID(id); err != nil {
		return lifecycle.Reach{}, err
	}
	var answer struct {
		User *reachable `json:"user"`
	}
	err := c.prompt.get(ctx, "/users/"+string(id), url.Values{"include[]": {"contact_methods", "notification_rules"}}, &answer)
	if e, is := asAnswer(err); is && e.gone() {
		return lifecycle.Reach{}, fmt.Errorf("read how user %s is reached: %w", id, lifecycle.ErrNotFound)
	}
	if err != nil {
		return lifecycle.Reach{}, fmt.Errorf("read how user %s is reached: %w", id, explain(err))
	}
	if answer.User == nil || answer.User.ID != string(id) {
		return lifecycle.Reach{}, fmt.Errorf("read how user %s is reached: the answer is about somebody else", id)
	}
	if slices.ContainsFunc(answer.User.Rules, func(r notificationRule) bool { return r.Urgency == "" }) {
		return lifecycle.Reach{}, fmt.Errorf("read how user %s is reached: PagerDuty does not show their notification rules", id)
	}
	return answer.User.reach(), nil
}

func (u reachable) reach() lifecycle.Reach {
	r := lifecycle.Reach{Invited: u.Invited, Missing: []string{}}
	wakes := map[string]bool{}
	for _, m := range u.Methods {
		if !m.works() {
			continue
		}
		r.Phone = r.Phone || m.phone()
		r.Push = r.Push || m.push()
		wakes[m.ID] = m.phone() || m.push()
	}
	r.Rules = slices.ContainsFunc(u.Rules, func(n notificationRule) bool { return n.Urgency == "high" && wakes[n.Method.ID] })
	r.Missing = append(r.Missing, u.missing(r)...)
	return r
}

// missing says to the person what is to be done before they can be paged.
func (u reachable) missing(r lifecycle.Reach) []string {
	var all []string
	if r.Invited {
		all = append(all, "You have not accepted PagerDuty's invitation yet: follow the link in its e-mail, or ask for another one.")
	}
	off := u.off()
	switch {
	case r.Phone || r.Push:
	case off != "":
		all = append(all, fmt.Sprintf("PagerDuty sends nothing to “%s”, so you cannot be called: turn it on or add another under My Profile → Contact Information.", off))
	default:
		all = append(all, "You have no phone number, so you cannot be called: add one under My Profile → Contact Information, or install the PagerDuty app and sign in.")
	}
	if !r.Rules {
		all = append(all, "No notification rule of yours for high urgency uses a phone call, an SMS or the app: add one under My Profile → Notification Rules.")
	}
	return all
}

// off returns the label of a phone or device that is turned off, or "".
func (u reachable) off() string {
	for _, m := range u.Methods {
		if (m.phone() || m.push()) && !m.works() {
			return clean(m.Label, 40)
		}
	}
	return ""
}

func (m contactMethod) works() bool { return !m.Blocked && (m.Enabled == nil || *m.Enabled) }

func (m contactMethod) phone() bool {
	t := strings.TrimSuffix(m.Type, "_reference")
	return t == "phone_contact_method" || t == "sms_contact_method"
}

func (m contactMethod) push() bool {
	return strings.TrimSuffix(m.Type, "_reference") == "push_notification_contact_method"
}
