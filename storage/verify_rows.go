package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// table is one whose rows the trail vouches for.
type table struct {
	name  string
	check func(context.Context) error
}

func (v *verifier) tables() []table {
	return []table{
		{"facts", v.facts},
		{"identities", v.identities},
		{"identity_keys", v.identityKeys},
		{"earlier_keys", v.earlierKeys},
		{"notices", v.notices},
		{"requests", v.requests},
		{"findings", v.findings},
		{"exceptions", v.exceptions},
		{"accounts", v.accounts},
		{"messages", v.messages},
		{"marks", v.marks},
		{"originals", v.originals},
		{"former_addresses", v.formerAddresses},
		{"cases", v.cases},
		{"holds", v.holds},
		{"removals", v.removals},
		{"sources", v.sources},
		{"resources", v.resources},
		{"resource_emails", v.resourceEmails},
		{"resource_members", v.members},
		{"policies", v.policies},
		{"absences", v.absences},
		{"user_groups", v.userGroups},
		{"tallies", v.tallies},
		{"request_ends", v.requestEnds},
		{"team_managers", v.teamManagers},
	}
}

// rows holds every row against the trail, and its columns against its body. A
// table that is not there has no rows: in the database of an older rolecall
// nothing speaks of any, and where it was dropped they are missing.
func (v *verifier) rows(ctx context.Context) error {
	for _, t := range v.tables() {
		there, err := v.has(ctx, t.name)
		if there {
			err = t.check(ctx)
		}
		if err := v.broken(t.name, err); err != nil {
			return fmt.Errorf("check table %s: %w", t.name, err)
		}
	}
	v.missing()
	return nil
}

func (v *verifier) facts(ctx context.Context) error {
	return walk(v, "fact", verifyPage,
		func(after string, page int32) ([]q.Fact, error) {
			return v.q.FactsAfter(ctx, q.FactsAfterParams{After: after, Page: page})
		},
		func(r *q.Fact) (string, *string) { return r.ID, &r.Body }, factRow)
}

func (v *verifier) identities(ctx context.Context) error {
	return walk(v, "identity", verifyPage,
		func(after string, page int32) ([]q.Identity, error) {
			return v.q.IdentitiesAfter(ctx, q.IdentitiesAfterParams{After: after, Page: page})
		},
		func(r *q.Identity) (string, *string) { return r.ID, &r.Body },
		func(i lifecycle.Identity) (q.Identity, error) {
			now, before := keyRows(standing(i))
			for _, k := range now {
				v.keys[k] = true
			}
			for _, k := range before {
				v.earlier[k] = true
			}
			for _, f := range formerRows(standing(i)) {
				v.former[f] = true
			}
			return identityRow(i)
		})
}

// identityKeys holds the keys against the identities that carry them, which
// the trail vouches for.
func (v *verifier) identityKeys(ctx context.Context) error {
	var last q.IdentityKey
	return repeats(v, "identity_keys", v.keys,
		func(page int32) ([]q.IdentityKey, error) {
			return v.q.IdentityKeysAfter(ctx, q.IdentityKeysAfterParams{Source: last.Source, Key: last.Key, Page: page})
		},
		func(k q.IdentityKey) string {
			last = k
			return k.Source + " " + k.Key
		})
}

func (v *verifier) notices(ctx context.Context) error {
	return walk(v, "notice", verifyPage,
		func(after string, page int32) ([]q.Notice, error) {
			return v.q.NoticesAfter(ctx, q.NoticesAfterParams{After: after, Page: page})
		},
		func(r *q.Notice) (string, *string) { return r.ID, &r.Body }, noticeRow)
}

func (v *verifier) requests(ctx context.Context) error {
	return walk(v, "request", verifyPage,
		func(after string, page int32) ([]q.Request, error) {
			return v.q.RequestsAfter(ctx, q.RequestsAfterParams{After: after, Page: page})
		},
		func(r *q.Request) (string, *string) { return r.ID, &r.Body },
		func(r lifecycle.Request) (q.Request, error) {
			if end, has := endRow(r); has {
				v.ends[end] = true
			}
			return requestRow(r)
		})
}

func (v *verifier) findings(ctx context.Context) error {
	return walk(v, "finding", verifyPage,
		func(after string, page int32) ([]q.Finding, error) {
			return v.q.FindingsAfter(ctx, q.FindingsAfterParams{After: after, Page: page})
		},
		func(r *q.Finding) (string, *string) { return r.ID, &r.Body }, findingRow)
}

