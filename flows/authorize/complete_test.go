package authorize

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
)

// consent answers the consent step of a request of alice with more parameters.
func (h *house) consent(t *testing.T, query string, c Consent) (Result, error) {
	t.Helper()
	res := h.login(t, h.begin(t, query, ""), "alice", nil)
	return h.Complete(context.Background(), h.t, h.pending(t, res), c)
}

func TestTerms(t *testing.T) {
	const verified = `claims={"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"birthdate":null}}},"userinfo":{"verified_claims":[{"verification":{"trust_framework":{"value":"x"}},"claims":{"name#es":{"essential":true}}}]}}`
	inIDToken := json.RawMessage(`{"verification":{"trust_framework":null},"claims":{"birthdate":null}}`)
	inUserInfo := json.RawMessage(`[{"verification":{"trust_framework":{"value":"x"}},"claims":{"name#es":{"essential":true}}}]`)
	const claims = `claims={"id_token":{"name":null},"userinfo":{"nickname":null,"name#es":null}}`
	preset := map[string]json.RawMessage{"group": json.RawMessage(`"a"`)}
	yes := true
	for _, tt := range []struct {
		rule, query string
		c           Consent
		want        grant.Terms // beside what every one of them says
	}{
		{"nothing", "", Consent{}, grant.Terms{}},
		{"less than was asked", "", Consent{Scope: oauth.Scope{"openid"}}, grant.Terms{Scope: oauth.Scope{"openid"}, IDToken: grant.IDTerms{Issue: true}}},
		{"more than was asked", "", Consent{Scope: oauth.Scope{"email", "admin"}}, grant.Terms{Scope: oauth.Scope{"email", "admin"}}},
		{"all that was asked", "", Consent{Scope: oauth.Scope{"*"}}, grant.Terms{Scope: oauth.Scope{"openid", "email"}, IDToken: grant.IDTerms{Issue: true}}},
		{"all that was asked, and more", "", Consent{Scope: oauth.Scope{"admin", "*", "email"}}, grant.Terms{Scope: oauth.Scope{"admin", "openid", "email"}, IDToken: grant.IDTerms{Issue: true}}},
		{"claims go to UserInfo", "", Consent{Claims: []string{"email", "name#es", "email"}}, grant.Terms{Claims: []string{"email", "name#es"}}},
		{"unless they are asked of the ID token", claims, Consent{Claims: []string{"email", "name", "nickname"}},
			grant.Terms{Claims: []string{"email", "name", "nickname"}, IDTokenClaims: []string{"name"}}},
		{"or sent there", "", Consent{Claims: []string{"id_token:email"}}, grant.Terms{IDTokenClaims: []string{"email"}}},
		{"all claims", claims, Consent{Claims: []string{"*"}},
			grant.Terms{Claims: []string{"email", "email_verified", "name", "nickname"}, IDTokenClaims: []string{"name"}}},
		{"all claims into the ID token", "", Consent{Claims: []string{"id_token:*"}}, grant.Terms{IDTokenClaims: []string{"email", "email_verified"}}},
		{"verified claims, each where it is asked", verified, Consent{Claims: []string{"*"}},
			grant.Terms{Claims: []string{"email", "email_verified", "verified:name"}, IDTokenClaims: []string{"verified:birthdate"}, Verified: grant.Verified{UserInfo: inUserInfo, IDToken: inIDToken}}},
		{"verified claims sent elsewhere", verified, Consent{Claims: []string{"id_token:verified:name"}}, grant.Terms{IDTokenClaims: []string{"verified:name"}, Verified: grant.Verified{IDToken: inIDToken}}},
		{"verified claims that nobody asked for", "", Consent{Claims: []string{"verified:name"}}, grant.Terms{Claims: []string{"verified:name"}}},
		{"no verified claims", verified, Consent{Claims: []string{"email"}}, grant.Terms{Claims: []string{"email"}}},
		{"into access tokens, each where it is to go", "", Consent{Claims: []string{"access_token:email", "access_token:uip:name#es", "access_token:dat:dept", "email", "access_token:email"}},
			grant.Terms{Claims: []string{"email"}, AccessTokenClaims: []string{"email", "uip:name#es", "dat:dept"}}},
		{"not because a client calls a claim so", `claims={"userinfo":{"access_token:dept":null,"id_token:dept":null,"dept":null}}`, Consent{Claims: []string{"*"}},
			grant.Terms{Claims: []string{"dept", "email", "email_verified"}}},
		{"the requested resources are the audience", "resource=urn%3Aa&resource=urn%3Ab", Consent{}, grant.Terms{Audience: []string{"urn:a", "urn:b"}}},
		{"unless the answer names another", "resource=urn%3Aa", Consent{Audience: []string{"urn:c"}}, grant.Terms{Audience: []string{"urn:c"}}},
		{"or none", "resource=urn%3Aa", Consent{Audience: []string{}}, grant.Terms{Audience: []string{}}},
		{"the requested languages", "claims_locales=es+en", Consent{}, grant.Terms{ClaimsLocales: []string{"es", "en"}}},
		{"or others", "claims_locales=es", Consent{ClaimsLocales: []string{"bg"}}, grant.Terms{ClaimsLocales: []string{"bg"}}},
		{"everything else as it is", "", Consent{PresetIDToken: preset, PresetUserInfo: preset, Offline: true, LongLived: true, Data: json.RawMessage(`{"a":1}`), ClaimsData: json.RawMessage(`{"b":1}`),
			AccessToken: grant.AccessTerms{Lifetime: 60, Encoding: grant.Identifier}, IDToken: grant.IDTerms{Lifetime: 30, AllowRefresh: true},
			RefreshToken: grant.RefreshTerms{Issue: true, Lifetime: 600, MaxIdle: 60, Rotate: &yes}},
			grant.Terms{PresetIDToken: preset, PresetUserInfo: preset, Offline: true, LongLived: true, Data: json.RawMessage(`{"a":1}`), ClaimsData: json.RawMessage(`{"b":1}`),
				AccessToken: grant.AccessTerms{Lifetime: 60, Encoding: grant.Identifier}, IDToken: grant.IDTerms{Lifetime: 30, AllowRefresh: true},
				RefreshToken: grant.RefreshTerms{Issue: true, Lifetime: 600, MaxIdle: 60, Rotate: &yes}}},
		{"no refresh token for a client that cannot use it", "client_id=plain", Consent{RefreshToken: grant.RefreshTerms{Issue: true}},
			grant.Terms{Login: grant.Login{TellAuthTime: true}}},
		{"the nonce, and that max_age was asked", "nonce=n&max_age=9", Consent{}, grant.Terms{Login: grant.Login{Nonce: "n", TellAuthTime: true}}},
	} {
		h := open(t)
		res, err := h.consent(t, tt.query, tt.c)
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		code(t, res)
		tt.want.Login.AuthTime = noon.Unix()
		if d := cmp.Diff(tt.want, h.store.grants[0].Terms); d != "" {
			t.Errorf("%s: (-want +got)\n%s", tt.rule, d)
		}
	}
}

