package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// A signer is a client with a key.
type signer struct {
	alg     Alg
	private crypto.Signer
}

// clients returns a client for each kind of key.
func newClients(t testing.TB) map[string]signer {
	t.Helper()
	out := map[string]signer{}
	for kid, alg := range map[string]Alg{"rsa": RS256, "p256": ES256, "p384": ES384, "ed": EdDSA} {
		s, err := schemeOf(alg)
		must(t, err)
		k, err := s.generate(rand.Reader)
		must(t, err)
		out[kid] = signer{alg, k}
	}
	k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	must(t, err)
	out["p521"] = signer{"ES512", k}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// public returns the key as a JWK with these members besides.
func (s signer) public(t testing.TB, members map[string]any) string {
	t.Helper()
	k, err := jwk.FromRaw(s.private.Public())
	must(t, err)
	for name, v := range members {
		must(t, k.Set(name, v))
	}
	b, err := json.Marshal(k)
	must(t, err)
	return string(b)
}

// sign returns a compact JWS with these header members.
func (s signer) sign(t testing.TB, alg Alg, members map[string]any, payload string) string {
	t.Helper()
	h := jws.NewHeaders()
	for name, v := range members {
		must(t, h.Set(name, v))
	}
	b, err := jws.Sign([]byte(payload), jws.WithKey(jwa.SignatureAlgorithm(alg), s.private, jws.WithProtectedHeaders(h)))
	must(t, err)
	return string(b)
}

func set(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

func TestAClientsSignatureIsVerified(t *testing.T) {
	cs := newClients(t)
	var all []string
	for kid, c := range cs {
		all = append(all, c.public(t, map[string]any{"kid": kid}))
	}
	s, err := ParseJWKS([]byte(set(all...)))
	must(t, err)
	for kid, algs := range map[string][]Alg{
		"rsa": {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, "p256": {"ES256"}, "p384": {"ES384"}, "p521": {"ES512"}, "ed": {"EdDSA"},
	} {
		for _, alg := range algs {
			for _, header := range []map[string]any{{"kid": kid}, {}} {
				j, err := ParseSigned(cs[kid].sign(t, alg, header, `{"iss":"app"}`))
				must(t, err)
				if err := s.Verify(j, ClientAlgs()...); err != nil || string(j.Payload) != `{"iss":"app"}` {
					t.Errorf("%s by %s: %v", alg, kid, err)
				}
			}
		}
	}
}

func TestWhatAClientSetRefuses(t *testing.T) {
	cs := newClients(t)
	s, err := ParseJWKS([]byte(set(cs["p256"].public(t, map[string]any{"kid": "a", "alg": "ES256"}), cs["rsa"].public(t, map[string]any{"kid": "r", "alg": "PS256"}))))
	must(t, err)
	good := cs["p256"].sign(t, ES256, map[string]any{"kid": "a"}, "{}")
	b64 := base64.RawURLEncoding.EncodeToString
	with := func(header string) string {
		_, rest, _ := strings.Cut(good, ".")
		return b64([]byte(header)) + "." + rest
	}
	der := []byte(cs["p256"].public(t, nil))
	for rule, tt := range map[string]struct {
		compact string
		again   bool // a newer set may change the answer
	}{
		"none":                        {with(`{"alg":"none","kid":"a"}`), false},
		"none in other letters":       {with(`{"alg":"nOnE","kid":"a"}`), false},
		"HMAC with the public key":    {hmacWith(t, der, "a"), false},
		"another kid":                 {cs["p256"].sign(t, ES256, map[string]any{"kid": "b"}, "{}"), true},
		"another key":                 {cs["p384"].sign(t, ES384, map[string]any{"kid": "a"}, "{}"), true},
		"another key of that kid":     {newClients(t)["p256"].sign(t, ES256, map[string]any{"kid": "a"}, "{}"), false},
		"another key without kid":     {newClients(t)["p256"].sign(t, ES256, nil, "{}"), true},
		"an alg that the key is not":  {cs["rsa"].sign(t, RS256, map[string]any{"kid": "r"}, "{}"), true},
		"an alg that is not allowed":  {cs["p521"].sign(t, "ES512", map[string]any{"kid": "a"}, "{}"), false},
		"an embedded key":             {with(`{"alg":"ES256","jwk":{}}`), false},
		"a linked key":                {with(`{"alg":"ES256","kid":"a","jku":"https://x.example"}`), false},
		"a linked certificate":        {with(`{"alg":"ES256","kid":"a","x5u":"https://x.example"}`), false},
		"an embedded certificate":     {with(`{"alg":"ES256","kid":"a","x5c":[]}`), false},
		"crit":                        {with(`{"alg":"ES256","kid":"a","crit":["exp"]}`), false},
		"b64":                         {with(`{"alg":"ES256","kid":"a","b64":false}`), false},
		"a header member twice":       {with(`{"alg":"ES256","kid":"a","kid":"a"}`), false},
		"alg in capitals":             {with(`{"ALG":"ES256","kid":"a"}`), false},
		"a kid that is no string":     {with(`{"alg":"ES256","kid":1}`), false},
		"no header":                   {with(``), false},
		"padding":                     {good + "=", false},
		"a line end":                  {good + "\n", false},
		"four segments":               {good + ".x", false},
		"an empty signature":          {good[:strings.LastIndexByte(good, '.')+1], false},
		"too long":                    {cs["p256"].sign(t, ES256, nil, `{"x":"`+strings.Repeat("x", maxCompact)+`"}`), false},
		"a payload that is no object": {cs["p256"].sign(t, ES256, map[string]any{"kid": "a"}, `[]`), false},
		"a claim twice":               {cs["p256"].sign(t, ES256, map[string]any{"kid": "a"}, `{"a":1,"\u0061":2}`), false},
	} {
		t.Run(rule, func(t *testing.T) {
			j, err := ParseSigned(tt.compact)
			if err == nil {
				err = s.Verify(j, ES256, ES384, PS256, RS256)
			}
			if !errors.Is(err, ErrInvalid) || errors.Is(err, ErrNoSuchKey) != tt.again {
				t.Errorf("got %v", err)
			}
		})
	}
	j, err := ParseSigned(good)
	must(t, err)
	must(t, s.Verify(j, ES256))
	if err := s.Verify(j); !errors.Is(err, ErrInvalid) {
		t.Errorf("nothing is allowed: %v", err)
	}
}

// hmacWith is a JWS with HS256 under these bytes.
func hmacWith(t testing.TB, secret []byte, kid string) string {
	t.Helper()
	h := jws.NewHeaders()
	if kid != "" {
		must(t, h.Set("kid", kid))
	}
	b, err := jws.Sign([]byte("{}"), jws.WithKey(jwa.HS256, secret, jws.WithProtectedHeaders(h)))
	must(t, err)
	return string(b)
}

func TestWhichSetsAClientMayHave(t *testing.T) {
	cs := newClients(t)
	good := cs["p256"].public(t, map[string]any{"kid": "a"})
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	private, err := json.Marshal(must1(jwk.FromRaw(cs["p256"].private)))
	must(t, err)
	for rule, tt := range map[string]struct {
		doc  string
		fine bool
	}{
		"one key":                           {set(good), true},
		"members that we do not know":       {`{"x":1,"keys":[` + good + `]}`, true},
		"a type that we do not know":        {set(`{"kty":"AKP"}`, good), true},
		"a curve that we do not know":       {set(`{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`, good), true},
		"an algorithm that we do not know":  {set(cs["rsa"].public(t, map[string]any{"alg": "RS1"}), good), true},
		"a key for encryption alone":        {set(cs["rsa"].public(t, map[string]any{"use": "enc"})), true},
		"no key":                            {set(), false},
		"no key that we know":               {set(`{"kty":"AKP"}`), false},
		"a private key":                     {set(string(private)), false},
		"a private key for encryption":      {set(strings.Replace(string(private), "{", `{"use":"enc",`, 1)), false},
		"a symmetric key":                   {set(`{"kty":"oct","k":"AA"}`, good), false},
		"a symmetric key without its value": {set(`{"kty":"oct"}`, good), false},
		"an RSA key of 1024 bits":           {set(signer{RS256, weak}.public(t, nil), good), false},
		"an RSA exponent of one":            {set(strings.Replace(cs["rsa"].public(t, nil), `"AQAB"`, `"AQ"`, 1), good), false},
		"a point off its curve":             {set(`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}`), false},
		"a point without y":                 {set(`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}`), false},
		"a short Ed25519 key":               {set(`{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`), false},
		"a member twice":                    {set(strings.Replace(good, "{", `{"kid":"a",`, 1)), false},
		"keys twice":                        {`{"keys":[],"keys":[` + good + `]}`, false},
		"keys in capitals":                  {`{"KEYS":[` + good + `]}`, false},
		"keys null":                         {`{"keys":null}`, false},
		"a key null":                        {set("null", good), false},
		"a key that is an array":            {set("[]", good), false},
		"an array":                          {`[` + good + `]`, false},
		"too many":                          {set(strings.Split(strings.Repeat(good+"\n", maxKeys+1), "\n")[:maxKeys+1]...), false},
		"too large":                         {set(good, `{"kty":"AKP","x":"`+strings.Repeat("x", MaxJWKS)+`"}`), false},
		"a long kid":                        {set(cs["p256"].public(t, map[string]any{"kid": strings.Repeat("x", maxKid+1)})), false},
		"nothing":                           {"", false},
	} {
		if _, err := ParseJWKS([]byte(tt.doc)); (err == nil) != tt.fine || err != nil && !errors.Is(err, ErrJWKS) {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func must1[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

func TestAKeyForEncryptionVerifiesNothing(t *testing.T) {
	c := newClients(t)["p256"]
	s, err := ParseJWKS([]byte(set(c.public(t, map[string]any{"use": "enc"}))))
	must(t, err)
	j, err := ParseSigned(c.sign(t, ES256, nil, "{}"))
	must(t, err)
	if err := s.Verify(j, ES256); !errors.Is(err, ErrNoSuchKey) {
		t.Errorf("got %v", err)
	}
}

// RFC 7515 Appendix A.1 and A.3.
func TestPublishedSignatures(t *testing.T) {
	const payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	secret, err := base64.RawURLEncoding.DecodeString("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
	must(t, err)
	k, err := NewHMACKey(string(secret))
	must(t, err)
	j, err := ParseSigned("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + payload + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
	must(t, err)
	must(t, k.Verify(j))
	if !j.HasType("jwt") || !j.HasType("", "application/JWT") || j.HasType("") || j.HasType("at+jwt") {
		t.Errorf("typ %q", j.Typ)
	}
	s, err := ParseJWKS([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`))
	must(t, err)
	j, err = ParseSigned("eyJhbGciOiJFUzI1NiJ9." + payload + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
	must(t, err)
	must(t, s.Verify(j, ES256))
	if !j.HasType("", "JWT") {
		t.Error("no typ is not the empty type")
	}
}

func TestASharedSecretVerifiesItsOwnHMACAlone(t *testing.T) {
	secret := strings.Repeat("s", 32)
	k, err := NewHMACKey(secret)
	must(t, err)
	for rule, tt := range map[string]struct {
		key     HMACKey
		compact string
		fine    bool
	}{
		"the secret":     {k, hmacWith(t, []byte(secret), ""), true},
		"another secret": {k, hmacWith(t, []byte(secret+"x"), ""), false},
		"no secret":      {HMACKey{}, hmacWith(t, []byte(secret), ""), false},
		"another alg":    {k, newClients(t)["p256"].sign(t, ES256, nil, "{}"), false},
	} {
		j, err := ParseSigned(tt.compact)
		must(t, err)
		if err := tt.key.Verify(j); (err == nil) != tt.fine || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if _, err := NewHMACKey(secret[1:]); err == nil {
		t.Error("31 bytes are a key")
	}
	if got := fmt.Sprintf("%v %+v %#v %s", k, struct{ K HMACKey }{k}, k, must1(json.Marshal(k))); strings.Contains(got, secret) {
		t.Errorf("prints %s", got)
	}
	if !k.Equal(must1(NewHMACKey(secret))) || k.Equal(HMACKey{}) {
		t.Error("Equal is wrong")
	}
}

func FuzzParseSigned(f *testing.F) {
	c := newClients(f)["p256"]
	f.Add(c.sign(f, ES256, map[string]any{"kid": "a", "typ": "JWT"}, `{"iss":"app"}`))
	f.Add("..")
	s := must1(ParseJWKS([]byte(set(c.public(f, nil)))))
	f.Fuzz(func(t *testing.T, compact string) {
		j, err := ParseSigned(compact)
		if err != nil {
			return
		}
		if !json.Valid(j.Payload) || j.Alg == "" {
			t.Errorf("%q is taken apart", compact)
		}
		_ = s.Verify(j, ClientAlgs()...)
	})
}

func FuzzParseJWKS(f *testing.F) {
	for _, c := range newClients(f) {
		f.Add([]byte(set(c.public(f, map[string]any{"kid": "a"}))))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		s, err := ParseJWKS(doc)
		if err != nil {
			return
		}
		for _, k := range s.keys {
			if len(clientAlgsOf(k.public)) == 0 {
				t.Errorf("a key that nothing suits: %v", k)
			}
		}
	})
}

func clientAlgsOf(public crypto.PublicKey) (algs []Alg) {
	for _, a := range clientAlgs {
		if clientSchemes[a].suits(public) {
			algs = append(algs, a)
		}
	}
	return algs
}

func BenchmarkClientVerify(b *testing.B) {
	for kid, c := range newClients(b) {
		s := must1(ParseJWKS([]byte(set(c.public(b, map[string]any{"kid": kid})))))
		compact := c.sign(b, c.alg, map[string]any{"kid": kid}, `{"iss":"app"}`)
		b.Run(kid, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				j, err := ParseSigned(compact)
				if err == nil {
					err = s.Verify(j, c.alg)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
