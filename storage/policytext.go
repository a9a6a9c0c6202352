package storage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"unicode/utf8"

	"rolecall/lifecycle"
	"rolecall/storage/q"
)

// policyText is a policy, and the how manieth time it was that one came into
// force when it last did; 0 when it never was.
type policyText struct {
	lifecycle.PolicyText
	InForce int64 `json:"in_force,omitempty"`
}

// KeepPolicy keeps the text of a policy that is not in force. Where that is kept
// already, in force or not, it stays as it is. A text that is not what its
// digest stands for is an error.
func (db *DB) KeepPolicy(ctx context.Context, p lifecycle.PolicyText, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	row, err := policyRow(policyText{PolicyText: p})
	if err != nil {
		return err
	}
	return db.write(ctx, one(e), next, func(t *tx) error {
		n, err := t.q.InsertPolicy(ctx, q.InsertPolicyParams(row))
		if err != nil {
			return fmt.Errorf("insert policy %s: %w", p.SHA256, err)
		}
		if n > 0 {
			t.wrote.add("policy", row.Sha256, row.Body)
		}
		return nil
	})
}

// EnforcePolicy keeps the policy and puts it in force. A text that is not what
// its digest stands for is an error.
func (db *DB) EnforcePolicy(ctx context.Context, p lifecycle.PolicyText, e lifecycle.AuditEvent, next ...lifecycle.Job) error {
	return db.write(ctx, one(e), next, func(t *tx) error {
		if err := t.lock(ctx, "policy in force"); err != nil {
			return err
		}
		last, err := load[policyText](t.q.PolicyInForce(ctx))
		if err != nil && !errors.Is(err, lifecycle.ErrNotFound) {
			return fmt.Errorf("look up the policy in force: %w", err)
		}
		row, err := policyRow(policyText{PolicyText: p, InForce: last.InForce + 1})
		if err != nil {
			return err
		}
		if err := t.q.PutPolicy(ctx, q.PutPolicyParams(row)); err != nil {
			return fmt.Errorf("put policy %s: %w", p.SHA256, err)
		}
		t.wrote.add("policy", row.Sha256, row.Body)
		return nil
	})
}

func policyRow(p policyText) (q.Policy, error) {
	if !utf8.ValidString(p.Text) { // it would come back as another
		return q.Policy{}, fmt.Errorf("keep policy %s: its text is not UTF-8", p.SHA256)
	}
	sum := sha256.Sum256([]byte(p.Text))
	if is := hex.EncodeToString(sum[:]); is != p.SHA256 {
		return q.Policy{}, fmt.Errorf("keep policy %s: the digest of its text is %s", p.SHA256, is)
	}
	body, err := encode(p)
	return q.Policy{Sha256: p.SHA256, InForce: p.InForce, Body: body}, err
}

// PolicyInForce returns the policy that came into force last, or lifecycle.ErrNotFound.
func (db *DB) PolicyInForce(ctx context.Context) (lifecycle.PolicyText, error) {
	p, err := load[policyText](db.read.PolicyInForce(ctx))
	return p.PolicyText, err
}

// PolicyText returns the policy with that digest, or lifecycle.ErrNotFound.
func (db *DB) PolicyText(ctx context.Context, sha256 string) (lifecycle.PolicyText, error) {
	p, err := load[policyText](db.read.Policy(ctx, text(sha256)))
	return p.PolicyText, err
}
