package clientauth

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// registry is a tenant.Clients in memory.
type registry struct {
	clients map[string]*tenant.Client
	broken  error
	asked   []string
}

func (r *registry) Client(_ context.Context, id string) (*tenant.Client, error) {
	r.asked = append(r.asked, id)
	if r.broken != nil {
		return nil, r.broken
	}
	if c := r.clients[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

// guards is a Limiter that blocks who failed often enough.
type guards struct {
	after int
	fails map[string]int
}

func (g *guards) Blocked(_ context.Context, t tenant.ID, what, key, source string) (time.Duration, bool) {
	return time.Minute, g.fails[fmt.Sprint(t, " ", what, " ", key, " ", source)] >= g.after
}

func (g *guards) Fail(_ context.Context, t tenant.ID, what, key, source string) {
	g.fails[fmt.Sprint(t, " ", what, " ", key, " ", source)]++
}

func secrets(plain ...string) []tenant.ClientSecret {
	var ss []tenant.ClientSecret
	for _, p := range plain {
		h := sha256.Sum256([]byte(p))
		ss = append(ss, tenant.ClientSecret{Hash: h[:]})
	}
	return ss
}

func client(id, method string, disabled bool, ss []tenant.ClientSecret) *tenant.Client {
	return &tenant.Client{ID: id, Secrets: ss, Disabled: disabled, Metadata: tenant.Metadata{TokenEndpointAuthMethod: method}}
}

func acme() (*tenant.Tenant, *registry) {
	rotating := secrets("new secret", "old secret", "dead secret")
	rotating[1].ExpiresAt = noon.Add(time.Minute)
	rotating[2].ExpiresAt = noon
	r := &registry{clients: map[string]*tenant.Client{}}
	for _, c := range []*tenant.Client{
		client("basic", oauth.AuthBasic, false, secrets("s3cret")),
		client("post", oauth.AuthPost, false, secrets("s3cret")),
		client("public", oauth.AuthNone, false, nil),
		client("plain", "", false, secrets("s3cret")),
		client("off", oauth.AuthBasic, true, secrets("s3cret")),
		client("public off", oauth.AuthNone, true, nil),
		client("rotating", oauth.AuthBasic, false, rotating),
		client("bare", oauth.AuthBasic, false, nil),
		client("later", "private_key_jwt", false, secrets("s3cret")),
	} {
		r.clients[c.ID] = c
	}
	return &tenant.Tenant{ID: "acme", Settings: &tenant.Settings{}, Clients: r}, r
}

func byBasic(id, secret string) Credentials {
	return Credentials{Basic: true, BasicID: id, BasicSecret: secret, Address: "192.0.2.1"}
}

func byForm(id, secret string) Credentials {
	return Credentials{FormID: id, FormSecret: secret, FormSecretSent: true, Address: "192.0.2.1"}
}

func byName(id string) Credentials { return Credentials{FormID: id, Address: "192.0.2.1"} }

func TestAuthenticate(t *testing.T) {
	both := func(c Credentials, id, secret string, sent bool) Credentials {
		c.FormID, c.FormSecret, c.FormSecretSent = id, secret, sent
		return c
	}
	failed, two := "invalid_client: Client authentication failed", "invalid_request: The request uses more than one method of client authentication"
	for _, c := range []struct {
		rule string
		c    Credentials
		want string // id, or the error
	}{
		{"Basic", byBasic("basic", "s3cret"), "basic"},
		{"form", byForm("post", "s3cret"), "post"},
		{"a public client by its id", byName("public"), "public"},
		{"an empty secret counts as absent", byForm("public", ""), "public"},
		{"no registered method means Basic", byBasic("plain", "s3cret"), "plain"},
		{"client_id beside Basic, if it is the same", both(byBasic("basic", "s3cret"), "basic", "", false), "basic"},
		{"an empty secret beside Basic counts as absent", both(byBasic("basic", "s3cret"), "basic", "", true), "basic"},
		{"the new secret", byBasic("rotating", "new secret"), "rotating"},
		{"the old secret during the overlap", byBasic("rotating", "old secret"), "rotating"},
		{"the old secret after the overlap", byBasic("rotating", "dead secret"), failed},
		{"wrong secret", byBasic("basic", "S3cret"), failed},
		{"wrong secret in the form", byForm("post", "s3cre"), failed},
		{"a secret that goes on", byBasic("basic", "s3cret "), failed},
		{"unknown client", byBasic("nobody", "s3cret"), failed},
		{"unknown public client", byName("nobody"), failed},
		{"disabled client", byBasic("off", "s3cret"), failed + ": tenant: the client is disabled"},
		{"disabled public client", byName("public off"), failed + ": tenant: the client is disabled"},
		{"Basic for a client of the form", byBasic("post", "s3cret"), failed},
		{"form for a client of Basic", byForm("basic", "s3cret"), failed},
		{"no secret for a client that has one", byName("basic"), failed},
		{"an empty secret for a client that has one", byForm("post", ""), failed},
		{"an empty secret by Basic", byBasic("basic", ""), failed},
		{"Basic for a public client", byBasic("public", ""), failed},
		{"a secret for a public client", byForm("public", "x"), failed},
		{"a client that has no secret yet", byBasic("bare", ""), failed},
		{"a method that is not offered", byBasic("later", "s3cret"), failed},
		{"an empty id", byBasic("", "s3cret"), failed},
		{"an id with NUL", byBasic("basic\x00", "s3cret"), failed},
		{"an id that is not ASCII", byName("públic"), failed},
		{"an endless id", byBasic(strings.Repeat("x", 1<<16), "s3cret"), failed},
		{"Basic and form, both right", both(byBasic("basic", "s3cret"), "basic", "s3cret", true), two},
		{"Basic and form, one wrong", both(byBasic("basic", "s3cret"), "basic", "x", true), two},
		{"another client_id beside Basic", both(byBasic("basic", "s3cret"), "public", "", false),
			"invalid_request: client_id is not that of the client credentials"},
		{"nothing", Credentials{}, "invalid_client: Client authentication is required"},
		{"a secret for nobody", byForm("", "s3cret"), failed},
	} {
		acme, asked := acme()
		s := &Service{Now: func() time.Time { return noon }}
		got, err := s.Authenticate(t.Context(), acme, c.c)
		said := ""
		if err != nil {
			said = err.Error()
		} else {
			said = got.ID
		}
		if said != c.want {
			t.Errorf("%s: got %q, want %q", c.rule, said, c.want)
		}
		for _, id := range asked.asked {
			if len(id) > 255 || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%s: the store was asked for %q", c.rule, id)
			}
		}
	}
}

func TestAuthenticateWithoutItsStore(t *testing.T) {
	acme, r := acme()
	r.broken = errors.New("no connection to 10.0.0.1")
	g := &guards{after: 1, fails: map[string]int{}}
	s := &Service{Now: func() time.Time { return noon }, Limit: g}
	for _, c := range []Credentials{byBasic("basic", "s3cret"), byForm("post", "x"), byName("public")} {
		_, err := s.Authenticate(t.Context(), acme, c)
		if !errors.Is(err, oauth.Unavailable()) || !errors.Is(err, r.broken) {
			t.Errorf("got %v", err)
		}
	}
	if len(g.fails) != 0 {
		t.Error("our fault counts as a guess")
	}
}

func TestGuessing(t *testing.T) {
	acme, _ := acme()
	s := &Service{Now: func() time.Time { return noon }, Limit: &guards{after: 3, fails: map[string]int{}}}
	call := func(c Credentials) string {
		_, err := s.Authenticate(t.Context(), acme, c)
		if err == nil {
			return "ok"
		}
		return oauth.ErrorOf(err).Code
	}
	for _, id := range []string{"basic", "off", "nobody"} {
		var said []string
		for range 5 {
			said = append(said, call(byBasic(id, "a guess")))
		}
		if want := []string{"invalid_client", "invalid_client", "invalid_client", "slow_down", "slow_down"}; !slices.Equal(said, want) {
			t.Errorf("guessing at %s: %v", id, said)
		}
	}
	if got := call(byBasic("basic", "s3cret")); got != "slow_down" {
		t.Error("the guesser with the right secret:", got)
	}
	elsewhere := byBasic("basic", "s3cret")
	elsewhere.Address = "192.0.2.2"
	if got := call(elsewhere); got != "ok" {
		t.Error("the client from elsewhere:", got)
	}
	if got := call(byForm("post", "s3cret")); got != "ok" {
		t.Error("another client from there:", got)
	}
	for range 10 {
		call(byName("nobody"))
	}
	if got := call(byName("public")); got != "ok" {
		t.Error("naming a client is no guess:", got)
	}
	_, err := s.Authenticate(t.Context(), acme, byBasic("basic", "a guess"))
	if oauth.RetryAfter(err) != time.Minute {
		t.Error("the guesser is told to wait", oauth.RetryAfter(err))
	}
}

func TestMethods(t *testing.T) {
	acme, _ := acme()
	if got := Methods(acme); !slices.Equal(got, []string{"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"}) {
		t.Error(got)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	acme, _ := acme()
	acme.Clients = quiet{acme.Clients.(*registry)}
	s := &Service{Now: func() time.Time { return noon }}
	for _, c := range []Credentials{byBasic("basic", "s3cret"), byBasic("basic", "wrong"), byBasic("nobody", "s3cret"), byName("public")} {
		b.Run(c.BasicID+c.FormID+" "+c.BasicSecret, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = s.Authenticate(b.Context(), acme, c)
			}
		})
	}
}

func BenchmarkCheckSecret(b *testing.B) {
	_, r := acme()
	b.ReportAllocs()
	for b.Loop() {
		r.clients["rotating"].CheckSecret("old secret", noon)
	}
}

// quiet is a registry that keeps no record.
type quiet struct{ r *registry }

func (q quiet) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := q.r.clients[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}
