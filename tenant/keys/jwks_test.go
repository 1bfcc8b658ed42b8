package keys

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

func TestTheJWKSHasThePublicMembersOnly(t *testing.T) {
	const ofRSA, ofEC, ofOKP = "alg e kid kty n use", "alg crv kid kty use x y", "alg crv kid kty use x"
	want := map[Alg]string{
		RS256: ofRSA, RS384: ofRSA, RS512: ofRSA, PS256: ofRSA, PS384: ofRSA, PS512: ofRSA, ES256: ofEC, ES384: ofEC, ES512: ofEC, EdDSA: ofOKP,
	}
	var ks []Key
	for _, alg := range allAlgs {
		ks = append(ks, key(alg))
	}
	var doc map[string][]map[string]string
	if err := json.Unmarshal(NewSet(ks).JWKS(epoch), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc) != 1 || len(doc["keys"]) != len(allAlgs) {
		t.Fatalf("JWKS = %v", doc)
	}
	for _, k := range doc["keys"] {
		if got := strings.Join(slices.Sorted(maps.Keys(k)), " "); got != want[Alg(k["alg"])] {
			t.Errorf("%s: members %s, want %s", k["alg"], got, want[Alg(k["alg"])])
		}
		if k["use"] != "sig" || k["kid"] != key(Alg(k["alg"])).ID {
			t.Errorf("%s: use %q, kid %q", k["alg"], k["use"], k["kid"])
		}
	}
}

func TestTheJWKSDoesNotDependOnTheOrderOfTheKeys(t *testing.T) {
	a, b, c := generate(t, ES256, at(1)), generate(t, ES256, at(1)), generate(t, EdDSA, at(0))
	want := string(NewSet([]Key{a, b, c}).JWKS(at(5)))
	if !strings.HasPrefix(want, `{"keys":[{"alg":"EdDSA"`) {
		t.Errorf("the oldest key is not the first: %s", want)
	}
	for _, ks := range [][]Key{{a, c, b}, {b, a, c}, {b, c, a}, {c, a, b}, {c, b, a}} {
		if got := string(NewSet(ks).JWKS(at(5))); got != want {
			t.Errorf("JWKS = %s\nwant %s", got, want)
		}
	}
}

func TestTheJWKSIsMadeOncePerListOfPublishedKeys(t *testing.T) {
	s := NewSet([]Key{
		schedule(generate(t, ES256, epoch), 0, 0, 20, 30),
		schedule(generate(t, ES256, epoch), 10, 20, -1, -1),
	})
	same := func(a, b int) bool { return &s.JWKS(at(a))[0] == &s.JWKS(at(b))[0] }
	for _, c := range []struct {
		a, b int
		same bool
	}{{0, 9, true}, {9, 10, false}, {10, 29, true}, {29, 30, false}, {30, 3000, true}} {
		if got := same(c.a, c.b); got != c.same {
			t.Errorf("minutes %d and %d share a document: %t, want %t", c.a, c.b, got, c.same)
		}
	}
	for minute, want := range map[int]int{-1: 0, 0: 1, 9: 1, 10: 2, 29: 2, 30: 1} {
		if got := strings.Count(string(s.JWKS(at(minute))), `"kid"`); got != want {
			t.Errorf("minute %d: %d keys, want %d", minute, got, want)
		}
	}
	if got := string(NewSet(nil).JWKS(epoch)); got != `{"keys":[]}` {
		t.Errorf("JWKS of no keys = %s", got)
	}
}

func TestAlgsAreThoseThatSignNow(t *testing.T) {
	s := NewSet([]Key{
		schedule(key(EdDSA), 0, 10, -1, -1),
		schedule(key(ES256), 0, 0, 20, 30),
		schedule(key(RS256), 0, 0, -1, -1),
	})
	for minute, want := range map[int][]Alg{-1: nil, 0: {RS256, ES256}, 10: {RS256, ES256, EdDSA}, 20: {RS256, EdDSA}} {
		if got := s.Algs(at(minute)); !slices.Equal(got, want) {
			t.Errorf("minute %d: %v, want %v", minute, got, want)
		}
	}
}

func TestASetDoesNotChange(t *testing.T) {
	ks := []Key{key(ES256), key(EdDSA)}
	s := NewSet(ks)
	ks[0] = Key{}
	s.Keys()[1] = Key{}
	if !slices.Equal(s.Keys(), []Key{key(ES256), key(EdDSA)}) {
		t.Errorf("Keys = %v", s.Keys())
	}
}

// The kid is the thumbprint of RFC 7638 §3.1 and RFC 8037 appendix A.3.
func TestTheThumbprintsOfTheStandards(t *testing.T) {
	raw := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3o" +
		"knjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91" +
		"CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
	for _, c := range []struct {
		public any
		want   string
	}{
		{&rsa.PublicKey{N: new(big.Int).SetBytes(raw(n)), E: 65537}, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{ed25519.PublicKey(raw("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
	} {
		k, err := jwk.FromRaw(c.public)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := thumbprint(k); err != nil || got != c.want {
			t.Errorf("thumbprint = %s, %v; want %s", got, err, c.want)
		}
	}
}

func TestASetServesManyAtOnce(t *testing.T) {
	s := NewSet([]Key{
		schedule(generate(t, ES256, epoch), 0, 0, 20, 60),
		schedule(generate(t, ES256, epoch), 10, 20, -1, -1),
		schedule(generate(t, EdDSA, epoch), 0, 0, -1, -1),
	})
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 40 {
				now := at(i)
				alg := []Alg{ES256, EdDSA}[(worker+i)%2]
				typ := []string{"JWT", "at+jwt", "logout+jwt"}[i%3]
				token, err := s.Sign(context.Background(), now, alg, typ, []byte(`{"sub":"alice"}`))
				if err != nil {
					t.Errorf("Sign: %v", err)
					return
				}
				if _, err := s.Verify(now.Add(time.Minute), typ, token, alg); err != nil {
					t.Errorf("Verify: %v", err)
				}
				if err := relyingParty(s.JWKS(now), token); err != nil {
					t.Errorf("relying party: %v", err)
				}
				s.Algs(now)
			}
		})
	}
	all.Wait()
}
