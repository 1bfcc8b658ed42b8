package clientauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// house issues certificates, and is trusted.
type house struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newHouse(t testing.TB) house {
	t.Helper()
	return houseOf(t, newSigner(t))
}

func houseOf(t testing.TB, s signer) house {
	t.Helper()
	h := house{key: s.key}
	h.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "house"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	h.cert = parsed(t, h.cert, h.cert, &h.key.PublicKey, h.key)
	return h
}

func parsed(t testing.TB, c, by *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, by, public, key)
	if err != nil {
		t.Fatal(err)
	}
	out, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (h house) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.cert.Raw}))
}

// issue makes a certificate of app.example for a key.
func (h house) issue(t testing.TB, s signer, change func(*x509.Certificate)) *keys.Certificate {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "app", Organization: []string{"Shop"}}, DNSNames: []string{"app.example"},
		NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour)}
	if change != nil {
		change(c)
	}
	cert, err := keys.ParseCertificate(parsed(t, c, h.cert, &s.key.PublicKey, h.key).Raw)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// S69: exactly the registered subject, from an authority of the tenant's, at the right time.
func TestTLSClientAuth(t *testing.T) {
	ours, theirs, mine := newHouse(t), newHouse(t), newSigner(t)
	good := ours.issue(t, mine, nil)
	dn := tenant.CertificateMetadata{TLSSubjectDN: "CN=app,O=Shop"}
	on := tenant.MTLSSettings{Enabled: true, Authorities: []string{ours.pem()}}
	for _, c := range []struct {
		rule     string
		m        tenant.CertificateMetadata
		settings tenant.MTLSSettings
		cred     Credentials
		want     error // among the causes; nil: authenticated
	}{
		{"the subject", dn, on, Credentials{FormID: "app", Certificate: good}, nil},
		{"a host", tenant.CertificateMetadata{TLSSanDNS: "app.example"}, on, Credentials{FormID: "app", Certificate: good}, nil},
		{"another subject", tenant.CertificateMetadata{TLSSubjectDN: "CN=other,O=Shop"}, on, Credentials{FormID: "app", Certificate: good}, errSubject},
		{"another host", tenant.CertificateMetadata{TLSSanDNS: "app2.example"}, on, Credentials{FormID: "app", Certificate: good}, errSubject},
		{"nothing that says which", tenant.CertificateMetadata{}, on, Credentials{FormID: "app", Certificate: good}, errSubject},
		{"no certificate", dn, on, Credentials{FormID: "app"}, errNoCertificate},
		{"another authority", dn, on, Credentials{FormID: "app", Certificate: theirs.issue(t, mine, nil)}, keys.ErrCertificate},
		{"expired", dn, on, Credentials{FormID: "app", Certificate: ours.issue(t, mine, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Second) })}, keys.ErrCertificate},
		{"for servers", dn, on, Credentials{FormID: "app", Certificate: ours.issue(t, mine, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		})}, keys.ErrCertificate},
		{"no authorities", dn, tenant.MTLSSettings{Enabled: true}, Credentials{FormID: "app", Certificate: good}, errOff},
		{"turned off", dn, tenant.MTLSSettings{Authorities: on.Authorities}, Credentials{FormID: "app", Certificate: good}, errOff},
	} {
		x, r := acme()
		x.Settings = &tenant.Settings{MTLS: c.settings}
		r.clients["app"] = &tenant.Client{ID: "app", Metadata: tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthTLS, CertificateMetadata: c.m}}
		s := &Service{Now: func() time.Time { return noon }}
		got, err := s.Authenticate(t.Context(), x, c.cred)
		if c.want == nil && (err != nil || got.ID != "app") || c.want != nil && (!errors.Is(err, ErrFailed) || !errors.Is(err, c.want) || got != nil) {
			t.Errorf("%s: %v, %v", c.rule, got, err)
		}
	}
}

