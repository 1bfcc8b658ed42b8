// Package registration takes client metadata in and gives clients out (RFC 7591, RFC 7592, OIDC Registration).
package registration

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Limiter bounds how often anybody may register.
type Limiter interface {
	// Allow counts one call, or says how long until it would be let through.
	Allow(ctx context.Context, t tenant.ID, what string, keys ...string) (retryAfter time.Duration, ok bool)
}

// Service keeps a tenant's clients.
type Service struct {
	Store         Store
	Numbers       Numbers       // nil: clients are not found by number
	Initial       InitialTokens // nil: there are none
	Access        Tokens        // that register clients; nil: no access token does, and the next two are nil too
	Grants        Grants        // that they belong to
	Granted       Granted
	Now           func() time.Time
	Rand          io.Reader
	Limit         Limiter  // nil: open registration is not limited
	GrantTypes    []string // those there are
	ResponseTypes []string // those there are
	// Permits returns why a URL would never be called, or nil: outbound.Client.Permits. A nil Permits permits all.
	Permits func(url string) error
	Fetch   Fetch // reads sector documents; nil: there are none
	Keys    Keys  // of those who vouch for software; nil: nobody does
}

// Register records a new client (RFC 7591 §3). What breaks a rule is invalid_redirect_uri or invalid_client_metadata.
// Without a token it is missing_token unless the tenant lets anybody register; slow_down says that too many are
// registered already, or too fast. An initial access token makes as many clients as it has uses, a registration access token
// none: invalid_token.
func (s *Service) Register(ctx context.Context, t *tenant.Tenant, r Request) (Response, error) {
	var err error
	if r.By, err = s.mayRegister(ctx, t, r.By); err != nil {
		return Response{}, err
	}
	if err := s.vouched(ctx, t, &r); err != nil {
		return Response{}, err
	}
	base := &tenant.Metadata{}
	switch r.By.rank {
	case anybody, backend:
		base = advertised(t)
	case initial:
		if r.By.permit == nil {
			base = r.By.initial.base(t)
			break
		}
		base = r.By.permit.base(s, t)
		if err := r.By.permit.holds(r.Metadata.GrantTypes); err != nil {
			return Response{}, err
		}
	}
	now := s.now()
	if err := s.settle(t, &r, base, &tenant.Metadata{}, now); err != nil {
		return Response{}, err
	}
	if err := s.sector(ctx, t, &r.Metadata); err != nil {
		return Response{}, err
	}
	id, err := s.clientID(r.PreferredID)
	if err != nil {
		return Response{}, err
	}
	c := tenant.Client{ID: id, Metadata: r.Metadata, CreatedAt: now, UpdatedAt: now, SelfRegistered: r.By.rank == anybody || r.By.rank == backend}
	if r.By.rank == anybody {
		if life := t.Settings.UnusedLifetime(); life > 0 {
			c.ExpiresAt = now.Add(life)
		}
	}
	secret, err := s.secret(t, &c, nil, &r, now)
	if err != nil {
		return Response{}, err
	}
	token, err := s.random(32)
	if err != nil {
		return Response{}, err
	}
	c.RegistrationToken = hash(token)
	if r.DryRun {
		return s.rehearsed(ctx, t, c, r.PreferredID)
	}
	ev := s.event(audit.ClientCreated, c.ID, r.By)
	switch {
	case r.Numbered:
		c.ID = ""
		c, err = s.Numbers.CreateNumbered(ctx, t.ID, c, limitOf(t), ev)
	case r.By.permit != nil:
		ev.Subject, ev.Grant = r.By.permit.token.Subject, r.By.permit.grant
		revoked := tenant.Revocation{Grant: ev.Grant, At: now, ExpiresAt: now.Add(t.Settings.LongestAccessToken())}
		if c, err = s.Granted.CreateClientBy(ctx, t.ID, c, limitOf(t), ev.Grant, now, revoked, ev); err == nil {
			t.Revoked.Add(revoked)
		}
	case r.By.rank == initial:
		c, err = s.Initial.CreateClientWith(ctx, t.ID, c, limitOf(t), r.By.initial.Hash, now, ev)
	case r.By.rank == anybody:
		c, err = s.Store.CreateClient(ctx, t.ID, c, openLimitOf(t), ev)
	default:
		c, err = s.Store.CreateClient(ctx, t.ID, c, limitOf(t), ev)
	}
	if err != nil {
		return Response{}, worded(err)
	}
	answer := response(t, c)
	answer.Secret, answer.RegistrationToken, answer.Statement = secret, token, r.Statement
	return answer, nil
}

// rehearsed answers a dry run: the client as it would be, with no id but one that was asked for and is free.
func (s *Service) rehearsed(ctx context.Context, t *tenant.Tenant, c tenant.Client, asked string) (Response, error) {
	if taken, err := lookup(ctx, t, asked); err != nil {
		return Response{}, err
	} else if taken != nil {
		return Response{}, worded(ErrExists)
	}
	c.ID = asked
	return Response{Client: c}, nil
}

