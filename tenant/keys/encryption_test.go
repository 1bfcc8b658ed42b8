package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwe"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// inside is what the tests encrypt.
var inside = []byte("header.payload.signature")

// encryptedTo makes a JWE as a stranger would that reads our JWK set.
func encryptedTo(t testing.TB, s *Set, now time.Time, e Encryption, header map[string]any) string {
	t.Helper()
	set, err := jwk.Parse(s.JWKS(now))
	if err != nil {
		t.Fatal(err)
	}
	for i := range set.Len() {
		k, _ := set.Key(i)
		if k.Algorithm().String() != string(e.Alg) || k.KeyUsage() != "enc" {
			continue
		}
		var raw any
		if err := k.Raw(&raw); err != nil {
			t.Fatal(err)
		}
		h := jwe.NewHeaders()
		if err := h.Set("kid", k.KeyID()); err != nil {
			t.Fatal(err)
		}
		for name, v := range header {
			if err := h.Set(name, v); err != nil {
				t.Fatal(err)
			}
		}
		b, err := jwe.Encrypt(inside, jwe.WithKey(jwa.KeyEncryptionAlgorithm(e.Alg), raw), jwe.WithContentEncryption(jwa.ContentEncryptionAlgorithm(e.Enc)),
			jwe.WithProtectedHeaders(h))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	t.Fatalf("no key for %s in %s", e.Alg, s.JWKS(now))
	return ""
}

func openingSet(t testing.TB) *Set {
	t.Helper()
	var ks []Key
	for _, alg := range openingAlgs {
		ks = append(ks, generate(t, alg, epoch))
	}
	return NewSet(append(ks, key(ES256)))
}

func TestATenantOpensWhatIsEncryptedToItsPublishedKeys(t *testing.T) {
	s := openingSet(t)
	if got := s.OpeningAlgs(epoch); !slices.Equal(got, openingAlgs) {
		t.Errorf("OpeningAlgs = %v", got)
	}
	if got := s.Algs(epoch); !slices.Equal(got, []Alg{ES256}) {
		t.Errorf("Algs = %v", got)
	}
	for _, alg := range openingAlgs {
		if _, err := s.Sign(t.Context(), epoch, alg, "JWT", []byte("{}")); !errors.Is(err, ErrNoKey) {
			t.Errorf("a key for %s signs: %v", alg, err)
		}
		for _, enc := range ContentEncryptions() {
			e := Encryption{alg, enc}
			compact := encryptedTo(t, s, epoch, e, nil)
			for rule, allowed := range map[string][]Encryption{"no limit": nil, "the algorithm": {{alg, ""}}, "exactly this": {{RSAOAEP256, "A128GCM"}, e}} {
				if got, err := s.Decrypt(epoch, compact, allowed...); err != nil || !bytes.Equal(got, inside) {
					t.Errorf("%v, %s: %q, %v", e, rule, got, err)
				}
			}
			for rule, allowed := range map[string][]Encryption{"another alg": {{"RSA-OAEP", enc}}, "another enc": {{alg, "A1GCM"}}} {
				if _, err := s.Decrypt(epoch, compact, allowed...); !errors.Is(err, ErrInvalid) {
					t.Errorf("%v, %s is allowed: %v", e, rule, err)
				}
			}
		}
	}
}

func TestAnEncryptedTokenThatIsAlteredDoesNotOpen(t *testing.T) {
	s := openingSet(t)
	for _, e := range []Encryption{{RSAOAEP256, "A128CBC-HS256"}, {ECDHES, "A256GCM"}, {ECDHESA128KW, "A256CBC-HS512"}} {
		good := encryptedTo(t, s, epoch, e, nil)
		parts := strings.Split(good, ".")
		for i, p := range parts {
			if p == "" {
				continue
			}
			for _, at := range []int{0, len(p) / 2, len(p) - 1} {
				for _, c := range []byte("A_") {
					if p[at] == c {
						continue
					}
					changed := []byte(p)
					changed[at] = c
					bad := slices.Clone(parts)
					bad[i] = string(changed)
					if got, err := s.Decrypt(epoch, strings.Join(bad, ".")); !errors.Is(err, ErrInvalid) || got != nil {
						t.Errorf("%v: segment %d with %c at %d opens: %q, %v", e, i, c, at, got, err)
					}
				}
			}
			cut := slices.Clone(parts)
			cut[i] = ""
			if _, err := s.Decrypt(epoch, strings.Join(cut, ".")); !errors.Is(err, ErrInvalid) {
				t.Errorf("%v: without segment %d it opens", e, i)
			}
		}
		// The tag moved into the ciphertext is the same bytes in another spelling.
		moved := strings.Join(parts[:4], ".") + parts[4] + "."
		if _, err := s.Decrypt(epoch, moved); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: with the tag moved it opens", e)
		}
	}
}

