package authlete

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

type m = map[string]any

// register registers a client of acme.
func (w *world) register(t *testing.T, id string, meta tenant.Metadata) {
	t.Helper()
	r := registration.Request{PreferredID: id, Metadata: meta, By: registration.Master("test", "")}
	if meta.TokenEndpointAuthMethod != oauth.AuthNone {
		r.PreferredSecret = clientsSecret
	}
	if _, err := w.door.Clients.Register(t.Context(), w.tenants["acme"], r); err != nil {
		t.Fatal(err)
	}
}

// lock locks a client of acme.
func (w *world) lock(t *testing.T, id string) {
	t.Helper()
	if _, err := w.door.Clients.SetDisabled(t.Context(), w.tenants["acme"], id, true, registration.Master("test", "")); err != nil {
		t.Fatal(err)
	}
}

// creating is a call that creates tokens of alice, changed by pairs.
func creating(pairs ...any) m {
	out := m{"grantType": "AUTHORIZATION_CODE", "clientIdentifier": "app", "subject": "alice", "scopes": []string{"openid", "email"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		if out[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(out, pairs[i].(string))
		}
	}
	return out
}

func thumbprint(of string) string { return base64.RawURLEncoding.EncodeToString(grant.Hash(of)) }

func TestTokenCreate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.register(t, "bound", tenant.Metadata{RedirectURIs: []string{"https://bound.example/cb"}, DPoPBound: true})
		w.register(t, "narrow", tenant.Metadata{RedirectURIs: []string{"https://narrow.example/cb"}, Scope: "read"})
		w.register(t, "locked", tenant.Metadata{RedirectURIs: []string{"https://locked.example/cb"}})
		w.lock(t, "locked")
		for _, c := range []struct {
			rule, action, says string
			body               m
		}{
			{"a client that is named by its number", "OK", "", creating("clientIdentifier", nil, "clientId", w.number(t, "app"))},
			{"a client itself", "OK", "", m{"grantType": "CLIENT_CREDENTIALS", "clientIdentifier": "app", "scopes": []string{"read"}}},
			{"zeros and nulls", "OK", "", creating("clientId", 0, "accessToken", "", "properties", []any{}, "accessTokenDuration", 0, "certificateThumbprint", "", "resources", []string{})},
			{"no grant type", "BAD_REQUEST", "grantType", creating("grantType", "")},
			{"a grant type that is none", "BAD_REQUEST", "grantType", creating("grantType", "X")},
			{"refresh tokens are no grant type of their own", "BAD_REQUEST", "grantType", creating("grantType", "REFRESH_TOKEN")},
			{"no client", "BAD_REQUEST", "names no client", creating("clientIdentifier", "")},
			{"an unknown client", "BAD_REQUEST", "no such client", creating("clientIdentifier", "nobody")},
			{"no subject", "BAD_REQUEST", "subject", creating("subject", "")},
			{"a subject that is no text", "BAD_REQUEST", "subject", creating("subject", "a\nb")},
			{"the client as subject", "BAD_REQUEST", "subject", creating("subject", "app")},
			{"a subject of a client itself", "BAD_REQUEST", "subject", creating("grantType", "CLIENT_CREDENTIALS", "scopes", nil)},
			{"properties of a client itself", "BAD_REQUEST", "properties", m{"grantType": "CLIENT_CREDENTIALS", "clientIdentifier": "app", "properties": []m{{"key": "a", "value": "b"}}}},
			{"openid without a subject", "BAD_REQUEST", "openid", m{"grantType": "CLIENT_CREDENTIALS", "clientIdentifier": "app", "scopes": []string{"openid"}}},
			{"a scope value that the client cannot have", "BAD_REQUEST", "scopes", creating("clientIdentifier", "narrow")},
			{"a scope value that is none", "BAD_REQUEST", "scopes", creating("scopes", []string{"a b"})},
			{"a resource that is none", "BAD_REQUEST", "resource", creating("resources", []string{"x"})},
			{"a refresh token of the caller's", "BAD_REQUEST", "refreshToken", creating("refreshToken", "x")},
			{"an access token that never ends", "BAD_REQUEST", "accessTokenPersistent", creating("accessTokenPersistent", true)},
			{"external attachments", "BAD_REQUEST", "forExternalAttachment", creating("forExternalAttachment", true)},
			{"an access token that can be guessed", "BAD_REQUEST", "accessToken", creating("accessToken", "short")},
			{"an access token of the form of a JWT", "BAD_REQUEST", "accessToken", creating("accessToken", strings.Repeat("a", 40)+".b.c")},
			{"a thumbprint that is none", "BAD_REQUEST", "thumbprint", creating("dpopKeyThumbprint", "x")},
			{"a certificate's thumbprint that is none", "BAD_REQUEST", "thumbprint", creating("certificateThumbprint", strings.Repeat("=", 43))},
			{"a client that takes only bound tokens", "BAD_REQUEST", "bound", creating("clientIdentifier", "bound")},
			{"the key that it takes them with", "OK", "", creating("clientIdentifier", "bound", "dpopKeyThumbprint", thumbprint("key"))},
			{"claims that are none", "BAD_REQUEST", "jwtAtClaims", creating("jwtAtClaims", "1")},
			{"more than fits", "BAD_REQUEST", "fits", creating("jwtAtClaims", `{"x":"`+strings.Repeat("x", 9000)+`"}`)},
			{"an authTime that lies ahead", "BAD_REQUEST", "authTime", creating("authTime", noon.UnixMilli())},
			{"a locked client", "FORBIDDEN", "locked", creating("clientIdentifier", "locked")},
			{"a client without the grant type", "FORBIDDEN", "grant_type", creating("grantType", "CIBA")},
			{"a public client itself", "FORBIDDEN", "grant_type", m{"grantType": "CLIENT_CREDENTIALS", "clientIdentifier": "browser"}},
			{"a member of the wrong type", "BAD_REQUEST", "grantType", creating("grantType", 1)},
		} {
			got := w.post(t, "/auth/token/create", c.body)
			if got["action"] != c.action || !strings.Contains(got["resultMessage"].(string), c.says) {
				t.Errorf("%s: %v", c.rule, got)
			}
		}
	})
}

