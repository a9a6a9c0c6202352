package intake

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rolecall/lifecycle"
)

// taker takes rosters in, or answers err.
type taker struct {
	rosters []lifecycle.Roster
	facts   []lifecycle.Fact
	err     error
}

func (k *taker) Take(ctx context.Context, r lifecycle.Roster) (lifecycle.Taken, error) {
	if k.err != nil {
		return lifecycle.Taken{}, k.err
	}
	for f, err := range r.Facts {
		if err != nil {
			return lifecycle.Taken{}, err
		}
		k.facts = append(k.facts, f)
	}
	r.Facts = nil
	k.rosters = append(k.rosters, r)
	return lifecycle.Taken{Rows: r.Rows, Changed: 1, Held: 3, Absent: 4}, ctx.Err()
}

// gate is a roster intake with its surroundings.
type gate struct {
	*Rosters
	taker   *taker
	store   *store
	senders []RosterSender
	broken  error
	dir     string
	log     *bytes.Buffer
}

func tokenOf(name string) string { return name + "-" + strings.Repeat("x", ShortestToken) }

func hashed(tokens ...string) [][sha256.Size]byte {
	var sums [][sha256.Size]byte
	for _, t := range tokens {
		sums = append(sums, sha256.Sum256([]byte(t)))
	}
	return sums
}

func newGate(t *testing.T) *gate {
	t.Helper()
	now := func() time.Time { return rosterTime.Add(time.Hour) }
	g := &gate{taker: &taker{}, store: &store{}, dir: t.TempDir(), log: &bytes.Buffer{}}
	g.senders = []RosterSender{{Source: SourceRoster, TokenSHA256: hashed(tokenOf("old"), tokenOf("new"))}, {Source: "hris", TokenSHA256: hashed(tokenOf("hris"))}}
	log := slog.New(slog.NewTextHandler(g.log, nil))
	g.Rosters = NewRosters(RosterConfig{
		Snapshots: g.taker, Senders: func() ([]RosterSender, error) { return g.senders, g.broken },
		Ledger: NewLedger(lifecycle.NewInbox(g.store, now), now, log), Dir: g.dir, Now: now, Log: log,
	})
	return g
}

// put returns a request that is as it should be.
func put(body, token, media, query string) *http.Request {
	r := httptest.NewRequest(http.MethodPut, RouteRoster+query, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+tokenOf(token))
	r.Header.Set("Content-Type", media)
	return r
}

func (g *gate) send(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

// clean fails the test when a roster was left behind.
func (g *gate) clean(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(g.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}

func TestARosterIsTakenIn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		r      func() *http.Request
		source string
		at     time.Time
		format string
	}{
		"as CSV":               {func() *http.Request { return put(rosterCSV, "old", "text/csv", "") }, "roster", rosterTime.Add(time.Hour), "csv"},
		"with the newer token": {func() *http.Request { return put(rosterCSV, "new", "text/csv; charset=UTF-8", "") }, "roster", rosterTime.Add(time.Hour), "csv"},
		"as JSON lines":        {func() *http.Request { return put(rosterJSONL, "new", "application/x-ndjson", "") }, "roster", rosterTime.Add(time.Hour), "jsonl"},
		"of a source":          {func() *http.Request { return put(rosterCSV, "hris", "text/csv", "") }, "hris", rosterTime.Add(time.Hour), "csv"},
		"of a source, named":   {func() *http.Request { return put(rosterCSV, "hris", "text/csv", "?source=hris") }, "hris", rosterTime.Add(time.Hour), "csv"},
		"of another source":    {func() *http.Request { return put(rosterCSV, "new", "text/csv", "?source=workday") }, "workday", rosterTime.Add(time.Hour), "csv"},
		"of a time": {func() *http.Request {
			r := put(rosterCSV, "new", "text/csv", "")
			r.Header.Set(headerRosterAt, "2026-05-31T08:00:00+02:00")
			return r
		}, "roster", rosterTime, "csv"},
		"of a length not known": {func() *http.Request { r := put(rosterCSV, "new", "text/csv", ""); r.ContentLength = -1; return r }, "roster", rosterTime.Add(time.Hour), "csv"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t)
			w := g.send(tt.r())
			if body := strings.TrimSpace(w.Body.String()); w.Code != http.StatusAccepted || body != `{"rows":2,"changed":1,"held":3}` {
				t.Fatalf("%d %s; log: %s", w.Code, body, g.log)
			}
			got := g.taker.rosters[0]
			if got.Source != tt.source || !got.At.Equal(tt.at) || got.Format != tt.format || got.Rows != 2 || got.Accepted {
				t.Errorf("taken in as %+v", got)
			}
			if len(g.taker.facts) != 2 || g.taker.facts[1].Person.EmployeeID != "E1043" || g.taker.facts[1].Source != tt.source {
				t.Errorf("facts %+v", g.taker.facts)
			}
			if refused := g.store.refusals(); len(refused) != 0 {
				t.Errorf("on the record as refused: %q", refused)
			}
			g.clean(t)
		})
	}
}

