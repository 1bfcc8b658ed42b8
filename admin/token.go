package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// APIs are the reaches that a token can have.
var APIs = []tenant.API{tenant.AllAPIs, tenant.AuthzAPI, tenant.SessionAPI, tenant.GrantAPI, tenant.LogoutAPI, tenant.ClientAPI,
	tenant.KeyAPI, tenant.RequestObjectAPI, tenant.ClientAssertionAPI, tenant.LoginHintAPI, tenant.MonitorAPI, tenant.ServiceAPI, tenant.ChallengeAPI, tenant.AdminAPI, tenant.ConsoleAPI}

// NewToken is an API token to be created.
type NewToken struct {
	Label     string       // to tell it from others; at most 128 printable characters
	APIs      []tenant.API // what it is for
	ExpiresAt time.Time    // zero: it does not expire
	Hash      []byte       // SHA-256 of a token that its owner keeps; nil: one is made
	// Of a token that reaches tenant.ConsoleAPI: its own roles, or the service account whose roles it has.
	Roles          []string
	ServiceAccount string
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
// Only tokens of the platform reach tenant.AdminAPI, and only its owners make them.
func (c *Console) CreateToken(ctx context.Context, id tenant.ID, n NewToken, by By) (k tenant.APIToken, plain string, err error) {
	err = c.changeAccess(ctx, id, func(a *AccessRecord, r *tenant.Record) error {
		if len(r.Tokens) >= maxTokens {
			return oauth.InvalidRequest("The tenant has as many API tokens as it may")
		}
		for _, k := range r.Tokens {
			if n.Hash != nil && string(k.Hash) == string(n.Hash) {
				return invalid("/hash", "is that of a token which the tenant has")
			}
		}
		if n.ServiceAccount != "" && a.account(n.ServiceAccount) == nil {
			return invalid("/service_account", "is no service account of the tenant")
		}
		var err error
		if k, plain, err = c.newToken(id, n); err != nil {
			return err
		}
		roles := n.Roles
		if k.Reaches(tenant.AdminAPI) {
			roles = []string{Owner}
		}
		if err := c.mayMake(ctx, a, id, k, roles, by); err != nil {
			return err
		}
		ev := c.event(audit.TokenCreated, by, "token", k.ID, "label", k.Label, "apis", joinedAPIs(k.APIs))
		if len(roles) > 0 {
			ev.Detail["roles"] = strings.Join(roles, " ")
		}
		if k.Administers() {
			return c.Access.PutConsoleToken(ctx, id, a.Version, k, roles, ev)
		}
		return c.Store.PutToken(ctx, id, k, ev)
	})
	if err != nil {
		return tenant.APIToken{}, "", err
	}
	return k, plain, nil
}

// reachOf are the permissions that the reach of a token amounts to, beside that to make tokens.
var reachOf = map[tenant.API][]Permission{
	tenant.AllAPIs:    {WriteClients, WriteSessions, WriteUsers, WriteKeys, WriteTenant}, // the numbered API changes settings
	tenant.ClientAPI:  {WriteClients},
	tenant.SessionAPI: {WriteSessions},
	tenant.GrantAPI:   {WriteSessions},
	tenant.LogoutAPI:  {WriteSessions},
	tenant.KeyAPI:     {WriteKeys},
	tenant.ServiceAPI: {WriteClients, WriteSessions},

	tenant.RequestObjectAPI:   {WriteClients}, // it speaks for clients
	tenant.ClientAssertionAPI: {WriteClients},
}

// mayMake refuses a token that reaches further than its maker.
func (c *Console) mayMake(ctx context.Context, a *AccessRecord, id tenant.ID, k tenant.APIToken, roles []string, by By) error {
	principal := k.Principal()
	var reach []Permission
	for _, api := range k.APIs {
		reach = append(reach, reachOf[api]...)
	}
	if k.Administers() {
		if err := c.Check(ctx, id, WriteAccess, by); err != nil {
			return err
		}
		if err := c.checkRoles(ctx, a, id, a.rolesOf(principal), roles, by, principal); err != nil {
			return err
		}
	}
	if err := c.covers(ctx, id, map[Domain][]Permission{OnTenant: reach}, by); err != nil {
		return c.refused(ctx, err, by, "apis", joinedAPIs(k.APIs), "tenant", string(id))
	}
	return nil
}

func joinedAPIs(apis []tenant.API) string {
	s := make([]string, len(apis))
	for i, a := range apis {
		s[i] = string(a)
	}
	return strings.Join(s, " ")
}

// newToken makes a token without recording it.
func (c *Console) newToken(id tenant.ID, n NewToken) (tenant.APIToken, string, error) {
	now := c.now()
	fields := checkToken(id, n, now)
	if len(fields) > 0 {
		return tenant.APIToken{}, "", &Invalid{fields}
	}
	k := tenant.APIToken{Label: n.Label, Hash: n.Hash, APIs: n.APIs, CreatedAt: now, ExpiresAt: n.ExpiresAt.UTC().Truncate(time.Microsecond),
		ServiceAccount: n.ServiceAccount}
	var plain string
	var err error
	if k.ID, err = c.tokenID(); err != nil {
		return tenant.APIToken{}, "", err
	}
	if k.Hash == nil {
		if plain, err = c.RandomToken(); err != nil {
			return tenant.APIToken{}, "", err
		}
		if k.Reaches(tenant.ConsoleAPI) { // the routes of the administration name no tenant: the token does
			plain = tenant.TokenPrefix + string(id) + "." + plain[len(tenant.TokenPrefix):]
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
		case id == tenant.Platform && api != tenant.AdminAPI && api != tenant.MonitorAPI && api != tenant.ConsoleAPI:
			wrong("/apis", "must be admin, console or monitor: the platform has nothing else")
		case api == tenant.ConsoleAPI && len(n.APIs) > 1:
			wrong("/apis", "must not reach anything beside the console: make two tokens")
		}
	}
	console := slices.Contains(n.APIs, tenant.ConsoleAPI)
	switch {
	case !console && len(n.Roles) > 0:
		wrong("/roles", "are for tokens that reach the console")
	case !console && n.ServiceAccount != "":
		wrong("/service_account", "is for tokens that reach the console")
	case console && (len(n.Roles) > 0) == (n.ServiceAccount != ""):
		wrong("/roles", "must be there, or a service account instead")
	case console && n.Hash != nil:
		wrong("/hash", "cannot be that of a token which reaches the console")
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

// RevokeToken removes an API token with its roles. The last owner's cannot be removed: there must be a further one first.
func (c *Console) RevokeToken(ctx context.Context, id tenant.ID, tokenID string, by By) error {
	return c.changeAccess(ctx, id, func(a *AccessRecord, r *tenant.Record) error {
		i := slices.IndexFunc(r.Tokens, func(k tenant.APIToken) bool { return k.ID == tokenID })
		if i < 0 {
			return oauth.NotFound("The tenant has no such API token")
		}
		k := r.Tokens[i]
		if k.Administers() {
			if err := c.covers(ctx, id, a.held(id, a.rolesOf(k.Principal())), by); err != nil {
				return c.refused(ctx, err, by, "token", tokenID, "tenant", string(id))
			}
			left := *r
			left.Tokens = slices.Delete(slices.Clone(r.Tokens), i, i+1)
			before, err := c.owners(ctx, a, r)
			if err != nil {
				return err
			}
			after, err := c.owners(ctx, a, &left)
			if err != nil {
				return err
			}
			if len(before) > 0 && len(after) == 0 {
				return c.refused(ctx, errLastOwner, by, "token", tokenID, "tenant", string(id))
			}
		}
		return c.Access.DropToken(ctx, id, a.Version, tokenID, c.event(audit.TokenRevoked, by, "token", tokenID, "label", k.Label))
	})
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