func TestHeadersThatChangeWhatIsOpenedAreRefused(t *testing.T) {
	s := openingSet(t)
	for name, v := range map[string]any{
		"crit": []string{"exp"}, "zip": jwa.Deflate, "p2c": 1 << 30, "p2s": "AAAA", "jku": "https://evil.example/jwks", "x5u": "https://evil.example/x", "iv": "AAAA",
		"tag": "AAAA", "b64": false,
	} {
		if got, err := s.Decrypt(epoch, encryptedTo(t, s, epoch, Encryption{ECDHESA256KW, "A256GCM"}, map[string]any{name: v})); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := s.Decrypt(epoch, encryptedTo(t, s, epoch, Encryption{ECDHES, "A256GCM"}, map[string]any{"iss": "app", "cty": "JWT", "typ": "oauth-authz-req+jwt"})); err != nil {
		t.Errorf("claims as header members: %q, %v", got, err)
	}
	for rule, header := range map[string]string{
		"RSA1_5":                       `{"alg":"RSA1_5","enc":"A128GCM"}`,
		"PBES2":                        `{"alg":"PBES2-HS256+A128KW","enc":"A128GCM"}`,
		"a secret's algorithm":         `{"alg":"dir","enc":"A128GCM"}`,
		"a signature's":                `{"alg":"ES256","enc":"A128GCM"}`,
		"an unknown enc":               `{"alg":"ECDH-ES","enc":"none"}`,
		"an alg in another case":       `{"ALG":"ECDH-ES","enc":"A128GCM"}`,
		"a member twice":               `{"alg":"ECDH-ES","enc":"A128GCM","enc":"A256GCM"}`,
		"a number":                     `{"alg":"ECDH-ES","enc":3}`,
		"no epk":                       `{"alg":"ECDH-ES","enc":"A128GCM"}`,
		"an epk with a private member": `{"alg":"ECDH-ES","enc":"A128GCM","epk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}}`,
		"an epk on another curve":      `{"alg":"ECDH-ES","enc":"A128GCM","epk":` + string(generate(t, ES384, epoch).pair.jwk) + `}`,
		"an epk on no curve":           `{"alg":"ECDH-ES","enc":"A128GCM","epk":{"kty":"EC","crv":"P-256","x":"` + b64(make([]byte, 32)) + `","y":"` + b64(bytes.Repeat([]byte{1}, 32)) + `"}}`,
		"an epk of another type":       `{"alg":"ECDH-ES","enc":"A128GCM","epk":` + string(key(EdDSA).pair.jwk) + `}`,
	} {
		compact := b64([]byte(header)) + ".." + b64(make([]byte, gcmNonce)) + ".AAAA." + b64(make([]byte, gcmTag))
		if got, err := s.Decrypt(epoch, compact); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %q, %v", rule, got, err)
		}
	}
	for rule, compact := range map[string]string{
		"nothing": "", "dots": strings.Repeat(".", 1<<20), "a JWS": "a.b.c", "JSON": `{"protected":"e30"}`, "size": strings.Repeat("A", maxEncrypted-3) + "....",
	} {
		if _, err := s.Decrypt(epoch, compact); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s opens: %v", rule, err)
		}
	}
}

