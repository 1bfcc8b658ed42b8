package token

import (
	"crypto/ecdsa"
	curves "crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var b64 = base64.RawURLEncoding.EncodeToString

// A signer signs JWTs; its JWK set has one key, of the kid "k".
type signer struct{ key *ecdsa.PrivateKey }

func newSigner(t testing.TB) signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(curves.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{k}
}

func (s signer) jwks() string {
	c := func(n *big.Int) string { return b64(n.FillBytes(make([]byte, 32))) }
	return `{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"` + c(s.key.X) + `","y":"` + c(s.key.Y) + `"}]}`
}

// jwt is a compact JWS of that header with those claims; nil takes one away.
func (s signer) jwt(header string, claims map[string]any) string {
	claims = maps.Clone(claims)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	b, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	input := b64([]byte(header)) + "." + b64(b)
	sum := sha256.Sum256([]byte(input))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		panic(err)
	}
	return input + "." + b64(append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...))
}

const (
	es256   = `{"alg":"ES256","kid":"k","typ":"JWT"}`
	partner = "https://partner.example"
)

var jtis atomic.Int64

// with are the claims of a good JWT of the partner about bob, some changed.
func (w *world) with(changed map[string]any) map[string]any {
	c := map[string]any{"iss": partner, "sub": "bob", "aud": w.tenant.Issuer, "exp": w.now.Add(5 * time.Minute).Unix(), "iat": w.now.Unix(), "jti": fmt.Sprint(jtis.Add(1))}
	maps.Copy(c, changed)
	return c
}

// trusting is a world that trusts a partner with both uses.
func trusting(t *testing.T) (*world, signer) {
	t.Helper()
	w, s := exchanging(t), newSigner(t)
	g := &w.tenant.Settings.Grants
	g.JWTBearer.Enabled, g.TokenExchange.Delegation = true, true
	g.Issuers = []tenant.TrustedIssuer{{Issuer: partner, JWKS: json.RawMessage(s.jwks())}}
	return w, s
}

const badAssertion = "invalid_grant: the assertion is invalid, expired, already used or not for this server"

