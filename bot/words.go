package bot

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rolecall/lifecycle"
)

// moment says a time the same way whenever it is read: a card stands for days,
// so "tomorrow" would come to lie.
func moment(t time.Time, loc *time.Location) string { return t.In(loc).Format("Mon 2 Jan 15:04 MST") }

// day says a date.
func day(t time.Time, loc *time.Location) string { return t.In(loc).Format("2 Jan 2006") }

// span says a duration in its largest whole unit.
func span(d time.Duration) string {
	count := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d >= 48*time.Hour:
		return count(int(d.Round(time.Hour)/(24*time.Hour)), "day")
	case d >= 2*time.Hour:
		return count(int(d.Round(time.Hour)/time.Hour), "hour")
	case d >= time.Minute:
		return count(int(d.Round(time.Minute)/time.Minute), "minute")
	default:
		return count(int(d.Round(time.Second)/time.Second), "second")
	}
}

// subjectName returns what somebody is called on a card: by their address when
// their name shows nothing.
func subjectName(s lifecycle.Subject) string {
	return cmp.Or(strings.TrimSpace(foreign(s.Label(), maxName)), foreign(s.Email, maxName))
}

// roleWords says a base role by both its names: people know "Manager", the API
// knows "user", and the two have been mixed up.
func roleWords(role string) string {
	if role == "" {
		return "no role"
	}
	if lifecycle.BaseRole(role).Rank() == 0 {
		return foreign(role, maxTeam)
	}
	return lifecycle.BaseRole(role).Title() + " (`" + role + "`)"
}

func teamName(t lifecycle.Team) string {
	if t.Name == "" {
		return foreign(string(t.ID), maxTeam)
	}
	return foreign(t.Name, maxTeam)
}

// listed joins the first words of a list and says how many are left out.
func listed(words []string, most int, sep string) string {
	if len(words) <= most {
		return strings.Join(words, sep)
	}
	return fmt.Sprintf("%s%sand %d more", strings.Join(words[:most], sep), sep, len(words)-most)
}

// orList joins words as people say alternatives.
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// silenceWords says what comes of a request that nobody decides in time.
func silenceWords(r lifecycle.Request) string {
	switch {
	case r.Silence == lifecycle.SilenceEscalate && !r.Escalated:
		return "if nobody does, Security is asked too"
	case r.Silence == lifecycle.SilenceRevoke && r.Removes() && r.Observe:
		return "if nobody does, it counts as approved; in observe mode nothing changes even then"
	case r.Silence == lifecycle.SilenceRevoke && r.Removes():
		return "if nobody does, it is taken away"
	case r.Risk() == lifecycle.Destructive:
		return "if nobody does, the account is not deleted"
	case takesAway(r):
		return "if nobody does, everything stays as it is"
	default:
		return "if nobody does, this ends undecided and nothing changes"
	}
}

// fullStop returns s as a sentence: with a capital and a full stop.
func fullStop(s string) string {
	return ended(capital(strings.TrimSpace(s)))
}

// ended returns s with a full stop, and its first word as it is: it may be the
// name of a source, which has no capital.
func ended(s string) string {
	s = strings.TrimSpace(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	if s == "" || strings.ContainsRune(".?!…", last) {
		return s
	}
	return s + "."
}

// capital returns s with a capital first.
func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 || first == utf8.RuneError {
		return s
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

// kindWords says what a request came from.
func kindWords(k lifecycle.RequestKind) string {
	switch k {
	case lifecycle.RequestDrift:
		return "roll call finding"
	case lifecycle.RequestSelf:
		return "own request"
	case lifecycle.RequestJoiner, lifecycle.RequestMover, lifecycle.RequestLeaver, lifecycle.RequestStale,
		lifecycle.RequestCredential, lifecycle.RequestCampaign:
		return string(k)
	default:
		return string(k)
	}
}
