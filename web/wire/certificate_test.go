package wire_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// newCertificate makes a certificate that signs itself.
func newCertificate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

func thumbprint(t testing.TB, c *x509.Certificate) string {
	t.Helper()
	k, err := keys.ParseCertificate(c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return k.Thumbprint()
}

// seen mounts an endpoint that tells the thumbprint of the certificate it sees.
func seen(r *wire.Router) {
	r.Public("POST", "/seen", func(c *gin.Context, _ *tenant.Tenant) {
		cert, err := wire.Certificate(c)
		switch {
		case err != nil:
			wire.Error(c, err)
		case cert == nil:
			wire.JSON(c, http.StatusOK, gin.H{"param": "none"})
		default:
			wire.JSON(c, http.StatusOK, gin.H{"param": cert.Thumbprint()})
		}
	})
}

// S69: a certificate comes over TLS, or in a header from a trusted proxy, which then has the only word; a stranger's header
// is refused and not read.
func TestWhoseCertificateCounts(t *testing.T) {
	shown, forged := newCertificate(t, "shown"), newCertificate(t, "forged")
	header := func(c *x509.Certificate) string { return ":" + base64.StdEncoding.EncodeToString(c.Raw) + ":" }
	escaped := func(c *x509.Certificate) string {
		return strings.ReplaceAll(url.QueryEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))), "+", "%20")
	}
	mine, theirs := thumbprint(t, shown), thumbprint(t, forged)
	const refused = "refused"
	for _, tt := range []struct {
		rule    string
		name    string // of the header; empty: Client-Cert
		assumed bool
		peer    string
		tls     *x509.Certificate
		header  []string
		want    string
	}{
		{"no certificate", "", false, "192.0.2.1", nil, nil, "none"},
		{"over TLS", "", false, "192.0.2.1", shown, nil, mine},
		{"a stranger's header", "", false, "192.0.2.1", nil, []string{"Client-Cert", header(forged)}, refused},
		{"a stranger's header in any case", "", false, "192.0.2.1", nil, []string{"client-CERT", header(forged)}, refused},
		{"a stranger's header beside a certificate", "", false, "192.0.2.1", shown, []string{"Client-Cert", header(forged)}, refused},
		{"a stranger's empty header", "", false, "192.0.2.1", shown, []string{"Client-Cert", ""}, refused},
		{"a stranger's chain alone says nothing", "", false, "192.0.2.1", shown, []string{"Client-Cert-Chain", header(forged)}, mine},
		{"a stranger that says it was forwarded for by a proxy", "", false, "192.0.2.1", nil, []string{"X-Forwarded-For", proxy, "Client-Cert", header(forged)}, refused},
		{"names like it are not read", "", false, "192.0.2.1", nil, []string{"X-Client-Cert", header(forged), "Client_Cert", header(forged), "Ssl-Client-Cert", escaped(forged)}, "none"},
		{"from a proxy", "", false, proxy, nil, []string{"Client-Cert", header(shown)}, mine},
		{"from a proxy, with its chain", "", false, proxy, nil, []string{"Client-Cert", header(shown), "Client-Cert-Chain", header(forged) + ", " + header(forged)}, mine},
		{"a chain in two lines", "", false, proxy, nil, []string{"Client-Cert", header(shown), "Client-Cert-Chain", header(forged), "Client-Cert-Chain", header(forged)}, mine},
		{"a proxy that says nothing", "", false, proxy, nil, nil, "none"},
		{"a proxy's own certificate", "", false, proxy, forged, nil, "none"},
		{"a proxy's own certificate beside the client's", "", false, proxy, forged, []string{"Client-Cert", header(shown)}, mine},
		{"twice", "", false, proxy, nil, []string{"Client-Cert", header(shown), "Client-Cert", header(shown)}, refused},
		{"two in one", "", false, proxy, nil, []string{"Client-Cert", header(shown) + ", " + header(shown)}, refused},
		{"without colons", "", false, proxy, nil, []string{"Client-Cert", strings.Trim(header(shown), ":")}, refused},
		{"empty", "", false, proxy, nil, []string{"Client-Cert", ""}, refused},
		{"no base64", "", false, proxy, nil, []string{"Client-Cert", ":?:"}, refused},
		{"no certificate in it", "", false, proxy, nil, []string{"Client-Cert", ":AAAA:"}, refused},
		{"a chain that is none", "", false, proxy, nil, []string{"Client-Cert", header(shown), "Client-Cert-Chain", "x"}, refused},
		{"a chain too long", "", false, proxy, nil, []string{"Client-Cert", header(shown), "Client-Cert-Chain", strings.Repeat(header(forged)+",", 8) + header(forged)}, refused},
		{"PEM where RFC 9440 is spoken", "", false, proxy, nil, []string{"Client-Cert", escaped(shown)}, refused},
		{"nobody named the proxies: one may be a client", "", true, proxy, shown, nil, mine},
		{"nobody named the proxies, but it is one", "", true, proxy, forged, []string{"Client-Cert", header(shown)}, mine},
		{"another header, PEM in percent-encoding", "X-SSL-Client-Cert", false, proxy, nil, []string{"X-Ssl-Client-Cert", escaped(shown)}, mine},
		{"another header, base64", "X-SSL-Client-Cert", false, proxy, nil, []string{"X-Ssl-Client-Cert", strings.Trim(header(shown), ":")}, mine},
		{"another header, base64 with a chain", "X-SSL-Client-Cert", false, proxy, nil, []string{"X-Ssl-Client-Cert", strings.Trim(header(shown), ":") + "," + strings.Trim(header(forged), ":")}, mine},
		{"another header, empty", "X-SSL-Client-Cert", false, proxy, nil, []string{"X-Ssl-Client-Cert", ""}, "none"},
		{"another header, nonsense", "X-SSL-Client-Cert", false, proxy, nil, []string{"X-Ssl-Client-Cert", "(null)"}, refused},
		{"another header, nonsense in PEM", "X-SSL-Client-Cert", false, proxy, nil, []string{"X-Ssl-Client-Cert", "-----BEGIN%zz"}, refused},
		{"another header of a stranger", "X-SSL-Client-Cert", false, "192.0.2.1", nil, []string{"X-Ssl-Client-Cert", escaped(forged)}, refused},
		{"another header takes the place of the first", "X-SSL-Client-Cert", false, proxy, nil, []string{"Client-Cert", header(forged)}, "none"},
	} {
		w := newWorld(t, mount(seen))
		w.gate.CertificateHeader, w.gate.Assumed = tt.name, tt.assumed
		r := call("POST", "https://id.example/t/acme/seen", append([]string{"X-Peer", tt.peer}, tt.header...)...)
		if r.TLS = nil; tt.tls != nil {
			r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{tt.tls}}
		}
		rec := w.do(r)
		got := body(t, rec)
		if tt.want == refused && (rec.Code != 400 || got.Error != "invalid_request") || tt.want != refused && got.Param != tt.want {
			t.Errorf("%s: %d %s, want %s (forged is %s)", tt.rule, rec.Code, rec.Body, tt.want, theirs)
		}
	}
}

