package slacktest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"rolecall/bot/slacktest"
)

// runes is n characters that are each four bytes long: limits count code points.
func runes(n int) string { return strings.Repeat("𝄞", n) }

// times is n JSON values, made by f, with commas between.
func times(n int, f func(i int) string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = f(i)
	}
	return strings.Join(parts, ",")
}

func divider(int) string { return `{"type":"divider"}` }

func text(kind, s string) string { return fmt.Sprintf(`{"type":%q,"text":%q}`, kind, s) }

func jsonSection(s string) string {
	return fmt.Sprintf(`{"type":"section","text":%s}`, text("mrkdwn", s))
}

func actions(elements string) string {
	return fmt.Sprintf(`{"type":"actions","block_id":"a","elements":[%s]}`, elements)
}

func jsonButton(label, rest string) string {
	return fmt.Sprintf(`{"type":"button","text":%s%s}`, text("plain_text", label), rest)
}

func option(i int) string {
	return fmt.Sprintf(`{"text":%s,"value":"v%d"}`, text("plain_text", "o"), i)
}

func groupsOf(groups, each int) string {
	return fmt.Sprintf(`{"type":"multi_static_select","option_groups":[%s]}`, times(groups, func(int) string {
		return fmt.Sprintf(`{"label":%s,"options":[%s]}`, text("plain_text", "g"), times(each, option))
	}))
}

func selectOf(n int, rest string) string {
	return fmt.Sprintf(`{"type":"static_select","options":[%s]%s}`, times(n, option), rest)
}

func confirmed(title, body, yes, no int) string {
	return jsonButton("b", fmt.Sprintf(`,"confirm":{"title":%s,"text":%s,"confirm":%s,"deny":%s}`,
		text("plain_text", runes(title)), text("mrkdwn", runes(body)), text("plain_text", runes(yes)), text("plain_text", runes(no))))
}

func row(n int) string {
	return "[" + times(n, func(int) string { return `{"type":"raw_text","text":"x"}` }) + "]"
}

func table(rows, columns int) string {
	return fmt.Sprintf(`{"type":"table","rows":[%s]}`, times(rows, func(int) string { return row(columns) }))
}

func dataTable(rows int, rest string) string {
	return fmt.Sprintf(`{"type":"data_table","rows":[%s]%s}`, times(rows, func(int) string { return row(2) }), rest)
}

func container(children int, child string) string {
	return fmt.Sprintf(`{"type":"container","title":%s,"child_blocks":[%s]}`, text("plain_text", "t"), times(children, func(int) string { return child }))
}

func layout(rows, items int) string {
	item := func(int) string { return `{"block":{"type":"divider"}}` }
	return fmt.Sprintf(`{"type":"layout","label":"l","rows":[%s]}`, times(rows, func(int) string { return `{"items":[` + times(items, item) + `]}` }))
}

