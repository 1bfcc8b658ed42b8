package request

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// shelf is a Store of one tenant, whose database may be down.
type shelf struct {
	kept map[string]PushedRequest
	down error
}

func (s *shelf) Push(_ context.Context, _ tenant.ID, p PushedRequest) error {
	s.kept[string(p.Hash)] = p
	return s.down
}

func (s *shelf) Pushed(_ context.Context, _ tenant.ID, now time.Time, hash []byte) (*PushedRequest, error) {
	if p, ok := s.kept[string(hash)]; ok && now.Before(p.EndsAt) {
		return &p, s.down
	}
	return nil, ErrNotFound
}

// turnstile lets nobody through, and notes who came.
type turnstile struct{ keys []string }

func (l *turnstile) Allow(_ context.Context, _ tenant.ID, what string, keys ...string) (time.Duration, bool) {
	l.keys = append([]string{what}, keys...)
	return 3 * time.Second, false
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func pushing() (*Service, *shelf, *tenant.Tenant) {
	s, kept := service(), &shelf{kept: map[string]PushedRequest{}}
	s.Now, s.Rand, s.Store = func() time.Time { return noon }, rand.Reader, kept
	return s, kept, &tenant.Tenant{ID: "acme", Settings: &tenant.Settings{}, Clients: clients()}
}

func asked(id string) url.Values {
	return url.Values{"client_id": {id}, "response_type": {"code"}, "redirect_uri": {callback}, "state": {"s"}}
}

func TestPushKeepsTheRequestWithoutCredentials(t *testing.T) {
	s, store, x := pushing()
	shop := x.Clients.(registry)["shop"]
	params := asked("shop")
	for _, name := range credentials {
		params.Set(name, "secret")
	}
	r, err := s.Push(t.Context(), x, shop, params, oauth.Confirmation{}, "")
	if err != nil {
		t.Fatal(err)
	}
	random, ok := strings.CutPrefix(r.RequestURI, "urn:ietf:params:oauth:request_uri:")
	if !ok || len(random) != 43 || r.ExpiresIn != time.Minute {
		t.Errorf("%+v", r)
	}
	p, ok := store.kept[string(hashURI(r.RequestURI))]
	if d := cmp.Diff(asked("shop"), p.Params); d != "" || !ok || p.ClientID != "shop" || !p.EndsAt.Equal(noon.Add(time.Minute)) {
		t.Errorf("%+v %s", p, d)
	}
	if !params.Has("client_secret") {
		t.Error("the caller's parameters were changed")
	}
}

func TestPushRefuses(t *testing.T) {
	s, store, x := pushing()
	for _, c := range []struct {
		rule   string
		params func(url.Values)
		want   string
	}{
		{"a reference", func(v url.Values) { v.Set("request_uri", "urn:x") }, "invalid_request"},
		{"another client's id", func(v url.Values) { v.Set("client_id", "two") }, "invalid_request"},
		{"two client ids", func(v url.Values) { v.Add("client_id", "shop") }, "invalid_request"},
		{"two client ids, the first empty", func(v url.Values) { v["client_id"] = []string{"", "shop"} }, "invalid_request"},
		{"what the authorization endpoint refuses", func(v url.Values) { v.Set("prompt", "none login") }, "invalid_request"},
		{"a redirect URI that is not registered", func(v url.Values) { v.Set("redirect_uri", "https://evil.example/") }, "invalid_request"},
	} {
		params := asked("shop")
		c.params(params)
		if _, err := s.Push(t.Context(), x, x.Clients.(registry)["shop"], params, oauth.Confirmation{}, ""); err == nil || oauth.ErrorOf(err).Code != c.want {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	if len(store.kept) > 0 {
		t.Error("something was kept")
	}
}

func TestPushIsLimited(t *testing.T) {
	s, _, x := pushing()
	gate := &turnstile{}
	s.Limit = gate
	for _, c := range []struct {
		rule, id, address string
		want              []string
	}{
		{"by source and client", "shop", "192.0.2.1", []string{"push", "192.0.2.1", "shop"}},
		{"a public client's by source alone, as anybody can name it", "public", "192.0.2.1", []string{"push", "192.0.2.1"}},
		{"not where the tenant's own backend asks", "shop", "", nil},
	} {
		gate.keys = nil
		_, err := s.Push(t.Context(), x, x.Clients.(registry)[c.id], asked(c.id), oauth.Confirmation{}, c.address)
		if d := cmp.Diff(c.want, gate.keys); d != "" {
			t.Errorf("%s: %s", c.rule, d)
		}
		var wait oauth.Wait
		if limited := errors.As(err, &wait); limited != (c.want != nil) || limited && (time.Duration(wait) != 3*time.Second || oauth.ErrorOf(err).Code != "slow_down") {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

func TestPushedRequestIsUsed(t *testing.T) {
	s, store, x := pushing()
	r, err := s.Push(t.Context(), x, x.Clients.(registry)["shop"], asked("shop"), oauth.Confirmation{}, "")
	if err != nil {
		t.Fatal(err)
	}
	use := func(pairs ...string) (*Request, error) {
		v := url.Values{"client_id": {"shop"}, "request_uri": {r.RequestURI}}
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		got, _, err := s.Validate(t.Context(), x, Authorize, v)
		return got, err
	}
	for range 2 {
		got, err := use("state", "another", "redirect_uri", "https://evil.example/", "registration", "{}")
		if err != nil || got.State != "s" || got.RedirectURI != callback || !bytes.Equal(got.Pushed, hashURI(r.RequestURI)) {
			t.Fatalf("%+v %v", got, err)
		}
	}
	for rule, pairs := range map[string][]string{"with a request object": {"request", "e30.e30."}, "twice": {"request_uri", r.RequestURI}, "of two clients": {"client_id", "two"}} {
		if got, err := use(pairs...); got != nil || err == nil || oauth.ErrorOf(err).Code != "invalid_request" {
			t.Errorf("%s: %v", rule, err)
		}
	}
	x.Settings.PAR.Required = true
	if _, err := use(); err != nil {
		t.Error("required, and pushed:", err)
	}
	if got, _, err := s.Validate(t.Context(), x, Authorize, asked("shop")); got == nil || err == nil || oauth.ErrorOf(err).Code != "invalid_request" {
		t.Error("required, and not pushed:", err)
	}
	store.down = errDown
	if got, err := use(); got != nil || !errors.Is(err, errDown) || errors.Is(err, ErrRequestURI) {
		t.Error("the store is down:", err)
	}
	store.down = nil
	s.Now = func() time.Time { return noon.Add(time.Minute) }
	if got, err := use(); got != nil || !errors.Is(err, ErrRequestURI) {
		t.Error("after its time:", err)
	}
}

func TestAPushedRequestIsBoundToTheKeyThatWasProvedWithIt(t *testing.T) {
	key, other := strings.Repeat("k", 42)+"A", strings.Repeat("o", 42)+"A"
	for _, c := range []struct {
		rule, beside, proved string
		want, code           string
	}{
		{"no key", "", "", "", ""},
		{"a key that is named", key, "", key, ""},
		{"a key that is proved", "", key, key, ""},
		{"a key that is named and proved", key, key, key, ""},
		{"a key that is named, and another that is proved", other, key, "", "invalid_dpop_proof"},
	} {
		s, store, x := pushing()
		params := asked("shop")
		if c.beside != "" {
			params.Set("dpop_jkt", c.beside)
		}
		r, err := s.Push(t.Context(), x, x.Clients.(registry)["shop"], params, oauth.Confirmation{JKT: c.proved}, "")
		if c.code != "" {
			if err == nil || oauth.ErrorOf(err).Code != c.code || len(store.kept) > 0 {
				t.Errorf("%s: %v", c.rule, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		got, _, err := s.Validate(t.Context(), x, Authorize, url.Values{"client_id": {"shop"}, "request_uri": {r.RequestURI}})
		if err != nil || got.DPoPJKT != c.want {
			t.Errorf("%s: %+v %v", c.rule, got, err)
		}
	}
}
