package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestSignIn(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		answers []tokens // to polls, in order
		says    string
		err     string
	}{
		{"the user agrees", []tokens{{Error: "authorization_pending"}, {Access: "token"}}, `"sub": "alice"`, ""},
		{"the user denies", []tokens{{Error: "access_denied", Description: "no"}}, "", "access_denied: no"},
	} {
		mux := http.NewServeMux()
		s := httptest.NewServer(mux)
		answer := func(path string, v func(r *http.Request) any) {
			mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { _ = json.NewEncoder(w).Encode(v(r)) })
		}
		answer("/.well-known/openid-configuration", func(*http.Request) any {
			return map[string]string{"device_authorization_endpoint": s.URL + "/d", "token_endpoint": s.URL + "/t", "userinfo_endpoint": s.URL + "/u"}
		})
		answer("/d", func(r *http.Request) any {
			if r.FormValue("client_id") != "tv" || r.FormValue("scope") != "openid" {
				t.Errorf("%s: asked with %v", tt.rule, r.Form)
			}
			return authorization{DeviceCode: "code", UserCode: "WDJB-MJHT", URI: s.URL + "/device", Complete: s.URL + "/device?user_code=WDJB-MJHT", ExpiresIn: 60, Interval: 1}
		})
		n := 0
		answer("/t", func(*http.Request) any { n++; return tt.answers[n-1] })
		answer("/u", func(r *http.Request) any {
			return map[string]string{"sub": "alice", "by": r.Header.Get("Authorization")}
		})
		var out bytes.Buffer
		err := (&device{issuer: s.URL, id: "tv", http: s.Client(), out: &out}).signIn(context.Background(), "openid")
		if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%s: %v", tt.rule, err)
		}
		if text := out.String(); !strings.Contains(text, "enter the code WDJB-MJHT") || !strings.Contains(text, "█") || !strings.Contains(text, tt.says) {
			t.Errorf("%s: shown is\n%s", tt.rule, text)
		}
		s.Close()
	}
}
