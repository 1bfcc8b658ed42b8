package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
)

// A signIn brings a user from the authorization URL to the client's redirect URI, and returns the URL that the client
// was called with.
type signIn func(t *testing.T, x *tenant, authorizationURL string) *url.URL

// signIns are the ways for a user to come through, by name. Those of a real browser have tests of their own.
var signIns = map[string]signIn{
	"by our pages":                      func(t *testing.T, x *tenant, at string) *url.URL { return newVisitor(t).signIn(t, x, at) },
	"by the authorisation-session API":  byAPI,
	"by the example of a login UI (v3)": byExampleUI,
}

// byAPI hands the request over to the authorisation-session API, as a tenant's own login UI does.
func byAPI(t *testing.T, x *tenant, at string) *url.URL {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	r := x.start(t, u.Query(), "")
	r = x.put(t, r, map[string]any{"sub": x.User.Subject, "amr": []string{"pwd"}})
	r = x.put(t, r, grantAll).want(t, "302")
	back, err := url.Parse(r.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// A relying party logs its user in, and returns what it learned.
type relyingParty func(t *testing.T, x *tenant, c *client, in signIn) learned

type learned struct {
	Claims       map[string]any `json:"claims"` // of the ID token
	UserInfo     map[string]any `json:"userinfo"`
	Rotated      bool           `json:"rotated"` // the refresh token is another after use
	Introspected map[string]any `json:"introspected"`
	Revoked      map[string]any `json:"revoked"` // introspection after revocation
	Refused      string         `json:"refused"` // error of a refresh after revocation
}

// Independent relying parties go through discovery, code with PKCE, ID token validation, UserInfo, refresh, introspection
// and revocation, at two tenants of one server.
func TestRelyingParties(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		acme, globex := s.createTenant(t, "acme"), s.createTenant(t, "globex")
		for library, rp := range map[string]relyingParty{"go-oidc and x/oauth2": goOIDC, "openid-client": openidClient} {
			for way, in := range signIns {
				for _, x := range []*tenant{acme, globex} {
					t.Run(library+" "+way+" at "+x.TenantID, func(t *testing.T) {
						t.Parallel()
						y := x
						if way == "by the example of a login UI (v3)" {
							y = s.withExampleUI(t)
						}
						c := y.confidential(t, callback)
						check(t, y, c, rp(t, y, c, in))
					})
				}
			}
		}
	})
}

// check checks what a relying party learned of the tenant's user.
func check(t *testing.T, x *tenant, c *client, got learned) {
	t.Helper()
	sub := x.User.Subject
	if got.Claims["iss"] != x.Issuer || got.Claims["sub"] != sub {
		t.Errorf("ID token: %v", got.Claims)
	}
	want := map[string]any{"sub": sub}
	if name := x.User.Username; name != "" {
		want = map[string]any{"sub": sub, "preferred_username": name, "name": "Alice", "email": name + "@example.com", "email_verified": true}
	}
	if _, ok := got.UserInfo["updated_at"].(float64); ok != (x.User.Username != "") {
		t.Errorf("updated_at: %v", got.UserInfo["updated_at"])
	}
	delete(got.UserInfo, "updated_at")
	if d := cmp.Diff(want, got.UserInfo); d != "" {
		t.Errorf("UserInfo (-want +got):\n%s", d)
	}
	if !got.Rotated {
		t.Error("the refresh token was not rotated")
	}
	if i := got.Introspected; i["active"] != true || i["client_id"] != c.ID || i["sub"] != sub || i["iss"] != x.Issuer {
		t.Errorf("introspection: %v", i)
	}
	if len(got.Revoked) != 1 || got.Revoked["active"] != false {
		t.Errorf("introspection after revocation: %v", got.Revoked)
	}
	if got.Refused != "invalid_grant" {
		t.Errorf("refresh after revocation: %s", got.Refused)
	}
}

var scopes = []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess}

