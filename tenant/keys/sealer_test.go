package keys

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func mustSealer(t *testing.T, kek []byte) Sealer {
	t.Helper()
	s, err := NewSealer(kek)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealedDataOpensInItsPlaceOnly(t *testing.T) {
	kek := bytes.Repeat([]byte{7}, kekSize)
	s, other := mustSealer(t, kek), mustSealer(t, bytes.Repeat([]byte{8}, kekSize))
	plain, aad := []byte("a private key"), []byte("acme/kid/1")
	sealed, err := s.Seal(plain, aad)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := mustSealer(t, kek).Open(sealed, aad); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("Open = %q, %v", got, err)
	}
	if bytes.Contains(sealed, plain) || len(sealed) != len(plain)+29 || sealed[0] != sealVersion {
		t.Errorf("sealed: %x", sealed)
	}
	for _, c := range []struct {
		rule   string
		s      Sealer
		sealed []byte
		aad    []byte
	}{
		{"another place", s, sealed, []byte("globex/kid/1")},
		{"another version", s, sealed, []byte("acme/kid/2")},
		{"no place", s, sealed, nil},
		{"another key", other, sealed, aad},
		{"nothing", s, nil, aad},
		{"the version alone", s, sealed[:1], aad},
		{"the version unknown", s, append([]byte{2}, sealed[1:]...), aad},
		{"the version missing", s, sealed[1:], aad},
		{"something behind it", s, append(bytes.Clone(sealed), 0), aad},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if got, err := c.s.Open(c.sealed, c.aad); !errors.Is(err, ErrSealed) || got != nil {
				t.Errorf("Open = %q, %v", got, err)
			}
		})
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if got, err := s.Open(altered, aad); !errors.Is(err, ErrSealed) || got != nil {
			t.Errorf("byte %d altered: Open = %q, %v", i, got, err)
		}
		if got, err := s.Open(sealed[:i], aad); !errors.Is(err, ErrSealed) || got != nil {
			t.Errorf("cut to %d bytes: Open = %q, %v", i, got, err)
		}
	}
}

func TestSealingTwiceGivesTwoCiphertexts(t *testing.T) {
	s := mustSealer(t, make([]byte, kekSize))
	a, err1 := s.Seal(nil, nil)
	b, err2 := s.Seal(nil, nil)
	if err1 != nil || err2 != nil || bytes.Equal(a, b) {
		t.Errorf("sealed as %x and %x; %v, %v", a, b, err1, err2)
	}
	if got, err := s.Open(a, nil); err != nil || len(got) != 0 {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestAKeyEncryptionKeyHas32Bytes(t *testing.T) {
	for _, n := range []int{0, 16, 24, 31, 33, 64} {
		if _, err := NewSealer(make([]byte, n)); err == nil {
			t.Errorf("a key-encryption key of %d bytes is taken", n)
		}
	}
}

func TestASealerPrintsNoKey(t *testing.T) {
	kek := []byte("0123456789abcdef0123456789ABCDEF")
	s := mustSealer(t, kek)
	got := printed(t, s, &s, struct{ s Sealer }{s}, struct{ s any }{s})
	for _, spelling := range append(spellings(kek), spellings(kek[:16])...) {
		if strings.Contains(got, spelling) {
			t.Fatalf("the key-encryption key is printed as %q", spelling)
		}
	}
	if got := fmt.Sprintf("%v %#v", s, s); got != "[sealer] [sealer]" {
		t.Errorf("prints %s", got)
	}
}
