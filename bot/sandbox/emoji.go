package sandbox

import "strings"

// emoji returns the character of a short name that apps like to use; "" for the others, which stay words.
func emoji(name string) string {
	switch name {
	case "white_check_mark", "heavy_check_mark":
		return "✅"
	case "x":
		return "❌"
	case "warning":
		return "⚠️"
	case "rotating_light":
		return "🚨"
	case "hourglass", "hourglass_flowing_sand":
		return "⏳"
	case "lock":
		return "🔒"
	case "key":
		return "🔑"
	case "bell":
		return "🔔"
	case "eyes":
		return "👀"
	case "information_source":
		return "ℹ️"
	case "no_entry", "no_entry_sign":
		return "⛔"
	case "wave":
		return "👋"
	case "tada":
		return "🎉"
	case "mag":
		return "🔍"
	case "pager":
		return "📟"
	case "calendar", "date":
		return "📅"
	case "bust_in_silhouette":
		return "👤"
	case "busts_in_silhouette":
		return "👥"
	case "shield":
		return "🛡️"
	case "large_green_circle":
		return "🟢"
	case "large_yellow_circle":
		return "🟡"
	case "red_circle":
		return "🔴"
	case "white_circle":
		return "⚪"
	case "+1", "thumbsup":
		return "👍"
	case "-1", "thumbsdown":
		return "👎"
	case "arrow_right":
		return "➡️"
	case "leftwards_arrow_with_hook":
		return "↩️"
	case "pencil", "memo":
		return "📝"
	case "robot_face":
		return "🤖"
	default:
		return ""
	}
}

// drawEmoji writes the emoji whose short name stands between colons at the beginning of text, and returns how much of
// text that was: 0 when there is none.
func drawEmoji(b *strings.Builder, text string) int {
	end := strings.IndexByte(text[1:], ':') + 1
	drawn := emoji(text[1:max(end, 1)])
	if drawn == "" {
		return 0
	}
	b.WriteString(drawn)
	return end + 1
}

// withEmoji replaces short names between colons by their characters in text that is escaped already.
func withEmoji(escaped string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(escaped, ":")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, ":")
		if drawn := emoji(name); closed && drawn != "" {
			b.WriteString(drawn)
			escaped = after
			continue
		}
		b.WriteString(":")
		escaped = rest
	}
}
