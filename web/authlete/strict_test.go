package authlete

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// enums are the members whose values callers look up by name, and the names that there are.
var enums = map[string][]string{
	"display":                   {"PAGE", "POPUP", "TOUCH", "WAP"},
	"prompts":                   prompts,
	"lowestPrompt":              prompts,
	"supportedPromptValues":     prompts,
	"supportedDisplays":         {"PAGE", "POPUP", "TOUCH", "WAP"},
	"supportedClaimTypes":       {"NORMAL", "AGGREGATED", "DISTRIBUTED"},
	"clientType":                {"PUBLIC", "CONFIDENTIAL"},
	"applicationType":           {"WEB", "NATIVE"},
	"userCodeCharset":           {"BASE20", "NUMERIC"},
	"subjectType":               {"PUBLIC", "PAIRWISE"},
	"clientAuthMethod":          names(authMethods),
	"tokenAuthMethod":           names(authMethods),
	"supportedTokenAuthMethods": names(authMethods),
	"grantType":                 names(grantTypes),
	"grantTypes":                names(grantTypes),
	"supportedGrantTypes":       names(grantTypes),
	"responseTypes":             names(responseTypes),
	"supportedResponseTypes":    names(responseTypes),
	"requestedTokenType":        names(tokenKinds),
	"subjectTokenType":          names(tokenKinds),
	"actorTokenType":            names(tokenKinds),
	"batchKind":                 {"CREATE"},
	"gmAction":                  names(grantActions),
	"result":                    {"SUCCEEDED", "FAILED"},
}

func names(ws words) []string {
	var out []string
	for _, w := range ws {
		out = append(out, w.here)
	}
	return out
}

// kinds are the members whose JSON type callers insist on.
var kinds = map[string]string{
	"clientId": "number", "number": "number", "apiKey": "number", "maxAge": "number", "expiresAt": "number", "authTime": "number",
	"accessTokenExpiresAt": "number", "accessTokenDuration": "number", "refreshTokenExpiresAt": "number", "refreshTokenDuration": "number",
	"idTokenDuration": "number", "createdAt": "number", "modifiedAt": "number", "totalCount": "number", "start": "number", "end": "number", "defaultMaxAge": "number",
	"resultCode": "string", "resultMessage": "string", "action": "string", "responseContent": "string", "ticket": "string", "subject": "string",
	"clientIdAlias": "string", "claims": "array", "scopes": "array", "idTokenClaims": "string", "userInfoClaims": "string",
	"clientIdAliasUsed": "boolean", "clientIdAliasEnabled": "boolean", "acrEssential": "boolean", "existent": "boolean", "usable": "boolean",
	"expiresIn": "number", "tokenCount": "number", "count": "number", "lastRefreshedAt": "number", "tokenId": "string", "requestId": "string", "accessTokenHash": "string",
	"refreshTokenHash": "string", "jwtAccessToken": "string", "idToken": "string", "valid": "boolean", "signatureValid": "boolean", "forExternalAttachment": "boolean",
	"missingClaims": "array", "invalidClaims": "array", "errorDescriptions": "array", "accessTokens": "array", "subjectTokenInfo": "object", "actorTokenInfo": "object", "status": "object",
	"grantId": "string", "grantSubject": "string", "grant": "object",
	"client": "object", "service": "object", "properties": "array", "extension": "object",
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "number"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}

// strict returns what strict callers reject in a value.
func strict(at string, v any) (wrong []string) {
	switch v := v.(type) {
	case nil:
		wrong = append(wrong, at+" is null")
	case float64:
		if v != math.Trunc(v) || math.Abs(v) >= 1<<53 {
			wrong = append(wrong, fmt.Sprintf("%s is %v", at, v))
		}
	case []any:
		for i, e := range v {
			wrong = append(wrong, strict(fmt.Sprintf("%s[%d]", at, i), e)...)
		}
	case map[string]any:
		for name, m := range v {
			wrong = append(wrong, strict(at+"."+name, m)...)
			if kind := kinds[name]; kind != "" && kind != kindOf(m) {
				wrong = append(wrong, at+"."+name+" is a "+kindOf(m))
			}
			if known := enums[name]; known != nil {
				values, ok := m.([]any)
				if !ok {
					values = []any{m}
				}
				for _, e := range values {
					if s, _ := e.(string); !slices.Contains(known, s) {
						wrong = append(wrong, fmt.Sprintf("%s.%s is %v", at, name, e))
					}
				}
			}
		}
	}
	return wrong
}

