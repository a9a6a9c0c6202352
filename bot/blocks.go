package bot

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"golang.org/x/text/unicode/bidi"
)

// Slack's limits, in code points (docs.slack.dev, Block Kit reference).
const (
	maxSection = 3000
	maxBlocks  = 50  // of a message
	maxView    = 100 // of a modal or a Home tab
	maxButton  = 75
	maxPush    = 3900 // chat.update refuses text beyond 4,000
)

// Ours: how much of what others wrote fits into one line of a card.
const (
	maxName   = 80
	maxTeam   = 60
	maxPhrase = 400
)

// What keeps right-to-left text to itself (Unicode Bidirectional Algorithm, FSI and PDI).
const (
	isolate  = "\u2068"
	isolated = "\u2069"
)

// escape returns foreign text as Slack shows it literally, on one line: it can
// be no mention, link, emphasis or emoji, cannot turn the text around it, and
// cannot show a tick that only the house may show.
func escape(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 8)
	rightToLeft := false
	for i, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == ':' && shortcode(s[i+1:]):
			b.WriteRune('∶')
		case r == '_' && !insideWord(s, i):
			b.WriteRune('ˍ')
		default:
			if kept := literal(r); kept >= 0 {
				b.WriteRune(kept)
				rightToLeft = rightToLeft || isRightToLeft(kept)
			}
		}
	}
	if rightToLeft { // isolated, so that it does not reorder what stands beside it
		return isolate + b.String() + isolated
	}
	return b.String()
}

// literal returns the rune that stands for r, or -1 for none.
func literal(r rune) rune {
	switch r {
	case '*':
		return '∗'
	case '~':
		return '∼'
	case '`':
		return 'ˋ'
	case '✓', '✔', '✅', '☑', '🗸', '🗹', '🆗', '🟢', '🟩', '💚':
		return '·'
	case '\n', '\r', '\t':
		return ' '
	case utf8.RuneError:
		return -1
	}
	switch {
	case r == '\u200c' || r == '\u200d': // emoji and Persian are written with them
		return r
	case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unseen(r):
		return -1
	case unicode.IsSpace(r):
		return ' '
	default:
		return r
	}
}

// unseen reports whether r counts as a letter or a mark and shows nothing: the
// joiner of graphemes, the fillers of Hangul, and the blank of Braille.
func unseen(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800':
		return true
	default:
		return false
	}
}

// shortcode reports whether what follows a colon makes it an emoji's name.
func shortcode(rest string) bool {
	end := strings.IndexByte(rest, ':')
	if end < 1 || end > 60 {
		return false
	}
	return !strings.ContainsFunc(rest[:end], func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-+'", r)
	})
}

// insideWord reports whether the byte at i has letters or digits on both sides:
// there an underscore is no emphasis, and stays as people write it.
func insideWord(s string, i int) bool {
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[i+1:])
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
	return i > 0 && i+1 < len(s) && word(before) && word(after)
}

func isRightToLeft(r rune) bool {
	if r < 0x590 {
		return false
	}
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.R || p.Class() == bidi.AL
}

// plain returns foreign text as literal does, its marks of emphasis as they are.
func plain(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch r {
		case '*', '~', '`':
			return r
		}
		return literal(r)
	}, s))
}

// clip returns s cut to n code points, the last one an ellipsis when it was longer.
func clip(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	count := 0
	for i := range s {
		if count == n-1 {
			return strings.TrimRightFunc(s[:i], unicode.IsSpace) + "…"
		}
		count++
	}
	return s
}

// clipMarkup clips escaped text without cutting an entity or a mention in two.
func clipMarkup(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	if strings.Contains(s, isolate) {
		n-- // for what ends a run that is cut in two
	}
	cut := strings.TrimSuffix(clip(s, n), "…")
	if open := strings.LastIndexByte(cut, '<'); open > strings.LastIndexByte(cut, '>') {
		cut = cut[:open]
	}
	if amp := strings.LastIndexByte(cut, '&'); amp >= 0 && !strings.Contains(cut[amp:], ";") {
		cut = cut[:amp]
	}
	if strings.Count(cut, isolate) > strings.Count(cut, isolated) {
		return cut + "…" + isolated
	}
	return cut + "…"
}

// foreign returns text from outside, clipped to n code points and escaped.
func foreign(s string, n int) string { return escape(clip(strings.TrimSpace(s), n)) }

// mrkdwn returns a text object whose addresses and names are left as they stand.
func mrkdwn(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.MarkdownType, clipMarkup(s, maxSection), false, true)
}

func plainText(s string, n int) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, clip(s, n), false, false)
}

func section(s string) slack.Block { return slack.NewSectionBlock(mrkdwn(s), nil, nil) }

func contextLine(s string) slack.Block { return slack.NewContextBlock("", mrkdwn(s)) }

func header(s string) slack.Block { return slack.NewHeaderBlock(plainText(s, 150)) }

func button(action, value, label string) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(action, value, plainText(label, maxButton))
}

// packLines joins lines as far as a section takes them, at most that many, and
// ends with what more(n) says of the n that are left out.
func packLines(lines []string, most int, more func(left int) string) string {
	const room = maxSection - 200 // for the last line
	used := 0
	for i, l := range lines {
		used += utf8.RuneCountInString(l) + 1
		if i == most || used > room {
			return strings.Join(append(lines[:i:i], more(len(lines)-i)), "\n")
		}
	}
	return strings.Join(lines, "\n")
}

// seeMore says where the rest of a list is.
func seeMore(where string) func(int) string {
	return func(left int) string { return fmt.Sprintf("and %d more: %s", left, where) }
}

// withBlockIDs names every block after what the message shows: Slack keeps
// state by block id, so an edit must bring new ones.
func withBlockIDs(blocks []slack.Block, digest string) []slack.Block {
	for i, b := range blocks {
		id := fmt.Sprintf("%s.%d", digest, i)
		switch b := b.(type) {
		case *slack.SectionBlock:
			b.BlockID = id
		case *slack.ContextBlock:
			b.BlockID = id
		case *slack.ActionBlock:
			b.BlockID = id
		case *slack.DividerBlock:
			b.BlockID = id
		case *slack.HeaderBlock:
			b.BlockID = id
		case *slack.TableBlock:
			b.BlockID = id
		case *slack.ImageBlock:
			b.BlockID = id
		}
	}
	return blocks
}
