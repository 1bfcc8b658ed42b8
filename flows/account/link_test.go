package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// secretive is a tenant with a secret of its own.
func secretive(t testing.TB, id tenant.ID) *tenant.Tenant {
	t.Helper()
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	s, err := keys.NewSecret(b)
	if err != nil {
		t.Fatal(err)
	}
	return &tenant.Tenant{ID: id, Settings: &tenant.Settings{}, Secret: s, Revoked: tenant.NewJournal()}
}

// A link opens one account, once, for an hour, and until that account changes.
func TestLinks(t *testing.T) {
	s, _, _ := house(t)
	now := noon
	s.Now = func() time.Time { return now }
	ctx, acme := t.Context(), secretive(t, "acme")
	a, err := s.Create(ctx, acme, New{Username: "root"})
	if err != nil {
		t.Fatal(err)
	}
	link := func() string {
		t.Helper()
		token, ends, err := s.Link(ctx, acme, a.Subject)
		if err != nil || !ends.Equal(now.Add(LinkLife)) {
			t.Fatal(ends, err)
		}
		return token
	}
	token := link()
	if got, err := s.Linked(ctx, acme, token); err != nil || got.Subject != a.Subject {
		t.Fatalf("%v, %v", got, err)
	}
	gone := func(rule, token string, at *tenant.Tenant) {
		t.Helper()
		if _, err := s.Linked(ctx, at, token); !errors.Is(err, ErrLink) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	gone("another tenant's", token, secretive(t, "acme"))
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	for i := range raw {
		raw[i] ^= 1
		gone("altered", base64.RawURLEncoding.EncodeToString(raw), acme)
		raw[i] ^= 1
	}
	for _, none := range []string{"", "x", "AAAA", token + "A", token[:40]} {
		gone("none at all", none, acme)
	}
	if err := s.SetByLink(ctx, acme, token, "short", ""); !errors.As(err, new(*Faults)) {
		t.Errorf("a short password: %v", err)
	}
	if err := s.SetByLink(ctx, acme, token, "", ""); !errors.As(err, new(*Faults)) {
		t.Errorf("no password: %v", err)
	}
	now = now.Add(LinkLife)
	gone("expired", token, acme)
	now = noon
	if _, err := s.Update(ctx, acme, a.Subject, Change{Username: new("admin")}, By{}); err != nil {
		t.Fatal(err)
	}
	gone("of an account that has changed", token, acme)

	token = link()
	var set atomic.Int32
	var crowd sync.WaitGroup
	for range 8 {
		crowd.Go(func() {
			switch err := s.SetByLink(context.WithoutCancel(ctx), acme, token, "correct horse battery", ""); {
			case err == nil:
				set.Add(1)
			case !errors.Is(err, ErrLink):
				t.Error(err)
			}
		})
	}
	crowd.Wait()
	if set.Load() < 1 {
		t.Error("nobody set the password")
	}
	gone("used", token, acme)
	if err := s.Disable(ctx, acme, a.Subject, time.Hour, By{}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Link(ctx, acme, a.Subject); err == nil {
		t.Error("who is disabled gets a link")
	}
}

// Whatever comes in place of a link is none.
func FuzzLinked(f *testing.F) {
	s, _, _ := house(f)
	acme := secretive(f, "acme")
	f.Add("")
	f.Add(base64.RawURLEncoding.EncodeToString(make([]byte, 60)))
	f.Fuzz(func(t *testing.T, token string) {
		if a, err := s.Linked(t.Context(), acme, token); a != nil || !errors.Is(err, ErrLink) {
			t.Errorf("%q: %v, %v", token, a, err)
		}
	})
}