// number is that of a client of acme.
func (w *world) number(t *testing.T, id string) int64 {
	t.Helper()
	c, err := w.db.Client(t.Context(), w.tenants["acme"].ID, id)
	if err != nil {
		t.Fatal(err)
	}
	return c.Number
}

// What was created is what was asked for, wherever it is asked about.
func TestACreatedTokenIsAsAskedFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		given := strings.Repeat("given-", 8)
		asked := creating("scopes", []string{"read", "openid"}, "properties", []m{{"key": "tier", "value": "gold"}, {"key": "own", "value": "x", "hidden": true}}, "accessTokenDuration", 120,
			"refreshTokenDuration", 3600, "certificateThumbprint", thumbprint("cert"), "acr", "high", "authTime", noon.Unix()-9, "resources", []string{"https://api.example.org"},
			"authorizationDetails", m{"elements": []m{{"type": "payment", "identifier": "7"}}}, "jwtAtClaims", `{"tier":"gold"}`)
		for _, value := range []string{"", given} {
			asked["accessToken"] = value
			got := w.post(t, "/auth/token/create", asked)
			if got["action"] != "OK" || got["expiresIn"] != 120.0 || got["expiresAt"] != float64(noon.Add(2*time.Minute).UnixMilli()) || got["tokenType"] != "Bearer" ||
				got["subject"] != "alice" || got["refreshToken"] == nil || got["grantType"] != "AUTHORIZATION_CODE" || value != "" && got["accessToken"] != value ||
				(got["jwtAccessToken"] == nil) != (value != "") || got["tokenId"] != hashOf(got["accessToken"].(string)) {
				t.Fatal(got)
			}
			is := w.standing(t, got["accessToken"])
			if is["subject"] != "alice" || fmt.Sprint(is["scopes"]) != "[read openid]" || is["certificateThumbprint"] != thumbprint("cert") || is["acr"] != "high" ||
				is["authTime"] != float64(noon.Unix()-9) || is["grantType"] != "AUTHORIZATION_CODE" || fmt.Sprint(is["accessTokenResources"]) != "[https://api.example.org]" ||
				len(is["properties"].([]any)) != 2 || is["authorizationDetails"] == nil || is["refreshable"] != true {
				t.Error(is)
			}
		}
		if got := w.post(t, "/auth/token/create", asked); got["action"] != "BAD_REQUEST" {
			t.Error("a value that is taken:", got)
		}
		refreshed := w.post(t, "/auth/token", m{"parameters": "grant_type=refresh_token&refresh_token=" + w.post(t, "/auth/token/create", creating())["refreshToken"].(string),
			"clientId": "app", "clientSecret": clientsSecret})
		if refreshed["action"] != "OK" || refreshed["subject"] != "alice" || refreshed["jwtAccessToken"] == nil {
			t.Error(refreshed)
		}
		own := w.post(t, "/auth/token/create", m{"grantType": "CLIENT_CREDENTIALS", "clientIdentifier": "app", "scopes": []string{"read"}})
		if is := w.standing(t, own["accessToken"]); own["refreshToken"] != nil || own["subject"] != nil || is["subject"] != nil || is["grantType"] != "CLIENT_CREDENTIALS" {
			t.Error(own, is)
		}
	})
}

