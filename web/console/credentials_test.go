package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func TestTokens(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "")
	a := h.call("POST", "/admin/v1/tenants/acme/tokens", `{"label": "ci", "apis": ["clients"]}`)
	made := a.json(t)
	plain, id := made["token"].(string), made["id"].(string)
	if a.status != http.StatusCreated || !strings.HasPrefix(plain, tenant.TokenPrefix) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+plain); a.status != http.StatusOK {
		t.Errorf("it does not open what it is for: %d %s", a.status, a.body)
	}
	list := h.call("GET", "/admin/v1/tenants/acme/tokens", "")
	if strings.Contains(string(list.body), plain) || strings.Contains(string(list.body), `"token"`) || strings.Contains(string(list.body), acme.APIToken) {
		t.Errorf("a token is shown again: %s", list.body)
	}
	if n := len(list.json(t)["tokens"].([]any)); n != 2 {
		t.Errorf("there are %d", n)
	}
	if a := h.call("DELETE", "/admin/v1/tenants/acme/tokens/"+id, ""); a.status != http.StatusNoContent {
		t.Errorf("revoking: %d %s", a.status, a.body)
	}
	if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+plain); a.status != http.StatusUnauthorized {
		t.Errorf("a revoked token gets %d", a.status)
	}
	if a := h.call("DELETE", "/admin/v1/tenants/acme/tokens/"+id, ""); a.status != http.StatusNotFound {
		t.Errorf("revoking again: %d", a.status)
	}
	last := h.call("GET", "/admin/v1/tenants/platform/tokens", "").json(t)["tokens"].([]any)[0].(map[string]any)["id"].(string)
	if a := h.call("DELETE", "/admin/v1/tenants/platform/tokens/"+last, ""); a.status != http.StatusBadRequest {
		t.Errorf("the last token of the administration: %d", a.status)
	}
}

func TestKeys(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	before := h.call("GET", "/admin/v1/tenants/acme/keys", "").json(t)["keys"].([]any)
	if len(before) != 2 {
		t.Fatalf("there are %v", before)
	}
	if a := h.call("POST", "/admin/v1/tenants/acme/keys", ""); a.status != http.StatusOK || len(a.json(t)["keys"].([]any)) != 4 {
		t.Errorf("rotating all: %d %s", a.status, a.body)
	}
	if a := h.call("POST", "/admin/v1/tenants/acme/keys", `{"alg": "EdDSA"}`); a.status != http.StatusOK || len(a.json(t)["keys"].([]any)) != 5 {
		t.Errorf("a further algorithm: %d %s", a.status, a.body)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(h.call("GET", "/t/acme/jwks.json", "", "Authorization", "").body, &set); err != nil || len(set.Keys) != 5 {
		t.Errorf("%d keys are published, and %v", len(set.Keys), err)
	}
	kid := before[0].(map[string]any)["kid"].(string)
	if a := h.call("DELETE", "/admin/v1/tenants/acme/keys/"+kid, ""); a.status != http.StatusOK || strings.Contains(string(a.body), kid) {
		t.Errorf("revoking: %d %s", a.status, a.body)
	}
	if a := h.call("GET", "/t/acme/jwks.json", "", "Authorization", ""); strings.Contains(string(a.body), kid) {
		t.Error("a revoked key is still published")
	}
	if a := h.call("DELETE", "/admin/v1/tenants/acme/keys/"+kid, ""); a.status != http.StatusNotFound {
		t.Errorf("revoking again: %d", a.status)
	}
}

func TestThePreviewOfTheJWKSet(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	first := h.call("GET", "/admin/v1/tenants/acme/keys", "").json(t)["keys"].([]any)[0].(map[string]any)
	if a := h.call("POST", "/admin/v1/tenants/acme/keys", `{"alg": "`+first["alg"].(string)+`"}`); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	type preview struct {
		URI  string          `json:"jwks_uri"`
		JWKS json.RawMessage `json:"jwks"`
		Keys []struct {
			Kid, Alg, State string
			Published       bool
		}
	}
	at := func(query string) (p preview, states string) {
		t.Helper()
		a := h.call("GET", "/admin/v1/tenants/acme/jwks"+query, "")
		if err := json.Unmarshal(a.body, &p); err != nil || a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for _, k := range p.Keys {
			if k.Alg == first["alg"] {
				states += k.State + " "
			}
			if k.Published != strings.Contains(string(p.JWKS), k.Kid) {
				t.Errorf("%s is published: %v; the set is %s", k.Kid, k.Published, p.JWKS)
			}
		}
		return p, states
	}
	p, states := at("")
	if public := h.call("GET", "/t/acme/jwks.json", "", "Authorization", ""); string(public.body) != string(p.JWKS) || p.URI != h.url+"/t/acme/jwks.json" {
		t.Errorf("the public sees %s at %s, the preview is %s", public.body, p.URI, p.JWKS)
	}
	if states != "signing waiting " {
		t.Errorf("after a rotation the keys are %s", states)
	}
	soon := url.QueryEscape(time.Now().Add(11 * time.Minute).Format(time.RFC3339))
	if _, states := at("?at=" + soon); states != "retired signing " {
		t.Errorf("once the new key has its turn the keys are %s", states)
	}
	late := url.QueryEscape(time.Now().Add(1000 * time.Hour).Format(time.RFC3339))
	if p, states := at("?at=" + late); states != "gone signing " || strings.Contains(string(p.JWKS), first["kid"].(string)) {
		t.Errorf("in the end the keys are %s, the set is %s", states, p.JWKS)
	}
	if a := h.call("GET", "/admin/v1/tenants/acme/jwks?at=tomorrow", ""); a.status != http.StatusBadRequest || errorsOf(t, a)[0] != "at" {
		t.Errorf("a time that is none: %d %s", a.status, a.body)
	}
}

func TestTheLastUseOfATokenIsShown(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	made := h.call("POST", "/admin/v1/tenants/acme/tokens", `{"label": "ci", "apis": ["clients"]}`).json(t)
	admin, adminID := h.admit("acme", "auditor")
	used := func() map[string]bool {
		t.Helper()
		if err := h.uses.Write(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		out := map[string]bool{}
		for _, id := range []string{"acme", "platform"} {
			for _, k := range h.call("GET", "/admin/v1/tenants/"+id+"/tokens", "").json(t)["tokens"].([]any) {
				k := k.(map[string]any)
				at, _ := time.Parse(time.RFC3339Nano, fmt.Sprint(k["last_used_at"]))
				out[k["id"].(string)] = time.Since(at) < time.Minute
				if id == "platform" {
					out["platform"] = out["platform"] || out[k["id"].(string)]
				}
			}
		}
		return out
	}
	ci := made["id"].(string)
	if u := used(); u[ci] || u[adminID] || !u["platform"] {
		t.Errorf("before anything but the platform's is used: %v", u)
	}
	h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer wrong")
	if u := used(); u[ci] {
		t.Error("a wrong token is a use")
	}
	if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+made["token"].(string)); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if u := used(); !u[ci] || u[adminID] {
		t.Errorf("after one use: %v", u)
	}
	h.call("GET", "/admin/v1/me", "", "Authorization", "Bearer "+admin)
	if u := used(); !u[adminID] {
		t.Errorf("after a use at the administration: %v", u)
	}
}
