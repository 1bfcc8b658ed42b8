package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// openid-client is told what is signed and encrypted to its own key: ID token and UserInfo, by each kind of key.
func TestSealedRelyingParty(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"signing": map[string]any{"algs": []string{"PS256", "EdDSA"}}})
		for _, tt := range []struct{ alg, enc, signed string }{
			{"RSA-OAEP-256", "", "PS256"}, {"ECDH-ES", "A256CBC-HS512", "ES256"}, {"ECDH-ES+A256KW", "A256GCM", "RS256"}, {"ECDH-ES+A128KW", "A128GCM", "EdDSA"},
		} {
			t.Run(tt.alg+" "+tt.enc+" "+tt.signed, func(t *testing.T) {
				p := startStranger(t, "sealed.js", map[string]any{"issuer": x.Issuer, "redirect_uri": callback, "scope": "openid email", "alg": tt.alg, "signed": tt.signed})
				var own map[string]any
				p.hear(t, &own)
				for name, v := range map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "client_secret_post",
					"id_token_signed_response_alg": tt.signed, "id_token_encrypted_response_alg": tt.alg,
					"userinfo_signed_response_alg": tt.signed, "userinfo_encrypted_response_alg": tt.alg} {
					own[name] = v
				}
				if tt.enc != "" {
					own["id_token_encrypted_response_enc"], own["userinfo_encrypted_response_enc"] = tt.enc, tt.enc
				}
				c := x.register(t, own)
				p.say(t, map[string]string{"client_id": c.ID, "client_secret": c.Secret})
				p.signIn(t, x, byAPI)
				var got struct {
					Claims, UserInfo map[string]any
					Segments         int
					ID               string `json:"id_token"`
					Access           string `json:"access_token"`
				}
				p.hear(t, &got)
				secret(got.ID, got.Access)
				if got.Claims["sub"] != x.User.Subject || got.UserInfo["sub"] != x.User.Subject || got.UserInfo["email"] == nil || got.UserInfo["aud"] != c.ID || got.Segments != 5 {
					t.Errorf("ID token %v, UserInfo %v, %d segments", got.Claims, got.UserInfo, got.Segments)
				}
				r := call(t, http.MethodGet, x.url("/userinfo"), bearer(got.Access))
				if r.Header.Get("Content-Type") != "application/jwt" || strings.Count(string(r.body), ".") != 4 {
					t.Errorf("UserInfo: %s %s", r.Header.Get("Content-Type"), r.body)
				}
				// What was sealed for the client is no token of ours (S175).
				for _, token := range []string{got.ID, string(r.body)} {
					call(t, http.MethodGet, x.url("/userinfo"), bearer(token)).want(t, "401 invalid_token")
				}
			})
		}
	})
}

// oauth4webapi asks about tokens and reads the answers as JWTs (RFC 9701), signed, and signed and encrypted.
func TestIntrospectionJWTs(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		holder := x.confidential(t, callback)
		k := x.tokens(t, holder)
		for _, encrypted := range []bool{false, true} {
			p := startStranger(t, "introspected.js", map[string]any{"issuer": x.Issuer, "alg": "ECDH-ES+A256KW", "signed": "ES256"})
			own := map[string]any{}
			p.hear(t, &own)
			own["grant_types"], own["introspection_signed_response_alg"] = []string{"client_credentials"}, "ES256"
			if encrypted {
				own["introspection_encrypted_response_alg"] = "ECDH-ES+A256KW"
			}
			c := x.register(t, own)
			p.say(t, map[string]any{"client_id": c.ID, "client_secret": c.Secret, "tokens": []string{k.Access, "x"}})
			var got struct {
				Encrypted int
				Told      []struct {
					Type   string
					Answer map[string]any
				}
			}
			p.hear(t, &got)
			if len(got.Told) != 2 || got.Encrypted != map[bool]int{true: 2}[encrypted] {
				t.Fatalf("told %v", got)
			}
			for _, told := range got.Told {
				if told.Type != "application/token-introspection+jwt" {
					t.Errorf("type %s", told.Type)
				}
			}
			if a := got.Told[0].Answer; a["active"] != true || a["sub"] != x.User.Subject || a["client_id"] != holder.ID {
				t.Errorf("a live token: %v", a)
			}
			if a := got.Told[1].Answer; len(a) != 1 || a["active"] != false {
				t.Errorf("S90 no token: %v", a)
			}
			for _, tt := range []struct{ accept, want string }{
				{"application/json", "application/json"}, {"*/*", "application/json"}, {"application/json, application/token-introspection+jwt;q=0.5", "application/json"},
				{"application/token-introspection+jwt", "application/token-introspection+jwt"}, {"application/json;q=0.9, application/token-introspection+jwt", "application/token-introspection+jwt"},
				{"application/token-introspection+jwt;q=0", "application/json"}, {";;,", "application/json"},
			} {
				r := call(t, http.MethodPost, x.url("/token/introspect"), c.auth(), header("Accept", tt.accept), form("token", k.Access))
				if got := r.Header.Get("Content-Type"); got != tt.want {
					t.Errorf("Accept: %s: %s", tt.accept, got)
				}
				if tt.want == "application/token-introspection+jwt" && !encrypted { // S95
					jwt := string(r.body)
					call(t, http.MethodGet, x.url("/userinfo"), bearer(jwt)).want(t, "401 invalid_token")
					if head, _ := claims(t, jwt); head["typ"] != "token-introspection+jwt" || x.active(t, jwt) {
						t.Errorf("header %v", head)
					}
				}
			}
		}
	})
}

