package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
)

func TestANoticeIsKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	w := h.post(RouteLifecycle, mediaEvent, minaMoves)
	wantStatus(t, w, http.StatusAccepted)
	var got kept
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.ID, "ntc_") || got.Duplicate {
		t.Errorf("answer %+v", got)
	}
	sum := sha256.Sum256([]byte(minaMoves))
	want := []lifecycle.Fact{{
		ID: lifecycle.NoticeID(got.ID), Source: "hris/bamboo", EventID: "evt_1", Urgent: true, Version: "318",
		Person: lifecycle.Person{
			EmployeeID: "E1042", Status: lifecycle.StatusActive, Emails: []string{"mina.ito@acme.test", "mina@acme.test"}, Name: "Mina Ito",
			Department: "Payments", Location: "Tokyo", Country: "JP", Title: "SRE II", Employment: lifecycle.Employee, ManagerID: "E0007",
			Groups: []string{"oncall-payments"}, StartDate: "2024-04-01",
		},
		ObservedAt:  time.Date(2026, 5, 31, 8, 59, 0, 0, time.UTC),
		EffectiveAt: time.Date(2026, 11, 30, 15, 0, 0, 0, time.UTC),
		ReceivedAt:  h.clock.now(),
		SHA256:      hex.EncodeToString(sum[:]),
	}}
	if diff := cmp.Diff(want, h.store.facts); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]lifecycle.Job{{Kind: lifecycle.JobRegister, Ref: got.ID}}, h.store.jobs); diff != "" {
		t.Errorf("jobs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"hris/bamboo"}, h.heard.names); diff != "" { // and what it says is acted on from the first word
		t.Errorf("sources heard (-want +got):\n%s", diff)
	}
}

func TestARepeatIsHarmless(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.post(RouteLifecycle, mediaEvent, minaMoves)
	again := h.post(RouteLifecycle, mediaJSON, minaMoves)
	wantStatus(t, again, http.StatusOK)
	if want := strings.Replace(first.Body.String(), "false", "true", 1); again.Body.String() != want {
		t.Errorf("the repeat is told %s, want %s", again.Body, want)
	}
	wantStatus(t, h.post(RouteLifecycle, mediaEvent, with(t, "hris/bamboo", "hris/other")), http.StatusAccepted)
	wantStatus(t, h.post(RouteLifecycle, mediaEvent, with(t, "evt_1", "evt_2")), http.StatusAccepted)
	if len(h.store.facts) != 3 {
		t.Errorf("%d facts, want 3", len(h.store.facts))
	}
}

