package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// issuer makes certificates.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// authority is the one that our calls trust.
var authority = newIssuer("test authority")

func newIssuer(name string) *issuer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	i := &issuer{key: key}
	i.cert = &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	if i.cert, err = i.sign(i.cert, key); err != nil {
		panic(err)
	}
	return i
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic(err)
	}
	return n
}

func (i *issuer) sign(c *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, c, i.cert, &key.PublicKey, i.key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func (i *issuer) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(i.cert)
	return p
}

func inPEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// certified is whoever has a certificate.
type certified struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate of app.example, or of this machine.
func (i *issuer) issue(t testing.TB, change func(*x509.Certificate)) certified {
	t.Helper()
	return i.issueFor(t, newSigner(t, "tls").key, change)
}

func (i *issuer) issueFor(t testing.TB, key *ecdsa.PrivateKey, change func(*x509.Certificate)) certified {
	t.Helper()
	c := &x509.Certificate{SerialNumber: serial(), Subject: pkix.Name{CommonName: "app", Organization: []string{"Shop"}}, DNSNames: []string{"app.example", "localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if change != nil {
		change(c)
	}
	cert, err := i.sign(c, key)
	if err != nil {
		t.Fatal(err)
	}
	return certified{cert, key}
}

// write writes the certificate and its key into dir.
func (c certified) write(t testing.TB, dir string) (cert, key string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for file, text := range map[string]string{cert: inPEM(c.cert), key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// caller makes calls with the certificate.
func (c certified) caller() *http.Client {
	config := &tls.Config{RootCAs: authority.pool()}
	if c.cert != nil {
		config.Certificates = []tls.Certificate{{Certificate: [][]byte{c.cert.Raw}, PrivateKey: c.key}}
	}
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: config},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// header is the certificate as a proxy hands it on (RFC 9440 §2).
func (c certified) header() part {
	return header("Client-Cert", ":"+base64.StdEncoding.EncodeToString(c.cert.Raw)+":")
}

// thumbprint is x5t#S256 of the certificate (RFC 8705 §3.1).
func (c certified) thumbprint() string {
	sum := sha256.Sum256(c.cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// overTLS configures a server that ends TLS itself, with a certificate in dir; a stranger's is every address.
func overTLS(t testing.TB, dir string) func(*conf) {
	cert, key := authority.issue(t, nil).write(t, dir)
	return func(c *conf) {
		c.tls = true
		c.env = append(c.env, "CHANCERY_TLS_CERT="+cert, "CHANCERY_TLS_KEY="+key, "CHANCERY_TRUSTED_PROXIES=192.0.2.1")
	}
}

// calls makes a call by client that must be answered.
func calls(t testing.TB, client *http.Client, method, at string, parts ...part) reply {
	t.Helper()
	r, err := try(client, method, at, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The server ends TLS itself: modern versions only, and the files of its certificate are read again (S193).
func TestServersCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := fresh(t, sqlite, overTLS(t, dir))
	var m struct{ Issuer string }
	x := s.newTenant(t)
	call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
	if m.Issuer != s.url+"/t/"+x.TenantID {
		t.Error("issuer:", m.Issuer)
	}
	at := s.url[len("https://"):]
	for rule, c := range map[string]struct {
		config *tls.Config
		fine   bool
	}{
		"TLS 1.3":        {&tls.Config{MinVersion: tls.VersionTLS13}, true},
		"TLS 1.2":        {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
		"TLS 1.1":        {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		"a block cipher": {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA}}, false},
	} {
		c.config.RootCAs = authority.pool()
		conn, err := tls.Dial("tcp", at, c.config)
		if (err == nil) != c.fine {
			t.Errorf("S193 %s: %v", rule, err)
		}
		if err == nil {
			conn.Close()
		}
	}
	renewed := authority.issue(t, nil)
	renewed.write(t, dir)
	within(t, 10*time.Second, "the renewed certificate is served", func() bool {
		conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: authority.pool()})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Cmp(renewed.cert.SerialNumber) == 0
	})
}