// New registers a client with an administrator's authority and returns it with its secret, which is empty for a
// client without one. It needs neither t.Clients nor t.Revoked.
func (s *Service) New(ctx context.Context, t *tenant.Tenant, m tenant.Metadata, by Authority) (tenant.Client, string, error) {
	r, err := s.Register(ctx, t, Request{Metadata: m, By: by})
	return r.Client, r.Secret, err
}

// Read returns a client without its credentials, but for the registration access token that it was read with (RFC 7592 §2.1). With master authority a client that is not there is
// not_found; with a registration access token it is invalid_token, as a wrong token is.
func (s *Service) Read(ctx context.Context, t *tenant.Tenant, id string, by Authority) (Response, error) {
	c, err := s.client(ctx, t, id, by)
	if err != nil {
		return Response{}, err
	}
	answer := response(t, *c)
	answer.RegistrationToken = by.token // RFC 7592 §3
	return answer, nil
}

// Update replaces a client's metadata by the rules of Register (RFC 7592 §2.2). A client that begins to authenticate,
// or asks for it, gets a new secret; the one before lives on for Settings.SecretOverlap. One that asks for it gets a new
// registration access token, in the place of the old one. Errors are those of Read and
// Register; a client that was changed at the same time is invalid_request.
func (s *Service) Update(ctx context.Context, t *tenant.Tenant, id string, r Request) (Response, error) {
	c, err := s.client(ctx, t, id, r.By)
	if err != nil {
		return Response{}, err
	}
	if !r.Expect.IsZero() && !r.Expect.Equal(c.UpdatedAt) {
		return Response{}, worded(ErrConflict)
	}
	now := s.now()
	if r.ClientID != "" && r.ClientID != c.ID || r.PreferredID != "" && r.PreferredID != c.ID {
		return Response{}, oauth.InvalidClientMetadata("client_id is not that of the client")
	}
	if r.ClientSecret != "" && !c.CheckSecret(r.ClientSecret, now) {
		return Response{}, oauth.InvalidClientMetadata("client_secret is not that of the client")
	}
	if r.Metadata.Noted == nil {
		r.Metadata.Noted = c.Noted
	}
	had := c.Metadata
	effective(&had)
	if err := s.settle(t, &r, &c.Metadata, &had, now); err != nil {
		return Response{}, err
	}
	if err := s.sector(ctx, t, &r.Metadata); err != nil {
		return Response{}, err
	}
	next := *c
	next.Metadata = r.Metadata
	if next.UpdatedAt = now; !now.After(c.UpdatedAt) {
		next.UpdatedAt = c.UpdatedAt.Add(time.Microsecond) // it is the mark by which a concurrent change is noticed
	}
	secret, err := s.secret(t, &next, c.Secrets, &r, now)
	if err != nil {
		return Response{}, err
	}
	token := r.By.token // RFC 7592 §3
	if r.RefreshToken {
		if token, err = s.random(32); err != nil {
			return Response{}, err
		}
		next.RegistrationToken = hash(token)
	}
	if r.DryRun {
		return response(t, next), nil
	}
	kind := audit.ClientUpdated
	if secret != "" {
		kind = audit.ClientSecretRotated
	}
	if err := s.Store.UpdateClient(ctx, t.ID, next, c.UpdatedAt, s.event(kind, c.ID, r.By)); err != nil {
		return Response{}, worded(err)
	}
	answer := response(t, next)
	answer.Secret, answer.RegistrationToken = secret, token
	return answer, nil
}

// Replace is Update as a client update request asks for it (RFC 7592 §2.2): where the tenant wants that, each makes a new
// registration access token, and a new secret for a client that has one.
func (s *Service) Replace(ctx context.Context, t *tenant.Tenant, id string, r Request) (Response, error) {
	r.RefreshToken = r.RefreshToken || t.Settings.Clients.NewTokenOnPut
	r.RefreshSecret = r.RefreshSecret || t.Settings.Clients.NewSecretOnPut && r.SecretHash == ""
	return s.Update(ctx, t, id, r)
}

// Delete removes a client with its grants and remembered consent (RFC 7592 §2.3). No access token that it was issued up
// to now is honoured any more; the longest-lived of them ends after tokensLife. Errors are those of Read.
func (s *Service) Delete(ctx context.Context, t *tenant.Tenant, id string, tokensLife time.Duration, by Authority) error {
	c, err := s.client(ctx, t, id, by)
	if err != nil {
		return err
	}
	now := s.now()
	revoked := tenant.Revocation{ClientID: c.ID, At: now, ExpiresAt: now.Add(tokensLife)}
	if err := s.Store.DeleteClient(ctx, t.ID, c.ID, now, revoked, s.event(audit.ClientDeleted, c.ID, by)); err != nil {
		return worded(err)
	}
	t.Revoked.Add(revoked)
	return nil
}

