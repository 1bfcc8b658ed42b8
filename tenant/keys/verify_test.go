package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// refused asserts that err is the uniform error and names the cause.
func refused(t *testing.T, payload []byte, err, cause error) {
	t.Helper()
	if payload != nil || !errors.Is(err, ErrInvalid) || !errors.Is(err, cause) {
		t.Errorf("Verify = %q, %v; want ErrInvalid because %v", payload, err, cause)
	}
}

func TestVerifyRefusesAHeaderThatSignDoesNotMake(t *testing.T) {
	k := key(ES256)
	s := NewSet([]Key{k, key(RS256)})
	stranger := generate(t, ES256, epoch)
	with := func(more string) string { return strings.TrimSuffix(standardHeader(k), "}") + "," + more + "}" }
	of := func(alg, kid, typ string) string {
		return fmt.Sprintf(`{"alg":%s,"kid":%s,"typ":%s}`, alg, kid, typ)
	}
	const es, jwt = `"ES256"`, `"JWT"`
	kid := `"` + k.ID + `"`

	if _, err := s.Verify(epoch, "JWT", forge(t, k, standardHeader(k), `{}`)); err != nil {
		t.Fatalf("the header that Sign makes is refused: %v", err)
	}
	// All of these are signed with the real key.
	for _, c := range []struct {
		rule   string
		header string
		cause  error
	}{
		{"alg none", of(`"none"`, kid, jwt), errAlg},
		{"alg None", of(`"None"`, kid, jwt), errAlg},
		{"alg NONE", of(`"NONE"`, kid, jwt), errAlg},
		{"alg nOnE", of(`"nOnE"`, kid, jwt), errAlg},
		{"alg in lower case", of(`"es256"`, kid, jwt), errAlg},
		{"alg empty", of(`""`, kid, jwt), errAlg},
		{"alg null", of(`null`, kid, jwt), errAlg},
		{"alg a number", of(`256`, kid, jwt), errMember},
		{"alg an array", of(`["ES256"]`, kid, jwt), errMember},
		{"alg of another key of the set", of(`"RS256"`, kid, jwt), errAlg},
		{"alg of the key's curve with another hash", of(`"ES384"`, kid, jwt), errAlg},
		{"alg missing", `{"kid":` + kid + `,"typ":"JWT"}`, errMember},
		{"kid of another key of the set", of(`"ES256"`, `"`+key(RS256).ID+`"`, jwt), errAlg},
		{"kid of another set", of(es, `"`+stranger.ID+`"`, jwt), errKid},
		{"kid missing", `{"alg":"ES256","typ":"JWT"}`, errMember},
		{"kid empty", of(es, `""`, jwt), errKid},
		{"kid null", of(es, `null`, jwt), errKid},
		{"kid a number", of(es, `1`, jwt), errMember},
		{"kid a path", of(es, `"../../`+k.ID+`"`, jwt), errKid},
		{"kid with SQL", of(es, `"' OR 1=1 --"`, jwt), errKid},
		{"kid a URL", of(es, `"https://evil.example/key"`, jwt), errKid},
		{"kid in another case", of(es, strings.ToLower(kid), jwt), errKid},
		{"kid that goes on behind a zero byte", of(es, `"`+k.ID+`\u0000"`, jwt), errKid},
		{"kid very long", of(es, `"`+strings.Repeat("k", maxHeader)+`"`, jwt), errSize},
		{"typ missing", `{"alg":"ES256","kid":` + kid + `}`, errMember},
		{"typ empty", of(es, kid, `""`), errWrongTyp},
		{"typ null", of(es, kid, `null`), errWrongTyp},
		{"typ of another kind of token", of(es, kid, `"at+jwt"`), errWrongTyp},
		{"typ with a parameter", of(es, kid, `"JWT;x=y"`), errWrongTyp},
		{"typ below another type", of(es, kid, `"text/JWT"`), errWrongTyp},
		{"typ below application twice", of(es, kid, `"application/application/JWT"`), errWrongTyp},
		{"crit, empty", with(`"crit":[]`), errMember},
		{"crit", with(`"crit":["exp"],"exp":1`), errMember},
		{"crit with b64", with(`"crit":["b64"],"b64":false`), errMember},
		{"b64 false", with(`"b64":false`), errMember},
		{"b64 true", with(`"b64":true`), errMember},
		{"jwk", with(`"jwk":` + string(stranger.pair.jwk)), errMember},
		{"jku", with(`"jku":"https://evil.example/jwks.json"`), errMember},
		{"x5u", with(`"x5u":"https://evil.example/cert.pem"`), errMember},
		{"x5c", with(`"x5c":["MIIB"]`), errMember},
		{"x5t", with(`"x5t":"AAAA"`), errMember},
		{"zip", with(`"zip":"DEF"`), errMember},
		{"enc", with(`"enc":"A128GCM"`), errMember},
		{"p2c", with(`"p2c":1000000000`), errMember},
		{"cty of a nested token", with(`"cty":"JWT"`), errMember},
		{"any other member", with(`"foo":1`), errMember},
		{"Alg besides alg", with(`"Alg":"none"`), errMember},
		{"ALG instead of alg", `{"ALG":"ES256","kid":` + kid + `,"typ":"JWT"}`, errMember},
		{"alg twice", with(`"alg":"ES256"`), errDuplicate},
		{"alg twice, once escaped", with(`"\u0061lg":"none"`), errDuplicate},
		{"kid twice", with(`"kid":` + kid), errDuplicate},
		{"typ twice instead of alg", `{"typ":"JWT","kid":` + kid + `,"typ":"JWT"}`, errDuplicate},
		{"no object", `["ES256"]`, errNotObject},
		{"no JSON", `alg=ES256`, errNotObject},
		{"nothing", ``, errNotObject},
		{"an object and more", standardHeader(k) + `{}`, errNotObject},
		{"a trailing comma", strings.TrimSuffix(standardHeader(k), "}") + ",}", errNotObject},
		{"bytes that are not UTF-8", with("\"\xff\":1"), errNotObject},
		{"a byte order mark", "\xef\xbb\xbf" + standardHeader(k), errNotObject},
		{"more than 1 KiB of whitespace", standardHeader(k) + strings.Repeat(" ", maxHeader), errSize},
	} {
		t.Run(c.rule, func(t *testing.T) {
			payload, err := s.Verify(epoch, "JWT", forge(t, k, c.header, `{"sub":"alice"}`))
			refused(t, payload, err, c.cause)
			if err != nil && (strings.Contains(err.Error(), "evil") || strings.Contains(err.Error(), k.ID)) {
				t.Errorf("the error quotes the token: %v", err)
			}
		})
	}
}

