package lifecycle

import (
	"fmt"
	"strings"
	"time"
)

// clockSkew is how far PagerDuty's times may be from ours.
const clockSkew = 5 * time.Minute

// request returns the request of ours that the trace is of: one that was
// decided before it, has been written since, and asks for just that.
func (t Trace) request(ours []Request) (RequestID, bool) {
	if !t.Ours {
		return "", false
	}
	for _, r := range ours {
		for _, c := range r.Changes {
			if t.within(r, c) && t.is(r, c) {
				return r.ID, true
			}
		}
	}
	return "", false
}

// within reports whether the change was, or may have been, written when the trace was made.
func (t Trace) within(r Request, c Change) bool {
	written := c.State == ChangeApplied || c.State == ChangeVerified
	begin, end := r.OpenedAt, r.UpdatedAt
	if d, ok := r.DecidedBy(); ok {
		begin = d.At
	}
	if r.HoldUntil.After(begin) {
		begin = r.HoldUntil
	}
	if c.State == ChangeVerified {
		end = c.VerifiedAt
	}
	if r.State == Applying { // its answer may still be on the way
		written, end = true, t.At
	}
	return (written || r.State == Failed) && !t.At.Before(begin.Add(-clockSkew)) && !t.At.After(end.Add(clockSkew))
}

// is reports whether the trace is of the change, or of what PagerDuty does with
// it by itself: a new account comes with its role, and who is called by a team's
// escalation policy is put on the team. Source of the latter: PagerDuty's script
// import_users.
func (t Trace) is(r Request, c Change) bool {
	same := t.Entitlement.Kind == c.Entitlement.Kind && t.Entitlement.Team.ID == c.Entitlement.Team.ID
	switch {
	case c.Op == OpHandover:
		return c.Entitlement.Kind == KindEscalationPolicy && AccountID(c.To) == t.Account && t.Op == OpGrant &&
			t.Entitlement.Kind == KindTeamRole && t.Entitlement.Team.ID == c.Entitlement.Team.ID
	case r.Account.ID != t.Account:
		return false
	case c.Op == OpCreate:
		return t.Entitlement.Kind != KindTeamRole && t.gives(c.To)
	case c.To == "":
		return same && (t.Op == OpRevoke || t.Op == OpDelete)
	default:
		return same && t.gives(c.To)
	}
}

// words says who made the change, how and when. The year is left out when it is that of seen.
func (t Trace) words(by RequestID, seen time.Time) string {
	at := t.At.UTC().Format("at 15:04 UTC on 2 Jan")
	if t.At.UTC().Year() != seen.UTC().Year() {
		at += t.At.UTC().Format(" 2006")
	}
	switch {
	case by != "":
		return fmt.Sprintf("rolecall %s, as request %s asked", at, by)
	case t.Ours:
		return fmt.Sprintf("%s %s, but rolecall has no such change on record", t.ourKey(), at)
	default:
		return t.who() + " " + at
	}
}

func (t Trace) ourKey() string {
	if t.Key == "" {
		return "rolecall's own key"
	}
	return "rolecall's own key …" + t.Key
}

// who names the person, or what it was where PagerDuty names nobody.
func (t Trace) who() string {
	name := t.ByName
	if name == "" {
		name = string(t.By)
	}
	person := t.By != "" || name != "" && t.Way == WayBrowser
	switch t.Way {
	case WayBrowser:
		return orSomebody(name) + " in the web app"
	case WayKey:
		if person {
			return fmt.Sprintf("%s with API key …%s", name, t.Key)
		}
		return fmt.Sprintf("API key …%s, which is not rolecall's,", t.Key)
	case WayApp:
		if person {
			return name + " through an app"
		}
		return strings.TrimSpace("an app " + name)
	case WayIdentity:
		if name == "" {
			return "single sign-on provisioning"
		}
		return name + " through single sign-on provisioning"
	case WayOther:
		return orSomebody(name)
	default:
		return orSomebody(name)
	}
}

func orSomebody(name string) string {
	if name == "" {
		return "somebody whom PagerDuty does not name"
	}
	return name
}

// alarms returns a word to security for every change that was made with
// rolecall's own key and not by rolecall: whoever made it has the key.
func alarms(traces []Trace, ours []Request) []Job {
	var jobs []Job
	for _, t := range traces {
		if _, known := t.request(ours); t.Ours && !known {
			jobs = append(jobs, alert(fmt.Sprintf("A change was made with %s %s that rolecall has no record of: %s. Treat the key as leaked: stop its use, and look at what else it did.",
				t.ourKey(), t.At.UTC().Format("at 15:04:05 UTC on 2 Jan 2006"), t.what())))
		}
	}
	return jobs
}

func (t Trace) what() string {
	e := t.Entitlement
	switch {
	case t.Account == "":
		return "team " + e.Team.Name + " was deleted"
	case e.Kind == KindAccount:
		return fmt.Sprintf("%s of account %s", t.Op, t.Account)
	case t.From == "" && t.To == "":
		return fmt.Sprintf("%s of a role on %s for account %s", t.Op, e.Team.Name, t.Account)
	default:
		return fmt.Sprintf("account %s went from %s to %s", t.Account, roleWords(e, t.From), roleWords(e, t.To))
	}
}