func TestJWTsOfTrustedIssuers(t *testing.T) {
	at := func(d time.Duration) any { return noon.Add(d).Unix() }
	for _, c := range []struct {
		rule     string
		header   string
		claims   map[string]any
		issuer   func(*tenant.TrustedIssuer)
		bearer   bool // it is a grant
		exchange bool // it is a subject token
	}{
		{"a good one", es256, nil, nil, true, true},
		{"without typ", `{"alg":"ES256","kid":"k"}`, nil, nil, true, true},
		{"an access token of theirs", `{"alg":"ES256","kid":"k","typ":"at+jwt"}`, nil, nil, true, true},
		{"of a typ that the tenant lists", `{"alg":"ES256","kid":"k","typ":"oauth-id-jag+jwt"}`, nil, func(i *tenant.TrustedIssuer) { i.Types = []string{"oauth-id-jag+jwt"} }, true, true},
		{"the audience in an array", es256, map[string]any{"aud": []string{"https://id.acme.example"}}, nil, true, true},
		{"an audience that was agreed", es256, map[string]any{"aud": "urn:acme"}, func(i *tenant.TrustedIssuer) { i.Audience = []string{"urn:acme"} }, true, true},
		{"another subject claim", es256, map[string]any{"sub": nil, "email": "bob"}, func(i *tenant.TrustedIssuer) { i.SubjectClaim = "email" }, true, true},
		{"exp a day ahead", es256, map[string]any{"exp": at(24 * time.Hour)}, nil, false, true},
		{"exp as far ahead as was agreed", es256, map[string]any{"exp": at(time.Hour)}, func(i *tenant.TrustedIssuer) { i.MaxLife = 3600 }, true, true},
		{"nbf 10 s ahead", es256, map[string]any{"nbf": at(10 * time.Second)}, nil, true, true},
		{"without iat and jti", es256, map[string]any{"iat": nil, "jti": nil}, nil, false, true},
		{"for others too", es256, map[string]any{"aud": []string{"https://id.acme.example", "urn:other"}}, nil, false, true},
		{"for the token endpoint", es256, map[string]any{"aud": "https://id.acme.example/token"}, nil, true, false},
		{"trusted as grants", es256, nil, func(i *tenant.TrustedIssuer) { i.Uses = []string{tenant.UseBearer} }, true, false},
		{"trusted with exchanges", es256, nil, func(i *tenant.TrustedIssuer) { i.Uses = []string{tenant.UseExchange} }, false, true},
		{"trusted with this client", es256, nil, func(i *tenant.TrustedIssuer) { i.Clients = []string{"shop"} }, true, true},
		{"of an account", es256, nil, func(i *tenant.TrustedIssuer) { i.Accounts = true }, true, true},

		{"trusted with other clients", es256, nil, func(i *tenant.TrustedIssuer) { i.Clients = []string{"other"} }, false, false},
		{"of no account", es256, map[string]any{"sub": "carol"}, func(i *tenant.TrustedIssuer) { i.Accounts = true }, false, false},
		{"exp past the longest", es256, map[string]any{"exp": at(24*time.Hour + time.Second)}, nil, false, false},
		{"past exp", es256, map[string]any{"exp": at(0)}, nil, false, false},
		{"no exp", es256, map[string]any{"exp": nil}, nil, false, false},
		{"exp as text", es256, map[string]any{"exp": "1772366700"}, nil, false, false},
		{"exp out of range", es256, map[string]any{"exp": json.RawMessage("1e400")}, nil, false, false},
		{"exp negative", es256, map[string]any{"exp": -1}, nil, false, false},
		{"nbf 61 s ahead", es256, map[string]any{"nbf": at(61 * time.Second)}, nil, false, false},
		{"iat 61 s ahead", es256, map[string]any{"iat": at(61 * time.Second)}, nil, false, false},
		{"another issuer", es256, map[string]any{"iss": "https://evil.example"}, nil, false, false},
		{"our issuer", es256, map[string]any{"iss": "https://id.acme.example"}, nil, false, false},
		{"an issuer that goes on", es256, map[string]any{"iss": partner + "/"}, nil, false, false},
		{"no issuer", es256, map[string]any{"iss": nil}, nil, false, false},
		{"another audience", es256, map[string]any{"aud": "https://globex.example"}, nil, false, false},
		{"no audience", es256, map[string]any{"aud": nil}, nil, false, false},
		{"an empty audience", es256, map[string]any{"aud": []string{}}, nil, false, false},
		{"an audience with a number", es256, map[string]any{"aud": []any{"https://id.acme.example", 1}}, nil, false, false},
		{"no subject", es256, map[string]any{"sub": nil}, nil, false, false},
		{"a subject that is a number", es256, map[string]any{"sub": 7}, nil, false, false},
		{"a subject that is this client", es256, map[string]any{"sub": "shop"}, nil, false, false},
		{"a subject that is another client", es256, map[string]any{"sub": "web"}, nil, false, false},
		{"a subject that is another client by its prefix", es256, map[string]any{"sub": "b"}, func(i *tenant.TrustedIssuer) { i.SubjectPrefix = "we" }, false, false},
		{"a subject that could become a client", es256, map[string]any{"sub": "c_0123456789abcdefghijkl"}, nil, false, false},
		{"a subject with a line break", es256, map[string]any{"sub": "a\nb"}, nil, false, false},
		{"a long subject", es256, map[string]any{"sub": strings.Repeat("x", 256)}, nil, false, false},
		{"a DPoP proof", `{"alg":"ES256","kid":"k","typ":"dpop+jwt"}`, nil, nil, false, false},
		{"a logout token", `{"alg":"ES256","kid":"k","typ":"logout+jwt"}`, nil, nil, false, false},
		{"none", `{"alg":"none","kid":"k","typ":"JWT"}`, nil, nil, false, false},
		{"another algorithm than its own", es256, nil, func(i *tenant.TrustedIssuer) { i.Algs = []string{"PS256"} }, false, false},
		{"an unknown key", `{"alg":"ES256","kid":"x"}`, nil, nil, false, false},
		{"an embedded key", `{"alg":"ES256","kid":"k","jwk":{}}`, nil, nil, false, false},
		{"crit", `{"alg":"ES256","kid":"k","crit":["x"]}`, nil, nil, false, false},
		{"bound to a key that is not proved", es256, map[string]any{"cnf": map[string]any{"jkt": "key"}}, nil, false, false},
		{"bound in a way that we do not know", es256, map[string]any{"cnf": map[string]any{"jwk": map[string]any{}}}, nil, false, false},
		{"scope that is a list", es256, map[string]any{"scope": []string{"a"}}, nil, false, false},
		{"may_act without a name", es256, map[string]any{"may_act": map[string]any{"x": 1}}, nil, false, false},
		{"a long chain", es256, map[string]any{"act": json.RawMessage(strings.Repeat(`{"sub":"x","act":`, 9) + `{"sub":"x"}` + strings.Repeat("}", 9))}, nil, false, false},
	} {
		for _, use := range []string{tenant.UseBearer, tenant.UseExchange} {
			w, s := trusting(t)
			if c.issuer != nil {
				c.issuer(&w.tenant.Settings.Grants.Issuers[0])
			}
			jwt := s.jwt(c.header, w.with(c.claims))
			var out grant.Tokens
			var err error
			want := c.bearer
			if use == tenant.UseBearer {
				out, err = w.ask("shop", "grant_type", oauth.JWTBearer, "assertion", jwt, "scope", "a")
			} else {
				want = c.exchange
				out, err = w.swap("shop", oauth.TypeJWT, jwt, "scope", "a")
			}
			if (err == nil) != want {
				t.Errorf("%s: %s: %v", use, c.rule, err)
				continue
			}
			if err != nil {
				if code := oauth.ErrorOf(err).Code; code != "invalid_grant" && code != "invalid_request" && code != "invalid_dpop_proof" || len(w.store.events) > 0 {
					t.Errorf("%s: %s: %v, %v", use, c.rule, err, w.store.events)
				}
				continue
			}
			got := w.claims(jwtAccess, out.AccessToken)
			if got["sub"] != "bob" || got["scope"] != "a" || got["client_id"] != "shop" || w.store.grants[got["gid"].(string)] == nil {
				t.Errorf("%s: %s: %v", use, c.rule, got)
			}
			act := any(nil)
			if use == tenant.UseExchange {
				act = map[string]any{"sub": "shop"}
			}
			if d := cmp.Diff(act, got["act"]); d != "" {
				t.Errorf("%s: %s: act %s", use, c.rule, d)
			}
		}
	}
}

