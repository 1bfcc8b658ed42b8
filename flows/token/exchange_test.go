package token

import (
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// exchanging is a world in which tokens are exchanged; api is a resource server's client, and batch a client of the tenant's
// backend.
func exchanging(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	x := &w.tenant.Settings.Grants.TokenExchange
	x.Enabled = true
	all := []string{oauth.TokenExchange, oauth.RefreshToken, oauth.ClientCredentials}
	w.clients["api"] = &tenant.Client{ID: "api", Metadata: tenant.Metadata{GrantTypes: all, Audience: []string{"https://one.example/", "urn:back"}}}
	w.clients["batch"] = &tenant.Client{ID: "batch", Metadata: tenant.Metadata{GrantTypes: all, Scope: "a b c"}}
	return w
}

// access is alice's access token of the client shop, for audience.
func (w *world) access(change func(*grant.Grant), audience ...string) (token string, g *grant.Grant) {
	w.Helper()
	code, g := w.agree("shop", func(g *grant.Grant) {
		g.Terms.Audience = audience
		if change != nil {
			change(g)
		}
	})
	return w.redeem("shop", code).AccessToken, g
}

// swap asks for an exchange.
func (w *world) swap(client, kind, token string, pairs ...string) (grant.Tokens, error) {
	return w.ask(client, append([]string{"grant_type", oauth.TokenExchange, "subject_token", token, "subject_token_type", kind}, pairs...)...)
}

const (
	badSubject = "invalid_request: subject_token is invalid, expired, revoked or not for this client"
	badActor   = "invalid_request: actor_token is invalid, expired, revoked or not for this client"
	ungranted  = "invalid_target: this resource was not granted"
)

func TestWhatATokenIsExchangedFor(t *testing.T) {
	type claims = map[string]any
	one, back := "https://one.example/", "urn:back"
	for _, c := range []struct {
		rule     string
		settings func(*tenant.ExchangeSettings)
		change   func(*grant.Grant)
		audience []string // of the subject token
		client   string
		params   []string
		want     string
		scope    string
		aud      any
		act      any
	}{
		{"its own client gets less of it, in its own name", nil, nil, nil, "shop", []string{"scope", "a"}, "", "a", nil, nil},
		{"all of it, where nothing is asked", nil, nil, nil, "shop", nil, "", "openid a b", nil, nil},
		{"for a resource that it registered, where it was for none in particular", nil, nil, nil, "shop", []string{"resource", "urn:two"}, "", "openid a b", "urn:two", nil},
		{"by audience too", nil, nil, nil, "shop", []string{"audience", "urn:two", "resource", one}, "", "openid a b", []any{one, "urn:two"}, nil},
		{"for one of its resources", nil, nil, []string{one, "urn:two"}, "shop", []string{"resource", "urn:two"}, "", "openid a b", "urn:two", nil},
		{"for all of them, where nothing is asked", nil, nil, []string{one, "urn:two"}, "shop", nil, "", "openid a b", []any{one, "urn:two"}, nil},
		{"for another resource", nil, nil, []string{one}, "shop", []string{"resource", "urn:two"}, ungranted, "", nil, nil},
		{"for a resource that nobody registered", nil, nil, nil, "shop", []string{"resource", "urn:three"}, ungranted, "", nil, nil},
		{"for an audience that nobody registered", nil, nil, nil, "shop", []string{"audience", "urn:three"}, ungranted, "", nil, nil},
		{"for what is no resource", nil, nil, nil, "shop", []string{"resource", "/two"}, "invalid_target: resource is not an absolute URI without fragment", "", nil, nil},
		{"with more scope", nil, nil, nil, "shop", []string{"scope", "a c"}, "invalid_scope: scope exceeds that of the subject_token", "", nil, nil},
		{"as another kind of token", nil, nil, nil, "shop", []string{"requested_token_type", "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request: requested_token_type is not supported", "", nil, nil},
		{"as a refresh token", nil, nil, nil, "shop", []string{"requested_token_type", oauth.TypeRefreshToken}, "invalid_request: the client may not request a refresh token", "", nil, nil},

		{"by a client that it was not issued to, and is not for", nil, nil, nil, "batch", nil, "unauthorized_client: the client may not act for others", "", nil, nil},
		{"the same, though the client may delegate", func(x *tenant.ExchangeSettings) { x.Delegation = true }, nil, nil, "batch", nil, "invalid_request: a token was issued to another client, and not for this one", "", nil, nil},
		{"the same, though the client may impersonate", func(x *tenant.ExchangeSettings) { x.Impersonation = true }, nil, nil, "batch", nil, "invalid_request: a token was issued to another client, and not for this one", "", nil, nil},
		{"by whom it is for, which has no right", nil, nil, []string{one}, "api", nil, "unauthorized_client: the client may not act for others", "", nil, nil},
		{"by whom it is for, which then acts", func(x *tenant.ExchangeSettings) { x.Delegation = true }, nil, []string{one}, "api", nil, "", "openid a b", one, claims{"sub": "api"}},
		{"by whom it is for, which may impersonate", func(x *tenant.ExchangeSettings) { x.Impersonation = true }, nil, []string{one}, "api", nil, "", "openid a b", one, nil},
		{"by whom it is for, to another resource", func(x *tenant.ExchangeSettings) { x.Delegation = true }, nil, []string{one}, "api", []string{"audience", back}, ungranted, "", nil, nil},
		{"by whom it is for, to another resource that the tenant allows", func(x *tenant.ExchangeSettings) { x.Delegation, x.Audience = true, []string{back} }, nil, []string{one}, "api",
			[]string{"audience", back}, "", "openid a b", back, claims{"sub": "api"}},
		{"to a resource that the tenant allows, but the client did not register", func(x *tenant.ExchangeSettings) { x.Audience = []string{back} }, nil, []string{one}, "shop", []string{"audience", back}, ungranted, "", nil, nil},
		{"by whom may_act names", func(x *tenant.ExchangeSettings) { x.Delegation = true },
			func(g *grant.Grant) { g.Terms.Delegation.MayAct = &grant.Actor{Subject: "batch"} }, nil, "batch", nil, "", "a b", nil, claims{"sub": "batch"}},
		{"by another than may_act names", func(x *tenant.ExchangeSettings) { x.Delegation = true },
			func(g *grant.Grant) { g.Terms.Delegation.MayAct = &grant.Actor{Subject: "admin"} }, []string{one}, "api", nil, "invalid_request: the subject_token names another who may act", "", nil, nil},
		{"by one whom another issuer's may_act names", func(x *tenant.ExchangeSettings) { x.Delegation = true },
			func(g *grant.Grant) {
				g.Terms.Delegation.MayAct = &grant.Actor{Subject: "api", Issuer: "https://other.example"}
			}, []string{one}, "api", nil, "invalid_request: the subject_token names another who may act", "", nil, nil},
		{"by one whom may_act names in the claims that came with it", func(x *tenant.ExchangeSettings) { x.Delegation = true },
			func(g *grant.Grant) {
				g.Terms.AccessToken.Claims = map[string]json.RawMessage{"may_act": json.RawMessage(`{"client_id":"batch"}`)}
			}, nil, "batch", nil, "", "a b", nil, claims{"sub": "batch"}},
		{"that somebody acts with already", func(x *tenant.ExchangeSettings) { x.Delegation = true }, func(g *grant.Grant) { g.Actor = "admin" }, []string{one}, "api", nil, "", "openid a b", one,
			claims{"sub": "api", "act": claims{"sub": "admin"}}},
		{"that somebody acts with already, by one who may impersonate", func(x *tenant.ExchangeSettings) { x.Impersonation = true }, func(g *grant.Grant) { g.Actor = "admin" }, []string{one}, "api", nil, "", "openid a b", one,
			claims{"sub": "admin"}},
		{"that somebody acts with already, by its own client", nil, func(g *grant.Grant) { g.Actor = "admin" }, nil, "shop", nil, "", "openid a b", nil, claims{"sub": "admin"}},
		{"that too many acted with", func(x *tenant.ExchangeSettings) { x.Delegation = true }, func(g *grant.Grant) {
			chain := &grant.Actor{Subject: "1"}
			for i := range 4 {
				chain = &grant.Actor{Subject: fmt.Sprint(i), Act: chain}
			}
			g.Actor, g.Terms.Delegation.Act = chain.Subject, chain
		}, []string{one}, "api", nil, "invalid_request: too many have acted for the subject already", "", nil, nil},
	} {
		for _, opaque := range []bool{false, true} {
			w := exchanging(t)
			w.tenant.Settings.Tokens.AccessTokenOpaque = opaque
			if c.settings != nil {
				c.settings(&w.tenant.Settings.Grants.TokenExchange)
			}
			token, g := w.access(c.change, c.audience...)
			w.now = noon.Add(9*time.Minute + 500*time.Millisecond)
			out, err := w.swap(c.client, oauth.TypeAccessToken, token, c.params...)
			if said(err) != c.want {
				t.Errorf("%s: got %q (%v)", c.rule, said(err), err)
				continue
			}
			if err != nil {
				if out.AccessToken != "" || len(w.store.events) > 0 {
					t.Errorf("%s: got %+v, %v", c.rule, out, w.store.events)
				}
				continue
			}
			if out.TokenType != "Bearer" || out.Issued != oauth.TypeAccessToken || out.ExpiresIn > time.Minute || out.RefreshToken != "" || out.IDToken != "" || out.Scope.String() != c.scope {
				t.Errorf("%s: got %+v", c.rule, out)
			}
			a, err := w.store.Token(t.Context(), w.tenant, out.AccessToken)
			if err != nil {
				t.Fatal(c.rule, err)
			}
			aud := c.aud
			if aud == nil {
				aud = w.tenant.Issuer
			}
			if d := cmp.Diff(plain(c.act), plain(a.Acting())); d != "" {
				t.Errorf("%s: act %s", c.rule, d)
			}
			if d := cmp.Diff(plain(many(aud)), plain(a.Audience)); d != "" || a.Subject != "alice" || a.ClientID != c.client || a.Grant != g.ID ||
				a.Scope.String() != c.scope || a.ExpiresAt.After(noon.Add(10*time.Minute)) {
				t.Errorf("%s: %+v %s", c.rule, a, d)
			}
			ev := w.store.events[0]
			if ev.Kind != audit.TokenExchanged || ev.Subject != "alice" || ev.ClientID != c.client || ev.Grant != g.ID || ev.Detail["subject_token_type"] != oauth.TypeAccessToken ||
				(ev.Detail["subject_token_client"] == "shop") != (c.client != "shop") {
				t.Errorf("%s: recorded %+v", c.rule, ev)
			}
			// What hangs on the grant dies with it.
			w.tenant.Revoked.Add(w.Issuer.Revocation(w.tenant, g.ID))
			if !opaque {
				if _, err := w.store.Token(t.Context(), w.tenant, out.AccessToken); err == nil {
					t.Errorf("%s: it outlives its grant", c.rule)
				}
			}
		}
	}
}

func many(v any) any {
	if s, ok := v.(string); ok {
		return []any{s}
	}
	return v
}

// plain is v as JSON has it.
func plain(v any) (out any) {
	b, _ := json.Marshal(v)
	_ = json.Unmarshal(b, &out)
	return out
}

func TestSubjectTokensThatAreNoGood(t *testing.T) {
	for _, c := range []struct {
		rule string
		kind string
		of   func(w *world) string
		want string
	}{
		{"garbage", oauth.TypeAccessToken, func(*world) string { return "x" }, badSubject},
		{"garbage that looks like a JWT", oauth.TypeAccessToken, func(*world) string { return "x.y.z" }, badSubject},
		{"none", oauth.TypeAccessToken, func(*world) string { return "" }, "invalid_request: subject_token is missing"},
		{"of no type", "", func(w *world) string { return first(w.access(nil)) }, "invalid_request: subject_token_type is missing"},
		{"of an unknown type", "urn:ietf:params:oauth:token-type:saml1", func(w *world) string { return first(w.access(nil)) }, "invalid_request: subject_token_type is not supported"},
		{"an access token as ID token", oauth.TypeIDToken, func(w *world) string { return first(w.access(nil)) }, badSubject},
		{"an access token as refresh token", oauth.TypeRefreshToken, func(w *world) string { return first(w.access(nil)) }, badSubject},
		{"an access token as somebody else's JWT", oauth.TypeJWT, func(w *world) string { return first(w.access(nil)) }, badSubject},
		{"an ID token as access token", oauth.TypeAccessToken, func(w *world) string { return w.idToken("shop") }, badSubject},
		{"a refresh token as access token", oauth.TypeAccessToken, func(w *world) string { return first(w.line("shop", nil)) }, badSubject},
		{"expired", oauth.TypeAccessToken, func(w *world) string {
			token := first(w.access(nil))
			w.now = noon.Add(10 * time.Minute)
			return token
		}, badSubject},
		{"about to expire", oauth.TypeAccessToken, func(w *world) string {
			token := first(w.access(nil))
			w.now = noon.Add(10*time.Minute - time.Millisecond)
			return token
		}, "invalid_request: what was presented is about to expire"},
		{"revoked", oauth.TypeAccessToken, func(w *world) string {
			token, g := w.access(nil)
			w.tenant.Revoked.Add(w.Issuer.Revocation(w.tenant, g.ID))
			return token
		}, badSubject},
		{"whose grant is revoked meanwhile", oauth.TypeAccessToken, func(w *world) string {
			token, g := w.access(nil)
			w.store.before = func() { g.RevokedAt = w.now }
			return token
		}, "invalid_request: what was presented no longer stands"},
		{"whose subject is disabled", oauth.TypeAccessToken, func(w *world) string {
			w.store.disabled["alice"] = true
			return first(w.access(nil))
		}, "invalid_request: what was presented no longer stands"},
		{"another tenant's", oauth.TypeAccessToken, func(w *world) string {
			other := *w.tenant
			other.Issuer = "https://globex.example"
			token, _, _, err := w.Issuer.MintAccess(t.Context(), &other, &grant.Grant{ID: "g", Subject: "alice", ClientID: "shop"}, nil, nil, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			return token
		}, badSubject},
		{"another client's refresh token", oauth.TypeRefreshToken, func(w *world) string { return first(w.line("other", nil)) }, badSubject},
		{"a refresh token that was rotated away", oauth.TypeRefreshToken, func(w *world) string {
			old := first(w.line("shop", nil))
			if _, err := w.refresh("shop", old); err != nil {
				t.Fatal(err)
			}
			return old
		}, badSubject},
		{"a refresh token whose grant is revoked", oauth.TypeRefreshToken, func(w *world) string {
			token, g := w.line("shop", nil)
			g.RevokedAt = w.now
			return token
		}, badSubject},
		{"another client's ID token", oauth.TypeIDToken, func(w *world) string { return w.idToken("other") }, "unauthorized_client: the client may not act for others"},
		{"an expired ID token", oauth.TypeIDToken, func(w *world) string {
			token := w.idToken("shop")
			w.now = noon.Add(5 * time.Minute)
			return token
		}, badSubject},
		{"an ID token of a subject whose grants were withdrawn", oauth.TypeIDToken, func(w *world) string {
			token := w.idToken("shop")
			w.tenant.Revoked.Add(tenant.Revocation{Subject: "alice", At: w.now, ExpiresAt: w.now.Add(time.Hour)})
			return token
		}, badSubject},
	} {
		w := exchanging(t)
		token := c.of(w)
		events := len(w.store.events)
		out, err := w.swap("shop", c.kind, token)
		if said(err) != c.want || out.AccessToken != "" || len(w.store.events) != events {
			t.Errorf("%s: got %q (%v), %+v", c.rule, said(err), err, out)
		}
	}
}

func first[A, B any](a A, _ B) A { return a }

// idToken is alice's ID token of that client.
func (w *world) idToken(client string) string {
	w.Helper()
	code, _ := w.agree(client, func(g *grant.Grant) { g.Terms.IDToken.Issue = true })
	return w.redeem(client, code).IDToken
}

func TestActors(t *testing.T) {
	machine := func(w *world, client string) string {
		out, err := w.ask(client, "grant_type", oauth.ClientCredentials)
		if err != nil {
			t.Fatal(err)
		}
		return out.AccessToken
	}
	for _, c := range []struct {
		rule   string
		kind   string
		of     func(w *world) string
		rights []string
		want   string
		act    any
	}{
		{"the client's own token", oauth.TypeAccessToken, func(w *world) string { return machine(w, "shop") }, []string{tenant.Delegation}, "", map[string]any{"sub": "shop"}},
		{"without the right", oauth.TypeAccessToken, func(w *world) string { return machine(w, "shop") }, nil, "unauthorized_client: the client may not act for others", nil},
		{"with the right to impersonate, which is another", oauth.TypeAccessToken, func(w *world) string { return machine(w, "shop") }, []string{tenant.Impersonation}, "unauthorized_client: the client may not act for others", nil},
		{"another client's token", oauth.TypeAccessToken, func(w *world) string { return machine(w, "other") }, []string{tenant.Delegation}, "invalid_request: a token was issued to another client, and not for this one", nil},
		{"another subject's ID token", oauth.TypeIDToken, func(w *world) string {
			code, _ := w.agree("shop", func(g *grant.Grant) { g.Subject, g.Terms.IDToken.Issue = "bob", true })
			return w.redeem("shop", code).IDToken
		}, []string{tenant.Delegation}, "", map[string]any{"sub": "bob"}},
		{"one who acts for another", oauth.TypeAccessToken, func(w *world) string {
			return first(w.access(func(g *grant.Grant) { g.Actor = "admin" }))
		}, []string{tenant.Delegation}, "invalid_request: actor_token is itself of somebody who acts for another", nil},
		{"garbage", oauth.TypeAccessToken, func(*world) string { return "x" }, []string{tenant.Delegation}, badActor, nil},
		{"of no type", "", func(w *world) string { return machine(w, "shop") }, []string{tenant.Delegation}, "invalid_request: actor_token_type is missing", nil},
		{"a type alone", oauth.TypeAccessToken, func(*world) string { return "" }, []string{tenant.Delegation}, "invalid_request: actor_token_type needs an actor_token", nil},
	} {
		w := exchanging(t)
		w.clients["shop"].ExchangeRights = c.rights
		token, _ := w.access(nil)
		actor := c.of(w)
		out, err := w.swap("shop", oauth.TypeAccessToken, token, "actor_token", actor, "actor_token_type", c.kind)
		if said(err) != c.want {
			t.Errorf("%s: got %q (%v)", c.rule, said(err), err)
			continue
		}
		if err != nil {
			continue
		}
		got := w.claims(jwtAccess, out.AccessToken)
		if d := cmp.Diff(c.act, got["act"]); d != "" || got["sub"] != "alice" {
			t.Errorf("%s: %v %s", c.rule, got, d)
		}
		// Once more: whoever acted before is still told.
		again, err := w.swap("shop", oauth.TypeAccessToken, out.AccessToken, "actor_token", machine(w, "shop"), "actor_token_type", oauth.TypeAccessToken)
		if err != nil {
			t.Fatal(c.rule, err)
		}
		if d := cmp.Diff(map[string]any{"sub": "shop", "act": c.act}, w.claims(jwtAccess, again.AccessToken)["act"]); d != "" {
			t.Errorf("%s, then again: %s", c.rule, d)
		}
	}
}

// Nothing unbound comes of what is bound to a key.
func TestABoundTokenIsExchangedForABoundOne(t *testing.T) {
	bound := oauth.Confirmation{JKT: "key"}
	for _, c := range []struct {
		rule   string
		client string
		public bool
		proved oauth.Confirmation
		want   string
	}{
		{"by its client with the key", "shop", false, bound, ""},
		{"by its client with another", "shop", false, oauth.Confirmation{JKT: "other"}, "invalid_grant: the DPoP proof is made with another key"},
		{"by its client with none", "shop", false, oauth.Confirmation{}, "invalid_dpop_proof: a DPoP proof is required"},
		{"by whom it is for with a key of its own", "api", false, oauth.Confirmation{JKT: "own"}, ""},
		{"by whom it is for with none", "api", false, oauth.Confirmation{}, "invalid_request: what is bound to a key is exchanged for what is bound to one: a DPoP proof is required"},
		{"by whom it is for, which is public, with a key of its own", "api", true, oauth.Confirmation{JKT: "own"}, "invalid_grant: the DPoP proof is made with another key"},
	} {
		w := exchanging(t)
		w.tenant.Settings.Grants.TokenExchange.Delegation = true
		code, _ := w.agree("shop", func(g *grant.Grant) { g.Terms.Audience = []string{"https://one.example/"} })
		was, err := w.Exchange(t.Context(), w.tenant, &Request{Client: w.clients["shop"], Proved: bound,
			Params: url.Values{"grant_type": {oauth.AuthorizationCode}, "code": {code}, "redirect_uri": {callback}}})
		if err != nil {
			t.Fatal(err)
		}
		if c.public {
			w.clients[c.client].TokenEndpointAuthMethod = oauth.AuthNone
		}
		out, err := w.Exchange(t.Context(), w.tenant, &Request{Client: w.clients[c.client], Proved: c.proved,
			Params: url.Values{"grant_type": {oauth.TokenExchange}, "subject_token": {was.AccessToken}, "subject_token_type": {oauth.TypeAccessToken}}})
		if said(err) != c.want {
			t.Errorf("%s: got %q", c.rule, said(err))
			continue
		}
		if err == nil {
			cnf, _ := w.claims(jwtAccess, out.AccessToken)["cnf"].(map[string]any)
			if out.TokenType != "DPoP" || cnf["jkt"] != c.proved.JKT {
				t.Errorf("%s: got %+v, %v", c.rule, out, cnf)
			}
		}
	}
}

func TestOtherKindsOfTokenAreIssued(t *testing.T) {
	w := exchanging(t)
	x := &w.tenant.Settings.Grants.TokenExchange
	w.tenant.Settings.Tokens.AccessTokenOpaque = true
	token, _ := w.access(nil)

	jwt, err := w.swap("shop", oauth.TypeAccessToken, token, "requested_token_type", oauth.TypeJWT)
	if err != nil || jwt.Issued != oauth.TypeJWT || w.claims(jwtAccess, jwt.AccessToken)["sub"] != "alice" {
		t.Errorf("a JWT: %+v, %v", jwt, err)
	}
	stored := len(w.store.tokens)
	id, err := w.swap("shop", oauth.TypeAccessToken, token, "requested_token_type", oauth.TypeIDToken)
	if err != nil || id.Issued != oauth.TypeIDToken || id.TokenType != oauth.NotAccess || id.IDToken != "" || id.ExpiresIn != 5*time.Minute || len(w.store.tokens) != stored {
		t.Errorf("an ID token: %+v, %v", id, err)
	}
	if c := w.claims(grant.IDTokenType, id.AccessToken); c["sub"] != "alice" || c["aud"] != "shop" {
		t.Errorf("an ID token: %v", c)
	}
	if _, err := w.swap("shop", oauth.TypeAccessToken, token, "requested_token_type", oauth.TypeIDToken, "scope", "a"); said(err) != "invalid_scope: an ID token needs the scope openid" {
		t.Error("an ID token without openid:", err)
	}
	out, err := w.swap("shop", oauth.TypeIDToken, id.AccessToken)
	if err != nil || out.Scope.String() != "openid" {
		t.Errorf("for an ID token: %+v, %v", out, err)
	}
	if _, err := w.swap("shop", oauth.TypeIDToken, id.AccessToken, "scope", "a"); said(err) != "invalid_scope: scope exceeds that of the subject_token" {
		t.Error("for an ID token, with scope:", err)
	}
	x.IDTokenScope = []string{"openid", "a"}
	if out, err := w.swap("shop", oauth.TypeIDToken, id.AccessToken, "scope", "a"); err != nil || out.Scope.String() != "a" {
		t.Errorf("for an ID token, with scope that the tenant allows: %+v, %v", out, err)
	}

	// A refresh token that comes of another grant ends with it, and before it.
	x.RefreshTokens = true
	long, parent := w.line("shop", func(g *grant.Grant) { g.Terms.RefreshToken.Lifetime = 3600 })
	r, err := w.swap("shop", oauth.TypeRefreshToken, long, "requested_token_type", oauth.TypeRefreshToken, "scope", "a")
	if err != nil || r.Issued != oauth.TypeRefreshToken || r.TokenType != oauth.NotAccess || r.RefreshToken != "" || r.ExpiresIn != time.Hour {
		t.Fatalf("a refresh token: %+v, %v", r, err)
	}
	childID, _, _ := grant.ParseRefreshToken(w.tenant, r.AccessToken)
	child := w.store.grants[childID]
	if child == nil || child.Terms.Parent != parent.ID || child.SessionID != "s1" || child.Terms.Scope.String() != "a" || child.Refresh.ExpiresAt.After(noon.Add(time.Hour)) {
		t.Fatalf("its grant: %+v", child)
	}
	next, err := w.refresh("shop", r.AccessToken)
	if err != nil || next.Scope.String() != "a" {
		t.Fatalf("used: %+v, %v", next, err)
	}
	parent.RevokedAt = w.now
	if _, err := w.refresh("shop", next.RefreshToken); said(err) != over {
		t.Error("used after what it came of:", err)
	}

	long, _ = w.line("shop", nil)
	w.tenant.Settings.Grants.Off = []string{oauth.RefreshToken}
	if _, err := w.swap("shop", oauth.TypeRefreshToken, long, "requested_token_type", oauth.TypeRefreshToken); said(err) != "invalid_request: the client may not request a refresh token" {
		t.Error("where refresh tokens are not served:", err)
	}
}

func TestExchangeIsOffUnlessItIsOn(t *testing.T) {
	w := exchanging(t)
	token, _ := w.access(nil)
	if _, err := w.swap("web", oauth.TypeAccessToken, token); said(err) != "unauthorized_client: the client may not use this grant_type" {
		t.Error("a client without the grant:", err)
	}
	w.tenant.Settings.Grants.TokenExchange.Enabled = false
	if _, err := w.swap("shop", oauth.TypeAccessToken, token); said(err) != "unsupported_grant_type: grant_type is not supported" {
		t.Error("a tenant that has it off:", err)
	}
}

func TestAHookDecidesAboutExchanges(t *testing.T) {
	for _, c := range []struct {
		rule, answer string
		params       []string
		want         string
		scope        string
	}{
		{"it allows what policy would not", `{"action":"allow"}`, nil, "", "a b"},
		{"it grants less", `{"action":"allow","scope":"b"}`, nil, "", "b"},
		{"it cannot grant more than the subject token has", `{"action":"allow","scope":"b c"}`, nil, "", "b"},
		{"it cannot change the subject", `{"action":"allow","subject":"bob"}`, nil, "server_error", ""},
		{"it may repeat the subject", `{"action":"allow","subject":"alice"}`, nil, "", "a b"},
		{"it refuses", `{"action":"deny","error":"invalid_target"}`, nil, "invalid_target", ""},
		{"more scope is refused before it is asked", `{"action":"allow"}`, []string{"scope", "c"}, "invalid_scope: scope exceeds that of the subject_token", ""},
		{"a bad token is refused before it is asked", `{"action":"allow"}`, []string{"actor_token", "x", "actor_token_type", oauth.TypeAccessToken}, badActor, ""},
	} {
		w := exchanging(t)
		h := w.hook(tenant.HookTokenExchange, c.answer)
		token, g := w.access(nil)
		out, err := w.swap("batch", oauth.TypeAccessToken, token, c.params...)
		if said(err) != c.want || len(c.params) > 0 && len(h.events) > 0 {
			t.Errorf("%s: got %q (%v)", c.rule, said(err), err)
			continue
		}
		if err != nil {
			continue
		}
		got := w.claims(jwtAccess, out.AccessToken)
		if d := cmp.Diff(map[string]any{"sub": "batch"}, got["act"]); d != "" || got["scope"] != c.scope || got["gid"] != g.ID {
			t.Errorf("%s: %v %s", c.rule, got, d)
		}
		told, _ := h.events[0].Facts["subject_token"].(map[string]any)
		if told["sub"] != "alice" || told["client_id"] != "shop" || told["type"] != oauth.TypeAccessToken {
			t.Errorf("%s: told %v", c.rule, told)
		}
	}
}