// mayRegister returns the authority by which a client is registered, or why none is.
func (s *Service) mayRegister(ctx context.Context, t *tenant.Tenant, by Authority) (Authority, error) {
	switch {
	case by.rank == master, by.rank == backend:
		return by, nil
	case by.rank == own:
		return s.invited(ctx, t, by)
	case !t.Settings.Clients.OpenRegistration:
		return by, errNoToken
	case s.Limit == nil:
		return by, nil
	}
	if wait, ok := s.Limit.Allow(ctx, t.ID, "register", by.address); !ok {
		return by, oauth.SlowDown("Too many clients are being registered, try again later").Because(oauth.Wait(wait))
	}
	return by, nil
}

// settle turns r.Metadata into what is to be stored, or returns why it cannot be. base is what whoever is no master cannot
// go beyond, had what the client has already.
func (s *Service) settle(t *tenant.Tenant, r *Request, base, had *tenant.Metadata, now time.Time) error {
	if r.By.rank != master {
		if err := withhold(r, base); err != nil {
			return err
		}
	}
	effective(&r.Metadata)
	for _, check := range checks {
		if err := check(s, t, &r.Metadata, had, now); err != nil {
			return err
		}
	}
	return nil
}

// secret gives c the secrets that suit its authentication method, and returns the new one if there is one.
func (s *Service) secret(t *tenant.Tenant, c *tenant.Client, old []tenant.ClientSecret, r *Request, now time.Time) (string, error) {
	uses := c.SecretAlgs()
	switch {
	case r.SecretHash != "":
		return "", s.encoded(t, c, old, r, now)
	case !c.Secretive() && r.PreferredSecret != "":
		return "", oauth.InvalidClientMetadata("preferred_client_secret does not go with a token_endpoint_auth_method without secret")
	case !c.Secretive():
		c.Secrets = nil
		return "", nil
	case len(old) > 0 && !r.RefreshSecret && r.PreferredSecret == "" && suits(old[0].HMAC, uses):
		if len(uses) == 0 {
			c.Secrets = hashed(old)
		}
		return "", nil
	}
	secret, fresh, err := s.newSecret(r.PreferredSecret, uses)
	if err != nil {
		return "", err
	}
	if len(uses) > 0 {
		if fresh.HMAC, err = keys.NewHMACKey(secret); err != nil {
			return "", err
		}
		if !suits(fresh.HMAC, uses) {
			return "", oauth.InvalidClientMetadata("preferred_client_secret is too short for the algorithm that it is used with")
		}
	} else {
		old = hashed(old)
	}
	c.Secrets = rotated(fresh, old, now, now.Add(t.Settings.SecretOverlap()))
	if r.DryRun {
		return "", nil
	}
	return secret, nil
}

// client returns the client that by may manage.
func (s *Service) client(ctx context.Context, t *tenant.Tenant, id string, by Authority) (*tenant.Client, error) {
	switch by.rank {
	case master, own:
	case anybody:
		return nil, errNoToken
	default:
		return nil, errToken
	}
	c, err := lookup(ctx, t, id)
	switch {
	case err != nil:
		return nil, err
	case by.rank == own && !by.opens(c):
		return nil, errToken
	case c == nil:
		return nil, oauth.NotFound("There is no such client")
	}
	return c, nil
}

// lookup returns the client of that id, or nil.
func lookup(ctx context.Context, t *tenant.Tenant, id string) (*tenant.Client, error) {
	if id == "" || len(id) > 255 || strings.ContainsFunc(id, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return nil, nil
	}
	c, err := t.Clients.Client(ctx, id)
	if errors.Is(err, tenant.ErrNoClient) || err == nil && c.Document { // what is not registered cannot be managed
		return nil, nil
	}
	if err != nil {
		return nil, oauth.Unavailable().Because(err)
	}
	return c, nil
}

func (s *Service) event(k audit.Kind, id string, by Authority) audit.Event {
	return audit.Event{At: s.now(), Kind: k, Actor: by.actor, ClientID: id, Address: by.address, Once: by.once,
		Detail: map[string]string{"authority": by.name()}}
}

// now is the time in the precision of the stores.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Microsecond) }

// worded turns what a store says into what a caller is told.
func worded(err error) error {
	switch {
	case errors.Is(err, ErrNotFound):
		return oauth.NotFound("There is no such client").Because(err)
	case errors.Is(err, ErrExists):
		return oauth.InvalidClientMetadata("preferred_client_id is taken").Because(err)
	case errors.Is(err, ErrConflict):
		return oauth.InvalidRequest("The client was changed in the meantime, read it again").Because(err)
	case errors.Is(err, ErrUsedUp):
		return errToken
	case errors.Is(err, ErrFull):
		return oauth.SlowDown("There are as many clients as there may be").Because(err)
	}
	return oauth.Unavailable().Because(err)
}
