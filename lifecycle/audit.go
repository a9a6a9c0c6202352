package lifecycle

import (
	"context"
	"time"
)

// Actor is who did something: a person, a policy, a source or the house itself.
type Actor string

// System is the house acting by its own rules.
const System Actor = "rolecall"

// ByIdentity returns the actor that is a person.
func ByIdentity(id IdentityID) Actor { return Actor(id) }

// ByPolicy returns the actor that is a policy.
func ByPolicy(sha string) Actor { return Actor("policy:" + sha) }

// BySource returns the actor that is a source of truth.
func BySource(source string) Actor { return Actor("source:" + source) }

// EventKind is what happened.
type EventKind string

// The events of the trail.
const (
	EventNoticeReceived   EventKind = "notice.received"
	EventNoticeRefused    EventKind = "notice.refused"
	EventNoticeIgnored    EventKind = "notice.ignored"
	EventNoticePlanned    EventKind = "notice.planned"
	EventIdentityChanged  EventKind = "identity.changed"
	EventIdentityLinked   EventKind = "identity.linked"
	EventIdentityDisputed EventKind = "identity.disputed"
	EventRequestOpened    EventKind = "request.opened"
	EventRequestApproved  EventKind = "request.approved"
	EventRequestDenied    EventKind = "request.denied"
	EventRequestRefused   EventKind = "request.refused" // somebody who may not decide tried
	EventRequestHolding   EventKind = "request.holding"
	EventRequestApplying  EventKind = "request.applying"
	EventRequestDone      EventKind = "request.done"
	EventRequestFailed    EventKind = "request.failed"
	EventRequestBlocked   EventKind = "request.blocked"
	EventRequestExpired   EventKind = "request.expired"
	EventRequestEscalated EventKind = "request.escalated"
	EventRequestWithdrawn EventKind = "request.withdrawn"
	EventRequestRetried   EventKind = "request.retried"
	EventRequestWaiting   EventKind = "request.waiting" // PagerDuty did not answer; it will be tried again
	EventRequestChosen    EventKind = "request.chosen"  // who takes over was named
	EventOriginalKept     EventKind = "original.kept"   // an object was kept as it was before a change
	EventChangeApplied    EventKind = "change.applied"
	EventChangeVerified   EventKind = "change.verified"
	EventChangeFailed     EventKind = "change.failed"
	EventReachLooked      EventKind = "joiner.reach" // whether somebody who joined can be paged
	EventCardShown        EventKind = "card.shown"
	EventCardFailed       EventKind = "card.failed"
	EventMessageSent      EventKind = "message.sent"
	EventChannelBack      EventKind = "channel.back" // cards can be shown there again
	EventRollCallDone     EventKind = "rollcall.done"
	EventRollCallFailed   EventKind = "rollcall.failed"
	EventGlanceDone       EventKind = "glance.done"
	EventFindingOpened    EventKind = "finding.opened"
	EventFindingCleared   EventKind = "finding.cleared"
	EventFindingKept      EventKind = "finding.kept"
	EventDigestSent       EventKind = "digest.sent"
	EventPolicyLoaded     EventKind = "policy.loaded"
	EventPolicyRefused    EventKind = "policy.refused" // a file that was not let in force; the old one still is
	EventCaseOpened       EventKind = "case.opened"
	EventCaseAnswered     EventKind = "case.answered"
	EventIdentityMerged   EventKind = "identity.merged"
	EventIdentitySplit    EventKind = "identity.split"
	EventHoldOpened       EventKind = "hold.opened"
	EventHoldProposed     EventKind = "hold.proposed"
	EventHoldReleased     EventKind = "hold.released"
	EventHoldRefused      EventKind = "hold.refused"
	EventRemovalJudged    EventKind = "removal.judged"
	EventSourceConnected  EventKind = "source.connected"
	EventSourceStarted    EventKind = "source.started" // it may be acted on
	EventSourceSilent     EventKind = "source.silent"
	EventSourceHeard      EventKind = "source.heard" // again, after a silence longer than any before
	EventSnapshotTaken    EventKind = "snapshot.taken"
	EventSnapshotRefused  EventKind = "snapshot.refused"
	EventResourceChanged  EventKind = "resource.changed"
	EventAbsenceOpened    EventKind = "absence.opened"
	EventAbsenceEnded     EventKind = "absence.ended"
	EventGroupChanged     EventKind = "group.changed"
	EventGroupFailed      EventKind = "group.failed"  // it could not be read for so long that nobody in it counts
	EventRequestAsked     EventKind = "request.asked" // a question was asked before deciding
	EventRequestAnswered  EventKind = "request.answered"
	EventRequestAssigned  EventKind = "request.assigned"
	EventRequestSnoozed   EventKind = "request.snoozed"
	EventRequestReturned  EventKind = "request.returned" // its holder gives back what ends later
	EventRequestEnded     EventKind = "request.ended"    // what it gave for a time is over
	EventRequestNudged    EventKind = "request.nudged"
	EventSlackGhost       EventKind = "slack.ghost" // Slack delivers to connections that nobody answers on
	EventServiceStarted   EventKind = "service.started"
	EventServiceStopped   EventKind = "service.stopped"
)

// An AuditEvent is one line of the trail. Every write to the store takes one,
// so that a change without its line cannot be expressed. The store numbers and
// chains them, and adds the digest of the row that the write left.
type AuditEvent struct {
	At     time.Time         `json:"at"`
	Actor  Actor             `json:"actor"`
	Kind   EventKind         `json:"kind"`
	Ref    string            `json:"ref"`              // the id of what it is about
	Detail map[string]string `json:"detail,omitempty"` // what a reader needs to understand it; never a secret
}

// A Recorder writes a line that changes nothing else, and the jobs that follow from it.
type Recorder interface {
	Record(ctx context.Context, e AuditEvent, next ...Job) error
}
