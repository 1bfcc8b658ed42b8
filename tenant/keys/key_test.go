package keys

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestAlgorithmNamesAreExact(t *testing.T) {
	for _, alg := range allAlgs {
		if got, err := ParseAlg(string(alg)); err != nil || got != alg {
			t.Errorf("ParseAlg(%s) = %s, %v", alg, got, err)
		}
	}
	for _, name := range []string{"", "none", "None", "HS256", "rs256", "RS256 ", "RS385", "ES256K", "ES521", "ECDH-ES", "RSA-OAEP-256", "dir", "RSA1_5", "<script>"} {
		got, err := ParseAlg(name)
		if err == nil || got != "" {
			t.Errorf("ParseAlg(%q) = %q, %v", name, got, err)
		}
		if err != nil && name != "" && strings.Contains(err.Error(), name) {
			t.Errorf("the error quotes %q", name)
		}
	}
}

func TestAGeneratedKeySignsFromNow(t *testing.T) {
	k := generate(t, ES256, at(3))
	if !k.CreatedAt.Equal(at(3)) || !k.ActiveAt.Equal(at(3)) || !k.RetiredAt.IsZero() || !k.GoneAt.IsZero() {
		t.Errorf("times of %+v: %v %v %v %v", k, k.CreatedAt, k.ActiveAt, k.RetiredAt, k.GoneAt)
	}
	if _, err := Generate("HS256", rand.Reader, epoch); err == nil {
		t.Error("an HS256 key was generated")
	}
	if _, err := Generate(EdDSA, iotest.ErrReader(io.ErrUnexpectedEOF), epoch); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("Generate without randomness: %v", err)
	}
	if got := key(RS256).pair.public.(*rsa.PublicKey).N.BitLen(); got != 2048 {
		t.Errorf("RSA key of %d bits", got)
	}
}

func TestAStoredKeyComesBackWhole(t *testing.T) {
	for _, alg := range allAlgs {
		k := schedule(key(alg), 1, 2, 3, 4)
		der, err := k.PrivateDER()
		if err != nil {
			t.Fatal(err)
		}
		meta := k
		meta.pair = nil
		got, err := ParseKey(meta, der)
		if err != nil {
			t.Fatalf("%s: ParseKey: %v", alg, err)
		}
		pair := got.pair
		got.pair = k.pair
		if got != k {
			t.Errorf("%s: %v came back as %v", alg, k, got)
		}
		got.pair = pair
		// What the one signs, the other verifies.
		token := mustSign(t, NewSet([]Key{got}), at(2), alg, "JWT", `{}`)
		if _, err := NewSet([]Key{k}).Verify(at(2), "JWT", token); err != nil {
			t.Errorf("%s: Verify: %v", alg, err)
		}
		meta.ID = ""
		if got, err := ParseKey(meta, der); err != nil || got.ID != k.ID {
			t.Errorf("%s: ParseKey without a kid = %v, %v", alg, got, err)
		}
	}
	if _, err := (Key{ID: "a", Alg: ES256}).PrivateDER(); err == nil {
		t.Error("a key without a pair has a private key")
	}
}

func TestParseKeyRefuses(t *testing.T) {
	pkcs8 := func(private any, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	stored := func(alg Alg) []byte { return pkcs8(key(alg).pair.private(), nil) }
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	short, err1 := rsa.GenerateKey(rand.Reader, 1024)
	public, err2 := x509.MarshalPKIXPublicKey(key(ES256).pair.public)
	pkcs1 := x509.MarshalPKCS1PrivateKey(key(RS256).pair.private().(*rsa.PrivateKey))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule string
		meta Key
		der  []byte
	}{
		{"an EC key for RS256", Key{Alg: RS256}, stored(ES256)},
		{"an RSA key for ES256", Key{Alg: ES256}, stored(RS256)},
		{"an Ed25519 key for ES256", Key{Alg: ES256}, stored(EdDSA)},
		{"an EC key for EdDSA", Key{Alg: EdDSA}, stored(ES256)},
		{"P-384 for ES256", Key{Alg: ES256}, stored(ES384)},
		{"P-256 for ES384", Key{Alg: ES384}, stored(ES256)},
		{"P-521", Key{Alg: ES256}, pkcs8(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))},
		{"P-224", Key{Alg: ES256}, pkcs8(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))},
		{"X25519", Key{Alg: EdDSA}, pkcs8(x25519, nil)},
		{"RSA of 1024 bits", Key{Alg: RS256}, pkcs8(short, err1)},
		{"HS256", Key{Alg: "HS256"}, stored(ES256)},
		{"none", Key{Alg: "none"}, stored(ES256)},
		{"no algorithm", Key{}, stored(ES256)},
		{"the kid of another key", Key{Alg: ES256, ID: key(RS256).ID}, stored(ES256)},
		{"a public key", Key{Alg: ES256}, public},
		{"PKCS#1", Key{Alg: RS256}, pkcs1},
		{"half a key", Key{Alg: ES256}, stored(ES256)[:60]},
		{"nothing", Key{Alg: ES256}, nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if k, err := ParseKey(c.meta, c.der); err == nil || k.pair != nil {
				t.Errorf("ParseKey = %v, %v", k, err)
			}
		})
	}
	big := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), rsaMaxBits), E: 65537}}
	if (rsaScheme{}).fits(big) == nil {
		t.Error("an RSA key above the limit fits")
	}
}

