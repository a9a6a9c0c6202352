package sandbox

import (
	"html/template"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scribe turns Slack's text into HTML. What it does not recognise comes out as the characters it is made of: nothing
// reaches the page that was not escaped here.
type scribe struct {
	// name says what an id stands for: a user (U…, W…), a channel (C…) or a user group (S…); "" when it is unknown.
	name func(id string) string
	// link is where a channel is read; "" when the reader cannot open it.
	link func(channelID string) string
	// date draws a moment, given in seconds, with one of Slack's formats; "" when the format is not understood.
	date func(seconds, format string) string
}

// plain returns plain text: escaped, with emoji.
func (s scribe) plain(text string) template.HTML {
	return lines(withEmoji(template.HTMLEscapeString(text)))
}

// mrkdwn returns text in Slack's mark-up.
func (s scribe) mrkdwn(text string) template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(text, "```") {
		if i%2 == 1 {
			b.WriteString(`<pre>` + template.HTMLEscapeString(s.bare(strings.Trim(part, "\n"))) + `</pre>`)
			continue
		}
		if i > 0 {
			part = strings.TrimPrefix(part, "\n")
		}
		s.paragraphs(&b, part)
	}
	return template.HTML(b.String()) //nolint:gosec // every piece was escaped as it was written
}

// paragraphs writes lines of text: quotes and list items as blocks, the rest as lines.
func (s scribe) paragraphs(b *strings.Builder, text string) {
	quoted, first := false, true
	for line := range strings.SplitSeq(text, "\n") {
		body, isQuote := quote(line)
		if isQuote != quoted {
			b.WriteString(map[bool]string{true: "<blockquote>", false: "</blockquote>"}[isQuote])
			quoted, first = isQuote, true
		}
		item, rest := listItem(body)
		switch {
		case item != "":
			b.WriteString(`<span class="li"><span class="dot">` + template.HTMLEscapeString(item) + `</span><span>`)
			s.inline(b, rest)
			b.WriteString(`</span></span>`)
			first = true // a block ends its own line
			continue
		case !first:
			b.WriteString("<br>")
		}
		s.inline(b, body)
		first = false
	}
	if quoted {
		b.WriteString("</blockquote>")
	}
}

// quote returns a line without its mark of a quotation, and whether it had one.
func quote(line string) (string, bool) {
	for _, mark := range []string{"&gt;&gt;&gt;", "&gt;", ">>>", ">"} {
		if rest, ok := strings.CutPrefix(line, mark); ok {
			return strings.TrimPrefix(rest, " "), true
		}
	}
	return line, false
}

// listItem splits a line such as "• one" or "2. two" into its mark and its text.
func listItem(line string) (string, string) {
	trimmed := strings.TrimLeft(line, " ")
	for _, mark := range []string{"• ", "◦ ", "- "} {
		if rest, ok := strings.CutPrefix(trimmed, mark); ok {
			return "•", rest
		}
	}
	number, rest, ok := strings.Cut(trimmed, ". ")
	if ok && number != "" && len(number) <= 3 && strings.Trim(number, "0123456789") == "" {
		return number + ".", rest
	}
	return "", line
}

// inline writes one line: references in angle brackets, code, emphasis, emoji.
func (s scribe) inline(b *strings.Builder, text string) {
	for text != "" {
		at := strings.IndexAny(text, "<`*_~:")
		if at < 0 {
			writeText(b, text)
			return
		}
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		if at == 0 {
			before = ' '
		}
		writeText(b, text[:at])
		text = text[at:]
		used := s.marked(b, text, before)
		if used == 0 { // a character like any other
			writeText(b, text[:1])
			used = 1
		}
		text = text[used:]
	}
}

// marked writes what stands at the beginning of text, which is one of the marks, and returns how much of it was
// used: 0 when it is no mark here.
func (s scribe) marked(b *strings.Builder, text string, before rune) int {
	switch text[0] {
	case '<':
		return s.reference(b, text)
	case ':':
		return drawEmoji(b, text)
	}
	end := closing(text, before)
	if end == 0 {
		return 0
	}
	inner := text[1:end]
	if text[0] == '`' {
		b.WriteString("<code>" + template.HTMLEscapeString(s.bare(inner)) + "</code>")
		return end + 1
	}
	tag := map[byte]string{'*': "strong", '_': "em", '~': "s"}[text[0]]
	b.WriteString("<" + tag + ">")
	s.inline(b, inner)
	b.WriteString("</" + tag + ">")
	return end + 1
}

