package keys

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"
)

func TestStandings(t *testing.T) {
	made, err := Generate(ES256, rand.Reader, epoch)
	if err != nil {
		t.Fatal(err)
	}
	opening, err := Generate(ECDHES, rand.Reader, epoch)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule      string
		ks        []Key
		want      State
		published bool
	}{
		{"a key whose turn has not come waits", []Key{schedule(made, 0, 200, -1, -1)}, Waiting, true},
		{"the key whose turn it is signs", []Key{schedule(made, 0, 0, -1, -1)}, Signing, true},
		{"a key that was overtaken stands by", []Key{schedule(made, 0, 0, -1, -1), es("b", 0, 50, -1, -1)}, Standby, true},
		{"a key of another algorithm overtakes nothing", []Key{schedule(made, 0, 0, -1, -1), schedule(opening, 0, 50, -1, -1)}, Signing, true},
		{"a key that signs no longer is published until its tokens are over", []Key{schedule(made, 0, 0, 100, 101)}, Retired, true},
		{"to a retired key nobody shall encrypt", []Key{schedule(opening, 0, 0, 100, 101)}, Retired, false},
		{"at its end a key is gone", []Key{schedule(made, 0, 0, 50, 100)}, Gone, false},
		{"a key of the future is not published", []Key{schedule(made, 101, 101, -1, -1)}, Waiting, false},
		{"a key without a pair is not published", []Key{es("b", 0, 0, -1, -1)}, Signing, false},
	} {
		now := epoch.Add(100 * time.Minute)
		got := Standings(c.ks, now)
		if got[0] != (Standing{c.want, c.published}) {
			t.Errorf("%s: got %v", c.rule, got[0])
		}
		if in := strings.Contains(string(NewSet(c.ks[:1]).JWKS(now)), c.ks[0].ID); in != c.published {
			t.Errorf("%s: in the JWK set: %v", c.rule, in)
		}
	}
}