// standing is what introspection tells of a token, whoever holds it.
func (w *world) standing(t *testing.T, token any) m {
	t.Helper()
	name, _ := token.(string)
	st, err := w.door.Access.Examine(t.Context(), w.tenants["acme"], vouched(name), noDemands)
	if err != nil {
		return m{"action": err.Error()}
	}
	a := &introspectionAnswer{}
	a.standing(w.tenants["acme"], st)
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var out m
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTokenUpdate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made := func() m {
			return w.post(t, "/auth/token/create", creating("scopes", []string{"openid", "email", "read"}))
		}
		w.register(t, "soon", tenant.Metadata{RedirectURIs: []string{"https://soon.example/cb"}})
		locked := w.post(t, "/auth/token/create", creating("clientIdentifier", "soon"))
		w.lock(t, "soon")
		tokens := made()
		for _, c := range []struct {
			rule, action, says string
			body               m
		}{
			{"nothing that names a token", "BAD_REQUEST", "names no token", m{"scopes": []string{"read"}}},
			{"the hash of a refresh token", "BAD_REQUEST", "refreshTokenHash", m{"refreshTokenHash": thumbprint("x")}},
			{"an unknown token", "NOT_FOUND", "no such token", m{"accessToken": strings.Repeat("x", 43)}},
			{"an unknown hash", "NOT_FOUND", "no such token", m{"accessTokenHash": thumbprint("x")}},
			{"a hash that is none", "NOT_FOUND", "no such token", m{"tokenId": "x"}},
			{"an unknown JWT", "NOT_FOUND", "no such token", m{"accessToken": "a.b.c"}},
			{"an unknown refresh token", "NOT_FOUND", "no such token", m{"refreshToken": "x"}},
			{"a token of a locked client", "FORBIDDEN", "locked", m{"accessToken": locked["accessToken"], "scopes": []string{}}},
			{"a token that never ends", "BAD_REQUEST", "accessTokenPersistent", m{"accessToken": tokens["accessToken"], "accessTokenPersistent": true}},
			{"an end that lies behind", "BAD_REQUEST", "ahead", m{"accessToken": tokens["accessToken"], "accessTokenExpiresAt": 1}},
			{"an end of the refresh token that lies behind", "BAD_REQUEST", "ahead", m{"accessToken": tokens["accessToken"], "refreshTokenExpiresAt": 1}},
			{"an end beyond all time", "BAD_REQUEST", "range", m{"accessToken": tokens["accessToken"], "accessTokenExpiresAt": int64(1) << 52}},
			{"a scope value that is none", "BAD_REQUEST", "scopes", m{"accessToken": tokens["accessToken"], "scopes": []string{"a b"}}},
			{"a thumbprint that is none", "BAD_REQUEST", "thumbprint", m{"accessToken": tokens["accessToken"], "dpopKeyThumbprint": "x"}},
			{"nothing to change", "OK", "", m{"accessToken": tokens["accessToken"], "accessTokenExpiresAt": 0, "scopes": nil}},
			{"a member of the wrong type", "BAD_REQUEST", "accessToken", m{"accessToken": 1}},
		} {
			got := w.post(t, "/auth/token/update", c.body)
			if got["action"] != c.action || !strings.Contains(got["resultMessage"].(string), c.says) {
				t.Errorf("%s: %v", c.rule, got)
			}
		}
		if is := w.standing(t, tokens["jwtAccessToken"]); is["usable"] != true {
			t.Error("what was refused changed the token:", is)
		}

		// Properties are of the grant, and leave the JWT as it is.
		got := w.post(t, "/auth/token/update", m{"accessToken": tokens["jwtAccessToken"], "properties": []m{{"key": "tier", "value": "gold"}}})
		if is := w.standing(t, tokens["jwtAccessToken"]); got["accessToken"] != tokens["accessToken"] || fmt.Sprint(is["properties"]) != "[map[hidden:false key:tier value:gold]]" {
			t.Error(got, is)
		}
		// A scope that is less ends the JWT, which says more. The identifier goes on, and what a refresh gives is less too.
		got = w.post(t, "/auth/token/update", m{"accessToken": tokens["accessToken"], "scopes": []string{"openid", "read"}, "dpopKeyThumbprint": thumbprint("key"), "accessTokenExpiresAt": noon.Add(time.Hour).UnixMilli()})
		if got["action"] != "OK" || got["accessToken"] != tokens["accessToken"] || got["tokenType"] != "DPoP" || got["accessTokenExpiresAt"] != float64(noon.Add(time.Hour).UnixMilli()) {
			t.Error(got)
		}
		if is := w.standing(t, tokens["jwtAccessToken"]); is["usable"] != nil {
			t.Error("the JWT lives:", is)
		}
		if is := w.standing(t, tokens["accessToken"]); fmt.Sprint(is["scopes"]) != "[openid read]" {
			t.Error(is)
		}
		refreshed := w.post(t, "/auth/token", m{"parameters": "grant_type=refresh_token&refresh_token=" + tokens["refreshToken"].(string), "clientId": "app", "clientSecret": clientsSecret})
		if fmt.Sprint(refreshed["scopes"]) != "[openid read]" {
			t.Error(refreshed)
		}
		// A new value ends the old one.
		for _, by := range []string{"accessToken", "jwtAccessToken", "tokenId", "refreshToken"} {
			tokens := made()
			name := map[string]string{"jwtAccessToken": "accessToken", "tokenId": "accessTokenHash"}[by]
			if name == "" {
				name = by
			}
			got := w.post(t, "/auth/token/update", m{name: tokens[by], "accessTokenValueUpdated": true, "refreshTokenExpiresAt": noon.Add(time.Minute).UnixMilli()})
			if got["action"] != "OK" || got["accessToken"] == nil || got["accessToken"] == tokens["accessToken"] || got["refreshTokenExpiresAt"] != float64(noon.Add(time.Minute).UnixMilli()) {
				t.Fatal(by, got)
			}
			for _, old := range []string{"accessToken", "jwtAccessToken"} {
				if is := w.standing(t, tokens[old]); is["usable"] != nil {
					t.Error(by, old, "lives:", is)
				}
			}
			if is := w.standing(t, got["accessToken"]); is["usable"] != true {
				t.Error(by, is)
			}
		}
		// A JWT that stands alone is ended, and an identifier stands in its place.
		alone := w.exchange(t)
		got = w.post(t, "/auth/token/update", m{"accessToken": alone, "scopes": []string{"read"}})
		if is, old := w.standing(t, got["accessToken"]), w.standing(t, alone); got["action"] != "OK" || fmt.Sprint(is["scopes"]) != "[read]" || old["usable"] != nil {
			t.Error(got, is, old)
		}
		// No end is further than the tenant lets it be.
		got = w.post(t, "/auth/token/update", m{"accessToken": made()["accessToken"], "accessTokenExpiresAt": noon.Add(9000 * time.Hour).UnixMilli(), "refreshTokenExpiresAt": noon.Add(90000 * time.Hour).UnixMilli()})
		if got["accessTokenExpiresAt"] != float64(noon.Add(24*time.Hour).UnixMilli()) || got["refreshTokenExpiresAt"] != float64(noon.Add(30*24*time.Hour).UnixMilli()) {
			t.Error(got)
		}
	})
}

