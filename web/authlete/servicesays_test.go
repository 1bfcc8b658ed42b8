package authlete

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// What a service says once for all of its calls counts where a call says nothing.
func TestAServiceSpeaksForItsCalls(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		number := w.known(t)["$acme"]
		says := func(body string) {
			t.Helper()
			if rec := w.call("POST", "/api/"+number+"/service/update", body, with("Authorization", "Bearer chy_acme_all")); rec.Code != 200 {
				t.Fatal(rec.Code, rec.Body)
			}
		}
		audience := func(more m) string {
			t.Helper()
			issue := m{"ticket": w.ticket(t, ""), "subject": "alice"}
			for name, v := range more {
				issue[name] = v
			}
			code, _ := w.post(t, "/auth/authorization/issue", issue)["authorizationCode"].(string)
			_, payload, _ := strings.Cut(w.post(t, "/auth/token", redeeming(code))["idToken"].(string), ".")
			payload, _, _ = strings.Cut(payload, ".")
			b, err := base64.RawURLEncoding.DecodeString(payload)
			if err != nil {
				t.Fatal(err)
			}
			var claims struct{ Aud json.RawMessage }
			if err := json.Unmarshal(b, &claims); err != nil {
				t.Fatal(err)
			}
			return string(claims.Aud)
		}
		for _, c := range []struct {
			rule, service string
			call          m
			want          string
		}{
			{"nobody says a form of aud", `{}`, nil, `"app"`},
			{"the service does", `{"idTokenAudType":"array"}`, nil, `["app"]`},
			{"and the call another", `{"idTokenAudType":"array"}`, m{"idTokenAudType": "string"}, `"app"`},
		} {
			says(c.service)
			if got := audience(c.call); got != c.want {
				t.Errorf("%s: %s, want %s", c.rule, got, c.want)
			}
		}
		for service, want := range map[string]string{`{}`: "[email email_verified]", `{"claimShortcutRestrictive":true}`: "<nil>"} {
			says(service)
			a := w.post(t, "/auth/authorization", m{"parameters": asked("")})
			if fmt.Sprint(a["claims"]) != want || fmt.Sprint(a["claimsAtUserInfo"]) != "[email email_verified]" {
				t.Errorf("%s: %v and %v", service, a["claims"], a["claimsAtUserInfo"])
			}
		}
		says(`{"tokenExchangeByPermittedClientsOnly":true}`) // no other client may have the grant
	})
}

// A page is asked for in no display and no language that the service says it has not.
func TestWhatPagesSupport(t *testing.T) {
	once(t, func(t *testing.T, w *world) {
		for service, want := range map[string]string{
			`{}`: "POPUP [ja en] [fr]",
			`{"supportedDisplays":["PAGE","TOUCH"],"supportedUiLocales":["EN","de"],"supportedClaimLocales":["de"]}`: "PAGE [en] <nil>",
		} {
			if rec := w.call("POST", w.api("acme", "/service/update"), service, with("Authorization", "Bearer chy_acme_all")); rec.Code != 200 {
				t.Fatal(rec.Code, rec.Body)
			}
			a := w.post(t, "/auth/authorization", m{"parameters": asked("&display=popup&ui_locales=ja+en&claims_locales=fr")})
			if got := fmt.Sprint(a["display"], " ", a["uiLocales"], " ", a["claimsLocales"]); got != want {
				t.Errorf("%s: %s, want %s", service, got, want)
			}
		}
	})
}
