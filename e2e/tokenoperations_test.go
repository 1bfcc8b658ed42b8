package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// lookedAfter has the operator of the authorization server make, change, list and end tokens beside it, in both generations of the
// API: the server takes them for its own.
func (as *authorizationServer) lookedAfter(t *testing.T, c *client) {
	v := &service{as.at, as.ServiceID, as.APIToken}
	userinfo := func(token any, status string) {
		t.Helper()
		call(t, http.MethodGet, as.url+"/userinfo", bearer(fmt.Sprint(token))).want(t, status)
	}
	for _, old := range []bool{false, true} {
		made := v.action(t, old, "/auth/token/create", map[string]any{"grantType": "AUTHORIZATION_CODE", "clientIdentifier": c.ID, "subject": carolSub, "scopes": []string{"openid", "email"}}, "OK")
		secret(fmt.Sprint(made["accessToken"]), fmt.Sprint(made["jwtAccessToken"]), fmt.Sprint(made["refreshToken"]))
		userinfo(made["accessToken"], "200")
		var listed struct {
			Total  int `json:"totalCount"`
			Tokens []struct {
				Hash string `json:"accessTokenHash"`
			} `json:"accessTokens"`
		}
		of := url.Values{"clientIdentifier": {c.ID}, "subject": {carolSub}, "end": {"50"}}
		list := func() (hashes map[string]bool) {
			v.call(t, old, http.MethodGet, "/auth/token/get/list?"+of.Encode(), nil).want(t, "200").read(t, &listed)
			hashes = map[string]bool{}
			for _, k := range listed.Tokens {
				hashes[k.Hash] = true
			}
			return hashes
		}
		if hashes := list(); !hashes[fmt.Sprint(made["tokenId"])] || len(hashes) != listed.Total {
			t.Errorf("the token %v is not among %v of %d", made["tokenId"], hashes, listed.Total)
		}
		v.action(t, old, "/auth/token/update", map[string]any{"accessTokenHash": made["tokenId"], "scopes": []string{"email"}}, "OK")
		userinfo(made["accessToken"], "403")

		tokens := v.signedIn(t, old, c.ID, c.Secret)
		secret(fmt.Sprint(tokens["accessToken"]), fmt.Sprint(tokens["jwtAccessToken"]), fmt.Sprint(tokens["refreshToken"]), fmt.Sprint(tokens["idToken"]))
		held := tokens["jwtAccessToken"]
		if held == nil {
			held = tokens["accessToken"]
		}
		again := v.action(t, old, "/idtoken/reissue", map[string]any{"accessToken": held, "refreshToken": tokens["refreshToken"], "claims": `{"nickname":"C"}`}, "OK")["idToken"]
		secret(fmt.Sprint(again))
		for token, valid := range map[any]bool{again: true, fmt.Sprint(again) + "x": false} {
			var found struct {
				Valid   bool     `json:"valid"`
				Missing []string `json:"missingClaims"`
			}
			v.call(t, old, http.MethodPost, "/jose/verify", map[string]any{"jose": token, "mandatoryClaims": []string{"nickname"}}).want(t, "200").read(t, &found)
			if found.Valid != valid {
				t.Errorf("the ID token is valid: %+v, want %v", found, valid)
			}
		}

		v.call(t, old, http.MethodDelete, "/auth/token/delete/"+fmt.Sprint(made["tokenId"]), nil).want(t, "204")
		userinfo(made["accessToken"], "401")
		if list()[fmt.Sprint(made["tokenId"])] {
			t.Error("what was deleted is listed")
		}
		v.call(t, old, http.MethodDelete, "/auth/token/delete/"+fmt.Sprint(made["tokenId"]), nil).want(t, "404")
	}
}
