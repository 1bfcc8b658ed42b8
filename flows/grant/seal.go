package grant

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Protection is how what we tell a client is signed, and then encrypted (OIDC Core §10, RFC 9701 §5). An empty Alg is not
// signed at all, "none" says so in a header; an empty EncAlg is not encrypted. EncAlg without Enc has A128CBC-HS256 (OIDC
// Registration §2).
type Protection struct {
	Alg         keys.Alg
	EncAlg, Enc string
}

// encryption is how p encrypts; zero: not.
func (p Protection) encryption() keys.Encryption {
	switch {
	case p.EncAlg == "":
		return keys.Encryption{}
	case p.Enc == "":
		return keys.Encryption{Alg: keys.Alg(p.EncAlg), Enc: keys.A128CBCHS256}
	}
	return keys.Encryption{Alg: keys.Alg(p.EncAlg), Enc: p.Enc}
}

// ClientKeys finds the public keys of clients: tenant.ClientKeys.
type ClientKeys interface {
	Of(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, error)
	Again(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, bool)
}

// What a client is told whose protection cannot be had. It is never told without.
var (
	errOff       = oauth.InvalidRequest("the client is registered for an algorithm that this issuer does not allow")
	errSecret    = oauth.InvalidRequest("the client has no secret that the algorithm it is registered for could use")
	errRecipient = oauth.InvalidRequest("the client has no key that the answer could be encrypted to")
	errBare      = errors.New("grant: neither signed nor encrypted")
)

// Seal returns payload, a JSON object, for client c as p says: signed with the tenant's key, the client's secret or not
// at all, and then encrypted to the client's public key, or with its secret. typ is the header member of that name.
//
// An algorithm without a key is keys.ErrNoKey, what would be too long keys.ErrTooLarge. An algorithm that the tenant has
// turned off, or that the client lacks the secret or key for, is invalid_request; a jwks_uri that does not answer is
// temporarily_unavailable.
func (i *Issuer) Seal(ctx context.Context, t *tenant.Tenant, c *tenant.Client, p Protection, typ string, payload []byte) (string, error) {
	if p.Alg == "" && p.EncAlg == "" {
		return "", errBare
	}
	content, cty := payload, ""
	if p.Alg != "" {
		signed, err := i.sign(ctx, t, c, p.Alg, typ, payload)
		if err != nil || p.EncAlg == "" {
			return signed, err
		}
		content, cty = []byte(signed), "JWT" // RFC 7519 §5.2
	}
	return i.encrypt(ctx, t, c, p.encryption(), typ, cty, content)
}

func (i *Issuer) sign(ctx context.Context, t *tenant.Tenant, c *tenant.Client, alg keys.Alg, typ string, payload []byte) (string, error) {
	switch {
	case alg == keys.None && !t.Settings.Signing.None, alg.HMAC() && !t.Settings.Signing.HMAC:
		return "", errOff
	case alg == keys.None:
		return keys.Unsecured(typ, payload)
	case alg.HMAC():
		secret := c.Kept()
		if !secret.Suits(alg) {
			return "", errSecret
		}
		return secret.Sign(alg, typ, payload)
	}
	return t.Keys.Sign(ctx, i.Now(), alg, typ, payload)
}

func (i *Issuer) encrypt(ctx context.Context, t *tenant.Tenant, c *tenant.Client, e keys.Encryption, typ, cty string, content []byte) (string, error) {
	if e.Alg.Shared() {
		secret := c.Kept()
		if secret.IsZero() {
			return "", errSecret
		}
		return secret.Encrypt(e, typ, cty, content)
	}
	if i.Keys == nil {
		return "", errRecipient
	}
	set, err := i.Keys.Of(ctx, t.ID, c)
	switch {
	case errors.Is(err, tenant.ErrNoKeys) && c.JWKSURI != "":
		return "", oauth.Unavailable().Because(err)
	case errors.Is(err, tenant.ErrNoKeys):
		return "", errRecipient.Because(err)
	case err != nil:
		return "", err
	}
	out, err := set.Encrypt(e, typ, cty, content)
	if errors.Is(err, keys.ErrNoSuchKey) {
		if newer, ok := i.Keys.Again(ctx, t.ID, c); ok {
			out, err = newer.Encrypt(e, typ, cty, content)
		}
	}
	if errors.Is(err, keys.ErrNoSuchKey) {
		return "", errRecipient.Because(err)
	}
	return out, err
}
