package pagerdutytest

func policyRoutes() []route {
	const read, write, one = "escalation_policies.read", "escalation_policies.write", "/escalation_policies/{id}"
	return []route{
		{
			method: "GET", path: "/escalation_policies", scope: read,
			params: paged("query", "user_ids[]", "team_ids[]", "include[]", "sort_by"), do: listPolicies,
		},
		{method: "GET", path: one, scope: read, params: params("include[]"), do: getPolicy},
		{method: "PUT", path: one, scope: write, duty: true, do: updatePolicy},
	}
}

func scheduleRoutes() []route {
	const read = "schedules.read"
	return []route{
		{
			method: "GET", path: "/schedules", scope: read,
			params: paged("query", "include[]", "team_ids[]", "time_zone", "since", "until", "include_next_oncall_for_user"),
			do:     listSchedules,
		},
		{
			method: "GET", path: "/schedules/{id}", scope: read,
			params: params("time_zone", "since", "until", "overflow", "include_next_oncall_for_user"), do: getSchedule,
		},
		{
			method: "GET", path: "/oncalls", scope: "oncalls.read",
			params: paged("time_zone", "include[]", "user_ids[]", "escalation_policy_ids[]", "schedule_ids[]", "since", "until",
				"earliest"), do: listOnCalls,
		},
	}
}

// shiftRoutes are the operations of shift-based schedules. PagerDuty's document asks for no scope there.
func shiftRoutes() []route {
	const (
		one       = "/v3/schedules/{id}"
		rotations = one + "/rotations"
		rotation  = rotations + "/{rotation_id}"
	)
	return []route{
		{method: "GET", path: "/v3/schedules", params: paged("query", "team_ids[]"), do: listShiftSchedules},
		{method: "GET", path: one, params: params("since", "until", "time_zone", "overflow", "include[]"), do: getShiftSchedule},
		{method: "GET", path: rotations, params: params("limit", "offset"), do: listRotations},
		{method: "GET", path: rotation, params: params("since", "until"), do: getRotation},
	}
}
