package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestBudgetAssertion counts what a client's assertion adds to a request: one statement, that it was used.
func TestBudgetAssertion(t *testing.T) {
	b := newBench(t)
	registered := members(t, b.call(t, http.MethodPost, b.issuer+"/clients", jsonType, `{"token_endpoint_auth_method":"client_secret_jwt",
		"grant_types":["client_credentials"],"response_types":[]}`, "Authorization", "Bearer "+b.acme.APIToken))
	id, secret := fmt.Sprint(registered["client_id"]), fmt.Sprint(registered["client_secret"])
	token := func(jti string) *http.Response {
		claims, err := json.Marshal(map[string]any{"iss": id, "sub": id, "aud": b.issuer, "exp": time.Now().Add(time.Minute).Unix(), "jti": jti})
		if err != nil {
			t.Fatal(err)
		}
		input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(input))
		return b.call(t, http.MethodPost, b.issuer+"/token", formType, url.Values{"grant_type": {"client_credentials"},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))}}.Encode())
	}
	token("0") // warms snapshot and client
	for _, s := range []struct {
		operation, jti string
		status         int
	}{
		{"client credentials", "1", http.StatusOK},
		{"the same assertion again", "1", http.StatusUnauthorized},
	} {
		b.counter.since()
		r := token(s.jti)
		if sent := b.counter.since(); r.StatusCode != s.status || len(sent) != 1 {
			t.Errorf("%s: %d, %d statements:\n%s", s.operation, r.StatusCode, len(sent), strings.Join(sent, "\n"))
		}
	}
}
