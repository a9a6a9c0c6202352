package pagerdutytest

import "slices"

func params(more ...string) []string { return more }

func paged(more ...string) []string {
	return slices.Concat([]string{"limit", "offset", "total"}, more)
}

// routes is every operation the fake knows. The scopes are those of PagerDuty's document.
func routes() []route {
	return slices.Concat(userRoutes(), reachRoutes(), teamRoutes(), policyRoutes(), scheduleRoutes(), shiftRoutes(), incidentRoutes(),
		licenseRoutes(), sessionRoutes(), accountRoutes())
}

func userRoutes() []route {
	return []route{
		{method: "GET", path: "/users", scope: "users.read", params: paged("query", "team_ids[]", "include[]"), do: listUsers},
		{method: "POST", path: "/users", scope: "users.write", userWrite: true, do: createUser},
		{method: "GET", path: "/users/me", params: params("include[]"), do: getMe},
		{method: "GET", path: "/users/{id}", scope: "users.read", params: params("include[]"), do: getUser},
		{method: "PUT", path: "/users/{id}", scope: "users.write", userWrite: true, do: updateUser},
		{method: "DELETE", path: "/users/{id}", scope: "users.write", userWrite: true, duty: true, do: deleteUser},
	}
}

func reachRoutes() []route {
	const (
		read, write     = "users:contact_methods.read", "users:contact_methods.write"
		methods, method = "/users/{id}/contact_methods", "/users/{id}/contact_methods/{contact_method_id}"
		rules, rule     = "/users/{id}/notification_rules", "/users/{id}/notification_rules/{notification_rule_id}"
	)
	return []route{
		{method: "GET", path: methods, scope: read, do: listContactMethods},
		{method: "POST", path: methods, scope: write, do: createContactMethod},
		{method: "GET", path: method, scope: read, do: getContactMethod},
		{method: "DELETE", path: method, scope: write, do: deleteContactMethod},
		{method: "GET", path: rules, scope: read, params: params("include[]", "urgency"), do: listNotificationRules},
		{method: "POST", path: rules, scope: write, do: createNotificationRule},
		{method: "GET", path: rule, scope: read, params: params("include[]"), do: getNotificationRule},
		{method: "DELETE", path: rule, scope: write, do: deleteNotificationRule},
	}
}

func teamRoutes() []route {
	return []route{
		{method: "GET", path: "/teams", scope: "teams.read", params: paged("query"), do: listTeams},
		{method: "GET", path: "/teams/{id}", scope: "teams.read", params: params("include[]"), do: getTeam},
		{method: "GET", path: "/teams/{id}/members", scope: "teams.read", params: paged("include[]"), do: listMembers},
		{method: "PUT", path: "/teams/{id}/users/{user_id}", scope: "teams.write", do: putMember},
		{method: "DELETE", path: "/teams/{id}/users/{user_id}", scope: "teams.write", do: deleteMember},
	}
}

func incidentRoutes() []route {
	return []route{
		{
			method: "GET", path: "/incidents", scope: "incidents.read",
			params: paged("date_range", "incident_key", "service_ids[]", "team_ids[]", "user_ids[]", "urgencies[]", "time_zone",
				"statuses[]", "sort_by", "include[]", "since", "until"), do: listIncidents,
		},
		{method: "PUT", path: "/incidents", scope: "incidents.write", params: paged(), do: updateIncidents},
		{method: "GET", path: "/incidents/{id}", scope: "incidents.read", params: params("include[]"), do: getIncident},
		{method: "PUT", path: "/incidents/{id}", scope: "incidents.write", do: updateIncident},
	}
}

func licenseRoutes() []route {
	return []route{
		{method: "GET", path: "/licenses", scope: "licenses.read", do: listLicenses},
		{method: "GET", path: "/license_allocations", scope: "licenses.read", params: params("limit", "offset"), do: listAllocations},
		{method: "GET", path: "/users/{id}/license", scope: "licenses.read", do: getUserLicense},
	}
}

func sessionRoutes() []route {
	return []route{
		{
			method: "GET", path: "/users/{id}/oauth_delegations", scope: "oauth_delegations.read",
			params: params("delegation_type", "status", "limit", "cursor"), do: listSessions,
		},
		{
			method: "DELETE", path: "/oauth_delegations", scope: "oauth_delegations.write",
			params: params("user_id", "type"), do: deleteSessions,
		},
		{method: "POST", path: "/users/{id}/regenerate_private_url_key", scope: "users.write", do: regenerateKey},
	}
}

func accountRoutes() []route {
	return slices.Concat(auditRoutes(), []route{
		{method: "GET", path: "/abilities", scope: "abilities.read", do: listAbilities},
		{method: "POST", path: "/analytics/raw/users", scope: "analytics.write", reads: true, do: rawUsers},
	})
}

func auditRoutes() []route {
	of := func(place, typ string, exists func(*call, string) bool) route {
		return route{
			method: "GET", path: "/" + place + "/{id}/audit/records", scope: "audit_records.read",
			params: params("limit", "cursor", "since", "until"), do: auditOf(typ, exists),
		}
	}
	return []route{
		{
			method: "GET", path: "/audit/records", scope: "audit_records.read",
			params: params("limit", "cursor", "since", "until", "root_resource_types[]", "actor_type", "actor_id", "method_type",
				"method_truncated_token", "actions[]"), do: listAudit,
		},
		of("users", "user", func(c *call, id string) bool { return c.live(id) != nil }),
		of("teams", "team", func(c *call, id string) bool { return c.teams.has(id) }),
		of("schedules", "schedule", func(c *call, id string) bool { return c.schedules.has(id) }),
		of("escalation_policies", "escalation_policy", func(c *call, id string) bool { return c.policies.has(id) }),
	}
}