func (v *verifier) exceptions(ctx context.Context) error {
	return walk(v, "exception", verifyPage,
		func(after string, page int32) ([]q.Exception, error) {
			return v.q.ExceptionsAfter(ctx, q.ExceptionsAfterParams{After: after, Page: page})
		},
		func(r *q.Exception) (string, *string) { return r.ID, &r.Body }, exceptionRow)
}

func (v *verifier) accounts(ctx context.Context) error {
	return walk(v, "account", verifyPage,
		func(after string, page int32) ([]q.Account, error) {
			return v.q.AccountsAfter(ctx, q.AccountsAfterParams{After: after, Page: page})
		},
		func(r *q.Account) (string, *string) { return r.ID, &r.Body },
		func(h held) (q.Account, error) {
			for _, m := range managerRows(h) {
				v.managers[m] = true
			}
			return accountRow(h)
		})
}

func (v *verifier) messages(ctx context.Context) error {
	return walk(v, "message", verifyPage,
		func(after string, page int32) ([]q.Message, error) {
			return v.q.MessagesAfter(ctx, q.MessagesAfterParams{After: after, Page: page})
		},
		func(r *q.Message) (string, *string) { return r.Key, &r.Body }, messageRow)
}

func (v *verifier) marks(ctx context.Context) error {
	return walk(v, "mark", verifyPage,
		func(after string, page int32) ([]q.Mark, error) {
			return v.q.MarksAfter(ctx, q.MarksAfterParams{After: after, Page: page})
		},
		func(r *q.Mark) (string, *string) { return r.Name, &r.Body }, markRow)
}

func (v *verifier) originals(ctx context.Context) error {
	return walk(v, "original", largePage,
		func(after string, page int32) ([]q.Original, error) {
			return v.q.OriginalsAfter(ctx, q.OriginalsAfterParams{After: after, Page: page})
		},
		func(r *q.Original) (string, *string) { return r.Change, &r.Body }, originalRow)
}

// walk checks each row of a table: that the trail vouches for its body, and
// that making the row again from that body gives the same columns.
func walk[V any, R comparable](v *verifier, table string, size int32, page func(after string, size int32) ([]R, error), parts func(*R) (key string, body *string), again func(V) (R, error)) error {
	after := ""
	for {
		rows, err := page(after, size)
		if err != nil {
			return fmt.Errorf("read the rows after %q: %w", after, err)
		}
		for i := range rows {
			key, body := parts(&rows[i])
			after = key
			if v.vouchedFor(table, key, *body) && !madeAgain(rows[i], *body, parts, again) {
				v.problem(Problem{Seq: v.vouched[table+"/"+key].seq, Table: table, Row: key, Why: "its columns do not say what its body says: one of them was changed"})
			}
		}
		v.report.Rows += int64(len(rows))
		v.step(len(rows))
		if len(rows) < int(size) {
			return nil
		}
	}
}

func madeAgain[V any, R comparable](row R, body string, parts func(*R) (string, *string), again func(V) (R, error)) bool {
	value, err := decode[V](body)
	if err != nil {
		return false
	}
	made, err := again(value)
	if err != nil {
		return false
	}
	_, madeBody := parts(&made)
	*madeBody = body // a newer version may write the same value with more fields
	return made == row
}

// vouchedFor reports whether the row is as the last line about it says, and
// notes that it was seen.
func (v *verifier) vouchedFor(table, key, body string) bool {
	name := table + "/" + key
	told, ok := v.vouched[name]
	if !ok {
		why := "no line of the trail speaks of this row: it was put here by something else"
		if v.unread {
			why = "no line that can still be read speaks of this row"
		}
		v.problem(Problem{Table: table, Row: key, Why: why})
		return false
	}
	told.seen = true
	v.vouched[name] = told
	if bodyDigest(body) == told.digest {
		return true
	}
	v.problem(Problem{Seq: told.seq, Table: table, Row: key, Why: "the row is not as this line, the last one about it, was written with: the row was changed, or later lines are gone"})
	return false
}

func (v *verifier) missing() {
	for _, name := range slices.Sorted(maps.Keys(v.vouched)) {
		if told := v.vouched[name]; !told.seen {
			table, key, _ := strings.Cut(name, "/")
			v.problem(Problem{Seq: told.seq, Table: table, Row: key, Why: "the row that this line was written with is missing"})
		}
	}
}

// openForVerify opens the database so that it cannot be changed.
func openForVerify(ctx context.Context, url string) (*sql.DB, func() error, error) {
	if isPostgres(url) {
		db := &DB{role: Command}
		if err := db.openPostgres(ctx, url); err != nil {
			return nil, nil, errors.Join(err, db.Close())
		}
		return db.reader, db.reader.Close, nil
	}
	return openFile(ctx, url)
}
