package request

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

const issuer = "https://id.acme.example"

// A signer is a client with a key on P-256.
type signer struct{ key *ecdsa.PrivateKey }

func newSigner(t testing.TB) signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{k}
}

var b64 = base64.RawURLEncoding

// jwks is the client's key set.
func (s signer) jwks(t testing.TB) json.RawMessage {
	t.Helper()
	p, err := s.key.PublicKey.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	point := p.Bytes()
	b, err := json.Marshal(map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "kid": "k",
		"x": b64.EncodeToString(point[1:33]), "y": b64.EncodeToString(point[33:])}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func segments(t testing.TB, header, claims any) string {
	t.Helper()
	h, err1 := json.Marshal(header)
	c, err2 := json.Marshal(claims)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return b64.EncodeToString(h) + "." + b64.EncodeToString(c)
}

// sign makes a JWT of that type with ES256.
func (s signer) sign(t testing.TB, typ string, claims any) string {
	t.Helper()
	header := map[string]any{"alg": "ES256", "kid": "k"}
	if typ != "" {
		header["typ"] = typ
	}
	input := segments(t, header, claims)
	sum := sha256.Sum256([]byte(input))
	der, err := s.key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	r, sv := parseDER(der)
	return input + "." + b64.EncodeToString(append(r, sv...))
}

// parseDER takes an ECDSA signature apart into numbers of 32 bytes.
func parseDER(der []byte) (r, s []byte) {
	n := int(der[3])
	r, s = der[4:4+n], der[6+n:]
	pad := func(b []byte) []byte {
		for len(b) > 32 {
			b = b[1:]
		}
		return append(make([]byte, 32-len(b)), b...)
	}
	return pad(r), pad(s)
}

// mac makes a JWT with HS256.
func mac(t testing.TB, secret string, claims any) string {
	t.Helper()
	input := segments(t, map[string]any{"alg": "HS256"}, claims)
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(input))
	return input + "." + b64.EncodeToString(h.Sum(nil))
}

// replays remember what was used.
type replays struct {
	mu   sync.Mutex
	used map[string]bool
	down error
}

func (r *replays) UseOnce(_ context.Context, t tenant.ID, kind string, hash []byte, _ time.Time) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := string(t) + kind + string(hash)
	first := !r.used[key]
	r.used[key] = true
	return first, r.down
}

// site is what clients publish, by URL.
type site map[string]string

func (s site) fetch(_ context.Context, _, at string, _ int64) ([]byte, string, error) {
	if body, ok := s[at]; ok {
		return []byte(body), "application/oauth-authz-req+jwt", nil
	}
	return nil, "", errors.New("nothing there")
}

// desk is a service that takes request objects, at a tenant with one client, "app", that signs them.
type desk struct {
	*Service
	signer
	x     *tenant.Tenant
	app   *tenant.Client
	site  site
	store *shelf
	uses  *replays
}

const secretOfApp = "a secret of at least thirty-two bytes"

