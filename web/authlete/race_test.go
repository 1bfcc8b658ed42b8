package authlete

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// callers are how many call at once.
const callers = 64

// crowd makes the same call at once and counts the actions that are answered.
func (w *world) crowd(t *testing.T, path string, body map[string]any) map[string]int {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	answered := make([]string, callers)
	for i := range callers {
		group.Go(func() {
			rec := w.call("POST", w.api("acme", path), string(b), nil)
			var out struct{ Action string }
			if json.Unmarshal(rec.Body.Bytes(), &out) != nil || rec.Code != http.StatusOK {
				out.Action = rec.Body.String()
			}
			answered[i] = out.Action
		})
	}
	group.Wait()
	counts := map[string]int{}
	for _, a := range answered {
		counts[a]++
	}
	return counts
}

func TestATicketIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			rule, path string
			body       map[string]any
		}{
			{"to issue", "/auth/authorization/issue", map[string]any{"subject": "alice"}},
			{"to fail", "/auth/authorization/fail", map[string]any{"reason": "DENIED"}},
		} {
			tt.body["ticket"] = w.ticket(t, "")
			got := w.crowd(t, tt.path, tt.body)
			if got["LOCATION"] != 1 || got["BAD_REQUEST"] != callers-1 {
				t.Errorf("%s: %v", tt.rule, got)
			}
		}
	})
}

func TestACodeIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		got := w.crowd(t, "/auth/token", redeeming(w.code(t, "")))
		if got["OK"] != 1 || got["BAD_REQUEST"] != callers-1 {
			t.Error(got)
		}
	})
}

func TestADeviceIsAnsweredAndRedeemedOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.tenants["acme"].Settings.Device = tenant.DeviceSettings{Enabled: true}
		rec := w.call("POST", w.api("acme", "/client/create"), `{"clientIdAlias":"tv","clientType":"PUBLIC","grantTypes":["DEVICE_CODE"],"responseTypes":[]}`, nil)
		if rec.Code != http.StatusOK {
			t.Fatal(rec.Body)
		}
		a := w.post(t, "/device/authorization", map[string]any{"parameters": "client_id=tv"})
		got := w.crowd(t, "/device/complete", map[string]any{"userCode": a["userCode"], "result": "AUTHORIZED", "subject": "bob"})
		if got["SUCCESS"] != 1 || got["USER_CODE_NOT_EXIST"] != callers-1 {
			t.Errorf("answered: %v", got)
		}
		got = w.crowd(t, "/auth/token", map[string]any{"parameters": "client_id=tv&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=" + a["deviceCode"].(string)})
		if got["OK"] != 1 || got["BAD_REQUEST"] != callers-1 {
			t.Errorf("redeemed: %v", got)
		}
	})
}

func TestATicketOfTheBackchannelIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.tenants["acme"].Settings.CIBA = tenant.CIBASettings{Enabled: true}
		w.register(t, "till", tenant.Metadata{RedirectURIs: []string{cb}, GrantTypes: []string{oauth.CIBA}, BackchannelMode: "poll"})
		begun := func() any {
			return w.post(t, "/backchannel/authentication", confidential("till", "scope", "openid", "login_hint", "alice"))["ticket"]
		}
		ticket := begun()
		if got := w.crowd(t, "/backchannel/authentication/issue", m{"ticket": ticket}); got["OK"] != 1 || got["INVALID_TICKET"] != callers-1 {
			t.Errorf("acknowledged: %v", got)
		}
		if got := w.crowd(t, "/backchannel/authentication/complete", m{"ticket": ticket, "result": "AUTHORIZED", "subject": "alice"}); got["NO_ACTION"] != 1 || got["SERVER_ERROR"] != callers-1 {
			t.Errorf("answered: %v", got)
		}
	})
}

func TestAPushedRequestIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		pushed := w.post(t, "/pushed_auth_req", m{"parameters": asked(""), "clientId": "app", "clientSecret": clientsSecret})
		reference := fields("client_id", "app", "request_uri", pushed["requestUri"].(string))
		first, second := w.opened(t, reference), w.opened(t, reference)
		for _, ticket := range []any{first, second} {
			got := w.crowd(t, "/auth/authorization/issue", m{"ticket": ticket, "subject": "alice"})
			if want := map[bool]int{true: 1, false: 0}[ticket == first]; got["LOCATION"] != want || got["BAD_REQUEST"] != callers-want {
				t.Error(got)
			}
		}
	})
}

