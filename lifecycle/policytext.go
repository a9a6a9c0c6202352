package lifecycle

import (
	"context"
	"time"
)

// A PolicyText is a policy file that is or was in force, as it was written: what
// the SHA-256 on a plan or a decision stands for.
type PolicyText struct {
	SHA256 string    `json:"sha256"`
	Text   string    `json:"text"`
	At     time.Time `json:"at"` // when it came into force, last
	By     string    `json:"by"` // who let it, where it took more than is ordinary; else ""
}

// PolicyStore keeps policies.
type PolicyStore interface {
	// PolicyInForce returns the policy that came into force last, or ErrNotFound.
	PolicyInForce(ctx context.Context) (PolicyText, error)
	// PolicyText returns the policy with that digest, or ErrNotFound.
	PolicyText(ctx context.Context, sha256 string) (PolicyText, error)
	// KeepPolicy keeps the text of a policy that is not in force, such as one that waits.
	KeepPolicy(ctx context.Context, p PolicyText, e AuditEvent, next ...Job) error
	// EnforcePolicy keeps the policy and puts it in force.
	EnforcePolicy(ctx context.Context, p PolicyText, e AuditEvent, next ...Job) error
}
