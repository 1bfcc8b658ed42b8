package registration

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Keys finds the keys of those who vouch for software. *tenant.ClientKeys does.
type Keys interface {
	Of(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, error)
	Again(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, bool)
}

// statementClock is how far the clock of who vouches may be ahead of ours.
const statementClock = 30 * time.Second

var (
	errStatement  = oauth.InvalidSoftwareStatement("software_statement is not a valid JWT, or has expired")
	errUnapproved = oauth.UnapprovedSoftwareStatement("the issuer of software_statement is not trusted here")
)

// vouched puts what a software statement says in place of what the request says itself (RFC 7591 §2.3): its claims have
// precedence. A request without one is left as it is. Its issuer must be one that the tenant trusts with that.
func (s *Service) vouched(ctx context.Context, t *tenant.Tenant, r *Request) error {
	if r.Statement == "" {
		return nil
	}
	signed, err := keys.ParseSigned(r.Statement)
	if err != nil {
		return errStatement.Because(err)
	}
	claims, err := object(signed.Payload)
	if err != nil {
		return errStatement.Because(err)
	}
	iss, ok := decode[string](claims["iss"])
	if !ok {
		return errStatement.Because(errors.New("iss is missing"))
	}
	i := t.Settings.Grants.Issuer(iss, tenant.UseSoftware)
	if i == nil || !slices.Contains(i.Uses, tenant.UseSoftware) || len(i.Algs) > 0 && !slices.Contains(i.Algs, string(signed.Alg)) || s.Keys == nil {
		return errUnapproved
	}
	if err := s.signedBy(ctx, t, i.Holder(), signed); err != nil {
		return err
	}
	for name, past := range map[string]bool{"exp": false, "nbf": true, "iat": true} {
		raw, there := claims[name]
		if !there {
			continue
		}
		at, ok := decode[float64](raw)
		if !ok || past && at > float64(s.now().Add(statementClock).Unix()) || !past && at <= float64(s.now().Unix()) {
			return errStatement.Because(errors.New(name + " is not now"))
		}
	}
	for name, raw := range claims {
		if _, own := ofStatement[name]; own || string(raw) == "null" {
			continue
		}
		if err := r.read(name, raw); err != nil {
			return errStatement.Because(err)
		}
	}
	return nil
}

// ofStatement are the claims that say something of the statement, or of credentials, which a statement has none of.
var ofStatement = map[string]bool{
	"iss": true, "sub": true, "aud": true, "exp": true, "nbf": true, "iat": true, "jti": true, "software_statement": true,
	"client_id": true, "client_secret": true, "preferred_client_id": true, "preferred_client_secret": true, "encoded_client_secret": true,
	"refresh_client_secret": true, "refresh_registration_access_token": true,
}

// signedBy checks a signature by the keys of c, which are read again where they may be out of date. Keys that cannot be had
// are temporarily_unavailable.
func (s *Service) signedBy(ctx context.Context, t *tenant.Tenant, c *tenant.Client, j *keys.Signed) error {
	set, err := s.Keys.Of(ctx, t.ID, c)
	if err != nil {
		return oauth.Unavailable().Because(err)
	}
	err = set.Verify(j, keys.ClientAlgs()...)
	if errors.Is(err, keys.ErrNoSuchKey) {
		if newer, ok := s.Keys.Again(ctx, t.ID, c); ok {
			err = newer.Verify(j, keys.ClientAlgs()...)
		}
	}
	if err != nil {
		return errStatement.Because(err)
	}
	return nil
}
