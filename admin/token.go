package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// APIs are the reaches that a token can have.
var APIs = []tenant.API{tenant.AllAPIs, tenant.AuthzAPI, tenant.SessionAPI, tenant.GrantAPI, tenant.LogoutAPI, tenant.ClientAPI,
	tenant.KeyAPI, tenant.MonitorAPI, tenant.ServiceAPI, tenant.ChallengeAPI, tenant.AdminAPI}

// NewToken is an API token to be created.
type NewToken struct {
	Label     string       // to tell it from others; at most 128 printable characters
	APIs      []tenant.API // what it is for
	ExpiresAt time.Time    // zero: it does not expire
	Hash      []byte       // SHA-256 of a token that its owner keeps; nil: one is made
}

// Most API tokens of one tenant. Every one is compared on every call.
const maxTokens = 100

const maxLabel = 128

// RandomToken returns a new API token: 256 random bits behind tenant.TokenPrefix.
func (c *Console) RandomToken() (string, error) {
	s, err := c.random(32)
	return tenant.TokenPrefix + s, err
}

// CreateToken records an API token of a tenant. It returns the token itself too, this once, unless it came as a hash.
// Only tokens of the platform reach tenant.AdminAPI.
func (c *Console) CreateToken(ctx context.Context, id tenant.ID, n NewToken, by By) (tenant.APIToken, string, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return tenant.APIToken{}, "", err
	}
	if len(r.Tokens) >= maxTokens {
		return tenant.APIToken{}, "", oauth.InvalidRequest("The tenant has as many API tokens as it may")
	}
	for _, k := range r.Tokens {
		if n.Hash != nil && string(k.Hash) == string(n.Hash) {
			return tenant.APIToken{}, "", invalid("/hash", "is that of a token which the tenant has")
		}
	}
	k, plain, err := c.newToken(id, n)
	if err != nil {
		return tenant.APIToken{}, "", err
	}
	if err := c.Store.PutToken(ctx, id, k, c.event(audit.TokenCreated, by, "token", k.ID, "label", k.Label)); err != nil {
		return tenant.APIToken{}, "", worded(err)
	}
	c.changed(ctx)
	return k, plain, nil
}

// newToken makes a token without recording it.
func (c *Console) newToken(id tenant.ID, n NewToken) (tenant.APIToken, string, error) {
	now := c.now()
	fields := checkToken(id, n, now)
	if len(fields) > 0 {
		return tenant.APIToken{}, "", &Invalid{fields}
	}
	k := tenant.APIToken{Label: n.Label, Hash: n.Hash, APIs: n.APIs, CreatedAt: now, ExpiresAt: n.ExpiresAt.UTC().Truncate(time.Microsecond)}
	var plain string
	var err error
	if k.ID, err = c.tokenID(); err != nil {
		return tenant.APIToken{}, "", err
	}
	if k.Hash == nil {
		if plain, err = c.RandomToken(); err != nil {
			return tenant.APIToken{}, "", err
		}
		h := sha256.Sum256([]byte(plain))
		k.Hash = h[:]
	}
	return k, plain, nil
}

// tokenID returns 96 random bits in hexadecimal: nothing that a command line would take for a flag.
func (c *Console) tokenID() (string, error) {
	var b [12]byte
	if _, err := io.ReadFull(c.Rand, b[:]); err != nil {
		return "", oauth.Unavailable().Because(err)
	}
	return hex.EncodeToString(b[:]), nil
}

func checkToken(id tenant.ID, n NewToken, now time.Time) (fields []tenant.FieldError) {
	wrong := func(pointer, message string) {
		fields = append(fields, tenant.FieldError{Pointer: pointer, Message: message})
	}
	if !printable(n.Label) || len(n.Label) > maxLabel {
		wrong("/label", "must be at most 128 printable characters")
	}
	if len(n.APIs) == 0 {
		wrong("/apis", "must name at least one API")
	}
	for i, api := range n.APIs {
		switch {
		case !slices.Contains(APIs, api), slices.Contains(n.APIs[:i], api):
			wrong("/apis", "must name APIs that exist, each once")
			return fields
		case api == tenant.AdminAPI && id != tenant.Platform:
			wrong("/apis", "must not reach the administration: that is for the platform's tokens")
		case id == tenant.Platform && api != tenant.AdminAPI && api != tenant.MonitorAPI:
			wrong("/apis", "must be admin or monitor: the platform has nothing else")
		}
	}
	if !n.ExpiresAt.IsZero() && !n.ExpiresAt.After(now) {
		wrong("/expires_at", "must lie in the future")
	}
	if n.Hash != nil && len(n.Hash) != sha256.Size {
		wrong("/hash", "must be a SHA-256")
	}
	return fields
}

// Tokens lists the API tokens of a tenant with their hashes, the oldest first.
func (c *Console) Tokens(ctx context.Context, id tenant.ID) ([]tenant.APIToken, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.Tokens, func(a, b tenant.APIToken) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return r.Tokens, nil
}

// RevokeToken removes an API token. The last one that opens the administration cannot be removed: a further one must
// be created first.
func (c *Console) RevokeToken(ctx context.Context, id tenant.ID, tokenID string, by By) error {
	r, err := c.record(ctx, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(r.Tokens, func(k tenant.APIToken) bool { return k.ID == tokenID })
	if i < 0 {
		return oauth.NotFound("The tenant has no such API token")
	}
	if id == tenant.Platform && r.Tokens[i].Reaches(tenant.AdminAPI) && !c.othersReach(r.Tokens, i) {
		return oauth.InvalidRequest("The last token that opens the administration cannot be revoked")
	}
	if err := c.Store.DeleteToken(ctx, id, tokenID, c.event(audit.TokenRevoked, by, "token", tokenID, "label", r.Tokens[i].Label)); err != nil {
		return worded(err)
	}
	c.changed(ctx)
	return nil
}

// othersReach reports whether a live token besides the i-th opens the administration.
func (c *Console) othersReach(ks []tenant.APIToken, i int) bool {
	now := c.now()
	for j := range ks {
		if j != i && ks[j].Reaches(tenant.AdminAPI) && (ks[j].ExpiresAt.IsZero() || now.Before(ks[j].ExpiresAt)) {
			return true
		}
	}
	return false
}

func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
