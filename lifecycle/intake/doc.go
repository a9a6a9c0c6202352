// Package intake is the door: it takes what sources of truth say about people,
// and what other tools found, and hands it to the domain as facts. It decides
// nothing and never speaks to PagerDuty.
//
// # Doors
//
// Handler serves POST /v1/lifecycle and POST /v1/findings. Both take
// CloudEvents 1.0 in structured mode, signed as Standard Webhooks v1 asks for.
// Rosters serves PUT /v1/roster, which takes a whole company as CSV or JSON
// Lines, with the same fields under the same rules: ReadRoster goes through it
// once to find every mistake and to count it, keeps it in a file, and hands its
// rows on one by one. WriteRoster writes what ReadRoster reads. Doors with a
// language of their own have rooms beside this one.
//
// # Decisions
//
//   - The signature is checked over the raw body before anything is parsed. The
//     binary mode of CloudEvents is refused: its ce- headers are not signed.
//   - A secret is accepted in the form whsec_<base64> alone, with 24 to 64 bytes
//     decoded (Standard Webhooks, "Signature scheme"). A plain password is
//     refused, so that nobody signs with one.
//   - data is the whole state of a person. An unknown field in it is a mistake
//     and never ignored: a department that was spelt wrongly would otherwise
//     take somebody's access away.
//   - null and an absent field say the same: nothing is known.
//   - A repeat is known by (source, id) of the CloudEvent. The webhook-id is
//     signed and must be there, but a relay may have made it up.
//   - A roster is taken in as a whole or not at all, so that one with a mistake in
//     its last row, or that broke off there, changes nothing; that is why it is
//     kept and read twice. What it says in all, and whether that is ordinary, is
//     the domain's to judge.
//   - The token says of which source a roster is. Only that of SourceRoster may
//     name another, and none whose words come by another door.
//   - Every refused message leaves a line in the trail, a flood of them one line
//     that counts. A request with another method offers no message and leaves none.
package intake