// Each sector knows a user by another name, in everything that its clients can read (S99).
func TestPairwiseSubjects(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		const elsewhere = "https://elsewhere.example/cb"
		subs := map[string]string{}
		for name, uri := range map[string]string{"one": callback, "same": callback + "/too", "other": elsewhere} {
			c := x.register(t, map[string]any{"redirect_uris": []string{uri}, "subject_type": "pairwise", "grant_types": []string{"authorization_code", "refresh_token"}})
			k := x.tokens(t, c)
			_, id := claims(t, k.ID)
			_, access := claims(t, k.Access)
			var info, told map[string]any
			call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).read(t, &info)
			call(t, http.MethodPost, x.url("/token/introspect"), c.auth(), form("token", k.Access)).read(t, &told)
			sub, _ := id["sub"].(string)
			if sub == "" || access["sub"] != sub || info["sub"] != sub || told["sub"] != sub || strings.Contains(k.Access+k.ID, x.User.Subject) {
				t.Errorf("%s: ID token %v, access token %v, UserInfo %v, introspection %v", name, sub, access["sub"], info["sub"], told["sub"])
			}
			subs[name] = sub
			for rule, stranger := range map[string]*client{"public subjects": x.Client, "pairwise ones": x.register(t, map[string]any{"redirect_uris": []string{"https://third.example/cb"}, "subject_type": "pairwise"})} {
				if r := call(t, http.MethodPost, x.url("/token/introspect"), stranger.auth(), form("token", k.Access)); string(r.body) != `{"active":false}` {
					t.Errorf("%s: a stranger with %s is told %s", name, rule, r.body)
				}
			}
			_, again := claims(t, x.tokens(t, c, "id_token_hint", k.ID).ID)
			if again["sub"] != sub {
				t.Errorf("%s: with the hint %v", name, again["sub"])
			}
			asking := func(sub string) string { return `{"id_token":{"sub":{"value":"` + sub + `"}}}` }
			if _, again = claims(t, x.tokens(t, c, "claims", asking(sub)).ID); again["sub"] != sub {
				t.Errorf("%s: asked for by name %v", name, again["sub"])
			}
			r := call(t, http.MethodGet, x.url("/authorize?"+c.request("claims", asking(x.User.Subject)).Encode()))
			if !strings.Contains(r.Header.Get("Location"), "error=login_required") {
				t.Errorf("%s: asked for by the tenant's own name: %d %s", name, r.StatusCode, r.Header.Get("Location"))
			}
		}
		of := map[string]any{"redirect_uris": []string{callback}, "subject_type": "pairwise"}
		mine := x.register(t, of)
		change := func() reply {
			return call(t, http.MethodPut, x.url("/clients/"+mine.ID), bearer(mine.RegistrationToken), object(of))
		}
		of["client_id"], of["subject_type"] = mine.ID, "public"
		change().want(t, "400 invalid_client_metadata")
		delete(of, "subject_type")
		var kept struct {
			SubjectType string `json:"subject_type"`
		}
		if change().want(t, "200").read(t, &kept); kept.SubjectType != "pairwise" {
			t.Errorf("a client that leaves its subject type out has %q", kept.SubjectType)
		}
		if subs["one"] != subs["same"] || subs["one"] == subs["other"] || subs["one"] == x.User.Subject {
			t.Errorf("subjects %v", subs)
		}
		for rule, metadata := range map[string]map[string]any{
			"two hosts without a document": {"redirect_uris": []string{callback, elsewhere}, "subject_type": "pairwise"},
			"a document at a private host": {"redirect_uris": []string{callback}, "subject_type": "pairwise", "sector_identifier_uri": "https://10.0.0.1/sector"},
			"a document that is not there": {"redirect_uris": []string{callback}, "sector_identifier_uri": "https://sector.invalid/"},
		} {
			if r := call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(metadata)); !r.is("400 invalid_client_metadata") {
				t.Errorf("%s: %s", rule, r.outcome())
			}
		}
	})
}

