package sandbox

import "strings"

// bare returns the words of marked text: references by name, entities as characters. For code and for tooltips.
func (s scribe) bare(text string) string {
	var b strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, "<")
		b.WriteString(unescape(before))
		if !found {
			break
		}
		inner, after, closed := strings.Cut(rest, ">")
		if !closed {
			b.WriteString("<" + unescape(rest))
			break
		}
		b.WriteString(s.bareReference(inner))
		text = after
	}
	return b.String()
}

func (s scribe) bareReference(inner string) string {
	target, label, labelled := strings.Cut(inner, "|")
	switch {
	case strings.HasPrefix(target, "@"):
		return "@" + s.called(target[1:], label)
	case strings.HasPrefix(target, "#"):
		return "#" + s.called(target[1:], label)
	case labelled:
		return unescape(label)
	case strings.HasPrefix(target, "!"):
		return "@" + s.called(strings.TrimPrefix(target[1:], "subteam^"), label)
	case safeLink(target):
		return unescape(target)
	default:
		return "<" + unescape(inner) + ">"
	}
}

// unescape undoes the three entities that Slack's text has.
func unescape(text string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

// slackEscape returns what a person typed as Slack stores it.
func slackEscape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
