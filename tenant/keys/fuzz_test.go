package keys

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// fixedKeys are the same in each process, so that what a fuzzer has found stays found.
func fixedKeys(t testing.TB) []Key {
	t.Helper()
	seed := sha256.Sum256([]byte("a key that guards nothing"))
	ec, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:])
	if err != nil {
		t.Fatal(err)
	}
	a, err1 := newKey(EdDSA, ed25519.NewKeyFromSeed(seed[:]), epoch)
	b, err2 := newKey(ES256, ec, epoch)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return []Key{a, b}
}

// signedOnce were signed with the fixed keys when this test was written; each payload is {"sub":"alice"}.
var signedOnce = []string{
	"eyJhbGciOiJFUzI1NiIsImtpZCI6IkVDUlpreGFOTjJkTVNqTmhrbUJMSE9BT19uZGhFd0hPUGxIRW1ZVFYyaWciLCJ0eXAiOiJKV1QifQ." +
		"eyJzdWIiOiJhbGljZSJ9.zajumnLwTk2gxUvccd7MU3PKM-c0dM_COPeEAK9Bso5yEzESyTTwF4GpQn0jUj3qkK0kaixBKnpnHaJUGmkx7w",
	"eyJhbGciOiJFZERTQSIsImtpZCI6InZzVnBfY3FGblR0Z1NlWHljMjF5MHRFNEVtNGw4VFN4UGZMMS14aVdHVW8iLCJ0eXAiOiJKV1QifQ." +
		"eyJzdWIiOiJhbGljZSJ9.zJAnuL-UA1vLB1BaqH4V3TMd3wDuLEIw7_OCcIU0ZZq37ZG9zeTDkT1fUXgT6m_wN5NhhBFZPKW7Va-XYnLvAQ",
}

func TestATokenFromEarlierStillVerifies(t *testing.T) {
	s := NewSet(fixedKeys(t))
	for _, token := range signedOnce {
		if payload, err := s.Verify(epoch, "JWT", token); err != nil || string(payload) != `{"sub":"alice"}` {
			t.Errorf("Verify(%q) = %q, %v", token, payload, err)
		}
	}
}

// Nobody makes a token that verifies without the private key: only the very tokens that were signed do.
func FuzzVerify(f *testing.F) {
	s := NewSet(fixedKeys(f))
	for _, token := range signedOnce {
		f.Add(token)
		f.Add(token + "=")
		f.Add(token[:strings.LastIndex(token, ".")+1])
		f.Add(strings.ToLower(token))
	}
	f.Add("..")
	f.Add(`{"payload":"e30","signatures":[]}`)
	f.Add(b64([]byte(`{"alg":"none"}`)) + ".e30.")
	f.Fuzz(func(t *testing.T, token string) {
		payload, err := s.Verify(epoch, "JWT", token)
		signed := slices.Contains(signedOnce, token)
		switch {
		case err == nil && !signed:
			t.Errorf("Verify(%q) = %s", token, payload)
		case err != nil && (signed || !errors.Is(err, ErrInvalid) || payload != nil):
			t.Errorf("Verify(%q) = %q, %v", token, payload, err)
		}
	})
}

// Whoever could have any header and payload signed would still get through only what Sign makes.
func FuzzVerifySigned(f *testing.F) {
	ks := fixedKeys(f)
	s := NewSet(ks)
	for _, k := range ks {
		f.Add(standardHeader(k), `{"sub":"alice"}`)
		f.Add(strings.Replace(standardHeader(k), "{", `{"crit":["b64"],"b64":false,`, 1), `{}`)
		f.Add(strings.Replace(standardHeader(k), "}", `,"alg":"none"}`, 1), `{"sub":"a","s\u0075b":"b"}`)
	}
	f.Fuzz(func(t *testing.T, head, payload string) {
		for _, k := range ks {
			got, err := s.Verify(epoch, "JWT", forge(t, k, head, payload))
			if err != nil {
				continue
			}
			var h map[string]string
			var claims map[string]any
			if json.Unmarshal([]byte(head), &h) != nil || len(h) != 3 || h["alg"] != string(k.Alg) || h["kid"] != k.ID ||
				!sameType(h["typ"], "JWT") {
				t.Errorf("header %q verifies", head)
			}
			if json.Unmarshal([]byte(payload), &claims) != nil || claims == nil || string(got) != payload {
				t.Errorf("payload %q verifies, as %q", payload, got)
			}
		}
	})
}