func TestConsentInvalid(t *testing.T) {
	long := strings.Repeat("a", 2049)
	for _, tt := range []struct {
		rule string
		c    Consent
		want string
	}{
		{"a scope value with a space", Consent{Scope: oauth.Scope{"a b"}}, "scope holds a value that is not allowed"},
		{"an empty scope value", Consent{Scope: oauth.Scope{""}}, "scope holds a value that is not allowed"},
		{"a claim name with a quote", Consent{Claims: []string{`a"b`}}, "claims holds a name that is not allowed"},
		{"an empty claim name", Consent{Claims: []string{"id_token:"}}, "claims holds a name that is not allowed"},
		{"an empty claim name for access tokens", Consent{Claims: []string{"access_token:uip:"}}, "claims holds a name that is not allowed"},
		{"all claims for access tokens", Consent{Claims: []string{"access_token:*"}}, "claims with the prefix access_token: must be named: there is no * of them"},
		{"verified claims for access tokens", Consent{Claims: []string{"access_token:verified:name"}}, "verified claims do not go into access tokens"},
		{"all verified claims", Consent{Claims: []string{"verified:*"}}, "claims holds a name that is not allowed"},
		{"a verified claim without a name", Consent{Claims: []string{"id_token:verified:"}}, "claims holds a name that is not allowed"},
		{"a claim verified twice", Consent{Claims: []string{"verified:verified:name"}}, "claims holds a name with more prefixes than one"},
		{"a place of a verified claim behind", Consent{Claims: []string{"verified:id_token:name"}}, "claims holds a name with more prefixes than one"},
		{"two places of a claim", Consent{Claims: []string{"access_token:id_token:email"}}, "claims holds a name with more prefixes than one"},
		{"more claims for access tokens than fit", Consent{Claims: fed(65)}, "claims names more for access tokens than fits into one"},
		{"a preset issuer", Consent{PresetIDToken: map[string]json.RawMessage{"iss": nil}}, "preset_claims holds a name that is not allowed"},
		{"a preset subject", Consent{PresetUserInfo: map[string]json.RawMessage{"sub": nil}}, "preset_claims holds a name that is not allowed"},
		{"a negative lifetime", Consent{AccessToken: grant.AccessTerms{Lifetime: -1}}, "a lifetime is out of range"},
		{"a lifetime without end", Consent{RefreshToken: grant.RefreshTerms{MaxIdle: 1 << 60}}, "a lifetime is out of range"},
		{"an unknown encoding", Consent{AccessToken: grant.AccessTerms{Encoding: "JWT"}}, "access_token.encoding must be SELF_CONTAINED or IDENTIFIER"},
		{"an empty audience", Consent{Audience: []string{""}}, "audience holds a value that is not allowed"},
		{"an audience with a space", Consent{Audience: []string{"a b"}}, "audience holds a value that is not allowed"},
		{"too long an audience", Consent{Audience: []string{long}}, "audience holds a value that is not allowed"},
		{"too long an impersonated subject", Consent{Impersonated: long}, "impersonated_sub must have 1 to 255 printable ASCII characters"},
		{"one with NUL", Consent{Impersonated: "a\x00"}, "impersonated_sub must have 1 to 255 printable ASCII characters"},
		{"one that is not ASCII", Consent{Impersonated: "ålice"}, "impersonated_sub must have 1 to 255 printable ASCII characters"},
		{"one of spaces", Consent{Impersonated: " "}, "impersonated_sub must have 1 to 255 printable ASCII characters"},
		{"more claims than fit into a token", Consent{PresetIDToken: map[string]json.RawMessage{"x": json.RawMessage(`"` + strings.Repeat("x", 15000) + `"`)}}, "claims, data, scope and audience together are more than fits into a token"},
		{"the client impersonated", Consent{Impersonated: "shop"}, "impersonated_sub is the id of the client"},
		{"a disabled account impersonated", Consent{Impersonated: "mallory"}, "the account of impersonated_sub is disabled"},
	} {
		h := open(t)
		h.store.disabled = []string{"mallory"}
		if _, err := h.consent(t, "", tt.c); !errors.Is(err, oauth.InvalidRequest(tt.want)) {
			t.Errorf("%s: got %v", tt.rule, err)
		}
		if len(h.store.interactions) != 1 || len(h.store.grants) != 0 {
			t.Errorf("%s: the interaction is not as it was", tt.rule)
		}
	}
}

