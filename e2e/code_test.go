package e2e

import (
	"encoding/base64"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// redeemAs redeems a code with parameters of its own; pairs replace the right ones, an empty value leaves one out.
func (x *tenant) redeemAs(t testing.TB, c *client, code string, pairs ...string) reply {
	t.Helper()
	q := params("grant_type", "authorization_code", "code", code, "redirect_uri", c.RedirectURIs[0], "code_verifier", verifier)
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	var flat []string
	for name, values := range q {
		flat = append(flat, name, values[0])
	}
	return x.token(t, c, flat...)
}

// What an authorization code is worth, and to whom: S48–S50, S53, S56, S57.
func TestRedeemingCodes(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		web, other := x.confidential(t, callback), x.confidential(t, callback)
		public, public2 := x.public(t, callback), x.public(t, callback)
		two := x.register(t, map[string]any{"redirect_uris": []string{callback, callback + "2"}})
		for _, c := range []struct {
			rule    string
			of      *client  // of whom the code is
			asked   []string // what its request says otherwise
			by      *client  // who redeems it
			says    []string // what the redemption says otherwise
			want    string
			instead string // what the right redemption gets afterwards
		}{
			{"a code, redeemed rightly", web, nil, web, nil, "200", "400 invalid_grant"},
			{"by a public client", public, nil, public, nil, "200", "400 invalid_grant"},
			{"S49 without the verifier", web, nil, web, []string{"code_verifier", ""}, "400 invalid_grant", "400 invalid_grant"},
			{"S49 with another verifier", web, nil, web, []string{"code_verifier", strings.Repeat("x", 43)}, "400 invalid_grant", "400 invalid_grant"},
			{"S49 with the challenge as verifier", web, nil, web, []string{"code_verifier", challenge}, "400 invalid_grant", "400 invalid_grant"},
			{"S49 the same for a public client", public, nil, public, []string{"code_verifier", ""}, "400 invalid_grant", "400 invalid_grant"},
			{"S48 a verifier of 42 characters", web, []string{"code_challenge", s256(verifier[:42])}, web, []string{"code_verifier", verifier[:42]}, "400 invalid_grant", "400 invalid_grant"},
			{"S48 a verifier of 129 characters", web, []string{"code_challenge", s256(strings.Repeat("x", 129))}, web, []string{"code_verifier", strings.Repeat("x", 129)}, "400 invalid_grant", "400 invalid_grant"},
			{"S48 a verifier of 128 characters", web, []string{"code_challenge", s256(strings.Repeat("x", 128))}, web, []string{"code_verifier", strings.Repeat("x", 128)}, "200", "400 invalid_grant"},
			{"S48 a verifier of other characters", web, []string{"code_challenge", s256(strings.Repeat("!", 43))}, web, []string{"code_verifier", strings.Repeat("!", 43)}, "400 invalid_grant", "400 invalid_grant"},
			{"S50 a verifier without a challenge", web, []string{"code_challenge", "", "code_challenge_method", ""}, web, nil, "400 invalid_grant", "400 invalid_grant"},
			{"S50 neither", web, []string{"code_challenge", "", "code_challenge_method", ""}, web, []string{"code_verifier", ""}, "200", "400 invalid_grant"},
			{"S53 by another client", web, nil, other, nil, "400 invalid_grant", "400 invalid_grant"},
			{"S53 by another public client", public, nil, public2, nil, "400 invalid_grant", "400 invalid_grant"},
			{"S53 a confidential client's by a public one", web, nil, public, nil, "400 invalid_grant", "400 invalid_grant"},
			{"S53 another registered redirect URI", two, nil, two, []string{"redirect_uri", callback + "2"}, "400 invalid_grant", "400 invalid_grant"},
			{"S53 no redirect URI, where one was sent", web, nil, web, []string{"redirect_uri", ""}, "400 invalid_grant", "400 invalid_grant"},
			{"S53 a redirect URI in other letters", web, nil, web, []string{"redirect_uri", strings.ToUpper(callback)}, "400 invalid_grant", "400 invalid_grant"},
			{"no redirect URI, where none was sent", web, []string{"redirect_uri", "", "scope", "a"}, web, []string{"redirect_uri", ""}, "200", "400 invalid_grant"},
			{"S56 a client that fails to authenticate", web, nil, &client{ID: web.ID, Secret: "wrong", RedirectURIs: web.RedirectURIs}, nil, "401 invalid_client", "200"},
			{"S56 a client that does not authenticate", web, nil, &client{ID: web.ID, RedirectURIs: web.RedirectURIs}, nil, "401 invalid_client", "200"},
			{"no code", web, nil, web, []string{"code", ""}, "400 invalid_request", "200"},
			{"a resource that was not granted", web, []string{"resource", "https://a.example/"}, web, []string{"resource", "https://b.example/"}, "400 invalid_target", "200"},
		} {
			code := x.code(t, c.of, c.asked...)
			if r := x.redeemAs(t, c.by, code, c.says...); !r.is(c.want) {
				t.Errorf("%s: got %s, want %s", c.rule, r.outcome(), c.want)
			} else if r.StatusCode == http.StatusOK {
				issued(t, r)
			}
			if r := x.redeemAs(t, c.of, code); !r.is(c.instead) {
				t.Errorf("%s: redeemed rightly afterwards it got %s, want %s", c.rule, r.outcome(), c.instead)
			} else if r.StatusCode == http.StatusOK {
				issued(t, r)
			}
		}
		for _, n := range []int{1, 64, 500} {
			nonce := strings.Repeat("n", n)
			_, payload := claims(t, x.tokens(t, web, "nonce", nonce).ID)
			if payload["nonce"] != nonce {
				t.Errorf("S57 a nonce of %d characters came back as %v", n, payload["nonce"])
			}
		}
		if _, payload := claims(t, x.tokens(t, web, "nonce", "").ID); payload["nonce"] != nil {
			t.Error("S57 a nonce that was not sent:", payload["nonce"])
		}
	})
}