func newDesk(t testing.TB) *desk {
	t.Helper()
	d := &desk{Service: service(), signer: newSigner(t), site: site{}, store: &shelf{kept: map[string]PushedRequest{}}, uses: &replays{used: map[string]bool{}}}
	hs, err := keys.NewHMACKey(secretOfApp)
	if err != nil {
		t.Fatal(err)
	}
	d.app = client("app", tenant.Metadata{RedirectURIs: []string{callback}, JWKS: d.jwks(t)})
	d.app.Secrets = []tenant.ClientSecret{{HMAC: hs}}
	d.app.GrantTypes, d.app.BackchannelMode = []string{oauth.AuthorizationCode, oauth.CIBA}, oauth.Poll
	clock := func() time.Time { return noon }
	d.Now, d.Rand, d.Store, d.Replay, d.Fetch = clock, rand.Reader, d.store, d.uses, d.site.fetch
	d.Keys = tenant.NewClientKeys(clock, nil)
	opening, err := keys.Generate("ECDH-ES", rand.Reader, noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	d.x = &tenant.Tenant{ID: "acme", Issuer: issuer, Clients: registry{"app": d.app}, Keys: keys.NewSet([]keys.Key{opening}), Settings: &tenant.Settings{
		CIBA: tenant.CIBASettings{Enabled: true}, Encryption: tenant.EncryptionSettings{Algs: []string{"ECDH-ES"}}}}
	return d
}

// claims are those of a good request object, changed by pairs; nil leaves one out.
func claims(pairs ...any) map[string]any {
	c := map[string]any{"iss": "app", "aud": issuer, "client_id": "app", "response_type": "code", "redirect_uri": callback, "scope": "openid", "state": "inside"}
	for i := 0; i+1 < len(pairs); i += 2 {
		if c[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(c, pairs[i].(string))
		}
	}
	return c
}

// ask sends what pairs are to the authorization endpoint.
func (d *desk) ask(pairs ...string) (*Request, error) {
	params := url.Values{"client_id": {"app"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		params.Add(pairs[i], pairs[i+1])
	}
	r, _, err := d.Validate(context.Background(), d.x, Authorize, params)
	return r, err
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return oauth.ErrorOf(err).Code + ": " + oauth.ErrorOf(err).Description
}

const (
	malformed = "invalid_request_object: the request object is malformed, or not signed or encrypted as it must be"
	nowhere   = "invalid_request_uri: request_uri is not registered, or leads to no request object"
)

// The request object of RFC 9101 §4 and its key, which §5 uses too.
const (
	published = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsyYmRjIn0.ewogICAgImlzcyI6ICJzNkJoZF" +
		"JrcXQzIiwKICAgICJhdWQiOiAiaHR0cHM6Ly9zZXJ2ZXIuZXhhbXBsZS5jb20iLAog" +
		"ICAgInJlc3BvbnNlX3R5cGUiOiAiY29kZSBpZF90b2tlbiIsCiAgICAiY2xpZW50X2" +
		"lkIjogInM2QmhkUmtxdDMiLAogICAgInJlZGlyZWN0X3VyaSI6ICJodHRwczovL2Ns" +
		"aWVudC5leGFtcGxlLm9yZy9jYiIsCiAgICAic2NvcGUiOiAib3BlbmlkIiwKICAgIC" +
		"JzdGF0ZSI6ICJhZjBpZmpzbGRraiIsCiAgICAibm9uY2UiOiAibi0wUzZfV3pBMk1q" +
		"IiwKICAgICJtYXhfYWdlIjogODY0MDAKfQ.Nsxa_18VUElVaPjqW_ToI1yrEJ67BgK" +
		"b5xsuZRVqzGkfKrOIX7BCx0biSxYGmjK9KJPctH1OC0iQJwXu5YVY-vnW0_PLJb1C2" +
		"HG-ztVzcnKZC2gE4i0vgQcpkUOCpW3SEYXnyWnKzuKzqSb1wAZALo5f89B_p6QA6j6" +
		"JwBSRvdVsDPdulW8lKxGTbH82czCaQ50rLAg3EYLYaCb4ik4I1zGXE4fvim9FIMs8O" +
		"CMmzwIB5S-ujFfzwFjoyuPEV4hJnoVUmXR_W9typPf846lGwA8h9G9oNTIuX8Ft2jf" +
		"pnZdFmLg3_wr3Wa5q3a-lfbgF3S9H_8nN3j1i7tLR_5Nz-g"
	publishedKey = `{"keys":[{"kty":"RSA","kid":"k2bdc","e":"AQAB","n":"x5RbkAZkmpRxia65qRQ1wwSMSxQUnS7gcpVTV_cdHmfmG2ltd2yabEO9XadD8` +
		`pJNZubINPpmgHh3J1aD9WRwS05ucmFq3CfFsluLt13_7oX5yDRSKX7poXmT_5ko8k4NJZPMAO8fPToDTH7kHYbONSE2FYa5GZ60CUsFhSonI-dcMDJ0Ary9lxI` +
		`w5k2z4TAdARVWcS7sD07VhlMMshrwsPHBQgTatlkxyIHXbYdtak8fqvNAwr7OlVEvM_Ipf5OfmdB8Sd-wjzaBsyP4VhJKoi_qdgSzpC694XZeYPq45Sw-q51iF` +
		`UlcOlTCI7z6jltUtnR6ySn6XDGFnzH5Fe5ypw"}]}`
)

// The examples of RFC 9101 §4 and §5: by value, and by reference to what a third party keeps.
func TestPublishedRequestObject(t *testing.T) {
	const at = "https://tfp.example.org/request.jwt/GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"
	for _, params := range []url.Values{{"client_id": {"s6BhdRkqt3"}, "request": {published}}, {"client_id": {"s6BhdRkqt3"}, "request_uri": {at}}} {
		d := newDesk(t)
		d.x.Issuer = "https://server.example.com"
		d.x.Settings.Authorization.ResponseTypes = []string{"code id_token"}
		d.ResponseTypes = []string{"code", "code id_token"}
		d.site[at] = published
		c := client("s6BhdRkqt3", tenant.Metadata{RedirectURIs: []string{"https://client.example.org/cb"}, JWKS: json.RawMessage(publishedKey),
			GrantTypes: []string{oauth.AuthorizationCode, oauth.Implicit}, ResponseTypes: []string{"code id_token"}})
		c.RequestURIs = []string{at}
		d.x.Clients.(registry)[c.ID] = c
		r, _, err := d.Validate(t.Context(), d.x, Authorize, params)
		age := int64(86400)
		want := &Request{ClientID: c.ID, ResponseType: "code id_token", ResponseMode: "fragment", RedirectURI: "https://client.example.org/cb", RedirectSent: true,
			Scope: oauth.Scope{"openid"}, State: "af0ifjsldkj", Nonce: "n-0S6_WzA2Mj", MaxAge: &age}
		if want.Object = r.Object; !strings.Contains(string(r.Object), `"state": "af0ifjsldkj"`) {
			t.Errorf("the payload is %s", r.Object)
		}
		if diff := cmp.Diff(want, r); diff != "" || err != nil {
			t.Errorf("%v: %v\n%s", slices.Collect(maps.Keys(params)), err, diff)
		}
		d.x.Issuer = "https://other.example.com"
		if _, _, err := d.Validate(t.Context(), d.x, Authorize, params); said(err) != "invalid_request_object: aud of the request object is not this issuer" {
			t.Error("at another issuer:", err)
		}
	}
}

func TestRequestObjects(t *testing.T) {
	other := newSigner(t)
	type change = func(*desk)
	strict := func(f func(*tenant.RequestObjectSettings)) change {
		return func(d *desk) { f(&d.x.Settings.RequestObjects) }
	}
	unsigned := strict(func(s *tenant.RequestObjectSettings) { s.Unsigned = true })
	short := strict(func(s *tenant.RequestObjectSettings) { s.Lifetime = 60 })
	none := segments(t, map[string]any{"alg": "none"}, claims()) + "."
	for _, tt := range []struct {
		rule   string
		change change
		object func(d *desk) string
		want   string
	}{
		{"a good one", nil, func(d *desk) string { return d.sign(t, "oauth-authz-req+jwt", claims()) }, ""},
		{"with the usual type", nil, func(d *desk) string { return d.sign(t, "JWT", claims()) }, ""},
		{"without a type", nil, func(d *desk) string { return d.sign(t, "", claims()) }, ""},
		{"of another type", nil, func(d *desk) string { return d.sign(t, "dpop+jwt", claims()) }, malformed},
		{"of no type where that is strict", strict(func(s *tenant.RequestObjectSettings) { s.StrictType = true }), func(d *desk) string { return d.sign(t, "", claims()) }, malformed},
		{"of its own type where that is strict", strict(func(s *tenant.RequestObjectSettings) { s.StrictType = true }), func(d *desk) string { return d.sign(t, "oauth-authz-req+jwt", claims()) }, ""},
		{"signed by another key", nil, func(*desk) string { return other.sign(t, "", claims()) }, malformed},
		{"no JWT", nil, func(*desk) string { return "x" }, malformed},
		{"of another client", nil, func(d *desk) string { return d.sign(t, "", claims("iss", "other")) }, "invalid_request_object: iss of the request object is not the client"},
		{"without iss", nil, func(d *desk) string { return d.sign(t, "", claims("iss", nil)) }, "invalid_request_object: iss of the request object is not the client"},
		{"for another issuer", nil, func(d *desk) string { return d.sign(t, "", claims("aud", "https://other.example")) }, "invalid_request_object: aud of the request object is not this issuer"},
		{"without aud", nil, func(d *desk) string { return d.sign(t, "", claims("aud", nil)) }, "invalid_request_object: aud of the request object is not this issuer"},
		{"for several", nil, func(d *desk) string { return d.sign(t, "", claims("aud", []string{"x", issuer})) }, ""},
		{"that could be a client assertion", nil, func(d *desk) string { return d.sign(t, "", claims("sub", "app")) }, "invalid_request_object: sub of the request object must not be the client"},
		{"expired", nil, func(d *desk) string { return d.sign(t, "", claims("exp", noon.Unix())) }, "invalid_request_object: the request object has expired"},
		{"not yet valid", nil, func(d *desk) string { return d.sign(t, "", claims("nbf", noon.Unix()+31)) }, "invalid_request_object: the request object is not valid yet"},
		{"of a clock that is a little ahead", nil, func(d *desk) string { return d.sign(t, "", claims("iat", noon.Unix()+30)) }, ""},
		{"an exp that is no number", nil, func(d *desk) string { return d.sign(t, "", claims("exp", "soon")) }, "invalid_request_object: a claim of the request object is of the wrong type"},
		{"without exp where there is a longest life", short, func(d *desk) string { return d.sign(t, "", claims("nbf", noon.Unix())) }, "invalid_request_object: exp or nbf of the request object is missing, or they are too far apart"},
		{"that lives too long", short, func(d *desk) string { return d.sign(t, "", claims("nbf", noon.Unix()-1, "exp", noon.Unix()+60)) }, "invalid_request_object: exp or nbf of the request object is missing, or they are too far apart"},
		{"that lives just so long", short, func(d *desk) string { return d.sign(t, "", claims("nbf", noon.Unix()-1, "exp", noon.Unix()+59)) }, ""},
		{"with another client_id", nil, func(d *desk) string { return d.sign(t, "", claims("client_id", "other")) }, "invalid_request_object: client_id in the request object is not that of the request"},
		{"without client_id", nil, func(d *desk) string { return d.sign(t, "", claims("client_id", nil)) }, "invalid_request_object: client_id in the request object is not that of the request"},
		{"around another", nil, func(d *desk) string { return d.sign(t, "", claims("request", "e30")) }, "invalid_request_object: a request object must not hold another"},
		{"that refers to another", nil, func(d *desk) string { return d.sign(t, "", claims("request_uri", "urn:x")) }, "invalid_request_object: a request object must not hold another"},
		{"with a claim twice", nil, func(d *desk) string {
			return d.sign(t, "", json.RawMessage(`{"iss":"app","aud":"`+issuer+`","client_id":"app","scope":"a","scope":"b"}`))
		}, malformed},
		{"unsigned", nil, func(*desk) string { return none }, malformed},
		{"unsigned where the tenant has it so", unsigned, func(*desk) string { return none }, ""},
		{"unsigned of a client that signs", func(d *desk) { unsigned(d); d.app.RequestAlg = "ES256" }, func(*desk) string { return none }, malformed},
		{"unsigned of a client that must sign", func(d *desk) { unsigned(d); d.app.RequireSignedObject = true }, func(*desk) string { return none }, "invalid_request: the request must be in a signed request object"},
		{"unsigned with a signature", unsigned, func(d *desk) string { return none + "AA" }, malformed},
		{"with the algorithm that was registered", func(d *desk) { d.app.RequestAlg = "ES256" }, func(d *desk) string { return d.sign(t, "", claims()) }, ""},
		{"with another", func(d *desk) { d.app.RequestAlg = "PS256" }, func(d *desk) string { return d.sign(t, "", claims()) }, malformed},
		{"with the client's secret, where that was registered", func(d *desk) { d.app.RequestAlg, d.x.Settings.Signing.HMAC = "HS256", true }, func(*desk) string { return mac(t, secretOfApp, claims()) }, ""},
		{"where it was not", func(d *desk) { d.x.Settings.Signing.HMAC = true }, func(*desk) string { return mac(t, secretOfApp, claims()) }, malformed},
		{"where the tenant has it off", func(d *desk) { d.app.RequestAlg = "HS256" }, func(*desk) string { return mac(t, secretOfApp, claims()) }, malformed},
		{"with another secret", func(d *desk) { d.app.RequestAlg, d.x.Settings.Signing.HMAC = "HS256", true }, func(*desk) string { return mac(t, secretOfApp+"x", claims()) }, malformed},
		{"encrypted to the tenant", nil, func(d *desk) string { return d.seal(t, d.sign(t, "", claims())) }, ""},
		{"encrypted, with a wrong signature inside", nil, func(d *desk) string { return d.seal(t, other.sign(t, "", claims())) }, malformed},
		{"encrypted otherwise than registered", func(d *desk) { d.app.RequestEncAlg = "RSA-OAEP-256" }, func(d *desk) string { return d.seal(t, d.sign(t, "", claims())) }, malformed},
		{"encrypted where the tenant has that off", func(d *desk) { d.x.Settings.Encryption.Algs = nil }, func(d *desk) string { return d.seal(t, d.sign(t, "", claims())) }, malformed},
		{"a request that must be signed and is", func(d *desk) { d.x.Settings.RequestObjects.Required = true }, func(d *desk) string { return d.sign(t, "", claims()) }, ""},
		{"a wrong redirect URI inside", nil, func(d *desk) string { return d.sign(t, "", claims("redirect_uri", "https://evil.example/")) }, "invalid_request: redirect_uri is not registered for this client"},
	} {
		d := newDesk(t)
		if tt.change != nil {
			tt.change(d)
		}
		r, err := d.ask("request", tt.object(d), "redirect_uri", callback, "response_type", "code", "state", "outside")
		if got := said(err); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.rule, got, tt.want)
		}
		if err == nil && r.State != "inside" {
			t.Errorf("%s: the state is %s", tt.rule, r.State)
		}
		if strings.HasPrefix(tt.want, "invalid_request_object") && r != nil {
			t.Errorf("%s: the error goes to %s, which nobody signed", tt.rule, r.RedirectURI)
		}
	}
}

