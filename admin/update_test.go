package admin

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
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

// A key that retires stays published until the last token signed with it has expired, also when tokens are given a longer
// life before it retires.
func TestLongerLivesKeepKeysPublished(t *testing.T) {
	const life = 30 * 24 * time.Hour
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	if _, err := b.RotateKeys(t.Context(), "acme", "ES256", By{}); err != nil {
		t.Fatal(err)
	}
	old := ofAlg(b.read(t, "acme").Keys, keys.ES256)[0]
	b.time = b.time.Add(time.Minute) // the old key still signs
	s := tenant.Settings{Tokens: tenant.TokenSettings{IDTokenLifetime: int64(life.Seconds())}}
	r, err := b.UpdateTenant(t.Context(), "acme", 0, Change{Settings: &s}, By{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Keys, func(k keys.Key) bool { return k.ID == old.ID })
	if i < 0 || r.Keys[i].GoneAt.Before(old.RetiredAt.Add(life)) {
		t.Errorf("it retires at %s and is gone at %s", old.RetiredAt, r.Keys[i].GoneAt)
	}
	if r.Settings.Tokens.IDTokenLifetime != s.Tokens.IDTokenLifetime {
		t.Error("the settings are as before")
	}
}

func TestPatchedSettings(t *testing.T) {
	for _, tt := range []struct{ rule, patch, want string }{ // want: the name and colour, or a pointer
		{"what is not named stays", `{"color": "#123456"}`, "Acme #123456"},
		{"null gives the default", `{"name": null}`, ""},
		{"an empty patch changes nothing", `{}`, "Acme"},
		{"an unknown member is refused", `{"colour": "red"}`, "/settings/colour"},
		{"a bad value is refused", `{"color": "red"}`, "/settings/color"},
		{"a text is no patch", `"Acme"`, "/settings"},
		{"null is no patch", `null`, "/settings"},
		{"what is not JSON is no patch", `{`, "/settings"},
	} {
		b := newBench(t)
		b.create(t, "acme", tenant.Settings{Name: "Acme"})
		r, err := b.UpdateTenant(t.Context(), "acme", 0, Change{Patch: []byte(tt.patch)}, By{})
		got := ""
		if e, ok := errors.AsType[*Invalid](err); ok {
			got = e.Fields[0].Pointer
		} else if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		} else {
			got = strings.TrimSpace(r.Settings.Name + " " + r.Settings.Color)
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.rule, got, tt.want)
		}
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
