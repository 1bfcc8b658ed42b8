package e2e

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// byCertificate registers a client that authenticates by certificate.
func (x *tenant) byCertificate(t testing.TB, more map[string]any) *client {
	t.Helper()
	metadata := map[string]any{"token_endpoint_auth_method": "tls_client_auth", "redirect_uris": []string{callback}, "response_types": []string{"code"},
		"grant_types": []string{"client_credentials", "authorization_code", "refresh_token"}}
	maps.Copy(metadata, more)
	return x.register(t, metadata)
}

// places are the ways that a client's certificate comes to the server: over TLS at the one listener, at a listener of its
// own, and in a header of the proxy that ends TLS.
var places = map[string]struct {
	change func(t testing.TB) func(*conf)
	proxy  bool
}{
	"TLS": {func(t testing.TB) func(*conf) { return overTLS(t, t.TempDir()) }, false},
	"TLS at a place of its own": {func(t testing.TB) func(*conf) {
		tls := overTLS(t, t.TempDir())
		return func(c *conf) {
			tls(c)
			c.env = append(c.env, "CHANCERY_MTLS_LISTEN="+freePort())
		}
	}, false},
	"a proxy": {func(testing.TB) func(*conf) {
		return func(c *conf) { c.env = append(c.env, "CHANCERY_TRUSTED_PROXIES=127.0.0.1") }
	}, true},
}

// endpoint is where clients with certificates find an endpoint (RFC 8705 §5).
func (x *tenant) endpoint(t testing.TB, member string) string {
	t.Helper()
	var m map[string]any
	call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
	if aliases, ok := m["mtls_endpoint_aliases"].(map[string]any); ok {
		return aliases[member].(string)
	}
	return m[member].(string)
}

