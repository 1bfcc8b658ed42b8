package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// App is one app at one issuer.
type App struct {
	Issuer       string
	ClientID     string
	ClientSecret string // empty: the app is a public client
	Scope        string
	HTTP         *http.Client
	Now          func() time.Time
	Rand         io.Reader
	User         User

	metadata metadata
}

// User is whoever sits before the app.
type User interface {
	Ask(name string) (string, error)
	Tell(what string)
}

// metadata is what the issuer says of itself (RFC 8414).
type metadata struct {
	Issuer    string `json:"issuer"`
	Challenge string `json:"authorization_challenge_endpoint"`
	Token     string `json:"token_endpoint"`
	UserInfo  string `json:"userinfo_endpoint"`
}

// Tokens are what the app keeps of a sign-in. They belong into the store that the device has for secrets.
type Tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Subject string `json:"-"`
}

// answer is an answer of the authorization challenge endpoint.
type answer struct {
	Code        string `json:"authorization_code"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
	AuthSession string `json:"auth_session"`
}

// SignIn leads the user through the steps that the issuer asks for, and redeems the code at their end.
func (a *App) SignIn(ctx context.Context) (Tokens, error) {
	if err := a.discover(ctx); err != nil {
		return Tokens{}, err
	}
	verifier, nonce := a.random(), a.random()
	code, err := a.authenticate(ctx, verifier, nonce)
	if err != nil {
		return Tokens{}, err
	}
	tokens, err := a.exchange(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}})
	if err != nil || tokens.ID == "" {
		return tokens, err
	}
	tokens.Subject, err = a.check(tokens.ID, nonce)
	return tokens, err
}

// discover asks the issuer where its endpoints are.
func (a *App) discover(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Issuer+"/.well-known/openid-configuration", nil)
	if err != nil {
		return err
	}
	switch status, err := a.do(r, &a.metadata); {
	case err != nil:
		return err
	case status != http.StatusOK || a.metadata.Issuer != a.Issuer:
		return errors.New("there is no such issuer")
	case a.metadata.Challenge == "":
		return errors.New("the issuer has no authorization challenge endpoint")
	}
	return nil
}

// authenticate posts what the user is asked for, step by step, until there is a code.
func (a *App) authenticate(ctx context.Context, verifier, nonce string) (string, error) {
	sum := sha256.Sum256([]byte(verifier))
	form := url.Values{"response_type": {"code"}, "scope": {a.Scope}, "nonce": {nonce}, "use_auth_session": {"true"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	for {
		var next answer
		status, err := a.post(ctx, a.metadata.Challenge, form, &next)
		switch {
		case err != nil:
			return "", err
		case status == http.StatusOK && next.Code != "":
			return next.Code, nil
		case status != http.StatusUnauthorized || next.AuthSession == "":
			return "", refused(status, next.Error, next.Description)
		}
		// The newest auth_session stands for all that was sent before.
		form = url.Values{"auth_session": {next.AuthSession}, "use_auth_session": {"true"}}
		for _, name := range a.wanted(next.Error) {
			value, err := a.User.Ask(name)
			if err != nil {
				return "", err
			}
			form.Set(name, value)
		}
		if len(form) == 2 {
			return "", refused(status, next.Error, next.Description)
		}
	}
}

// wanted names what to ask the user for after an answer with that error code.
func (a *App) wanted(code string) []string {
	if name, missing := strings.CutSuffix(code, "_required"); missing {
		return []string{name}
	}
	if slices.Contains([]string{"username_invalid", "username_or_password_invalid"}, code) {
		a.User.Tell("The user name or the password is wrong.")
		return []string{"username", "password"}
	}
	if slices.Contains([]string{"otp_invalid", "username_or_otp_invalid"}, code) {
		a.User.Tell("The code is wrong, or was used before.")
		return []string{"otp"}
	}
	return nil
}

// exchange calls the token endpoint.
func (a *App) exchange(ctx context.Context, form url.Values) (Tokens, error) {
	var out struct {
		Tokens
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	status, err := a.post(ctx, a.metadata.Token, form, &out)
	if err == nil && (status != http.StatusOK || out.Access == "") {
		err = refused(status, out.Error, out.Description)
	}
	return out.Tokens, err
}

// Renew exchanges the refresh token for new tokens. The old ones are worthless then.
func (a *App) Renew(ctx context.Context, old Tokens) (Tokens, error) {
	tokens, err := a.exchange(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}})
	if tokens.Refresh == "" {
		tokens.Refresh = old.Refresh
	}
	tokens.Subject = old.Subject
	return tokens, err
}

// check returns who has signed in. The token came straight from the issuer, over TLS, so its signature need not be
// checked (OpenID Connect Core §3.1.3.7).
func (a *App) check(idToken, nonce string) (string, error) {
	segments := strings.Split(idToken, ".")
	if len(segments) != 3 {
		return "", errors.New("the ID token is none")
	}
	payload, err := base64.RawURLEncoding.DecodeString(segments[1])
	if err != nil {
		return "", errors.New("the ID token is none")
	}
	var claims struct {
		Issuer    string `json:"iss"`
		Subject   string `json:"sub"`
		Audience  string `json:"aud"`
		Nonce     string `json:"nonce"`
		ExpiresAt int64  `json:"exp"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", errors.New("the ID token is none")
	}
	if claims.Issuer != a.Issuer || claims.Audience != a.ClientID || claims.Nonce != nonce || claims.Subject == "" || a.Now().Unix() >= claims.ExpiresAt {
		return "", errors.New("the ID token is not for this sign-in")
	}
	return claims.Subject, nil
}

// UserInfo returns what the issuer tells of the user.
func (a *App) UserInfo(ctx context.Context, t Tokens) (map[string]any, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.metadata.UserInfo, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+t.Access)
	var claims map[string]any
	switch status, err := a.do(r, &claims); {
	case err != nil:
		return nil, err
	case status != http.StatusOK:
		return nil, refused(status, "", "")
	case t.Subject != "" && claims["sub"] != t.Subject:
		return nil, errors.New("the claims are another user's")
	}
	return claims, nil
}

// post sends a form as this client.
func (a *App) post(ctx context.Context, to string, form url.Values, out any) (int, error) {
	if a.ClientSecret == "" {
		form.Set("client_id", a.ClientID)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.ClientSecret != "" {
		r.SetBasicAuth(url.QueryEscape(a.ClientID), url.QueryEscape(a.ClientSecret))
	}
	return a.do(r, out)
}

// do makes a call and reads its JSON.
func (a *App) do(r *http.Request, out any) (int, error) {
	res, err := a.HTTP.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if wait := res.Header.Get("Retry-After"); res.StatusCode == http.StatusTooManyRequests && wait != "" {
		return 0, fmt.Errorf("too many attempts: try again in %s s", wait)
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return 0, fmt.Errorf("%d, and no JSON", res.StatusCode)
	}
	return res.StatusCode, nil
}

// random is a verifier (RFC 7636 §4.1) or a nonce: 256 random bits.
func (a *App) random() string {
	b := make([]byte, 32)
	_, _ = io.ReadFull(a.Rand, b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func refused(status int, code, description string) error {
	return errors.New(strings.TrimSpace(fmt.Sprintf("refused: %d %s %s", status, code, description)))
}
