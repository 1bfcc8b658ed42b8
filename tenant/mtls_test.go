package tenant_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
)

func inPEM(t *testing.T, authority bool) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: authority, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func TestAuthoritiesAreChecked(t *testing.T) {
	ca := inPEM(t, true)
	for rule, c := range map[string]struct {
		authorities []string
		wrong       []string // pointers
	}{
		"none":                   {nil, nil},
		"one":                    {[]string{ca}, nil},
		"two in one":             {[]string{ca + inPEM(t, true)}, nil},
		"not an authority":       {[]string{inPEM(t, false)}, []string{"/mtls/authorities/0"}},
		"no PEM":                 {[]string{ca, "x"}, []string{"/mtls/authorities", "/mtls/authorities/1"}},
		"an empty one":           {[]string{""}, []string{"/mtls/authorities/0"}},
		"more than can be meant": {[]string{strings.Repeat(ca, 30), strings.Repeat(ca, 30)}, []string{"/mtls/authorities"}},
	} {
		s := &tenant.Settings{MTLS: tenant.MTLSSettings{Enabled: true, Authorities: c.authorities}}
		var wrong []string
		for _, f := range s.Check() {
			wrong = append(wrong, f.Pointer)
		}
		if diff := cmp.Diff(c.wrong, wrong); diff != "" {
			t.Errorf("%s: %s", rule, diff)
		}
	}
}
