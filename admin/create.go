package admin

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// New is a tenant to be created.
type New struct {
	ID       string
	Issuer   string // fixed for good; {PublicURL}/t/{ID} where empty
	Settings tenant.Settings
	Template string // Bare or Starter
	Username string // of a starter's user; alice where empty
	Disabled bool
	Aliases  []string   // further issuers
	Keys     []keys.Key // that it had elsewhere: of those of one algorithm the first signs, the others only verify, or open
	// Tokens are the first API tokens. Where nil, it is one that reaches every API.
	Tokens []NewToken
}

// The templates.
const (
	Bare    = ""        // keys and an API token
	Starter = "starter" // also a client and a user
)

// Created is a new tenant with its secrets, which are shown this once. Its JSON is part of the contract of the binary.
type Created struct {
	TenantID  tenant.ID      `json:"tenant_id"`
	ServiceID int64          `json:"service_id"`
	Issuer    string         `json:"issuer"`
	APIToken  string         `json:"api_token,omitempty"`
	Client    *CreatedClient `json:"client,omitempty"`
	User      *CreatedUser   `json:"user,omitempty"`
}

// CreatedClient is the client of a starter.
type CreatedClient struct {
	ID           string   `json:"client_id"`
	Secret       string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"`
	GrantTypes   []string `json:"grant_types"`
}