func TestBlocksOfMessagesAreHeldToSlacksLimits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		blocks string
		want   string // part of the refusal; "" when Slack accepts
	}{
		"50 blocks":                        {blocks: times(50, divider)},
		"51 blocks":                        {times(51, divider), "no more than 50 items allowed [json-pointer:/blocks]"},
		"section of 3000 characters":       {blocks: jsonSection(runes(3000))},
		"section of 3001 characters":       {jsonSection(runes(3001)), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		"empty section text":               {jsonSection(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
		"section without text and fields":  {`{"type":"section"}`, "text or fields [json-pointer:/blocks/0]"},
		"10 fields of 2000":                {blocks: `{"type":"section","fields":[` + times(10, func(int) string { return text("mrkdwn", runes(2000)) }) + `]}`},
		"11 fields":                        {`{"type":"section","fields":[` + times(11, func(int) string { return text("mrkdwn", "f") }) + `]}`, "no more than 10 items allowed [json-pointer:/blocks/0/fields]"},
		"field of 2001":                    {`{"type":"section","fields":[` + text("mrkdwn", runes(2001)) + `]}`, "[json-pointer:/blocks/0/fields/0/text]"},
		"header of 150":                    {blocks: `{"type":"header","text":` + text("plain_text", runes(150)) + `}`},
		"header of 151":                    {`{"type":"header","text":` + text("plain_text", runes(151)) + `}`, "must be less than 151 characters"},
		"header in mrkdwn":                 {`{"type":"header","text":` + text("mrkdwn", "h") + `}`, "must be plain_text"},
		"text that is no text object":      {`{"type":"section","text":"words"}`, "failed to match all allowed schemas"},
		"emoji on mrkdwn":                  {`{"type":"section","text":{"type":"mrkdwn","text":"x","emoji":true}}`, "invalid additional property: emoji"},
		"verbatim on plain text":           {`{"type":"header","text":{"type":"plain_text","text":"x","verbatim":true}}`, "invalid additional property: verbatim"},
		"block that is no object":          {`"section"`, "must be an object [json-pointer:/blocks/0]"},
		"unknown block":                    {`{"type":"marquee"}`, "unsupported type: marquee [json-pointer:/blocks/0/type]"},
		"card, which only streams take":    {`{"type":"card"}`, "unsupported type: card"},
		"alert outside a modal":            {`{"type":"alert","text":` + text("plain_text", "x") + `}`, "unsupported type: alert"},
		"block_id of 255":                  {blocks: `{"type":"divider","block_id":"` + runes(255) + `"}`},
		"block_id of 256":                  {`{"type":"divider","block_id":"` + runes(256) + `"}`, "must be less than 256 characters [json-pointer:/blocks/0/block_id]"},
		"block_id twice":                   {`{"type":"divider","block_id":"x"},{"type":"divider","block_id":"x"}`, "already exists [json-pointer:/blocks/1/block_id]"},
		"10 context elements":              {blocks: `{"type":"context","elements":[` + times(10, func(int) string { return text("mrkdwn", "c") }) + `]}`},
		"11 context elements":              {`{"type":"context","elements":[` + times(11, func(int) string { return text("mrkdwn", "c") }) + `]}`, "no more than 10 items allowed"},
		"context without elements":         {`{"type":"context","elements":[]}`, "must contain at least 1 items"},
		"button in context":                {`{"type":"context","elements":[` + jsonButton("b", "") + `]}`, "unsupported type: button"},
		"25 buttons":                       {blocks: actions(times(25, func(int) string { return jsonButton("b", "") }))},
		"26 buttons":                       {actions(times(26, func(int) string { return jsonButton("b", "") })), "no more than 25 items allowed"},
		"button text of 75":                {blocks: actions(jsonButton(runes(75), ""))},
		"button text of 76":                {actions(jsonButton(runes(76), "")), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"},
		"button text in mrkdwn":            {actions(`{"type":"button","text":` + text("mrkdwn", "b") + `}`), "must be plain_text"},
		"button without text":              {actions(`{"type":"button"}`), "missing required field [json-pointer:/blocks/0/elements/0/text]"},
		"button value of 2000":             {blocks: actions(jsonButton("b", `,"value":"`+runes(2000)+`"`))},
		"button value of 2001":             {actions(jsonButton("b", `,"value":"`+runes(2001)+`"`)), "must be less than 2001 characters"},
		"button url of 3001":               {actions(jsonButton("b", `,"url":"`+runes(3001)+`"`)), "must be less than 3001 characters"},
		"button style of its own":          {actions(jsonButton("b", `,"style":"warning"`)), "must be one of: primary, danger"},
		"accessibility label of 76":        {actions(jsonButton("b", `,"accessibility_label":"`+runes(76)+`"`)), "must be less than 76 characters"},
		"11 people see a button":           {actions(jsonButton("b", `,"visible_to_user_ids":[`+times(11, func(i int) string { return fmt.Sprintf(`"U%d"`, i) })+`]`)), "no more than 10 items allowed"},
		"action_id twice in a block":       {actions(jsonButton("b", `,"action_id":"x"`) + "," + jsonButton("c", `,"action_id":"x"`)), "already exists in this block"},
		"action_id of 256":                 {actions(jsonButton("b", `,"action_id":"`+runes(256)+`"`)), "must be less than 256 characters"},
		"unknown element":                  {actions(`{"type":"slider"}`), "unsupported type: slider"},
		"text input among actions":         {actions(`{"type":"plain_text_input"}`), "unsupported type: plain_text_input"},
		"confirm at its limits":            {blocks: actions(confirmed(100, 300, 30, 30))},
		"confirm title of 101":             {actions(confirmed(101, 300, 30, 30)), "must be less than 101 characters"},
		"confirm text of 301":              {actions(confirmed(100, 301, 30, 30)), "must be less than 301 characters"},
		"confirm button of 31":             {actions(confirmed(100, 300, 31, 30)), "must be less than 31 characters"},
		"deny button of 31":                {actions(confirmed(100, 300, 30, 31)), "must be less than 31 characters"},
		"confirm without deny":             {actions(jsonButton("b", `,"confirm":{"title":`+text("plain_text", "t")+`,"text":`+text("mrkdwn", "t")+`,"confirm":`+text("plain_text", "y")+`}`)), "confirm/deny"},
		"100 options":                      {blocks: actions(selectOf(100, ""))},
		"101 options":                      {actions(selectOf(101, "")), "no more than 100 items allowed"},
		"select without options":           {actions(`{"type":"static_select"}`), "exactly one of options and option_groups"},
		"placeholder of 151":               {actions(selectOf(1, `,"placeholder":`+text("plain_text", runes(151)))), "must be less than 151 characters"},
		"initial option from elsewhere":    {actions(selectOf(1, `,"initial_option":{"text":`+text("plain_text", "o")+`,"value":"other"}`)), "is not one of the options"},
		"option value of 151":              {actions(`{"type":"static_select","options":[{"text":` + text("plain_text", "o") + `,"value":"` + runes(151) + `"}]}`), "must be less than 151 characters"},
		"option text of 76":                {actions(`{"type":"static_select","options":[{"text":` + text("plain_text", runes(76)) + `,"value":"v"}]}`), "must be less than 76 characters"},
		"option description of 76":         {actions(`{"type":"static_select","options":[{"text":` + text("plain_text", "o") + `,"value":"v","description":` + text("plain_text", runes(76)) + `}]}`), "must be less than 76 characters"},
		"option text in mrkdwn":            {actions(`{"type":"static_select","options":[{"text":` + text("mrkdwn", "o") + `,"value":"v"}]}`), "must be plain_text"},
		"checkbox text in mrkdwn":          {blocks: actions(`{"type":"checkboxes","options":[{"text":` + text("mrkdwn", "o") + `,"value":"v"}]}`)},
		"option groups":                    {blocks: actions(`{"type":"static_select","option_groups":[{"label":` + text("plain_text", "g") + `,"options":[` + option(1) + `]}]}`)},
		"empty option group":               {actions(`{"type":"static_select","option_groups":[{"label":` + text("plain_text", "g") + `,"options":[]}]}`), "must contain at least 1 items"},
		"100 groups of 100 each":           {blocks: actions(groupsOf(100, 100))},
		"101 groups":                       {actions(groupsOf(101, 1)), "no more than 100 items allowed"},
		"a group of 101":                   {actions(groupsOf(1, 101)), "no more than 100 items allowed"},
		"group label of 76":                {actions(`{"type":"multi_static_select","option_groups":[{"label":` + text("plain_text", runes(76)) + `,"options":[` + option(1) + `]}]}`), "must be less than 76 characters"},
		"groups and options":               {actions(`{"type":"multi_static_select","options":[` + option(1) + `],"option_groups":[{"label":` + text("plain_text", "g") + `,"options":[` + option(1) + `]}]}`), "exactly one of options and option_groups"},
		"overflow of 5":                    {blocks: actions(`{"type":"overflow","options":[` + times(5, option) + `]}`)},
		"overflow of 6":                    {actions(`{"type":"overflow","options":[` + times(6, option) + `]}`), "no more than 5 items allowed"},
		"checkboxes of 11":                 {actions(`{"type":"checkboxes","options":[` + times(11, option) + `]}`), "no more than 10 items allowed"},
		"radio buttons of 11":              {actions(`{"type":"radio_buttons","options":[` + times(11, option) + `]}`), "no more than 10 items allowed"},
		"date in words":                    {actions(`{"type":"datepicker","initial_date":"tomorrow"}`), "must be in the form 2006-01-02"},
		"image":                            {blocks: `{"type":"image","image_url":"https://x.test/a.png","alt_text":"a"}`},
		"image without alt text":           {`{"type":"image","image_url":"https://x.test/a.png"}`, "alt_text"},
		"image from nowhere":               {`{"type":"image","alt_text":"a"}`, "exactly one of image_url and slack_file"},
		"markdown of 12,000 in two blocks": {blocks: `{"type":"markdown","text":"` + runes(6000) + `"},{"type":"markdown","text":"` + runes(6000) + `"}`},
		"markdown of 12,001 in two blocks": {`{"type":"markdown","text":"` + runes(6000) + `"},{"type":"markdown","text":"` + runes(6001) + `"}`, "markdown blocks together"},
		"table at its limits":              {blocks: table(100, 20)},
		"table of 101 rows":                {table(101, 1), "no more than 100 items allowed"},
		"table of 21 columns":              {table(1, 21), "no more than 20 items allowed"},
		"two tables":                       {table(1, 1) + "," + table(1, 1), "only_one_table_allowed"},
		"unknown table cell":               {`{"type":"table","rows":[[{"type":"formula"}]]}`, "unsupported type: formula"},
		"data table":                       {blocks: dataTable(3, `,"caption":"c","page_size":100`)},
		"data table without caption":       {dataTable(3, ""), "caption"},
		"data table without body":          {dataTable(1, `,"caption":"c"`), "must contain at least 2 items"},
		"data table of 202 rows":           {dataTable(202, `,"caption":"c"`), "no more than 201 items allowed"},
		"data table page of 101":           {dataTable(3, `,"caption":"c","page_size":101`), "must be between 1 and 100"},
		"container of 10":                  {blocks: container(10, divider(0))},
		"container of 11":                  {container(11, divider(0)), "no more than 10 items allowed"},
		"markdown in a container":          {container(1, `{"type":"markdown","text":"x"}`), "unsupported type: markdown"},
		"container without title":          {`{"type":"container","child_blocks":[{"type":"divider"}]}`, "/title"},
		"layout":                           {blocks: layout(5, 3)},
		"layout of 6 rows":                 {layout(6, 1), "no more than 5 items allowed"},
		"layout of 4 items":                {layout(1, 4), "no more than 3 items allowed"},
		"nested layout blocks count":       {layout(5, 3) + "," + times(35, divider), "no more than 50 items allowed [json-pointer:/blocks]"},
		"rich text":                        {blocks: `{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[]}]}`},
		"unknown rich text":                {`{"type":"rich_text","elements":[{"type":"rich_text_poem"}]}`, "unsupported type: rich_text_poem"},
		"chart title of 51":                {`{"type":"data_visualization","title":"` + runes(51) + `","chart":{"type":"pie","segments":[{"label":"a","value":1}]}}`, "must be less than 51 characters"},
		"chart of 13 segments":             {`{"type":"data_visualization","title":"t","chart":{"type":"pie","segments":[` + times(13, func(int) string { return `{"label":"a","value":1}` }) + `]}}`, "no more than 12 items allowed"},
		"input label of 2001":              {`{"type":"input","label":` + text("plain_text", runes(2001)) + `,"element":{"type":"plain_text_input"}}`, "must be less than 2001 characters"},
		"input hint of 2001":               {`{"type":"input","label":` + text("plain_text", "l") + `,"hint":` + text("plain_text", runes(2001)) + `,"element":{"type":"plain_text_input"}}`, "must be less than 2001 characters"},
		"button in an input":               {`{"type":"input","label":` + text("plain_text", "l") + `,"element":` + jsonButton("b", "") + `}`, "unsupported type: button"},
		"input that may hold 3001":         {`{"type":"input","label":` + text("plain_text", "l") + `,"element":{"type":"plain_text_input","max_length":3001}}`, "must be between 1 and 3000"},
		"input whose limits cross":         {`{"type":"input","label":` + text("plain_text", "l") + `,"element":{"type":"plain_text_input","min_length":5,"max_length":4}}`, "must be no more than max_length"},
		"five icon buttons": {blocks: `{"type":"context_actions","elements":[` + times(5, func(int) string {
			return `{"type":"icon_button","icon":"trash","text":` + text("plain_text", "x") + `}`
		}) + `]}`},
		"six icon buttons": {`{"type":"context_actions","elements":[` + times(6, func(int) string {
			return `{"type":"icon_button","icon":"trash","text":` + text("plain_text", "x") + `}`
		}) + `]}`, "no more than 5 items allowed"},
		"property unknown to a section":            {`{"type":"section","text":` + text("mrkdwn", "x") + `,"colour":"red"}`, "invalid additional property: colour [json-pointer:/blocks/0]"},
		"property unknown to a button":             {actions(jsonButton("b", `,"size":"big"`)), "invalid additional property: size [json-pointer:/blocks/0/elements/0]"},
		"property unknown to an option":            {actions(`{"type":"static_select","options":[{"text":` + text("plain_text", "o") + `,"value":"v","icon":"x"}]}`), "invalid additional property: icon"},
		"property unknown to a confirm":            {actions(jsonButton("b", `,"confirm":{"title":`+text("plain_text", "t")+`,"text":`+text("mrkdwn", "t")+`,"confirm":`+text("plain_text", "y")+`,"deny":`+text("plain_text", "n")+`,"icon":"x"}`)), "invalid additional property: icon"},
		"words among context elements":             {`{"type":"context","elements":["words"]}`, "must be an object [json-pointer:/blocks/0/elements/0]"},
		"words among actions":                      {actions(`"words"`), "unsupported type"},
		"words among layout items":                 {`{"type":"layout","label":"l","rows":[{"items":["words"]}]}`, "must be an object [json-pointer:/blocks/0/rows/0/items/0]"},
		"a URL on a select's option":               {actions(`{"type":"static_select","options":[{"text":` + text("plain_text", "o") + `,"value":"v","url":"https://x.test"}]}`), "invalid additional property: url"},
		"image alt text of 2000":                   {blocks: `{"type":"image","image_url":"u","alt_text":"` + runes(2000) + `"}`},
		"image alt text of 2001":                   {`{"type":"image","image_url":"u","alt_text":"` + runes(2001) + `"}`, "must be less than 2001 characters [json-pointer:/blocks/0/alt_text]"},
		"layout label of 150":                      {blocks: `{"type":"layout","label":"` + runes(150) + `","rows":[{"items":[{"block":{"type":"divider"}}]}]}`},
		"layout label of 151":                      {`{"type":"layout","label":"` + runes(151) + `","rows":[{"items":[{"block":{"type":"divider"}}]}]}`, "must be less than 151 characters"},
		"container title of 151":                   {`{"type":"container","title":` + text("plain_text", runes(151)) + `,"child_blocks":[{"type":"divider"}]}`, "must be less than 151 characters"},
		"a file of one's own":                      {`{"type":"file","external_id":"x","source":"local"}`, "source is not remote"},
		"a video":                                  {blocks: `{"type":"video","title":` + text("plain_text", "t") + `,"alt_text":"a","thumbnail_url":"https://x.test/t","video_url":"https://x.test/v"}`},
		"a video without its URL":                  {`{"type":"video","title":` + text("plain_text", "t") + `,"alt_text":"a","thumbnail_url":"https://x.test/t"}`, "/video_url"},
		"feedback buttons":                         {blocks: `{"type":"context_actions","elements":[{"type":"feedback_buttons","positive_button":{"text":` + text("plain_text", "+") + `,"value":"p"},"negative_button":{"text":` + text("plain_text", "-") + `,"value":"n"}}]}`},
		"feedback with one button":                 {`{"type":"context_actions","elements":[{"type":"feedback_buttons","positive_button":{"text":` + text("plain_text", "+") + `,"value":"p"}}]}`, "negative_button"},
		"a number input that leaves decimals open": {`{"type":"input","label":` + text("plain_text", "l") + `,"element":{"type":"number_input"}}`, "is_decimal_allowed"},
		"eleven files":                             {`{"type":"input","label":` + text("plain_text", "l") + `,"element":{"type":"file_input","max_files":11}}`, "must be between 1 and 10"},
		"a menu that allows no choice":             {actions(`{"type":"multi_users_select","max_selected_items":0}`), "must be at least 1"},
		"data table text of 20,001":                {dataTable(2, `,"caption":"c"`) + `,` + `{"type":"data_table","caption":"c","rows":[[{"type":"raw_text","text":"h"}],[{"type":"raw_text","text":"` + runes(20_000) + `"}]]}`, "all text together"},
		"a chart of an unknown kind":               {`{"type":"data_visualization","title":"t","chart":{"type":"radar","segments":[{"label":"a","value":1}]}}`, "unsupported type: radar"},
		"chart label of 21":                        {`{"type":"data_visualization","title":"t","chart":{"type":"line","series":[{"name":"s","data":[]}],"axis_config":{"categories":["` + runes(21) + `"]}}}`, "must be less than 21 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, lenient)
			form := url.Values{"token": {w.Config().BotToken}, "channel": {payments}, "blocks": {"[" + tt.blocks + "]"}}
			_, got := w.raw(t, "chat.postMessage", "application/x-www-form-urlencoded", "", form.Encode())
			checkRefusal(t, got, "invalid_blocks", tt.want)
			if tt.want != "" && len(w.Messages(payments)) > 0 {
				t.Error("the refused message was posted")
			}
			if tt.want != "" && len(w.Violations()) != 1 {
				t.Errorf("got violations %+v, want one", w.Violations())
			}
		})
	}
}

// checkRefusal compares an answer with the code and part of the messages that are wanted; want "" wants ok.
func checkRefusal(t *testing.T, got map[string]any, code, want string) {
	t.Helper()
	if want == "" {
		if got["ok"] != true {
			t.Errorf("refused: %v", got)
		}
		return
	}
	if got["error"] != code {
		t.Fatalf("got %v, want error %s", got, code)
	}
	if said := fmt.Sprint(got["response_metadata"]); !strings.Contains(said, want) {
		t.Errorf("got %s, want it to say %q", said, want)
	}
}

func TestIDsLeftOutAreFilledInAsSlackDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form := url.Values{"token": {w.Config().BotToken}, "channel": {payments}, "blocks": {`[{"type":"actions","elements":[` + jsonButton("b", "") + `]},` + jsonSection("s") + `]`}}
	_, got := w.raw(t, "chat.postMessage", "application/x-www-form-urlencoded", "", form.Encode())
	blocks := got["message"].(map[string]any)["blocks"].([]any)
	first, second := blocks[0].(map[string]any), blocks[1].(map[string]any)
	if first["block_id"] == "" || first["block_id"] == second["block_id"] {
		t.Errorf("block ids %v and %v should be made up and differ", first["block_id"], second["block_id"])
	}
	element := first["elements"].([]any)[0].(map[string]any)
	if element["action_id"] == nil || element["text"].(map[string]any)["emoji"] != true {
		t.Errorf("element %v should have an action id and emoji: true", element)
	}
	if second["text"].(map[string]any)["verbatim"] != false {
		t.Errorf("section %v should have verbatim: false", second)
	}
}

// Whatever the app sends as blocks, the fake answers, and what it accepts can be read.
func FuzzBlocks(f *testing.F) {
	for _, seed := range []string{
		"[]", "[null]", "[1]", `{"a":1}`, "[" + jsonSection("x") + "]", "[" + actions(selectOf(2, "")) + "]",
		"[" + table(1, 1) + "]", "[" + layout(1, 1) + "]", "[" + container(1, divider(0)) + "]", "[" + dataTable(2, `,"caption":"c"`) + "]",
		`[{"type":"layout","label":"l","rows":[{"items":[{"block":null}]}]}]`, `[{"type":"data_table","rows":[null,1]}]`,
		`[{"type":"input","label":{"type":"plain_text","text":"l"},"element":{"type":"external_select","initial_option":{"value":"x"}}}]`,
	} {
		f.Add(seed)
	}
	w := slacktest.New(slacktest.Config{NoRateLimits: true, MaxCalls: 10})
	populate(w)
	handler := w.Handler()
	f.Fuzz(func(t *testing.T, blocks string) {
		form := url.Values{"token": {w.Config().BotToken}, "channel": {payments}, "blocks": {blocks}, "text": {"x"}}
		r := httptest.NewRequest(http.MethodPost, "/api/chat.postMessage", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", formBody)
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		if !strings.Contains(answer.Body.String(), `"ok":true`) {
			return
		}
		said := w.Messages(payments)
		stored := said[len(said)-1].Blocks
		slacktest.PlainText(stored)
		for _, c := range slacktest.Controls(stored) { // presses reach no app, but build every payload
			_, err := w.Press(t.Context(), marco, payments, said[len(said)-1].TS, c.ActionID, slacktest.InBlock(c.BlockID))
			if err == nil {
				t.Errorf("pressed %+v without an app", c)
			}
		}
	})
}