func TestVerifyRefusesAPayloadThatIsNotOneObject(t *testing.T) {
	k := key(ES256)
	s := NewSet([]Key{k})
	for _, c := range []struct {
		rule, payload string
		cause         error
	}{
		{"an array", `[]`, errNotObject},
		{"a string", `"{}"`, errNotObject},
		{"null", `null`, errNotObject},
		{"nothing", ``, errNotObject},
		{"no JSON", `sub=alice`, errNotObject},
		{"a token inside", "eyJhbGciOiJub25lIn0.e30.", errNotObject},
		{"an object and more", `{}{}`, errNotObject},
		{"an object cut short", `{"sub":"alice"`, errNotObject},
		{"a number too lax", `{"exp":01}`, errNotObject},
		{"bytes that are not UTF-8", "{\"sub\":\"\xff\"}", errNotObject},
		{"a member twice", `{"sub":"alice","sub":"admin"}`, errDuplicate},
		{"a member twice, once escaped", `{"sub":"alice","s\u0075b":"admin"}`, errDuplicate},
		{"a member twice, not side by side", `{"sub":"alice","a":{"b":[1,2,"}"]},"sub" : "admin"}`, errDuplicate},
	} {
		t.Run(c.rule, func(t *testing.T) {
			payload, err := s.Verify(epoch, "JWT", forge(t, k, standardHeader(k), c.payload))
			refused(t, payload, err, c.cause)
		})
	}
	for _, c := range []struct{ rule, payload string }{
		{"an empty object", `{}`},
		{"the same name in different objects", `{"a":{"x":1},"b":{"x":1},"x":1}`},
		{"names that differ in case", `{"name":1,"Name":2}`},
	} {
		t.Run("but not "+c.rule, func(t *testing.T) {
			got, err := s.Verify(epoch, "JWT", forge(t, k, standardHeader(k), c.payload))
			if err != nil || string(got) != c.payload {
				t.Errorf("Verify = %s, %v", got, err)
			}
		})
	}
}