// seal encrypts to the tenant's published key, as a client does.
func (d *desk) seal(t testing.TB, compact string) string {
	t.Helper()
	set, err := keys.ParseJWKS(d.x.Keys.JWKS(noon))
	if err != nil {
		t.Fatal(err)
	}
	out, err := set.Encrypt(keys.Encryption{Alg: "ECDH-ES", Enc: "A256GCM"}, "", "JWT", []byte(compact))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Strictly, only the request object counts; by OIDC Core §6 what it lacks may stand beside it, and it goes first.
func TestWhatStandsBesideARequestObject(t *testing.T) {
	for _, tt := range []struct {
		merge               bool
		object              map[string]any
		state, nonce, error string
	}{
		{false, claims(), "inside", "", ""},
		{true, claims(), "inside", "outside", ""},
		{true, claims("state", nil, "iss", nil, "aud", nil, "client_id", nil, "redirect_uri", nil), "outside", "outside", ""},
		{true, claims("iss", "other"), "outside", "", "invalid_request_object: iss of the request object is not the client"},
		{true, claims("response_type", "none"), "outside", "", "invalid_request_object: response_type in the request object is not that of the request"},
	} {
		d := newDesk(t)
		d.x.Settings.RequestObjects.Merge = tt.merge
		r, err := d.ask("request", d.sign(t, "", tt.object), "redirect_uri", callback, "response_type", "code", "state", "outside", "nonce", "outside")
		if said(err) != tt.error || r == nil || r.State != tt.state || r.Nonce != tt.nonce {
			t.Errorf("merge %v: %+v, %v", tt.merge, r, err)
		}
	}
}

// What is no string in the object is read as the parameter that it stands for.
func TestParametersOfARequestObject(t *testing.T) {
	d := newDesk(t)
	d.x.Settings.Authorization.DetailsTypes = []tenant.DetailsType{{Type: "a"}}
	d.app.DetailsTypes = []string{"a"}
	r, err := d.ask("request", d.sign(t, "", claims("max_age", 5, "claims", map[string]any{"id_token": map[string]any{"auth_time": nil}},
		"resource", []string{"https://a.example/", "https://b.example/"}, "authorization_details", []any{map[string]any{"type": "a"}}, "nonce", nil)))
	if err != nil || *r.MaxAge != 5 || !r.Claims.AuthTime() || len(r.Resource) != 2 || len(r.Details) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, bad := range []map[string]any{claims("max_age", 1.5), claims("scope", []string{"openid"}), claims("redirect_uri", true)} {
		if _, err := d.ask("request", d.sign(t, "", bad)); err == nil {
			t.Errorf("%v passes", bad)
		}
	}
}

func TestRequestObjectsByReference(t *testing.T) {
	const at = "https://app.example/request.jwt"
	for _, tt := range []struct {
		rule, uri  string
		registered []string
		any        bool
		want       string
	}{
		{"a registered one", at, []string{at}, false, ""},
		{"one that is not", at, nil, false, nowhere},
		{"where it need not be", at, nil, true, ""},
		{"a longer one", at + "?x", []string{at}, false, nowhere},
		{"one where nothing is", at + "2", []string{at + "2"}, false, nowhere},
		{"one that is too long", at + strings.Repeat("x", 512), nil, true, nowhere},
		{"with the hash of what is there", at + "#HASH", []string{at}, false, ""},
		{"registered with it", at + "#HASH", []string{at + "#HASH"}, false, ""},
		{"registered with another", at + "#HASH", []string{at + "#x"}, false, nowhere},
		{"with another hash", at + "#x", []string{at}, false, "invalid_request_uri: what is at request_uri has another hash than its fragment says"},
		{"a URN that is none of ours", "urn:x", nil, true, nowhere},
	} {
		d := newDesk(t)
		object := d.sign(t, "", claims())
		sum := sha256.Sum256([]byte(object))
		hash := func(s string) string { return strings.Replace(s, "HASH", b64.EncodeToString(sum[:]), 1) }
		d.site[at] = object
		for _, r := range tt.registered {
			d.app.RequestURIs = append(d.app.RequestURIs, hash(r))
		}
		d.x.Settings.RequestObjects.AnyURI = tt.any
		r, err := d.ask("request_uri", hash(tt.uri))
		if got := said(err); got != tt.want || (r == nil) != (err != nil) {
			t.Errorf("%s: %s, want %s", tt.rule, got, tt.want)
		}
	}
	d := newDesk(t)
	if _, err := d.ask("request_uri", at, "request", "x"); said(err) != "invalid_request: request and request_uri must not be used together" {
		t.Error("both:", err)
	}
	if _, err := d.ask("request", "x", "request", "y"); said(err) != "invalid_request: request is repeated" {
		t.Error("two:", err)
	}
}

// A pushed request may be signed; it is unpacked when it is pushed, and so held to what client and tenant demand.
func TestPushedRequestObject(t *testing.T) {
	d := newDesk(t)
	d.app.RequireSignedObject = true
	if _, err := d.Push(t.Context(), d.x, d.app, url.Values{"response_type": {"code"}, "redirect_uri": {callback}}, oauth.Confirmation{}, ""); said(err) != "invalid_request: the request must be in a signed request object" {
		t.Error("unsigned:", err)
	}
	out, err := d.Push(t.Context(), d.x, d.app, url.Values{"request": {d.sign(t, "", claims("exp", noon.Unix()+1))}, "client_secret": {"x"}}, oauth.Confirmation{}, "")
	if err != nil {
		t.Fatal(err)
	}
	d.Now = func() time.Time { return noon.Add(30 * time.Second) }
	r, err := d.ask("request_uri", out.RequestURI, "state", "outside")
	if err != nil || r.State != "inside" || r.Pushed == nil {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := d.Push(t.Context(), d.x, d.app, url.Values{"request": {newSigner(t).sign(t, "", claims())}}, oauth.Confirmation{}, ""); said(err) != malformed {
		t.Error("another's:", err)
	}
}

// The key that is proved when a request object is pushed binds the code, whatever the object says (RFC 9449 §10.1).
func TestPushedRequestObjectStaysBound(t *testing.T) {
	other := "A" + challenge[1:]
	for _, tt := range []struct{ proved, inside, want, error string }{
		{challenge, "", challenge, ""},
		{challenge, challenge, challenge, ""},
		{"", other, other, ""},
		{"", "", "", ""},
		{challenge, other, "", "invalid_dpop_proof: dpop_jkt in the request object is not the key that was proved"},
	} {
		d := newDesk(t)
		object := claims()
		if tt.inside != "" {
			object["dpop_jkt"] = tt.inside
		}
		params := url.Values{"request": {d.sign(t, "", object)}}
		if tt.proved != "" {
			params.Set("dpop_jkt", tt.proved)
		}
		out, err := d.Push(t.Context(), d.x, d.app, params, oauth.Confirmation{}, "")
		if got := said(err); got != tt.error {
			t.Errorf("%+v: %s", tt, got)
		}
		if err != nil {
			continue
		}
		if r, err := d.ask("request_uri", out.RequestURI); err != nil || r.DPoPJKT != tt.want {
			t.Errorf("%+v: %+v, %v", tt, r, err)
		}
	}
}

// Where request objects count once, they do; looking at one does not use it.
func TestRequestObjectsThatCountOnce(t *testing.T) {
	d := newDesk(t)
	d.x.Settings.RequestObjects.OneTime = true
	if _, err := d.ask("request", d.sign(t, "", claims("exp", noon.Unix()+60))); said(err) != "invalid_request_object: jti or exp of the request object is missing" {
		t.Error("without jti:", err)
	}
	object := d.sign(t, "", claims("exp", noon.Unix()+60, "jti", "1"))
	for range 2 {
		if r, err := d.ask("request", object); err != nil || r.Once == nil {
			t.Fatal(r, err)
		}
	}
	wins := make(chan error, 64)
	for range 64 {
		go func() {
			r, err := d.ask("request", object)
			if err == nil {
				err = d.Spend(context.Background(), d.x, r)
			}
			wins <- err
		}()
	}
	n := 0
	for range 64 {
		if err := <-wins; err == nil {
			n++
		} else if said(err) != "invalid_request_object: the request object was used before" {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d of 64 are the first", n)
	}
	r, err := d.ask("request", d.sign(t, "", claims("exp", noon.Unix()+60, "jti", "2")))
	d.uses.down = errDown
	if err == nil {
		err = d.Spend(t.Context(), d.x, r)
	}
	if oauth.ErrorOf(err).Code != "temporarily_unavailable" {
		t.Error("while nobody can tell:", err)
	}
}

func TestSignedAuthenticationRequests(t *testing.T) {
	good := func(pairs ...any) map[string]any {
		c := map[string]any{"iss": "app", "aud": issuer, "exp": noon.Unix() + 60, "nbf": noon.Unix(), "iat": noon.Unix(), "jti": "1", "scope": "openid", "login_hint": "alice"}
		for i := 0; i+1 < len(pairs); i += 2 {
			if c[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
				delete(c, pairs[i].(string))
			}
		}
		return c
	}
	for _, tt := range []struct {
		rule, alg string
		params    func(d *desk) url.Values
		want      string
	}{
		{"a good one", "ES256", func(d *desk) url.Values {
			return url.Values{"request": {d.sign(t, "", good())}, "client_secret": {"x"}}
		}, ""},
		{"an unsigned one of a client that signs", "ES256", func(*desk) url.Values { return url.Values{"scope": {"openid"}, "login_hint": {"alice"}} }, "invalid_request: the client must sign its authentication requests"},
		{"a signed one of a client that does not", "", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good())}} }, "invalid_request: the client has not registered that it signs authentication requests"},
		{"with another algorithm", "PS256", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good())}} }, "invalid_request: the request object is malformed, or not signed or encrypted as it must be"},
		{"with something beside it", "ES256", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good())}, "scope": {"openid"}} }, "invalid_request: a parameter stands beside the signed authentication request"},
		{"without jti", "ES256", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good("jti", nil))}} }, "invalid_request: jti or exp of the request object is missing"},
		{"without iat", "ES256", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good("iat", nil))}} }, "invalid_request: iat of the signed authentication request is missing"},
		{"without nbf", "ES256", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good("nbf", nil))}} }, "invalid_request: exp or nbf of the request object is missing, or they are too far apart"},
		{"that lives for hours", "ES256", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good("exp", noon.Unix()+3601))}} }, "invalid_request: exp or nbf of the request object is missing, or they are too far apart"},
		{"for another issuer", "ES256", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good("aud", "x"))}} }, "invalid_request: aud of the request object is not this issuer"},
		{"of another client", "ES256", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good("iss", "x"))}} }, "invalid_request: iss of the request object is not the client"},
		{"around another", "ES256", func(d *desk) url.Values { return url.Values{"request": {d.sign(t, "", good("request", "x"))}} }, "invalid_request: a request object must not hold another"},
		{"with two hints inside", "ES256", func(d *desk) url.Values {
			return url.Values{"request": {d.sign(t, "", good("id_token_hint", "hint-of-alice"))}}
		}, "invalid_request: exactly one of login_hint, login_hint_token and id_token_hint is required"},
	} {
		d := newDesk(t)
		d.app.BackchannelRequestAlg = tt.alg
		r, err := d.ValidateBackchannel(t.Context(), d.x, d.app, tt.params(d))
		if got := said(err); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.rule, got, tt.want)
		}
		if err == nil && (r.LoginHint != "alice" || r.Once == nil) {
			t.Errorf("%s: %+v", tt.rule, r)
		}
	}
}

