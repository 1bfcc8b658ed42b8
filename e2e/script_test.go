package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// twoSteps asks for a user name and then for a password, and keeps the name in between.
const twoSteps = `exports.onChallenge = async (event, api) => {
	const username = event.parameters.username || event.attributes.username;
	if (!username) return api.next('username_required');
	if (!event.parameters.password) return api.next('password_required', {keep: {username}});
	const user = await api.user.verifyPassword(username, event.parameters.password);
	if (!user) return api.next('password_invalid');
	api.log('in comes', user.sub, 'with', (await api.secret('greeting')).length);
	return api.allow(user.sub, {amr: ['pwd'], acr: 'urn:acme:script', claims: {nickname: 'by script'}});
};`

// administer calls the administration about the tenant.
func (x *tenant) administer(t testing.TB, method, path, text string, status int) string {
	t.Helper()
	var parts []part
	if text != "" {
		parts = append(parts, body("application/json", text))
	}
	r := call(t, method, x.at.url+"/admin/v1/tenants/"+x.TenantID+path, append([]part{bearer(x.at.adminToken)}, parts...)...)
	if r.StatusCode != status {
		t.Fatalf("%s %s: %d %s", method, path, r.StatusCode, r.body)
	}
	return string(r.body)
}

// A script of the tenant signs users in, step by step; when it fails, nobody is signed in and the tenant is told why.
func TestScript(t *testing.T) {
	for _, e := range engines() {
		s := fresh(t, e, func(c *conf) { c.faults = true })
		x := s.newTenant(t)
		c := x.firstParty(t, nil)
		save := func(source string) {
			t.Helper()
			body, _ := json.Marshal(map[string]string{"source": source})
			x.administer(t, http.MethodPost, "/scripts/login/versions", string(body), http.StatusCreated)
		}
		save(twoSteps)
		x.administer(t, http.MethodPut, "/script-secrets/greeting", `{"value": "hello"}`, http.StatusNoContent)
		trial := x.administer(t, http.MethodPost, "/scripts/login/test", `{"event": {"parameters": {"username": "alice"}, "attributes": {}}}`, http.StatusOK)
		if !strings.Contains(trial, `"error":"password_required","keep":{"username":"alice"}`) {
			t.Errorf("a trial: %s", trial)
		}
		x.administer(t, http.MethodPost, "/scripts/login/activate", "", http.StatusOK)
		x.patch(t, map[string]any{"challenge": map[string]any{"enabled": true, "default_acr": "urn:acme:script", "steps": map[string]string{"urn:acme:script": "login"}}})

		step := func(status int, code string, pairs ...string) (session string, got reply) {
			t.Helper()
			r := x.challengeAt(t, c, pairs...)
			var body struct {
				Error   string
				Session string `json:"auth_session"`
				Code    string `json:"authorization_code"`
			}
			r.read(t, &body)
			if r.StatusCode != status || body.Error != code {
				t.Fatalf("%v: %d %s", pairs, r.StatusCode, r.body)
			}
			if code == "" {
				return body.Code, r
			}
			return body.Session, r
		}
		session, _ := step(http.StatusUnauthorized, "username_required", "scope", "openid profile", "use_auth_session", "true")
		session, _ = step(http.StatusUnauthorized, "password_required", "auth_session", session, "username", x.User.Username)
		session, _ = step(http.StatusUnauthorized, "password_invalid", "auth_session", session, "password", "wrong")
		code, _ := step(http.StatusOK, "", "auth_session", session, "password", x.User.Password)
		var got tokens
		r := x.token(t, c, "grant_type", "authorization_code", "code", code)
		r.read(t, &got)
		if got.Access == "" {
			t.Fatalf("%d %s", r.StatusCode, r.body)
		}

		for _, broken := range []string{"exports.onChallenge = () => { for (;;); }", "exports.onChallenge = () => { throw new Error('oh') }", "exports.onChallenge = () => ({action: 'maybe'})",
			"exports.onChallenge = () => ({action: 'allow', subject: 'carol', claims: {iss: 'x'}})"} {
			save(broken)
			x.administer(t, http.MethodPost, "/scripts/login/activate", "", http.StatusOK)
			step(http.StatusInternalServerError, "server_error", "scope", "openid", "username", x.User.Username, "password", x.User.Password)
		}
		x.administer(t, http.MethodPost, "/scripts/login/activate", `{"version": 1}`, http.StatusOK)
		step(http.StatusOK, "", "scope", "openid", "username", x.User.Username, "password", x.User.Password)
		for _, want := range []string{"in comes " + x.User.Subject + " with 5", "more than its 20ms of processor time", "Error: oh", "neither allow, deny nor next", "the step sets a claim"} {
			within(t, 10*time.Second, "the log says "+want, func() bool {
				return strings.Contains(x.administer(t, http.MethodGet, "/script-log", "", http.StatusOK), want)
			})
		}
	}
}
