package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rolecall/lifecycle"
)

var rosterTime = time.Date(2026, 5, 31, 6, 0, 0, 0, time.UTC)

// readFacts returns all facts of a roster that is in order.
func readFacts(in io.Reader, format Format, source string, at time.Time) (_ []lifecycle.Fact, err error) {
	file, err := ReadRoster(in, format, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	roster, err := file.Roster(source, at)
	if err != nil {
		return nil, err
	}
	var facts []lifecycle.Fact
	for f, err := range roster.Facts {
		if err != nil {
			return nil, err
		}
		facts = append(facts, f)
	}
	if len(facts) != roster.Rows {
		return nil, fmt.Errorf("%d rows were counted, and %d come", roster.Rows, len(facts))
	}
	return facts, nil
}

func readCSV(text string) ([]lifecycle.Fact, error) {
	return readFacts(strings.NewReader(text), CSV, "hris", rosterTime)
}

func readJSONL(text string) ([]lifecycle.Fact, error) {
	return readFacts(strings.NewReader(text), JSONL, "hris", rosterTime)
}

const (
	rosterCSV = `employee_id,status,emails,name,department,location,country,title,employment,manager_id,groups,start_date,end_date,effective_at,urgent,version
E1042,active,mina.ito@acme.test;mina@acme.test,"Ito, Mina",Payments,Tokyo,JP,SRE II,employee,E0007,oncall-payments;berlin\;paris,2024-04-01,,2026-12-01T00:00:00+09:00,TRUE,318
E1043,ended,bo@acme.test,Bo,,,,,,,,,,,,
`
	rosterJSONL = `{"employee_id":"E1042","status":"active","emails":["mina.ito@acme.test","mina@acme.test"],"name":"Ito, Mina","department":"Payments","location":"Tokyo","country":"JP","title":"SRE II","employment":"employee","manager_id":"E0007","groups":["oncall-payments","berlin;paris"],"start_date":"2024-04-01","effective_at":"2026-12-01T00:00:00+09:00","urgent":true,"version":318}
{"employee_id":"E1043","status":"ended","emails":["bo@acme.test"],"name":"Bo"}
`
)

func TestReadRoster(t *testing.T) {
	t.Parallel()
	want := []lifecycle.Fact{{
		Source: "hris", ObservedAt: rosterTime, Urgent: true, Version: "318", EffectiveAt: time.Date(2026, 11, 30, 15, 0, 0, 0, time.UTC),
		Person: lifecycle.Person{
			EmployeeID: "E1042", Status: lifecycle.StatusActive, Emails: []string{"mina.ito@acme.test", "mina@acme.test"}, Name: "Ito, Mina",
			Department: "Payments", Location: "Tokyo", Country: "JP", Title: "SRE II", Employment: lifecycle.Employee, ManagerID: "E0007",
			Groups: []string{"oncall-payments", "berlin;paris"}, StartDate: "2024-04-01",
		},
	}, {
		Source: "hris", ObservedAt: rosterTime,
		Person: lifecycle.Person{EmployeeID: "E1043", Status: lifecycle.StatusEnded, Emails: []string{"bo@acme.test"}, Name: "Bo"},
	}}
	for name, tt := range map[string]struct {
		text string
		read func(string) ([]lifecycle.Fact, error)
	}{
		"CSV":                               {rosterCSV, readCSV},
		"CSV with a byte order mark":        {"\xef\xbb\xbf" + rosterCSV, readCSV},
		"CSV with the lines of Windows":     {strings.ReplaceAll(rosterCSV, "\n", "\r\n"), readCSV},
		"CSV that ends without a line end":  {strings.TrimSuffix(rosterCSV, "\n"), readCSV},
		"CSV with empty lines and rows":     {strings.Replace(rosterCSV, "E1043", "\n,,,,,,,,,,,,,,,\nE1043", 1), readCSV},
		"JSON Lines":                        {rosterJSONL, readJSONL},
		"JSON Lines with a byte order mark": {"\xef\xbb\xbf" + rosterJSONL, readJSONL},
		"JSON Lines with empty lines":       {"\r\n" + strings.ReplaceAll(rosterJSONL, "\n", "\r\n\r\n"), readJSONL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.read(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(lifecycle.Fact{}, "EventID", "SHA256")); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			plain, err := readCSV(rosterCSV)
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i].EventID != plain[i].EventID || got[i].SHA256 != plain[i].SHA256 {
					t.Errorf("row %d is another event than in plain CSV", i)
				}
			}
		})
	}
}

func TestRowsComeAsOftenAsTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	file, err := ReadRoster(strings.NewReader(rosterCSV), CSV, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	roster, err := file.Roster("hris", rosterTime.In(time.FixedZone("", 3600)))
	if err != nil {
		t.Fatal(err)
	}
	ids := func(most int) (ids []string) {
		for f, err := range roster.Facts {
			if err != nil {
				t.Fatal(err)
			}
			if ids = append(ids, f.Person.EmployeeID); len(ids) == most {
				break
			}
		}
		return ids
	}
	for _, most := range []int{2, 1, 2} {
		if diff := cmp.Diff([]string{"E1042", "E1043"}[:most], ids(most)); diff != "" {
			t.Errorf("the first %d (-want +got):\n%s", most, diff)
		}
	}
	if err := file.spool.Truncate(200); err != nil {
		t.Fatal(err)
	}
	for _, e := range roster.Facts {
		err = e
	}
	if err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("after its file was cut off: %v", err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file.spool.Name()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its file is left: %v", err)
	}
}

func TestWhatIsCountedOfARoster(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text   string
		format Format
		fields []string
		empty  map[string]int
	}{
		"a table": {
			"\xef\xbb\xbfstatus,employee_id,emails,title,groups\nactive,E1,a@b,,;\n\nended,E2,a@b,SRE, \n", CSV,
			[]string{"status", "employee_id", "emails", "title", "groups"},
			map[string]int{"title": 1, "groups": 2},
		},
		"lines": {
			`{"employee_id":"E1","status":"active","emails":["a@b"],"name":"Ana","title":" ","groups":[],"timezone":"Asia/Tokyo"}` + "\n" +
				`{"version":7,"employee_id":"E2","status":"active","emails":["c@d"],"name":"Bo","urgent":false}` + "\n", JSONL,
			append(stateFields(), "urgent", "version"),
			map[string]int{
				"title": 2, "groups": 2, "department": 2, "location": 2, "country": 2, "employment": 2, "manager_id": 2,
				"start_date": 2, "end_date": 2, "timezone": 1, "urgent": 1, "version": 1,
			},
		},
	} {
		file, err := ReadRoster(strings.NewReader(tt.text), tt.format, t.TempDir())
		if err != nil {
			t.Fatal(name, err)
		}
		roster, err := file.Roster("hris", rosterTime)
		if err != nil {
			t.Fatal(name, err)
		}
		sum := sha256.Sum256([]byte(tt.text))
		want := lifecycle.Roster{
			Source: "hris", At: rosterTime, SHA256: hex.EncodeToString(sum[:]), Format: string(tt.format), Fields: tt.fields, Empty: tt.empty, Rows: strings.Count(tt.text, "@"),
		}
		if diff := cmp.Diff(want, roster, cmpopts.IgnoreFields(lifecycle.Roster{}, "Facts"), cmpopts.IgnoreUnexported(lifecycle.Roster{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if err := file.Close(); err != nil {
			t.Error(name, err)
		}
	}
}

func TestRostersThatAreWrong(t *testing.T) {
	t.Parallel()
	type fields = []lifecycle.FieldError
	const head = "employee_id,status,emails,name\n"
	all := strings.Join(personFields(), ", ")
	for name, tt := range map[string]struct {
		read func(string) ([]lifecycle.Fact, error)
		text string
		want fields
	}{
		"rows are counted as a spreadsheet does": {readCSV, head + "\n" + "E1,active,a@b,\"two\nlines\"\n\n\n" + "E2,gone,a@b,Bo\n", fields{
			{Path: "3:4", Message: "name: has a control character in it, such as a line break"},
			{Path: "6:2", Message: `status: status "gone" is not one of active, leave, suspended, ended`},
		}},
		"what is missing is missed in its row": {readCSV, head + "E1,,;,Bo\n,active,a@b,\n", fields{
			{Path: "2", Message: "status: is needed: active, leave, suspended or ended"},
			{Path: "2:3", Message: "emails: needs at least one address; the first is the primary one"},
			{Path: "3", Message: "employee_id: is needed: it is how the person is known again"},
		}},
		"a column spelt wrongly": {readCSV, "employee_id,status,emails,deparment\nE1,active,a@b,x\n", fields{
			{Path: "1:4", Message: `deparment: is no column that is known here (did you mean "department"?)`},
		}},
		"a column in capitals": {readCSV, "Employee_ID,status,emails\n", fields{
			{Path: "1:1", Message: `Employee_ID: is no column that is known here (did you mean "employee_id"?)`},
			{Path: "1", Message: "there is no column employee_id"},
		}},
		"a column without a name": {readCSV, "employee_id,status,emails,\n", fields{
			{Path: "1:4", Message: ": is no column that is known here; there are " + all},
		}},
		"a column twice": {readCSV, "employee_id,status,emails,status\nE1,active,a@b,ended\n", fields{
			{Path: "1:4", Message: "status: is column 2 already"},
		}},
		"no header":                    {readCSV, "E1,active,a@b\n", nil},
		"columns by semicolon":         {readCSV, "employee_id;status;emails\nE1;active;a@b\n", fields{{Path: "1", Message: "the columns must be separated by commas"}}},
		"a cell too few":               {readCSV, head + "E1,active,a@b\n", fields{{Path: "2", Message: "has 3 cells, but there are 4 columns"}}},
		"a cell too many":              {readCSV, head + "E1,active,a@b,Bo,\n", fields{{Path: "2", Message: "has 5 cells, but there are 4 columns"}}},
		"a quote that is not closed":   {readCSV, head + "E1,active,a@b,\"Bo\nE2,active,a@b,Cy\n", fields{{Path: "2", Message: "extraneous or missing \" in quoted-field (in line 3 of the file); the rest was not read"}}},
		"a quote within a cell":        {readCSV, head + "\nE1,active,a@b,Bo \"the\" Li\nE2,gone,,\n", fields{{Path: "3", Message: "bare \" in non-quoted-field (in line 3 of the file); the rest was not read"}}},
		"a quote in the header":        {readCSV, "employee_id,sta\"tus\n", fields{{Path: "1", Message: "bare \" in non-quoted-field (in line 1 of the file); the rest was not read"}}},
		"bytes that are Latin1":        {readCSV, head + "E1,active,a@b,J\xf6rg\n", fields{{Path: "2:4", Message: "name: is not UTF-8"}}},
		"somebody twice":               {readCSV, head + "E1,active,a@b,\nE2,active,c@d,\nE1,ended,e@f,\n", fields{{Path: "4:1", Message: "employee_id: E1 is in row 2 already"}}},
		"an address that two have":     {readCSV, "employee_id,status,emails\nE1,ended,a@b\nE2,active,a@b\nE3,leave,A@B;c@d\n", fields{{Path: "4:3", Message: "emails: a@b is the first address in row 3 already"}}},
		"a zone that there is not":     {readCSV, "employee_id,status,emails,timezone\nE1,active,a@b,Europe/Berlin\nE2,active,c@d,Berlin\nE3,active,e@f,Local\n", fields{{Path: "3:4", Message: `timezone: "Berlin" is not a zone like Europe/Berlin`}, {Path: "4:4", Message: `timezone: "Local" is not a zone like Europe/Berlin`}}},
		"dates as people write them":   {readCSV, "employee_id,status,emails,start_date\nE1,active,a@b,31/05/2026\n", fields{{Path: "2:4", Message: `start_date: "31/05/2026" is not a date like 2026-05-31`}}},
		"an urgency that is neither":   {readCSV, "employee_id,status,emails,urgent\nE1,active,a@b,1\n", fields{{Path: "2:4", Message: "urgent: must be true or false, not text"}}},
		"a line that is no JSON":       {readJSONL, rosterJSONL + `{"employee_id":}`, fields{{Path: "3:16", Message: "invalid character '}' looking for beginning of value"}}},
		"a line with two objects":      {readJSONL, strings.Replace(rosterJSONL, "\n", " ", 1), fields{{Path: "1:372", Message: "invalid character '{' after top-level value"}}},
		"a line that is a list":        {readJSONL, "\n[1]\n", fields{{Path: "2", Message: "must be an object, not a list"}}},
		"a field spelt wrongly":        {readJSONL, `{"employee_id":"Ü1","status":"active","emails":["a@b"],"titel":"x"}`, fields{{Path: "1:56", Message: `titel: is no field that is known here (did you mean "title"?)`}}},
		"a name given twice in a line": {readJSONL, `{"status":"active","status":"ended"}`, fields{{Path: "1:20", Message: `the name "status" is given twice`}}},
		"a line without end":           {readJSONL, rosterJSONL + `{"name":"` + strings.Repeat("x", longestBody) + `"}`, fields{{Path: "3", Message: "is longer than 1 MiB; the rest was not read"}}},
		"somebody twice in lines":      {readJSONL, rosterJSONL + rosterJSONL, fields{{Path: "3:2", Message: "employee_id: E1042 is in row 1 already"}, {Path: "4:2", Message: "employee_id: E1043 is in row 2 already"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts, err := tt.read(tt.text)
			refusal, ok := errors.AsType[*lifecycle.Refusal](err)
			if !ok || !errors.Is(err, lifecycle.ErrInvalid) || facts != nil {
				t.Fatalf("%d facts, error %v", len(facts), err)
			}
			if tt.want == nil {
				if len(refusal.Fields) < 3 {
					t.Errorf("fields %+v", refusal.Fields)
				}
				return
			}
			if diff := cmp.Diff(tt.want, refusal.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if !strings.Contains(refusal.Reason, tt.want[0].Path+": "+tt.want[0].Message) {
				t.Errorf("reason %q", refusal.Reason)
			}
		})
	}
}

func TestRostersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in     io.Reader
		format Format
		source string
		at     time.Time
		reason string
	}{
		"an empty table":            {strings.NewReader(""), CSV, "hris", rosterTime, "the roster is empty; its first row names the columns: employee_id,"},
		"a header and nothing else": {strings.NewReader("employee_id,status,emails\n"), CSV, "hris", rosterTime, "has no rows"},
		"no lines":                  {strings.NewReader("\n"), JSONL, "hris", rosterTime, "has no rows"},
		"UTF-16":                    {strings.NewReader("\xff\xfee\x00m\x00"), CSV, "hris", rosterTime, "is UTF-16; save it as CSV UTF-8"},
		"another format":            {strings.NewReader("x"), "xlsx", "hris", rosterTime, `"xlsx" is not csv or jsonl`},
		"nobody's":                  {strings.NewReader(rosterCSV), CSV, "", rosterTime, "needs the name of its source"},
		"of no time":                {strings.NewReader(rosterCSV), CSV, "hris", time.Time{}, "and the time"},
		"a table without end":       {io.MultiReader(strings.NewReader("employee_id,status,emails\n"), endless("E1,active,a@b"+strings.Repeat(" ", 4000)+"\n")), CSV, "hris", rosterTime, "larger than 64 MiB"},
		"lines without end":         {endless(strings.Repeat(" ", 4000) + "\n"), JSONL, "hris", rosterTime, "larger than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts, err := readFacts(tt.in, tt.format, tt.source, tt.at)
			if facts != nil || !strings.Contains(lifecycle.ReasonOf(err), tt.reason) {
				t.Errorf("%d facts, error %v, want %q", len(facts), err, tt.reason)
			}
		})
	}
}

// endless is a text that never ends.
type endless string

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n+len(e) <= len(p) {
		n += copy(p[n:], e)
	}
	return max(n, copy(p, e)), nil
}

