package intake

import (
	"time"

	"rolecall/lifecycle"
)

const longestNote = 2000 // characters

func findingFields() []string {
	return []string{"account_email", "kind", "entitlement", "observed_at", "note"}
}

// readReport returns what value, a CloudEvent, says another tool has found.
func readReport(value any, path string, now time.Time) (lifecycle.Report, []lifecycle.FieldError) {
	e, wrong := readEvent(value, path, findingShape, now)
	if e.data == nil {
		return lifecycle.Report{Source: e.source}, wrong
	}
	f := &form{object: e.data, place: under(path + "data.")}
	f.onlyKnown(findingFields())
	r := lifecycle.Report{
		Source: e.source, EventID: e.id,
		Email:      f.need("account_email", longestEmail, "is needed: the address of the PagerDuty account"),
		Kind:       needChoice(f, "kind", lifecycle.ParseFindingKind, "is needed, such as orphan, excess or drift"),
		ObservedAt: f.past("observed_at", now),
		Note:       f.text("note", longestNote),
	}
	if r.Email != "" && !isAddress(r.Email) {
		f.blame("account_email", "%q is not an address", r.Email)
	}
	if r.ObservedAt.IsZero() {
		r.ObservedAt = e.at
	}
	wrong = append(wrong, f.wrong...)
	r.Entitlement, f.wrong = readEntitlement(f.value("entitlement"), path+"data.entitlement")
	return r, append(wrong, f.wrong...)
}

// readEntitlement returns the entitlement that value is: an object of kind,
// team and role, or the kind alone as text. Absent, it is the whole account.
func readEntitlement(value any, path string) (lifecycle.Entitlement, []lifecycle.FieldError) {
	var o object
	switch v := value.(type) {
	case nil:
		return lifecycle.Entitlement{}, nil
	case string:
		o = object{{name: "kind", value: v}}
	case object:
		o = v
	default:
		return lifecycle.Entitlement{}, []lifecycle.FieldError{{Path: path, Message: "must be an object of kind, team and role, not " + typeOf(v)}}
	}
	f := &form{object: o, place: under(path + ".")}
	f.onlyKnown([]string{"kind", "team", "role"})
	e := lifecycle.Entitlement{
		Kind: needChoice(f, "kind", lifecycle.ParseEntitlementKind, "is needed, such as base_role or team_role"), Team: readTeam(f),
	}
	switch e.Kind {
	case lifecycle.KindBaseRole:
		e.Role = string(choice(f, "role", lifecycle.ParseBaseRole))
	case lifecycle.KindTeamRole:
		e.Role = string(choice(f, "role", lifecycle.ParseTeamRole))
	default:
		e.Role = f.text("role", longestName)
	}
	if e.Kind == lifecycle.KindTeamRole && e.Team.ID == "" {
		f.blame("team", "is needed for a team role, with the id it has in PagerDuty")
	}
	return e, f.wrong
}

// readTeam returns the team: an object of id and name, or the id alone as text.
func readTeam(f *form) lifecycle.Team {
	o, ok := f.value("team").(object)
	if !ok {
		return lifecycle.Team{ID: lifecycle.TeamID(f.text("team", longestName))}
	}
	sub := &form{object: o, place: func(name string, at int, message string) lifecycle.FieldError {
		return f.place("team."+name, at, message)
	}}
	sub.onlyKnown([]string{"id", "name"})
	t := lifecycle.Team{ID: lifecycle.TeamID(sub.text("id", longestName)), Name: sub.text("name", longestName)}
	f.wrong = append(f.wrong, sub.wrong...)
	return t
}
