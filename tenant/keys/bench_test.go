package keys

import (
	"bytes"
	"context"
	"crypto/rand"
	"testing"
	"time"
)

// benchPayload has the claims of a common access token.
var benchPayload = []byte(`{"iss":"https://id.example.com/t/acme","sub":"248289761001","aud":["https://api.example.com"],` +
	`"client_id":"s6BhdRkqt3","scope":"openid profile email","iat":1767225600,"exp":1767229200,` +
	`"jti":"01JH5X5Y6M5V0B7J8Q0Z3K9A1B","sid":"b3f1c2d4e5f60718"}`)

func benchSet(b *testing.B, algs ...Alg) (*Set, time.Time) {
	b.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var ks []Key
	for _, alg := range algs {
		k, err := Generate(alg, rand.Reader, now)
		if err != nil {
			b.Fatal(err)
		}
		ks = append(ks, k)
	}
	return NewSet(ks), now
}

func BenchmarkSign(b *testing.B) {
	for _, alg := range []Alg{RS256, ES256, EdDSA} {
		b.Run(string(alg), func(b *testing.B) {
			s, now := benchSet(b, alg)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign(context.Background(), now, alg, "at+jwt", benchPayload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSignatureAlone is what BenchmarkSign cannot go below: the signature without the token around it.
func BenchmarkSignatureAlone(b *testing.B) {
	for _, alg := range []Alg{RS256, ES256, EdDSA} {
		b.Run(string(alg), func(b *testing.B) {
			s, _ := benchSet(b, alg)
			p := s.usable[0].pair
			input := bytes.Repeat([]byte("a"), 500)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.scheme.sign(p.private(), input); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []Alg{RS256, ES256, EdDSA} {
		b.Run(string(alg), func(b *testing.B) {
			s, now := benchSet(b, alg)
			token, err := s.Sign(context.Background(), now, alg, "at+jwt", benchPayload)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Verify(now, "at+jwt", token, alg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNames(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := names(benchPayload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMAC(b *testing.B) {
	s, err := NewSecret(bytes.Repeat([]byte{7}, secretSize))
	if err != nil {
		b.Fatal(err)
	}
	token := bytes.Repeat([]byte("t"), 43)
	b.ReportAllocs()
	for b.Loop() {
		s.MAC("refresh", token)
	}
}

func BenchmarkJWKS(b *testing.B) {
	s, now := benchSet(b, RS256, ES256)
	b.ReportAllocs()
	for b.Loop() {
		s.JWKS(now)
	}
}

// BenchmarkParseKey is the cost of a tenant that is not in memory.
func BenchmarkParseKey(b *testing.B) {
	for _, alg := range []Alg{RS256, ES256} {
		b.Run(string(alg), func(b *testing.B) {
			s, _ := benchSet(b, alg)
			k := s.Keys()[0]
			der, err := k.PrivateDER()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseKey(Key{ID: k.ID, Alg: k.Alg}, der); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