// exchange returns an access token of app for itself that is a JWT alone.
func (w *world) exchange(t *testing.T) string {
	t.Helper()
	acme := w.tenants["acme"]
	g := &grant.Grant{Subject: "app", ClientID: "app"}
	token, _, _, err := w.door.Tokens.Issuer.MintAccess(t.Context(), acme, g, oauth.Scope{"read", "write"}, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokenList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first := w.post(t, "/auth/token/create", creating("properties", []m{{"key": "k", "value": "v"}}))
		w.move(time.Second)
		second := w.post(t, "/auth/token/create", creating("subject", "bob"))
		w.move(time.Second)
		own := w.post(t, "/auth/token/create", m{"grantType": "CLIENT_CREDENTIALS", "clientIdentifier": "app", "scopes": []string{"read"}})
		list := func(query string) m {
			t.Helper()
			rec := w.call("GET", w.api("acme", "/auth/token/get/list"+query), "", nil)
			var out m
			if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil || rec.Code != http.StatusOK {
				t.Fatal(query, rec.Code, rec.Body)
			}
			return out
		}
		hashes := func(l m) (out []any) {
			tokens, _ := l["accessTokens"].([]any)
			for _, r := range tokens {
				out = append(out, r.(m)["accessTokenHash"])
			}
			return out
		}
		for _, c := range []struct {
			query string
			total float64
			want  []any
		}{
			{"", 3, []any{first["tokenId"], second["tokenId"], own["tokenId"]}},
			{"?start=1&end=2", 3, []any{second["tokenId"]}},
			{"?subject=bob", 1, []any{second["tokenId"]}},
			{"?clientIdentifier=app&subject=alice", 1, []any{first["tokenId"]}},
			{"?clientIdentifier=browser", 0, nil},
			{"?tokenStatus=INVALID", 0, nil},
			{"?tokenStatus=ALL", 3, []any{first["tokenId"], second["tokenId"], own["tokenId"]}},
		} {
			if l := list(c.query); l["totalCount"] != c.total || fmt.Sprint(hashes(l)) != fmt.Sprint(c.want) {
				t.Errorf("%s: %v", c.query, l)
			}
		}
		r := list("?subject=alice")["accessTokens"].([]any)[0].(m)
		if r["refreshTokenHash"] != hashOf(first["refreshToken"].(string)) || r["grantType"] != "AUTHORIZATION_CODE" || r["clientId"] != first["clientId"] || r["subject"] != "alice" ||
			r["createdAt"] != float64(noon.UnixMilli()) || len(r["properties"].([]any)) != 1 {
			t.Error(r)
		}
		for query, status := range map[string]int{"?tokenStatus=x": 400, "?start=-1": 400, "?end=a": 400, "?start=2&end=1": 400, "?clientIdentifier=nobody": 404} {
			if rec := w.call("GET", w.api("acme", "/auth/token/get/list"+query), "", nil); rec.Code != status {
				t.Errorf("%s: %d %s", query, rec.Code, rec.Body)
			}
		}
		// What is listed can be ended by the hash that it is listed under.
		if rec := w.call("DELETE", w.api("acme", "/auth/token/delete/"+first["tokenId"].(string)), "", nil); rec.Code != http.StatusNoContent {
			t.Error(rec.Code, rec.Body)
		}
		if l := list(""); l["totalCount"] != 2.0 {
			t.Error(l)
		}
		if is := w.standing(t, first["tokenId"]); is["usable"] != nil {
			t.Error("a hash is a token:", is)
		}
	})
}