func TestARosterIsTurnedAway(t *testing.T) {
	t.Parallel()
	huge := func() *http.Request {
		r := put("", "old", "text/csv", "")
		r.Body, r.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader("employee_id,status,emails\n"), endless("\n\n\n"))), -1
		return r
	}
	with := func(change func(*http.Request)) func() *http.Request {
		return func() *http.Request {
			r := put(rosterCSV, "old", "text/csv", "")
			change(r)
			return r
		}
	}
	header := func(name string, values ...string) func() *http.Request {
		return with(func(r *http.Request) { r.Header[name] = values })
	}
	for name, tt := range map[string]struct {
		r      func() *http.Request
		take   error
		status int
		says   string
		record string // a part of the line in the trail; "" for none
	}{
		"without a token":             {header("Authorization"), nil, 401, "a token that is in use", "the token is nobody's"},
		"with nobody's token":         {header("Authorization", "Bearer "+tokenOf("guess")), nil, 401, "a token that is in use", "the token is nobody's"},
		"with two tokens":             {header("Authorization", "Bearer "+tokenOf("old"), "Bearer "+tokenOf("old")), nil, 401, "a token", "nobody's"},
		"with a password":             {header("Authorization", "Basic "+tokenOf("old")), nil, 401, "a token", "nobody's"},
		"by another method":           {with(func(r *http.Request) { r.Method = http.MethodPost }), nil, 405, "only PUT", ""},
		"of another's source":         {func() *http.Request { return put(rosterCSV, "hris", "text/csv", "?source=roster") }, nil, 403, "the token is that of hris", "names another"},
		"of two sources":              {func() *http.Request { return put(rosterCSV, "old", "text/csv", "?source=a&source=b") }, nil, 422, "names 2", "names 2"},
		"in the name of a directory":  {func() *http.Request { return put(rosterCSV, "old", "text/csv", "?source=scim:okta") }, nil, 403, "does not come in rosters", "does not come in rosters"},
		"in the name of people":       {func() *http.Request { return put(rosterCSV, "old", "text/csv", "?source=rolecall") }, nil, 403, "does not come in rosters", "rolecall"},
		"of a source without a name":  {func() *http.Request { return put(rosterCSV, "old", "text/csv", "?source=") }, nil, 422, "1 to 64 characters", "1 to 64"},
		"as a spreadsheet":            {header("Content-Type", "application/vnd.ms-excel"), nil, 415, "text/csv", "text/csv"},
		"in another character set":    {header("Content-Type", "text/csv; charset=latin1"), nil, 415, "UTF-8", "UTF-8"},
		"packed":                      {header("Content-Encoding", "gzip"), nil, 415, "Content-Encoding", "Content-Encoding"},
		"of a time that is none":      {header(headerRosterAt, "yesterday"), nil, 422, headerRosterAt, headerRosterAt},
		"of two times":                {header(headerRosterAt, "2026-05-31T06:00:00Z", "2026-05-31T07:00:00Z"), nil, 422, headerRosterAt, headerRosterAt},
		"when it says it is too long": {with(func(r *http.Request) { r.ContentLength = largestRoster + 1 }), nil, 413, "larger than 64 MiB", "larger than 64 MiB"},
		"when it is too long":         {huge, nil, 413, "larger than 64 MiB", "larger than 64 MiB"},
		"with a mistake": {func() *http.Request {
			return put(strings.Replace(rosterCSV, "ended", "gone", 1), "old", "text/csv", "")
		}, nil, 422, `"path":"3:2"`, "3:2: status"},
		"in the other format":      {func() *http.Request { return put(rosterJSONL, "old", "text/csv", "") }, nil, 422, `"path":"1"`, "at 1:"},
		"when another is newer":    {with(func(*http.Request) {}), lifecycle.Refuse(lifecycle.ErrConflict, "send a newer one"), 409, "send a newer one", ""},
		"when it differs too much": {with(func(*http.Request) {}), lifecycle.Refuse(lifecycle.ErrInvalid, "it has 3 rows"), 422, "it has 3 rows", ""},
		"when it cannot be kept":   {with(func(*http.Request) {}), errors.New("disk full"), 503, "send it again", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGate(t)
			g.taker.err = tt.take
			w := g.send(tt.r())
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%d %s, want %d and %q", w.Code, w.Body, tt.status, tt.says)
			}
			if len(g.taker.rosters) != 0 {
				t.Error("it was taken in")
			}
			refused := strings.Join(g.store.refusals(), "\n")
			if !strings.Contains(refused, tt.record) || (refused == "") != (tt.record == "") {
				t.Errorf("on the record is %q, want %q", refused, tt.record)
			}
			if retry := w.Header().Get("Retry-After"); (retry != "") != (tt.status == 503) {
				t.Errorf("Retry-After %q", retry)
			}
			if strings.Contains(w.Body.String()+refused+g.log.String(), "xxxxx") {
				t.Error("it tells a token")
			}
			g.clean(t)
		})
	}
}

