package lifecycle

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// A Review is what somebody decides about a finding in a digest.
type Review string

// What can be decided. To reduce is to leave an account that can look on.
const (
	ReviewKeep   Review = "keep"
	ReviewReduce Review = "reduce"
	ReviewRevoke Review = "revoke"
)

// ParseReview returns the review named s, or a Refusal that lists them.
func ParseReview(s string) (Review, error) {
	return parseClosed("review", s, ReviewKeep, ReviewReduce, ReviewRevoke)
}

// Verdicts are what one person decides, with one press, about findings.
type Verdicts struct {
	Findings []FindingID
	By       Identity
	What     Review
	Reason   string
	Until    time.Time // of what is kept; zero: 90 days
	Shown    time.Time // when they were first shown what they decide on; zero where that is not known
	Via      Via
}

// An Outcome is what came of one of them: a request, or why there is none.
type Outcome struct {
	Finding FindingID
	Request Request
	Err     error // a Refusal in words, or a fault
}

// A Preview is what a review would do about one finding.
type Preview struct {
	Finding Finding
	Changes []Change
	Held    string // why nothing would be done, in a sentence; or ""
}

// A Bundle is findings that are identical in risk, so that they can be looked at
// together. What gives great power stands alone.
type Bundle struct {
	Kind       FindingKind
	Severity   Severity
	Role       string // that is held
	Privileged bool
	Reducible  bool // something less than a revocation is possible
	Findings   []Finding
}

// Reviewable reports whether a finding is decided in a digest, and not on a card
// of its own.
func (f Finding) Reviewable() bool {
	return f.Kind == FoundStale && f.Exception == "" && f.ClearedAt.IsZero()
}

// Bundles returns the findings that are decided in a digest, those of the same
// risk together: of the same kind, severity, role and proxy. The riskiest come first.
func Bundles(found []Finding) []Bundle {
	var bundles []Bundle
	at := map[string]int{}
	for _, f := range found {
		if !f.Reviewable() {
			continue
		}
		b := Bundle{Kind: f.Kind, Severity: f.Severity, Role: f.From, Privileged: BaseRole(f.From).Privileged(), Reducible: BaseRole(f.From).Rank() > RoleObserver.Rank()}
		key := strings.Join([]string{string(f.Kind), string(f.Severity), f.From, f.Proxy}, "\x00")
		if b.Privileged {
			key += "\x00" + string(f.ID)
		}
		k, known := at[key]
		if !known {
			k = len(bundles)
			at[key], bundles = k, append(bundles, b)
		}
		bundles[k].Findings = append(bundles[k].Findings, f)
	}
	slices.SortStableFunc(bundles, func(a, b Bundle) int {
		return cmp.Or(BaseRole(b.Role).Rank()-BaseRole(a.Role).Rank(), len(b.Findings)-len(a.Findings))
	})
	return bundles
}