func FuzzCertificate(f *testing.F) {
	c := newCertificate(f, "shown")
	mine := thumbprint(f, c)
	f.Add(":"+base64.StdEncoding.EncodeToString(c.Raw)+":", "", false)
	f.Add(":AAAA:", ":AAAA:, :AAAA:", false)
	f.Add("-----BEGIN%20CERTIFICATE-----", "", true)
	f.Add(base64.StdEncoding.EncodeToString(c.Raw)+",x", "", true)
	plain, other := newWorldOfFuzz(f, ""), newWorldOfFuzz(f, "X-Cert")
	f.Fuzz(func(t *testing.T, value, chain string, alternate bool) {
		w, name := plain, "Client-Cert"
		if alternate {
			w, name = other, "X-Cert"
		}
		r := call("POST", "https://id.example/t/acme/seen", "X-Peer", proxy)
		r.Header[name], r.Header["Client-Cert-Chain"] = []string{value}, []string{chain}
		rec := w.do(r)
		var a answer
		if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		if rec.Code != 200 && rec.Code != 400 || a.Param == mine && !strings.Contains(strings.ReplaceAll(value, "%2B", "+"), base64.StdEncoding.EncodeToString(c.Raw)[:40]) {
			t.Errorf("%d %s", rec.Code, rec.Body)
		}
	})
}

func newWorldOfFuzz(f *testing.F, header string) *world {
	w := newWorld(f, mount(seen))
	w.gate.CertificateHeader, w.gate.Sink, w.gate.Limiter = header, nil, nil
	return w
}
