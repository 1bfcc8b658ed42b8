// Package keys holds the keys of one tenant, whichever it is: the signing keys with their schedule, the JWK set
// that publishes them (RFC 7517), the compact JWS they make and check (RFC 7515), and the symmetric secret from
// which the tenant's MACs are derived, and which encrypts what only we shall read (RFC 7516). Beside them it reads the
// public keys of clients, and checks what is signed with those. It knows no tenant, no
// request and no database. It is the only package that imports jwx, and no jwx type appears in what it exports.
package keys
