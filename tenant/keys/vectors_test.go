package keys

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// vectors are examples of the standards: what they signed and encrypted, with their keys.
type vectors struct {
	Text   string // the payload of many of them, encoded
	Signed []struct {
		Name, Compact        string
		Protected, Signature string // around Text, in place of Compact
		Alg                  Alg
		Key                  json.RawMessage
	}
	Encrypted []struct {
		Name, Begins, Compact string
		Key                   json.RawMessage
	}
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil || len(v.Signed) == 0 || len(v.Encrypted) == 0 {
		t.Fatal(err)
	}
	return v
}

// octets is the secret in a JWK.
func octets(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	var k struct{ K string }
	if err := json.Unmarshal(raw, &k); err != nil {
		t.Fatal(err)
	}
	b, err := base64url.DecodeString(k.K)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSignaturesOfTheStandards(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Signed {
		compact := c.Compact
		if compact == "" {
			compact = c.Protected + "." + v.Text + "." + c.Signature
		}
		// Many of their payloads are no JSON objects, which ParseSigned wants.
		verify := func(compact string) error {
			j := &Signed{compact: compact}
			if err := j.header(strings.Split(compact, ".")[0]); err != nil {
				return err
			}
			if c.Alg.HMAC() {
				k, err := NewHMACKey(string(octets(t, c.Key)))
				if err != nil {
					return err
				}
				return k.Verify(j, c.Alg)
			}
			s, err := ParseJWKS([]byte(`{"keys":[` + string(c.Key) + `]}`))
			if err != nil {
				return err
			}
			return s.Verify(j, c.Alg)
		}
		if err := verify(compact); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		parts := strings.Split(compact, ".")
		if verify(parts[0]+"."+b64([]byte("another text"))+"."+parts[2]) == nil {
			t.Errorf("%s: it verifies another text", c.Name)
		}
	}
}

func TestEncryptionsOfTheStandards(t *testing.T) {
	for _, c := range readVectors(t).Encrypted {
		e, err := parseEncrypted(c.Compact)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		var key any
		if e.Alg.Shared() {
			key = octets(t, c.Key)
		} else {
			k, err := jwk.ParseKey(c.Key)
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Raw(&key); err != nil {
				t.Fatal(err)
			}
			if err := e.agrees(key.(*ecdsa.PrivateKey)); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
		}
		if plain, err := e.open(key); err != nil || !bytes.HasPrefix(plain, []byte(c.Begins)) {
			t.Errorf("%s: %q, %v", c.Name, plain, err)
		}
	}
	for name, header := range map[string]string{
		"RFC 7516 A.1 and RFC 7520 §5.2, RSA-OAEP with SHA-1": `{"alg":"RSA-OAEP","enc":"A256GCM"}`, "RFC 7516 A.2 and RFC 7520 §5.1": `{"alg":"RSA1_5","enc":"A128CBC-HS256"}`,
		"RFC 7520 §5.3": `{"alg":"PBES2-HS512+A256KW","p2s":"8Q1SzinasR3xchYz6ZZcHA","p2c":8192,"cty":"jwk-set+json","enc":"A128CBC-HS256"}`,
		"RFC 7520 §5.9": `{"alg":"A128KW","kid":"81b20965-8332-43d9-a468-82160ad91ac8","enc":"A128GCM","zip":"DEF"}`,
	} {
		if _, err := openingSet(t).Decrypt(epoch, b64([]byte(header))+".AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA"); err == nil {
			t.Errorf("%s opens", name)
		}
	}
}

// The key that RFC 7518 appendix C derives for Alice and Bob, with the names of both, opens what it encrypts.
func TestTheKeyAgreementOfTheStandard(t *testing.T) {
	const (
		header = `{"alg":"ECDH-ES","enc":"A128GCM","apu":"QWxpY2U","apv":"Qm9i","epk":{"kty":"EC","crv":"P-256",` +
			`"x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0","y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}}`
		bob = `{"kty":"EC","crv":"P-256","x":"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ",` +
			`"y":"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"}`
		derived = "VqqN6vgjbSBcIijNcacQGg"
	)
	content, err := base64url.DecodeString(derived)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(content)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	iv := make([]byte, gcmNonce)
	sealed := aead.Seal(nil, iv, inside, []byte(b64([]byte(header))))
	cut := len(sealed) - gcmTag
	compact := b64([]byte(header)) + ".." + b64(iv) + "." + b64(sealed[:cut]) + "." + b64(sealed[cut:])
	parsed, err := jwk.ParseKey([]byte(bob))
	if err != nil {
		t.Fatal(err)
	}
	var private ecdsa.PrivateKey
	if err := parsed.Raw(&private); err != nil {
		t.Fatal(err)
	}
	k, err := newKey(ECDHES, &private, epoch)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := NewSet([]Key{k}).Decrypt(epoch, compact); err != nil || !bytes.Equal(got, inside) {
		t.Errorf("%q, %v", got, err)
	}
}

// RFC 7519 §6.1 and RFC 7515 appendix A.5: a JWT without signature is nobody's.
func TestTheUnsecuredExampleIsRefused(t *testing.T) {
	const unsecured = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
	if _, err := ParseSigned(unsecured); err == nil {
		t.Error("it is taken apart")
	}
	if _, err := NewSet([]Key{key(ES256)}).Verify(epoch, "JWT", unsecured); err == nil {
		t.Error("it verifies")
	}
}

// RFC 7517 appendix A.1 has a key for each of two purposes; A.2 and A.3 have private and symmetric ones, which spoil a set.
func TestTheKeySetsOfTheStandard(t *testing.T) {
	const (
		ec  = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"`
		rsa = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W` +
			`-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM` +
			`4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`
	)
	s, err := ParseJWKS([]byte(`{"keys":[` + ec + `},` + rsa + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	if !s.EncryptsTo(ECDHES) || s.EncryptsTo(RSAOAEP256) || len(s.candidates("", RS256)) != 1 || len(s.candidates("", ES256)) != 0 {
		t.Errorf("keys %+v", s.keys)
	}
	for name, bad := range map[string]string{
		"A.2": ec + `,"d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"}`, "A.3": `{"kty":"oct","alg":"A128KW","k":"GawgguFyGrWKav7AX4VKUg"}`,
	} {
		if _, err := ParseJWKS([]byte(`{"keys":[` + bad + `]}`)); err == nil {
			t.Errorf("RFC 7517 %s makes a set", name)
		}
	}
}
