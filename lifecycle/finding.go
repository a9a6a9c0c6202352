package lifecycle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// FindingKind is in what way the roll did not agree with policy.
type FindingKind string

// The kinds of finding.
const (
	FoundOrphan        FindingKind = "orphan"         // an account that is nobody's
	FoundLeaverPresent FindingKind = "leaver_present" // somebody who left still holds access
	FoundExcess        FindingKind = "excess"         // holds more than policy says
	FoundMissing       FindingKind = "missing"        // holds less than policy says
	FoundDrift         FindingKind = "drift"          // was changed since the last roll call, with no decision on file
	FoundStale         FindingKind = "stale"          // was not used for long, by a proxy that the finding names
	FoundInvitePending FindingKind = "invite_pending" // has not accepted the invitation, and cannot be paged
	FoundUnmatched     FindingKind = "unmatched"
	FoundDisputed      FindingKind = "disputed" // more than one account, or more than one person, could be meant
)

// ParseFindingKind returns the kind named s, or a Refusal that lists them.
func ParseFindingKind(s string) (FindingKind, error) {
	return parseClosed("finding kind", s, FoundOrphan, FoundLeaverPresent, FoundExcess, FoundMissing, FoundDrift, FoundStale, FoundInvitePending, FoundUnmatched, FoundDisputed)
}

// Severity is how soon somebody should look.
type Severity string

// The severities.
const (
	SeverityHigh   Severity = "high"
	SeverityMedium Severity = "medium"
	SeverityLow    Severity = "low"
)

// AccountCard is as much of an account as a finding shows.
type AccountCard struct {
	ID       AccountID `json:"id,omitempty"`
	Email    string    `json:"email"`
	Name     string    `json:"name"`
	BaseRole BaseRole  `json:"base_role,omitempty"`
}

// A Finding is one disagreement between policy and PagerDuty. Its ID is
// derived from what it is about, so that the next roll call finds the same one.
type Finding struct {
	ID          FindingID   `json:"id"`
	Kind        FindingKind `json:"kind"`
	Severity    Severity    `json:"severity"`
	Identity    IdentityID  `json:"identity,omitempty"`
	Account     AccountCard `json:"account"`
	Entitlement Entitlement `json:"entitlement,omitzero"`
	From        string      `json:"from"` // the role held, "" for none
	To          string      `json:"to"`   // the role policy says, "" for none
	Since       time.Time   `json:"since"`
	Source      string      `json:"source"`            // "roll call", or the other tool's name
	MadeBy      string      `json:"made_by,omitempty"` // who made it so, how and when, where PagerDuty's audit records tell
	Foreign     bool        `json:"foreign,omitempty"` // it was made with rolecall's own key, and not by rolecall
	Apart       string      `json:"apart,omitempty"`   // which segregation of duties it breaks, in a sentence
	Proxy       string      `json:"proxy,omitempty"`   // what a claim about use rests on
	Note        string      `json:"note,omitempty"`    // in a sentence
	Request     RequestID   `json:"request,omitempty"` // that asks about it
	Exception   ExceptionID `json:"exception,omitempty"`
	Again       time.Time   `json:"again,omitzero"` // when a roll call last called for asking about it anew
	ClearedAt   time.Time   `json:"cleared_at,omitzero"`
}

// Decidable reports whether an owner is asked: something can be done about it.
func (f Finding) Decidable() bool {
	switch f.Kind {
	case FoundOrphan, FoundLeaverPresent, FoundExcess, FoundMissing, FoundDrift:
		return !f.Unanswered() && (f.Account.ID != "" || f.Kind == FoundMissing)
	case FoundStale, FoundInvitePending, FoundUnmatched, FoundDisputed:
		return false
	default:
		return false
	}
}

// Unanswered reports whether the finding is about a level or a schedule in
// which somebody should answer, and nobody does.
func (f Finding) Unanswered() bool {
	return f.Source == rollCallSource && (f.Entitlement.Kind == KindEscalationPolicy || f.Entitlement.Kind == KindSchedule)
}

// leftBehind is the note of a leaver of whom nothing is left but an account
// that has no power any more.
const leftBehind = "has left, and the contained account has not been deleted"

func (f Finding) leftBehind() bool { return f.Kind == FoundLeaverPresent && f.Note == leftBehind }

// regained reports whether a leaver was given back what had been taken.
func (f Finding) regained() bool {
	return f.Kind == FoundDrift && f.Entitlement.Kind == KindAccount && f.Source == rollCallSource
}