func TestAFileThatBreaksOffIsNoRoster(t *testing.T) {
	t.Parallel()
	fault := errors.New("input/output error")
	for format, text := range map[Format]string{CSV: rosterCSV, JSONL: rosterJSONL} {
		for _, n := range []int{0, 20, len(text)} {
			facts, err := readFacts(io.MultiReader(strings.NewReader(text[:n]), iotest.ErrReader(fault)), format, "hris", rosterTime)
			if facts != nil || !errors.Is(err, fault) {
				t.Errorf("%s after %d bytes: %d facts, error %v", format, n, len(facts), err)
			}
		}
	}
}

func TestAHundredMistakesAreListed(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("employee_id,status,emails\n")
	for i := range 250 {
		fmt.Fprintf(&b, "E%d,gone,nobody\n", i)
	}
	_, err := readCSV(b.String())
	refusal, ok := errors.AsType[*lifecycle.Refusal](err)
	if !ok || len(refusal.Fields) != 100 || !strings.HasSuffix(refusal.Reason, "100 of 500 mistakes are listed") {
		t.Errorf("%v", err)
	}
}

func identities(facts []lifecycle.Fact) []lifecycle.Identity {
	list := make([]lifecycle.Identity, len(facts))
	for i, f := range facts {
		list[i] = lifecycle.Identity{ID: "idn_1", Keys: map[string]string{f.Source: f.Person.EmployeeID}, Person: f.Person}
	}
	return list
}

