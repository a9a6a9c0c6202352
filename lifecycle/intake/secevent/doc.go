// Package secevent receives Security Event Tokens (RFC 8417), pushed as RFC 8935
// says. It only makes faster what another source says as well: no large sender
// says reliably that somebody has left, so that a token never proves a leaver.
//
// # Decisions
//
//   - Who may send is fixed in a file: the issuer, whom it must speak to, and its
//     keys, or where they are. What a token says of its own keys is not looked at.
//   - A signature is RS256, PS256, ES256 or EdDSA. A token says that it is one of a
//     security event (typ), and has neither exp nor sub (RFC 8417, 2.2 and 4).
//   - RISC's account-disabled and prov:deactivate of RFC 9967 disable. All else is
//     taken, put on the record, and has no effect: that a session ended means
//     little, and senders are told to send what they like (RFC 8935, 2.2).
//   - Senders deviate. The subject may stand in the event, or be called by its name
//     of older drafts, and a time may be in milliseconds. All of it is read.
//   - A sender repeats a token with the same jti, or with another and the same txn:
//     either is a repeat of one fact.
package secevent
