package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"time"
)

// API is the reach of an API token: one of our protected APIs.
type API string

// The APIs that a token may be scoped to.
const (
	AllAPIs    API = "*"              // every integration API of its tenant
	AuthzAPI   API = "authz-sessions" // authorisation sessions and direct authorisation
	SessionAPI API = "session-store"
	GrantAPI   API = "authz-store"
	LogoutAPI  API = "logout-sessions"
	ClientAPI  API = "clients" // the registration master token
	KeyAPI     API = "key-store"
	MonitorAPI API = "monitor"

	RequestObjectAPI   API = "sts-jar" // of the security token service, as the other two
	ClientAssertionAPI API = "sts-private-key-jwt"
	LoginHintAPI       API = "sts-login-hint-token"

	ServiceAPI   API = "service" // the numbered API with tickets
	ChallengeAPI API = "challenge"
	AdminAPI     API = "admin"   // of the platform tenant: everything the operator may do
	ConsoleAPI   API = "console" // the administration, within the roles of whoever holds the token
)

// TokenPrefix begins every API token, so that a leaked one is recognised.
const TokenPrefix = "chy_"

// APIToken is a bearer token for our protected APIs, stored as a hash. Several may live at once.
type APIToken struct {
	ID        string
	Label     string
	Hash      []byte // SHA-256
	APIs      []API
	CreatedAt time.Time
	ExpiresAt time.Time // zero: does not expire
	UsedAt    time.Time // for the last time, to the minute; zero: never
	// ServiceAccount is the id of the service account that the token is for, whose roles it then has; empty: none.
	ServiceAccount string
}

// Administers reports whether k opens the administration, for everything or within roles.
func (k *APIToken) Administers() bool {
	return slices.Contains(k.APIs, AdminAPI) || slices.Contains(k.APIs, ConsoleAPI)
}

// Live reports whether k has not expired at now.
func (k *APIToken) Live(now time.Time) bool { return k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt) }

// Principal is the name under which roles are given to whoever holds k.
func (k *APIToken) Principal() string {
	if k.ServiceAccount != "" {
		return "service:" + k.ServiceAccount
	}
	return "token:" + k.ID
}

// HomeOf returns the id of the tenant that a token of the administration names as its own, or the platform's. Such a
// token is written chy_{tenant}.{secret}: the routes of the administration name no tenant besides.
func HomeOf(bearer string) ID {
	if rest, ok := strings.CutPrefix(bearer, TokenPrefix); ok {
		if label, _, ok := strings.Cut(rest, "."); ok {
			if id, err := ParseID(label); err == nil {
				return id
			}
		}
	}
	return Platform
}

// Reaches reports whether k is for api.
func (k *APIToken) Reaches(api API) bool {
	return slices.Contains(k.APIs, api) || api != AdminAPI && api != ConsoleAPI && slices.Contains(k.APIs, AllAPIs)
}

// Token returns the API token of t that bearer is, live at now, or nil. Every token is compared, in constant time.
func (t *Tenant) Token(bearer string, now time.Time) *APIToken {
	h := sha256.Sum256([]byte(bearer))
	var found *APIToken
	for i := range t.Tokens {
		k := &t.Tokens[i]
		if subtle.ConstantTimeCompare(k.Hash, h[:]) == 1 && k.Live(now) {
			found = k
		}
	}
	return found
}