func TestTheRosterIntakeIsOffWithoutATokenAndFailsClosed(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	g.senders = nil
	if w := g.send(put(rosterCSV, "old", "text/csv", "")); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "it has no token") {
		t.Errorf("off: %d %s", w.Code, w.Body)
	}
	g.broken = lifecycle.Refuse(lifecycle.ErrInvalid, "token 1 has 3 characters")
	if w := g.send(put(rosterCSV, "old", "text/csv", "")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without its tokens: %d %s", w.Code, w.Body)
	}
}

// A connection that ends in the middle of the last row, at a line end, must not
// look like a company with fewer people.
func TestARosterThatBreaksOffIsTurnedAway(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	server := httptest.NewServer(g)
	defer server.Close()
	cut := rosterCSV[:strings.Index(rosterCSV, "E1043")]
	for name, framed := range map[string]string{
		"of a length that was said": fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(rosterCSV), cut),
		"in chunks":                 fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(cut), cut),
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: text/csv\r\n%s", RouteRoster, tokenOf("old"), framed)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(name, err)
		}
		if answer.StatusCode != http.StatusBadRequest || len(g.taker.rosters) != 0 {
			t.Errorf("%s: %d, %d taken in", name, answer.StatusCode, len(g.taker.rosters))
		}
		if err := errors.Join(answer.Body.Close(), conn.Close()); err != nil {
			t.Error(err)
		}
	}
	g.clean(t)
}

// Whoever sends a large roster with a mistake at its beginning is told of it, and
// does not see the line break.
func TestALargeRosterIsHeardOutBeforeItIsTurnedAway(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newGate(t))
	defer server.Close()
	body := "employee_id,status,emailz\n" + strings.Repeat("E1,active,a@acme.test\n", 2<<20)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+RouteRoster, struct{ io.Reader }{strings.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	r.Header = put("", "old", "text/csv", "").Header
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Write(conn); err != nil {
		t.Fatalf("the line broke while it was sent: %v", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("status %d, want 422", answer.StatusCode)
	}
	if err := errors.Join(answer.Body.Close(), conn.Close()); err != nil {
		t.Error(err)
	}
}

// Who sent it may go once it has arrived.
func TestARosterThatHasArrivedIsTakenInWhoeverWaits(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := put("", "old", "text/csv", "").WithContext(ctx)
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(rosterCSV), atEOF(cancel)))
	r.ContentLength = -1
	if w := g.send(r); w.Code != http.StatusAccepted || ctx.Err() == nil {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Only who is let in is given more time than others: a stranger could hold a
// connection for as long with nothing.
func TestOnlyWhoIsLetInIsGivenTime(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	for name, tt := range map[string]struct {
		token string
		given int
	}{"a sender": {"old", 2}, "a stranger": {"nobody", 0}} {
		w := &timed{ResponseRecorder: httptest.NewRecorder()}
		g.ServeHTTP(w, put(rosterCSV, tt.token, "text/csv", ""))
		if w.given != tt.given {
			t.Errorf("%s was given %d deadlines, want %d", name, w.given, tt.given)
		}
	}
}

// timed counts the deadlines that a request is given.
type timed struct {
	*httptest.ResponseRecorder
	given int
}

func (w *timed) SetReadDeadline(time.Time) error  { w.given++; return nil }
func (w *timed) SetWriteDeadline(time.Time) error { w.given++; return nil }

// atEOF is an empty text that calls itself when it ends.
type atEOF func()

func (f atEOF) Read([]byte) (int, error) {
	f()
	return 0, io.EOF
}

func TestRosterSources(t *testing.T) {
	t.Parallel()
	got := map[string]bool{}
	for _, name := range []string{"roster", "hris/bamboo", "workday:eu", "scim", "scim:okta", "set:accounts.example", "okta", "policy", "rolecall", "unverified", "", "two words", strings.Repeat("x", 65)} {
		got[name] = CheckRosterSource(name) == nil
	}
	want := map[string]bool{"roster": true, "hris/bamboo": true, "workday:eu": true, "scim": false, "scim:okta": false, "set:accounts.example": false, "okta": false, "policy": false, "rolecall": false, "unverified": false, "": false, "two words": false, strings.Repeat("x", 65): false}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