func TestNoticesThatSayWhatTheyMay(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no more than needed":                      `{"specversion":"1.0","id":"1","source":"x","type":"rolecall.identity.v1","time":"2026-05-31T09:00:00Z","data":{"employee_id":"E1","status":"ended","emails":["a@b"]}}`,
		"null for what is not known":               with(t, `"Tokyo"`, "null", `["oncall-payments"]`, "null", "318", "null", "true", "null"),
		"a version that is text":                   with(t, "318", `"318-b"`),
		"a day for a time":                         with(t, "2026-12-01T00:00:00+09:00", "2026-12-01"),
		"a clock that is a little fast":            with(t, "08:59:00Z", "09:04:00Z"),
		"somebody who left before the first day":   with(t, `"active"`, `"ended"`, `"end_date": null`, `"end_date": "2024-03-01"`),
		"an address that is written between tabs":  with(t, `"mina@acme.test"`, `"\tmina@acme.test "`),
		"a name in another script, with a G clef":  with(t, "Mina Ito", `伊藤 美奈 \uD834\uDD1E`),
		"that its data are JSON":                   with(t, `"subject": "E1042"`, `"datacontenttype": "application/json; charset=utf-8"`),
		"an extension that means nothing here":     with(t, "traceparent", "comacmerelay2"),
		"an extension that is an object, and deep": with(t, `"00-ab-cd-01"`, `{"a":[[[[{"b":1}]]]]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantStatus(t, newHouse(t).post(RouteLifecycle, mediaEvent, body), http.StatusAccepted)
		})
	}
}

func TestBodiesThatAreNoJSON(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := range mostMembers + 1 {
		fmt.Fprintf(&many, `"x%d":1,`, i)
	}
	for name, tt := range map[string]struct{ body, reason string }{
		"nothing":               {"", "line 1, column 1: unexpected end"},
		"no JSON at all":        {"employee_id=E1042", "line 1, column 1: invalid character 'e'"},
		"truncated":             {minaMoves[:len(minaMoves)/2], "unexpected end of JSON input"},
		"a comma too many":      {with(t, `"version": 318`, `"version": 318,`), "line 9, column 3: invalid character '}'"},
		"trailing data":         {minaMoves + "{}", "line 10, column 2: invalid character '{' after top-level value"},
		"a comment":             {"// hello\n" + minaMoves, "line 1, column 1"},
		"a key given twice":     {with(t, `"title": "SRE II"`, `"status": "ended"`), `line 6, column 69: the name "status" is given twice`},
		"a key twice, escaped":  {with(t, `"title": "SRE II"`, `"st\u0061tus": "ended"`), `the name "status" is given twice`},
		"a key twice on top":    {with(t, `"subject"`, `"source"`), `the name "source" is given twice`},
		"bytes that are Latin1": {with(t, "Tokyo", "M\xfcnchen"), "line 6, column 45: is not UTF-8"},
		"nesting without end":   {with(t, `"00-ab-cd-01"`, strings.Repeat("[", 5000)+strings.Repeat("]", 5000)), "is nested too deeply"},
		"members without end":   {"{" + many.String() + `"z":1}`, "an object has more than 256 members"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			w := h.post(RouteLifecycle, mediaEvent, tt.body)
			wantStatus(t, w, http.StatusBadRequest)
			if got := failureOf(t, w); got.Kind != "invalid" || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("told %+v, want %q", got, tt.reason)
			}
			if lines := h.store.refusals(); len(lines) != 1 || !strings.HasPrefix(lines[0], "webhook | POST /v1/lifecycle: line ") {
				t.Errorf("trail %q", lines)
			}
		})
	}
}

func TestNoticesThatAreWrong(t *testing.T) {
	t.Parallel()
	type fields = []lifecycle.FieldError
	long := strings.Repeat("ü", longestName+1)
	for name, tt := range map[string]struct {
		body string
		want fields
	}{
		"a status nobody knows": {with(t, `"active"`, `"retired"`), fields{{Path: "data.status", Message: `status "retired" is not one of active, leave, suspended, ended`}}},
		"a status in capitals":  {with(t, `"active"`, `"ACTIVE"`), fields{{Path: "data.status", Message: `status "ACTIVE" is not one of active, leave, suspended, ended`}}},
		"a field spelt wrongly": {with(t, `"department"`, `"deparment"`), fields{{Path: "data.deparment", Message: `is no field that is known here (did you mean "department"?)`}}},
		"a field of another contract": {with(t, `"employment"`, `"employment_type"`), fields{{
			Path: "data.employment_type", Message: `is no field that is known here (did you mean "employment"?)`,
		}}},
		"a field of nobody's": {with(t, `"department"`, `"salary"`), fields{{
			Path: "data.salary", Message: `is no field that is known here; there are employee_id, status, emails, name, department, location, country, title, employment, manager_id, groups, start_date, end_date, timezone, effective_at, urgent, version`,
		}}},
		"another specversion":         {with(t, `"specversion": "1.0"`, `"specversion": "0.3"`), fields{{Path: "specversion", Message: `"0.3" is not 1.0`}}},
		"a specversion that is 1":     {with(t, `"specversion": "1.0"`, `"specversion": 1.0`), fields{{Path: "specversion", Message: "must be text, not a number"}}},
		"no specversion":              {with(t, `"specversion": "1.0", `, ""), fields{{Path: "specversion", Message: `is needed: "1.0"`}}},
		"another type":                {with(t, "identity.v1", "identity.v2"), fields{{Path: "type", Message: `"rolecall.identity.v2" is not rolecall.identity.v1`}}},
		"a finding at the wrong door": {with(t, "identity.v1", "finding.v1"), fields{{Path: "type", Message: `"rolecall.finding.v1" belongs to /v1/findings`}}},
		"no time":                     {with(t, `"time": "2026-05-31T08:59:00Z",`, ""), fields{{Path: "time", Message: "say when this was so, as 2026-05-31T09:00:00Z"}}},
		"a time in the future":        {with(t, "08:59:00Z", "09:05:01Z"), fields{{Path: "time", Message: "is in the future; check the sender's clock"}}},
		"a time without zone":         {with(t, "08:59:00Z", "08:59:00"), fields{{Path: "time", Message: `"2026-05-31T08:59:00" is not a time like 2026-05-31T09:00:00Z`}}},
		"a source with another door":  {with(t, "hris/bamboo", "scim:okta"), fields{{Path: "source", Message: "scim:okta does not speak by this door; name the source of truth that this is, such as hr/acme"}}},
		"a person's word":             {with(t, "hris/bamboo", "rolecall"), fields{{Path: "source", Message: "rolecall does not speak by this door; name the source of truth that this is, such as hr/acme"}}},
		"a source with a space":       {with(t, "hris/bamboo", "roll call"), fields{{Path: "source", Message: "must be a URI reference such as hris/bamboo, without spaces"}}},
		"no id":                       {with(t, `"id": "evt_1"`, `"id": " "`), fields{{Path: "id", Message: "give the event an id; a repeat of it is then harmless"}}},
		"data as text":                {with(t, `"subject"`, `"data_base64"`), fields{{Path: "data_base64", Message: "is not read; send data as an object"}}},
		"a field beside data":         {with(t, `"subject"`, `"location"`), fields{{Path: "location", Message: "belongs under data"}}},
		"an attribute spelt wrongly":  {with(t, `"subject"`, `"Subject"`), fields{{Path: "Subject", Message: `is no attribute that is known here (did you mean "subject"?)`}}},
		"data that are XML":           {with(t, `"subject": "E1042"`, `"datacontenttype": "text/xml"`), fields{{Path: "datacontenttype", Message: `"text/xml" is not JSON`}}},
		"no data":                     {`{"specversion":"1.0","id":"1","source":"x","type":"rolecall.identity.v1","time":"2026-05-31T09:00:00Z"}`, fields{{Path: "data", Message: "must be an object, not null"}}},
		"a list of events":            {"[" + minaMoves + "]", fields{{Message: "must be an event, that is an object, not a list"}}},
		"no employee id":              {with(t, `"employee_id": "E1042"`, `"employee_id": null`), fields{{Path: "data.employee_id", Message: "is needed: it is how the person is known again"}}},
		"no status":                   {with(t, `"active"`, `"  "`), fields{{Path: "data.status", Message: "is needed: active, leave, suspended or ended"}}},
		"no address": {with(t, `["mina.ito@acme.test", "mina@acme.test"]`, "[]"), fields{{
			Path: "data.emails", Message: "needs at least one address; the first is the primary one",
		}}},
		"addresses as one text": {with(t, `["mina.ito@acme.test", "mina@acme.test"]`, `"mina.ito@acme.test"`), fields{{
			Path: "data.emails", Message: "must be a list of texts, not text",
		}}},
		"addresses that are none": {with(t, `"mina@acme.test"`, `7, "", "mina", "a@b@c", "Mina <mina@acme.test>"`), fields{
			{Path: "data.emails[1]", Message: "must be text, not a number"},
			{Path: "data.emails[2]", Message: "is empty"},
			{Path: "data.emails", Message: `"mina" is not an address`},
			{Path: "data.emails", Message: `"a@b@c" is not an address`},
			{Path: "data.emails", Message: `"Mina <mina@acme.test>" is not an address`},
		}},
		"a date in words": {with(t, `"2024-04-01"`, `"April 1st"`), fields{{Path: "data.start_date", Message: `"April 1st" is not a date like 2026-05-31`}}},
		"a day there is not": {with(t, `"2024-04-01"`, `"2023-02-29"`), fields{{
			Path: "data.start_date", Message: `"2023-02-29" is not a date like 2026-05-31`,
		}}},
		"an end that is never": {with(t, `"end_date": null`, `"end_date": "9999-12-31"`), fields{{
			Path: "data.end_date", Message: "9999-12-31 lies outside 1900 to 2199; leave it empty when there is no such day",
		}}},
		"an end before the start": {with(t, `"end_date": null`, `"end_date": "2024-03-31"`), fields{{
			Path: "data.end_date", Message: "2024-03-31 is before start_date 2024-04-01; leave it empty for somebody who came back",
		}}},
		"an effect in another age":  {with(t, "2026-12-01T00:00:00+09:00", "0001-01-01T00:00:00Z"), fields{{Path: "data.effective_at", Message: "0001-01-01T00:00:00Z lies outside 1900 to 2199"}}},
		"a name with a line break":  {with(t, "Mina Ito", `Mina\nIto`), fields{{Path: "data.name", Message: "has a control character in it, such as a line break"}}},
		"a name with a NUL":         {with(t, "Mina Ito", `Mina\u0000Ito`), fields{{Path: "data.name", Message: "has a control character in it, such as a line break"}}},
		"a title without end":       {with(t, "SRE II", long), fields{{Path: "data.title", Message: "is longer than 256 characters"}}},
		"a version that is half":    {with(t, "318", "3.18"), fields{{Path: "data.version", Message: "must be text or a whole number"}}},
		"an urgency that is text":   {with(t, `"urgent": true`, `"urgent": "yes"`), fields{{Path: "data.urgent", Message: "must be true or false, not text"}}},
		"an employment of no kind":  {with(t, `"employee",`, `"freelance",`), fields{{Path: "data.employment", Message: `employment "freelance" is not one of employee, contractor, intern, vendor, service`}}},
		"a department that is none": {with(t, `"Payments"`, `{"id": 7}`), fields{{Path: "data.department", Message: "must be text, not an object"}}},
		"all that is wrong at once": {with(t, `"1.0"`, `"2"`, `"active"`, `"gone"`, `"country"`, `"contry"`, `"2024-04-01"`, `20240401`), fields{
			{Path: "specversion", Message: `"2" is not 1.0`},
			{Path: "data.contry", Message: `is no field that is known here (did you mean "country"?)`},
			{Path: "data.status", Message: `status "gone" is not one of active, leave, suspended, ended`},
			{Path: "data.start_date", Message: "must be text, not a number"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			w := h.post(RouteLifecycle, mediaEvent, tt.body)
			wantStatus(t, w, http.StatusUnprocessableEntity)
			got := failureOf(t, w)
			if diff := cmp.Diff(tt.want, got.Fields, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if first := strings.TrimSpace(tt.want[0].Path + " " + tt.want[0].Message); got.Kind != "invalid" || !strings.Contains(got.Reason, first) {
				t.Errorf("told %q %q, want %q first", got.Kind, got.Reason, first)
			}
			if len(h.store.facts) != 0 || len(h.store.refusals()) != 1 {
				t.Errorf("%d facts, trail %q", len(h.store.facts), h.store.refusals())
			}
		})
	}
}

func TestARefusalNamesTheSourceThatWasRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.post(RouteLifecycle, mediaEvent, with(t, `"active"`, "\"gone\\u202e\\u0007<!channel>"+strings.Repeat("x", 200)+`"`))
	h.post(RouteLifecycle, mediaEvent, with(t, `"active"`, "\"gone\\u202e<!channel>"+strings.Repeat("x", 200)+`"`, "E1042", strings.Repeat("E", 300)))
	lines := h.store.refusals()
	if len(lines) != 2 {
		t.Fatalf("trail %q", lines)
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "hris/bamboo | POST /v1/lifecycle: data.") || strings.ContainsAny(l, "\u202e\u0007") || len([]rune(l)) > longestWhy+20 {
			t.Errorf("trail %q", l)
		}
	}
}