// Clients authenticate by certificate, and their tokens are bound to it: S69, S123.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		for name, place := range places {
			t.Run(string(e)+", "+name, func(t *testing.T) {
				t.Parallel()
				s := fresh(t, e, place.change(t))
				ours, theirs := newIssuer("bank"), newIssuer("bank")
				x := s.newTenant(t)
				x.patch(t, map[string]any{"mtls": map[string]any{"enabled": true, "authorities": []string{inPEM(ours.cert)}}})
				with := func(c certified, at string, parts ...part) reply {
					t.Helper()
					if place.proxy {
						if c.cert != nil {
							parts = append(parts, c.header())
						}
						return call(t, http.MethodPost, at, parts...)
					}
					return calls(t, c.caller(), http.MethodPost, at, parts...)
				}
				token, own := x.endpoint(t, "token_endpoint"), newSigner(t, "own")
				dn := x.byCertificate(t, map[string]any{"tls_client_auth_subject_dn": "CN=app,O=Shop", "tls_client_certificate_bound_access_tokens": true})
				host := x.byCertificate(t, map[string]any{"tls_client_auth_san_dns": "app.example"})
				self := x.byCertificate(t, map[string]any{"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": own.jwks()})
				if dn.Secret+host.Secret+self.Secret != "" {
					t.Error("a client with a certificate has a secret")
				}
				good, selfSigned := ours.issue(t, nil), (&issuer{&x509.Certificate{}, own.key}).issueFor(t, own.key, nil)
				grant := func(c *client) part { return form("grant_type", "client_credentials", "client_id", c.ID) }
				const failed = "401 invalid_client"
				for _, row := range []struct {
					rule string
					by   certified
					c    *client
					want string
				}{
					{"the subject", good, dn, "200"},
					{"the host", good, host, "200"},
					{"a key of the client's", selfSigned, self, "200"},
					{"S69 another subject", ours.issue(t, func(c *x509.Certificate) { c.Subject.CommonName = "other" }), dn, failed},
					{"S69 another host", ours.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} }), host, failed},
					{"S69 expired", ours.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), dn, failed},
					{"S69 another authority of the same name", theirs.issue(t, nil), dn, failed},
					{"S69 its own issuer", selfSigned, dn, failed},
					{"S69 another key", good, self, failed},
					{"S69 no certificate", certified{}, dn, failed},
					{"S69 no certificate, by its own", certified{}, self, failed},
				} {
					r := with(row.by, token, grant(row.c))
					if !r.is(row.want) {
						t.Errorf("%s: %s %s", row.rule, r.outcome(), r.body)
					}
				}
				if place.proxy { // it alone has the word
					direct := call(t, http.MethodPost, token, grant(dn), header("Client-Cert", ":AAAA:"))
					if !direct.is("400 invalid_request") {
						t.Error("a malformed header:", direct.outcome())
					}
				} else { // S69: on a normal listener whoever forges a header is refused, even beside a certificate of its own
					for _, c := range []certified{{}, theirs.issue(t, nil), good} {
						if r := with(c, token, grant(dn), good.header()); !r.is("400 invalid_request") {
							t.Error("S69 a forged header:", r.outcome(), string(r.body))
						}
					}
					if r := with(certified{}, token, grant(dn), header("X-Client-Cert", inPEMLine(good)), header("X-Forwarded-For", "192.0.2.1")); !r.is(failed) {
						t.Error("S69 another forged header:", r.outcome())
					}
				}

				code := x.code(t, dn)
				k := issued(t, with(good, token, form("grant_type", "authorization_code", "client_id", dn.ID, "code", code, "redirect_uri", callback, "code_verifier", verifier)))
				bound := func(k tokens) {
					t.Helper()
					_, claims := claims(t, k.Access)
					cnf, _ := claims["cnf"].(map[string]any)
					told, _ := x.introspect(t, k.Access)["cnf"].(map[string]any)
					if k.Type != "Bearer" || cnf["x5t#S256"] != good.thumbprint() || told["x5t#S256"] != good.thumbprint() {
						t.Error("S123: not bound:", k.Type, cnf, told)
					}
				}
				bound(k)
				info := x.endpoint(t, "userinfo_endpoint")
				for rule, c := range map[string]struct {
					by   certified
					want string
				}{"its certificate": {good, "200"}, "another": {ours.issue(t, nil), "401 invalid_token"}, "none": {certified{}, "401 invalid_token"}} {
					if r := with(c.by, info, bearer(k.Access)); !r.is(c.want) {
						t.Errorf("S123 UserInfo with %s: %s", rule, r.outcome())
					}
				}
				k = issued(t, with(good, token, form("grant_type", "refresh_token", "client_id", dn.ID, "refresh_token", k.Refresh)))
				bound(k)
				if r := with(theirs.issue(t, nil), token, form("grant_type", "refresh_token", "client_id", dn.ID, "refresh_token", k.Refresh)); !r.is(failed) {
					t.Error("a refresh with another's certificate:", r.outcome())
				}

				// A public client's tokens are bound to its certificate, and so are its refresh tokens (RFC 8705 §4).
				app := x.byCertificate(t, map[string]any{"token_endpoint_auth_method": "none", "grant_types": []string{"authorization_code", "refresh_token"},
					"tls_client_certificate_bound_access_tokens": true})
				redeem := form("grant_type", "authorization_code", "client_id", app.ID, "code", x.code(t, app), "redirect_uri", callback, "code_verifier", verifier)
				if r := with(certified{}, token, redeem); !r.is("400 invalid_request") {
					t.Error("bound tokens without a certificate:", r.outcome())
				}
				k = issued(t, with(selfSigned, token, redeem))
				for _, c := range []struct {
					by   certified
					want string
				}{{good, "400 invalid_grant"}, {certified{}, "400 invalid_request"}, {selfSigned, "200"}} {
					if r := with(c.by, token, form("grant_type", "refresh_token", "client_id", app.ID, "refresh_token", k.Refresh)); !r.is(c.want) {
						t.Errorf("S123 a bound refresh token: %s, want %s", r.outcome(), c.want)
					}
				}

				// The ticket dialect is handed the certificate in PEM.
				ticket := func(path string, members map[string]any) (answer struct{ Action, CertificateThumbprint, AccessToken string }) {
					t.Helper()
					call(t, http.MethodPost, s.url+"/api/"+path, bearer(x.APIToken), header("Tenant-ID", x.TenantID), object(members)).want(t, "200").read(t, &answer)
					secret(answer.AccessToken)
					return answer
				}
				asked := map[string]any{"parameters": "grant_type=client_credentials&client_id=" + dn.ID}
				if a := ticket("auth/token", asked); a.Action != "INVALID_CLIENT" {
					t.Error("tickets without a certificate:", a.Action)
				}
				asked["clientCertificate"] = inPEM(good.cert)
				a := ticket("auth/token", asked)
				if a.Action != "OK" {
					t.Fatal("tickets:", a.Action)
				}
				for rule, c := range map[string]struct{ pem, want string }{"its certificate": {inPEM(good.cert), "OK"}, "another": {inPEM(selfSigned.cert), "UNAUTHORIZED"}, "none": {"", "UNAUTHORIZED"}} {
					if got := ticket("auth/introspection", map[string]any{"token": a.AccessToken, "clientCertificate": c.pem}); got.Action != c.want || c.want == "OK" && got.CertificateThumbprint != good.thumbprint() {
						t.Errorf("tickets, introspection with %s: %s %s", rule, got.Action, got.CertificateThumbprint)
					}
				}

				// What is turned off is off at once for those who came by it.
				x.patch(t, map[string]any{"mtls": nil})
				within(t, aboutASecond, "certificates are off", func() bool { return with(good, token, grant(host)).is(failed) })
			})
		}
	}
}

