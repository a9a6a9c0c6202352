package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment reads a message's timestamp in the acting person's time zone.
func (p *page) moment(ts string) time.Time {
	whole, fraction, _ := strings.Cut(ts, ".")
	seconds, _ := strconv.ParseInt(whole, 10, 64)   // the workspace makes timestamps
	micros, _ := strconv.ParseInt(fraction, 10, 64) // of this form only
	return time.Unix(seconds, micros*1000).In(zone(p.user))
}

// day is the heading of a day: today and yesterday by name.
func (p *page) day(at time.Time) string {
	today := p.now.In(at.Location())
	switch at.Format(time.DateOnly) {
	case today.Format(time.DateOnly):
		return "Today"
	case today.AddDate(0, 0, -1).Format(time.DateOnly):
		return "Yesterday"
	default:
		return at.Format("Monday, 2 January 2006")
	}
}

// date draws a moment with Slack's format for dates in messages; "" when it has a token that Slack has not.
// See docs.slack.dev, Formatting message text, Date formatting.
func (p *page) date(secondsText, format string) string {
	seconds, err := strconv.ParseInt(secondsText, 10, 64)
	if err != nil {
		return ""
	}
	at := time.Unix(seconds, 0).In(zone(p.user))
	pretty := p.day(at)
	near := pretty == "Today" || pretty == "Yesterday"
	tokens := map[string]string{
		"date_num": at.Format(time.DateOnly), "date": at.Format("January 2, 2006"), "date_short": at.Format("Jan 2, 2006"),
		"date_long": at.Format("Monday, January 2, 2006"), "time": at.Format("15:04"), "time_secs": at.Format("15:04:05"),
		"day_divider_pretty": pretty, "ago": ago(p.now.Sub(at)),
	}
	for _, name := range []string{"date", "date_short", "date_long"} {
		tokens[name+"_pretty"] = tokens[name]
		if near {
			tokens[name+"_pretty"] = strings.ToLower(pretty)
		}
	}
	return fillTokens(format, tokens)
}

func fillTokens(format string, tokens map[string]string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(format, "{")
		b.WriteString(unescape(before))
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		value, known := tokens[name]
		if !closed || !known {
			return ""
		}
		b.WriteString(value)
		format = after
	}
}

func ago(d time.Duration) string {
	words := func(d time.Duration) string {
		switch {
		case d < time.Minute:
			return plural(int(d.Seconds()), "second", "seconds")
		case d < time.Hour:
			return plural(int(d.Minutes()), "minute", "minutes")
		case d < 48*time.Hour:
			return plural(int(d.Hours()), "hour", "hours")
		default:
			return plural(int(d.Hours()/24), "day", "days")
		}
	}
	if d < 0 {
		return "in " + words(-d)
	}
	return words(d) + " ago"
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
