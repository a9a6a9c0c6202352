package lifecycle

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// Ids are typed, prefixed and unguessable: legible alone in a log, a button or
// a ticket. AccountID and TeamID are PagerDuty's own, SlackID and GroupID are Slack's.
type (
	IdentityID  string
	NoticeID    string
	RequestID   string
	ChangeID    string
	FindingID   string
	ExceptionID string
	CaseID      string
	HoldID      string
	AbsenceID   string
	AccountID   string
	TeamID      string
	SlackID     string
	GroupID     string // of a user group
)

// NewIdentityID returns a fresh identity id.
func NewIdentityID() IdentityID { return IdentityID("idn_" + random()) }

// NewNoticeID returns a fresh notice id.
func NewNoticeID() NoticeID { return NoticeID("ntc_" + random()) }

// NewChangeID returns a fresh change id.
func NewChangeID() ChangeID { return ChangeID("chg_" + random()) }

// NewExceptionID returns a fresh exception id.
func NewExceptionID() ExceptionID { return ExceptionID("exc_" + random()) }

// RequestIDFor returns the id of the request that cause opens at stage. It is
// derived, so that a step repeated after a crash opens the same request and
// the store answers ErrDuplicate instead of asking an owner twice.
func RequestIDFor(cause, stage string) RequestID {
	return RequestID("req_" + derived(cause, stage))
}

// NoticeIDFor returns the id of the notice that fact leads to at a later
// moment than its arrival, such as when an end date passes.
func NoticeIDFor(fact NoticeID, moment string) NoticeID {
	return NoticeID("ntc_" + derived(string(fact), moment))
}

// CaseIDFor returns the id of the question of that kind about what. It is derived:
// the same question is asked once.
func CaseIDFor(kind CaseKind, what ...string) CaseID {
	return CaseID("cas_" + derived(append([]string{string(kind)}, what...)...))
}

// NewAbsenceID returns a fresh absence id.
func NewAbsenceID() AbsenceID { return AbsenceID("abs_" + random()) }

// NewHoldID returns a fresh hold id.
func NewHoldID() HoldID { return HoldID("hld_" + random()) }

func random() string { return strings.ToLower(rand.Text()) }

func derived(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}