func TestAnEncryptionKeyRotatesWithOverlap(t *testing.T) {
	old, fresh := generate(t, ECDHES, at(0)), generate(t, ECDHES, at(100))
	ks := Rotate([]Key{old}, fresh, at(100), 10*time.Minute, time.Hour)
	s, e := NewSet(ks), Encryption{ECDHES, "A128GCM"}
	toOld := encryptedTo(t, NewSet([]Key{old}), at(0), e, nil)
	for _, c := range []struct {
		minute, published int
		opens             bool
	}{{99, 1, true}, {100, 2, true}, {109, 2, true}, {110, 1, true}, {169, 1, true}, {170, 1, false}} {
		if got := strings.Count(string(s.JWKS(at(c.minute))), `"kid"`); got != c.published {
			t.Errorf("minute %d: %d keys are published, want %d", c.minute, got, c.published)
		}
		if _, err := s.Decrypt(at(c.minute), toOld); (err == nil) != c.opens {
			t.Errorf("minute %d: the old key opens: %v, want %t", c.minute, err, c.opens)
		}
	}
	if strings.Contains(string(s.JWKS(at(110))), old.ID) {
		t.Error("a key that has retired is still published")
	}
	off := NewSet(Retire(ks, ECDHES, at(200), time.Hour))
	if got := off.OpeningAlgs(at(200)); got != nil || strings.Contains(string(off.JWKS(at(200))), "kid") {
		t.Errorf("after the end: %v", got)
	}
	toFresh := encryptedTo(t, s, at(150), e, nil)
	for minute, opens := range map[int]bool{200: true, 259: true, 260: false} {
		if _, err := off.Decrypt(at(minute), toFresh); (err == nil) != opens {
			t.Errorf("minute %d after the end: %v", minute, err)
		}
	}
}