// Whatever stands for a request object, reading it neither panics nor lets anything through that nobody signed.
func FuzzRequestObject(f *testing.F) {
	d := newDesk(f)
	good := d.sign(f, "", claims())
	passes := []string{good, d.seal(f, good)}
	for _, object := range append(passes, published, segments(f, map[string]any{"alg": "none"}, claims())+".") {
		f.Add(object)
	}
	f.Fuzz(func(t *testing.T, object string) {
		if _, err := d.ask("request", object); err == nil && !slices.Contains(passes, object) {
			t.Errorf("%q passes", object)
		}
	})
}

// The claims of a request object, whatever they are, become parameters or an error.
func FuzzObjectParams(f *testing.F) {
	f.Add(`{"scope":"openid","max_age":5,"claims":{"id_token":null},"resource":["a","b"]}`)
	f.Add(`{"request":"x"}`)
	f.Fuzz(func(t *testing.T, s string) {
		o := &object{}
		if json.Unmarshal([]byte(s), &o.claims) != nil {
			return
		}
		params, err := o.params()
		if err != nil {
			return
		}
		for _, name := range append([]string{"request", "request_uri"}, own...) {
			if params.Has(name) {
				t.Errorf("%s became the parameter %s", s, name)
			}
		}
		for name, values := range params {
			if len(values) != 1 && name != "resource" {
				t.Errorf("%s made %d values of %s", s, len(values), name)
			}
		}
		_, _ = o.claimed()
	})
}
