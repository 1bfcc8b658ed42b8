package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// app signs people in. It keeps what it began until the browser comes back.
type app struct {
	providers []provider
	http      *http.Client
	now       func() time.Time

	mu       sync.Mutex
	attempts map[string]attempt // by state
}

// attempt is one sign-in on its way.
type attempt struct {
	provider        provider
	metadata        metadata
	nonce, verifier string
	begun           time.Time
}

// metadata is what this application needs of a provider's (OpenID Connect Discovery 1.0 §3).
type metadata struct {
	Issuer    string `json:"issuer"`
	Authorize string `json:"authorization_endpoint"`
	Token     string `json:"token_endpoint"`
	UserInfo  string `json:"userinfo_endpoint"`
	JWKS      string `json:"jwks_uri"`
}

// most is how many sign-ins may be on their way, and patience how long each may take.
const (
	most     = 1000
	patience = 15 * time.Minute
)

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /login/{tenant}", a.login)
	mux.HandleFunc("GET /cb", a.callback)
	return mux
}

func (a *app) home(w http.ResponseWriter, _ *http.Request) {
	show(w, http.StatusOK, "home", a.providers)
}

// login sends the browser to the provider with a fresh state, nonce and code challenge.
func (a *app) login(w http.ResponseWriter, r *http.Request) {
	for _, p := range a.providers {
		if p.ID != r.PathValue("tenant") {
			continue
		}
		var m metadata
		if err := a.get(r.Context(), p.Issuer+"/.well-known/openid-configuration", "", &m); err != nil || m.Issuer != p.Issuer {
			fail(w, fmt.Errorf("the provider cannot be reached, or is another: %w", err))
			return
		}
		state, at := rand.Text(), attempt{provider: p, metadata: m, nonce: rand.Text(), verifier: rand.Text() + rand.Text(), begun: a.now()}
		if !a.keep(state, at) {
			fail(w, errors.New("too many sign-ins are on their way"))
			return
		}
		// The state is tied to this browser, so that nobody can be signed in with another's code.
		http.SetCookie(w, &http.Cookie{Name: "state", Value: state, Path: "/cb", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(patience.Seconds())})
		sum := sha256.Sum256([]byte(at.verifier))
		http.Redirect(w, r, m.Authorize+"?"+url.Values{
			"response_type": {"code"}, "client_id": {p.Client.ID}, "redirect_uri": {p.Client.RedirectURIs[0]}, "scope": {"openid profile email"}, "state": {state},
			"nonce": {at.nonce}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}.Encode(), http.StatusSeeOther)
		return
	}
	http.NotFound(w, r)
}

// keep remembers an attempt, and forgets those that took too long.
func (a *app) keep(state string, at attempt) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for s, old := range a.attempts {
		if a.now().Sub(old.begun) > patience {
			delete(a.attempts, s)
		}
	}
	if len(a.attempts) >= most {
		return false
	}
	a.attempts[state] = at
	return true
}

// callback takes the authorization response (RFC 6749 §4.1.2, RFC 9207).
func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	a.mu.Lock()
	at, ok := a.attempts[q.Get("state")]
	delete(a.attempts, q.Get("state"))
	a.mu.Unlock()
	cookie, err := r.Cookie("state")
	if !ok || err != nil || cookie.Value != q.Get("state") || a.now().Sub(at.begun) > patience {
		fail(w, errors.New("this browser did not begin that sign-in"))
		return
	}
	if q.Get("iss") != at.metadata.Issuer {
		fail(w, errors.New("the answer comes from another issuer"))
		return
	}
	if q.Has("error") {
		fail(w, fmt.Errorf("the provider says %s", q.Get("error")))
		return
	}
	page, err := a.redeem(r.Context(), at, q.Get("code"))
	if err != nil {
		fail(w, err)
		return
	}
	show(w, http.StatusOK, "person", page)
}

// person is who signed in, as the provider tells it.
type person struct {
	Issuer            string
	IDToken, UserInfo string
}

// redeem exchanges the code, checks the ID token and asks UserInfo.
func (a *app) redeem(ctx context.Context, at attempt, code string) (person, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {at.provider.Client.RedirectURIs[0]}, "code_verifier": {at.verifier}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.metadata.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return person{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(at.provider.Client.ID), url.QueryEscape(at.provider.Client.Secret))
	var tokens struct {
		AccessToken string `json:"access_token"`
		IDToken     string `json:"id_token"`
	}
	if err := a.do(req, &tokens); err != nil {
		return person{}, err
	}
	claims, err := a.verify(ctx, at, tokens.IDToken)
	if err != nil {
		return person{}, err
	}
	var info map[string]any
	if err := a.get(ctx, at.metadata.UserInfo, tokens.AccessToken, &info); err != nil {
		return person{}, err
	}
	if info["sub"] != claims["sub"] {
		return person{}, errors.New("UserInfo is about somebody else")
	}
	return person{Issuer: at.metadata.Issuer, IDToken: pretty(claims), UserInfo: pretty(info)}, nil
}

func (a *app) get(ctx context.Context, url, token string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return a.do(req, v)
}

// do sends a request and reads its JSON answer of at most 1 MiB.
func (a *app) do(req *http.Request, v any) error {
	resp, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d %s", req.URL.Path, resp.StatusCode, text)
	}
	return json.Unmarshal(text, v)
}

func pretty(v any) string {
	text, _ := json.MarshalIndent(v, "", "  ") // came from JSON
	return string(text)
}

//go:embed pages.html
var files embed.FS

var pages = template.Must(template.ParseFS(files, "pages.html"))

func show(w http.ResponseWriter, status int, page string, data any) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = pages.ExecuteTemplate(w, page, data) // the browser is gone
}

func fail(w http.ResponseWriter, err error) { show(w, http.StatusBadRequest, "problem", err.Error()) }
