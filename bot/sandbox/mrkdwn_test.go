package sandbox

import (
	"html"
	"regexp"
	"strings"
	"testing"
)

func testScribe() scribe {
	names := map[string]string{"U0ANA": "Ana <b>Lima</b>", "C0PAY": "payments", "S0OWN": "payments-owners"}
	return scribe{
		name: func(id string) string { return names[id] },
		link: func(id string) string { return map[string]string{"C0PAY": "/u/U0ANA/c/C0PAY"}[id] },
		date: func(seconds, format string) string {
			return map[string]string{"1777741200 {time}": "17:00"}[seconds+" "+format]
		},
	}
}

func TestMarkUpBecomesHTML(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want string }{
		"words":                         {"hello", "hello"},
		"bold":                          {"*Why* moved", "<strong>Why</strong> moved"},
		"italic and strike":             {"_now_ ~then~", "<em>now</em> <s>then</s>"},
		"marks nest":                    {"*bold _and italic_*", "<strong>bold <em>and italic</em></strong>"},
		"punctuation around a mark":     {"(*x y*),", "(<strong>x y</strong>),"},
		"marks inside words are none":   {"limited_user and 2*3*4", "limited_user and 2*3*4"},
		"a mark alone is none":          {"5 * 3 = 15 *", "5 * 3 = 15 *"},
		"a mark before a space is none": {"* one* two", "* one* two"},
		"an open mark is none":          {"*one", "*one"},
		"two marks are none":            {"** and __", "** and __"},
		"a name in bold":                {"*<@U0ANA> asks*", `<strong><span class="mention">@Ana &lt;b&gt;Lima&lt;/b&gt;</span> asks</strong>`},
		"code keeps its marks":          {"`*x* <@U0ANA> &lt;b&gt;`", "<code>*x* @Ana &lt;b&gt;Lima&lt;/b&gt; &lt;b&gt;</code>"},
		"a block of code":               {"see\n```\na *b*\n&amp;c\n```\nend", "see<br><pre>a *b*\n&amp;c</pre>end"},
		"lines":                         {"one\ntwo", "one<br>two"},
		"a quote":                       {"> said\n> more\nend", "<blockquote>said<br>more</blockquote>end"},
		"a quote written out":           {"&gt; said", "<blockquote>said</blockquote>"},
		"a list":                        {"• one\n2. two", `<span class="li"><span class="dot">•</span><span>one</span></span><span class="li"><span class="dot">2.</span><span>two</span></span>`},
		"a person who is unknown":       {"<@U0NEW|new>", `<span class="mention">@new</span>`},
		"a channel":                     {"<#C0PAY>", `<a href="/u/U0ANA/c/C0PAY"><span class="mention">#payments</span></a>`},
		"a channel out of reach":        {"<#C0SEC|security>", `<span class="mention">#security</span>`},
		"a group":                       {"<!subteam^S0OWN>", `<span class="mention">@payments-owners</span>`},
		"everybody here":                {"<!here>", `<span class="mention">@here</span>`},
		"a date":                        {"<!date^1777741200^{time}|Tue>", "<time>17:00</time>"},
		"a date not understood":         {"<!date^1777741200^{year}|Tue &amp; Wed>", "<time>Tue &amp; Wed</time>"},
		"a link":                        {"<https://acme.test/a?b=1&amp;c=2|the run>", `<a href="https://acme.test/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer">the run</a>`},
		"a link without words":          {"<mailto:a@acme.test>", `<a href="mailto:a@acme.test" target="_blank" rel="noopener noreferrer">a@acme.test</a>`},
		"a script as link":              {"<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"},
		"a data address as link":        {"<data:text/html,x>", "&lt;data:text/html,x&gt;"},
		"an attribute in a link":        {`<https://x" onclick="alert(1)|x>`, `<a href="https://x&#34; onclick=&#34;alert(1)" target="_blank" rel="noopener noreferrer">x</a>`},
		"a tag":                         {"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"},
		"entities are characters":       {"a &lt;b&gt; &amp;amp;", "a &lt;b&gt; &amp;amp;"},
		"an unclosed reference":         {"a < b", "a &lt; b"},
		"emoji":                         {":white_check_mark: done :nope_x: 10:30:45", "✅ done :nope_x: 10:30:45"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := string(testScribe().mrkdwn(tt.in)); got != tt.want {
				t.Errorf("mrkdwn(%q)\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestBareTextIsWhatAPhoneShows(t *testing.T) {
	t.Parallel()
	got := testScribe().bare("<@U0ANA> in <#C0PAY>: <https://x.test|run> <https://y.test> &lt;b&gt; <!here> <odd")
	want := "@Ana <b>Lima</b> in #payments: run https://y.test <b> @here <odd"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// FuzzMrkdwn holds that whatever an app or a person writes, only the tags that the page draws itself come out.
func FuzzMrkdwn(f *testing.F) {
	for _, seed := range []string{"*a* _b_ ~c~ `d`", "```x```", "> q\n• l", "<@U0ANA|x> <#C0PAY> <!date^1^{time}|f>", `<https://x" onmouseover=alert(1)|<b>>`, "<<b>|>", "*<*>*", ":x: &lt;&gt;&amp;", "`<`>`"} {
		f.Add(seed)
	}
	tag := regexp.MustCompile(`<[^>]*>?`)
	ours := regexp.MustCompile(`^</?(strong|em|s|code|pre|blockquote|time|br|a|span)>$|^<span class="(mention|li|dot)">$|^<a href="(https?://|mailto:|/u/)[^"<>]*"( target="_blank" rel="noopener noreferrer")?>$`)
	f.Fuzz(func(t *testing.T, text string) {
		got := string(testScribe().mrkdwn(text))
		for _, one := range tag.FindAllString(got, -1) {
			if !ours.MatchString(one) {
				t.Fatalf("mrkdwn(%q) has the tag %q in %s", text, one, got)
			}
		}
		for _, name := range []string{"strong", "em", "s", "code", "pre", "blockquote", "a", "span", "time"} {
			opened := len(regexp.MustCompile("<"+name+"[ >]").FindAllString(got, -1))
			if closed := strings.Count(got, "</"+name+">"); opened != closed {
				t.Fatalf("mrkdwn(%q) opens %s %d times and closes it %d times: %s", text, name, opened, closed, got)
			}
		}
		if plain := string(testScribe().plain(text)); strings.ContainsAny(strings.ReplaceAll(plain, "<br>", ""), "<>") {
			t.Fatalf("plain(%q) = %s", text, plain)
		}
		if back := html.UnescapeString(string(testScribe().plain(strings.ReplaceAll(text, "\n", "")))); !strings.Contains(text, ":") && !strings.Contains(text, "\x00") && back != strings.ReplaceAll(text, "\n", "") {
			t.Fatalf("plain(%q) says %q", text, back)
		}
	})
}