// Nobody who changes something alone is told to have called wrongly because others do the same: it is done, or may be tried again.
func TestChangesOfOneClientAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, tt := range []struct {
			path  string
			body  m
			fault string
		}{
			{"/client/update/app", m{"clientName": "app", "redirectUris": []string{cb}}, "A023101"},
			{"/client/secret/update/app", m{"clientSecret": clientsSecret}, "A149101"},
			{"/client/extension/requestable_scopes/update/app", m{"requestableScopes": []string{"openid"}}, "A151101"},
			{"/client/lock_flag/update/app", m{"clientLocked": true}, "A154101"},
		} {
			done := 0
			for said, n := range w.crowd(t, tt.path, tt.body) {
				if said == "" {
					done += n
				} else if !strings.Contains(said, tt.fault) {
					t.Errorf("%s: %d times %s", tt.path, n, said)
				}
			}
			if done == 0 {
				t.Errorf("%s: nobody got through", tt.path)
			}
		}
	})
}

// What a client changes of itself is neither wrong because others change it at once.
func TestChangesOfARegistrationAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		s := *w.tenants["acme"].Settings
		s.Service.Registration = true
		w.set(t, s)
		made := w.post(t, "/client/registration", m{"json": `{"redirect_uris":["https://a.example/cb"]}`})
		var client struct {
			ID    string `json:"client_id"`
			Token string `json:"registration_access_token"`
		}
		if err := json.Unmarshal([]byte(made["responseContent"].(string)), &client); err != nil {
			t.Fatal(err)
		}
		body := m{"clientId": client.ID, "token": client.Token, "json": `{"redirect_uris":["https://a.example/cb"],"client_name":"A"}`}
		if got := w.crowd(t, "/client/registration/update", body); got["UPDATED"] == 0 || got["UPDATED"]+got["INTERNAL_SERVER_ERROR"] != callers {
			t.Errorf("changed: %v", got)
		}
	})
}

// opened opens a ticket of acme for those parameters.
func (w *world) opened(t *testing.T, parameters string) any {
	t.Helper()
	return w.post(t, "/auth/authorization", m{"parameters": parameters})["ticket"]
}

func TestChangesOfOneGrantAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		tokens := w.post(t, "/auth/token/create", creating("scopes", []string{"openid", "email"}))
		got := w.crowd(t, "/auth/token/update", m{"refreshToken": tokens["refreshToken"], "scopes": []string{"openid"}})
		if got["OK"] == 0 || got["OK"]+got["INTERNAL_SERVER_ERROR"] != callers {
			t.Errorf("changed: %v", got)
		}
		refreshed := w.post(t, "/auth/token", confidential("app", "grant_type", oauth.RefreshToken, "refresh_token", tokens["refreshToken"].(string)))
		if scopes, _ := refreshed["scopes"].([]any); len(scopes) != 1 {
			t.Error(refreshed)
		}
	})
}

// meanwhile is a store in which something happens once after an access token was read.
type meanwhile struct {
	grant.Store
	happens func()
}

func (s *meanwhile) AccessToken(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*grant.AccessToken, error) {
	a, err := s.Store.AccessToken(ctx, t, now, hash)
	if happens := s.happens; happens != nil {
		s.happens = nil
		happens()
	}
	return a, err
}

// A token that another change gives another id while it is being changed is there all the time.
func TestATokenThatChangesMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		tokens := w.post(t, "/auth/token/create", creating("scopes", []string{"openid", "email"}))
		store := w.door.Tokens.Grants
		defer func() { w.door.Tokens.Grants = store }()
		for rule, c := range map[string]struct {
			happens func()
			want    string
		}{
			"it is changed": {func() {
				w.post(t, "/auth/token/update", m{"accessToken": tokens["accessToken"], "scopes": []string{"openid"}})
			}, "OK"},
			"it is revoked": {func() {
				w.answer(t, "/auth/token/revoke", m{"accessTokenIdentifier": tokens["accessToken"]})
			}, "NOT_FOUND"},
		} {
			tokens = w.post(t, "/auth/token/create", creating("scopes", []string{"openid", "email"}))
			w.door.Tokens.Grants = &meanwhile{store, c.happens}
			if got := w.post(t, "/auth/token/update", m{"accessToken": tokens["accessToken"], "scopes": []string{"email"}}); got["action"] != c.want {
				t.Errorf("%s: %v", rule, got)
			}
		}
	})
}
