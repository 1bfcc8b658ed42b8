package keys

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// foreignJWK is the private key of k as another server writes it, with these members instead; nil takes one away.
func foreignJWK(t testing.TB, k Key, members map[string]any) string {
	t.Helper()
	j, err := jwk.FromRaw(k.pair.private())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for name, v := range members {
		if all[name] = v; v == nil {
			delete(all, name)
		}
	}
	text, err = json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func foreignSet(jwks ...string) []byte { return []byte(`{"keys":[` + strings.Join(jwks, ",") + `]}`) }

func TestForeignKeysKeepTheirKids(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		of      Alg
		members map[string]any
		want    Alg
	}{
		{"RSA", RS256, map[string]any{"kid": "CXup", "use": "sig"}, RS256},
		{"RSA for an algorithm", RS256, map[string]any{"kid": "CXup", "use": "sig", "alg": "PS384"}, PS384},
		{"RSA that others encrypt to", RS256, map[string]any{"kid": "e.1", "use": "enc"}, RSAOAEP256},
		{"EC on each curve", ES256, map[string]any{"kid": "p", "use": "sig"}, ES256},
		{"P-384", ES384, map[string]any{"kid": "p"}, ES384},
		{"P-521", ES512, map[string]any{"kid": "p", "key_ops": []string{"sign"}}, ES512},
		{"EC that others encrypt to", ES256, map[string]any{"kid": "p", "use": "enc"}, ECDHES},
		{"and for an algorithm", ES256, map[string]any{"kid": "p", "alg": "ECDH-ES+A256KW", "use": "enc"}, ECDHESA256KW},
		{"Ed25519", EdDSA, map[string]any{"kid": "Ed", "use": "sig"}, EdDSA},
	} {
		fs, err := ParseForeign(foreignSet(foreignJWK(t, key(tt.of), tt.members)), at(1))
		if err != nil || len(fs) != 1 || fs[0].Why != "" {
			t.Fatalf("%s: %v, %v", tt.rule, fs, err)
		}
		k := fs[0].Key
		if k.ID != tt.members["kid"] || k.Alg != tt.want || !k.ActiveAt.Equal(at(1)) {
			t.Errorf("%s: it is %v", tt.rule, k)
		}
		der, err := k.PrivateDER()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseKey(Key{ID: k.ID, Alg: k.Alg}, der)
		if err != nil || back.ID != k.ID {
			t.Errorf("%s: stored, it is %v, %v", tt.rule, back, err)
		}
		if opens(k.Alg) {
			continue
		}
		s := NewSet([]Key{k})
		if doc := string(s.JWKS(at(1))); !strings.Contains(doc, fmt.Sprintf(`"kid":%q`, k.ID)) || strings.Contains(doc, `"d":`) {
			t.Errorf("%s: it is published as %s", tt.rule, doc)
		}
		if _, err := s.Verify(at(1), "JWT", mustSign(t, s, at(1), k.Alg, "JWT", `{}`)); err != nil {
			t.Errorf("%s: what it signs: %v", tt.rule, err)
		}
	}
	own := key(ES256)
	for _, kid := range []any{nil, own.ID} {
		fs, err := ParseForeign(foreignSet(foreignJWK(t, own, map[string]any{"kid": kid})), at(1))
		if err != nil || fs[0].Key.ID != own.ID || fs[0].Key.pair.foreign {
			t.Errorf("the kid %v: %v, %v", kid, fs, err)
		}
	}
}

