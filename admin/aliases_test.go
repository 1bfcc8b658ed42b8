package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

func (m *memory) Aliases(_ context.Context, id tenant.ID) (as []Alias, _ error) {
	return m.aliases[id], nil
}

func (m *memory) PutAlias(_ context.Context, id tenant.ID, version int64, a Alias, ev audit.Event) error {
	for _, r := range m.records {
		if r.Issuer == a.Issuer || slices.Contains(r.Aliases, a.Issuer) {
			return tenant.ErrExists
		}
	}
	err := m.at(id, version, ev, func(r *tenant.Record) { r.Aliases = append(slices.Clone(r.Aliases), a.Issuer) })
	if err == nil {
		if m.aliases == nil {
			m.aliases = map[tenant.ID][]Alias{}
		}
		m.aliases[id] = append(m.aliases[id], a)
	}
	return err
}

func (m *memory) DropAlias(_ context.Context, id tenant.ID, alias string, _ time.Time, ev audit.Event) error {
	i := slices.IndexFunc(m.aliases[id], func(a Alias) bool { return a.ID == alias })
	if i < 0 {
		return ErrNoAlias
	}
	issuer := m.aliases[id][i].Issuer
	m.aliases[id] = slices.Delete(m.aliases[id], i, i+1)
	return m.at(id, 0, ev, func(r *tenant.Record) {
		r.Aliases = slices.DeleteFunc(slices.Clone(r.Aliases), func(v string) bool { return v == issuer })
	})
}

func TestAliases(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	b.create(t, "globex", tenant.Settings{})
	made, err := b.AddAlias(t.Context(), "acme", "https://login.acme.example", By{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		rule, id, issuer string
		want             error // nil: it is *Invalid
	}{
		{"twice", "acme", "https://login.acme.example", tenant.ErrExists},
		{"at another tenant", "globex", "https://login.acme.example", tenant.ErrExists},
		{"its own issuer", "acme", "http://127.0.0.1:8080/t/acme", tenant.ErrExists},
		{"of a tenant that is not there", "nobody", "https://x.example", tenant.ErrUnknown},
		{"below another tenant", "acme", "http://127.0.0.1:8080/t/globex", nil},
		{"a path of the server's", "acme", "http://127.0.0.1:8080/admin", nil},
		{"not canonical", "acme", "https://LOGIN.acme.example", nil},
		{"not https", "acme", "http://login.acme.example", nil},
		{"with a slash", "acme", "https://login2.acme.example/", nil},
		{"nothing", "acme", "", nil},
	} {
		_, err := b.AddAlias(t.Context(), tenant.ID(tt.id), tt.issuer, By{})
		if _, bad := errors.AsType[*Invalid](err); tt.want == nil && !bad || tt.want != nil && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.rule, err)
		}
	}
	if _, err := b.AddAlias(t.Context(), tenant.Platform, "https://x.example", By{}); err == nil {
		t.Error("the platform has an alias")
	}
	for i := range tenant.MaxAliases - 1 {
		if _, err := b.AddAlias(t.Context(), "acme", fmt.Sprintf("https://a%d.example", i), By{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.AddAlias(t.Context(), "acme", "https://more.example", By{}); !errors.Is(err, tenant.ErrConflict) {
		t.Errorf("one more than may be: %v", err)
	}
	if err := b.RemoveAlias(t.Context(), "globex", made.ID, By{}); !errors.Is(err, ErrNoAlias) {
		t.Errorf("removed by another tenant: %v", err)
	}
	if err := b.RemoveAlias(t.Context(), "acme", made.ID, By{}); err != nil {
		t.Fatal(err)
	}
	if as, err := b.ListAliases(t.Context(), "acme"); err != nil || len(as) != tenant.MaxAliases-1 {
		t.Errorf("%+v, %v", as, err)
	}
}