// fed are n claims for access tokens.
func fed(n int) (claims []string) {
	for i := range n {
		claims = append(claims, "access_token:c"+strconv.Itoa(i))
	}
	return claims
}

func TestCode(t *testing.T) {
	h := open(t)
	const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	res, err := h.consent(t, "code_challenge_method=S256&code_challenge="+challenge, Consent{Scope: oauth.Scope{"*"}, Claims: []string{"*"}, LongLived: true, Address: "192.0.2.1"})
	if err != nil {
		t.Fatal(err)
	}
	c, g := code(t, res), h.store.grants[0]
	if id, ok := grant.ParseCode(c); !ok || id != g.ID {
		t.Errorf("the code %q is not of the grant %q", c, g.ID)
	}
	want := grant.CodeState{Hash: grant.Hash(c), ExpiresAt: noon.Add(time.Minute), Challenge: challenge, RedirectURI: callback}
	if d := cmp.Diff(&want, g.Code); d != "" {
		t.Errorf("code: (-want +got)\n%s", d)
	}
	n := h.store.sessions[g.SessionID]
	if g.Subject != "alice" || g.Actor != "" || g.ClientID != "shop" || n.Subject != "alice" || !g.ExpiresAt.Equal(noon.Add(time.Minute)) {
		t.Errorf("grant: %+v", g)
	}
	if d := cmp.Diff([]string{"shop"}, n.Clients); d != "" {
		t.Errorf("relying parties: %s", d)
	}
	a := h.store.authorizations["alice//shop"]
	if a.Scope.String() != "openid email" || len(a.Claims) != 2 || !a.CreatedAt.Equal(noon) {
		t.Errorf("remembered: %+v", a)
	}
	if e := h.store.events; len(e) != 2 || e[1].Kind != "consent" || e[1].Grant != g.ID || e[1].Address != "192.0.2.1" {
		t.Errorf("events: %+v", e)
	}
	if res.Session != nil || res.Current == nil || res.Current.ID != g.SessionID {
		t.Errorf("told %+v, current %+v", res.Session, res.Current)
	}

	// The next request of the same needs nobody, and is worth the same.
	res = h.begin(t, "", h.Sessions.Handle(h.t, &n))
	code(t, res)
	if d := cmp.Diff(g.Terms.Scope, h.store.grants[1].Terms.Scope); d != "" || !h.store.grants[1].Terms.LongLived {
		t.Errorf("remembered terms: %s %+v", d, h.store.grants[1].Terms)
	}
	if n := h.store.sessions[g.SessionID]; len(n.Clients) != 1 {
		t.Errorf("relying parties: %v", n.Clients)
	}
}

