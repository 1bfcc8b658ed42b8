package admin

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func TestCreateToken(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	n := NewToken{Label: "billing", APIs: []tenant.API{tenant.SessionAPI}, ExpiresAt: b.time.Add(time.Hour)}
	k, plain, err := b.CreateToken(t.Context(), "acme", n, By{Actor: "boss"})
	if err != nil {
		t.Fatal(err)
	}
	if h := sha256.Sum256([]byte(plain)); !bytes.Equal(k.Hash, h[:]) || !strings.HasPrefix(plain, tenant.TokenPrefix) {
		t.Error("what is shown is not what was stored as a hash")
	}
	r := b.read(t, "acme")
	live := tenant.Tenant{Tokens: r.Tokens}
	found := live.Token(plain, b.time)
	if found == nil || !found.Reaches(tenant.SessionAPI) || found.Reaches(tenant.AuthzAPI) || live.Token(plain, b.time.Add(time.Hour)) != nil {
		t.Errorf("it does not open its own API alone, for an hour: %+v", found)
	}
	es := b.store.events["acme"]
	if e := es[len(es)-1]; e.Kind != audit.TokenCreated || e.Actor != "boss" || e.Detail["token"] != k.ID {
		t.Errorf("the record of it: %+v", e)
	}

	hash := sha256.Sum256([]byte("kept elsewhere"))
	if _, plain, err := b.CreateToken(t.Context(), "acme", NewToken{APIs: []tenant.API{tenant.AllAPIs}, Hash: hash[:]}, By{}); err != nil || plain != "" {
		t.Errorf("a token that came as a hash: %q, %v", plain, err)
	}
	if ks, err := b.Tokens(t.Context(), "acme"); err != nil || len(ks) != 3 {
		t.Errorf("%d tokens are listed, and %v", len(ks), err)
	}
	if _, _, err := b.CreateToken(t.Context(), "acme", NewToken{APIs: []tenant.API{tenant.AuthzAPI}, Hash: hash[:]}, By{}); err == nil {
		t.Error("the same token was recorded twice")
	}
}

func TestCreateTokenRefuses(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		n       NewToken
		pointer string
	}{
		{"no API", NewToken{}, "/apis"},
		{"an unknown API", NewToken{APIs: []tenant.API{"everything"}}, "/apis"},
		{"an API twice", NewToken{APIs: []tenant.API{tenant.KeyAPI, tenant.KeyAPI}}, "/apis"},
		{"the administration, as a tenant", NewToken{APIs: []tenant.API{tenant.AdminAPI}}, "/apis"},
		{"an end in the past", NewToken{APIs: []tenant.API{tenant.KeyAPI}, ExpiresAt: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}, "/expires_at"},
		{"a label with a line break", NewToken{APIs: []tenant.API{tenant.KeyAPI}, Label: "a\nb"}, "/label"},
		{"a label too long", NewToken{APIs: []tenant.API{tenant.KeyAPI}, Label: strings.Repeat("a", 129)}, "/label"},
		{"a label that is not text", NewToken{APIs: []tenant.API{tenant.KeyAPI}, Label: "\xff"}, "/label"},
		{"a hash of another length", NewToken{APIs: []tenant.API{tenant.KeyAPI}, Hash: []byte("short")}, "/hash"},
	} {
		b := newBench(t)
		b.create(t, "acme", tenant.Settings{})
		_, _, err := b.CreateToken(t.Context(), "acme", tt.n, By{})
		if e, ok := errors.AsType[*Invalid](err); !ok || e.Fields[0].Pointer != tt.pointer {
			t.Errorf("%s: got %v, want an error at %s", tt.rule, err, tt.pointer)
		}
		if len(b.read(t, "acme").Tokens) != 1 {
			t.Errorf("%s: a token was made", tt.rule)
		}
	}
}

func TestTokensAreBounded(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	for range maxTokens - 1 {
		if _, _, err := b.CreateToken(t.Context(), "acme", NewToken{APIs: []tenant.API{tenant.KeyAPI}}, By{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := b.CreateToken(t.Context(), "acme", NewToken{APIs: []tenant.API{tenant.KeyAPI}}, By{}); oauth.ErrorOf(err).Code != "invalid_request" {
		t.Errorf("one too many: %v", err)
	}
}

func TestRevokeToken(t *testing.T) {
	admin := NewToken{APIs: []tenant.API{tenant.AdminAPI}}
	for _, tt := range []struct {
		rule    string
		id      tenant.ID
		further []NewToken
		want    string // error code
	}{
		{"a tenant's only token goes", "acme", nil, ""},
		{"the last token of the administration stays", tenant.Platform, nil, "invalid_request"},
		{"it stays beside one for another API", tenant.Platform, []NewToken{{APIs: []tenant.API{tenant.MonitorAPI}}}, "invalid_request"},
		{"it goes when there is another", tenant.Platform, []NewToken{admin}, ""},
	} {
		b := newBench(t)
		b.create(t, "acme", tenant.Settings{})
		if _, err := b.EnsurePlatform(t.Context(), strings.Repeat("x", 32)); err != nil {
			t.Fatal(err)
		}
		for _, n := range tt.further {
			if _, _, err := b.CreateToken(t.Context(), tt.id, n, By{}); err != nil {
				t.Fatal(err)
			}
		}
		first := b.read(t, tt.id).Tokens[0].ID
		err := b.RevokeToken(t.Context(), tt.id, first, By{})
		if code := codeOf(err); code != tt.want {
			t.Errorf("%s: got %v", tt.rule, err)
		}
		if gone := len(b.read(t, tt.id).Tokens) == len(tt.further); gone != (tt.want == "") {
			t.Errorf("%s: the token is gone: %v", tt.rule, gone)
		}
	}
	t.Run("one that is about to expire does not count", func(t *testing.T) {
		b := newBench(t)
		if _, err := b.EnsurePlatform(t.Context(), strings.Repeat("x", 32)); err != nil {
			t.Fatal(err)
		}
		soon := NewToken{APIs: admin.APIs, ExpiresAt: b.time.Add(time.Minute)}
		if _, _, err := b.CreateToken(t.Context(), tenant.Platform, soon, By{}); err != nil {
			t.Fatal(err)
		}
		b.time = b.time.Add(time.Hour)
		if err := b.RevokeToken(t.Context(), tenant.Platform, b.read(t, tenant.Platform).Tokens[0].ID, By{}); err == nil {
			t.Error("nobody can administer any more")
		}
	})
	t.Run("an unknown one is not found, nor one of another tenant", func(t *testing.T) {
		b := newBench(t)
		b.create(t, "acme", tenant.Settings{})
		b.create(t, "globex", tenant.Settings{})
		for _, id := range []string{"nothing", b.read(t, "globex").Tokens[0].ID} {
			if err := b.RevokeToken(t.Context(), "acme", id, By{}); codeOf(err) != "not_found" {
				t.Errorf("%s: got %v", id, err)
			}
		}
		if err := b.RevokeToken(t.Context(), "nobody", "x", By{}); !errors.Is(err, tenant.ErrUnknown) {
			t.Errorf("of an unknown tenant: %v", err)
		}
	})
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return oauth.ErrorOf(err).Code
}
