// Package pagerdutytest is PagerDuty as far as rolecall can tell: a fake of its REST API that is as strict as the real one.
//
// It speaks HTTP, so any client can be pointed at it. It refuses what PagerDuty refuses, with PagerDuty's own bodies, and
// it counts as a violation what PagerDuty would let pass although it is a mistake (a team role left out, a filter that is
// misspelt and therefore ignored). Tests break it with Fail and FailWrite, change it behind the client's back with the
// methods that end in As, let users do what is theirs (AcceptInvitation, SignIn, AddPhone), and read from Writes what a
// client really did.
//
// A key reaches the whole account, a token reaches what its scopes say. What a user may do is not modelled, except where
// only admins may: all audit records, licence allocations, and the calendar keys of others.
// Who is on call follows from schedules of both kinds, their overrides and the policies; GapsSeen says which write left a
// level or a schedule without anybody.
// Where PagerDuty's answer is not known (its documents are silent and nobody quoted it) the fake's own choice says so.
package pagerdutytest
