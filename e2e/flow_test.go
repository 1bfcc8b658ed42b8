package e2e

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// prompt is an answer of the authorisation-session API, in any version.
type prompt struct {
	Type       string `json:"type"`
	SID        string `json:"sid"`
	SubSession struct {
		SID string `json:"sid"`
		Sub string `json:"sub"`
	} `json:"sub_session"`
	Mode       string `json:"mode"`
	Parameters struct {
		URI  string            `json:"uri"`
		Form map[string]string `json:"form"`
	} `json:"parameters"`
	SubSID string `json:"sub_sid"`
	Error  string `json:"error"`
}

// verifier and challenge are a PKCE pair.
var (
	verifier  = rand.Text() + rand.Text()
	challenge = s256(verifier)
)

func s256(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// request is an authorization request of c with PKCE. pairs replace its parameters; an empty value leaves one out.
func (c *client) request(pairs ...string) url.Values {
	q := params("response_type", "code", "client_id", c.ID, "redirect_uri", c.RedirectURIs[0], "scope", "openid profile email offline_access",
		"state", "the state", "nonce", "the nonce", "code_challenge", challenge, "code_challenge_method", "S256")
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return q
}

// grantAll is consent to all that was asked, with a refresh token.
var grantAll = map[string]any{"scope": []string{"*"}, "claims": []string{"*"}, "long_lived": true, "issue_refresh_token": true}

const sessionsV1 = "/authz-sessions/rest/v1"

// start begins an authorisation session, version 1.
func (x *tenant) start(t testing.TB, query url.Values, subSID string) reply {
	t.Helper()
	in := map[string]string{"query": query.Encode()}
	if subSID != "" {
		in["sub_sid"] = subSID
	}
	return x.api(t, http.MethodPost, sessionsV1, object(in))
}

// put answers the prompt that r is.
func (x *tenant) put(t testing.TB, r reply, answer any) reply {
	t.Helper()
	var p prompt
	r.want(t, "200").read(t, &p)
	return x.api(t, http.MethodPut, sessionsV1+"/"+p.SID, object(answer))
}

// authorize goes through an authorisation session, version 1, for the tenant's user, and returns the parameters of the
// response that the client gets.
func (x *tenant) authorize(t testing.TB, query url.Values) url.Values {
	t.Helper()
	r := x.start(t, query, "")
	for range 2 {
		if r.StatusCode != http.StatusOK {
			break
		}
		var p prompt
		r.read(t, &p)
		if p.Type == "auth" {
			r = x.put(t, r, map[string]any{"sub": x.User.Subject, "amr": []string{"pwd"}})
		} else {
			r = x.put(t, r, grantAll)
		}
	}
	return x.response(t, r)
}

// response returns the parameters of the response that r sends to the client.
func (x *tenant) response(t testing.TB, r reply) url.Values {
	t.Helper()
	r.want(t, "302", "303")
	u, err := url.Parse(r.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	secret(u.Query().Get("code"))
	return u.Query()
}

// code returns an authorization code for c.
func (x *tenant) code(t testing.TB, c *client, pairs ...string) string {
	t.Helper()
	v := x.authorize(t, c.request(pairs...))
	if v.Get("code") == "" {
		t.Fatal("no code:", v)
	}
	return v.Get("code")
}

// tokens is a token response.
type tokens struct {
	Access    string `json:"access_token"`
	Type      string `json:"token_type"`
	ExpiresIn int64  `json:"expires_in"`
	Refresh   string `json:"refresh_token"`
	ID        string `json:"id_token"`
	Scope     string `json:"scope"`
}

// token calls the token endpoint as c; a public client sends its id.
func (x *tenant) token(t testing.TB, c *client, pairs ...string) reply {
	t.Helper()
	if c.Secret == "" {
		return call(t, http.MethodPost, x.url("/token"), form(append(pairs, "client_id", c.ID)...))
	}
	return call(t, http.MethodPost, x.url("/token"), c.auth(), form(pairs...))
}

// issued reads the tokens that r issues.
func issued(t testing.TB, r reply) tokens {
	t.Helper()
	var k tokens
	r.want(t, "200").read(t, &k)
	secret(k.Access, k.Refresh, k.ID)
	return k
}

// redeem redeems a code of c.
func (x *tenant) redeem(t testing.TB, c *client, code string) reply {
	t.Helper()
	return x.token(t, c, "grant_type", "authorization_code", "code", code, "redirect_uri", c.RedirectURIs[0], "code_verifier", verifier)
}

// refresh redeems a refresh token of c.
func (x *tenant) refresh(t testing.TB, c *client, token string) reply {
	t.Helper()
	return x.token(t, c, "grant_type", "refresh_token", "refresh_token", token)
}

// tokens goes through the whole code flow.
func (x *tenant) tokens(t testing.TB, c *client, pairs ...string) tokens {
	t.Helper()
	return issued(t, x.redeem(t, c, x.code(t, c, pairs...)))
}

// introspect asks as the tenant's starter client about a token.
func (x *tenant) introspect(t testing.TB, token string) map[string]any {
	t.Helper()
	var m map[string]any
	call(t, http.MethodPost, x.url("/token/introspect"), x.Client.auth(), form("token", token)).want(t, "200").read(t, &m)
	return m
}

func (x *tenant) active(t testing.TB, token string) bool {
	t.Helper()
	return x.introspect(t, token)["active"] == true
}

// revoke revokes a token as c.
func (x *tenant) revoke(t testing.TB, c *client, token string) {
	t.Helper()
	call(t, http.MethodPost, x.url("/token/revoke"), c.auth(), form("token", token)).want(t, "200")
}

// claims decodes a JWT's header and payload, unverified.
func claims(t testing.TB, jwt string) (head, payload map[string]any) {
	t.Helper()
	segments := strings.Split(jwt, ".")
	if len(segments) != 3 {
		t.Fatalf("not a JWT: %d segments", len(segments))
	}
	for i, m := range []*map[string]any{&head, &payload} {
		b, err := base64.RawURLEncoding.DecodeString(segments[i])
		if err == nil {
			err = json.Unmarshal(b, m)
		}
		if err != nil {
			t.Fatal("not a JWT:", err)
		}
	}
	return head, payload
}
