package grant

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestHandlesHaveOneForm(t *testing.T) {
	secret, err := keys.NewSecret(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	acme, i := &tenant.Tenant{Secret: secret}, &Issuer{Rand: rand.Reader}
	id := i.NewID()
	code, refresh := i.MintCode(id), RefreshToken(acme, id, 7)
	for _, c := range []struct {
		rule   string
		change func(string) string
		want   bool
	}{
		{"as it was made", func(s string) string { return s }, true},
		{"with a line end after it", func(s string) string { return s + "\n" }, false},
		{"with one inside", func(s string) string { return s[:5] + "\r\n" + s[5:] }, false},
		{"padded", func(s string) string { return s + "=" }, false},
		{"cut", func(s string) string { return s[:len(s)-4] }, false},
		{"longer", func(s string) string { return s + "AAAA" }, false},
		{"in the other alphabet", func(s string) string { return "+/" + s[2:] }, false},
		{"empty", func(string) string { return "" }, false},
		{"endless", func(s string) string { return strings.Repeat(s, 1000) }, false},
	} {
		if got, ok := ParseCode(c.change(code)); ok != c.want || ok && got != id {
			t.Errorf("a code %s: got %q, %v", c.rule, got, ok)
		}
		if got, n, ok := ParseRefreshToken(acme, c.change(refresh)); ok != c.want || ok && (got != id || n != 7) {
			t.Errorf("a refresh token %s: got %q, %d, %v", c.rule, got, n, ok)
		}
	}
}
