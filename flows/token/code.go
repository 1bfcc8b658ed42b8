package token

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var (
	errCode    = oauth.InvalidGrant("code is invalid, expired or already used")
	errForeign = errors.New("presented by another client")
)

// redeemCode redeems an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.6). A code presented by the wrong client, with the
// wrong redirect URI or verifier is burnt; one presented a second time takes all that it paid for with it. What is bound to a
// key (RFC 9449 §10, RFC 8705 §3) is neither redeemed nor burnt by who does not prove it, as it is worth nothing to them.
func (s *Service) redeemCode(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	now, code := s.Now(), r.get("code")
	id, ok := grant.ParseCode(code)
	if !ok {
		return grant.Tokens{}, errCode
	}
	g, err := s.Grants.Grant(ctx, t.ID, id)
	if errors.Is(err, grant.ErrNotFound) {
		return grant.Tokens{}, errCode.Because(err)
	}
	if err != nil {
		return grant.Tokens{}, err
	}
	hash := grant.Hash(code)
	if g.Code == nil || subtle.ConstantTimeCompare(g.Code.Hash, hash) != 1 {
		return grant.Tokens{}, errCode
	}
	var out grant.Tokens
	effect := grant.Redemption{Grant: id, CodeHash: hash, ExpiresAt: now}
	if g.Code.RedeemedAt.IsZero() && g.Live(now) && now.Before(g.Code.ExpiresAt) {
		if cause := unproved(r, oauth.Confirmation{JKT: g.Terms.DPoPJKT, X5T: g.Terms.X5T}); cause != nil {
			if r.Client.ID != g.ClientID {
				cause = errCode.Because(errForeign)
			}
			return grant.Tokens{}, cause
		}
		if cause := mismatch(r, g); cause != nil {
			return grant.Tokens{}, s.burn(ctx, t, r, g, cause)
		}
		if out, err = s.mint(ctx, t, r, g, &effect); err != nil {
			return grant.Tokens{}, err
		}
	}
	revoked := s.Issuer.Revocation(t, id)
	err = s.Grants.RedeemCode(ctx, t.ID, now, effect, revoked, s.event(audit.CodeReplayed, g, r))
	switch {
	case errors.Is(err, grant.ErrReplayed):
		t.Revoked.Add(revoked)
		return grant.Tokens{}, errCode.Because(err)
	case errors.Is(err, grant.ErrNotFound):
		return grant.Tokens{}, errCode.Because(err)
	case err != nil:
		return grant.Tokens{}, err
	}
	out.AuthSession = s.reopened(ctx, t, r, g)
	return out, nil
}

// ErrNoChallenge refuses a code_verifier that answers no challenge.
var ErrNoChallenge = oauth.InvalidGrant("code_verifier was sent, but the authorization request had no code_challenge")

// mismatch says why r may not redeem the code of g, or nil.
func mismatch(r *Request, g *grant.Grant) *oauth.Error {
	uri, verifier := r.get("redirect_uri"), r.get("code_verifier")
	switch {
	case r.Client.ID != g.ClientID:
		return errCode.Because(errForeign)
	case !g.Terms.FirstParty && !redirected(r.Client, g.Code.RedirectURI, uri):
		return oauth.InvalidGrant("redirect_uri is not that of the authorization request")
	case g.Code.Challenge == "" && verifier != "":
		return ErrNoChallenge
	case g.Code.Challenge != "" && !verifies(verifier, g.Code.Challenge):
		return oauth.InvalidGrant("code_verifier does not match the code_challenge")
	}
	return nil
}

// redirected reports whether uri, as the token request has it, is that of the authorization request (RFC 6749 §4.1.3). A
// first-party client was never redirected, and may send any or none.
func redirected(c *tenant.Client, asked, uri string) bool {
	if asked != "" {
		return uri == asked
	}
	return uri == "" || slices.Contains(c.RedirectURIs, uri)
}

// verifies checks a PKCE verifier: 43 to 128 unreserved characters whose SHA-256 is the challenge (RFC 7636 §4.1, §4.6).
func verifies(verifier, challenge string) bool {
	if len(verifier) < 43 || len(verifier) > 128 {
		return false
	}
	for i := range len(verifier) {
		c := verifier[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	sum := sha256.Sum256([]byte(verifier))
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// burn makes the code worthless and returns why.
func (s *Service) burn(ctx context.Context, t *tenant.Tenant, r *Request, g *grant.Grant, why *oauth.Error) error {
	revoked := s.Issuer.Revocation(t, g.ID)
	if err := s.Grants.RevokeGrant(ctx, t.ID, g.ID, s.Now(), revoked, s.event(audit.GrantRevoked, g, r)); err != nil {
		return err
	}
	t.Revoked.Add(revoked)
	return why
}

// mint makes what the code pays for, and completes effect with what must be recorded of it.
func (s *Service) mint(ctx context.Context, t *tenant.Tenant, r *Request, g *grant.Grant, effect *grant.Redemption) (grant.Tokens, error) {
	r.on(g)
	if err := r.detailed(g); err != nil {
		return grant.Tokens{}, err
	}
	aud, err := audience(r, g.Terms.Audience)
	if err != nil {
		return grant.Tokens{}, err
	}
	m, err := s.Issuer.Mint(ctx, t, g, r.Client, s.Accounts, aud)
	if err != nil {
		return grant.Tokens{}, err
	}
	effect.Refresh, effect.AccessToken, effect.ExpiresAt = m.Refresh, m.Stored, m.ExpiresAt
	return m.Tokens, nil
}