func inPEMLine(c certified) string { return strings.ReplaceAll(inPEM(c.cert), "\n", "%0A") }

// openid-client and oauth4webapi authenticate by certificate over TLS, and use tokens bound to it.
func TestClientCertificatesOfStrangers(t *testing.T) {
	needs(t, "node", "e2e/node/node_modules/openid-client", "e2e/node/node_modules/oauth4webapi")
	t.Parallel()
	for _, name := range []string{"TLS", "TLS at a place of its own"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fresh(t, sqlite, places[name].change(t))
			x := s.newTenant(t)
			x.patch(t, map[string]any{"mtls": map[string]any{"enabled": true, "authorities": []string{inPEM(authority.cert)}}})
			dir := t.TempDir()
			good := authority.issue(t, nil)
			cert, key := good.write(t, dir)
			root := filepath.Join(dir, "ca.pem")
			if err := os.WriteFile(root, []byte(inPEM(authority.cert)), 0o600); err != nil {
				t.Fatal(err)
			}
			c := x.byCertificate(t, map[string]any{"tls_client_auth_san_dns": "app.example", "tls_client_certificate_bound_access_tokens": true})
			own := x.byCertificate(t, map[string]any{"token_endpoint_auth_method": "self_signed_tls_client_auth", "tls_client_certificate_bound_access_tokens": true,
				"jwks": signer{"own", good.key}.jwks()})
			for _, library := range []string{"openid-client", "oauth4webapi"} {
				for _, c := range []*client{c, own} {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					cmd := exec.CommandContext(ctx, "node", "mtls.js", string(mustJSON(map[string]string{"library": library, "issuer": x.Issuer, "client_id": c.ID, "cert": cert, "key": key,
						"ca": root, "code": x.code(t, c), "redirect_uri": callback, "code_verifier": verifier, "state": "the state", "nonce": "the nonce"})))
					cmd.Dir = "node"
					var complaint bytes.Buffer
					cmd.Stderr = &complaint
					out, err := cmd.Output()
					if err != nil {
						t.Fatalf("%s: %v\n%s", library, err, &complaint)
					}
					var got struct{ Type, X5T, Refreshed, Sub, Stolen string }
					if err := json.Unmarshal(out, &got); err != nil {
						t.Fatalf("%s: %s", library, out)
					}
					if !strings.EqualFold(got.Type, "bearer") || got.X5T != good.thumbprint() || got.Refreshed != good.thumbprint() || got.Sub != x.User.Subject || got.Stolen != "invalid_token" {
						t.Errorf("%s: %+v", library, got)
					}
				}
			}
		})
	}
}
