package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The certificate of RFC 8705 Appendix A, with its thumbprint and its JWK.
const (
	published = `-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----
`
	publishedThumbprint = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
	publishedKey        = `"kty":"EC","x":"1yfLHCpXqFjxCeHHHMVDTcLscpb07KUxudBmOMn8C7Q","y":"8_coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8","crv":"P-256"`
)

// RFC 8705 Appendix A.
func TestPublishedCertificate(t *testing.T) {
	c, err := ParseCertificatePEM(published)
	must(t, err)
	if got := c.Thumbprint(); got != publishedThumbprint {
		t.Error("thumbprint:", got)
	}
	b, _ := pem.Decode([]byte(published))
	for rule, x5c := range map[string]string{"by its key": "", "by itself": `,"x5c":["` + base64.StdEncoding.EncodeToString(b.Bytes) + `"]`} {
		set, err := ParseJWKS([]byte(`{"keys":[{` + publishedKey + x5c + `}]}`))
		must(t, err)
		if !set.Holds(c) {
			t.Error("the set does not hold it", rule)
		}
	}
	if c.Current(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)) != nil {
		t.Error("it was valid then")
	}
	if c.Current(time.Date(2022, 5, 2, 12, 37, 10, 0, time.UTC)) == nil || c.Current(time.Date(2018, 10, 18, 12, 37, 8, 0, time.UTC)) == nil {
		t.Error("it is valid beyond its time")
	}
	name, err := c.Subject()
	must(t, err)
	if want, _ := ParseSubject("CN=mtls"); !want.Equal(name) {
		t.Error("subject:", name)
	}
}

// An issuer makes certificates.
type certIssuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var certNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newECKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return k
}

// issue makes a certificate of template for key; the nil issuer has it sign itself.
func (i *certIssuer) issue(t testing.TB, template *x509.Certificate, key crypto.Signer) []byte {
	t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = certNow.Add(-time.Hour), certNow.Add(time.Hour)
	}
	parent, signer := template, key
	if i != nil {
		parent, signer = i.cert, i.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	must(t, err)
	return der
}

// authority makes an authority, which is issued by i or by itself.
func (i *certIssuer) authority(t testing.TB, name string) (*certIssuer, []byte) {
	t.Helper()
	key := newECKey(t)
	der := i.issue(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, key)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return &certIssuer{c, key}, der
}

