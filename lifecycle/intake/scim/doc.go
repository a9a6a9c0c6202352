// Package scim is the door for identity providers that provision: a SCIM 2.0
// server (RFC 7643, RFC 7644) for Users and Groups, as Okta and Entra ID speak
// it. What a client provisions is kept as it sent it; what that says of people is
// a fact, and the domain decides what it means.
//
// # Decisions
//
//   - A client is known by its bearer token alone, and sees only what it has
//     provisioned itself. Its facts are those of the source scim:NAME.
//   - Only the attributes that the schemas at /Schemas list are kept: those that
//     mean something here, and those that a client compares with its own. All
//     others (password, phoneNumbers, photos, x509Certificates, entitlements,
//     roles, ims, streets) are dropped before anything is stored, logged or
//     answered, and named in the trail. They are no mistake: a client that is
//     refused an attribute stops provisioning everybody (Entra ID, quarantine).
//   - active is never read as false where it is missing: Okta's PUT leaves it out.
//     It stays what it was. The same goes for members of a group.
//   - active: false is a suspension and no more. Only DELETE ends somebody.
//   - A filter is eq and and, on what can be looked up. Anything else is refused,
//     because an empty answer would make the client create everybody anew.
//   - Members of members are not kept: Entra ID and Okta send none.
//   - A list never breaks off within a group: a page ends before the group whose
//     members would make it too long. A page may be shorter than was asked for
//     (RFC 7644, 3.4.2.4).
//   - Nothing that the library finds true is believed twice: it routes, describes
//     the schemas and parses PATCH; what a client means is read in normalise.go,
//     because the library refuses half of what Entra ID sends.
//   - Every refused change leaves a line in the trail, a flood of them one line
//     that counts. Looking for what is not there is no refusal.
package scim
