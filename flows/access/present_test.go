package access

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// opaqueTokens is a store that holds nothing but opaque tokens.
type opaqueTokens struct {
	grant.Store
	tokens map[string]grant.AccessToken // by hash
}

func (s opaqueTokens) AccessToken(_ context.Context, _ tenant.ID, _ time.Time, hash []byte) (*grant.AccessToken, error) {
	a, ok := s.tokens[string(hash)]
	if !ok {
		return nil, grant.ErrNotFound
	}
	return &a, nil
}

// oneClient is a registry in which every id is a client's.
type oneClient struct{}

func (oneClient) Client(_ context.Context, id string) (*tenant.Client, error) {
	return &tenant.Client{ID: id}, nil
}

func TestPresent(t *testing.T) {
	bearer, bound := strings.Repeat("b", 43), strings.Repeat("k", 43)
	shown, both, mine, other := strings.Repeat("s", 43), strings.Repeat("a", 43), certificate(t), certificate(t)
	hash := func(token string) string { h := sha256.Sum256([]byte(token)); return string(h[:]) }
	store := opaqueTokens{tokens: map[string]grant.AccessToken{
		hash(bearer): {ID: "bearer"}, hash(bound): {ID: "bound", Confirmation: oauth.Confirmation{JKT: "key"}},
		hash(shown): {ID: "shown", Confirmation: oauth.Confirmation{X5T: mine.Thumbprint()}}, hash(both): {ID: "both", Confirmation: oauth.Confirmation{JKT: "key", X5T: mine.Thumbprint()}}}}
	now := func() time.Time { return time.Unix(1, 0) }
	s := &Service{Now: now, Grants: store, Proofs: &proof.Service{Now: now}}
	acme := &tenant.Tenant{ID: "acme", Revoked: tenant.NewJournal(), Clients: oneClient{}, Settings: &tenant.Settings{}}
	for _, c := range []struct {
		rule string
		p    Presented
		want error
	}{
		{"a bearer token", Presented{Token: bearer}, nil},
		{"a bearer token by the scheme DPoP", Presented{Token: bearer, DPoP: true, Proof: proof.Request{Proofs: []string{"x"}}}, errUnbound},
		{"a bound token as a bearer token", Presented{Token: bound}, errBound},
		{"a bound token as a bearer token, with a proof", Presented{Token: bound, Proof: proof.Request{Proofs: []string{"x"}}}, errBound},
		{"a bound token without a proof", Presented{Token: bound, DPoP: true}, errUnkept},
		{"a bound token with what is no proof", Presented{Token: bound, DPoP: true, Proof: proof.Request{Proofs: []string{"x"}}}, oauth.InvalidDPoPProof("")},
		{"a token bound to the certificate", Presented{Token: shown, Certificate: mine}, nil},
		{"a token bound to another certificate", Presented{Token: shown, Certificate: other}, errCert},
		{"a token bound to a certificate, without one", Presented{Token: shown}, errCert},
		{"a token bound to a certificate, by the scheme DPoP", Presented{Token: shown, DPoP: true, Certificate: mine}, errUnbound},
		{"a bearer token with a certificate", Presented{Token: bearer, Certificate: mine}, nil},
		{"a token bound to both, without the key", Presented{Token: both, Certificate: mine}, errBound},
		{"a token bound to both, without the certificate", Presented{Token: both, DPoP: true, Proof: proof.Request{Proofs: []string{"x"}}}, errCert},
		{"a token bound to both, without a proof", Presented{Token: both, DPoP: true, Certificate: mine}, errUnkept},
		{"a bound token that somebody vouches for", Presented{Token: both, Vouched: true}, nil},
		{"no token that somebody vouches for", Presented{Token: strings.Repeat("x", 43), Vouched: true}, errToken},
		{"no token of ours", Presented{Token: strings.Repeat("x", 43), DPoP: true}, errToken},
		{"nothing", Presented{}, errToken},
	} {
		a, err := s.Present(t.Context(), acme, c.p)
		if !errors.Is(err, c.want) || c.want == nil && (err != nil || a == nil) || err != nil && a != nil {
			t.Errorf("%s: %v, %v", c.rule, a, err)
		}
		if Bound(err) != (c.want == errBound) {
			t.Errorf("%s: Bound(%v) = %v", c.rule, err, Bound(err))
		}
	}
}

// certificate makes a client's certificate.
func certificate(t *testing.T) *keys.Certificate {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := keys.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