func persons(facts []lifecycle.Fact) []lifecycle.Person {
	list := make([]lifecycle.Person, len(facts))
	for i, f := range facts {
		list[i] = f.Person
	}
	return list
}

func TestWriteRoster(t *testing.T) {
	t.Parallel()
	mina := lifecycle.Person{
		EmployeeID: "E1042", Status: lifecycle.StatusActive, Emails: []string{"mina.ito@acme.test", "mina@acme.test"}, Name: `=HYPERLINK("https://evil.test","x")`,
		Department: "+1", Location: "-1", Country: "@SUM", Title: "'=1", Employment: lifecycle.Employee, ManagerID: "''", Groups: []string{`ACME\ops`, "a;b", `c\`}, StartDate: "2024-04-01", EndDate: "2027-01-31", Timezone: "Asia/Tokyo",
	}
	people := []lifecycle.Identity{
		{ID: "idn_1", Keys: map[string]string{"hris": "E1042"}, Person: mina},
		{ID: "idn_2", Person: lifecycle.Person{Emails: []string{"owner@acme.test"}}},
		{ID: "idn_3", Keys: map[string]string{"hris": "E1"}, Person: lifecycle.Person{EmployeeID: "E1", Status: lifecycle.StatusEnded, Emails: []string{"bo@acme.test"}}},
	}
	var b bytes.Buffer
	if _, err := WriteRoster(&b, CSV, people); err != nil {
		t.Fatal(err)
	}
	want := "employee_id,status,emails,name,department,location,country,title,employment,manager_id,groups,start_date,end_date,timezone\n" +
		`E1042,active,mina.ito@acme.test;mina@acme.test,"'=HYPERLINK(""https://evil.test"",""x"")",'+1,'-1,'@SUM,''=1,employee,''',ACME\\ops;a\;b;c\\,2024-04-01,2027-01-31,Asia/Tokyo` + "\n" +
		"E1,ended,bo@acme.test,,,,,,,,,,,\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("CSV (-want +got):\n%s", diff)
	}
	for _, format := range []Format{CSV, JSONL} {
		b.Reset()
		if _, err := WriteRoster(&b, format, people); err != nil {
			t.Fatal(err)
		}
		facts, err := readFacts(&b, format, "hris", rosterTime)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]lifecycle.Person{mina, people[2].Person}, persons(facts)); diff != "" {
			t.Errorf("%s, read again (-want +got):\n%s", format, diff)
		}
	}
}

func TestWriteRosterSaysWhenItCannot(t *testing.T) {
	t.Parallel()
	facts, err := readCSV(rosterCSV)
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []Format{CSV, JSONL} {
		if _, err := WriteRoster(full{}, format, identities(facts)); !errors.Is(err, errFull) {
			t.Errorf("%s: error %v", format, err)
		}
	}
	if _, err := WriteRoster(io.Discard, "xlsx", nil); !errors.Is(err, lifecycle.ErrInvalid) {
		t.Errorf("error %v", err)
	}
}

var errFull = errors.New("no space left on device")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFormatOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Format{"a.csv": CSV, "dir.jsonl/A.CSV": CSV, "a.jsonl": JSONL, "a.ndjson": JSONL, "a.json": "", "csv": "", "a.xlsx": ""} {
		got, err := FormatOf(name)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
}
