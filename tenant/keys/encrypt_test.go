package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
)

const (
	encryption = "access token encryption"
	nested     = `{"alg":"dir","cty":"JWT","enc":"A256GCM","typ":"at+jwt"}`
)

// encryptedOnce is the token a.b.c, encrypted under the counting secret by the standard library when this test was
// written.
const encryptedOnce = "eyJhbGciOiJkaXIiLCJjdHkiOiJKV1QiLCJlbmMiOiJBMjU2R0NNIiwidHlwIjoiYXQrand0In0..AAECAwQFBgcICQoL.aWVgNfI." +
	"a5cR6L_txgwogLoxfio8ZQ"

// seal makes a JWE with the standard library alone: any header and payload, under the key of a secret for purpose.
func seal(t testing.TB, secret []byte, purpose, header, plain string, nonce []byte) string {
	t.Helper()
	key, err := hkdf.Key(sha256.New, secret, nil, purpose, 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithNonceSize(block, len(nonce))
	if err != nil {
		t.Fatal(err)
	}
	head := b64([]byte(header))
	sealed := aead.Seal(nil, nonce, []byte(plain), []byte(head))
	cut := len(sealed) - gcmTag
	return head + ".." + b64(nonce) + "." + b64(sealed[:cut]) + "." + b64(sealed[cut:])
}

func TestAnEncryptedTokenFromEarlierStillOpens(t *testing.T) {
	if got := seal(t, counting(), encryption, nested, "a.b.c", counting()[:gcmNonce]); got != encryptedOnce {
		t.Errorf("the standard library makes %s", got)
	}
	got, err := mustSecret(t, counting()).Decrypt(encryption, "at+jwt", encryptedOnce)
	if err != nil || got != "a.b.c" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestOnlyTheSameSecretPurposeAndTypeOpen(t *testing.T) {
	s := mustSecret(t, counting())
	token := mustSign(t, NewSet([]Key{key(ES256)}), epoch, ES256, "at+jwt", `{"sub":"alice"}`)
	seen := map[string]bool{}
	for range 3 {
		got, err := s.Encrypt(encryption, "at+jwt", token)
		if err != nil {
			t.Fatal(err)
		}
		if seen[got] || strings.Contains(got, strings.Split(token, ".")[1]) || !strings.HasPrefix(got, b64([]byte(nested))+"..") {
			t.Errorf("got %s", got)
		}
		seen[got] = true
		if opened, err := s.Decrypt(encryption, "at+jwt", got); err != nil || opened != token {
			t.Errorf("opened: %q, %v", opened, err)
		}
		for _, c := range []struct {
			rule         string
			s            Secret
			purpose, typ string
		}{
			{"another secret", mustSecret(t, make([]byte, secretSize)), encryption, "at+jwt"},
			{"no secret", Secret{}, encryption, "at+jwt"},
			{"another purpose", s, "refresh token", "at+jwt"},
			{"another type", s, encryption, "JWT"},
			{"no type", s, encryption, ""},
		} {
			if opened, err := c.s.Decrypt(c.purpose, c.typ, got); !errors.Is(err, ErrInvalid) || opened != "" {
				t.Errorf("%s: got %q, %v", c.rule, opened, err)
			}
		}
	}
}

func TestDecryptRefuses(t *testing.T) {
	secret := counting()
	s := mustSecret(t, secret)
	nonce := make([]byte, gcmNonce)
	p := strings.Split(encryptedOnce, ".")
	with := func(i int, v string) string {
		q := strings.Split(encryptedOnce, ".")
		q[i] = v
		return strings.Join(q, ".")
	}
	header := func(h string) string { return seal(t, secret, encryption, h, "a.b.c", nonce) }
	for _, c := range []struct{ rule, token string }{
		{"nothing", ""},
		{"a signed token", "a.b.c"},
		{"a segment less", strings.Join(p[:4], ".")},
		{"a segment more", encryptedOnce + "."},
		{"JSON", `{"protected":"` + p[0] + `","iv":"` + p[2] + `","ciphertext":"` + p[3] + `","tag":"` + p[4] + `"}`},
		{"an encrypted key", with(1, "AAAA")},
		{"a cut nonce", with(2, p[2][:12])},
		{"no nonce", with(2, "")},
		{"another nonce", with(2, b64(nonce))},
		{"a nonce of 16 bytes", seal(t, secret, encryption, nested, "a.b.c", make([]byte, 16))},
		{"no tag", with(4, "")},
		{"a cut tag", with(4, p[4][:16])},
		{"another tag", with(4, b64(make([]byte, gcmTag)))},
		{"no ciphertext", with(3, "")},
		{"another ciphertext", with(3, b64([]byte("a.b.d")))},
		{"padding", with(3, p[3]+"=")},
		{"a line break", with(3, p[3]+"\n")},
		{"trailing bits", with(3, p[3][:len(p[3])-1]+string(p[3][len(p[3])-1]+1))},
		{"space before", " " + encryptedOnce},
		{"space behind", encryptedOnce + " "},
		{"too large", seal(t, secret, encryption, nested, strings.Repeat("a", maxCompact), nonce)},
		{"another algorithm", header(strings.Replace(nested, "dir", "A256KW", 1))},
		{"no algorithm", header(strings.Replace(nested, `"alg":"dir",`, "", 1))},
		{"another encryption", header(strings.Replace(nested, "A256GCM", "A128GCM", 1))},
		{"another content", header(strings.Replace(nested, `"JWT"`, `"json"`, 1))},
		{"another type", header(strings.Replace(nested, "at+jwt", "jwt", 1))},
		{"the type in another case", header(strings.Replace(nested, "at+jwt", "AT+JWT", 1))},
		{"compression", header(strings.Replace(nested, "}", `,"zip":"DEF"}`, 1))},
		{"a critical member", header(strings.Replace(nested, "{", `{"crit":["exp"],"exp":1,`, 1))},
		{"a key id", header(strings.Replace(nested, "}", `,"kid":"x"}`, 1))},
		{"a member twice", header(strings.Replace(nested, "}", `,"alg":"dir"}`, 1))},
		{"members in another order", header(`{"typ":"at+jwt","enc":"A256GCM","cty":"JWT","alg":"dir"}`)},
		{"a header that is no JSON", header("{")},
	} {
		if got, err := s.Decrypt(encryption, "at+jwt", c.token); !errors.Is(err, ErrInvalid) || got != "" {
			t.Errorf("%s: got %q, %v", c.rule, got, err)
		}
	}
	for i := range len(encryptedOnce) {
		b := []byte(encryptedOnce)
		b[i] ^= 1
		if got, err := s.Decrypt(encryption, "at+jwt", string(b)); !errors.Is(err, ErrInvalid) || got != "" {
			t.Errorf("character %d altered: got %q, %v", i, got, err)
		}
	}
}

func TestEncryptRefuses(t *testing.T) {
	s := mustSecret(t, counting())
	for _, c := range []struct {
		rule  string
		s     Secret
		typ   string
		token string
		want  error
	}{
		{"no secret", Secret{}, "at+jwt", "a", errKeyless},
		{"nothing", s, "at+jwt", "", errEmpty},
		{"no type", s, "", "a", errTyp},
		{"a type that is none", s, "a b", "a", errTyp},
		{"too large a token", s, "at+jwt", strings.Repeat("a", maxCompact), ErrTooLarge},
	} {
		if got, err := c.s.Encrypt(encryption, c.typ, c.token); !errors.Is(err, c.want) || got != "" {
			t.Errorf("%s: got %q, %v", c.rule, got, err)
		}
	}
	largest := ""
	for n := maxCompact / 2; n < maxCompact; n++ {
		got, err := s.Encrypt(encryption, "at+jwt", strings.Repeat("a", n))
		if err != nil {
			break
		}
		largest = got
		n += 400
	}
	if len(largest) < maxCompact-1024 || len(largest) > maxCompact {
		t.Errorf("the largest has %d bytes", len(largest))
	}
}

// Nobody makes what opens without the secret, and what opens has one spelling.
func FuzzDecrypt(f *testing.F) {
	s := mustSecret(f, counting())
	f.Add(encryptedOnce)
	f.Add(encryptedOnce + "=")
	f.Add("....")
	f.Add(b64([]byte(nested)) + "..." + ".")
	f.Add(strings.ToLower(encryptedOnce))
	f.Fuzz(func(t *testing.T, compact string) {
		got, err := s.Decrypt(encryption, "at+jwt", compact)
		switch {
		case err == nil && compact != encryptedOnce:
			t.Errorf("Decrypt(%q) = %q", compact, got)
		case err != nil && (!errors.Is(err, ErrInvalid) || got != ""):
			t.Errorf("Decrypt(%q) = %q, %v", compact, got, err)
		}
	})
}

// Whoever could have any header encrypted would still get through only what Encrypt makes; what it makes comes back.
func FuzzDecryptSealed(f *testing.F) {
	secret := counting()
	s := mustSecret(f, secret)
	f.Add(nested, "a.b.c", []byte("0123456789ab"))
	f.Add(strings.Replace(nested, "}", `,"zip":"DEF"}`, 1), "a", []byte("0123456789ab"))
	f.Add("", "", []byte{1})
	f.Fuzz(func(t *testing.T, header, plain string, nonce []byte) {
		if len(nonce) == 0 || len(nonce) > 64 {
			return
		}
		got, err := s.Decrypt(encryption, "at+jwt", seal(t, secret, encryption, header, plain, nonce))
		switch ours := header == nested && len(nonce) == gcmNonce; {
		case err == nil && (!ours || got != plain):
			t.Errorf("%q with %q and %q: got %q", header, plain, nonce, got)
		case err != nil && ours && plain != "" && len(plain) < 1024:
			t.Errorf("%q is not opened: %v", plain, err)
		}
		if made, err := s.Encrypt(encryption, "at+jwt", plain); err == nil {
			if back, err := s.Decrypt(encryption, "at+jwt", made); err != nil || back != plain {
				t.Errorf("%q comes back as %q, %v", plain, back, err)
			}
		}
	})
}