// Story says the finding with all that is known of it: what it was before, who
// made it so, and what a claim about use rests on.
func (f Finding) Story() string {
	words := f.Sentence()
	if f.Source == rollCallSource && f.Note != "" && !strings.Contains(words, f.Note) {
		words += " " + f.Note
	}
	if f.Apart != "" {
		words += " " + f.Apart
	}
	if f.MadeBy != "" {
		words += " Made so by " + f.MadeBy + "."
	}
	if f.Proxy != "" {
		words += " (" + f.Proxy + ")"
	}
	return words
}

// Sentence says the finding to a person.
func (f Finding) Sentence() string {
	who := f.Account.Name
	if who == "" {
		who = f.Account.Email
	}
	if f.Unanswered() {
		return f.Note
	}
	switch f.Kind {
	case FoundOrphan:
		return fmt.Sprintf("%s has a PagerDuty account (%s), and no source of truth knows them.", who, f.Account.BaseRole)
	case FoundLeaverPresent:
		if f.leftBehind() {
			return who + " " + f.Note + "."
		}
		if f.Entitlement.Kind == KindAccount {
			return who + " has left and still has a PagerDuty account."
		}
		return fmt.Sprintf("%s has left and still holds %s.", who, f.Entitlement)
	case FoundExcess:
		return fmt.Sprintf("%s holds %s; %s.", who, f.held(), f.policySays())
	case FoundMissing:
		if f.Entitlement.Kind == KindAccount {
			return who + " should have a PagerDuty account and has none."
		}
		return fmt.Sprintf("%s should hold %s and holds %s.", who, f.wanted(), f.held())
	case FoundDrift:
		if f.regained() {
			return who + " has left, and " + f.Note
		}
		return fmt.Sprintf("%s was given %s with no decision on file; %s.", who, f.held(), f.policySays())
	case FoundStale, FoundInvitePending, FoundUnmatched, FoundDisputed:
		return fmt.Sprintf("%s: %s", who, f.Note)
	default:
		return who
	}
}

func (f Finding) held() string   { return roleWords(f.Entitlement, f.From) }
func (f Finding) wanted() string { return roleWords(f.Entitlement, f.To) }

func (f Finding) policySays() string {
	if f.To == "" {
		return "policy says nothing of the kind"
	}
	return "policy says " + f.wanted()
}

func roleWords(e Entitlement, role string) string {
	if role == "" {
		return "nothing there"
	}
	e.Role = role
	return e.String()
}

// findingIDFor is the same for excess and drift: once the next roll call has
// seen it, drift does not become another finding.
func findingIDFor(class string, account AccountID, who IdentityID, e Entitlement) FindingID {
	return FindingID("fnd_" + derived(class, string(account), string(who), string(e.Kind), string(e.Team.ID)))
}

// follows returns the finding as it goes on from how it stood before. What was
// said when it was found is kept while it is the same; what it rests on now is not.
func (f Finding) follows(was Finding) Finding {
	f.Since, f.Request, f.Again = was.Since, was.Request, was.Again
	if f.From != was.From || f.Unanswered() || f.Kind == FoundStale || f.Kind == FoundInvitePending {
		return f
	}
	f.Kind, f.Note, f.MadeBy, f.Foreign = was.Kind, was.Note, was.MadeBy, was.Foreign
	if f.Foreign {
		f.Severity = SeverityHigh
	}
	return f
}

// An Exception is an approved, time-boxed departure from policy.
type Exception struct {
	ID      ExceptionID `json:"id"`
	Finding FindingID   `json:"finding"`
	By      string      `json:"by"`
	Reason  string      `json:"reason"`
	Since   time.Time   `json:"since"`
	Until   time.Time   `json:"until"`
	Held    string      `json:"held"` // the role that was excepted: more power is another finding
}

// Covers reports whether the exception speaks of f at t.
func (e Exception) Covers(f Finding, t time.Time) bool {
	return e.Finding == f.ID && e.Held == f.From && t.Before(e.Until)
}

// SortFindings orders findings as a person wants to read them: by severity, then by name.
func SortFindings(fs []Finding) {
	rank := func(s Severity) int { return slices.Index([]Severity{SeverityHigh, SeverityMedium, SeverityLow}, s) }
	slices.SortStableFunc(fs, func(a, b Finding) int {
		if d := rank(a.Severity) - rank(b.Severity); d != 0 {
			return d
		}
		return strings.Compare(a.Account.Email+string(a.ID), b.Account.Email+string(b.ID))
	})
}
