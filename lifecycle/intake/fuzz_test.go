package intake

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// Only what was signed is let in, compared with a verification written down
// once more and plainly.
func FuzzVerify(f *testing.F) {
	secret := secretsOf(f, secretA)[0]
	now := time.Date(2026, 5, 31, 9, 0, 0, 0, time.UTC)
	good := Sign(secret, "msg_1", now, []byte(minaMoves))
	f.Add("msg_1", good.Get(headerTimestamp), good.Get(headerSignature), []byte(minaMoves))
	f.Add("msg_1", good.Get(headerTimestamp), good.Get(headerSignature)+" v1,AAAA", []byte(minaMoves+" "))
	f.Add("msg_1.1", "780218000", good.Get(headerSignature), []byte(minaMoves))
	f.Add("", "", "v1,", []byte{})
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		h := http.Header{headerID: {id}, headerTimestamp: {stamp}, headerSignature: {signature}}
		c, err := claimsOf(h, now)
		got := err == nil && c.signedBy([]Secret{secret}, body)
		m := hmac.New(sha256.New, secret.key())
		m.Write([]byte(id + "." + stamp + "." + string(body)))
		want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
		if got && !strings.Contains(signature, want) {
			t.Errorf("%q, %q, %q is let in", id, stamp, signature)
		}
		// Whatever the id and the body, what is signed now is let in and a changed body is not.
		if !printable(id) || len(id) > longestID {
			return
		}
		c, err = claimsOf(Sign(secret, id, now, body), now)
		if err != nil || !c.signedBy([]Secret{secret}, body) || c.signedBy([]Secret{secret}, append([]byte{'x'}, body...)) {
			t.Errorf("%q with %d bytes: %v", id, len(body), err)
		}
	})
}

// Whatever the body: no fault, an answer that is JSON, and either one fact and
// no refusal or the reverse.
func FuzzLifecycleBody(f *testing.F) {
	f.Add([]byte(minaMoves))
	f.Add([]byte(strings.Replace(minaMoves, `"data"`, `"data_base64"`, 1)))
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"x","type":"rolecall.identity.v1","time":"2026-05-31T09:00:00Z","data":{"employee_id":"E1","status":"ended","emails":["a@b"]}}`))
	f.Add([]byte(`[{"a":[]},null,"\ud800",1e999]`))
	f.Add([]byte("\xff"))
	f.Fuzz(func(t *testing.T, body []byte) {
		h := newHouse(t)
		w := h.post(RouteLifecycle, mediaEvent, string(body))
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("the answer %q is no JSON", w.Body)
		}
		switch w.Code {
		case http.StatusAccepted:
			if len(h.store.facts) != 1 || len(h.store.refusals()) != 0 || !json.Valid(body) || !utf8.Valid(body) {
				t.Errorf("%d facts, trail %q", len(h.store.facts), h.store.refusals())
			}
		case http.StatusBadRequest, http.StatusUnprocessableEntity:
			if len(h.store.facts) != 0 || len(h.store.refusals()) != 1 {
				t.Errorf("%d facts, trail %q", len(h.store.facts), h.store.refusals())
			}
		default:
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
}

// A roster that is read, written and read again has the same people in it, in
// either format, and no cell that a spreadsheet would run.
func FuzzRoster(f *testing.F) {
	for _, text := range []string{
		rosterCSV, "employee_id,status,emails,name,groups,timezone\n'=1,active,a@b;c@d,''+1,\\;;'=;x\\,Asia/Tokyo\n",
		"\xef\xbb\xbfemployee_id,status,emails,name\r\n\r\n\"E\"\"1\",leave,a@b,\" '\t=x\"\r\n",
	} {
		f.Add([]byte(text), false)
	}
	f.Add([]byte(rosterJSONL), true)
	f.Add([]byte("\xef\xbb\xbf\n"+`{"employee_id":"=1","status":"leave","emails":["a@b"],"groups":["\\;","'"],"timezone":"Europe/Berlin","end_date":null}`), true)
	f.Fuzz(func(t *testing.T, text []byte, lines bool) {
		from := CSV
		if lines {
			from = JSONL
		}
		first, err := readFacts(bytes.NewReader(text), from, "hris", rosterTime)
		if err != nil {
			if lifecycle.ReasonOf(err) == "" {
				t.Fatalf("a mistake in the text is told as a fault of ours: %v", err)
			}
			return
		}
		for _, format := range []Format{CSV, JSONL} {
			var b bytes.Buffer
			if left, err := WriteRoster(&b, format, identities(first)); err != nil || left != 0 {
				t.Fatal(left, err)
			}
			if format == CSV {
				checkCells(t, b.Bytes())
			}
			again, err := readFacts(bytes.NewReader(b.Bytes()), format, "hris", rosterTime)
			if err != nil {
				t.Fatalf("%s, written as %q: %v", format, b.Bytes(), err)
			}
			if diff := cmp.Diff(persons(first), persons(again)); diff != "" {
				t.Errorf("%s (-first +again):\n%s", format, diff)
			}
		}
	})
}

// Whatever somebody is called, an export says so exactly.
func FuzzExport(f *testing.F) {
	f.Add("=1+1", "''", `\;`)
	f.Add("'=x", `ACME\ops`, ";")
	f.Add("\u00a0Ito, \"Mina\"", "-", `\\`)
	f.Fuzz(func(t *testing.T, name, group, other string) {
		want := lifecycle.Person{EmployeeID: "E1", Status: lifecycle.StatusActive, Emails: []string{"a@b"}, Name: name, Groups: []string{group, other}}
		for _, s := range []string{name, group, other} {
			if !utf8.ValidString(s) || strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) || utf8.RuneCountInString(s) > longestName || group == "" || other == "" {
				return // nothing that any door lets in
			}
		}
		for _, format := range []Format{CSV, JSONL} {
			var b bytes.Buffer
			if _, err := WriteRoster(&b, format, []lifecycle.Identity{{ID: "idn_1", Keys: map[string]string{"hris": "E1"}, Person: want}}); err != nil {
				t.Fatal(err)
			}
			got, err := readFacts(&b, format, "hris", rosterTime)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]lifecycle.Person{want}, persons(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", format, diff)
			}
		}
	})
}

func checkCells(t *testing.T, text []byte) {
	t.Helper()
	table := newTable(bytes.NewReader(text))
	for {
		cells, err := table.next()
		if err != nil {
			return
		}
		for _, c := range cells {
			if startsFormula(c) {
				t.Errorf("a spreadsheet would run %q", c)
			}
		}
	}
}
