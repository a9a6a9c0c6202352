package bot

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"rolecall/lifecycle"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{
		"plain text stays":               {"Ben Ode", "Ben Ode"},
		"a mention is text":              {"<@U0MARCO>", "&lt;@U0MARCO&gt;"},
		"a broadcast is text":            {"<!channel>", "&lt;!channel&gt;"},
		"a link is text":                 {"<https://a.test|b>", "&lt;https://a.test|b&gt;"},
		"an ampersand":                   {"R&D", "R&amp;D"},
		"emphasis is not":                {"*a* ~b~ `c` _d_", "∗a∗ ∼b∼ ˋcˋ ˍdˍ"},
		"underscores within a word stay": {"oncall_payments_eu", "oncall_payments_eu"},
		"an emoji's name is not one":     {":white_check_mark: 09:14", "∶white_check_mark: 09:14"},
		"times and labels keep colons":   {"Payments: responder at 09:14", "Payments: responder at 09:14"},
		"a tick is not shown":            {"✅ ✔ 🟢 done", "· · · done"},
		"bidi controls are dropped":      {"a\u202Eb\u2066c\u200Fd", "abcd"},
		"zero widths are dropped":        {"a\u200Bb\uFEFFc", "abc"},
		"what is not seen is dropped":    {"a\u00ADb\u034Fc\u2063d\U000E0041e\u3164f\u2800g\uFFA0h", "abcdefgh"},
		"joiners of letters stay":        {"\u0645\u06CC\u200C\u062E", isolate + "\u0645\u06CC\u200C\u062E" + isolated},
		"every blank is a space":         {"a\u00A0b\u2003c\u3000d", "a b c d"},
		"nor is another tick":            {"🗸 🗹 🆗", "· · ·"},
		"one line":                       {"a\nb\tc\u2028d", "a b c d"},
		"controls are dropped":           {"a\x00b\x1bc", "abc"},
		"right-to-left text is isolated": {"שלום", isolate + "שלום" + isolated},
		"composed emoji stay whole":      {"👩‍🚒", "👩‍🚒"},
		"what is not UTF-8 is dropped":   {"a\xffb", "ab"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := escape(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzForeignTextStaysText(f *testing.F) {
	for _, s := range []string{"Ben", "<!here> *b* :x: `c`", "שלום\u202E", "a&amp;b", strings.Repeat("&", 400), "_x_"} {
		f.Add(s, 80)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 2 + max(n, -n)%4000
		got := foreign(s, n)
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		if strings.ContainsAny(got, "<>*~`\n\r✅✔✓☑") {
			t.Errorf("%q can be more than text", got)
		}
		for _, r := range got {
			if string(r) != isolate && string(r) != isolated && (unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r)) {
				t.Errorf("%q holds the control %U", got, r)
			}
		}
		if strings.Count(got, isolate) != strings.Count(got, isolated) {
			t.Errorf("%q is not closed", got)
		}
		clipped := clipMarkup(got, n)
		if utf8.RuneCountInString(clipped) > n+2 {
			t.Errorf("%d code points, want at most %d and a closing", utf8.RuneCountInString(clipped), n)
		}
		if strings.Count(clipped, isolate) != strings.Count(clipped, isolated) {
			t.Errorf("%q is not closed", clipped)
		}
	})
}

func TestClipCountsCharacters(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in   string
		n    int
		want string
	}{
		"shorter stays":           {"𝔘𝔫𝔦", 3, "𝔘𝔫𝔦"},
		"longer ends in ellipsis": {"𝔘𝔫𝔦𝔠𝔬𝔡𝔢", 4, "𝔘𝔫𝔦…"},
		"no space before it":      {"ab cdef", 4, "ab…"},
	} {
		if got := clip(tt.in, tt.n); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestClipMarkupKeepsEntitiesWhole(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{
		"an entity":  {"abcd&amp;efgh", "abcd…"},
		"a mention":  {"abc <@U0MARCO> said", "abc …"},
		"an isolate": {isolate + "שלוםשוםש", isolate + "שלוםש…" + isolated},
	} {
		if got := clipMarkup(tt.in, 8); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestPackLinesSaysWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	lines := make([]string, 40)
	for i := range lines {
		lines[i] = fmt.Sprintf("%02d %s", i, strings.Repeat("x", 200))
	}
	got := packLines(lines, 30, seeMore("there"))
	shown := strings.Count(got, "x ") + strings.Count(got, "x\n")
	if utf8.RuneCountInString(got) > maxSection || !strings.HasSuffix(got, fmt.Sprintf("and %d more: there", 40-shown)) {
		t.Errorf("%d characters, %d shown: …%s", utf8.RuneCountInString(got), shown, got[len(got)-40:])
	}
	if got := packLines([]string{"a", "b", "c"}, 2, seeMore("there")); got != "a\nb\nand 1 more: there" {
		t.Errorf("got %q", got)
	}
}

func TestValueOfAButton(t *testing.T) {
	t.Parallel()
	id, revision, err := decodeValue(encodeValue("req_abc", 7))
	if id != "req_abc" || revision != 7 || err != nil {
		t.Errorf("got %s, %d, %v", id, revision, err)
	}
	for _, bad := range []string{"", "req_abc", "req_abc:", "req_abc:0", "req_abc:-1", "req_abc:x", "idn_abc:1", "req_" + strings.Repeat("a", 200) + ":1"} {
		if _, _, err := decodeValue(bad); lifecycle.ReasonOf(err) == "" {
			t.Errorf("%q: got %v, want a refusal", bad, err)
		}
	}
	value, at := decodeMeta(encodeMeta("req_abc:7", place{Channel: "C1", TS: "1.2"}))
	if value != "req_abc:7" || at != (place{"C1", "1.2"}) {
		t.Errorf("got %q %v", value, at)
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]int{"10 minutes": 600, "1 minute": 60, "30 seconds": 30, "4 hours": 4 * 3600, "72 minutes": 72 * 60, "14 days": 14 * 86400, "36 hours": 36 * 3600} {
		if got := span(secondsLong(d)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
