package lifecycle

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// otherDiffs returns what differs beside the rules, in a line each: who decides
// first, then how carefully, then the rest.
func otherDiffs(was, is Policy) []string {
	l := &lines{said: []string{}}
	l.list("Security", was.Security.Members, is.Security.Members)
	l.value("Security's channel", was.Security.Channel, is.Security.Channel)
	l.value("Security's group", string(was.Security.Group), string(is.Security.Group))
	l.teams(was, is)
	l.list("Domains whose people may decide", was.Domains, is.Domains)
	l.list("Protected", was.Protected, is.Protected)
	l.list("Shared accounts", was.Shared, is.Shared)
	l.breaker(was.Breaker, is.Breaker)
	l.value("Approval by default", was.Defaults.Approval.String(), is.Defaults.Approval.String())
	l.value("Approval of power over the whole account", was.powerWords(), is.powerWords())
	l.value("Working hours", was.Defaults.Hours.String(), is.Defaults.Hours.String())
	l.value("What people may ask for themselves", was.Defaults.Ask.words(), is.Defaults.Ask.words())
	l.value("Hold", span(was.Defaults.Hold), span(is.Defaults.Hold))
	l.value("Leavers are contained", contains(was.Leaver), contains(is.Leaver))
	l.value("Leavers are deleted after", span(was.Leaver.DeleteAfter), span(is.Leaver.DeleteAfter))
	l.ceilings(was.Ceilings, is.Ceilings)
	l.list("Segregation", segregationWords(was), segregationWords(is))
	l.list("Exception", exceptionWords(was), exceptionWords(is))
	l.list("Credential", credentialWords(was), credentialWords(is))
	l.value("An address that was given up is reserved for", span(was.Reserve), span(is.Reserve))
	l.sources(was.Sources, is.Sources)
	return l.said
}

// lines gathers what differs.
type lines struct{ said []string }

func (l *lines) say(format string, args ...any) {
	l.said = append(l.said, fmt.Sprintf(format, args...))
}

func (l *lines) value(what, was, is string) {
	if was != is {
		l.say("%s: %s → %s", what, orNothing(was), orNothing(is))
	}
}

// list says what was added to a list and what was taken from it; its order means nothing.
func (l *lines) list(what string, was, is []string) {
	if words := listWords(was, is); words != "" {
		l.say("%s: %s", what, words)
	}
}

func listWords(was, is []string) string {
	lacks := func(list []string) func(string) bool {
		return func(s string) bool { return slices.Contains(list, s) }
	}
	added, gone := slices.DeleteFunc(sorted(is), lacks(was)), slices.DeleteFunc(sorted(was), lacks(is))
	var words []string
	if len(added) > 0 {
		words = append(words, "now "+strings.Join(added, ", "))
	}
	if len(gone) > 0 {
		words = append(words, "no longer "+strings.Join(gone, ", "))
	}
	return strings.Join(words, "; ")
}

func (l *lines) breaker(was, is Breaker) {
	number := strconv.Itoa
	percent := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) + " %" }
	l.value("Breaker, removals", number(was.Removals), number(is.Removals))
	l.value("Breaker, removals in percent", percent(was.Percent), percent(is.Percent))
	l.value("Breaker, window", span(was.Window), span(is.Window))
	l.value("Breaker, gathering", span(was.Gather), span(is.Gather))
	l.value("Breaker, movers", number(was.Movers), number(is.Movers))
	l.value("Breaker, movers in percent", percent(was.MoversPercent), percent(is.MoversPercent))
}

func (l *lines) ceilings(was, is map[Employment]Ceiling) {
	both := maps.Clone(was)
	if both == nil {
		both = map[Employment]Ceiling{}
	}
	maps.Copy(both, is)
	for _, e := range slices.Sorted(maps.Keys(both)) {
		l.value("The most that "+string(e)+"s may hold", was[e].words(), is[e].words())
	}
}

func (l *lines) sources(was, is SourceOrder) {
	if !reflect.DeepEqual(was, is) {
		l.say("Whose word counts where sources disagree has changed: for each person from the next that is heard of them")
	}
}

// words says the most that somebody may hold.
func (c Ceiling) words() string {
	var words []string
	if c.BaseRole != "" {
		words = append(words, c.BaseRole.String())
	}
	if c.TeamRole != "" {
		words = append(words, string(c.TeamRole)+" on a team")
	}
	if len(words) == 0 {
		return "no limit"
	}
	return strings.Join(words, ", ")
}

func contains(l LeaverPolicy) string {
	if l.AskToContain {
		return "once somebody was asked"
	}
	return "at once"
}

// String says the approval as it applies: "quorum, 1 of team-owners, …".
func (a Approval) String() string {
	words := []string{string(a.Mode)}
	if a.Mode == ApprovalQuorum {
		words = append(words, fmt.Sprintf("%d of %s", a.N, joinWords(a.From)))
	}
	for _, after := range []struct {
		what string
		long time.Duration
	}{{"reminded", a.RemindAfter}, {"escalated", a.EscalateAfter}, {string(a.OnExpiry), a.ExpireAfter}} {
		if after.long > 0 {
			words = append(words, after.what+" after "+span(after.long))
		}
	}
	return strings.Join(words, ", ")
}

func segregationWords(p Policy) []string {
	words := make([]string, len(p.Segregation))
	for i, s := range p.Segregation {
		toxic := make([]string, len(s.Not))
		for k, x := range s.Not {
			toxic[k] = entitled(x.BaseRole, x.Team, x.Role)
		}
		slices.Sort(toxic)
		words[i] = s.Name + " (" + strings.Join(toxic, " with ") + ")"
	}
	return words
}

func exceptionWords(p Policy) []string {
	words := make([]string, len(p.Exceptions))
	for i, x := range p.Exceptions {
		words[i] = fmt.Sprintf("%s holds %s until %s", x.Who, entitled(x.BaseRole, x.Team, x.Role), x.Until)
	}
	return words
}

func entitled(base BaseRole, team string, role TeamRole) string {
	var words []string
	if base != "" {
		words = append(words, base.String())
	}
	if team != "" {
		words = append(words, team+": "+string(role))
	}
	return strings.Join(words, " and ")
}

func credentialWords(p Policy) []string {
	words := make([]string, len(p.Credentials))
	for i, c := range p.Credentials {
		words[i] = fmt.Sprintf("%s (owner %s, revoker %s, rotated every %s)", c.Name, c.Owner, c.Revoker, span(c.RotateEvery))
	}
	return words
}

func orNothing(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// span says a length of time as a policy does: 72h and not 72h0m0s.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
