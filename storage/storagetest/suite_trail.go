package storagetest

import (
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rolecall/lifecycle"
	"rolecall/storage"
)

func testTrail(t *testing.T, x *fixture) {
	t.Run("many at once leave one chain", func(t *testing.T) {
		t.Parallel()
		testChain(t, x)
	})
	t.Run("only grows", func(t *testing.T) {
		t.Parallel()
		testOnlyGrows(t, x)
	})
	t.Run("empty is whole", func(t *testing.T) {
		t.Parallel()
		_, url := x.openAt(t)
		whole(t, url)
	})
}

func testChain(t *testing.T, x *fixture) {
	const writers, each = 8, 125
	db, url := x.openAt(t)
	wrote := together(writers, func() bool {
		for range each {
			f := sampleFact("okta", unique())
			if _, _, err := db.SaveFact(t.Context(), f, event(lifecycle.EventNoticeReceived, string(f.ID)), lifecycle.Job{Kind: lifecycle.JobRegister, Ref: string(f.ID)}); err != nil {
				t.Error(err)
				return false
			}
		}
		return true
	})
	if n := lines(t, db); wrote != writers || n != writers*each {
		t.Fatalf("%d writers left %d lines, want %d and %d", wrote, n, writers, writers*each)
	}
	trail := get[[]storage.AuditLine](t)(db.Tail(t.Context(), 0, 10_000))
	prev := strings.Repeat("0", 64)
	for i, l := range trail {
		if l.Seq != int64(i+1) || l.Prev != prev || l.Hash != independent(t, l) {
			t.Fatalf("line %d does not follow: %+v", i+1, l)
		}
		prev = l.Hash
	}
	if _, head, err := db.Head(t.Context()); err != nil || head != prev {
		t.Errorf("the head is %s, %v; want %s", head, err, prev)
	}
	if part := get[[]storage.AuditLine](t)(db.Tail(t.Context(), 990, 5)); len(part) != 5 || part[0].Seq != 991 {
		t.Errorf("a part of the trail begins with %+v", part)
	}
	var done, total int64
	report := get[storage.VerifyReport](t)(storage.Verify(t.Context(), url, func(d, n int64) { done, total = d, n }))
	if !report.Whole || report.Lines != 1000 || report.Rows != 1000 || report.Head != prev || done != 2000 || total != 2000 {
		t.Errorf("verified as %+v after %d of %d", report, done, total)
	}
}

