package tenant

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"time"
)

// API is the reach of an API token: one of our protected APIs.
type API string

// The APIs that a token may be scoped to.
const (
	AllAPIs      API = "*"              // every integration API of its tenant
	AuthzAPI     API = "authz-sessions" // authorisation sessions and direct authorisation
	SessionAPI   API = "session-store"
	GrantAPI     API = "authz-store"
	LogoutAPI    API = "logout-sessions"
	ClientAPI    API = "clients" // the registration master token
	KeyAPI       API = "key-store"
	MonitorAPI   API = "monitor"
	ServiceAPI   API = "service" // the numbered API with tickets
	ChallengeAPI API = "challenge"
	AdminAPI     API = "admin" // of the platform tenant: everything the operator may do
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
}

// Reaches reports whether k is for api.
func (k *APIToken) Reaches(api API) bool {
	return slices.Contains(k.APIs, api) || api != AdminAPI && slices.Contains(k.APIs, AllAPIs)
}

// Token returns the API token of t that bearer is, live at now, or nil. Every token is compared, in constant time.
func (t *Tenant) Token(bearer string, now time.Time) *APIToken {
	h := sha256.Sum256([]byte(bearer))
	var found *APIToken
	for i := range t.Tokens {
		k := &t.Tokens[i]
		if subtle.ConstantTimeCompare(k.Hash, h[:]) == 1 && (k.ExpiresAt.IsZero() || now.Before(k.ExpiresAt)) {
			found = k
		}
	}
	return found
}