func TestTokenBatch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		value := func(i int) string { return fmt.Sprintf("%032d", i) }
		send := func(query string, body any) (int, m) {
			t.Helper()
			b, _ := json.Marshal(body)
			rec := w.call("POST", w.api("acme", "/auth/token/create/batch"+query), string(b), nil)
			var out m
			if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
				t.Fatal(rec.Code, rec.Body)
			}
			return rec.Code, out
		}
		status := func(id any) (int, m) {
			rec := w.call("GET", w.api("acme", fmt.Sprint("/auth/token/create/batch/status/", id)), "", nil)
			var out m
			_ = json.Unmarshal(rec.Body.Bytes(), &out)
			s, _ := out["status"].(m)
			return rec.Code, s
		}
		both := []m{creating("accessToken", value(1)), creating("accessToken", value(2), "subject", "bob")}
		for _, c := range []struct {
			rule, query, result string
			body                []m
			count               float64
			alive               bool
		}{
			{"a dry run", "?dryRun=True", "SUCCEEDED", both, 2, false},
			{"one that cannot be granted", "", "FAILED", append(both[:1:1], creating("scopes", []string{"a b"})), 0, false},
			{"the same value twice", "", "FAILED", append(both[:1:1], both[0]), 0, false},
			{"all", "?dryRun=false", "SUCCEEDED", both, 2, true},
			{"values that are taken", "", "FAILED", append(both[:1:1], creating("accessToken", value(3))), 0, true},
		} {
			code, out := send(c.query, c.body)
			if code != http.StatusOK {
				t.Fatalf("%s: %d %v", c.rule, code, out)
			}
			_, s := status(out["requestId"])
			if s["result"] != c.result || s["tokenCount"] != c.count || s["batchKind"] != "CREATE" || (s["errorCode"] == nil) != (c.result == "SUCCEEDED") {
				t.Errorf("%s: %v", c.rule, s)
			}
			if is := w.standing(t, value(1)); (is["usable"] == true) != c.alive {
				t.Errorf("%s: %v", c.rule, is)
			}
		}
		if is := w.standing(t, value(3)); is["usable"] == true {
			t.Error("of a batch that failed something was made")
		}
		var many []m
		for range 101 {
			many = append(many, creating())
		}
		for rule, body := range map[string]any{"none": []m{}, "no array": m{}, "too many": many, "a refresh token of the caller's": []m{creating("refreshToken", "x")}} {
			if code, out := send("", body); code != http.StatusBadRequest {
				t.Errorf("%s: %d %v", rule, code, out)
			}
		}
		if code, _ := status("none"); code != http.StatusNotFound {
			t.Error("an unknown batch:", code)
		}
	})
}