func inPEM(ders ...[]byte) string {
	var s strings.Builder
	for _, der := range ders {
		_ = pem.Encode(&s, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	return s.String()
}

func TestCertificatePaths(t *testing.T) {
	none := (*certIssuer)(nil)
	root, rootDER := none.authority(t, "root")
	middle, middleDER := root.authority(t, "middle")
	_, otherDER := none.authority(t, "root")
	leaf := func(change func(*x509.Certificate)) *x509.Certificate {
		c := &x509.Certificate{Subject: pkix.Name{CommonName: "app"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		if change != nil {
			change(c)
		}
		return c
	}
	key := newECKey(t)
	for rule, c := range map[string]struct {
		chain [][]byte
		roots []string
		fine  bool
	}{
		"issued by the authority":         {[][]byte{root.issue(t, leaf(nil), key)}, []string{inPEM(rootDER)}, true},
		"for any use":                     {[][]byte{root.issue(t, leaf(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), key)}, []string{inPEM(rootDER)}, true},
		"one of several authorities":      {[][]byte{root.issue(t, leaf(nil), key)}, []string{inPEM(otherDER, rootDER)}, true},
		"one of several texts":            {[][]byte{root.issue(t, leaf(nil), key)}, []string{inPEM(otherDER), inPEM(rootDER)}, true},
		"issued by one below it":          {[][]byte{middle.issue(t, leaf(nil), key), middleDER}, []string{inPEM(rootDER)}, true},
		"the one below is trusted itself": {[][]byte{middle.issue(t, leaf(nil), key)}, []string{inPEM(middleDER)}, true},
		"with a gap in the path":          {[][]byte{middle.issue(t, leaf(nil), key)}, []string{inPEM(rootDER)}, false},
		"issued by one of the same name":  {[][]byte{root.issue(t, leaf(nil), key)}, []string{inPEM(otherDER)}, false},
		"no authorities":                  {[][]byte{root.issue(t, leaf(nil), key)}, nil, false},
		"its own issuer":                  {[][]byte{none.issue(t, leaf(nil), key)}, []string{inPEM(rootDER)}, false},
		"a root that it brought itself":   {[][]byte{root.issue(t, leaf(nil), key), rootDER}, []string{inPEM(otherDER)}, false},
		"for servers": {[][]byte{root.issue(t, leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), key)},
			[]string{inPEM(rootDER)}, false},
		"expired": {[][]byte{root.issue(t, leaf(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = certNow.Add(-time.Hour), certNow.Add(-time.Second)
		}), key)}, []string{inPEM(rootDER)}, false},
		"not valid yet": {[][]byte{root.issue(t, leaf(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = certNow.Add(time.Second), certNow.Add(time.Hour)
		}), key)}, []string{inPEM(rootDER)}, false},
		"an issuer that is no authority": {func() [][]byte {
			der := root.issue(t, leaf(nil), key)
			c, err := x509.ParseCertificate(der)
			must(t, err)
			return [][]byte{(&certIssuer{c, key}).issue(t, leaf(nil), newECKey(t)), der}
		}(), []string{inPEM(rootDER)}, false},
	} {
		a, err := ParseAuthorities(c.roots)
		must(t, err)
		got, err := ParseCertificate(c.chain...)
		must(t, err)
		if err := got.IssuedBy(a, certNow); (err == nil) != c.fine || err != nil && !errors.Is(err, ErrCertificate) {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func TestWhatIsNoCertificate(t *testing.T) {
	none := (*certIssuer)(nil)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	der := none.issue(t, &x509.Certificate{}, newECKey(t))
	for rule, chain := range map[string][][]byte{
		"nothing":                {},
		"an empty one":           {{}},
		"something else":         {[]byte("certificate")},
		"one with more after it": {append(append([]byte{}, der...), 0)},
		"a cut one":              {der[:len(der)-1]},
		"a weak key":             {none.issue(t, &x509.Certificate{SignatureAlgorithm: x509.SHA256WithRSA}, weak)},
		"too many":               {der, der, der, der, der, der, der, der, der},
		"a large one":            {none.issue(t, &x509.Certificate{ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: make([]byte, MaxCertificate)}}}, newECKey(t))},
		"nonsense behind it":     {der, []byte("x")},
	} {
		if _, err := ParseCertificate(chain...); !errors.Is(err, ErrCertificate) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	_, ca := none.authority(t, "root")
	for rule, text := range map[string]string{
		"no PEM":            "certificate",
		"empty":             "",
		"a key":             strings.ReplaceAll(inPEM(ca), "CERTIFICATE", "PRIVATE KEY"),
		"no authority":      inPEM(der),
		"one besides":       inPEM(ca, der),
		"not a certificate": inPEM([]byte("x")),
	} {
		if _, err := ParseAuthorities([]string{text}); !errors.Is(err, ErrCertificate) {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func TestSubjectsAreComparedToTheLetter(t *testing.T) {
	none, key := (*certIssuer)(nil), newECKey(t)
	of := func(name pkix.Name) Subject {
		c, err := ParseCertificate(none.issue(t, &x509.Certificate{Subject: name}, key))
		must(t, err)
		s, err := c.Subject()
		must(t, err)
		return s
	}
	bank := of(pkix.Name{Country: []string{"DE"}, Organization: []string{"Bank, Inc."}, OrganizationalUnit: []string{"Pay"}, CommonName: "Äpp"})
	two := of(pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 97}, Value: "PSDDE-1"}}})
	for _, c := range []struct {
		rule, dn string
		has      Subject
		same     bool
	}{
		{"as RFC 4514 writes it", `CN=Äpp,OU=Pay,O=Bank\, Inc.,C=DE`, bank, true},
		{"in hexadecimal", `CN=\C3\84pp,OU=Pay,O=Bank\2C Inc.,C=DE`, bank, true},
		{"names of attributes in any case", `cn=Äpp,ou=Pay,o=Bank\, Inc.,c=DE`, bank, true},
		{"by object identifiers", `2.5.4.3=Äpp,2.5.4.11=Pay,2.5.4.10=Bank\, Inc.,2.5.4.6=DE`, bank, true},
		{"a value in DER", `CN=#0c05c3847070` + `,OU=Pay,O=Bank\, Inc.,C=DE`, bank, false}, // a byte too many is promised
		{"a value in right DER", `CN=#0c04c3847070,OU=Pay,O=Bank\, Inc.,C=DE`, bank, true},
		{"with spaces after the commas", `CN=Äpp, OU=Pay, O=Bank\, Inc., C=DE`, bank, true},
		{"with semicolons", `CN=Äpp;OU=Pay;O=Bank\, Inc.;C=DE`, bank, true},
		{"an attribute of a longer name", `organizationIdentifier=PSDDE-1`, two, true},
		{"a part of it", `CN=Äpp`, bank, false},
		{"the other way round", `C=DE,O=Bank\, Inc.,OU=Pay,CN=Äpp`, bank, false},
		{"another value", `CN=App,OU=Pay,O=Bank\, Inc.,C=DE`, bank, false},
		{"a value in another case", `CN=äpp,OU=Pay,O=Bank\, Inc.,C=DE`, bank, false},
		{"two in one relative name", `CN=Äpp+OU=Pay,O=Bank\, Inc.,C=DE`, bank, false},
		{"an escaped space more", `CN=Äpp\ ,OU=Pay,O=Bank\, Inc.,C=DE`, bank, false},
		{"one more", `CN=x,CN=Äpp,OU=Pay,O=Bank\, Inc.,C=DE`, bank, false},
	} {
		want, err := ParseSubject(c.dn)
		must(t, err)
		if got := want.Equal(c.has); got != c.same {
			t.Errorf("%s: %v", c.rule, got)
		}
	}
	multi, err := ParseSubject("CN=a+OU=b")
	must(t, err)
	turned, err := ParseSubject("OU=b+CN=a")
	must(t, err)
	if !multi.Equal(turned) {
		t.Error("the order within a relative name counts")
	}
	if (Subject{}).Equal(Subject{}) {
		t.Error("no name is equal to none")
	}
	for _, dn := range []string{"", "CN", "=x", "CN=a,", "CN=a,,O=b", "XX=a", "1=a", "01.2=a", "1..2=a", `CN=a\`, `CN=a\z`, `CN=a"b`, "CN=a<", "CN=#", "CN=#0", "CN=#zz", "CN=\x00", "CN=\xff", `CN=\ff`, strings.Repeat("CN=a,", 1000) + "CN=a"} {
		if s, err := ParseSubject(dn); err == nil {
			t.Errorf("%q is %v", dn, s)
		}
	}
}

func TestAlternativeNames(t *testing.T) {
	spiffe, err := url.Parse("spiffe://acme.example/App")
	must(t, err)
	c, err := ParseCertificate((*certIssuer)(nil).issue(t, &x509.Certificate{DNSNames: []string{"App.example", "*.wild.example"}, URIs: []*url.URL{spiffe},
		IPAddresses: []net.IP{net.ParseIP("192.0.2.7"), net.ParseIP("2001:db8::7")}, EmailAddresses: []string{"App@a.example"}}, newECKey(t)))
	must(t, err)
	for _, tt := range []struct {
		kind NameKind
		name string
		has  bool
	}{
		{DNSName, "app.EXAMPLE", true}, {DNSName, "*.wild.example", true}, {DNSName, "a.wild.example", false}, {DNSName, "example", false},
		{DNSName, "", false}, {DNSName, "app.example.", false}, {DNSName, "App@a.example", false},
		{URIName, "spiffe://acme.example/App", true}, {URIName, "spiffe://acme.example/app", false}, {URIName, "spiffe://acme.example/", false},
		{IPName, "192.0.2.7", true}, {IPName, "2001:DB8:0::7", true}, {IPName, "::ffff:192.0.2.7", true}, {IPName, "192.0.2.8", false}, {IPName, "", false},
		{IPName, "2001:db8::7%eth0", false},
		{EmailName, "App@a.example", true}, {EmailName, "app@a.example", false}, {EmailName, "App.example", false},
	} {
		if got := c.Names(tt.kind, tt.name); got != tt.has {
			t.Errorf("%d %q: %v", tt.kind, tt.name, got)
		}
	}
	bare, err := ParseCertificatePEM(published)
	must(t, err)
	if bare.Names(DNSName, "mtls") {
		t.Error("the common name counts as a host")
	}
}

func TestWhichCertificatesASetHolds(t *testing.T) {
	none := (*certIssuer)(nil)
	mine, other := newECKey(t), newECKey(t)
	first, renewed := none.issue(t, &x509.Certificate{}, mine), none.issue(t, &x509.Certificate{}, mine)
	x5c := func(der []byte) map[string]any {
		return map[string]any{"x5c": []string{base64.StdEncoding.EncodeToString(der)}}
	}
	jwk := func(k *ecdsa.PrivateKey, members map[string]any) string {
		s := signer{ES256, k}.public(t, nil)
		for name, v := range members {
			b, err := json.Marshal(v)
			must(t, err)
			s = strings.TrimSuffix(s, "}") + `,"` + name + `":` + string(b) + "}"
		}
		return s
	}
	for rule, c := range map[string]struct {
		keys  string
		shown []byte
		holds bool
	}{
		"its key":                        {jwk(mine, nil), first, true},
		"its key, when renewed":          {jwk(mine, nil), renewed, true},
		"itself":                         {jwk(mine, x5c(first)), first, true},
		"another of the same key":        {jwk(mine, x5c(first)), renewed, false},
		"one of two":                     {jwk(mine, x5c(first)) + "," + jwk(mine, x5c(renewed)), renewed, true},
		"another key":                    {jwk(other, nil), first, false},
		"a key that is for other things": {jwk(mine, map[string]any{"use": "enc"}) + "," + jwk(other, nil), first, false},
	} {
		set, err := ParseJWKS([]byte(`{"keys":[` + c.keys + `]}`))
		must(t, err)
		cert, err := ParseCertificate(c.shown)
		must(t, err)
		if got := set.Holds(cert); got != c.holds {
			t.Errorf("%s: %v", rule, got)
		}
	}
	for rule, members := range map[string]map[string]any{"of another key": x5c(none.issue(t, &x509.Certificate{}, other)), "no base64": {"x5c": []string{"?"}}, "no certificate": x5c([]byte("x"))} {
		if _, err := ParseJWKS([]byte(`{"keys":[` + jwk(mine, members) + `]}`)); err == nil {
			t.Errorf("a certificate %s is taken", rule)
		}
	}
}

func FuzzParseSubject(f *testing.F) {
	for _, s := range []string{"CN=a", `CN=\C3\84pp+OU=x,O=Bank\, Inc. ; C=DE`, "1.2.3=#0c0161", "CN=#", `CN=\`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseSubject(s); err == nil && !n.Equal(n) {
			t.Errorf("%q is not what it is", s)
		}
	})
}
