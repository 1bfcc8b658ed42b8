package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// payer is a client of a tenant that offers two types of authorization details, of which it registered one.
func (x *tenant) payer(t testing.TB) *client {
	t.Helper()
	x.patch(t, map[string]any{"authorization": map[string]any{"details_types": []any{
		map[string]any{"type": "payment", "required": []string{"amount"}}, map[string]any{"type": "account"}}}})
	return x.register(t, map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token"},
		"authorization_details_types": []string{"payment"}})
}

// openid-client asks for authorization details and finds them in token and introspection; our page shows them, and so does
// the prompt of a login UI.
func TestRelyingPartyDetails(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		details := []any{map[string]any{"type": "payment", "amount": "12.50", "actions": []any{"initiate"}}}
		for _, opaque := range []bool{false, true} {
			x.patch(t, map[string]any{"tokens": map[string]any{"access_token_opaque": opaque}})
			for _, way := range []string{"by our pages", "by the authorisation-session API"} {
				c := x.payer(t)
				p := startStranger(t, "details.js", map[string]any{"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret,
					"redirect_uri": callback, "scope": "email", "authorization_details": details, "push": opaque})
				p.signIn(t, x, signIns[way])
				var got struct {
					Supported             []string
					Granted, Introspected []any
				}
				p.hear(t, &got)
				if d := cmp.Diff(details, got.Granted) + cmp.Diff(details, got.Introspected) + cmp.Diff([]string{"payment", "account"}, got.Supported); d != "" {
					t.Errorf("%s, opaque %v: %s", way, opaque, d)
				}
			}
		}
	})
}

// What becomes of authorization details: RFC 9396 §5, §6, §7.
func TestDetails(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.payer(t)
		const sent = `[{"type":"payment","amount":"1","actions":["initiate","cancel"]}]`
		for details, want := range map[string]string{
			sent:                               "sign-in",
			`[{"type":"payment"}]`:             "client invalid_authorization_details",
			`[{"type":"account"}]`:             "client invalid_authorization_details",
			`[{"type":"other"}]`:               "client invalid_authorization_details",
			`[{"type":"payment","amount":"1"`:  "client invalid_authorization_details",
			`"payment"`:                        "client invalid_authorization_details",
			`[{"amount":"1","amount":"2000"}]`: "client invalid_authorization_details",
		} {
			if got, _ := x.ask(t, c.request("authorization_details", details)); got != want {
				t.Errorf("%s: %s, want %s", details, got, want)
			}
		}
		x.push(t, c, c.request("authorization_details", `[{"type":"other"}]`)).want(t, "400 invalid_authorization_details")

		v := newVisitor(t)
		asks := v.open(t, x.url("/authorize?"+c.request("authorization_details", `[{"type":"payment","amount":"1","note":"to \u202eanna"}]`).Encode()))
		asks = v.fill(t, asks, "username", x.User.Username, "password", x.User.Password, "action", "login")
		if text := strings.Join(strings.Fields(asks.text()), " "); !strings.Contains(text, "act for you as follows: payment amount: 1; note: to anna") {
			t.Errorf("the consent page: %s", text)
		}

		code := x.code(t, c, "authorization_details", sent)
		redeem := func(details string) reply {
			return x.token(t, c, "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier, "authorization_details", details)
		}
		redeem(`[{"type":"payment","amount":"2","actions":["initiate"]}]`).want(t, "400 invalid_authorization_details")
		var k struct {
			tokens
			Details []map[string]any `json:"authorization_details"`
		}
		redeem(`[{"type":"payment","amount":"1","actions":["initiate"]}]`).want(t, "200").read(t, &k)
		secret(k.Access, k.Refresh)
		want := []map[string]any{{"type": "payment", "amount": "1", "actions": []any{"initiate"}}}
		if d := cmp.Diff(want, k.Details); d != "" {
			t.Error("narrowed:", d)
		}
		_, payload := claims(t, k.Access)
		if d := cmp.Diff([]any{any(want[0])}, payload["authorization_details"]); d != "" {
			t.Error("in the JWT:", d)
		}
		k.Details = nil
		x.refresh(t, c, k.Refresh).want(t, "200").read(t, &k)
		if d := cmp.Diff([]any{"initiate", "cancel"}, k.Details[0]["actions"]); d != "" {
			t.Error("the next token:", d)
		}

		var a struct {
			Ticket  string
			Details struct {
				Elements []map[string]any `json:"elements"`
			} `json:"authorizationDetails"`
			Code string `json:"authorizationCode"`
		}
		x.api(t, http.MethodPost, "/api/auth/authorization", object(map[string]string{"parameters": c.request("authorization_details", sent).Encode()})).want(t, "200").read(t, &a)
		if d := cmp.Diff([]map[string]any{{"type": "payment", "actions": []any{"initiate", "cancel"}, "otherFields": `{"amount":"1"}`}}, a.Details.Elements); d != "" {
			t.Error("at a ticket:", d)
		}
		x.api(t, http.MethodPost, "/api/auth/authorization/issue", object(map[string]any{"ticket": a.Ticket, "subject": x.User.Subject,
			"authorizationDetails": map[string]any{"elements": []any{map[string]any{"type": "payment", "otherFields": `{"amount":"1","account":"DE02"}`}}}})).want(t, "200").read(t, &a)
		secret(a.Code)
		k.Details = nil
		x.redeem(t, c, a.Code).want(t, "200").read(t, &k)
		if d := cmp.Diff([]map[string]any{{"type": "payment", "amount": "1", "account": "DE02"}}, k.Details); d != "" {
			t.Error("as the backend says:", d)
		}
	})
}
