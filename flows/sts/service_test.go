package sts

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// registry knows one client, whatever is asked for.
type registry struct{ c *tenant.Client }

func (r registry) Client(context.Context, string) (*tenant.Client, error) { return r.c, nil }

func set(t *testing.T, algs ...keys.Alg) *keys.Set {
	t.Helper()
	ks := make([]keys.Key, len(algs))
	for i, alg := range algs {
		var err error
		if ks[i], err = keys.Generate(alg, rand.Reader, noon.Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	return keys.NewSet(ks)
}

// A signature as a client is given away only where the client's own registration makes it the client's.
func TestWhoseKeySigns(t *testing.T) {
	own := set(t, keys.ES256, keys.EdDSA)
	onlyEdDSA := keys.NewSet(own.Keys()[1:])
	secret, err := keys.NewSecret(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	const notOurs = "invalid_request: the client has not registered the keys of this server as its own"
	for _, tt := range []struct {
		rule string
		c    tenant.Metadata
		alg  string // of what is signed
		err  string
	}{
		{"the tenant's keys are the client's", tenant.Metadata{JWKS: own.JWKS(noon)}, "ES256", ""},
		{"one of them is", tenant.Metadata{JWKS: onlyEdDSA.JWKS(noon)}, "EdDSA", ""},
		{"none is", tenant.Metadata{JWKS: set(t, keys.ES256).JWKS(noon)}, "", notOurs},
		{"the client has none", tenant.Metadata{}, "", notOurs},
		{"by the algorithm that the client registered", tenant.Metadata{JWKS: own.JWKS(noon), TokenEndpointAuthAlg: "EdDSA"}, "EdDSA", ""},
		{"for which the tenant has no key", tenant.Metadata{JWKS: own.JWKS(noon), TokenEndpointAuthAlg: "RS256"}, "", notOurs},
		{"never by a secret", tenant.Metadata{JWKS: own.JWKS(noon), TokenEndpointAuthAlg: "HS256"}, "", notOurs},
		{"never unsigned", tenant.Metadata{JWKS: own.JWKS(noon), TokenEndpointAuthAlg: "none"}, "", notOurs},
		{"at this server's URL", tenant.Metadata{JWKSURI: "https://id.example/jwks.json"}, "ES256", ""},
		{"at another", tenant.Metadata{JWKSURI: "https://elsewhere.example/jwks.json"}, "", "temporarily_unavailable: "},
	} {
		tt.c.TokenEndpointAuthMethod, tt.c.RequestAlg = oauth.AuthPrivateJWT, tt.c.TokenEndpointAuthAlg
		x := &tenant.Tenant{ID: "acme", Issuer: "https://id.example", Settings: &tenant.Settings{}, Keys: own, Secret: secret,
			Clients: registry{&tenant.Client{ID: "app", Metadata: tt.c}}}
		s := &Service{Now: func() time.Time { return noon }, Rand: rand.Reader, Keys: tenant.NewClientKeys(func() time.Time { return noon },
			func(_ context.Context, _, url string, _ int64) ([]byte, string, error) {
				if url != "https://id.example/jwks.json" {
					return nil, "", errors.New("down")
				}
				return own.JWKS(noon), "application/json", nil
			})}
		for name, make := range map[string]func(context.Context, *tenant.Tenant, Wish) (Issued, error){
			"a request object": s.RequestObject, "an assertion": s.ClientAssertion} {
			out, err := make(t.Context(), x, Wish{ClientID: "app"})
			if said := told(err); said != tt.err && (tt.err == "" || !strings.HasPrefix(said, tt.err)) {
				t.Errorf("%s, %s: %s", name, tt.rule, said)
			}
			if (out.Token == "") != (tt.err != "") {
				t.Errorf("%s, %s: %q is given away", name, tt.rule, out.Token)
			}
			if tt.err != "" {
				continue
			}
			signed, err := keys.ParseSigned(out.Token)
			var claims struct {
				Iss, Aud, JTI string
				Iat, Exp      int64
			}
			if err != nil || json.Unmarshal(signed.Payload, &claims) != nil || string(signed.Alg) != tt.alg || claims.Iss != "app" || claims.Aud != x.Issuer ||
				claims.JTI == "" || claims.Exp-claims.Iat != 60 {
				t.Errorf("%s, %s: %v %+v %+v", name, tt.rule, err, signed, claims)
			}
		}
	}
}

func told(err error) string {
	if err == nil {
		return ""
	}
	e := oauth.ErrorOf(err)
	return e.Code + ": " + e.Description
}