// CreatedUser is the user of a starter.
type CreatedUser struct {
	Subject  string `json:"sub"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// String names the tenant, without its secrets.
func (c Created) String() string { return "tenant " + string(c.TenantID) }

// GoString is String, for %#v.
func (c Created) GoString() string { return c.String() }

// firstLabel is the label of the token that a new tenant gets.
const firstLabel = "first"

// firstKeys are the algorithms that every tenant can sign with.
var firstKeys = []keys.Alg{keys.RS256, keys.ES256}

// CreateTenant records a new tenant with keys and API tokens in one step, and what its template adds after it. What is
// not acceptable is *Invalid; an id or issuer that is taken is an invalid_request with the cause tenant.ErrExists.
func (c *Console) CreateTenant(ctx context.Context, n New, by By) (Created, error) {
	if n.Template == Starter {
		n.Settings.CIBA.Enabled, n.Settings.CIBA.Push = true, true // its client has the grant
		n.Settings.Challenge.Enabled = true
		n.Settings.Device.Enabled = true
		n.Settings.Grants.TokenExchange.Enabled, n.Settings.Grants.TokenExchange.Delegation = true, true
	}
	r, plain, err := c.newTenant(n)
	if err != nil {
		return Created{}, err
	}
	if n.Template != Bare && n.Template != Starter {
		return Created{}, invalid("/template", "must be starter, or left out")
	}
	made := c.event(audit.TenantCreated, by, "issuer", r.Issuer, "template", n.Template)
	wanted := r
	r, err = c.Store.CreateTenant(ctx, wanted, made)
	if errors.Is(err, tenant.ErrExists) { // perhaps it is only kept in case that it is wanted back
		gone := c.Store.RemoveDeleted(ctx, wanted.ID, c.now(), c.event(audit.TenantDeleted, by, "tenant", string(wanted.ID), "why", "its id was taken by a new tenant"))
		if gone == nil {
			r, err = c.Store.CreateTenant(ctx, wanted, made)
		} else if !errors.Is(gone, tenant.ErrUnknown) {
			err = gone
		}
	}
	if err != nil {
		return Created{}, worded(err)
	}
	defer c.changed(ctx)
	out := Created{TenantID: r.ID, ServiceID: r.ServiceID, Issuer: r.Issuer, APIToken: plain}
	if n.Template == Starter {
		if err := c.furnish(ctx, &out, r, n, by); err != nil {
			// Nobody has seen the tenant yet, and half a starter is none.
			undo := c.Store.DeleteTenant(context.WithoutCancel(ctx), r.ID, c.event(audit.TenantDeleted, by, "why", "its template failed"))
			return Created{}, because(err, undo)
		}
	}
	return out, nil
}

// newTenant checks n and makes the record, with the first token as it is shown.
func (c *Console) newTenant(n New) (r tenant.Record, plain string, err error) {
	id, err := checkID(n.ID)
	if err != nil {
		return r, "", err
	}
	issuer, err := c.checkIssuer(n.Issuer, id)
	if err != nil {
		return r, "", err
	}
	r, err = c.blank(id, issuer, n.Settings, n.Keys)
	if err != nil {
		return r, "", err
	}
	if r.Aliases, err = c.checkAliases(n.Aliases, issuer, id); err != nil {
		return r, "", err
	}
	r.Enabled = !n.Disabled
	if n.Tokens == nil {
		n.Tokens = []NewToken{{Label: firstLabel, APIs: []tenant.API{tenant.AllAPIs}}}
	}
	for _, t := range n.Tokens {
		k, shown, err := c.newToken(id, t)
		if err != nil {
			return r, "", err
		}
		r.Tokens, plain = append(r.Tokens, k), shown
	}
	return r, plain, nil
}

// checkAliases returns the further issuers of a new tenant, in their order.
func (c *Console) checkAliases(given []string, issuer string, id tenant.ID) ([]string, error) {
	var aliases []string
	for _, a := range given {
		if a == "" || a == issuer {
			return nil, invalid("/aliases", "must be other issuers than the tenant is made with")
		}
		if _, err := c.checkIssuer(a, id); err != nil {
			e, _ := errors.AsType[*Invalid](err)
			return nil, invalid("/aliases", e.Fields[0].Message)
		}
		aliases = append(aliases, a)
	}
	slices.Sort(aliases)
	switch {
	case len(slices.Compact(slices.Clone(aliases))) < len(aliases):
		return nil, invalid("/aliases", "must be there once each")
	case len(aliases) > tenant.MaxAliases:
		return nil, invalid("/aliases", "are more than a tenant may have")
	}
	return aliases, nil
}

// blank returns the record of a new tenant without tokens, with the keys that it had elsewhere and those that it lacks.
func (c *Console) blank(id tenant.ID, issuer string, s tenant.Settings, had []keys.Key) (tenant.Record, error) {
	if fields := checkSettings(&s); len(fields) > 0 {
		return tenant.Record{}, &Invalid{fields}
	}
	now := c.now()
	r := tenant.Record{ID: id, Version: 1, Issuer: issuer, Enabled: true, Settings: s, CreatedAt: now, UpdatedAt: now}
	var secret [32]byte
	if _, err := io.ReadFull(c.Rand, secret[:]); err != nil {
		return tenant.Record{}, oauth.Unavailable().Because(err)
	}
	var err error
	if r.Secret, err = keys.NewSecret(secret[:]); err != nil {
		return tenant.Record{}, err
	}
	r.Keys = inTurn(had, now, lifeOf(&s))
	held := algsHeld(r.Keys, now)
	for _, alg := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(firstKeys, algsOf(&s), further(&s))))) {
		if slices.Contains(held, alg) {
			continue
		}
		k, err := c.Keys.Generate(alg, now)
		if err != nil {
			return tenant.Record{}, oauth.Unavailable().Because(err)
		}
		r.Keys = append(r.Keys, k)
	}
	return r, nil
}

// inTurn schedules keys that were made elsewhere: the first of each algorithm is used from now, the others have retired.
func inTurn(had []keys.Key, now time.Time, life time.Duration) []keys.Key {
	var ks []keys.Key
	for _, k := range had {
		k.CreatedAt, k.ActiveAt, k.RetiredAt, k.GoneAt = now, now, time.Time{}, time.Time{}
		if slices.ContainsFunc(ks, func(first keys.Key) bool { return first.Alg == k.Alg }) {
			k.RetiredAt, k.GoneAt = now, now.Add(life)
		}
		ks = append(ks, k)
	}
	return ks
}