func TestConsentIsNotRemembered(t *testing.T) {
	h := open(t)
	if _, err := h.consent(t, "", Consent{Scope: oauth.Scope{"*"}}); err != nil || len(h.store.authorizations) != 0 {
		t.Errorf("a transient one: got %v, %v", err, h.store.authorizations)
	}
}

func TestConsentAddsUp(t *testing.T) {
	h := open(t)
	h.remember("shop", oauth.Scope{"a", "openid"}, []string{"name"}, grant.Terms{})
	if _, err := h.consent(t, "", Consent{Scope: oauth.Scope{"openid", "b"}, Claims: []string{"name", "email#es", "id_token:phone_number", "access_token:dat:dept#es"}, LongLived: true}); err != nil {
		t.Fatal(err)
	}
	a := h.store.authorizations["alice//shop"]
	if d := cmp.Diff(oauth.Scope{"a", "openid", "b"}, a.Scope); d != "" {
		t.Errorf("scope: %s", d)
	}
	if d := cmp.Diff([]string{"name", "email", "phone_number", "access_token:dat:dept"}, a.Claims); d != "" {
		t.Errorf("claims: %s", d)
	}
}

func TestRememberedTerms(t *testing.T) {
	h := open(t)
	h.remember("shop", oauth.Scope{"openid", "email", "profile", "x"}, []string{"email", "email_verified", "name"}, grant.Terms{
		Scope: oauth.Scope{"x"}, Claims: []string{"email#es"}, IDTokenClaims: []string{"email_verified", "other"}, AccessTokenClaims: []string{"dat:dept"}, Audience: []string{"urn:then"},
		Offline: true, RefreshToken: grant.RefreshTerms{Issue: true, Lifetime: 60}, AccessToken: grant.AccessTerms{Lifetime: 30},
		Data: json.RawMessage(`{"a":1}`), ClaimsData: json.RawMessage(`{"b":1}`), Login: grant.Login{Nonce: "then"}})
	sid := h.session("alice", nil)
	code(t, h.begin(t, "nonce=now&claims="+`{"userinfo":{"name":null}}`, sid))
	want := grant.Terms{Scope: oauth.Scope{"openid", "email"}, Claims: []string{"email#es", "name"}, IDTokenClaims: []string{"email_verified"}, AccessTokenClaims: []string{"dat:dept"}, Audience: []string{"urn:then"},
		LongLived: true, Offline: true, RefreshToken: grant.RefreshTerms{Issue: true, Lifetime: 60}, AccessToken: grant.AccessTerms{Lifetime: 30}, IDToken: grant.IDTerms{Issue: true},
		Data: json.RawMessage(`{"a":1}`), ClaimsData: json.RawMessage(`{"b":1}`), Login: grant.Login{Nonce: "now", AuthTime: noon.Unix()}}
	if d := cmp.Diff(want, h.store.grants[0].Terms); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	code(t, h.begin(t, "resource=urn%3Anow", sid))
	if got := h.store.grants[1].Terms.Audience; len(got) != 1 || got[0] != "urn:now" {
		t.Errorf("the resource of now: got %v", got)
	}
}

