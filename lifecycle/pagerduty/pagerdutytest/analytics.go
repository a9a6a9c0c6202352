package pagerdutytest

import (
	"net/http"
	"slices"
	"time"
)

// Analytics is how POST /analytics/raw/users behaves. Which plans have it is not documented.
type Analytics struct {
	Refusal    int           // 402 or 403 where the account does not have it; 0 where it does
	Lag        time.Duration // sign-ins, new users and deletions show only after it; PagerDuty says up to 24 hours
	RowPerTeam bool          // a row for each team of a user; whether PagerDuty does that is not documented
}

const (
	analyticsLimit = 1000
	accountNumber  = 1454
	// analyticsStamp has no zone, as in the document's example, although the document calls it a date-time.
	analyticsStamp = "2006-01-02T15:04:05"
)

type analyticsQuery struct {
	Filters struct {
		CreatedFrom *time.Time `json:"created_at_start,omitempty"`
		CreatedTo   *time.Time `json:"created_at_end,omitempty"`
		TeamIDs     []string   `json:"team_ids,omitempty"`
		UserIDs     []string   `json:"user_ids,omitempty"`
		RoleIDs     []string   `json:"role_ids,omitempty"`
	} `json:"filters"`
	TimeZone *string `json:"time_zone"`
	Order    *string `json:"order"`
	OrderBy  *string `json:"order_by"`
	Unit     *string `json:"aggregate_unit"`
	Limit    *int    `json:"limit"`
	After    *string `json:"starting_after"`
	Before   *string `json:"ending_before"`
}

// rawUsers lists users with what they did. It only reads, although it is a POST and wants a scope for writing.
func rawUsers(c *call) reply {
	switch c.cfg.Analytics.Refusal {
	case http.StatusPaymentRequired:
		return needsAbility("The analytics account ability is required")
	case http.StatusForbidden:
		return forbidden()
	}
	q := analyticsQuery{
		TimeZone: new(accountZone), Order: new("desc"), OrderBy: new("user_id"), Limit: new(analyticsLimit),
	}
	if len(c.body) > 0 {
		if bad := c.decode(&q); bad != nil {
			return *bad
		}
	}
	zone, bad := q.check()
	if bad != nil {
		return *bad
	}
	all := c.analyticsRows(q)
	slices.SortFunc(all, q.compare)
	rows, more, bad := q.page(all)
	if bad != nil {
		return *bad
	}
	out := obj{
		"data": each(rows, func(r analyticsRow) obj { return c.drawAnalytics(r, zone) }), "more": more, "limit": *q.Limit,
		"order": *q.Order, "order_by": *q.OrderBy, "filters": q.Filters, "time_zone": *q.TimeZone,
	}
	if n := len(rows); n > 0 {
		out["first"], out["last"] = q.cursorAt(rows[0]), q.cursorAt(rows[n-1])
	}
	return ok(out)
}

// check refuses what cannot be asked for, and returns the time zone. Which columns PagerDuty orders by it does not say:
// those here are the fake's.
func (q analyticsQuery) check() (*time.Location, *reply) {
	for what, p := range map[string]bool{"time_zone": q.TimeZone == nil, "order": q.Order == nil, "order_by": q.OrderBy == nil, "limit": q.Limit == nil} {
		if p {
			return nil, new(invalid(what + " must not be null"))
		}
	}
	zone, err := time.LoadLocation(*q.TimeZone)
	switch {
	case err != nil:
		return nil, new(invalid("time_zone is not a time zone"))
	case *q.Order != "asc" && *q.Order != "desc":
		return nil, new(invalid("order must be asc or desc"))
	case !slices.Contains([]string{"user_id", "name", "created_at"}, *q.OrderBy):
		return nil, new(invalid("order_by must be user_id, name or created_at"))
	case *q.Limit < 1 || *q.Limit > analyticsLimit:
		return nil, new(invalid("limit must be between 1 and 1000"))
	case q.After != nil && q.Before != nil:
		return nil, new(invalid("starting_after and ending_before cannot both be given"))
	}
	return zone, nil
}

