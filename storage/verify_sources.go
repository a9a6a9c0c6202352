package storage

import (
	"context"
	"fmt"

	"rolecall/storage/q"
)

func (v *verifier) earlierKeys(ctx context.Context) error {
	var last q.EarlierKey
	return repeats(v, "earlier_keys", v.earlier,
		func(page int32) ([]q.EarlierKey, error) {
			return v.q.EarlierKeysAfter(ctx, q.EarlierKeysAfterParams{Source: last.Source, Key: last.Key, Page: page})
		},
		func(k q.EarlierKey) string {
			last = k
			return k.Source + " " + k.Key
		})
}

// formerAddresses holds the addresses against the identities that had them,
// which the trail vouches for.
func (v *verifier) formerAddresses(ctx context.Context) error {
	var last q.FormerAddress
	return repeats(v, "former_addresses", v.former,
		func(page int32) ([]q.FormerAddress, error) {
			return v.q.FormerAddressesAfter(ctx, q.FormerAddressesAfterParams{Email: last.Email, Identity: last.Identity, Page: page})
		},
		func(f q.FormerAddress) string {
			last = f
			return f.Identity + " " + f.Email
		})
}

// resourceEmails holds the addresses against the users that have them.
func (v *verifier) resourceEmails(ctx context.Context) error {
	var last q.ResourceEmail
	return repeats(v, "resource_emails", v.emails,
		func(page int32) ([]q.ResourceEmail, error) {
			return v.q.ResourceEmailsAfter(ctx, q.ResourceEmailsAfterParams{Client: last.Client, Email: last.Email, ID: last.ID, Page: page})
		},
		func(e q.ResourceEmail) string {
			last = e
			return e.Client + " " + e.ID + " " + e.Email
		})
}

// repeats checks a table that only repeats what other rows say, which the trail
// vouches for: said is what they do. It empties said.
func repeats[R comparable](v *verifier, table string, said map[R]bool, next func(page int32) ([]R, error), name func(R) string) error {
	for {
		page, err := next(verifyPage)
		if err != nil {
			return fmt.Errorf("read the next rows: %w", err)
		}
		for _, row := range page {
			what := name(row)
			if !said[row] {
				v.problem(Problem{Table: table, Row: what, Why: "the row that it repeats does not say so"})
			}
			delete(said, row)
		}
		v.step(len(page))
		if len(page) < verifyPage {
			break
		}
	}
	for row := range said {
		v.problem(Problem{Table: table, Row: name(row), Why: "the row is missing: what it repeats says so"})
	}
	return nil
}

func (v *verifier) cases(ctx context.Context) error {
	return walk(v, "case", verifyPage,
		func(after string, page int32) ([]q.Case, error) {
			return v.q.CasesAfter(ctx, q.CasesAfterParams{After: after, Page: page})
		},
		func(r *q.Case) (string, *string) { return r.ID, &r.Body }, caseRow)
}

func (v *verifier) holds(ctx context.Context) error {
	return walk(v, "hold", verifyPage,
		func(after string, page int32) ([]q.Hold, error) {
			return v.q.HoldsAfter(ctx, q.HoldsAfterParams{After: after, Page: page})
		},
		func(r *q.Hold) (string, *string) { return r.ID, &r.Body }, holdRow)
}

func (v *verifier) removals(ctx context.Context) error {
	return walk(v, "removal", verifyPage,
		func(after string, page int32) ([]q.Removal, error) {
			return v.q.RemovalsAfter(ctx, q.RemovalsAfterParams{After: after, Page: page})
		},
		func(r *q.Removal) (string, *string) { return r.Notice, &r.Body }, removalRow)
}

func (v *verifier) sources(ctx context.Context) error {
	return walk(v, "source", verifyPage,
		func(after string, page int32) ([]q.Source, error) {
			return v.q.SourcesAfter(ctx, q.SourcesAfterParams{After: after, Page: page})
		},
		func(r *q.Source) (string, *string) { return r.Name, &r.Body }, sourceRow)
}

func (v *verifier) resources(ctx context.Context) error {
	var last q.Resource
	return walk(v, "resource", verifyPage,
		func(_ string, page int32) ([]q.Resource, error) {
			rows, err := v.q.ResourcesAfter(ctx, q.ResourcesAfterParams{Client: last.Client, Kind: last.Kind, ID: last.ID, Page: page})
			if len(rows) > 0 {
				last = rows[len(rows)-1]
			}
			return rows, err
		},
		func(r *q.Resource) (string, *string) { return resourceKey(*r), &r.Body },
		func(p provisioned) (q.Resource, error) {
			for _, e := range emailRows(p.Resource) {
				v.emails[e] = true
			}
			return resourceRow(p)
		})
}

func (v *verifier) members(ctx context.Context) error {
	var last q.ResourceMember
	return walk(v, "member", verifyPage,
		func(_ string, page int32) ([]q.ResourceMember, error) {
			rows, err := v.q.ResourceMembersAfter(ctx, q.ResourceMembersAfterParams{Client: last.Client, GroupID: last.GroupID, UserID: last.UserID, Page: page})
			if len(rows) > 0 {
				last = rows[len(rows)-1]
			}
			return rows, err
		},
		func(r *q.ResourceMember) (string, *string) { return memberKey(*r), &r.Body }, memberRow)
}

func (v *verifier) policies(ctx context.Context) error {
	return walk(v, "policy", largePage,
		func(after string, page int32) ([]q.Policy, error) {
			return v.q.PoliciesAfter(ctx, q.PoliciesAfterParams{After: after, Page: page})
		},
		func(r *q.Policy) (string, *string) { return r.Sha256, &r.Body }, policyRow)
}
