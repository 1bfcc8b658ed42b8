package authlete

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// forms are the ways in which callers send the same request.
var forms = []struct {
	rule string
	send func(r *http.Request, body m)
	bare bool // also where there is no body
	both bool // in both generations, whose paths are their own; bodies are read alike, and TestStrictCallers sends plain ones
}{
	{"JSON", func(*http.Request, m) {}, true, false},
	{"JSON with a charset", func(r *http.Request, _ m) { r.Header.Set("Content-Type", "application/json;charset=UTF-8") }, true, false},
	{"JSON in chunks", func(r *http.Request, _ m) { r.ContentLength, r.TransferEncoding = -1, []string{"chunked"} }, true, false},
	{"JSON with a slash behind the path", func(r *http.Request, _ m) { r.URL.Path += "/" }, true, true},
	{"a form", func(r *http.Request, body m) {
		v := url.Values{}
		for name, member := range body {
			switch member := member.(type) {
			case []string:
				v.Set(name, strings.Join(member, " "))
			case string, bool, int, int64:
				v.Set(name, fmt.Sprint(member))
			}
		}
		rebody(r, v.Encode())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}, false, true},
	{"absent members as nulls, zeros and empty texts", func(r *http.Request, body m) {
		full := m{"unknown": m{"a": nil}}
		for name, v := range body {
			full[name] = v
		}
		for name, none := range absent {
			if _, given := full[name]; !given {
				full[name] = none
			}
		}
		b, _ := json.Marshal(full)
		rebody(r, string(b))
	}, false, false},
	{"a query without values", func(r *http.Request, _ m) {
		r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&developer=&tokenStatus=&patch=", "&")
	}, true, false},
}

// absent is how callers send what they do not give.
var absent = map[string]any{"clientIdentifier": "", "clientId": nil, "clientSecret": nil, "clientCertificate": "", "clientCertificatePath": []string{}, "dpop": nil, "htm": "", "htu": "",
	"dpopNonceRequired": nil, "properties": []any{}, "accessTokenDuration": 0, "refreshTokenDuration": nil, "jwtAtClaims": "", "accessToken": nil, "authorizationDetails": nil, "scopes": nil,
	"resources": []string{}, "acrValues": nil, "maxAge": 0, "subject": nil, "sub": "", "acr": "", "authTime": 0, "claims": nil, "idtHeaderParams": "", "consentedClaims": []string{}, "context": nil,
	"withHiddenProperties": nil, "rsUri": "", "httpAcceptHeader": nil, "errorDescription": "", "errorUri": nil, "certificateThumbprint": "", "description": nil, "idTokenAudType": "",
	// of services and clients, as programs that write whole objects send them
	"number": 0, "serviceNumber": 0, "apiKey": 0, "developer": "", "clientIdAlias": nil, "subjectType": "", "tokenAuthMethod": "", "responseTypes": []string{}, "extension": nil, "attributes": []any{},
	"requestUris": nil, "jwks": "", "defaultMaxAge": 0, "fapiModes": nil, "locked": false, "bcDeliveryMode": nil, "clientNames": nil, "createdAt": 0, "issuer": "", "supportedScopes": []any{},
	"supportedAcrs": nil, "userCodeCharset": "", "userCodeLength": 0, "refreshTokenReset": false, "hsks": nil, "mtlsEndpointAliases": []any{}, "singleAccessTokenPerSubject": false, "snsCredentials": nil,
	"start": 0, "end": 0, "patch": nil, "refreshTokenIdentifier": nil, "accessTokenPersistent": false}

// rebody gives r another body.
func rebody(r *http.Request, body string) {
	n, _ := http.NewRequest(r.Method, r.URL.String(), strings.NewReader(body))
	r.Body, r.ContentLength = n.Body, n.ContentLength
}

// Every call takes its request in every form, in both generations. What was sent in a form means what it means in JSON.
func TestFormsOfRequests(t *testing.T) {
	once(t, func(t *testing.T, w *world) {
		for _, e := range w.everyCall(t) {
			for _, second := range []bool{false, true} {
				for _, f := range forms {
					if e.body == nil && !f.bare || second && !f.both {
						continue
					}
					path, authorization := e.at(w, t, second)
					body := e.sends()
					given, _ := body.(m)
					rec := w.call(e.method, path, e.text(body), func(r *http.Request) {
						r.Header.Set("Authorization", authorization)
						r.Header.Set("Content-Type", "application/json")
						f.send(r, given)
					})
					got := members(rec.Body.Bytes())
					action, _ := got["action"].(string)
					code, _ := got["resultCode"].(string)
					if rec.Code != e.status || action != e.action || len(code) == 7 && code[4] == '2' && code != unsupportedCode {
						t.Errorf("%s %s (2.x: %v), %s: %d %s", e.method, e.path, second, f.rule, rec.Code, rec.Body)
					}
					for name, v := range given {
						if text, ok := v.(string); (e.path == "/client/create" || e.path == "/service/create") && ok && got[name] != text {
							t.Errorf("%s, %s: %s is %v", e.path, f.rule, name, got[name])
						}
					}
				}
			}
		}
	})
}
