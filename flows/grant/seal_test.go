package grant

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// theirs are the keys of a client, as they are at first and as they are when they are asked for again.
type theirs struct {
	first, again *keys.ClientSet
	err          error
}

func (k theirs) Of(context.Context, tenant.ID, *tenant.Client) (*keys.ClientSet, error) {
	return k.first, k.err
}

func (k theirs) Again(context.Context, tenant.ID, *tenant.Client) (*keys.ClientSet, bool) {
	return k.again, k.again != nil
}

// recipient is a set that opens what is encrypted to it, as its owner has it and as others see it.
func recipient(t *testing.T, alg keys.Alg) (*keys.Set, *keys.ClientSet) {
	t.Helper()
	k, err := keys.Generate(alg, rand.Reader, noon)
	if err != nil {
		t.Fatal(err)
	}
	own := keys.NewSet([]keys.Key{k})
	public, err := keys.ParseJWKS(own.JWKS(noon))
	if err != nil {
		t.Fatal(err)
	}
	return own, public
}

// sharing is a client that shares a secret with us.
func sharing(t *testing.T, secret string) *tenant.Client {
	t.Helper()
	k, err := keys.NewHMACKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return &tenant.Client{ID: "app", Secrets: []tenant.ClientSecret{{HMAC: k}}}
}

func headerOf(t *testing.T, token string) map[string]any {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	b, err := base64.RawURLEncoding.DecodeString(head)
	var h map[string]any
	if err := errors.Join(err, json.Unmarshal(b, &h)); err != nil {
		t.Fatal(err)
	}
	return h
}

func TestWhatIsSealedIsSignedAndThenEncrypted(t *testing.T) {
	i, ten := house(t, 1)
	ten.Settings.Signing = tenant.SigningSettings{HMAC: true, None: true}
	own, public := recipient(t, keys.ECDHESA256KW)
	i.Keys = theirs{first: public}
	c := sharing(t, strings.Repeat("s", 64))
	claims := []byte(`{"sub":"alice"}`)
	for _, s := range []struct {
		rule string
		p    Protection
		enc  string
	}{
		{"signed alone", Protection{Alg: keys.ES256}, ""},
		{"signed and encrypted to the key", Protection{keys.EdDSA, "ECDH-ES+A256KW", "A256GCM"}, "A256GCM"},
		{"with the usual content encryption", Protection{keys.ES256, "ECDH-ES+A256KW", ""}, "A128CBC-HS256"},
		{"signed and encrypted with the secret", Protection{keys.ES256, "dir", "A256CBC-HS512"}, "A256CBC-HS512"},
		{"signed with the secret", Protection{Alg: keys.HS512}, ""},
		{"signed and wrapped with the secret", Protection{keys.HS256, "A128KW", "A128GCM"}, "A128GCM"},
		{"not signed but encrypted", Protection{"", "ECDH-ES+A256KW", "A128GCM"}, "A128GCM"},
		{"not signed, and says so", Protection{Alg: keys.None}, ""},
		{"not signed, which it says inside", Protection{keys.None, "ECDH-ES+A256KW", "A128GCM"}, "A128GCM"},
	} {
		out, err := i.Seal(t.Context(), ten, c, s.p, "JWT", claims)
		if err != nil {
			t.Errorf("%s: %v", s.rule, err)
			continue
		}
		inner := out
		if s.enc != "" {
			h := headerOf(t, out)
			if h["alg"] != s.p.EncAlg || h["enc"] != s.enc || h["typ"] != "JWT" || (h["cty"] == "JWT") != (s.p.Alg != "") {
				t.Errorf("%s: header %v", s.rule, h)
			}
			b, err := own.Decrypt(noon, out)
			if keys.Alg(s.p.EncAlg).Shared() {
				b, err = c.Decrypt(out, noon)
			}
			if err != nil {
				t.Errorf("%s: %v", s.rule, err)
			}
			inner = string(b)
		}
		switch {
		case s.p.Alg == "":
			if inner != string(claims) {
				t.Errorf("%s: %s", s.rule, inner)
			}
		case s.p.Alg == keys.None:
			if headerOf(t, inner)["alg"] != "none" || !strings.HasSuffix(inner, ".") {
				t.Errorf("%s: %s", s.rule, inner)
			}
		case s.p.Alg.HMAC():
			j, err := keys.ParseSigned(inner)
			if err != nil || c.CheckHMAC(j, noon, s.p.Alg) != nil || string(j.Payload) != string(claims) {
				t.Errorf("%s: %s, %v", s.rule, inner, err)
			}
		default:
			if b, err := ten.Keys.Verify(noon, "JWT", inner, s.p.Alg); err != nil || string(b) != string(claims) {
				t.Errorf("%s: %s, %v", s.rule, b, err)
			}
		}
	}
}

