package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Who guesses at a client's secret is slowed down, and nobody else (S63, S208).
func TestGuessingClientSecrets(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		from := func(address string) part { return header("X-Forwarded-For", address) }
		guess := func(who, secret, address string) reply {
			return call(t, http.MethodPost, x.url("/token"), from(address), basic(who, secret), form("grant_type", "client_credentials"))
		}
		for _, who := range []string{x.Client.ID, "nobody"} {
			slowed := false
			for i := range 1000 {
				r := guess(who, fmt.Sprint("guess ", i), "192.0.2.1")
				if r.StatusCode == http.StatusTooManyRequests {
					if r.Header.Get("Retry-After") == "" || r.Header.Get("RateLimit") == "" {
						t.Error("S208 429 without Retry-After and RateLimit")
					}
					if slowed = true; who == x.Client.ID { // at once: it lasts a while only
						guess(who, x.Client.Secret, "192.0.2.1").want(t, "429 *")
					}
					break
				}
				r.want(t, "401 invalid_client")
			}
			if !slowed {
				t.Errorf("S63 1,000 guesses at %s were answered", who)
			}
		}
		issued(t, guess(x.Client.ID, x.Client.Secret, "192.0.2.2"))
		x.token(t, x.Client, "grant_type", "client_credentials").want(t, "200")
	})
}

// Guessing passwords is slowed down for the guesser, and tells nothing of users (S197).
func TestGuessingPasswords(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		from := func(address string) *visitor {
			v := newVisitor(t)
			v.http.Transport = withHeader{"X-Forwarded-For", address}
			return v
		}
		at := x.url("/authorize?" + c.request("prompt", "login").Encode())
		guess := func(v *visitor, p page, name, password string) page {
			return v.fill(t, p, "action", "login", "username", name, "password", password)
		}
		texts := map[string]string{}
		for i, name := range []string{x.User.Username, "nobody"} {
			v := from([]string{"192.0.2.101", "192.0.2.102"}[i])
			p := v.open(t, at)
			limited := 0
			for n := range 30 {
				q := guess(v, p, name, "guess")
				if q.StatusCode == http.StatusTooManyRequests {
					if q.Header.Get("Retry-After") == "" || q.Header.Get("RateLimit") == "" {
						t.Error("S208 429 without Retry-After and RateLimit")
					}
					limited = n
					break
				}
				p = q
			}
			if limited == 0 {
				t.Errorf("S197 30 guesses at %s were answered", name)
			}
			texts[name] = strings.ReplaceAll(p.text(), name, "")
		}
		if texts["nobody"] != texts[x.User.Username] {
			t.Error("S197 a known user is told something else than an unknown one")
		}
		v := from("192.0.2.103")
		if p := guess(v, v.open(t, at), x.User.Username, x.User.Password); p.StatusCode != http.StatusOK && p.Header.Get("Location") == "" {
			t.Error("S197 guesses of others lock a user out:", p.StatusCode, p.text())
		}
	})
}

// withHeader is a transport that adds a header to every request.
type withHeader [2]string

func (h withHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(h[0], h[1])
	return http.DefaultTransport.RoundTrip(r)
}