// closing returns where the mark at the beginning of text is closed; 0 when it is not, or when either mark stands
// inside a word.
func closing(text string, before rune) int {
	mark := text[0]
	if isWord(before) || len(text) < 3 || (mark != '`' && text[1] == ' ') || text[1] == mark {
		return 0
	}
	for i := 2; i < len(text); i++ {
		if text[i] == '<' && mark != '`' { // a mark inside a reference closes nothing
			if end := strings.IndexByte(text[i:], '>'); end > 0 {
				i += end
				continue
			}
		}
		if text[i] != mark || (mark != '`' && text[i-1] == ' ') {
			continue
		}
		if after, _ := utf8.DecodeRuneInString(text[i+1:]); i+1 == len(text) || !isWord(after) {
			return i
		}
	}
	return 0
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// reference writes what stands in angle brackets: a person, a channel, a group, a date, a link.
func (s scribe) reference(b *strings.Builder, text string) int {
	end := strings.IndexByte(text, '>')
	if end < 2 || strings.ContainsAny(text[1:end], "<\n") {
		return 0
	}
	target, label, _ := strings.Cut(text[1:end], "|")
	if target == "" {
		return 0
	}
	switch target[0] {
	case '@':
		b.WriteString(mention("@" + s.called(target[1:], label)))
	case '#':
		s.channel(b, target[1:], label)
	case '!':
		s.special(b, target[1:], label)
	default:
		if !s.anchor(b, target, label) {
			return 0
		}
	}
	return end + 1
}

func mention(words string) string {
	return `<span class="mention">` + template.HTMLEscapeString(words) + `</span>`
}

// called returns the name of an id: the workspace's own, else the label that came with it, else the id.
func (s scribe) called(id, label string) string {
	if name := s.name(id); name != "" {
		return name
	}
	if label != "" {
		return strings.TrimPrefix(unescape(label), "@")
	}
	return id
}

func (s scribe) channel(b *strings.Builder, id, label string) {
	words := mention("#" + s.called(id, label))
	if to := s.link(id); to != "" {
		words = `<a href="` + template.HTMLEscapeString(to) + `">` + words + `</a>`
	}
	b.WriteString(words)
}

// special writes <!here>, <!subteam^S…> and <!date^…>.
func (s scribe) special(b *strings.Builder, target, label string) {
	parts := strings.Split(target, "^")
	switch {
	case parts[0] == "date" && len(parts) >= 3:
		words := s.date(parts[1], parts[2])
		if words == "" {
			words = unescape(label)
		}
		b.WriteString(`<time>` + template.HTMLEscapeString(words) + `</time>`)
	case parts[0] == "subteam" && len(parts) >= 2:
		b.WriteString(mention("@" + s.called(parts[1], label)))
	default:
		b.WriteString(mention("@" + s.called(parts[0], label)))
	}
}

// anchor writes a link to the web or a mail address; it reports false for every other kind of target.
func (s scribe) anchor(b *strings.Builder, target, label string) bool {
	target = unescape(target)
	if !safeLink(target) {
		return false
	}
	words := unescape(label)
	if words == "" {
		words = strings.TrimPrefix(target, "mailto:")
	}
	b.WriteString(`<a href="` + template.HTMLEscapeString(target) + `" target="_blank" rel="noopener noreferrer">` +
		template.HTMLEscapeString(words) + `</a>`)
	return true
}

// safeLink reports whether a browser may follow an address from outside.
func safeLink(target string) bool {
	lower := strings.ToLower(target)
	for _, scheme := range []string{"https://", "http://", "mailto:"} {
		if strings.HasPrefix(lower, scheme) {
			return true
		}
	}
	return false
}

func writeText(b *strings.Builder, text string) {
	b.WriteString(template.HTMLEscapeString(unescape(text)))
}

func lines(escaped string) template.HTML {
	return template.HTML(strings.ReplaceAll(escaped, "\n", "<br>")) //nolint:gosec // escaped by the caller
}