// A code ends when its time is over (S54).
func TestCodesExpire(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"authorization": map[string]any{"code_lifetime": 5}})
		issued(t, x.redeem(t, x.Client, x.code(t, x.Client)))
		code := x.code(t, x.Client)
		time.Sleep(5100 * time.Millisecond)
		x.redeem(t, x.Client, code).want(t, "400 invalid_grant")
		x.patchRefused(t, map[string]any{"authorization": map[string]any{"code_lifetime": 601}})
	})
}

// patchRefused tries a change of settings that is not allowed.
func (x *tenant) patchRefused(t testing.TB, settings map[string]any) {
	t.Helper()
	r := call(t, http.MethodPatch, x.at.url+"/admin/v1/tenants/"+x.TenantID, bearer(x.at.adminToken), object(map[string]any{"settings": settings}))
	if r.StatusCode != http.StatusBadRequest && r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("settings %v: %s", settings, r.outcome())
	}
}

// Handles have at least 128 bits and no structure that shows (S55).
func TestHandlesAreRandom(t *testing.T) {
	t.Parallel()
	s := shared(t, sqlite)
	x := s.newTenant(t)
	c := x.confidential(t, callback)
	samples := map[string][]string{}
	add := func(what, v string) { samples[what] = append(samples[what], v) }
	r := x.start(t, c.request(), "")
	r = x.put(t, r, map[string]any{"sub": x.User.Subject})
	var consent prompt
	r.read(t, &consent)
	x.response(t, x.put(t, r, grantAll))
	for range 300 {
		var p prompt
		x.start(t, c.request("prompt", "login"), "").want(t, "200").read(t, &p)
		add("authorisation session", p.SID)
		v := x.response(t, x.start(t, c.request(), consent.SubSession.SID))
		add("code", v.Get("code"))
		k := issued(t, x.redeem(t, c, v.Get("code")))
		add("refresh token", k.Refresh)
		_, payload := claims(t, k.Access)
		add("jti", payload["jti"].(string))
		q, _ := url.Parse(call(t, http.MethodGet, x.url("/authorize?"+c.request().Encode())).Header.Get("Location"))
		add("page", q.Path[strings.LastIndex(q.Path, "/")+1:])
	}
	for what, values := range samples {
		seen := map[string]bool{}
		for _, v := range values {
			seen[v] = true
		}
		if len(seen) != len(values) {
			t.Errorf("S55 %s: %d of %d are different", what, len(seen), len(values))
		}
		if bits := entropy(values); bits < 120 { // an estimate from few samples, which falls a little short
			t.Errorf("S55 %s: about %.0f bits, such as %.12s…", what, bits, values[0])
		}
	}
}

// entropy estimates how many bits of values vary, by how often each bit of their bytes is set.
func entropy(values []string) (bits float64) {
	decoded := make([][]byte, len(values))
	shortest := math.MaxInt
	for i, v := range values {
		for segment := range strings.SplitSeq(v, ".") {
			b, err := base64.RawURLEncoding.DecodeString(segment)
			if err != nil {
				b = []byte(segment)
			}
			decoded[i] = append(decoded[i], b...)
		}
		shortest = min(shortest, len(decoded[i]))
	}
	for at := range shortest * 8 {
		ones := 0.0
		for _, b := range decoded {
			ones += float64(b[at/8] >> (at % 8) & 1)
		}
		p := ones / float64(len(decoded))
		if p > 0 && p < 1 {
			bits += -p*math.Log2(p) - (1-p)*math.Log2(1-p)
		}
	}
	return bits
}
