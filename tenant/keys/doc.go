// Package keys holds the keys of one tenant, whichever it is: the signing keys with their schedule and those that clients
// encrypt to, the JWK set that publishes both (RFC 7517), the compact JWS they make and check (RFC 7515), the compact JWE
// they open (RFC 7516), and the symmetric secret from which the tenant's MACs are derived, and which encrypts what only we
// shall read. Beside them it reads the public keys of clients, checks what is signed with those, and encrypts to them. It
// knows no tenant, no request and no database. It is the only package that imports jwx, and no jwx type appears in what it
// exports.
package keys
