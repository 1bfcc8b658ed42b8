package registration

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant/keys"
)

const (
	publicKey  = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`
	privateKey = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}`
)

// with is a registration with these members besides.
func with(members string) string { return strings.TrimSuffix(simple, "}") + "," + members + "}" }

func TestClientsMayHaveKeys(t *testing.T) {
	const jwks, uri, by = `"jwks":{"keys":[` + publicKey + `]}`, `"jwks_uri":"https://a.example/jwks"`, `"token_endpoint_auth_method":"private_key_jwt"`
	const byHMAC = `"token_endpoint_auth_method":"client_secret_jwt"`
	for rule, c := range map[string]struct {
		members string
		fine    bool
		secret  bool
	}{
		"keys by value":                          {by + "," + jwks, true, false},
		"keys by reference":                      {by + "," + uri, true, false},
		"keys for other things":                  {jwks, true, true},
		"a shared secret":                        {byHMAC, true, true},
		"an algorithm for keys":                  {by + "," + jwks + `,"token_endpoint_auth_signing_alg":"ES256"`, true, false},
		"an algorithm for a secret":              {byHMAC + `,"token_endpoint_auth_signing_alg":"HS256"`, true, true},
		"an algorithm that means nothing":        {`"token_endpoint_auth_signing_alg":"RS256"`, true, true},
		"private_key_jwt without keys":           {by, false, false},
		"both":                                   {by + "," + jwks + "," + uri, false, false},
		"no key":                                 {by + `,"jwks":{"keys":[]}`, false, false},
		"a private key":                          {by + `,"jwks":{"keys":[` + privateKey + `]}`, false, false},
		"a symmetric key":                        {by + `,"jwks":{"keys":[{"kty":"oct","k":"AA"}]}`, false, false},
		"keys over http":                         {by + `,"jwks_uri":"http://a.example/jwks"`, false, false},
		"keys at an address that is not allowed": {by + `,"jwks_uri":"https://10.0.0.1/jwks"`, false, false},
		"no URL":                                 {by + `,"jwks_uri":"jwks"`, false, false},
		"an algorithm for keys, with a secret":   {byHMAC + `,"token_endpoint_auth_signing_alg":"RS256"`, false, false},
		"an algorithm for secrets, with keys":    {by + "," + jwks + `,"token_endpoint_auth_signing_alg":"HS256"`, false, false},
		"none":                                   {by + "," + jwks + `,"token_endpoint_auth_signing_alg":"none"`, false, false},
	} {
		t.Run(rule, func(t *testing.T) {
			s, acme, m := house(t)
			s.Permits = func(url string) error {
				if !strings.HasPrefix(url, "https://a.example/") {
					return errors.New("not permitted")
				}
				return nil
			}
			r, err := s.Register(t.Context(), acme, request(t, with(c.members), Open("192.0.2.1")))
			if !c.fine {
				if said(err) != "invalid_client_metadata" || len(m.clients) != 0 {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || (r.Secret != "") != c.secret {
				t.Fatalf("secret %q, %v", r.Secret, err)
			}
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			for _, member := range strings.Split(c.members, ",\"") {
				if !strings.Contains(string(b), member) {
					t.Errorf("the answer lacks %s: %s", member, b)
				}
			}
		})
	}
}

func TestASecretToSignWithIsKeptOnlyWhileItIsSignedWith(t *testing.T) {
	s, acme, m := house(t)
	now := noon
	s.Now = func() time.Time { return now }
	r, err := s.Register(t.Context(), acme, request(t, simple, administrator))
	if err != nil {
		t.Fatal(err)
	}
	id := r.Client.ID
	become := func(method, more string) (secret string, signs []bool) {
		t.Helper()
		now = now.Add(time.Second)
		r, err := s.Update(t.Context(), acme, id, request(t, with(`"token_endpoint_auth_method":"`+method+`"`+more), administrator))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range m.clients[id].Secrets {
			signs = append(signs, !s.HMAC.IsZero())
		}
		return r.Secret, signs
	}
	check := func(rule string, fresh bool, want string, secret string, signs []bool) {
		t.Helper()
		if (secret != "") != fresh || fmt.Sprint(signs) != want {
			t.Errorf("%s: secret %q, %v, want %s", rule, secret, signs, want)
		}
	}
	secret, signs := become("client_secret_jwt", "")
	check("of the old secret there is the hash alone, so that there is a new one", true, "[true false]", secret, signs)
	if key, err := keys.NewHMACKey(secret); err != nil || !m.clients[id].Secrets[0].HMAC.Equal(key) {
		t.Errorf("another secret is kept: %v", err)
	}
	secret, signs = become("client_secret_jwt", "")
	check("it stays", false, "[true false]", secret, signs)
	secret, signs = become("client_secret_jwt", `,"refresh_client_secret":true`)
	check("a new one beside it", true, "[true true]", secret, signs)
	secret, signs = become("client_secret_post", "")
	check("what is not signed with is only hashed", false, "[false false]", secret, signs)
	secret, signs = become("private_key_jwt", `,"jwks":{"keys":[`+publicKey+`]}`)
	check("with keys there is no secret", false, "[]", secret, signs)
	secret, signs = become("client_secret_basic", "")
	check("and then there is one again", true, "[false]", secret, signs)
}