func TestWhatCannotBeSealedIsNotTold(t *testing.T) {
	_, public := recipient(t, keys.ECDHES)
	_, forRSA := recipient(t, keys.RSAOAEP256)
	toKey := Protection{keys.ES256, "ECDH-ES", "A128GCM"}
	short := strings.Repeat("s", 32)
	remote := &tenant.Client{ID: "app"}
	remote.JWKSURI = "https://app.example/jwks"
	for _, s := range []struct {
		rule string
		c    *tenant.Client
		keys ClientKeys
		p    Protection
		on   tenant.SigningSettings
		want string // code; empty: it is told
	}{
		{"neither signed nor encrypted", remote, theirs{first: public}, Protection{}, tenant.SigningSettings{HMAC: true, None: true}, "server_error"},
		{"none is off", remote, nil, Protection{Alg: keys.None}, tenant.SigningSettings{HMAC: true}, "invalid_request"},
		{"none is off, although it would be encrypted", remote, theirs{first: public}, Protection{keys.None, "ECDH-ES", ""}, tenant.SigningSettings{}, "invalid_request"},
		{"HMAC is off", sharing(t, short), nil, Protection{Alg: keys.HS256}, tenant.SigningSettings{None: true}, "invalid_request"},
		{"no secret is kept", &tenant.Client{ID: "app", Secrets: []tenant.ClientSecret{{}}}, nil, Protection{Alg: keys.HS256}, tenant.SigningSettings{HMAC: true}, "invalid_request"},
		{"no secret at all", &tenant.Client{ID: "app"}, nil, Protection{keys.ES256, "dir", "A128GCM"}, tenant.SigningSettings{HMAC: true}, "invalid_request"},
		{"the secret is too short", sharing(t, short), nil, Protection{Alg: keys.HS384}, tenant.SigningSettings{HMAC: true}, "invalid_request"},
		{"the tenant has no such key", remote, nil, Protection{Alg: keys.PS512}, tenant.SigningSettings{}, "server_error"},
		{"no keys", &tenant.Client{ID: "app"}, theirs{err: tenant.ErrNoKeys}, toKey, tenant.SigningSettings{}, "invalid_request"},
		{"nowhere to look", remote, nil, toKey, tenant.SigningSettings{}, "invalid_request"},
		{"the keys do not answer", remote, theirs{err: tenant.ErrNoKeys}, toKey, tenant.SigningSettings{}, "temporarily_unavailable"},
		{"no key that suits", remote, theirs{first: forRSA}, toKey, tenant.SigningSettings{}, "invalid_request"},
		{"none when asked again", remote, theirs{first: forRSA, again: forRSA}, toKey, tenant.SigningSettings{}, "invalid_request"},
		{"one when asked again", remote, theirs{first: forRSA, again: public}, toKey, tenant.SigningSettings{}, ""},
	} {
		i, ten := house(t, 1)
		i.Keys, ten.Settings.Signing = s.keys, s.on
		out, err := i.Seal(t.Context(), ten, s.c, s.p, "JWT", []byte(`{}`))
		switch {
		case s.want == "":
			if err != nil || out == "" {
				t.Errorf("%s: %v", s.rule, err)
			}
		case err == nil || oauth.ErrorOf(err).Code != s.want || out != "":
			t.Errorf("%s: %q, %v", s.rule, out, err)
		}
	}
}