// An analyticsRow is a user as the pipeline knows them.
type analyticsRow struct {
	user   *User
	team   string // empty for somebody on no team
	signIn time.Time
}

// analyticsRows returns what the pipeline had seen by its cut-off and the filters let through. The rest about users is as it
// is now: lagging roles are not modelled.
func (c *call) analyticsRows(q analyticsQuery) []analyticsRow {
	cut := c.at.Add(-c.cfg.Analytics.Lag)
	var out []analyticsRow
	for _, u := range c.users {
		gone := !u.DeletedAt.IsZero() && !u.DeletedAt.After(cut)
		if gone || u.CreatedAt.After(cut) || !q.wants(c, u) {
			continue
		}
		r := analyticsRow{user: u}
		for _, at := range c.signIns[u.ID] {
			if !at.After(cut) {
				r.signIn = at
			}
		}
		teams := slices.Clone(c.places[u.ID])
		if len(teams) == 0 {
			teams = []string{""}
		}
		if !c.cfg.Analytics.RowPerTeam {
			teams = teams[:1]
		}
		for _, r.team = range teams {
			out = append(out, r)
		}
	}
	return out
}

func (q analyticsQuery) wants(c *call, u *User) bool {
	f := q.Filters
	return (f.CreatedFrom == nil || !u.CreatedAt.Before(*f.CreatedFrom)) && (f.CreatedTo == nil || u.CreatedAt.Before(*f.CreatedTo)) &&
		anyOf(f.UserIDs, func(id string) bool { return id == u.ID }) &&
		anyOf(f.RoleIDs, func(role string) bool { return role == u.Role }) &&
		anyOf(f.TeamIDs, func(t string) bool { return c.rosters[t].roles[u.ID] != "" })
}

func (c *call) drawAnalytics(r analyticsRow, zone *time.Location) obj {
	u := r.user
	onPolicies := len(c.policies.find(func(p *EscalationPolicy) bool { return p.calls(u.ID) }))
	onSchedules := len(c.schedules.find(func(s *Schedule) bool { return s.seats(u.ID, c.at) })) +
		len(c.shifts.find(func(s *ShiftSchedule) bool { return s.seats(u.ID, c.at) }))
	methods := c.contacts[u.ID]
	o := obj{
		"id": u.ID, "user_name": u.Name, "email": u.Email, "account_id": accountNumber, "description": orNull(u.Description),
		"time_zone": orNull(u.TimeZone), "role": u.Role, "team_id": orNull(r.team), "team_name": nil,
		"created_at": u.CreatedAt.In(zone).Format(analyticsStamp), "last_sign_in_at": nil, "signed_up": !r.signIn.IsZero(),
		"default_notification_channel_count": len(c.rules[u.ID]), "channel_types_configured": channels(methods),
		"escalation_policies_count": onPolicies, "on_escalation_policy": onPolicies > 0,
		"schedules_count": onSchedules, "on_schedule": onSchedules > 0, "team_count": len(c.places[u.ID]),
		"downloaded_mobile_app": slices.ContainsFunc(methods, func(m ContactMethod) bool { return m.Type == "push_notification_contact_method" }),
		"notification_methods":  len(methods) > 1, // more than the mail that everybody begins with
	}
	if t := c.teams.get(r.team); t != nil {
		o["team_name"] = t.Name
	}
	if !r.signIn.IsZero() {
		o["last_sign_in_at"] = r.signIn.In(zone).Format(analyticsStamp)
	}
	return o
}

func channels(methods []ContactMethod) []string {
	names := map[string]string{
		"email_contact_method": "EmailChannel", "phone_contact_method": "PhoneChannel", "sms_contact_method": "SmsChannel",
		"push_notification_contact_method": "PushNotificationChannel", "whatsapp_contact_method": "WhatsappChannel",
	}
	out := []string{}
	for _, m := range methods {
		if !slices.Contains(out, names[m.Type]) {
			out = append(out, names[m.Type])
		}
	}
	return out
}