// A certificate is no way in for a client that is registered for another method, and others are none for one with it.
func TestCertificatesDoNotMixWithOtherMethods(t *testing.T) {
	ours, mine := newHouse(t), newSigner(t)
	x, r := acme()
	x.Settings = &tenant.Settings{MTLS: tenant.MTLSSettings{Enabled: true, Authorities: []string{ours.pem()}}}
	m := tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthTLS, CertificateMetadata: tenant.CertificateMetadata{TLSSubjectDN: "CN=app,O=Shop"}}
	r.clients["app"] = &tenant.Client{ID: "app", Secrets: secrets("s3cret"), Metadata: m}
	r.clients["gone"] = &tenant.Client{ID: "gone", Disabled: true, Metadata: m}
	cert := ours.issue(t, mine, nil)
	with := func(c Credentials) Credentials { c.Certificate = cert; return c }
	s := &Service{Now: func() time.Time { return noon }}
	for rule, c := range map[string]struct {
		cred Credentials
		want string
	}{
		"by its certificate":                         {with(byName("app")), "app"},
		"a secret beside the certificate":            {with(byForm("app", "s3cret")), ""},
		"Basic beside the certificate":               {with(byBasic("app", "s3cret")), ""},
		"another's id":                               {with(byName("basic")), ""},
		"a disabled client":                          {with(byName("gone")), ""},
		"an unknown client":                          {with(byName("nobody")), ""},
		"no id":                                      {with(Credentials{}), ""},
		"a public client that shows one":             {with(byName("public")), "public"},
		"a client with a secret that shows one":      {with(byBasic("basic", "s3cret")), "basic"},
		"a client with a wrong secret that shows it": {with(byBasic("basic", "wrong")), ""},
	} {
		got, err := s.Authenticate(t.Context(), x, c.cred)
		if c.want == "" && (got != nil || oauth.ErrorOf(err).Code != "invalid_client") || c.want != "" && (err != nil || got.ID != c.want) {
			t.Errorf("%s: %v, %v", rule, got, err)
		}
	}
}

func TestSelfSignedTLSClientAuth(t *testing.T) {
	mine, other, self := newSigner(t), newSigner(t), newHouse(t)
	own := houseOf(t, mine)
	for rule, c := range map[string]struct {
		jwks, uri string // registered
		again     string // behind the URI, when read again
		cert      *keys.Certificate
		want      error
	}{
		"one of its keys":            {mine.jwks(), "", "", own.issue(t, mine, nil), nil},
		"whoever issued it":          {mine.jwks(), "", "", self.issue(t, mine, nil), nil},
		"another key":                {mine.jwks(), "", "", own.issue(t, other, nil), errNotTheirs},
		"no certificate":             {mine.jwks(), "", "", nil, errNoCertificate},
		"expired":                    {mine.jwks(), "", "", own.issue(t, mine, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Second) }), keys.ErrCertificate},
		"no keys":                    {"", "", "", own.issue(t, mine, nil), tenant.ErrNoKeys},
		"keys behind a URI":          {mine.jwks(), "https://app.example/jwks", "", own.issue(t, mine, nil), nil},
		"a new key behind a URI":     {other.jwks(), "https://app.example/jwks", mine.jwks(), own.issue(t, mine, nil), nil},
		"a key that went from a URI": {other.jwks(), "https://app.example/jwks", other.jwks(), own.issue(t, mine, nil), errNotTheirs},
	} {
		x, r := acme()
		x.Settings = &tenant.Settings{MTLS: tenant.MTLSSettings{Enabled: true}}
		m := tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthSelfSignedTLS, JWKSURI: c.uri}
		if c.uri == "" && c.jwks != "" {
			m.JWKS = json.RawMessage(c.jwks)
		}
		r.clients["app"] = &tenant.Client{ID: "app", Metadata: m}
		reads := 0
		fetch := func(context.Context, string, string, int64) ([]byte, string, error) {
			if reads++; reads == 1 || c.again == "" {
				return []byte(c.jwks), "application/json", nil
			}
			return []byte(c.again), "application/json", nil
		}
		clock := func() time.Time { return noon }
		s := &Service{Now: clock, Keys: tenant.NewClientKeys(clock, fetch)}
		got, err := s.Authenticate(t.Context(), x, Credentials{FormID: "app", Certificate: c.cert})
		if c.want == nil && (err != nil || got.ID != "app") || c.want != nil && (!errors.Is(err, ErrFailed) || !errors.Is(err, c.want) || got != nil) {
			t.Errorf("%s: %v, %v", rule, got, err)
		}
		if x.Settings.MTLS.Enabled = false; c.want == nil {
			if _, err := s.Authenticate(t.Context(), x, Credentials{FormID: "app", Certificate: c.cert}); !errors.Is(err, errOff) {
				t.Errorf("%s, turned off: %v", rule, err)
			}
		}
	}
}

func TestMethodsThatAreOffered(t *testing.T) {
	for rule, c := range map[string]struct {
		settings tenant.MTLSSettings
		tls, own bool
	}{
		"off":                 {tenant.MTLSSettings{Authorities: []string{"x"}}, false, false},
		"without authorities": {tenant.MTLSSettings{Enabled: true}, false, true},
		"with authorities":    {tenant.MTLSSettings{Enabled: true, Authorities: []string{"x"}}, true, true},
	} {
		got := Methods(&tenant.Tenant{Settings: &tenant.Settings{MTLS: c.settings}})
		if slices.Contains(got, oauth.AuthTLS) != c.tls || slices.Contains(got, oauth.AuthSelfSignedTLS) != c.own || !slices.Contains(got, oauth.AuthBasic) {
			t.Errorf("%s: %v", rule, got)
		}
	}
}
