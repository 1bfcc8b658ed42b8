package e2e

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// site is a client's web server, which serves whatever is put at its paths.
type site struct {
	*httptest.Server
	called atomic.Int64
	pages  map[string]http.HandlerFunc
}

// newSite starts a web server with TLS. ca is a file with who signed its certificate.
func newSite(t *testing.T) (w *site, ca string) {
	t.Helper()
	w = &site{pages: map[string]http.HandlerFunc{}}
	w.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.called.Add(1)
		if page := w.pages[r.URL.Path]; page != nil {
			page(rw, r)
			return
		}
		http.NotFound(rw, r)
	}))
	t.Cleanup(w.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return w, ca
}

// document puts a metadata document at a path, and returns the client that it describes.
func (w *site) document(path string, members map[string]any) *client {
	doc := map[string]any{"client_id": w.URL + path, "client_name": "The app", "redirect_uris": []string{callback}, "token_endpoint_auth_method": "none",
		"grant_types": []string{"authorization_code", "refresh_token"}}
	for name, v := range members {
		if doc[name] = v; v == nil {
			delete(doc, name)
		}
	}
	w.pages[path] = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "application/json")
		_, _ = rw.Write(mustJSON(doc))
	}
	return &client{ID: w.URL + path, RedirectURIs: []string{callback}, Method: "none"}
}