func TestWhatAnAssertionIsWorth(t *testing.T) {
	for _, c := range []struct {
		rule   string
		claims map[string]any
		issuer func(*tenant.TrustedIssuer)
		params []string
		want   string
		scope  string
		id     bool
	}{
		{"what the client registered", nil, nil, nil, "", "openid a b", true},
		{"what is asked for", nil, nil, []string{"scope", "a"}, "", "a", false},
		{"no more than the client registered", nil, nil, []string{"scope", "a c"}, "", "a", false},
		{"nothing that it did not", nil, nil, []string{"scope", "c"}, "invalid_scope: the client may not ask for this scope", "", false},
		{"what the tenant allows its issuer", nil, func(i *tenant.TrustedIssuer) { i.Scope = []string{"b", "c"} }, nil, "", "b", false},
		{"nothing else", nil, func(i *tenant.TrustedIssuer) { i.Scope = []string{"b"} }, []string{"scope", "a"}, "invalid_scope: the client may not ask for this scope", "", false},
		{"what it says itself", map[string]any{"scope": "a z"}, nil, nil, "", "a", false},
		{"a resource of the client", nil, nil, []string{"resource", "urn:two", "scope", "a"}, "", "a", false},
		{"no other", nil, nil, []string{"resource", "urn:three"}, ungranted, "", false},
	} {
		w, s := trusting(t)
		if c.issuer != nil {
			c.issuer(&w.tenant.Settings.Grants.Issuers[0])
		}
		out, err := w.ask("shop", append([]string{"grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(c.claims))}, c.params...)...)
		if said(err) != c.want || out.Scope.String() != c.scope || (out.IDToken != "") != c.id || out.RefreshToken != "" {
			t.Errorf("%s: %q %+v", c.rule, said(err), out)
		}
	}
}

func TestAnAssertionIsAGrantOnce(t *testing.T) {
	w, s := trusting(t)
	g := &w.tenant.Settings.Grants
	g.Issuers = append(g.Issuers, tenant.TrustedIssuer{Issuer: "https://second.example", JWKS: g.Issuers[0].JWKS})
	ask := func(claims map[string]any) string {
		_, err := w.ask("shop", "grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(claims)))
		return said(err)
	}
	for _, c := range []struct {
		rule   string
		claims map[string]any
		want   string
	}{
		{"the first use", map[string]any{"jti": "1"}, ""},
		{"the same", map[string]any{"jti": "1"}, badAssertion},
		{"the same about another", map[string]any{"jti": "1", "sub": "carol"}, badAssertion},
		{"another", map[string]any{"jti": "2"}, ""},
		{"the same of another issuer", map[string]any{"jti": "1", "iss": "https://second.example"}, ""},
		{"of a disabled subject", map[string]any{"jti": "3", "sub": "mallory"}, "invalid_grant: what was presented no longer stands"},
	} {
		w.store.disabled["mallory"] = true
		if got := ask(c.claims); got != c.want {
			t.Errorf("%s: %q", c.rule, got)
		}
	}
	w.store.down["UseOnce"] = errors.New("down")
	if got := ask(nil); got != "temporarily_unavailable: The service is temporarily unavailable" {
		t.Error("its use cannot be recorded:", got)
	}
}

func TestKeysBehindAURI(t *testing.T) {
	w, s := trusting(t)
	i := &w.tenant.Settings.Grants.Issuers[0]
	i.JWKS, i.JWKSURI = nil, "https://partner.example/jwks"
	ask := func() string {
		_, err := w.ask("shop", "grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(nil)))
		return said(err)
	}
	w.jwks = func() (string, error) { return "", errors.New("down") }
	if got := ask(); got != "temporarily_unavailable: The service is temporarily unavailable" {
		t.Error("keys that cannot be had are no reason to give up:", got)
	}
	w.now = w.now.Add(time.Minute)
	w.jwks = func() (string, error) { return s.jwks(), nil }
	if got := ask(); got != "" {
		t.Error(got)
	}
}

func TestAClientAssertsItself(t *testing.T) {
	own := func(changed map[string]any) map[string]any {
		c := map[string]any{"iss": "shop", "sub": "shop"}
		maps.Copy(c, changed)
		return c
	}
	for _, c := range []struct {
		rule   string
		claims map[string]any
		change func(*tenant.Client)
		params []string
		want   string
		scope  string
	}{
		{"about itself", own(nil), nil, nil, "", "a b"},
		{"for what needs a subject", own(nil), nil, []string{"scope", "openid"}, "invalid_scope: the client may not ask for this scope", ""},
		{"about another", own(map[string]any{"sub": "alice"}), nil, nil, badAssertion, ""},
		{"for another server", own(map[string]any{"aud": "https://globex.example"}), nil, nil, badAssertion, ""},
		{"without jti", own(map[string]any{"jti": nil}), nil, nil, badAssertion, ""},
		{"for somebody who acts", own(map[string]any{"act": map[string]any{"sub": "x"}}), nil, nil, badAssertion, ""},
		{"for long", own(map[string]any{"exp": noon.Add(11 * time.Minute).Unix()}), nil, nil, badAssertion, ""},
		{"without keys", own(nil), func(c *tenant.Client) { c.JWKS = nil }, nil, badAssertion, ""},
		{"although it is public", own(nil), func(c *tenant.Client) { c.TokenEndpointAuthMethod = oauth.AuthNone }, nil, badAssertion, ""},
	} {
		w, s := trusting(t)
		w.clients["shop"].JWKS = json.RawMessage(s.jwks())
		if c.change != nil {
			c.change(w.clients["shop"])
		}
		out, err := w.ask("shop", append([]string{"grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(c.claims))}, c.params...)...)
		if said(err) != c.want || out.Scope.String() != c.scope {
			t.Errorf("%s: %q (%v), %+v", c.rule, said(err), err, out)
			continue
		}
		if err == nil {
			if got := w.claims(jwtAccess, out.AccessToken); got["sub"] != "shop" || got["gid"] != nil || out.IDToken != "" || out.RefreshToken != "" {
				t.Errorf("%s: %v, %+v", c.rule, got, out)
			}
		}
	}
}

func TestSubjectsOfTwoIssuersAreToldApart(t *testing.T) {
	w, s := trusting(t)
	w.tenant.Settings.Grants.Issuers[0].SubjectPrefix = "partner:"
	out, err := w.ask("shop", "grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(nil)))
	if err != nil || w.claims(jwtAccess, out.AccessToken)["sub"] != "partner:bob" {
		t.Error(out, err)
	}
}

// S76: what could be a client's id depends on the tenant.
func TestSubjectsThatMightBeClients(t *testing.T) {
	for _, c := range []struct {
		rule, sub, prefix string
		documents         bool
		want              string
	}{
		{"a client's id behind a prefix", "web", "partner:", false, ""},
		{"a URL, where no document describes a client", "https://app.example/client", "", false, ""},
		{"a URL, where one may", "https://app.example/client", "", true, badAssertion},
	} {
		w, s := trusting(t)
		w.tenant.Settings.Grants.Issuers[0].SubjectPrefix, w.tenant.Settings.Documents.Enabled = c.prefix, c.documents
		out, err := w.ask("shop", "grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(map[string]any{"sub": c.sub})))
		if said(err) != c.want {
			t.Errorf("%s: %q", c.rule, said(err))
		} else if err == nil && w.claims(jwtAccess, out.AccessToken)["sub"] != c.prefix+c.sub {
			t.Errorf("%s: %+v", c.rule, out)
		}
	}
}

func TestAHookDecidesAboutAssertions(t *testing.T) {
	w, s := trusting(t)
	h := w.hook(tenant.HookJWTBearer, `{"action":"allow","scope":"a","acr":"2","access_token":{"claims":{"role":"x"}}}`)
	out, err := w.ask("shop", "grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(map[string]any{"dept": "9"})))
	if err != nil {
		t.Fatal(err)
	}
	if got := w.claims(jwtAccess, out.AccessToken); got["scope"] != "a" || got["acr"] != "2" || got["role"] != "x" || got["sub"] != "bob" {
		t.Error(got)
	}
	told, _ := h.events[0].Facts["assertion"].(map[string]any)
	if told["iss"] != partner || !strings.Contains(fmt.Sprintf("%s", told["claims"]), `"dept":"9"`) {
		t.Error(told)
	}
}

func FuzzParseForeign(f *testing.F) {
	s := newSigner(f)
	for _, claims := range []map[string]any{
		{"iss": partner, "aud": "x", "exp": 1772366700}, {"iss": partner, "aud": []string{"x"}, "exp": 1, "act": map[string]any{"sub": "a", "act": map[string]any{"client_id": "b"}}},
		{"iss": partner, "aud": "x", "exp": 1.5, "cnf": map[string]any{"jkt": "k"}, "scope": "a b", "may_act": map[string]any{"sub": "x"}},
	} {
		parts := strings.Split(s.jwt(es256, claims), ".")
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		x, err := parseForeign(b64([]byte(es256)) + "." + b64(payload) + "." + b64([]byte("signature")))
		if err != nil {
			return
		}
		if x.iss == "" || len(x.aud) == 0 || x.exp.IsZero() || depth(x.act) > maxChain || depth(x.mayAct) > maxChain {
			t.Errorf("%+v", x)
		}
	})
}
