package lifecycle

import "time"

// Verdict is what a person decided.
type Verdict string

// The verdicts. On a finding, approve revokes what was found and deny keeps it.
const (
	Approve Verdict = "approve"
	Deny    Verdict = "deny"
)

// Via is the way a decision came.
type Via string

// The ways a decision can come.
const (
	ViaSlack  Via = "slack"
	ViaCLI    Via = "cli"
	ViaPolicy Via = "policy"
)

// A Decision is one person's verdict on a request. By is the address the
// record shows; ByID is who that was.
type Decision struct {
	By      string     `json:"by"`
	ByID    IdentityID `json:"by_id,omitempty"`
	For     string     `json:"for,omitempty"`
	Verdict Verdict    `json:"verdict"`
	Reason  string     `json:"reason"`
	Until   time.Time  `json:"until,omitzero"` // a kept finding is asked again then
	At      time.Time  `json:"at"`
	Via     Via        `json:"via"`
	Seen    int        `json:"seen"`             // the revision of the request that the person saw
	Lapsed  bool       `json:"lapsed,omitempty"` // an approval that counts no more: who gave it may not decide any more
	Batch   int        `json:"batch,omitempty"`  // how many were decided with one press, itself included; 0 is this one alone
	Shown   time.Time  `json:"shown,omitzero"`   // when what they decided on was first shown to them, where that is known
}

// authority returns in whose name it was given.
func (d Decision) authority() string {
	if d.For != "" {
		return FoldEmail(d.For)
	}
	return FoldEmail(d.By)
}