// A client whose id is the URL of its metadata (S142–S144): what is taken, how often it is fetched, and what is shown.
func TestClientIDMetadataDocuments(t *testing.T) {
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			w, ca := newSite(t)
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1", "CHANCERY_EXTRA_CA="+ca) })
			x := s.newTenant(t)
			app := w.document("/client.json", nil)
			metadata := func() (m map[string]any) {
				call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).read(t, &m)
				return m
			}
			if got := x.sees(t, app.request()); got != "page" || w.called.Load() > 0 || metadata()["client_id_metadata_document_supported"] != nil {
				t.Errorf("S146 it is off: %s, %d calls, %v", got, w.called.Load(), metadata()["client_id_metadata_document_supported"])
			}
			x.patch(t, map[string]any{"client_documents": map[string]any{"enabled": true}})
			if metadata()["client_id_metadata_document_supported"] != true {
				t.Error("S145 it is on, and not advertised")
			}

			// A whole flow, for which the document is fetched once; a question about its token fetches nothing.
			tokens := x.tokens(t, app)
			if !x.active(t, tokens.Access) {
				t.Error("its access token is not active")
			}
			info := call(t, http.MethodGet, x.url("/userinfo"), bearer(tokens.Access)).want(t, "200")
			var about map[string]any
			if info.read(t, &about); about["sub"] != x.User.Subject {
				t.Error("UserInfo:", about)
			}
			refreshed := issued(t, x.refresh(t, app, tokens.Refresh))
			if head, payload := claims(t, refreshed.Access); head["typ"] != "at+jwt" || payload["client_id"] != app.ID {
				t.Error("access token:", payload)
			}
			if n := w.called.Load(); n != 1 {
				t.Errorf("S143 %d calls for one document", n)
			}
			if x.token(t, app, "grant_type", "client_credentials").StatusCode == http.StatusOK {
				t.Error("S71 a grant that the document does not name")
			}

			// Its own keys, by private_key_jwt.
			mine, theirs := newSigner(t, "mine"), newSigner(t, "theirs")
			strong := w.document("/strong", map[string]any{"token_endpoint_auth_method": "private_key_jwt", "jwks": mine.jwks()})
			redeem := func(by signer) reply {
				jwt := forge(map[string]any{"alg": "ES256", "kid": "mine"}, assertion(x, strong, nil), by.sign)
				return call(t, http.MethodPost, x.url("/token"), asserts(jwt, codeParams(strong, x.code(t, strong))...))
			}
			redeem(theirs).want(t, "401 invalid_client")
			issued(t, redeem(mine))
			if r := x.token(t, strong, codeParams(strong, x.code(t, strong))...); !r.is("401 invalid_client") {
				t.Error("S58 without authentication:", r.outcome())
			}

			// The pages name the host, and ask each time.
			host, err := url.Parse(app.ID)
			if err != nil {
				t.Fatal(err)
			}
			v, at := newVisitor(t), x.url("/authorize?"+app.request().Encode())
			v.signIn(t, x, at)
			p := v.open(t, at)
			if text := p.text(); p.Header.Get("Location") != "" || !strings.Contains(text, "The app ("+host.Host+")") || !strings.Contains(text, "has not been checked") {
				t.Errorf("S144 the consent page: %s %s", p.at, text)
			}
			x.patch(t, map[string]any{"client_documents": map[string]any{"remember_consent": true}})
			if p := v.open(t, at); p.Header.Get("Location") == "" {
				t.Error("consent is not remembered, although the tenant says so:", p.text())
			}

			for rule, c := range map[string]*client{
				"a foreign client_id":             w.document("/foreign", map[string]any{"client_id": w.URL + "/client.json"}),
				"no client_id":                    w.document("/without", map[string]any{"client_id": nil}),
				"a secret":                        w.document("/secret", map[string]any{"client_secret": "s"}),
				"client_secret_basic":             w.document("/basic", map[string]any{"token_endpoint_auth_method": "client_secret_basic"}),
				"an active redirect URI":          w.document("/active", map[string]any{"redirect_uris": []string{"javascript:alert(1)"}}),
				"too much":                        w.document("/large", map[string]any{"padding": strings.Repeat("x", 6<<10)}),
				"a document that is not there":    {ID: w.URL + "/none", RedirectURIs: []string{callback}},
				"a fragment":                      {ID: w.URL + "/client.json#x", RedirectURIs: []string{callback}},
				"a dot segment":                   {ID: w.URL + "/a/../client.json", RedirectURIs: []string{callback}},
				"plain http":                      {ID: strings.Replace(app.ID, "https", "http", 1), RedirectURIs: []string{callback}},
				"a private address":               {ID: "https://10.0.0.1/client.json", RedirectURIs: []string{callback}},
				"a private address by its number": {ID: "https://2130706433/client.json", RedirectURIs: []string{callback}},
			} {
				if got := x.sees(t, c.request()); got != "page" {
					t.Errorf("S142–S144 %s: %s", rule, got)
				}
				if r := x.token(t, c, "grant_type", "authorization_code", "code", "x"); !r.is("401 invalid_client") {
					t.Errorf("S142–S144 %s, at the token endpoint: %s", rule, r.outcome())
				}
			}
			if got := x.sees(t, app.request("redirect_uri", "https://evil.example/cb")); got != "page" {
				t.Error("S144 a redirect URI that is not in the document:", got)
			}

			// Redirects are not followed, what hangs is given up, errors are not kept.
			before := w.called.Load()
			w.pages["/moved"] = func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/client.json", http.StatusFound) }
			w.pages["/slow"] = func(rw http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
			moved := &client{ID: w.URL + "/moved", RedirectURIs: []string{callback}}
			if got := x.sees(t, moved.request()); got != "page" || w.called.Load() != before+1 {
				t.Errorf("S143 a redirection: %s, %d calls", got, w.called.Load()-before)
			}
			began := time.Now()
			slow := &client{ID: w.URL + "/slow", RedirectURIs: []string{callback}}
			if got := x.sees(t, slow.request()); got != "page" || time.Since(began) > busy.Patience(8*time.Second, began) {
				t.Errorf("S143 a document that never comes: %s after %v", got, time.Since(began))
			}
			w.document("/moved", nil)
			if got, _ := x.ask(t, moved.request()); got != "sign-in" {
				t.Error("S143 an error is kept:", got)
			}

			// Whom the tenant takes.
			x.patch(t, map[string]any{"client_documents": map[string]any{"hosts": []string{"*.example.com"}}})
			if got := x.sees(t, app.request()); got != "page" || x.active(t, refreshed.Access) {
				t.Error("a host that is not among those of the tenant:", got)
			}
			x.patch(t, map[string]any{"client_documents": map[string]any{"hosts": []string{"127.0.0.1"}, "blocked": []string{"127.0.0.1"}}})
			if got := x.sees(t, app.request()); got != "page" {
				t.Error("a host that is blocked:", got)
			}
			if ids := fmt.Sprint(x.clients(t)); strings.Contains(ids, "https://") {
				t.Error("S142 something was stored:", ids)
			}
		})
	}
}

// sees is how the authorization endpoint answers, in a word: page, sign-in, or client with what it is told.
func (x *tenant) sees(t testing.TB, query url.Values) string {
	t.Helper()
	got, _ := x.ask(t, query)
	if strings.HasPrefix(got, "page ") {
		return "page"
	}
	return got
}
