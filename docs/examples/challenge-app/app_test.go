package main

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeIssuer answers the calls of the challenge with the next of its answers, and the others well.
type fakeIssuer struct {
	*httptest.Server
	answers []string // each with its status before it
	calls   []url.Values
	claims  string // of the ID token, where they are not right
}

func newIssuer(t *testing.T, answers ...string) *fakeIssuer {
	f := &fakeIssuer{answers: answers}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeIssuer) serve(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	if r.Method == http.MethodPost {
		f.calls = append(f.calls, r.PostForm)
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		fmt.Fprintf(w, `{"issuer":%q,"authorization_challenge_endpoint":"%[1]s/challenge","token_endpoint":"%[1]s/token","userinfo_endpoint":"%[1]s/userinfo"}`, f.URL)
	case "/challenge":
		status := 0
		_, _ = fmt.Sscanf(f.answers[0], "%d", &status)
		w.WriteHeader(status)
		_, body, _ := strings.Cut(f.answers[0], " ")
		fmt.Fprint(w, body)
		f.answers = f.answers[1:]
	case "/token":
		claims := f.claims
		if claims == "" {
			claims = fmt.Sprintf(`{"iss":%q,"sub":"u1","aud":"app","nonce":%q,"exp":%d}`, f.URL, f.calls[0].Get("nonce"), time.Now().Add(time.Minute).Unix())
		}
		fmt.Fprintf(w, `{"access_token":"at","refresh_token":"rt","id_token":"e30.%s.x"}`, base64.RawURLEncoding.EncodeToString([]byte(claims)))
	case "/userinfo":
		fmt.Fprint(w, `{"sub":"u1","name":"Alice"}`)
	}
}

func (f *fakeIssuer) app(typed string) *App {
	return &App{Issuer: f.URL, ClientID: "app", Scope: "openid", HTTP: f.Client(), Now: time.Now, Rand: rand.Reader,
		User: &terminal{in: bufio.NewReader(strings.NewReader(typed)), out: io.Discard}}
}

func TestSignIn(t *testing.T) {
	f := newIssuer(t, `401 {"error":"username_required","auth_session":"s1"}`, `401 {"error":"password_required","auth_session":"s2"}`,
		`401 {"error":"username_or_password_invalid","auth_session":"s3"}`, `401 {"error":"otp_required","auth_session":"s4"}`, `200 {"authorization_code":"c"}`)
	a := f.app("alice\nwrong\nalice\nright\n123456\n")
	tokens, err := a.SignIn(t.Context())
	if err != nil || tokens.Subject != "u1" {
		t.Fatal(tokens, err)
	}
	var got []string
	for _, call := range f.calls[1:] {
		for _, once := range []string{"client_id", "use_auth_session", "code_verifier"} {
			call.Del(once)
		}
		got = append(got, call.Encode())
	}
	want := []string{"auth_session=s1&username=alice", "auth_session=s2&password=wrong", "auth_session=s3&password=right&username=alice",
		"auth_session=s4&otp=123456", "code=c&grant_type=authorization_code"}
	if !slices.Equal(got, want) {
		t.Errorf("sent %q", got)
	}
	if first := f.calls[0]; first.Get("code_challenge_method") != "S256" || len(first.Get("code_challenge")) != 43 || first.Get("client_id") != "app" {
		t.Errorf("began with %v", first)
	}
	if tokens, err = a.Renew(t.Context(), tokens); err != nil || tokens.Subject != "u1" {
		t.Error(tokens, err)
	}
	if claims, err := a.UserInfo(t.Context(), tokens); err != nil || claims["name"] != "Alice" {
		t.Error(claims, err)
	}
	tokens.Subject = "u2"
	if claims, err := a.UserInfo(t.Context(), tokens); err == nil {
		t.Error("another user's claims:", claims)
	}
}

func TestRefused(t *testing.T) {
	const code = `200 {"authorization_code":"c"}`
	for _, tt := range []struct {
		rule, answer, claims, typed, want string
	}{
		{"the server says why", `401 {"error":"invalid_client","error_description":"no"}`, "", "", "refused: 401 invalid_client no"},
		{"the attempts are over", `401 {"error":"username_or_password_invalid"}`, "", "", "refused: 401 username_or_password_invalid"},
		{"a step that the app does not know", `401 {"error":"dance","auth_session":"s"}`, "", "", "refused: 401 dance"},
		{"nobody answers", `401 {"error":"username_required","auth_session":"s"}`, "", "", "nobody answers"},
		{"no JSON", `502 <html>`, "", "", "502, and no JSON"},
		{"another nonce", code, `{"iss":"ISSUER","sub":"u1","aud":"app","nonce":"x","exp":99999999999}`, "", "the ID token is not for this sign-in"},
		{"another app's", code, `{"iss":"ISSUER","sub":"u1","aud":"x","exp":99999999999}`, "", "the ID token is not for this sign-in"},
	} {
		f := newIssuer(t, tt.answer)
		f.claims = strings.ReplaceAll(tt.claims, "ISSUER", f.URL)
		if tokens, err := f.app(tt.typed).SignIn(t.Context()); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %+v, %v", tt.rule, tokens, err)
		}
	}
}