// goOIDC is a relying party on coreos/go-oidc and golang.org/x/oauth2.
func goOIDC(t *testing.T, x *tenant, c *client, in signIn) (got learned) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	provider, err := oidc.NewProvider(ctx, x.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	conf := oauth2.Config{ClientID: c.ID, ClientSecret: c.Secret, RedirectURL: c.RedirectURIs[0], Endpoint: provider.Endpoint(), Scopes: scopes}
	conf.Endpoint.AuthStyle = oauth2.AuthStyleInHeader
	pkce := oauth2.GenerateVerifier()
	back := in(t, x, conf.AuthCodeURL("s t&", oauth2.S256ChallengeOption(pkce), oidc.Nonce("n")))
	if q := back.Query(); q.Get("state") != "s t&" || q.Get("iss") != x.Issuer {
		t.Error("the response:", back)
	}
	secret(back.Query().Get("code"))
	token, err := conf.Exchange(ctx, back.Query().Get("code"), oauth2.VerifierOption(pkce))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	secret(raw, token.AccessToken, token.RefreshToken)
	id, err := provider.Verifier(&oidc.Config{ClientID: c.ID}).Verify(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil || id.Nonce != "n" {
		t.Errorf("at_hash: %v; nonce: %s", err, id.Nonce)
	}
	if err := id.Claims(&got.Claims); err != nil {
		t.Fatal(err)
	}
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err == nil {
		err = info.Claims(&got.UserInfo)
	}
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := conf.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		t.Fatal(err)
	}
	secret(fresh.AccessToken, fresh.RefreshToken)
	got.Rotated = fresh.RefreshToken != token.RefreshToken

	// The libraries leave introspection and revocation to their user, who finds the endpoints in the metadata.
	var metadata struct {
		Introspect string `json:"introspection_endpoint"`
		Revoke     string `json:"revocation_endpoint"`
	}
	if err := provider.Claims(&metadata); err != nil {
		t.Fatal(err)
	}
	call(t, http.MethodPost, metadata.Introspect, c.auth(), form("token", fresh.AccessToken)).want(t, "200").read(t, &got.Introspected)
	call(t, http.MethodPost, metadata.Revoke, c.auth(), form("token", fresh.RefreshToken)).want(t, "200")
	call(t, http.MethodPost, metadata.Introspect, c.auth(), form("token", fresh.AccessToken)).want(t, "200").read(t, &got.Revoked)
	_, err = conf.TokenSource(ctx, &oauth2.Token{RefreshToken: fresh.RefreshToken}).Token()
	var refused *oauth2.RetrieveError
	if got.Refused = fmt.Sprint(err); errors.As(err, &refused) {
		got.Refused = refused.ErrorCode
	}
	return got
}

// openidClient is a relying party on the npm package of that name, in a process of its own.
func openidClient(t *testing.T, x *tenant, c *client, in signIn) (got learned) {
	p := startStranger(t, "relying-party.js", map[string]any{"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret,
		"redirect_uri": c.RedirectURIs[0], "scope": "openid profile email offline_access"})
	p.signIn(t, x, in)
	p.hear(t, &got)
	return got
}

// needs fails a test on a machine without what it runs on.
func needs(t *testing.T, command string, files ...string) {
	t.Helper()
	if _, err := exec.LookPath(command); err != nil {
		t.Fatalf("%s is missing: .ci/install brings what the tests need", command)
	}
	for _, f := range files {
		if _, err := os.Stat("../" + f); err != nil {
			t.Fatalf("%s is missing: .ci/install brings what the tests need", f)
		}
	}
}

// receiver is a client's web server: it keeps what its redirect URI is called with.
type receiver struct {
	*httptest.Server
	got chan *http.Request
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{got: make(chan *http.Request, 8)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/cb" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_ = req.ParseForm()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!doctype html><html lang="en"><title>The app</title><h1 id="done">Welcome back to the app</h1>`)
		r.got <- req
	}))
	t.Cleanup(r.Close)
	return r
}
