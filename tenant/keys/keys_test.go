package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // of RS256 and its kin
	_ "crypto/sha512" // of RS512 and its kin
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What the tests of this package share: keys, times, and a second opinion on tokens that uses none of the package.

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return epoch.Add(time.Duration(minutes) * time.Minute) }

var allAlgs = SigningAlgs()

var oneOf = func() map[Alg]func() Key {
	m := map[Alg]func() Key{}
	for _, alg := range allAlgs {
		m[alg] = sync.OnceValue(func() Key {
			k, err := Generate(alg, rand.Reader, epoch)
			if err != nil {
				panic(err)
			}
			return k
		})
	}
	return m
}()

// key returns a key of alg that is active from epoch on, the same in all tests.
func key(alg Alg) Key { return oneOf[alg]() }

func generate(t testing.TB, alg Alg, now time.Time) Key {
	t.Helper()
	k, err := Generate(alg, rand.Reader, now)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// schedule returns k with other times, in minutes after epoch; less than zero is "not set".
func schedule(k Key, created, active, retired, gone int) Key {
	set := func(minutes int) time.Time {
		if minutes < 0 {
			return time.Time{}
		}
		return at(minutes)
	}
	k.CreatedAt, k.ActiveAt, k.RetiredAt, k.GoneAt = set(created), set(active), set(retired), set(gone)
	return k
}

func mustSign(t testing.TB, s *Set, now time.Time, alg Alg, typ string, payload string) string {
	t.Helper()
	token, err := s.Sign(context.Background(), now, alg, typ, []byte(payload))
	if err != nil {
		t.Fatalf("Sign: %v", err)
	}
	return token
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// forge signs any header and payload with the private key of k: what a check refuses in it is not the signature.
func forge(t testing.TB, k Key, header, payload string) string {
	t.Helper()
	input := b64([]byte(header)) + "." + b64([]byte(payload))
	return input + "." + b64(signature(t, k, input))
}

func signature(t testing.TB, k Key, input string) []byte {
	t.Helper()
	sig, err := k.pair.scheme.sign(k.pair.private(), []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// standardHeader is the header that Sign makes for typ JWT.
func standardHeader(k Key) string {
	return fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, k.Alg, k.ID)
}

// relyingParty verifies a token as a stranger would, from the JWK set document alone and with the standard library.
func relyingParty(jwks []byte, token string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return errors.New("segments")
	}
	raw := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			panic(err)
		}
		return b
	}
	var h struct{ Alg, Kid string }
	if err := json.Unmarshal(raw(parts[0]), &h); err != nil {
		return err
	}
	var set struct {
		Keys []struct{ Kty, Kid, Alg, Use, Crv, N, E, X, Y string }
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		return err
	}
	input, sig := []byte(parts[0]+"."+parts[1]), raw(parts[2])
	number := func(s string) *big.Int { return new(big.Int).SetBytes(raw(s)) }
	for _, k := range set.Keys {
		if k.Kid != h.Kid {
			continue
		}
		if k.Alg != h.Alg || k.Use != "sig" {
			return fmt.Errorf("alg %s or use %s of the JWK", k.Alg, k.Use)
		}
		hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[k.Alg[2:]]
		var sum []byte
		if hash != 0 {
			d := hash.New()
			d.Write(input)
			sum = d.Sum(nil)
		}
		good := false
		switch k.Alg[:2] + " " + k.Kty + " " + k.Crv {
		case "RS RSA ":
			pub := rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())}
			good = rsa.VerifyPKCS1v15(&pub, hash, sum, sig) == nil
		case "PS RSA ":
			pub := rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())}
			good = rsa.VerifyPSS(&pub, hash, sum, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		case "ES EC P-256", "ES EC P-384", "ES EC P-521":
			curve := map[string]elliptic.Curve{"ES256 P-256": elliptic.P256(), "ES384 P-384": elliptic.P384(), "ES512 P-521": elliptic.P521()}[k.Alg+" "+k.Crv]
			if curve == nil {
				return errors.New("another curve than the algorithm's")
			}
			half := (curve.Params().BitSize + 7) / 8
			pub, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, raw(k.X), raw(k.Y)))
			good = err == nil && len(sig) == 2*half && ecdsa.Verify(pub, sum, new(big.Int).SetBytes(sig[:half]), new(big.Int).SetBytes(sig[half:]))
		case "Ed OKP Ed25519":
			good = ed25519.Verify(ed25519.PublicKey(raw(k.X)), input, sig)
		}
		if !good {
			return errors.New("signature")
		}
		return nil
	}
	return errors.New("kid is not in the JWK set")
}
