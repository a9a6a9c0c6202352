package storage

import (
	"context"
	"fmt"

	"rolecall/storage/q"
)

// formerAddresses holds the addresses against the identities that had them,
// which the trail vouches for.
func (v *verifier) formerAddresses(ctx context.Context) error {
	var last q.FormerAddress
	for {
		page, err := v.q.FormerAddressesAfter(ctx, q.FormerAddressesAfterParams{Email: last.Email, Identity: last.Identity, Page: verifyPage})
		if err != nil {
			return fmt.Errorf("read the former addresses after %s: %w", last.Email, err)
		}
		for _, f := range page {
			if !v.former[f] {
				v.problem(Problem{Table: "former_addresses", Row: f.Identity + " " + f.Email, Why: "the identity it points to does not say that it had this address until then"})
			}
			delete(v.former, f)
			last = f
		}
		v.step(len(page))
		if len(page) < verifyPage {
			break
		}
	}
	for f := range v.former {
		v.problem(Problem{Table: "former_addresses", Row: f.Identity + " " + f.Email, Why: "the row is missing: the identity says that it had this address"})
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
		func(r *q.Resource) (string, *string) { return resourceKey(*r), &r.Body }, resourceRow)
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
