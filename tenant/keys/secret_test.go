package keys

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
)

func counting() []byte {
	b := make([]byte, secretSize)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func mustSecret(t testing.TB, b []byte) Secret {
	t.Helper()
	s, err := NewSecret(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Stored hashes depend on these values, which were computed by another implementation of HKDF and HMAC.
func TestAMACStaysWhatItIs(t *testing.T) {
	s := mustSecret(t, counting())
	for _, c := range []struct {
		parts [][]byte
		want  string
	}{
		{[][]byte{[]byte("alice"), []byte("bob")}, "b712d81b546f08647e2fa2bec84809d19a5d1c868ab9277ea9ac1cd538929277"},
		{nil, "05a82aa0ef23903e74d06e924fa6251797a2aa549d240468ffae64ce76a9be48"},
	} {
		for range 2 { // derived, then remembered
			if got := hex.EncodeToString(s.MAC("refresh", c.parts...)); got != c.want {
				t.Errorf("MAC of %q = %s, want %s", c.parts, got, c.want)
			}
		}
	}
}

func TestAMACBindsSecretPurposeAndParts(t *testing.T) {
	s := mustSecret(t, counting())
	p := func(parts ...string) (out [][]byte) {
		for _, part := range parts {
			out = append(out, []byte(part))
		}
		return out
	}
	mac := s.MAC("refresh", p("ab", "c")...)
	if len(mac) != sha256.Size || !s.CheckMAC(mac, "refresh", p("ab", "c")...) {
		t.Fatalf("MAC %x does not check", mac)
	}
	for _, c := range []struct {
		rule    string
		s       Secret
		mac     []byte
		purpose string
		parts   [][]byte
	}{
		{"another secret", mustSecret(t, make([]byte, secretSize)), mac, "refresh", p("ab", "c")},
		{"another purpose", s, mac, "session", p("ab", "c")},
		{"no purpose", s, mac, "", p("ab", "c")},
		{"parts cut elsewhere", s, mac, "refresh", p("a", "bc")},
		{"parts run together", s, mac, "refresh", p("abc")},
		{"parts in another order", s, mac, "refresh", p("c", "ab")},
		{"an empty part more", s, mac, "refresh", p("ab", "c", "")},
		{"a part less", s, mac, "refresh", p("ab")},
		{"no part", s, mac, "refresh", nil},
		{"a part that imitates a length", s, s.MAC("refresh", p("ab\x00\x00\x00\x00\x00\x00\x00\x01c")...), "refresh", p("ab", "c")},
		{"half a MAC", s, mac[:16], "refresh", p("ab", "c")},
		{"no MAC", s, nil, "refresh", p("ab", "c")},
		{"the zero Secret", Secret{}, mac, "refresh", p("ab", "c")},
		{"the zero Secret and no MAC", Secret{}, nil, "refresh", p("ab", "c")},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if c.s.CheckMAC(c.mac, c.purpose, c.parts...) {
				t.Error("the MAC checks")
			}
		})
	}
	for i := range mac {
		altered := bytes.Clone(mac)
		altered[i] ^= 0x80
		if s.CheckMAC(altered, "refresh", p("ab", "c")...) {
			t.Errorf("the MAC checks with byte %d altered", i)
		}
	}
}

func TestASecretHas32BytesOfItsOwn(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33, 64} {
		if _, err := NewSecret(make([]byte, n)); err == nil {
			t.Errorf("a secret of %d bytes is taken", n)
		}
	}
	b := counting()
	s := mustSecret(t, b)
	b[0], s.Bytes()[1] = 0xff, 0xff
	if !bytes.Equal(s.Bytes(), counting()) {
		t.Errorf("the secret has changed to %x", s.Bytes())
	}
	if got := (Secret{}).Bytes(); got != nil {
		t.Errorf("the zero Secret has bytes %x", got)
	}
}

func TestTheZeroSecretMakesNoMAC(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the zero Secret has made a MAC")
		}
	}()
	Secret{}.MAC("refresh")
}

func TestManyPurposesAreNotAllRemembered(t *testing.T) {
	s := mustSecret(t, counting())
	seen := map[string]bool{}
	for round := range 2 {
		for i := range 4 * memoLimit {
			mac := string(s.MAC(fmt.Sprint("purpose ", i)))
			if round == 0 && seen[mac] || round == 1 && !seen[mac] {
				t.Fatalf("purpose %d, round %d: the MAC is not its own", i, round)
			}
			seen[mac] = true
		}
	}
	if got := len(*s.s.derived.m.Load()); got != memoLimit {
		t.Errorf("%d keys are remembered, want %d", got, memoLimit)
	}
}

func TestASecretServesManyAtOnce(t *testing.T) {
	s := mustSecret(t, counting())
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 50 {
				purpose := fmt.Sprint((worker + i) % 6)
				if !s.CheckMAC(s.MAC(purpose, []byte("a")), purpose, []byte("a")) {
					t.Error("a MAC does not check")
				}
			}
		})
	}
	all.Wait()
}

func TestASecretPrintsAsSecret(t *testing.T) {
	raw := []byte("0123456789abcdef0123456789ABCDEF")
	s := mustSecret(t, raw)
	derived := s.s.key("refresh")
	got := printed(t, s, &s, struct{ s Secret }{s}, struct{ s *Secret }{&s}, struct{ s []Secret }{[]Secret{s}}, map[string]Secret{"s": s})
	for _, spelling := range append(spellings(raw), spellings(derived)...) {
		if strings.Contains(got, spelling) {
			t.Fatalf("the secret is printed as %q", spelling)
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != hidden {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if b, err := json.Marshal(map[string]any{"s": s}); err != nil || string(b) != `{"s":"[secret]"}` {
		t.Errorf("JSON: %s, %v", b, err)
	}
}
