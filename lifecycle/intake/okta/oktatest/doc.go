// Package oktatest is Okta as far as rolecall can tell: a fake of one org that is as strict as the real one.
//
// It serves the System Log, users and their groups over HTTP, with Okta's paging, errors and rate limits, and it sends an
// event hook as Okta does: one retry at most, only on 5xx and timeouts, three seconds for an answer. Tests make deliveries
// be lost, doubled or out of order, and calls fail or break off.
//
// What a client does that Okta would let pass although it is a mistake (a parameter that it does not know and ignores, a
// cursor that nobody gave out) is counted among the Violations.
// Where Okta's answer is not known the fake's own choice says so.
package oktatest
