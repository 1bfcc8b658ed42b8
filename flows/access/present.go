package access

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/tenant"
)

// Presented is an access token as it came to a protected resource. Proof need not say which token it is for.
type Presented struct {
	Token string
	DPoP  bool // it came by the scheme DPoP (RFC 9449 §7.1), else as a bearer token
	Proof proof.Request
}

// What is wrong with how a token was presented.
var (
	errBound   = oauth.InvalidToken("the access token is bound to a key, and was presented as a bearer token")
	errUnbound = oauth.InvalidToken("the access token is a bearer token, and was presented with the scheme DPoP")
	errUnkept  = oauth.InvalidDPoPProof("a DPoP proof is required")
	errKey     = oauth.InvalidToken("the access token is bound to another key")
)

// Bound tells whether err says that a token which is bound to a key was presented as a bearer token.
func Bound(err error) bool { return errors.Is(err, errBound) }

// Present returns the access token that is presented, if it lives, and its holder proves to have the key that it is bound
// to (RFC 9449 §7.1, §7.2). What is wrong with the token is invalid_token, and with the proof invalid_dpop_proof or
// use_dpop_nonce.
func (s *Service) Present(ctx context.Context, t *tenant.Tenant, p Presented) (*grant.AccessToken, error) {
	a, err := s.Token(ctx, t, p.Token)
	bound := err == nil && a.Confirmation.JKT != ""
	switch {
	case gone(err):
		return nil, errToken.Because(err)
	case err != nil:
		return nil, err
	case bound && !p.DPoP:
		return nil, errBound
	case !bound && p.DPoP:
		return nil, errUnbound
	case !bound:
		return a, nil
	case len(p.Proof.Proofs) == 0:
		return nil, errUnkept
	}
	p.Proof.AccessToken = p.Token
	proved, err := s.Proofs.Check(ctx, t, p.Proof)
	if err == nil && proved != a.Confirmation {
		err = errKey
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}
