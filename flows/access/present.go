package access

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Presented is an access token as it came to a protected resource. Proof need not say which token it is for.
type Presented struct {
	Token string
	DPoP  bool // it came by the scheme DPoP (RFC 9449 §7.1), else as a bearer token
	Proof proof.Request

	Certificate *keys.Certificate // that its holder presented (RFC 8705 §3); nil: none
	Vouched     bool              // whoever asks has seen the proof before, and does not show it again
}

// What is wrong with how a token was presented.
var (
	errBound   = oauth.InvalidToken("the access token is bound to a key, and was presented as a bearer token")
	errUnbound = oauth.InvalidToken("the access token is a bearer token, and was presented with the scheme DPoP")
	errUnkept  = oauth.InvalidDPoPProof("a DPoP proof is required")
	errCert    = oauth.InvalidToken("the access token is bound to another certificate than was presented") // RFC 8705 §3
	errKey     = oauth.InvalidToken("the access token is bound to another key")
)

// Bound tells whether err says that a token which is bound to a key was presented as a bearer token.
func Bound(err error) bool { return errors.Is(err, errBound) }

// Present returns the access token that is presented, if it lives, and its holder proves to have the key that it is bound
// to (RFC 9449 §7.1, §7.2; RFC 8705 §3). What is wrong with the token is invalid_token, and with the proof invalid_dpop_proof or
// use_dpop_nonce.
func (s *Service) Present(ctx context.Context, t *tenant.Tenant, p Presented) (*grant.AccessToken, error) {
	a, err := s.Token(ctx, t, p.Token)
	bound := err == nil && a.Confirmation.JKT != ""
	switch {
	case gone(err):
		return nil, errToken.Because(err)
	case err != nil:
		return nil, err
	case p.Vouched:
		return a, nil
	case a.Confirmation.X5T != "" && (p.Certificate == nil || p.Certificate.Thumbprint() != a.Confirmation.X5T):
		return nil, errCert
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
	if err == nil && proved.JKT != a.Confirmation.JKT {
		err = errKey
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}