// A resource server is told of what is meant for it alone; and a tenant may have an access token take its grant along.
func TestAccessSettings(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c, other := x.confidential(t, callback), x.confidential(t, callback)
		told := func(by *client, token string) bool {
			var i map[string]any
			call(t, http.MethodPost, x.url("/token/introspect"), by.auth(), form("token", token)).read(t, &i)
			return i["active"] == true
		}
		k := x.tokens(t, c)
		if !told(c, k.Access) || !told(other, k.Access) {
			t.Error("a token for no one in particular is not told of")
		}
		x.patch(t, map[string]any{"access": map[string]any{"strict_introspection": true, "revoke_grant": true}})
		if !told(c, k.Access) || told(other, k.Access) {
			t.Error("S91 strictly: it is told of to another, or not to its own client")
		}
		call(t, http.MethodPost, x.url("/token/revoke"), c.auth(), form("token", k.Access)).want(t, "200")
		if told(c, k.Access) || told(c, k.Refresh) {
			t.Error("the access token did not take its grant along")
		}
		opaque := x.register(t, map[string]any{"redirect_uris": []string{callback}, "access_token_format": "opaque", "access_token_lifetime": 77})
		k = x.tokens(t, opaque)
		if strings.Contains(k.Access, ".") || k.ExpiresIn != 77 {
			t.Errorf("an opaque token for 77 seconds: %s for %d", k.Access, k.ExpiresIn)
		}
	})
}

// The ticket API has the same answers in its own words.
func TestTicketAnswers(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		made := map[string]any{"clientIdAlias": "sealed", "clientType": "CONFIDENTIAL", "tokenAuthMethod": "CLIENT_SECRET_BASIC", "redirectUris": []string{callback},
			"grantTypes": []string{"AUTHORIZATION_CODE"}, "responseTypes": []string{"CODE"}, "subjectType": "PAIRWISE", "idTokenSignAlg": "RS256",
			"idTokenEncryptionAlg": "A128KW", "idTokenEncryptionEnc": "A128CBC_HS256", "userInfoSignAlg": "ES256", "extension": map[string]any{"requestableScopesEnabled": false}}
		var shown map[string]any
		x.api(t, http.MethodPost, "/api/client/create", object(made)).want(t, "200", "201").read(t, &shown)
		for name, want := range map[string]string{"subjectType": "PAIRWISE", "derivedSectorIdentifier": "app.example", "idTokenEncryptionAlg": "A128KW", "idTokenEncryptionEnc": "A128CBC_HS256",
			"userInfoSignAlg": "ES256"} {
			if shown[name] != want {
				t.Errorf("%s is %v", name, shown[name])
			}
		}
		c := &client{ID: "sealed", RedirectURIs: []string{callback}}
		c.Secret, _ = shown["clientSecret"].(string)
		secret(c.Secret)
		k := x.tokens(t, c)
		if strings.Count(k.ID, ".") != 4 {
			t.Errorf("ID token %s", k.ID)
		}
		var answer struct{ Action, ResponseContent string }
		x.api(t, http.MethodPost, "/api/auth/userinfo/issue", object(map[string]any{"token": k.Access, "claims": `{"email":"a@example.com"}`})).want(t, "200").read(t, &answer)
		if answer.Action != "JWT" {
			t.Fatalf("%+v", answer)
		}
		_, info := claims(t, answer.ResponseContent)
		_, access := claims(t, k.Access)
		if info["sub"] != access["sub"] || info["sub"] == x.User.Subject || info["email"] != "a@example.com" || info["aud"] != "sealed" {
			t.Errorf("UserInfo %v, access token %v", info, access)
		}
		for name, value := range map[string]string{"idTokenEncryptionAlg": "RSA1_5", "userInfoSignAlg": "HS256", "subjectType": "SECRET", "idTokenSignAlg": "none"} {
			bad := map[string]any{}
			for n, v := range made {
				bad[n] = v
			}
			bad["clientIdAlias"], bad[name] = "other", value
			if r := x.api(t, http.MethodPost, "/api/client/create", object(bad)); r.StatusCode != http.StatusBadRequest {
				t.Errorf("%s %s: %d %s", name, value, r.StatusCode, r.body)
			}
		}
	})
}