// independent hashes a line by what trail.go says, and by nothing that it does.
func independent(t *testing.T, l storage.AuditLine) string {
	t.Helper()
	var detail strings.Builder
	enc := json.NewEncoder(&detail)
	enc.SetEscapeHTML(false)
	must(t, enc.Encode(l.Detail))
	h := sha256.New()
	for _, field := range []string{
		fmt.Sprint(l.Seq), fmt.Sprint(l.At.UnixMicro()), string(l.Actor), string(l.Kind), l.Ref,
		strings.TrimSpace(detail.String()), l.Record, l.RecordSHA256, l.Prev,
	} {
		must(t, binary.Write(h, binary.BigEndian, uint64(len(field))))
		h.Write([]byte(field))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func testOnlyGrows(t *testing.T, x *fixture) {
	db, url := x.openAt(t)
	writeAll(t, db)
	client := raw(t, url)
	for _, statement := range []string{
		"UPDATE audit_events SET actor = 'me' WHERE seq = 1", "DELETE FROM audit_events WHERE seq = 1", "DELETE FROM audit_events",
		"UPDATE audit_records SET sha256 = ''", "DELETE FROM audit_records", "DELETE FROM audit_head", "UPDATE audit_head SET seq = seq - 1",
	} {
		if _, err := client.ExecContext(t.Context(), statement); err == nil {
			t.Errorf("%s was let through", statement)
		}
	}
	if postgresURL(url) {
		if _, err := client.ExecContext(t.Context(), "TRUNCATE audit_events"); err == nil {
			t.Error("TRUNCATE was let through")
		}
	}
	whole(t, url)
}

// writeAll leaves rows in every table, some written twice, some together.
func writeAll(t *testing.T, db *storage.DB) {
	t.Helper()
	f := sampleFact("okta", "evt-1")
	must1(t)(db.SaveFact(t.Context(), f, event(lifecycle.EventNoticeReceived, string(f.ID))))
	ana, bo := sampleIdentity("ana"), sampleIdentity("bo")
	n := sampleNotice(ana)
	must(t, db.SaveIdentity(t.Context(), ana, &n, event(lifecycle.EventIdentityChanged, string(ana.ID))))
	must(t, db.SaveIdentity(t.Context(), bo, nil, event(lifecycle.EventIdentityChanged, string(bo.ID))))
	found := sampleFinding("fnd_1")
	must(t, db.SaveRollCall(t.Context(), rollCall(noon(), []lifecycle.Account{sampleAccount("P1"), sampleAccount("P2")}, []lifecycle.Finding{found}, nil)))
	r, ask := sampleRequest("ntc_1"), sampleRequest("fnd_1")
	ask.Why.Find = found.ID
	must(t, db.SaveRequest(t.Context(), r, event(lifecycle.EventRequestOpened, string(r.ID))))
	must(t, db.SaveRequest(t.Context(), ask, event(lifecycle.EventRequestOpened, string(ask.ID))))
	must(t, db.KeepFinding(t.Context(), moved(ask, lifecycle.Denied), sampleException(found), event(lifecycle.EventRequestDenied, string(ask.ID))))
	held := sampleAccount("P1")
	must(t, db.SaveEffect(t.Context(), moved(r, lifecycle.Applying), lifecycle.Effect{Account: "P1", Held: &held, Identity: ana.ID}, event(lifecycle.EventChangeVerified, string(r.ID))))
	must(t, db.SaveMessage(t.Context(), lifecycle.Message{Key: "card/1", Request: r.ID, Intended: noon()}, event(lifecycle.EventCardShown, string(r.ID))))
	must(t, db.SaveDigest(t.Context(), "ana@acme.test", noon().Add(time.Hour), event(lifecycle.EventDigestSent, "ana@acme.test")))
	must(t, db.KeepOriginal(t.Context(), sampleOriginal("chg_1"), event(lifecycle.EventOriginalKept, "chg_1")))
	g := glance(90)
	g.Accounts = []lifecycle.Account{sampleAccount("P3")}
	must(t, db.SaveGlance(t.Context(), g))
	must(t, db.Record(t.Context(), event(lifecycle.EventServiceStopped, "rolecall")))
	writeSources(t, db)
}

// writeSources leaves rows in the tables that sources and people fill.
func writeSources(t *testing.T, db *storage.DB) {
	t.Helper()
	must(t, saveCase(t, db, sampleCase("ana")))
	cy := sampleIdentity("cy")
	cy.Also = []lifecycle.SourceKey{{Source: "hr", Key: "old-cy"}}
	cy.Former = []lifecycle.FormerAddress{{Email: "cy.old@acme.test", Until: noon()}}
	n := sampleNotice(cy)
	n.Kind = lifecycle.Leaver
	must(t, db.SaveIdentity(t.Context(), cy, &n, event(lifecycle.EventIdentityChanged, string(cy.ID))))
	r, _ := n.Removal()
	h := sampleHold("okta")
	r.State, r.Hold = lifecycle.RemovalHeld, h.ID
	must(t, db.SaveHold(t.Context(), h, []lifecycle.Removal{r}, event(lifecycle.EventHoldOpened, string(h.ID))))
	must(t, db.SaveSource(t.Context(), lifecycle.Source{Name: client, Revision: 1, Observed: true, LastHeard: noon(), Heard: 1}, event(lifecycle.EventSourceConnected, client)))
	must(t, db.HeardSource(t.Context(), client, noon().Add(time.Hour)))
	p := put(sampleUser("ana"), sampleUser("bo"), sampleGroup("pay"))
	p.Join = map[string][]string{"pay": {"ana", "bo"}}
	must(t, db.Provision(t.Context(), p))
	must(t, db.Provision(t.Context(), lifecycle.Provision{Delete: []lifecycle.Resource{sampleUser("bo")}, Summary: event(lifecycle.EventResourceChanged, "bo")}))
	must(t, db.EnforcePolicy(t.Context(), samplePolicy("version: 1\n"), event(lifecycle.EventPolicyLoaded, "")))
	writeApprovals(t, db)
}

// writtenLines is how many lines writeAll leaves.
const writtenLines = 23

func testTampering(t *testing.T, x *fixture) {
	swap := func(table, key, column string) func(*testing.T, *sql.DB) {
		return func(t *testing.T, db *sql.DB) {
			one := fmt.Sprintf("(SELECT min(%s) FROM %s)", key, table)
			two := fmt.Sprintf("(SELECT max(%s) FROM %s)", key, table)
			a := query[string](t, db, fmt.Sprintf("SELECT %s FROM %s WHERE %s = %s", column, table, key, one))
			b := query[string](t, db, fmt.Sprintf("SELECT %s FROM %s WHERE %s = %s", column, table, key, two))
			update := fmt.Sprintf("UPDATE %s SET %s = $1 WHERE %s = ", table, column, key)
			must1err(t)(db.ExecContext(t.Context(), update+one, b))
			must1err(t)(db.ExecContext(t.Context(), update+two, a))
		}
	}
	sqls := func(statements ...string) func(*testing.T, *sql.DB) {
		return func(t *testing.T, db *sql.DB) { execute(t, db, statements...) }
	}
	for name, tt := range map[string]struct {
		do    func(*testing.T, *sql.DB)
		table string // that a problem must name
		first int64  // bad line; 0: not asked for
	}{
		"a byte of a line":               {sqls("UPDATE audit_events SET actor = 'rolecalk' WHERE seq = 3"), "audit_events", 3},
		"the moment of a line":           {sqls("UPDATE audit_events SET at = at + 1 WHERE seq = 4"), "audit_events", 4},
		"the detail of a line":           {sqls(`UPDATE audit_events SET detail = '{"why":"no"}' WHERE seq = 5`), "audit_events", 5},
		"a line deleted":                 {sqls("DELETE FROM audit_events WHERE seq = 5"), "audit_events", 5},
		"lines deleted":                  {sqls("DELETE FROM audit_events WHERE seq IN (3, 4, 5)"), "audit_events", 3},
		"the first line deleted":         {sqls("DELETE FROM audit_events WHERE seq = 1"), "audit_events", 1},
		"a line before the first":        {sqls("INSERT INTO audit_events SELECT 0, at, actor, kind, ref, detail, '', '', prev, hash FROM audit_events WHERE seq = 1"), "audit_head", 1},
		"two lines swapped":              {swap("audit_events", "seq", "ref"), "", 0},
		"the tail cut off":               {sqls("DELETE FROM audit_events WHERE seq > 9"), "audit_head", 10},
		"the tail cut off and head set":  {sqls("DELETE FROM audit_events WHERE seq > 7", "DELETE FROM audit_records WHERE seq > 7", "UPDATE audit_head SET seq = 7, hash = (SELECT hash FROM audit_events WHERE seq = 7)"), "request", 2},
		"the head's hash":                {sqls("UPDATE audit_head SET hash = prev FROM audit_events WHERE audit_events.seq = 13"), "audit_head", writtenLines},
		"the head set back":              {sqls("UPDATE audit_head SET seq = 7"), "audit_head", 8},
		"the whole trail":                {sqls("DELETE FROM audit_events", "DELETE FROM audit_records"), "fact", 0},
		"the records of a line":          {sqls("UPDATE audit_records SET sha256 = 'x' WHERE record = 'account/P1' AND seq = 4"), "audit_records", 4},
		"a record of a line deleted":     {sqls("DELETE FROM audit_records WHERE record = 'account/P2'"), "audit_records", 4},
		"a byte of a fact":               {sqls("UPDATE facts SET body = replace(body, 'Payments', 'payments')"), "fact", 1},
		"a fact deleted":                 {sqls("DELETE FROM facts"), "fact", 1},
		"a row put in":                   {sqls("INSERT INTO facts (id, source, event_id, body) VALUES ('ntc_x', 'x', 'x', '{}')"), "fact", 0},
		"a request approved by hand":     {sqls(`UPDATE requests SET body = replace(body, '"denied"', '"approved"')`), "request", 0},
		"only the column of a request":   {sqls("UPDATE requests SET state = 'approved' WHERE state = 'denied'"), "request", 7},
		"an exception drawn out":         {sqls("UPDATE exceptions SET ends = ends + 1"), "exception", 7},
		"a finding hidden":               {sqls("UPDATE findings SET cleared = (1=1)"), "finding", 7},
		"a baseline frozen":              {sqls("UPDATE accounts SET seen = seen + 1 WHERE id = 'P2'"), "account", 4},
		"two requests swapped":           {swap("requests", "id", "body"), "request", 0},
		"two identities swapped":         {swap("identities", "id", "body"), "identity", 0},
		"a key given to somebody else":   {sqls("UPDATE identity_keys SET identity = (SELECT max(identity) FROM identity_keys)"), "identity_keys", 0},
		"a key deleted":                  {sqls("DELETE FROM identity_keys WHERE key = 'E-ana'"), "identity_keys", 0},
		"an earlier key":                 {sqls("UPDATE earlier_keys SET key = 'old-eve'"), "earlier_keys", 0},
		"a notice changed":               {sqls(`UPDATE notices SET body = replace(body, 'joiner', 'leaver')`), "notice", 2},
		"a message deleted":              {sqls("DELETE FROM messages"), "message", 9},
		"a byte of an original":          {sqls(`UPDATE originals SET body = replace(body, '"body":"ey', '"body":"fy')`), "original", 11},
		"an original for another change": {sqls("UPDATE originals SET change = 'chg_2'"), "original", 11},
		"an original deleted":            {sqls("DELETE FROM originals"), "original", 11},
		"the originals dropped":          {sqls("DROP TABLE originals"), "original", 11},
		"the identities dropped":         {sqls("DROP TABLE identities"), "identity", 0},
		"an account of a glance":         {sqls("UPDATE accounts SET seen = seen + 1 WHERE id = 'P3'"), "account", 12},
		"the mark of a glance":           {sqls("UPDATE marks SET at = at - 1 WHERE name = 'glance'"), "mark", 12},
		"the mark of a roll call":        {sqls("UPDATE marks SET at = at + 1 WHERE name = 'rollcall'"), "mark", 4},
		"a case answered by hand":        {sqls(`UPDATE cases SET body = replace(body, '"options"', '"answer":"P1","options"')`), "case", 14},
		"a case hidden":                  {sqls("UPDATE cases SET open = (1=0)"), "case", 14},
		"a case about somebody else":     {sqls("UPDATE cases SET identity = 'idn_x'"), "case", 14},
		"a removal let go":               {sqls("UPDATE removals SET state = 'passed'"), "removal", 16},
		"a removal deleted":              {sqls("DELETE FROM removals"), "removal", 16},
		"a hold let go":                  {sqls(`UPDATE holds SET body = replace(body, '"held"', '"released"')`), "hold", 16},
		"a hold hidden":                  {sqls("UPDATE holds SET open = (1=0)"), "hold", 16},
		"a first sync ended by hand":     {sqls(`UPDATE sources SET body = replace(body, ',"observed":true', '')`), "source", 17},
		"a source deleted":               {sqls("DELETE FROM sources"), "source", 17},
		"a user given another name":      {sqls("UPDATE resources SET name = 'eve' WHERE id = 'ana'"), "resource", 18},
		"a user brought back":            {sqls("UPDATE resources SET gone = (1=0) WHERE id = 'bo'"), "resource", 19},
		"a member put in":                {sqls(`UPDATE resource_members SET gone = (1=0), body = replace(body, ',"gone":true', '') WHERE user_id = 'bo'`), "member", 19},
		"a member taken out":             {sqls("DELETE FROM resource_members WHERE user_id = 'ana'"), "member", 18},
		"an address of a user":           {sqls("UPDATE resource_emails SET email = 'eve@acme.test' WHERE email = 'ana@acme.test'"), "resource_emails", 0},
		"an address of a user deleted":   {sqls("DELETE FROM resource_emails"), "resource_emails", 0},
		"an address that is not free":    {sqls("UPDATE former_addresses SET until = until - 1"), "former_addresses", 0},
		"an address that somebody had":   {sqls("DELETE FROM former_addresses"), "former_addresses", 0},
		"the text of a policy":           {sqls(`UPDATE policies SET body = replace(body, 'version: 1', 'version: 2')`), "policy", 20},
		"a policy out of force":          {sqls("UPDATE policies SET in_force = 0"), "policy", 20},
		"an absence drawn out":           {sqls("UPDATE absences SET ends = ends + 1"), "absence", 21},
		"another delegate":               {sqls(`UPDATE absences SET body = replace(body, 'bo@acme.test', 'eve@acme.test')`), "absence", 21},
		"an absence deleted":             {sqls("DELETE FROM absences"), "absence", 21},
		"somebody put into a group":      {sqls(`UPDATE user_groups SET body = replace(body, '["ana@acme.test"]', '["ana@acme.test","eve@acme.test"]')`), "group", 22},
		"a group deleted":                {sqls("DELETE FROM user_groups"), "group", 22},
		"a day that looks better":        {sqls(`UPDATE tallies SET body = replace(body, '"excess":1', '"excess":0')`), "tally", 4},
		"the moment of a tally":          {sqls("UPDATE tallies SET at = at + 1"), "tally", 4},
		"a day forgotten":                {sqls("DELETE FROM tallies"), "tally", 4},
		"an end put off":                 {sqls("UPDATE request_ends SET ends = ends + 1"), "request_ends", 0},
		"an end forgotten":               {sqls("DELETE FROM request_ends"), "request_ends", 0},
		"a manager of a team put in":     {sqls("INSERT INTO team_managers (team, account) VALUES ('PPAY', 'PEVE')"), "team_managers", 0},
		"a manager of another team":      {sqls("UPDATE team_managers SET team = 'PX' WHERE account = 'P1'"), "team_managers", 0},
		"a manager taken out":            {sqls("DELETE FROM team_managers WHERE account = 'P3'"), "team_managers", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := tampered(t, x, tt.do)
			if report.Whole || !slices.ContainsFunc(report.Problems, func(p storage.Problem) bool { return tt.table == "" || p.Table == tt.table }) {
				t.Errorf("it was not found in %s: %+v", tt.table, report)
			}
			if tt.first > 0 && report.FirstBad != tt.first {
				t.Errorf("the first bad line is %d, want %d: %v", report.FirstBad, tt.first, report.Problems)
			}
		})
	}
}

// tampered verifies a database that somebody changed who first put the guards away.
func tampered(t *testing.T, x *fixture, do func(*testing.T, *sql.DB)) storage.VerifyReport {
	t.Helper()
	db, url := x.openAt(t)
	writeAll(t, db)
	if n := lines(t, db); n != writtenLines {
		t.Fatalf("%d lines, want %d", n, writtenLines)
	}
	must(t, db.Close())
	whole(t, url)
	client := raw(t, url)
	if postgresURL(url) {
		execute(t, client, "SET session_replication_role = replica")
	} else {
		for _, table := range []string{"audit_events", "audit_records"} {
			execute(t, client, "DROP TRIGGER "+table+"_no_update", "DROP TRIGGER "+table+"_no_delete")
		}
		execute(t, client, "DROP TRIGGER audit_head_forward")
	}
	do(t, client)
	must(t, client.Close())
	return get[storage.VerifyReport](t)(storage.Verify(t.Context(), url, nil))
}

func must1err(t *testing.T) func(_ sql.Result, err error) {
	return func(_ sql.Result, err error) {
		t.Helper()
		must(t, err)
	}
}

func unique() string { return string(lifecycle.NewChangeID()) }