func TestVerifyRefusesAnotherForm(t *testing.T) {
	k := key(ES256)
	s := NewSet([]Key{k})
	token := mustSign(t, s, epoch, ES256, "JWT", `{"sub":"alice"}`)
	part := strings.Split(token, ".")
	for _, c := range []struct {
		rule, token string
		cause       error
	}{
		{"nothing", "", errSegments},
		{"one segment", part[0], errSegments},
		{"two segments", part[0] + "." + part[1], errSegments},
		{"four segments", token + ".", errSegments},
		{"five segments, as a JWE has", token + "." + part[1] + "." + part[2], errSegments},
		{"a mebibyte of dots", strings.Repeat(".", 1<<20), errSize},
		{"more than 16 KiB", part[0] + "." + strings.Repeat("A", maxCompact) + "." + part[2], errSize},
		{"no signature", part[0] + "." + part[1] + ".", errSpelling},
		{"no payload", part[0] + ".." + part[2], errSignature},
		{"no header", "." + part[1] + "." + part[2], errNotObject},
		{"half a signature", part[0] + "." + part[1] + "." + part[2][:40], errSpelling},
		{"a signature of zeros", part[0] + "." + part[1] + "." + b64(make([]byte, 64)), errSignature},
		{"a signature that goes on", token + "AAAA", errSpelling},
		{"the JSON serialisation", `{"protected":"` + part[0] + `","payload":"` + part[1] + `","signature":"` + part[2] + `"}`, errSegments},
		{"the JSON serialisation, with dots", `{"protected":".","payload":".","signature":""}`, errBase64},
		{"a padded header", part[0] + "=." + part[1] + "." + part[2], errBase64},
		{"a padded payload", part[0] + "." + part[1] + "=." + part[2], errBase64},
		{"a padded signature", token + "==", errBase64},
		{"a space before it", " " + token, errBase64},
		{"a line break behind it", token + "\n", errBase64},
		{"a line break inside", part[0] + ".\r\n" + part[1] + "." + part[2], errBase64},
		{"the scheme before it", "Bearer " + token, errBase64},
		{"the alphabet of base64", part[0] + "." + b64([]byte{0xfb, 0xff, 0xfe})[:2] + "+/." + part[2], errBase64},
		{"the header of another typ", mustSign(t, s, epoch, ES256, "at+jwt", `{}`), errWrongTyp},
		{"another payload", part[0] + "." + b64([]byte(`{"sub":"admin"}`)) + "." + part[2], errSignature},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if c.token == token {
				t.Fatal("the token is not altered")
			}
			payload, err := s.Verify(epoch, "JWT", c.token)
			refused(t, payload, err, c.cause)
		})
	}
}

func TestVerifyRefusesAnHMACUnderThePublicKey(t *testing.T) {
	for _, alg := range []Alg{RS256, ES256, EdDSA} {
		k := key(alg)
		s := NewSet([]Key{k})
		der, err := x509.MarshalPKIXPublicKey(k.pair.public)
		if err != nil {
			t.Fatal(err)
		}
		for form, secret := range map[string][]byte{
			"DER":  der,
			"PEM":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
			"JWK":  k.pair.jwk,
			"JWKS": s.JWKS(epoch),
			"none": nil,
		} {
			for _, named := range []Alg{"HS256", alg} {
				t.Run(fmt.Sprintf("%s key as %s, alg %s", alg, form, named), func(t *testing.T) {
					h := fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, named, k.ID)
					input := b64([]byte(h)) + "." + b64([]byte(`{"sub":"admin"}`))
					m := hmac.New(sha256.New, secret)
					m.Write([]byte(input))
					cause := errAlg
					if named == alg {
						cause = errSpelling
					}
					payload, err := s.Verify(epoch, "JWT", input+"."+b64(m.Sum(nil)))
					refused(t, payload, err, cause)
				})
			}
		}
	}
}

func TestVerifyRefusesAnUnsignedToken(t *testing.T) {
	s := NewSet([]Key{key(RS256)})
	for _, alg := range []string{"none", "None", "NONE", "nOnE", "noNe "} {
		for _, sig := range []string{"", "AA", b64(make([]byte, 256))} {
			h := fmt.Sprintf(`{"alg":%q,"kid":%q,"typ":"JWT"}`, alg, key(RS256).ID)
			payload, err := s.Verify(epoch, "JWT", b64([]byte(h))+"."+b64([]byte(`{}`))+"."+sig)
			refused(t, payload, err, errAlg)
		}
	}
}

