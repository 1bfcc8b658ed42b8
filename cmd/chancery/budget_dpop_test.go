package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// proofOf makes a DPoP proof (RFC 9449 §4.2) for an endpoint, and with an access token.
func proofOf(t testing.TB, k *ecdsa.PrivateKey, method, at, token string) string {
	t.Helper()
	enc := base64.RawURLEncoding.EncodeToString
	ath := sha256.Sum256([]byte(token))
	x, y := k.X.FillBytes(make([]byte, 32)), k.Y.FillBytes(make([]byte, 32))
	input := enc(fmt.Appendf(nil, `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":%q,"y":%q}}`, enc(x), enc(y))) + "." +
		enc(fmt.Appendf(nil, `{"jti":%q,"htm":%q,"htu":%q,"iat":%d,"ath":%q}`, rand.Text(), method, at, time.Now().Unix(), enc(ath[:])))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + enc(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// TestDPoPBudget counts what each use of a proof sends to PostgreSQL with a warm snapshot: one statement more than without.
func TestDPoPBudget(t *testing.T) {
	b := newBench(t)
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var tokens map[string]any
	str := func(name string) string { s, _ := tokens[name].(string); return s }
	ask := func(form url.Values) *http.Response {
		basic := base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(b.acme.Client.ID) + ":" + url.QueryEscape(b.acme.Client.Secret)))
		return b.call(t, http.MethodPost, b.issuer+"/token", formType, form.Encode(), "Authorization", "Basic "+basic, "DPoP", proofOf(t, k, "POST", b.issuer+"/token", ""))
	}
	var code string
	login := func() {
		s, _ := members(t, b.api(t, "POST", "", b.start("openid profile", "")))["sid"].(string)
		b.api(t, "PUT", "/"+s, `{"sub":"bob"}`)
		code = codeOf(t, b.api(t, "PUT", "/"+s, `{"scope":["openid","profile"],"issue_refresh_token":true}`))
	}
	ask(url.Values{"grant_type": {"client_credentials"}}) // warms snapshot and client
	login()
	for _, s := range []struct {
		operation string
		most      int
		do        func() *http.Response
		keep      bool
	}{
		{"client credentials, JWT, with a proof", 1, func() *http.Response { return ask(url.Values{"grant_type": {"client_credentials"}}) }, false},
		{"token, authorization code, with a proof", 6, func() *http.Response { return ask(redemption(code)) }, true},
		{"introspection, bound JWT", 0, func() *http.Response {
			return b.token(t, "/token/introspect", url.Values{"token": {str("access_token")}})
		}, false},
		{"UserInfo, with a proof", 3, func() *http.Response {
			return b.call(t, "GET", b.issuer+"/userinfo", "", "", "Authorization", "DPoP "+str("access_token"),
				"DPoP", proofOf(t, k, "GET", b.issuer+"/userinfo", str("access_token")))
		}, false},
		{"token, refresh, with a proof", 6, func() *http.Response {
			return ask(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {str("refresh_token")}})
		}, true},
	} {
		b.counter.since()
		r := s.do()
		sent := b.counter.since()
		m := members(t, r)
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v", s.operation, r.StatusCode, m)
		}
		if len(sent) > s.most {
			t.Errorf("%s: %d statements, at most %d are allowed:\n%s", s.operation, len(sent), s.most, strings.Join(sent, "\n"))
		}
		t.Logf("%-40s %d of %d", s.operation, len(sent), s.most)
		if s.keep {
			tokens = m
		}
	}
}