// spellings are the ways in which secret bytes might show up in text.
func spellings(secret []byte) []string {
	decimal := strings.Trim(fmt.Sprint(secret), "[]")
	return []string{
		string(secret),
		hex.EncodeToString(secret), strings.ToUpper(hex.EncodeToString(secret)), fmt.Sprintf("% x", secret),
		decimal, strings.ReplaceAll(decimal, " ", ","), strings.ReplaceAll(fmt.Sprintf("%#v", secret), "[]byte", ""),
		fmt.Sprintf("% d", secret), fmt.Sprintf("%o", secret), fmt.Sprintf("%b", secret), fmt.Sprintf("%q", secret),
		base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
		new(big.Int).SetBytes(secret).String(), fmt.Sprintf("%x", new(big.Int).SetBytes(secret)),
	}
}

// printed is everything that fmt, log/slog and encoding/json make of v, on its own and inside of other values.
func printed(t *testing.T, v, pointer any, hidden ...any) string {
	t.Helper()
	var out bytes.Buffer
	forms := append([]any{v, pointer, []any{v}, map[string]any{"v": v}, struct{ V any }{v}}, hidden...)
	for _, form := range forms {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%b", "%t", "%g", "%c", "%U"} {
			fmt.Fprintf(&out, verb+"\n", form)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", form)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", form)
		if b, err := json.Marshal(form); err == nil {
			out.Write(b)
		}
	}
	return out.String()
}

func TestAKeyPrintsNoSecret(t *testing.T) {
	for _, alg := range allAlgs {
		k := key(alg)
		var secrets [][]byte
		switch private := k.pair.private().(type) {
		case *rsa.PrivateKey:
			secrets = append(secrets, private.D.Bytes(), private.Primes[0].Bytes(), private.Primes[1].Bytes(), private.Precomputed.Dp.Bytes())
		case *ecdsa.PrivateKey:
			d, err := private.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			secrets = append(secrets, d)
		case ed25519.PrivateKey:
			secrets = append(secrets, private.Seed())
		}
		der, err := k.PrivateDER()
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, der)
		s := NewSet([]Key{k})
		s.JWKS(epoch)
		got := printed(t, k, &k, s, struct{ k Key }{k}, struct{ k *Key }{&k}, struct{ ks []Key }{[]Key{k}}, map[string]Key{"k": k})
		for _, secret := range secrets {
			for _, spelling := range spellings(secret) {
				if strings.Contains(got, spelling) {
					t.Fatalf("%s: the private key is printed as %q", alg, spelling)
				}
			}
		}
		if want := string(alg) + " key " + k.ID; fmt.Sprint(k) != want || fmt.Sprintf("%#v", k) != want {
			t.Errorf("%%v prints %q, %%#v prints %#v; want %s", k, k, want)
		}
		if !strings.Contains(got, `"v":{"kid":"`+k.ID+`","alg":"`+string(alg)+`"}`) {
			t.Errorf("slog does not name the key")
		}
	}
}

func TestTheJSONOfAKeyIsItsSchedule(t *testing.T) {
	b, err := json.Marshal(schedule(key(ES256), 0, 1, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got) != 6 || got["ID"] != key(ES256).ID || got["RetiredAt"] != at(2).Format(time.RFC3339) {
		t.Errorf("JSON of a key: %s", b)
	}
}
