package lifecycle

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// teams compares teams by their ids, so that one that is called otherwise is
// the same.
func (l *lines) teams(was, is Policy) {
	for _, t := range is.Teams {
		old, had := was.TeamByID(t.ID)
		if !had {
			l.say("Team %s is new, owned by %s", t.Name, strings.Join(t.ownerWords(), ", "))
			continue
		}
		l.value("Team "+string(t.ID)+" is called", old.Name, t.Name)
		l.list("Owners of "+t.Name, old.ownerWords(), t.ownerWords())
		l.value("Channel of "+t.Name, old.Channel, t.Channel)
		l.value("Who of "+t.Name+" is sent each card", old.notifyWords(), t.notifyWords())
		l.value("A digest in the channel of "+t.Name, yesNo(old.Digest), yesNo(t.Digest))
		l.value("Time zone of "+t.Name, old.Zone, t.Zone)
	}
	for _, t := range was.Teams {
		if _, has := is.TeamByID(t.ID); !has {
			l.say("Team %s is no longer governed: nobody is asked about it, and nothing on it is found", t.Name)
		}
	}
}

// ownerWords returns the owners, people first. Who is in a group is for Slack to say.
func (t TeamPolicy) ownerWords() []string {
	words := slices.Clone(t.Owners)
	for _, g := range t.Groups {
		words = append(words, "group "+string(g))
	}
	return words
}

func (t TeamPolicy) notifyWords() string {
	switch {
	case t.Notify == nil:
		return "all who are named"
	case len(t.Notify) == 0:
		return "nobody"
	default:
		return strings.Join(sorted(t.Notify), ", ")
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// powerWords says how power over the whole account is asked for.
func (p Policy) powerWords() string {
	if p.Defaults.Privileged.Mode == "" {
		return "as by default, of Security"
	}
	return p.Defaults.Privileged.String()
}

func (a AskPolicy) words() string {
	if a.Off {
		return "nothing"
	}
	return "for at most " + span(cmp.Or(a.Longest, 720*time.Hour))
}
