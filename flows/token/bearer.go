package token

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// errAssertion is the one answer to an assertion that is not good; why is for the operator.
var errAssertion = oauth.InvalidGrant("the assertion is invalid, expired, already used or not for this server")

// usedAssertion is the name of assertions at the Replay.
const usedAssertion = "jwt_bearer"

// redeemAssertion issues tokens for a JWT (RFC 7523 §2.1, §3): one that an issuer whom the tenant trusts made about a
// subject, or the client's own about itself. It counts once.
func (s *Service) redeemAssertion(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	scope, err := wishes(r)
	if err != nil {
		return grant.Tokens{}, err
	}
	aud, err := targets(t, r)
	if err != nil {
		return grant.Tokens{}, err
	}
	details, err := r.ownDetails(t)
	if err != nil {
		return grant.Tokens{}, err
	}
	p := &Petition{Hook: tenant.HookJWTBearer, Audience: aud, Details: details}
	f, err := parseForeign(r.get("assertion"))
	if err == nil {
		err = s.checkAssertion(ctx, t, r, f, p, scope)
	}
	if err != nil {
		return grant.Tokens{}, refused(errAssertion, err)
	}
	if len(p.Scope) == 0 && len(scope) > 0 && r.get("scope") != "" {
		return grant.Tokens{}, errNoScope
	}
	p.Detail = map[string]string{"assertion_issuer": f.iss}
	p.facts = map[string]any{"assertion": map[string]any{"iss": f.iss, "sub": p.Subject, "aud": f.aud, "claims": json.RawMessage(f.told())}}
	first, err := s.Replay.UseOnce(ctx, t.ID, usedAssertion, f.use(), f.exp)
	switch {
	case err != nil:
		return grant.Tokens{}, oauth.Unavailable().Because(err)
	case !first:
		return grant.Tokens{}, errAssertion.Because(errUsed)
	}
	return s.decide(ctx, t, r, p, func() error { return nil })
}

// checkAssertion completes p with what f says, or returns why it is not good.
func (s *Service) checkAssertion(ctx context.Context, t *tenant.Tenant, r *Request, f *foreign, p *Petition, scope oauth.Scope) error {
	own := f.iss == r.Client.ID
	var i *tenant.TrustedIssuer
	var err error
	if own {
		err = s.selfIssued(ctx, t, r, f)
	} else {
		i, err = s.trusted(ctx, t, r, f, tenant.UseBearer)
	}
	switch {
	case err != nil:
		return err
	case f.jti == "":
		return errClaims
	case !forUs(t, i, f, s.TokenEndpoint):
		return errAudience
	case f.bound.JKT != "" && r.Proved.JKT != f.bound.JKT:
		return unproved(r, f.bound)
	}
	p.MayAct = f.mayAct
	if own {
		p.Subject, p.Alone, p.Scope = r.Client.ID, true, scope.Without(neverAlone)
		return nil
	}
	p.Scope, p.IDToken, p.Act = limited(i, f, scope).Without(oauth.Scope{oauth.OfflineAccess}), true, f.act
	p.Subject, err = s.subjectOf(ctx, t, r, i, f)
	return err
}

// selfIssued checks an assertion that the client made itself (RFC 7521 §6.3): about itself, signed with its key or secret.
func (s *Service) selfIssued(ctx context.Context, t *tenant.Tenant, r *Request, f *foreign) error {
	var sub string
	switch {
	case r.Client.Public():
		return errSelf
	case !stringOf(&sub)(f.claims["sub"]) || sub != r.Client.ID:
		return errSelf
	case f.act != nil:
		return errSelf
	}
	if err := f.check([]string{"", "JWT"}, (&tenant.TrustedIssuer{}).Longest(tenant.UseBearer), s.Now()); err != nil {
		return err
	}
	if f.signed.Alg == keys.HS256 {
		return r.Client.CheckHMAC(f.signed, s.Now())
	}
	return s.signedBy(ctx, t, r.Client, f)
}

// forUs reports whether f is for this server and nobody else: aud is its issuer, its token endpoint unless the tenant is
// strict, or what the tenant has agreed with the issuer.
func forUs(t *tenant.Tenant, i *tenant.TrustedIssuer, f *foreign, endpoint string) bool {
	if len(f.aud) != 1 {
		return false
	}
	aud := f.aud[0]
	return aud == t.Issuer || endpoint != "" && !t.Settings.Clients.StrictAudience && aud == t.Issuer+endpoint ||
		i != nil && slices.Contains(i.Audience, aud)
}

// use names the one use of f: a jti is its issuer's own (RFC 7523 §3).
func (f *foreign) use() []byte {
	h := sha256.New()
	h.Write([]byte(strconv.Itoa(len(f.iss)) + ":" + f.iss))
	h.Write([]byte(f.jti))
	return h.Sum(nil)
}
