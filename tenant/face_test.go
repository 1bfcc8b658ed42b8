package tenant_test

import (
	"errors"
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

func TestFaces(t *testing.T) {
	r, d, _ := newResolver(t, "acme", "globex")
	const acme, former, other = "https://id.example/t/acme", "https://login.acme.example", "https://acme.example/sso"
	d.put("acme", func(r *tenant.Record) { r.Aliases = []string{former, other} })
	refresh(t, r)
	for _, tt := range []struct {
		rule  string
		names []tenant.Name
		want  string
		err   error
	}{
		{"an id is the issuer that it was made with", []tenant.Name{id("acme")}, acme, nil},
		{"an alias is that face", []tenant.Name{issuer(former)}, former, nil},
		{"an id beside an alias agrees", []tenant.Name{issuer(former), id("acme")}, former, nil},
		{"in any order", []tenant.Name{id("acme"), issuer(former)}, former, nil},
		{"two issuers of one tenant do not", []tenant.Name{issuer(former), issuer(acme)}, "", tenant.ErrContradiction},
		{"an alias of another tenant neither", []tenant.Name{id("globex"), issuer(former)}, "", tenant.ErrContradiction},
		{"an alias is compared as bytes", []tenant.Name{issuer(former + "/")}, "", tenant.ErrUnknown},
	} {
		got, err := r.Resolve(t.Context(), tt.names...)
		if !errors.Is(err, tt.err) || err == nil && (got.Issuer != tt.want || got.ID != "acme") {
			t.Errorf("%s: %+v, %v", tt.rule, got, err)
		}
	}
	home, face := resolve(t, r, id("acme")), resolve(t, r, issuer(former))
	for _, tt := range []struct {
		rule      string
		got, want any
	}{
		{"the face of home", home.Face(), ""}, {"the face of an alias", face.Face(), former},
		{"home from an alias", face.At(""), home}, {"an alias from home", home.At(former), face}, {"an alias from another", home.At(other).At(former), face},
		{"what is no face any more", face.At("https://gone.example"), home}, {"home by its issuer", face.At(acme), home},
		{"one registry", home.Clients, face.Clients}, {"one journal", home.Revoked, face.Revoked},
		{"its own", home.Owns(acme) && home.Owns(former) && face.Owns(acme) && face.Owns(other), true},
		{"not its own", home.Owns("") || face.Owns("https://id.example/t/globex"), false},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %v, want %v", tt.rule, tt.got, tt.want)
		}
	}
	d.put("acme", func(r *tenant.Record) { r.Aliases = []string{other} })
	refresh(t, r)
	if _, err := r.Resolve(t.Context(), issuer(former)); !errors.Is(err, tenant.ErrUnknown) {
		t.Errorf("after it was removed: %v", err)
	}
	plain := &tenant.Tenant{Issuer: "https://x.example"}
	if plain.At("y") != plain || !plain.Owns("https://x.example") || plain.Owns("") {
		t.Error("a tenant without aliases has one face")
	}
}

func BenchmarkResolveAlias(b *testing.B) {
	r, d, _ := newResolver(b, "acme")
	d.put("acme", func(r *tenant.Record) { r.Aliases = []string{"https://login.acme.example"} })
	_ = r.Refresh(b.Context())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Resolve(b.Context(), issuer("https://login.acme.example")); err != nil {
			b.Fatal(err)
		}
	}
}