// What strict callers reject is in no answer, whatever the call comes to.
func TestStrictCallers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		check := func(method, path string, body any, statuses ...int) map[string]any {
			t.Helper()
			text := ""
			if body != nil {
				b, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				text = string(b)
			}
			rec := w.call(method, w.api("acme", path), text, func(r *http.Request) {
				r.Header.Set("Content-Type", "application/json; charset=utf-8")
				r.ContentLength = -1 // as a chunked body
			})
			if !slices.Contains(statuses, rec.Code) {
				t.Errorf("%s: status %d %s", path, rec.Code, rec.Body)
			}
			if rec.Code == http.StatusNoContent {
				if rec.Body.Len() > 0 {
					t.Errorf("%s: 204 with a body", path)
				}
				return nil
			}
			if ct := rec.Header().Get("Content-Type"); ct != "application/json" {
				t.Errorf("%s: content type %s", path, ct)
			}
			var out map[string]any
			if err := json.Unmarshal(rec.Body.Bytes(), &out); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			for _, wrong := range strict(path, out) {
				t.Error(wrong)
			}
			if known := documented[path]; known != nil && !slices.Contains(known, out["action"].(string)) {
				t.Errorf("%s: action %v", path, out["action"])
			}
			return out
		}
		for _, p := range []string{"", "client_id=nobody", asked(""), asked("&prompt=none"), asked("&prompt=login+consent&max_age=0&display=wap"), asked("&response_mode=form_post"),
			asked("&scope=openid"), asked("&prompt=bad"), "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fclient.example.org%2Fcb"} {
			a := check("POST", "/auth/authorization", m{"parameters": p, "context": nil}, 200)
			if action := a["action"]; action == "INTERACTION" || action == "NO_INTERACTION" {
				if kindOf(a["client"]) != "object" || kindOf(a["service"]) != "object" {
					t.Errorf("%s: no client or service: %v", p, a)
				}
			}
		}
		for _, ticket := range []string{"", "x", w.ticket(t, ""), w.ticket(t, "&response_mode=form_post")} {
			check("POST", "/auth/authorization/issue", m{"ticket": ticket, "subject": "alice", "sub": nil, "claims": nil, "properties": nil, "scopes": nil}, 200)
			check("POST", "/auth/authorization/fail", m{"ticket": ticket, "reason": "DENIED", "description": nil}, 200)
		}
		tokens := check("POST", "/auth/token", redeeming(w.code(t, "")), 200)
		for _, p := range []string{"", "grant_type=x", "grant_type=client_credentials", "grant_type=refresh_token&refresh_token=x"} {
			check("POST", "/auth/token", m{"parameters": p, "clientId": "app", "clientSecret": clientsSecret, "properties": nil}, 200)
			check("POST", "/auth/token", m{"parameters": p, "clientId": nil, "clientSecret": nil}, 200)
		}
		for _, token := range []any{nil, "", "x", tokens["accessToken"], tokens["jwtAccessToken"], tokens["idToken"], tokens["refreshToken"]} {
			check("POST", "/auth/introspection", m{"token": token, "scopes": nil, "subject": ""}, 200)
			check("POST", "/auth/introspection", m{"token": token, "scopes": []string{"x"}}, 200)
			check("POST", "/auth/introspection/standard", m{"parameters": fmt.Sprintf("token=%v", token), "rsUri": nil}, 200)
			check("POST", "/auth/userinfo", m{"token": token}, 200)
			check("POST", "/auth/userinfo/issue", m{"token": token, "claims": `{"a":null}`}, 200)
		}
		check("POST", "/auth/revocation", m{"parameters": "token=x", "clientId": "app", "clientSecret": clientsSecret}, 200)
		check("GET", "/service/get", nil, 200)
		check("GET", "/service/configuration?pretty=True", nil, 200)
		check("POST", "/service/configuration", m{"pretty": true}, 200)
		check("GET", "/service/jwks/get", nil, 200)
		made := check("POST", "/client/create", m{"clientName": "x", "clientId": 0, "grantTypes": []string{}, "clientType": "", "redirectUris": nil, "extension": nil}, 200, 201)
		path := fmt.Sprintf("/%.0f", made["clientId"])
		check("GET", "/client/get"+path, nil, 200)
		check("POST", "/client/update"+path, made, 200)
		check("GET", "/client/get/list?start=0&end=2", nil, 200)
		check("GET", "/client/get/list?start=9", nil, 200)
		check("DELETE", "/client/delete"+path, nil, 204)
		check("DELETE", "/client/delete"+path, nil, 404)
	})
}

// Every sentence may stand in an error description.
func TestSentences(t *testing.T) {
	for _, o := range refusals {
		if strings.ContainsFunc(o.text, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
			t.Errorf("%q", o.text)
		}
	}
	seen := map[string]string{}
	for _, e := range slices.Concat(runtime, management, services) {
		at := strings.TrimSuffix(e.path, "/:subject") // which may stand elsewhere
		if path := seen[e.codes]; path != "" && path != at || len(e.codes) != 4 {
			t.Errorf("%s: %s and %s", e.codes, at, path)
		}
		seen[e.codes] = at
	}
}
