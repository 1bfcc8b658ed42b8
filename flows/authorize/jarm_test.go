package authorize

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// secured opens a house that has every response type on, and a client "spa" whose responses may be JWTs.
func secured(t *testing.T) *house {
	h := hybrid(t)
	c := h.t.Clients.(registry)["spa"]
	c.ResponseAlg = "ES256"
	h.Issuer.Keys = tenant.NewClientKeys(h.Issuer.Now, nil)
	return h
}

// wrapped reads the JWT that a response is.
func (h *house) wrapped(t *testing.T, res Result) map[string]any {
	t.Helper()
	if len(res.Response.Params) != 1 || res.Response.Params[0].Name != "response" {
		t.Fatalf("the response is no JWT: %+v", res.Response.Params)
	}
	b, err := h.t.Keys.Verify(h.now, "JWT", param(res, "response"))
	var said map[string]any
	if err == nil {
		err = json.Unmarshal(b, &said)
	}
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func TestJWTResponses(t *testing.T) {
	for _, tt := range []struct{ rule, rt, mode, carrier, members string }{
		{"the mode of a code", "code", "jwt", "query", "aud code exp iss state"},
		{"the mode of tokens", "id_token", "jwt", "fragment", "aud exp id_token iss state"},
		{"by query", "code", "query.jwt", "query", "aud code exp iss state"},
		{"by fragment", "code", "fragment.jwt", "fragment", "aud code exp iss state"},
		{"by a form", "code+id_token", "form_post.jwt", "form_post", "aud code exp id_token iss state"},
		{"an access token", "token", "fragment.jwt", "fragment", "access_token aud exp expires_in iss scope state token_type"},
	} {
		h := secured(t)
		res, err := h.consent(t, "client_id=spa&nonce=n&response_type="+tt.rt+"&response_mode="+tt.mode, Consent{Scope: oauth.Scope{"*"}})
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		said := h.wrapped(t, res)
		if d := cmp.Diff(strings.Fields(tt.members), sorted(said)); d != "" || res.Response.Mode != tt.carrier {
			t.Errorf("%s: by %s, %s", tt.rule, res.Response.Mode, d)
		}
		if said["iss"] != h.t.Issuer || said["aud"] != "spa" || said["exp"] != float64(noon.Add(10*time.Minute).Unix()) || said["state"] != "s" {
			t.Errorf("%s: %v", tt.rule, said)
		}
		if uri := res.Response.URI(); strings.Contains(uri, "iss=") || strings.Contains(uri, "code=") {
			t.Errorf("%s: something stands beside the JWT: %s", tt.rule, uri)
		}
	}
}

func sorted(m map[string]any) []string {
	var names []string
	for _, name := range []string{"access_token", "aud", "code", "error", "error_description", "exp", "expires_in", "id_token", "iss", "scope", "state", "token_type"} {
		if _, there := m[name]; there {
			names = append(names, name)
		}
	}
	return names
}

// Errors come the same way: those found at once, those of a decision, and those of a subject.
func TestJWTErrors(t *testing.T) {
	h := secured(t)
	const q = "client_id=spa&nonce=n&response_mode=jwt"
	refused, err := h.Refuse(context.Background(), h.t, h.pending(t, h.begin(t, q, "")), oauth.AccessDenied("the subject refused"), "")
	if err != nil {
		t.Fatal(err)
	}
	for want, res := range map[string]Result{"invalid_request": h.begin(t, q+"&display=tv", ""), "login_required": h.begin(t, q+"&prompt=none", ""), "access_denied": refused} {
		if said := h.wrapped(t, res); said["error"] != want || said["state"] != "s" || said["aud"] != "spa" || res.Response.Err == nil {
			t.Errorf("%s: %v", want, said)
		}
	}
}

// A response that cannot be protected as the client registered is not given: nothing has changed then.
func TestJWTResponsesThatCannotBeMade(t *testing.T) {
	h := secured(t)
	h.t.Clients.(registry)["spa"].ResponseAlg = "ES384"
	if _, err := h.consent(t, "client_id=spa&response_mode=jwt", Consent{Scope: oauth.Scope{"*"}}); !errors.Is(err, keys.ErrNoKey) || len(h.store.grants) != 0 {
		t.Errorf("%v, %d grants", err, len(h.store.grants))
	}
	h = secured(t)
	h.t.Clients.(registry)["spa"].ResponseEncAlg = "ECDH-ES"
	if _, err := h.consent(t, "client_id=spa&response_mode=jwt", Consent{Scope: oauth.Scope{"*"}}); oauth.ErrorOf(err).Code != "invalid_request" || len(h.store.grants) != 0 {
		t.Errorf("without a key to encrypt to: %v", err)
	}
}

// Tokens may come by query where they are encrypted (JARM §2.3.1), and a response is encrypted to the client's key.
func TestEncryptedResponses(t *testing.T) {
	h := secured(t)
	c := h.t.Clients.(registry)["spa"]
	if got := refusal(h.begin(t, "client_id=spa&nonce=n&response_type=id_token&response_mode=query.jwt", "")); got != "invalid_request" {
		t.Error("signed only, by query:", got)
	}
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b64, point := base64.RawURLEncoding, k.PublicKey().Bytes()
	c.JWKS, _ = json.Marshal(map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "kid": "e", "use": "enc",
		"x": b64.EncodeToString(point[1:33]), "y": b64.EncodeToString(point[33:])}}})
	c.ResponseEncAlg, c.ResponseEnc = "ECDH-ES", "A256GCM"
	res, err := h.consent(t, "client_id=spa&nonce=n&response_type=id_token&response_mode=query.jwt", Consent{Scope: oauth.Scope{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	if jwe := param(res, "response"); !keys.IsEncrypted(jwe) || res.Response.Mode != oauth.ModeQuery || len(res.Response.Params) != 1 {
		t.Errorf("%+v", res.Response)
	}
}

// The backend of a ticket learns what a response gives although that is a JWT.
func TestTicketJWTResponse(t *testing.T) {
	h := secured(t)
	res, err := h.Issue(t.Context(), h.t, h.ticket(t, "client_id=spa&response_mode=form_post.jwt"), Verdict{Subject: "alice", Access: grant.AccessTerms{}})
	if err != nil {
		t.Fatal(err)
	}
	if said := h.wrapped(t, res); said["code"] != res.Issued.Code || res.Issued.Code == "" {
		t.Errorf("%v, %+v", said, res.Issued)
	}
}