func TestForeignKeysThatAreNotTaken(t *testing.T) {
	rsa := foreignJWK(t, key(RS256), map[string]any{"kid": "r"})
	for _, tt := range []struct{ rule, jwk, why string }{
		{"a secret key with a known use", `{"kty":"oct","kid":"subject-encrypt","k":"c2VjcmV0","use":"enc"}`, "pairwise subjects"},
		{"any secret key", `{"kty":"oct","kid":"x","k":"c2VjcmV0"}`, "a secret key"},
		{"another curve", `{"kty":"EC","crv":"secp256k1","kid":"k","x":"AA","y":"AA","d":"AA"}`, "type or curve"},
		{"a public key", foreignJWK(t, key(ES256), map[string]any{"kid": "p", "d": nil}), "no private part"},
		{"an algorithm that is not served", foreignJWK(t, key(RS256), map[string]any{"kid": "x", "alg": "RSA1_5", "use": "enc"}), "algorithm"},
		{"an algorithm against the use", foreignJWK(t, key(RS256), map[string]any{"kid": "x", "alg": "RS256", "use": "enc"}), "not what it is for"},
		{"a curve against the algorithm", foreignJWK(t, key(ES256), map[string]any{"kid": "p", "alg": "ES384"}), "does not suit ES384"},
		{"P-384 that others encrypt to", foreignJWK(t, key(ES384), map[string]any{"kid": "p", "use": "enc"}), "P-256"},
		{"a use of neither kind", foreignJWK(t, key(RS256), map[string]any{"kid": "x", "use": "wrap"}), "for nothing"},
		{"a kid that no path can have", foreignJWK(t, key(ES256), map[string]any{"kid": "a/b"}), "kid"},
		{"nor can dots", foreignJWK(t, key(ES256), map[string]any{"kid": ".."}), "kid"},
		{"the thumbprint of another key", foreignJWK(t, key(ES256), map[string]any{"kid": key(RS256).ID}), "thumbprint"},
		{"parts of two keys", strings.Replace(foreignJWK(t, key(ES256), nil), `"d":"`, `"d":"AA`, 1), "malformed"},
		{"an RSA key whose parts do not fit", foreignJWK(t, key(RS256), map[string]any{"d": "AQAB"}), "malformed"},
		{"an RSA key without factors", foreignJWK(t, key(RS256), map[string]any{"p": nil, "q": nil}), "malformed"},
		{"a member twice", `{"kty":"RSA","kty":"RSA"}`, "malformed"},
		{"no object", `7`, "malformed"},
	} {
		fs, err := ParseForeign(foreignSet(tt.jwk, rsa), at(0))
		if err != nil || len(fs) != 2 || !strings.Contains(fs[0].Why, tt.why) || fs[0].Key != (Key{}) {
			t.Errorf("%s: %v, %v", tt.rule, fs, err)
		}
	}
	twice, err := ParseForeign(foreignSet(rsa, foreignJWK(t, key(ES256), map[string]any{"kid": "r"})), at(0))
	if err != nil || twice[0].Why == "" || twice[1].Why == "" {
		t.Errorf("a kid twice: %v, %v", twice, err)
	}
	for _, doc := range []string{"", "{}", "[]", `{"keys":{}}`, `{"keys":[],"keys":[]}`, strings.Repeat(" ", MaxJWKS+1), string(foreignSet(strings.Split(strings.Repeat("{} ", maxKeys+1), " ")[:maxKeys+1]...))} {
		if fs, err := ParseForeign([]byte(doc), at(0)); err == nil {
			t.Errorf("%.20q: %v", doc, fs)
		}
	}
}

// What the other server has signed is known here by its kid, and only where the key is that server's.
func TestWhatAnotherServerSigned(t *testing.T) {
	fs, err := ParseForeign(foreignSet(foreignJWK(t, key(RS256), map[string]any{"kid": "CXup"})), at(0))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(kid, typ, payload string) string {
		h := jws.NewHeaders()
		for name, v := range map[string]string{"kid": kid, "typ": typ} {
			if v != "" {
				_ = h.Set(name, v)
			}
		}
		b, err := jws.Sign([]byte(payload), jws.WithKey(jwa.RS256, key(RS256).pair.private(), jws.WithProtectedHeaders(h)))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	s, ours := NewSet([]Key{fs[0].Key}), NewSet([]Key{key(RS256)})
	gone := fs[0].Key
	gone.GoneAt = at(1)
	for _, tt := range []struct {
		rule  string
		set   *Set
		token string
		ok    bool
	}{
		{"without typ", s, sign("CXup", "", `{"sub":"u1"}`), true},
		{"with the plain one", s, sign("CXup", "JWT", `{"sub":"u1"}`), true},
		{"an access token", s, sign("CXup", "at+jwt", `{"sub":"u1"}`), false},
		{"another kid", s, sign("other", "", `{"sub":"u1"}`), false},
		{"no kid", s, sign("", "", `{"sub":"u1"}`), false},
		{"a key of our own", ours, sign(key(RS256).ID, "", `{"sub":"u1"}`), false},
		{"another payload", s, strings.Replace(sign("CXup", "", `{"sub":"u1"}`), ".ey", ".eyJhIjowfQ", 1), false},
		{"a key that is gone", NewSet([]Key{gone}), sign("CXup", "", `{"sub":"u1"}`), false},
	} {
		payload, err := tt.set.VerifyForeign(at(2), tt.token)
		if (err == nil) != tt.ok || tt.ok && string(payload) != `{"sub":"u1"}` {
			t.Errorf("%s: %s, %v", tt.rule, payload, err)
		}
	}
}

func FuzzParseForeign(f *testing.F) {
	f.Add(foreignSet(`{"kty":"EC","crv":"P-256","kid":"a","x":"AA","y":"AA","d":"AA"}`))
	f.Add(foreignSet(`{"kty":"oct","k":"AA"}`, `{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB","p":"Aw","q":"BQ"}`))
	f.Add(foreignSet(foreignJWK(f, key(EdDSA), map[string]any{"kid": "e"})))
	f.Fuzz(func(t *testing.T, doc []byte) {
		fs, err := ParseForeign(doc, time.Unix(0, 0))
		for _, k := range fs {
			if err != nil || (k.Why == "") != k.Key.usable() {
				t.Fatalf("%v: %v", k, err)
			}
		}
	})
}
