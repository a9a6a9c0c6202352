// Package okta hears from Okta: an event hook says within seconds that somebody
// was deactivated, and reading Okta's System Log heals what the hook has lost.
// Both write the same facts, of one source, so that whichever comes second
// changes nothing.
//
// # Decisions
//
//   - A hook is no CloudEvent 1.0, whatever its envelope says, and is not signed:
//     its secret in the header Authorization is all that there is.
//   - Okta retries once, on 5xx and timeouts, and gives up (Okta, "Event hooks").
//     So an answer comes within 3 s, and 503 where the facts are not kept by then:
//     whatever was kept of an envelope is a repeat when it comes again.
//   - Events carry no values. Deactivation and suspension need none and are facts
//     at once, of the status alone. Of a profile or a group the event only says
//     that there is something to read.
//   - A user who was read is a whole state. It is stamped by Okta's clock alone, as
//     of the newest change that it contains, so that two clocks that differ let no
//     older state count after a deactivation.
//   - Every fact has the id of the event that it comes from: the log and the hook,
//     two replicas, and two tries tell the same.
//   - A call that fails, or breaks off, concludes nothing. Where the log has been
//     read to is kept only after everything until there is.
package okta
