package pagerdutytest

import "slices"

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
	const read, write, overrides = "schedules.read", "schedules.write", "/schedules/{id}/overrides"
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
		{method: "PUT", path: "/schedules/{id}", scope: write, params: params("overflow"), duty: true, do: updateSchedule},
		{method: "POST", path: "/schedules/preview", scope: write, params: params("since", "until", "overflow"), do: previewSchedule},
		{method: "GET", path: overrides, scope: read, params: params("since", "until", "editable", "overflow"), do: listOverrides},
		{method: "POST", path: overrides, scope: write, duty: true, do: createOverrides},
		{method: "DELETE", path: overrides + "/{override_id}", scope: write, duty: true, do: deleteOverride},
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
		event     = rotation + "/events/{event_id}"
	)
	return slices.Concat([]route{
		{method: "GET", path: "/v3/schedules", params: paged("query", "team_ids[]"), do: listShiftSchedules},
		{method: "GET", path: one, params: params("since", "until", "time_zone", "overflow", "include[]"), do: getShiftSchedule},
		{method: "GET", path: rotations, params: params("limit", "offset"), do: listRotations},
		{method: "GET", path: rotation, params: params("since", "until"), do: getRotation},
		{method: "GET", path: rotation + "/events", params: params("limit", "offset"), do: listEvents},
		{method: "POST", path: rotation + "/events", duty: true, do: createEvent},
		{method: "GET", path: event, params: params("since", "until"), do: getEvent},
		{method: "PUT", path: event, duty: true, do: updateEvent},
		{method: "DELETE", path: event, duty: true, do: deleteEvent},
	},
		oneOffRoutes(one+"/overrides", "/{override_id}", oneOff{
			listShiftOverrides, createShiftOverrides, getShiftOverride, updateShiftOverride, deleteShiftOverride,
		}),
		oneOffRoutes(one+"/custom_shifts", "/{custom_shift_id}", oneOff{
			listCustomShifts, createCustomShifts, getCustomShift, updateCustomShift, deleteCustomShift,
		}))
}

// A oneOff is the operations of what happens once on a schedule.
type oneOff struct{ list, create, get, update, remove func(*call) reply }

func oneOffRoutes(all, id string, do oneOff) []route {
	return []route{
		{method: "GET", path: all, params: params("since", "until", "time_zone", "overflow", "limit", "offset"), do: do.list},
		{method: "POST", path: all, duty: true, do: do.create},
		{method: "GET", path: all + id, do: do.get},
		{method: "PUT", path: all + id, duty: true, do: do.update},
		{method: "DELETE", path: all + id, duty: true, do: do.remove},
	}
}
