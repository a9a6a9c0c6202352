package pagerduty

import (
	"context"
	"fmt"
	"time"

	"rolecall/lifecycle"
)

// Traces returns every change of access since then until then, oldest first; what PagerDuty has forgotten, after twelve
// months, is not among them. A stretch of up to 31 days with no more than 100 records is one call. A Refusal says that the
// plan has no audit records, or that the key may not read them; since after until is one too.
func (c *Client) Traces(ctx context.Context, since, until time.Time) ([]lifecycle.Trace, error) {
	if since.After(until) {
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "There is no history from %s until %s, which is earlier.", since.Format(time.RFC3339), until.Format(time.RFC3339))
	}
	records, err := c.records(ctx, since, until)
	if err != nil {
		return nil, fmt.Errorf("read audit records: %w", err)
	}
	c.marks.learn(records)
	var all []testimony
	for _, r := range records {
		all = append(all, r.tell(c.marks.made(r))...)
	}
	return joined(all), nil
}

// testimony is a trace, and the request it was made by.
type testimony struct {
	lifecycle.Trace
	request string
}

// tell returns what the record says of anybody's access: mostly nothing.
func (r auditRecord) tell(ours bool) []testimony {
	var all []testimony
	for _, t := range r.changes() {
		t.ID, t.At, t.Ours = r.ID, r.At.UTC(), ours
		t.Way, t.Key = r.way(), r.key()
		t.By, t.ByName = r.author(t.Account)
		t.Entitlement.Role = t.To
		if t.To == "" {
			t.Entitlement.Role = t.From
		}
		all = append(all, testimony{t, r.Context.Request})
	}
	return all
}

// changes returns whose access changed, from what to what. Source of the shapes: the example of OpenAPI GET /audit/records;
// of the roles' spelling: PagerDuty's script get_user_role_changes.
func (r auditRecord) changes() []lifecycle.Trace {
	switch r.Root.Type {
	case refUser:
		return r.userChanges()
	case refTeam:
		return r.teamChanges()
	default:
		return nil
	}
}

func (r auditRecord) userChanges() []lifecycle.Trace {
	if about := r.Details.Resource.ID; about != "" && about != r.Root.ID {
		return nil // a contact method or a rule of theirs
	}
	t := lifecycle.Trace{Account: lifecycle.AccountID(r.Root.ID), Entitlement: lifecycle.Entitlement{Kind: lifecycle.KindAccount}}
	from, to, is := r.field("role")
	switch {
	case r.Action == "create":
		t.Op, t.To = lifecycle.OpCreate, to
	case r.Action == "delete":
		t.Op, t.From = lifecycle.OpDelete, from
	case is:
		t.Op, t.Entitlement.Kind, t.From, t.To = lifecycle.OpReplace, lifecycle.KindBaseRole, from, to
	default:
		return nil
	}
	return []lifecycle.Trace{t}
}

func (r auditRecord) teamChanges() []lifecycle.Trace {
	team := lifecycle.Entitlement{Kind: lifecycle.KindTeamRole, Team: lifecycle.Team{ID: lifecycle.TeamID(r.Root.ID), Name: clean(r.Root.Summary, 100)}}
	var all []lifecycle.Trace
	add := func(op lifecycle.Op, account, from, to string) {
		all = append(all, lifecycle.Trace{Op: op, Account: lifecycle.AccountID(account), Entitlement: team, From: from, To: to})
	}
	for _, x := range r.Details.References {
		for _, u := range members(x.Added) {
			add(lifecycle.OpGrant, u, "", "")
		}
		for _, u := range members(x.Removed) {
			add(lifecycle.OpRevoke, u, "", "")
		}
	}
	if from, to, is := r.field("team_role"); is && r.Details.Resource.Type == refUser {
		add(opBetween(from, to), r.Details.Resource.ID, from, to)
	}
	if about := r.Details.Resource.ID; r.Action == "delete" && (about == "" || about == r.Root.ID) {
		add(lifecycle.OpDelete, "", "", "")
	}
	return all
}

// members returns the users among the references: of a team, those are its members, whatever the relation is called. The
// document calls it members in one place and team_members in another.
func members(refs []auditRef) []string {
	var users []string
	for _, x := range refs {
		if x.Type == refUser {
			users = append(users, x.ID)
		}
	}
	return users
}

func opBetween(from, to string) lifecycle.Op {
	switch {
	case from == "":
		return lifecycle.OpGrant
	case to == "":
		return lifecycle.OpRevoke
	default:
		return lifecycle.OpReplace
	}
}

// field returns an attribute before and after, and whether it changed.
func (r auditRecord) field(name string) (from, to string, changed bool) {
	for _, f := range r.Details.Fields {
		if f.Name == name && f.Before != f.After {
			return clean(string(f.Before), 40), clean(string(f.After), 40), true
		}
	}
	return "", "", false
}

// author returns the person among the actors, and the name of whoever it was. A record may have no actor. One of an
// identity provider names a person on whose behalf it acted, in PagerDuty's example the one who was changed: that person
// did nothing.
func (r auditRecord) author(changed lifecycle.AccountID) (lifecycle.AccountID, string) {
	for _, actor := range r.Actors {
		switch id := lifecycle.AccountID(actor.ID); {
		case actor.Type != refUser:
		case r.way() != lifecycle.WayIdentity:
			return id, clean(actor.Summary, 100)
		case id == changed:
			return "", ""
		}
	}
	if len(r.Actors) > 0 {
		return "", clean(r.Actors[0].Summary, 100)
	}
	return "", ""
}

func (r auditRecord) way() lifecycle.Way {
	switch w := lifecycle.Way(r.Method.Type); w {
	case lifecycle.WayBrowser, lifecycle.WayKey, lifecycle.WayApp, lifecycle.WayIdentity:
		return w
	default:
		return lifecycle.WayOther
	}
}

// key returns the four characters that the record shows of a key or token, and never more.
func (r auditRecord) key() string {
	token := []rune(clean(r.Method.Token, 100))
	return string(token[max(0, len(token)-tailLength):])
}

// joined puts together what PagerDuty splits: that somebody came to a team or left it, and with which role. Both records
// are of one request.
func joined(all []testimony) []lifecycle.Trace {
	roles := map[place]int{}
	for i, t := range all {
		if t.request != "" && t.Entitlement.Kind == lifecycle.KindTeamRole && t.Entitlement.Role != "" {
			roles[t.place()] = i
		}
	}
	taken := map[int]bool{}
	for i, t := range all {
		if j, is := roles[t.place()]; is && t.Entitlement.Kind == lifecycle.KindTeamRole && t.Entitlement.Role == "" && !taken[j] {
			all[i].From, all[i].To, all[i].Entitlement.Role, taken[j] = all[j].From, all[j].To, all[j].Entitlement.Role, true
		}
	}
	traces := make([]lifecycle.Trace, 0, len(all))
	for i, t := range all {
		if !taken[i] {
			traces = append(traces, t.Trace)
		}
	}
	return traces
}

// A place is what one request did to one account's membership.
type place struct {
	request string
	account lifecycle.AccountID
	team    lifecycle.TeamID
	op      lifecycle.Op
}

func (t testimony) place() place { return place{t.request, t.Account, t.Entitlement.Team.ID, t.Op} }
