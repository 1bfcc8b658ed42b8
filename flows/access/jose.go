package access

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// JOSE is a signed JWT that whoever acts for the tenant asks about.
type JOSE struct {
	Text      string
	Mandatory []string // claims that must be there
	ClockSkew int64    // seconds by which exp, iat and nbf may be off
	ClientID  string   // whose signature it must have; empty: the tenant's
}

// Findings are what is wrong with a JWT. Missing and Invalid name claims.
type Findings struct {
	Signed           bool // the signature holds
	Missing, Invalid []string
	Why              []string
}

// Valid reports whether nothing is wrong.
func (f *Findings) Valid() bool { return f.Signed && len(f.Missing)+len(f.Invalid)+len(f.Why) == 0 }

const maxSkew = 3600 // seconds

// VerifyJOSE checks the signature of a JWT, and its claims of time (RFC 7519 §4.1). A client that is unknown or disabled is
// invalid_request, and a jwks_uri that does not answer temporarily_unavailable.
func (s *Service) VerifyJOSE(ctx context.Context, t *tenant.Tenant, j JOSE) (*Findings, error) {
	if j.ClockSkew < 0 || j.ClockSkew > maxSkew {
		return nil, oauth.InvalidRequest("clockSkew must be from 0 to 3600 seconds")
	}
	var client *tenant.Client
	if j.ClientID != "" {
		var err error
		client, err = t.Clients.Client(ctx, j.ClientID)
		if errors.Is(err, tenant.ErrNoClient) || err == nil && client.Disabled {
			err = oauth.InvalidRequest("there is no such client").Because(err)
		}
		if err != nil {
			return nil, err
		}
	}
	signed, err := keys.ParseSigned(j.Text)
	if err != nil {
		return &Findings{Why: []string{"it is no signed JWT"}}, nil
	}
	f := &Findings{}
	switch err := s.signedBy(ctx, t, client, signed, j.Text); {
	case err == nil:
		f.Signed = true
	case errors.Is(err, keys.ErrInvalid), errors.Is(err, keys.ErrNoSuchKey), errors.Is(err, tenant.ErrNoKeys):
		f.Why = append(f.Why, "the signature is not one of who should have signed")
	default:
		return nil, err
	}
	f.claims(signed.Payload, &j, s.Now())
	return f, nil
}

// signedBy returns why j is not signed by client, or by the tenant where that is nil.
func (s *Service) signedBy(ctx context.Context, t *tenant.Tenant, client *tenant.Client, j *keys.Signed, compact string) error {
	if client == nil {
		_, err := t.Keys.Verify(s.Now(), j.Typ, compact)
		return err
	}
	if j.Alg.HMAC() {
		return client.CheckHMAC(j, s.Now(), j.Alg)
	}
	set, err := s.Issuer.Keys.Of(ctx, t.ID, client)
	if errors.Is(err, tenant.ErrNoKeys) && client.JWKSURI != "" {
		return oauth.Unavailable().Because(err)
	}
	if err != nil {
		return err
	}
	err = set.Verify(j, j.Alg)
	if errors.Is(err, keys.ErrNoSuchKey) {
		if newer, ok := s.Issuer.Keys.Again(ctx, t.ID, client); ok {
			err = newer.Verify(j, j.Alg)
		}
	}
	return err
}

// claims checks those of the payload.
func (f *Findings) claims(payload []byte, j *JOSE, now time.Time) {
	var claims map[string]json.RawMessage
	if json.Unmarshal(payload, &claims) != nil {
		f.Why = append(f.Why, "the payload is no JSON object")
		return
	}
	for _, name := range j.Mandatory {
		if raw, there := claims[name]; (!there || string(raw) == "null") && !slices.Contains(f.Missing, name) {
			f.Missing = append(f.Missing, name)
		}
	}
	at, skew := float64(now.Unix()), float64(j.ClockSkew)
	for _, c := range []struct {
		name string
		good func(v float64) bool
		why  string
	}{
		{"exp", func(v float64) bool { return v+skew > at }, "it has expired"},
		{"iat", func(v float64) bool { return v-skew <= at }, "it was made in the future"},
		{"nbf", func(v float64) bool { return v-skew <= at }, "its time has not come"},
	} {
		raw, there := claims[c.name]
		if !there {
			continue
		}
		v := math.NaN()
		if json.Unmarshal(raw, &v) != nil || math.IsNaN(v) {
			f.Invalid, f.Why = append(f.Invalid, c.name), append(f.Why, c.name+" is no number")
		} else if !c.good(v) {
			f.Invalid, f.Why = append(f.Invalid, c.name), append(f.Why, c.why)
		}
	}
}