func TestVerifyTakesOnlyAllowedAlgorithms(t *testing.T) {
	s := NewSet([]Key{key(ES256), key(RS256)})
	token := mustSign(t, s, epoch, ES256, "JWT", `{}`)
	for _, c := range []struct {
		rule    string
		allowed []Alg
		cause   error
	}{
		{"none given allows each of the set", nil, nil},
		{"the one", []Alg{ES256}, nil},
		{"one of several", []Alg{RS256, ES256}, nil},
		{"another", []Alg{RS256}, errNotAllowed},
		{"an empty name", []Alg{""}, errNotAllowed},
	} {
		t.Run(c.rule, func(t *testing.T) {
			payload, err := s.Verify(epoch, "JWT", token, c.allowed...)
			if c.cause != nil {
				refused(t, payload, err, c.cause)
			} else if err != nil {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

func TestTypIsComparedAsAMediaType(t *testing.T) {
	s := NewSet([]Key{key(EdDSA)})
	for _, c := range []struct {
		signed, expected string
		equal            bool
	}{
		{"JWT", "JWT", true},
		{"JWT", "jwt", true},
		{"at+jwt", "AT+JWT", true},
		{"at+jwt", "application/at+jwt", true},
		{"application/at+jwt", "at+jwt", true},
		{"Application/AT+jwt", "at+JWT", true},
		{"at+jwt", "JWT", false},
		{"at+jwt", "text/at+jwt", false},
		{"at+jwt", "", false},
		{"at+jwt", "application/", false},
		{"application", "application/application", true},
		{"task+jwt", "ta\u017f\u212a+jwt", false}, // letters that fold to s and k
	} {
		t.Run(c.signed+" as "+c.expected, func(t *testing.T) {
			payload, err := s.Verify(epoch, c.expected, mustSign(t, s, epoch, EdDSA, c.signed, `{}`))
			if !c.equal {
				refused(t, payload, err, errWrongTyp)
			} else if err != nil {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

func TestOneSetRefusesTheTokensOfAnother(t *testing.T) {
	mine, other := NewSet([]Key{key(ES256)}), NewSet([]Key{generate(t, ES256, epoch)})
	token := mustSign(t, other, epoch, ES256, "JWT", `{}`)
	payload, err := mine.Verify(epoch, "JWT", token)
	refused(t, payload, err, errKid)

	// The other's signature under my kid.
	payload, err = mine.Verify(epoch, "JWT", forge(t, other.Keys()[0], standardHeader(key(ES256)), `{}`))
	refused(t, payload, err, errSignature)

	payload, err = NewSet(nil).Verify(epoch, "JWT", token)
	refused(t, payload, err, errKid)
}

func TestASecondSpellingOfAnECSignatureIsRefused(t *testing.T) {
	k := key(ES256)
	s := NewSet([]Key{k})
	token := mustSign(t, s, epoch, ES256, "JWT", `{}`)
	end := strings.LastIndex(token, ".")
	sig, err := decode(token[end+1:])
	if err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	lower := new(big.Int).SetBytes(sig[32:])
	higher := new(big.Int).Sub(n, lower)
	sum := sha256.Sum256([]byte(token[:end]))
	if !ecdsa.Verify(k.pair.public.(*ecdsa.PublicKey), sum[:], new(big.Int).SetBytes(sig[:32]), higher) {
		t.Fatal("the other S is not a valid signature, and the test proves nothing")
	}
	higher.FillBytes(sig[32:])
	payload, err := s.Verify(epoch, "JWT", token[:end+1]+b64(sig))
	refused(t, payload, err, errSpelling)
}

// Every token that differs from a signed one in a single bit, and in a single last character, is refused.
func TestEveryBitOfATokenCounts(t *testing.T) {
	s := NewSet([]Key{key(EdDSA)})
	token := mustSign(t, s, epoch, EdDSA, "JWT", `{"sub":"alice","aud":["b"]}`)
	try := func(altered string) {
		if altered == token {
			return
		}
		if payload, err := s.Verify(epoch, "JWT", altered); !errors.Is(err, ErrInvalid) || payload != nil {
			t.Errorf("Verify(%q) = %q, %v", altered, payload, err)
		}
	}
	for i := range len(token) {
		for bit := range 8 {
			b := []byte(token)
			b[i] ^= 1 << bit
			try(string(b))
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range len(token) {
		if i+1 < len(token) && token[i+1] != '.' {
			continue // only the last of a segment may have bits to spare
		}
		for _, c := range alphabet {
			try(token[:i] + string(c) + token[i+1:])
		}
	}
}

func TestTwoHundredMutationsOfATokenAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	mutations := []func(token string, i, j int) string{
		func(s string, i, _ int) string { return s[:i] + swapCase(s[i:i+1]) + s[i+1:] },
		func(s string, _, _ int) string { return strings.ToUpper(s) },
		func(s string, _, _ int) string { return strings.ToLower(s) },
		func(s string, i, _ int) string { return s[:i] + "=" + s[i:] },
		func(s string, i, _ int) string { return s[:i] + "." + s[i:] },
		func(s string, i, _ int) string { return s[:i] + "\n" + s[i:] },
		func(s string, i, _ int) string { return s[:i] + "A" + s[i:] },
		func(s string, i, _ int) string { return s[:i] + s[i+1:] },
		func(s string, i, _ int) string { return s[:i] },
		func(s string, i, _ int) string { return s[i+1:] },
		func(s string, i, j int) string { return s[:i] + s[j:j+1] + s[i+1:] },
		func(s string, i, j int) string { return s[:max(i, j)] + s[min(i, j):] },
		func(s string, i, _ int) string { return s[:i] + string(rune(s[i])^1) + s[i+1:] },
		func(s string, i, _ int) string { return s[:i] + "%2E" + s[i+1:] },
	}
	for _, alg := range allAlgs {
		s := NewSet([]Key{key(alg)})
		token := mustSign(t, s, epoch, alg, "JWT", `{"sub":"alice","aud":["b"]}`)
		for n := 0; n < 200; {
			i, j := r.IntN(len(token)), r.IntN(len(token))
			altered := mutations[r.IntN(len(mutations))](token, i, j)
			if altered == token {
				continue
			}
			n++
			if payload, err := s.Verify(epoch, "JWT", altered); !errors.Is(err, ErrInvalid) || payload != nil {
				t.Errorf("%s: Verify(%q) = %q, %v", alg, altered, payload, err)
			}
		}
	}
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s)
}

func TestTheScheduleOfAKey(t *testing.T) {
	k := generate(t, ES256, epoch)
	token := mustSign(t, NewSet([]Key{k}), epoch, ES256, "JWT", `{}`)
	normal := schedule(k, 10, 20, 30, 40)
	for _, c := range []struct {
		rule                       string
		key                        Key
		now                        time.Time
		published, signs, verifies bool
	}{
		// A token cannot come before its key; that it would verify helps an instance whose clock is behind.
		{"before it is created", normal, at(10).Add(-1), false, false, true},
		{"created", normal, at(10), true, false, true},
		{"not yet active", normal, at(20).Add(-1), true, false, true},
		{"active", normal, at(20), true, true, true},
		{"active to the last", normal, at(30).Add(-1), true, true, true},
		{"retired", normal, at(30), true, false, true},
		{"retired to the last", normal, at(40).Add(-1), true, false, true},
		{"gone", normal, at(40), false, false, false},
		{"gone for long", normal, at(40000), false, false, false},
		{"without an activation", schedule(k, 10, -1, -1, -1), at(50), true, false, true},
		{"without an end", schedule(k, 10, 20, -1, -1), at(40000), true, true, true},
		{"retired for good, never gone", schedule(k, 10, 20, 30, -1), at(40000), true, false, true},
		{"gone without being retired", schedule(k, 10, 20, -1, 40), at(40), false, false, false},
		{"retired before it is active", schedule(k, 10, 20, 15, 40), at(25), true, false, true},
		{"active before it is published", schedule(k, 30, 20, -1, -1), at(25), false, false, true},
		{"created at no given time", schedule(k, -1, 20, -1, -1), at(20), true, true, true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := NewSet([]Key{c.key})
			if got := strings.Contains(string(s.JWKS(c.now)), k.ID); got != c.published {
				t.Errorf("in the JWKS: %t, want %t", got, c.published)
			}
			_, err := s.Sign(context.Background(), c.now, ES256, "JWT", []byte(`{}`))
			if (err == nil) != c.signs || !c.signs && !errors.Is(err, ErrNoKey) {
				t.Errorf("signs: %v, want %t", err, c.signs)
			}
			if got := len(s.Algs(c.now)) == 1; got != c.signs {
				t.Errorf("Algs = %v", s.Algs(c.now))
			}
			payload, err := s.Verify(c.now, "JWT", token)
			if !c.verifies {
				refused(t, payload, err, errKid)
			} else if err != nil {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}
