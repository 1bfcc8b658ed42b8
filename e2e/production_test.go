package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// production configures a server for production behind a proxy on the loopback.
func production(c *conf) {
	kek := make([]byte, 32)
	_, _ = rand.Read(kek)
	c.publicURL = "https://id.example"
	c.env = append(c.env, "CHANCERY_ENV=production", "CHANCERY_KEK="+base64.StdEncoding.EncodeToString(kek), "CHANCERY_TRUSTED_PROXIES=127.0.0.1")
	secret(base64.StdEncoding.EncodeToString(kek))
}

// forwarded is what the proxy adds to a request of address.
func forwarded(address string) part {
	return func(r *http.Request) {
		r.Host = "id.example"
		r.Header.Set("X-Forwarded-For", address)
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Header.Set("X-Forwarded-Host", "id.example")
	}
}

// A production start: the first administrator's way in, no demo, strict cookies, limits (S159, S180, S205, S208, S195).
func TestProduction(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, func(c *conf) { production(c); c.adminToken = "" })
			if _, err := os.Stat(filepath.Join(s.data, "bootstrap.json")); !errors.Is(err, os.ErrNotExist) {
				t.Error("a production start writes bootstrap.json")
			}
			if strings.Contains(s.err.String(), "password") {
				t.Error("a production start prints a password")
			}
			call(t, http.MethodGet, s.url+"/admin/v1/tenants", bearer("chy_x"), forwarded("192.0.2.1")).want(t, "401 invalid_token")
			out, err := s.run("token", "create", "platform", "--label", "first administrator", "-o", "json")
			if err != nil {
				t.Fatal(err)
			}
			var first struct{ Token string }
			reply{body: []byte(out)}.read(t, &first)
			s.adminToken = first.Token
			secret(first.Token)
			within(t, aboutASecond, "the first administrator is let in", func() bool {
				return call(t, http.MethodGet, s.url+"/admin/v1/tenants", bearer(s.adminToken), forwarded("192.0.2.1")).StatusCode == http.StatusOK
			})
			x := s.newTenant(t)
			if x.Issuer != "https://id.example/t/"+x.TenantID {
				t.Error("issuer:", x.Issuer)
			}

			at := x.url("/authorize?" + x.Client.request().Encode())
			r := call(t, http.MethodGet, at, forwarded("192.0.2.1")).want(t, "303")
			for _, c := range r.Cookies() {
				if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || !strings.HasSuffix(c.Name, x.TenantID) {
					t.Error("S159 cookie:", c)
				}
			}
			if len(r.Cookies()) == 0 || r.Header.Get("Strict-Transport-Security") == "" {
				t.Error("S159, S180:", r.Header)
			}
			if to := r.Header.Get("Location"); !strings.HasPrefix(to, "/t/") && !strings.HasPrefix(to, "https://id.example/t/") {
				t.Error("the sign-in is at", to)
			}
			for _, path := range []string{"/jwks.json", "/.well-known/openid-configuration"} {
				if r := call(t, http.MethodGet, x.url(path), forwarded("192.0.2.1")); r.Header.Get("Strict-Transport-Security") == "" {
					t.Errorf("S180 %s: %v", path, r.Header)
				}
			}

			// S205, S208: a source that floods is told to wait; others, and other tenants, are served.
			other := s.newTenant(t)
			var limited atomic.Pointer[reply]
			var flood sync.WaitGroup
			for range 16 {
				flood.Go(func() { // with requests that cost little, so that a busy machine is quick enough
					for began := time.Now(); limited.Load() == nil && time.Since(began) < busy.Patience(20*time.Second, began); {
						if r, err := try(direct, http.MethodGet, x.url("/authorize"), forwarded("192.0.2.66")); err == nil && r.StatusCode != http.StatusBadRequest {
							limited.Store(&r)
						}
					}
				})
			}
			flood.Wait()
			if r := limited.Load(); r == nil {
				t.Error("S205 a source may send as many authorization requests as it likes")
			} else if r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") == "" || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
				t.Errorf("S208 a source that floods is told %d with %v", r.StatusCode, r.Header)
			}
			call(t, http.MethodGet, at, forwarded("192.0.2.67")).want(t, "303")
			call(t, http.MethodGet, other.url("/authorize?"+other.Client.request().Encode()), forwarded("192.0.2.66")).want(t, "303")
			issued(t, call(t, http.MethodPost, x.url("/token"), x.Client.auth(), form("grant_type", "client_credentials"), forwarded("192.0.2.68")))

			x.patch(t, map[string]any{"clients": map[string]any{"open_registration": true}})
			for range 200 {
				if r = call(t, http.MethodPost, x.url("/clients"), object(map[string]any{"redirect_uris": []string{callback}}), forwarded("192.0.2.66")); r.StatusCode != http.StatusCreated {
					break
				}
			}
			if r.want(t, "429 *"); r.Header.Get("Retry-After") == "" {
				t.Error("S140 429 without Retry-After")
			}
		})
	}
}

// Where the server ends TLS itself it speaks 1.2 and later (S193), and its cookies are strict.
func TestTLS(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s := fresh(t, sqlite, func(c *conf) {
		certFile, keyFile := filepath.Join(c.data, "cert.pem"), filepath.Join(c.data, "key.pem")
		if err := errors.Join(os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
			os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600)); err != nil {
			t.Fatal(err)
		}
		production(c)
		c.env = append(c.env, "CHANCERY_TLS_CERT="+certFile, "CHANCERY_TLS_KEY="+keyFile, "CHANCERY_TRUSTED_PROXIES=")
	})
	addr := strings.TrimPrefix(s.url, "http://")
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	jar, _ := cookiejar.New(nil)
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		d := tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: version, MaxVersion: version}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		c, err := d.DialContext(ctx, "tcp", addr)
		if cancel(); (err == nil) != want {
			t.Errorf("S193 %s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			c.Close()
		}
	}
	secure := &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}}, CheckRedirect: direct.CheckRedirect}
	r, err := try(secure, http.MethodPost, "https://"+addr+"/admin/v1/tenants", bearer(s.adminToken), object(map[string]string{"tenant_id": "acme", "template": "starter"}))
	if err != nil {
		t.Fatal(err)
	}
	x := &tenant{at: s}
	r.want(t, "201").read(t, x)
	x.mark()
	u, _ := url.Parse("https://" + addr + "/t/acme/authorize?" + x.Client.request().Encode())
	if r, err = try(secure, http.MethodGet, u.String()); err != nil {
		t.Fatal(err)
	}
	if r.want(t, "303"); len(r.Cookies()) == 0 || !strings.HasPrefix(r.Cookies()[0].Name, "__Host-") || r.Header.Get("Strict-Transport-Security") == "" {
		t.Error("S159, S180 over TLS:", r.Header)
	}
}
