package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// flowInPage is what a single-page application does after its user came back: discovery, with a header that makes the browser
// ask first, the code's redemption, UserInfo, revocation. What the browser does not let it read is an error.
const flowInPage = `(async (f) => {
	const form = (url, pairs) => fetch(url, { method: 'POST', body: new URLSearchParams({ client_id: f.client_id, ...pairs }), credentials: f.credentials })
	const learned = {}
	try {
		const as = await (await fetch(f.issuer + '/.well-known/oauth-authorization-server', { headers: { 'mcp-protocol-version': '2025-06-18' } })).json()
		learned.issuer = as.issuer
		const tokens = await (await form(as.token_endpoint, { grant_type: 'authorization_code', code: f.code, redirect_uri: f.redirect_uri, code_verifier: f.verifier })).json()
		learned.type = tokens.token_type
		learned.sub = (await (await fetch(as.userinfo_endpoint, { headers: { authorization: 'Bearer ' + tokens.access_token } })).json()).sub
		learned.challenge = (await fetch(as.userinfo_endpoint, { headers: { authorization: 'Bearer x' } })).headers.get('www-authenticate') !== null
		learned.revoked = (await form(as.revocation_endpoint, { token: tokens.access_token })).status
	} catch (err) {
		learned.error = err.name
	}
	return JSON.stringify(learned)
})(%s)`

// A browser lets pages of the tenant's origins call its endpoints, and no others (S37, S182).
func TestBrowserApps(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `<!doctype html><html lang="en"><title>An app</title>`)
		})
		ours, foreign := httptest.NewServer(page), httptest.NewServer(page)
		t.Cleanup(ours.Close)
		t.Cleanup(foreign.Close)
		x := s.newTenant(t)
		x.patch(t, map[string]any{"app_origins": []string{ours.URL}})
		run := func(origin, credentials string) (learned map[string]any) {
			t.Helper()
			c := x.public(t, origin+"/cb")
			w := openWindow(t, "app", 1000, false)
			facts := mustJSON(map[string]string{"issuer": x.Issuer, "client_id": c.ID, "code": x.code(t, c), "redirect_uri": origin + "/cb", "verifier": verifier, "credentials": credentials})
			var text string
			w.do(t, chromedp.Navigate(origin), chromedp.Evaluate(fmt.Sprintf(flowInPage, facts), &text,
				func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
			if err := json.Unmarshal([]byte(text), &learned); err != nil {
				t.Fatal(text, err)
			}
			return learned
		}
		if got := run(ours.URL, "omit"); got["error"] != nil || got["issuer"] != x.Issuer || got["sub"] != x.User.Subject || got["challenge"] != true || got["revoked"] != 200.0 {
			t.Error("a page of the tenant's:", got)
		}
		for rule, got := range map[string]map[string]any{"a foreign page": run(foreign.URL, "omit"), "requests with cookies": run(ours.URL, "include")} {
			if got["error"] != "TypeError" || got["type"] != nil || got["issuer"] != x.Issuer {
				t.Errorf("S182 %s: %v", rule, got)
			}
		}
	})
}
