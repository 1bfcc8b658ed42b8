package admin

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

func TestUpdateTenant(t *testing.T) {
	off, on := false, true
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{Name: "Acme"})
	steps := []struct {
		rule   string
		ch     Change
		change string // in the record of it
		want   tenant.Record
	}{
		{"the flag leaves the settings", Change{Enabled: &off}, "disabled", tenant.Record{Settings: tenant.Settings{Name: "Acme"}}},
		{"settings leave the flag", Change{Settings: &tenant.Settings{Name: "New"}}, "settings", tenant.Record{Settings: tenant.Settings{Name: "New"}}},
		{"enabled again", Change{Enabled: &on}, "enabled", tenant.Record{Settings: tenant.Settings{Name: "New"}, Enabled: true}},
	}
	for i, tt := range steps {
		r, err := b.UpdateTenant(t.Context(), "acme", int64(i+1), tt.ch, By{})
		if err != nil {
			t.Fatalf("%s: %v", tt.rule, err)
		}
		if r.Version != int64(i+2) || r.Enabled != tt.want.Enabled || r.Settings.Name != tt.want.Settings.Name {
			t.Errorf("%s: got %+v", tt.rule, r)
		}
		if e := b.store.events["acme"][i+1]; e.Kind != audit.TenantUpdated || e.Detail["change"] != tt.change {
			t.Errorf("%s: the record of it is %+v", tt.rule, e)
		}
	}
}

func TestUpdateTenantAtAVersion(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		version int64
		meets   int // changes of others, each between reading and writing
		ok      bool
	}{
		{"its version", 1, 0, true},
		{"an older or later one", 7, 0, false},
		{"its version, and another was faster", 1, 1, false},
		{"any, and another was faster", 0, 1, true},
		{"any, and others always are", 0, 1000, false},
	} {
		b := newBench(t)
		b.create(t, "acme", tenant.Settings{})
		left := tt.meets
		b.store.between = func(id tenant.ID) {
			if left--; left >= 0 {
				r := b.store.records[id]
				r.Version++
				b.store.records[id] = r
			}
		}
		_, err := b.UpdateTenant(t.Context(), "acme", tt.version, Change{Settings: &tenant.Settings{Name: "New"}}, By{})
		if tt.ok != (err == nil) || err != nil && !errors.Is(err, tenant.ErrConflict) {
			t.Errorf("%s: got %v", tt.rule, err)
		}
		if done := b.read(t, "acme").Settings.Name == "New"; done != tt.ok {
			t.Errorf("%s: changed: %v", tt.rule, done)
		}
	}
}

func TestSettingsNameAnAlgorithmThatThereIsAKeyOf(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	s := tenant.Settings{Tokens: tenant.TokenSettings{AccessTokenAlg: "EdDSA"}}
	_, err := b.UpdateTenant(t.Context(), "acme", 0, Change{Settings: &s}, By{})
	if e, ok := errors.AsType[*Invalid](err); !ok || e.Fields[0].Pointer != "/settings/tokens/access_token_alg" {
		t.Errorf("without a key: %v", err)
	}
	if _, err := b.RotateKeys(t.Context(), "acme", "EdDSA", By{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.UpdateTenant(t.Context(), "acme", 0, Change{Settings: &s}, By{}); err != nil {
		t.Errorf("with a key: %v", err)
	}
	out, err := b.CreateTenant(t.Context(), New{ID: "globex", Settings: s}, By{})
	if err != nil || !slices.Contains(algsHeld(b.read(t, out.TenantID).Keys, b.time), "EdDSA") {
		t.Errorf("a new tenant does not get the key its settings name: %v", err)
	}
}

func TestUnknownTenants(t *testing.T) {
	b := newBench(t)
	for _, id := range []tenant.ID{"nobody", "", "Not-A-Label", "a/b"} {
		_, one := b.Tenant(t.Context(), id)
		_, update := b.UpdateTenant(t.Context(), id, 0, Change{}, By{})
		_, tokens := b.Tokens(t.Context(), id)
		_, _, token := b.CreateToken(t.Context(), id, NewToken{APIs: []tenant.API{tenant.KeyAPI}}, By{})
		_, rotate := b.RotateKeys(t.Context(), id, "", By{})
		_, revoke := b.RevokeKey(t.Context(), id, "x", By{})
		_, events := b.Events(t.Context(), id, time.Time{}, 10)
		for i, err := range []error{one, update, tokens, token, rotate, revoke, events, b.DeleteTenant(t.Context(), id, By{})} {
			if !errors.Is(err, tenant.ErrUnknown) || codeOf(err) != "not_found" {
				t.Errorf("operation %d on %q: %v", i, id, err)
			}
		}
	}
}

func TestTenantsAreListedInPages(t *testing.T) {
	b := newBench(t)
	if _, err := b.EnsurePlatform(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"acme", "globex", "quux", "zebra"} {
		b.create(t, id, tenant.Settings{})
	}
	for _, n := range []int{1, 2, 3, 10} {
		var got []tenant.ID
		for after := tenant.ID(""); ; {
			rs, err := b.Tenants(t.Context(), after, n)
			if err != nil {
				t.Fatal(err)
			}
			if len(rs) == 0 {
				break
			}
			for _, r := range rs {
				got = append(got, r.ID)
			}
			after = got[len(got)-1]
		}
		if !slices.Equal(got, []tenant.ID{"acme", "globex", "quux", "zebra"}) {
			t.Errorf("%d at a time: %v", n, got)
		}
	}
}