func TestIDTokenReissue(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.post(t, "/auth/token", redeeming(w.code(t, ""))), w.post(t, "/auth/token", redeeming(w.code(t, "")))
		got := w.post(t, "/idtoken/reissue", m{"accessToken": a["jwtAccessToken"], "refreshToken": a["refreshToken"], "claims": `{"name":"Alice","aud":"x"}`, "idTokenAudType": "array", "sub": "other"})
		c := content(t, got)
		if got["action"] != "OK" || c["id_token"] != got["idToken"] || c["access_token"] != a["jwtAccessToken"] || c["refresh_token"] != a["refreshToken"] || c["scope"] != "openid email" {
			t.Fatal(got)
		}
		_, payload, _ := strings.Cut(got["idToken"].(string), ".")
		payload, _, _ = strings.Cut(payload, ".")
		text, err := base64.RawURLEncoding.DecodeString(payload)
		var claims m
		if err == nil {
			err = json.Unmarshal(text, &claims)
		}
		if err != nil || claims["name"] != "Alice" || fmt.Sprint(claims["aud"]) != "[app]" || claims["sub"] != "other" || claims["at_hash"] == nil {
			t.Error(err, claims)
		}
		own := w.post(t, "/auth/token/create", creating("scopes", []string{"read"}))
		for rule, body := range map[string]m{
			"no access token":          {"refreshToken": a["refreshToken"]},
			"no refresh token":         {"accessToken": a["accessToken"]},
			"an unknown access token":  {"accessToken": "x", "refreshToken": a["refreshToken"]},
			"an unknown refresh token": {"accessToken": a["accessToken"], "refreshToken": "x"},
			"tokens of two grants":     {"accessToken": a["accessToken"], "refreshToken": b["refreshToken"]},
			"tokens without openid":    {"accessToken": own["accessToken"], "refreshToken": own["refreshToken"]},
			"header parameters":        {"accessToken": a["accessToken"], "refreshToken": a["refreshToken"], "idtHeaderParams": `{"x":1}`},
			"claims that are none":     {"accessToken": a["accessToken"], "refreshToken": a["refreshToken"], "claims": "1"},
			"a subject that is none":   {"accessToken": a["accessToken"], "refreshToken": a["refreshToken"], "sub": "a\nb"},
		} {
			if got := w.post(t, "/idtoken/reissue", body); got["action"] != "CALLER_ERROR" || got["idToken"] != nil {
				t.Errorf("%s: %v", rule, got)
			}
		}
	})
}

// Changes of one token at once all come to be, or say that they did not.
func TestChangesOfOneTokenAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		tokens := w.post(t, "/auth/token/create", creating())
		var group sync.WaitGroup
		actions, values := make([]any, callers), make([]any, callers)
		for i := range callers {
			group.Go(func() {
				b, _ := json.Marshal(m{"accessToken": tokens["accessToken"], "accessTokenValueUpdated": true})
				rec := w.call("POST", w.api("acme", "/auth/token/update"), string(b), nil)
				var out m
				_ = json.Unmarshal(rec.Body.Bytes(), &out)
				actions[i], values[i] = out["action"], out["accessToken"]
			})
		}
		group.Wait()
		won := 0
		for i := range callers {
			switch actions[i] {
			case "OK":
				won++
				if is := w.standing(t, values[i]); is["usable"] != true {
					t.Error("the winner's value is dead:", is)
				}
			case "NOT_FOUND", "INTERNAL_SERVER_ERROR":
			default:
				t.Error(actions[i])
			}
		}
		if won != 1 {
			t.Errorf("%d gave it a new value", won)
		}
	})
}

var noDemands access.Demands

// vouched is a token whose holder's proof is not asked for.
func vouched(token string) access.Presented { return access.Presented{Token: token, Vouched: true} }