// clientPair is a client's key pair and the set that it publishes.
func clientPair(t testing.TB, raw string, members map[string]any) (private any, doc string) {
	t.Helper()
	k, err := jwk.ParseKey([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Raw(&private); err != nil {
		t.Fatal(err)
	}
	public, err := k.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range members {
		if err := public.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	b, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	return private, string(b)
}

// x25519Key is the example key of RFC 8037 §A.6, Bob's.
const x25519Key = `{"kty":"OKP","crv":"X25519","x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08","d":"XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os"}`

func privateJWK(t testing.TB, k Key) string {
	t.Helper()
	j, err := jwk.FromRaw(k.pair.private())
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAClientOpensWhatIsEncryptedToItsKey(t *testing.T) {
	pairs := map[string]string{"RSA": privateJWK(t, key(RS256)), "P-256": privateJWK(t, key(ES256)), "P-384": privateJWK(t, key(ES384)),
		"P-521": privateJWK(t, key(ES512)), "X25519": x25519Key}
	for _, alg := range openingAlgs {
		for name, raw := range pairs {
			private, doc := clientPair(t, raw, map[string]any{"kid": "k1"})
			s, err := ParseJWKS([]byte(`{"keys":[` + doc + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			for _, enc := range ContentEncryptions() {
				compact, err := s.Encrypt(Encryption{alg, enc}, "JWT", "JWT", inside)
				if (alg == RSAOAEP256) != (name == "RSA") {
					if !errors.Is(err, ErrNoSuchKey) {
						t.Errorf("%s to %s: %v", alg, name, err)
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				got, err := jwe.Decrypt([]byte(compact), jwe.WithKey(jwa.KeyEncryptionAlgorithm(alg), private))
				if err != nil || !bytes.Equal(got, inside) {
					t.Errorf("%s %s to %s: %q, %v", alg, enc, name, got, err)
				}
				var h map[string]any
				head, _ := base64url.DecodeString(strings.Split(compact, ".")[0])
				if err := json.Unmarshal(head, &h); err != nil || h["alg"] != string(alg) || h["enc"] != enc || h["kid"] != "k1" || h["cty"] != "JWT" || h["typ"] != "JWT" {
					t.Errorf("header %s, %v", head, err)
				}
			}
		}
	}
}

func TestTheClientsKeyIsTheOneItMeans(t *testing.T) {
	keyOf := func(kid string, members map[string]any) string {
		members["kid"] = kid
		_, doc := clientPair(t, privateJWK(t, generate(t, ES256, epoch)), members)
		return doc
	}
	forAlg := keyOf("alg", map[string]any{"alg": "ECDH-ES", "use": "enc"})
	forEnc, forOps := keyOf("enc", map[string]any{"use": "enc"}), keyOf("ops", map[string]any{"key_ops": []string{"deriveKey"}})
	forAny, forSig := keyOf("any", map[string]any{}), keyOf("sig", map[string]any{"use": "sig"})
	forES256, forOther := keyOf("es", map[string]any{"alg": "ES256"}), keyOf("other", map[string]any{"alg": "ECDH-ES+A128KW"})
	for _, c := range []struct {
		rule, want string
		keys       []string
	}{
		{"registered for the algorithm", "alg", []string{forAny, forEnc, forAlg, forOther}},
		{"for encryption", "enc", []string{forSig, forAny, forEnc, forOps}},
		{"for key agreement", "ops", []string{forSig, forAny, forOps}},
		{"for anything", "any", []string{forSig, forAny}},
		{"never for signatures", "", []string{forSig}},
		{"never for another algorithm", "", []string{forOther, forES256}},
	} {
		s, err := ParseJWKS([]byte(`{"keys":[` + strings.Join(c.keys, ",") + `]}`))
		if err != nil {
			t.Fatal(err)
		}
		compact, err := s.Encrypt(Encryption{ECDHES, "A256GCM"}, "", "", inside)
		if c.want == "" {
			if !errors.Is(err, ErrNoSuchKey) {
				t.Errorf("%s: %v", c.rule, err)
			}
			continue
		}
		head, _ := base64url.DecodeString(strings.Split(compact, ".")[0])
		if err != nil || !strings.Contains(string(head), `"kid":"`+c.want+`"`) || strings.Contains(string(head), "typ") || strings.Contains(string(head), "cty") {
			t.Errorf("%s: %s, %v", c.rule, head, err)
		}
	}
}

func TestASecretEncryptsByItsHash(t *testing.T) {
	k, err := NewHMACKey("a secret of the client, which is long enough")
	if err != nil {
		t.Fatal(err)
	}
	other, _ := NewHMACKey("another secret of the client, long enough too")
	for _, alg := range sharedAlgs {
		for _, enc := range ContentEncryptions() {
			e := Encryption{alg, enc}
			compact, err := k.Encrypt(e, "JWT", "JWT", inside)
			if err != nil {
				t.Fatalf("%v: %v", e, err)
			}
			if got, err := k.Decrypt(compact, e); err != nil || !bytes.Equal(got, inside) {
				t.Errorf("%v: %q, %v", e, got, err)
			}
			if _, err := k.Decrypt(compact, Encryption{alg, "A1GCM"}); !errors.Is(err, ErrInvalid) {
				t.Errorf("%v is not allowed and opens: %v", e, err)
			}
			if _, err := other.Decrypt(compact); !errors.Is(err, ErrInvalid) {
				t.Errorf("%v opens with another secret: %v", e, err)
			}
			if _, err := (HMACKey{}).Decrypt(compact); !errors.Is(err, ErrInvalid) {
				t.Errorf("%v opens without a secret: %v", e, err)
			}
		}
	}
	for _, e := range []Encryption{{ECDHES, "A128GCM"}, {"PBES2-HS256+A128KW", "A128GCM"}, {Dir, "none"}, {}} {
		if _, err := k.Encrypt(e, "", "", inside); err == nil {
			t.Errorf("%v encrypts with a secret", e)
		}
	}
}

func TestWhatIsTooLargeIsNotEncrypted(t *testing.T) {
	k, _ := NewHMACKey("a secret of the client, which is long enough")
	longest := bytes.Repeat([]byte("x"), maxCompact)
	for _, enc := range ContentEncryptions() {
		compact, err := k.Encrypt(Encryption{Dir, enc}, "JWT", "JWT", longest)
		if err != nil || len(compact) > maxEncrypted {
			t.Errorf("%s: %d bytes, %v", enc, len(compact), err)
		}
		if _, err := k.Encrypt(Encryption{Dir, enc}, "JWT", "JWT", bytes.Repeat([]byte("x"), maxEncrypted)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", enc, err)
		}
	}
	if _, err := k.Encrypt(Encryption{Dir, "A128GCM"}, "JWT", "JWT", nil); err == nil {
		t.Error("nothing is encrypted")
	}
}

func TestAnHMACIsTheShareOfBothSides(t *testing.T) {
	long, err := NewHMACKey(strings.Repeat("k", 64))
	if err != nil {
		t.Fatal(err)
	}
	short, _ := NewHMACKey(strings.Repeat("k", 32))
	for _, alg := range HMACAlgs() {
		compact, err := long.Sign(alg, "JWT", []byte(`{"sub":"alice"}`))
		if err != nil {
			t.Fatal(err)
		}
		j, err := ParseSigned(compact)
		if err != nil || j.Alg != alg || j.Kid != "" || j.Typ != "JWT" {
			t.Fatalf("%+v, %v", j, err)
		}
		if err := long.Verify(j, alg); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if err := long.Verify(j); (err == nil) != (alg == HS256) {
			t.Errorf("%s without being allowed: %v", alg, err)
		}
		if err := short.Verify(j, HMACAlgs()...); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s verifies with another secret: %v", alg, err)
		}
		if _, err := short.Sign(alg, "JWT", []byte("{}")); (err == nil) != (alg == HS256) {
			t.Errorf("%s with 32 bytes: %v", alg, err)
		}
	}
	for _, alg := range []Alg{None, RS256, ""} {
		if _, err := long.Sign(alg, "JWT", []byte("{}")); err == nil {
			t.Errorf("signs with %q", alg)
		}
	}
}

func TestAnUnsecuredTokenSaysSoAndIsNeverVerified(t *testing.T) {
	compact, err := Unsecured("JWT", []byte(`{"sub":"alice"}`))
	if err != nil || compact != b64([]byte(`{"alg":"none","typ":"JWT"}`))+"."+b64([]byte(`{"sub":"alice"}`))+"." {
		t.Fatalf("%s, %v", compact, err)
	}
	if _, err := ParseSigned(compact); !errors.Is(err, ErrInvalid) {
		t.Errorf("it is taken apart: %v", err)
	}
	if _, err := NewSet([]Key{key(ES256)}).Verify(epoch, "JWT", compact); !errors.Is(err, ErrInvalid) {
		t.Errorf("it verifies: %v", err)
	}
}

// Whatever a stranger encrypts or breaks, what opens is what somebody put in, and there is no panic.
func FuzzDecryptFromOthers(f *testing.F) {
	k, err := Generate(ECDHES, rand.Reader, epoch)
	if err != nil {
		f.Fatal(err)
	}
	s := NewSet([]Key{k})
	good := encryptedTo(f, s, epoch, Encryption{ECDHES, "A128GCM"}, nil)
	f.Add(good)
	f.Add(strings.Replace(good, ".", "=.", 1))
	f.Add("....")
	for _, alg := range []string{"ECDH-ES", "RSA1_5", "PBES2-HS256+A128KW", "dir"} {
		f.Add(b64(fmt.Appendf(nil, `{"alg":%q,"enc":"A128GCM","epk":%s,"p2c":1000000}`, alg, key(ES256).pair.jwk)) + "..AAAAAAAAAAAAAAAA.AA.AAAAAAAAAAAAAAAAAAAAAA")
	}
	secret, _ := NewHMACKey(strings.Repeat("k", 32))
	f.Fuzz(func(t *testing.T, compact string) {
		got, err := s.Decrypt(epoch, compact)
		if err == nil && (compact != good || !bytes.Equal(got, inside)) || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("Decrypt(%q) = %q, %v", compact, got, err)
		}
		if got, err := secret.Decrypt(compact); !errors.Is(err, ErrInvalid) {
			t.Errorf("the secret opens %q: %q, %v", compact, got, err)
		}
	})
}
