// Package pagerduty is PagerDuty behind the domain's ports: it reads every grant, whole or not at all, makes one change
// at a time, and reads back what came of it.
//
// Reads that PagerDuty's own Go library does right go through it; what it gets wrong (a new user without From, a role
// without sending the name, a team role that must never be left out) is a small typed call of ours. Both go through one
// chain of round trippers: retry, pace, authorise, and read the answer whole.
//
// PagerDuty has no idempotency keys and no versions. So a write is sent again only when the answer proves that nothing was
// done. After any other trouble the account is read, and what is seen there decides.
//
// Who answers when is read whole too: schedules of layers, then those of shifts, so that one which is upgraded meanwhile is
// in either list; and what a policy calls and no list had is sought by its id. Before a removal it is read anew, and what
// the key may not read is a Refusal. PagerDuty lists no more than 10000 users; of more, everybody is found in parts, and
// their number proves that it was everybody.
//
// What hangs on an account beside its roles (levels, seats, overrides, incidents, sessions) changes hands on PagerDuty's own
// JSON: what is not written goes back with every byte. A write that replaces something is preceded by keeping it, and
// somebody is added before anybody is taken away. What others have is held to what they had: for layers by PagerDuty's
// preview before the write, for shifts after it, in minutes in which all of it can still be taken back.
//
// What cannot be seen through PagerDuty's public API, and so is in no snapshot: roles on single objects, and other
// people's API keys.
package pagerduty