func TestImpersonation(t *testing.T) {
	h := open(t)
	h.remember("shop", oauth.Scope{"secret"}, nil, grant.Terms{})
	res, err := h.consent(t, "", Consent{Scope: oauth.Scope{"*"}, LongLived: true, Impersonated: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	code(t, res)
	if g := h.store.grants[0]; g.Subject != "bob" || g.Actor != "alice" {
		t.Errorf("grant of %q by %q", g.Subject, g.Actor)
	}
	if a := h.store.authorizations["bob/alice/shop"]; a.Scope.String() != "openid email" {
		t.Errorf("remembered: %+v", h.store.authorizations)
	}
	if a := h.store.authorizations["alice//shop"]; a.Scope.String() != "secret" {
		t.Errorf("what alice allowed for herself: %+v", a)
	}
	if _, ok := h.store.authorizations["bob//shop"]; ok {
		t.Error("bob allowed nothing")
	}

	h = open(t)
	if _, err := h.consent(t, "", Consent{Impersonated: "alice"}); err != nil || h.store.grants[0].Actor != "" {
		t.Errorf("as oneself: got %v, %+v", err, h.store.grants)
	}
}

func TestSessionEndsBeforeConsent(t *testing.T) {
	for rule, end := range map[string]func(*house){
		"it is gone":            func(h *house) { clear(h.store.sessions) },
		"the account is turned": func(h *house) { h.store.disabled = []string{"alice"} },
		"it lay idle": func(h *house) {
			for id, n := range h.store.sessions {
				n.UsedAt = noon.Add(-48 * time.Hour)
				h.store.sessions[id] = n
			}
		},
	} {
		h := open(t)
		res := h.login(t, h.begin(t, "", ""), "alice", nil)
		p := h.pending(t, res)
		end(h)
		res, err := h.Complete(context.Background(), h.t, p, Consent{Scope: oauth.Scope{"*"}})
		if err != nil || refusal(res) != "access_denied" || len(h.store.grants) != 0 {
			t.Errorf("%s: got %+v, %v", rule, res.Response, err)
		}
	}
}

func TestOneConsentWins(t *testing.T) {
	h := open(t)
	res := h.login(t, h.begin(t, "", ""), "alice", nil)
	loaded := make([]*Pending, 64)
	for i := range loaded {
		loaded[i] = h.pending(t, res)
	}
	var won, gone atomic.Int32
	var wg sync.WaitGroup
	for _, p := range loaded {
		wg.Go(func() {
			res, err := h.Complete(context.Background(), h.t, p, Consent{Scope: oauth.Scope{"*"}})
			switch {
			case err == nil && res.Response.Err == nil:
				won.Add(1)
			case IsGone(err):
				gone.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || gone.Load() != 63 || len(h.store.grants) != 1 {
		t.Errorf("%d won, %d lost, %d grants", won.Load(), gone.Load(), len(h.store.grants))
	}
}

func TestCompleteStoreDown(t *testing.T) {
	h := open(t)
	p := h.pending(t, h.login(t, h.begin(t, "", ""), "alice", nil))
	h.store.down = errDown
	if _, err := h.Complete(context.Background(), h.t, p, Consent{}); !errors.Is(err, errDown) {
		t.Errorf("got %v", err)
	}
}

func TestSessionClaimsReachTheTokens(t *testing.T) {
	h := open(t)
	res := h.login(t, h.begin(t, "", ""), "alice", func(a *Authentication) {
		a.Login = session.Login{Subject: "alice", ACR: "2", AMR: []string{"pwd"}, Claims: json.RawMessage(`{"ip":"192.0.2.1"}`)}
	})
	if _, err := h.Complete(context.Background(), h.t, h.pending(t, res), Consent{}); err != nil {
		t.Fatal(err)
	}
	want := grant.Login{AuthTime: noon.Unix(), ACR: "2", AMR: []string{"pwd"}, SessionClaims: json.RawMessage(`{"ip":"192.0.2.1"}`)}
	if d := cmp.Diff(want, h.store.grants[0].Terms.Login); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
