// Package tenant is one request's immutable view of a tenant: its issuer, settings, keys, clients and API
// tokens, and the resolver that finds it.
package tenant

import (
	"errors"

	"github.com/chancery-id/chancery/tenant/keys"
)

// ID names a tenant. It is a legal DNS label in lower case and never changes.
type ID string

// Platform is the reserved tenant that the operator's own tokens and, later, administrators belong to.
const Platform ID = "platform"

// What names may be as long as, in bytes.
const (
	MaxIssuer   = 512
	MaxClientID = 512
)

// ParseID checks that s is a legal DNS label in lower case: 1 to 63 of a-z, 0-9 and inner hyphens.
func ParseID(s string) (ID, error) {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return "", ErrUnknown
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return "", ErrUnknown
		}
	}
	return ID(s), nil
}

// Tenant is a snapshot. It never changes: a change to the tenant makes a new snapshot of a higher Version.
// Clients and Revoked are live lookups bound to the tenant.
type Tenant struct {
	ID        ID
	ServiceID int64 // the tenant's number in APIs that count their services; below 2^53
	Version   int64 // raised by every change of what this snapshot holds
	Issuer    string
	Settings  *Settings
	Keys      *keys.Set
	Secret    keys.Secret // from which handles and refresh tokens are derived
	Tokens    []APIToken
	Clients   Clients
	Revoked   *Journal

	face  string             // see Face
	faces map[string]*Tenant // by Face; nil: the tenant has no alias
}

// What a resolver or directory says when it has no tenant, or no client, to give.
var (
	ErrUnnamed       = errors.New("tenant: no tenant is named")
	ErrContradiction = errors.New("tenant: the sources name different tenants")
	ErrUnknown       = errors.New("tenant: no such tenant") // unknown, malformed, disabled and deleted alike
	ErrNoClient      = errors.New("tenant: no such client")
	ErrClientLocked  = errors.New("tenant: the client is disabled") // the cause of what is refused to it
	ErrExists        = errors.New("tenant: the id or issuer is taken")
	ErrConflict      = errors.New("tenant: changed in the meantime")
)
