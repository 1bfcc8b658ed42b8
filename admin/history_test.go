package admin

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

func (m *memory) Revisions(_ context.Context, id tenant.ID, before int64, n int) (rs []Revision, _ error) {
	all := m.history[id]
	for i := len(all) - 1; i >= 0 && len(rs) < n; i-- {
		if before == 0 || all[i].Version < before {
			rs = append(rs, all[i])
		}
	}
	return rs, nil
}

func (m *memory) Revision(_ context.Context, id tenant.ID, version int64) (Revision, error) {
	for _, r := range m.history[id] {
		if r.Version == version {
			return r, nil
		}
	}
	return Revision{}, ErrNoRevision
}

func (m *memory) revised(r *tenant.Record, ev audit.Event) {
	doc, _ := json.Marshal(r.Settings)
	if all := m.history[r.ID]; len(all) > 0 && string(all[len(all)-1].Settings) == string(doc) {
		return
	}
	if m.history == nil {
		m.history = map[tenant.ID][]Revision{}
	}
	m.history[r.ID] = append(m.history[r.ID], Revision{Version: r.Version, At: ev.At, Actor: ev.Actor, Detail: ev.Detail, Settings: doc})
}

func TestDifferences(t *testing.T) {
	for _, tt := range []struct {
		rule, from, to string
		want           string
	}{
		{"nothing differs", `{"a": {"b": 1}}`, `{"a":{"b":1}}`, `[]`},
		{"a value", `{"a": {"b": 1}}`, `{"a": {"b": 2}}`, `[{"pointer":"/a/b","old":1,"new":2}]`},
		{"a member that comes", `{}`, `{"a": {"b": 2}}`, `[{"pointer":"/a/b","new":2}]`},
		{"a member that goes", `{"a": {"b": 2}, "c": 1}`, `{"c": 1}`, `[{"pointer":"/a/b","old":2}]`},
		{"a list is one value", `{"a": [1, 2]}`, `{"a": [2]}`, `[{"pointer":"/a","old":[1,2],"new":[2]}]`},
		{"another kind", `{"a": {"b": 1}}`, `{"a": "x"}`, `[{"pointer":"/a","old":{"b":1},"new":"x"}]`},
		{"names are escaped", `{"a/b~": 1}`, `{"a/b~": 2}`, `[{"pointer":"/a~1b~0","old":1,"new":2}]`},
		{"large numbers stay as they are", `{"a": 9007199254740993}`, `{"a": 9007199254740992}`, `[{"pointer":"/a","old":9007199254740993,"new":9007199254740992}]`},
	} {
		ds, err := differences(json.RawMessage(tt.from), json.RawMessage(tt.to))
		got, _ := json.Marshal(ds)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %s, %v", tt.rule, got, err)
		}
	}
}

func TestSettingsHistory(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{Name: "0"})
	versions := []int64{}
	for i := range 25 {
		r, err := b.UpdateTenant(t.Context(), "acme", 0, Change{Settings: &tenant.Settings{Name: strings.Repeat("x", i+1)}}, By{Actor: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, r.Version)
	}
	if _, err := b.UpdateTenant(t.Context(), "acme", 0, Change{Enabled: new(false)}, By{}); err != nil {
		t.Fatal(err)
	}
	all, err := b.SettingsHistory(t.Context(), "acme", 0, 100)
	if err != nil || len(all) != 26 || !all[25].First || all[24].First {
		t.Fatalf("%d revisions, %v", len(all), err)
	}
	want := []Difference{{Pointer: "/name", Old: json.RawMessage(`"` + strings.Repeat("x", 24) + `"`), New: json.RawMessage(`"` + strings.Repeat("x", 25) + `"`)}}
	if d := cmp.Diff(want, all[0].Changes); d != "" || all[0].Actor != "alice" || all[0].Settings != nil {
		t.Errorf("the newest: %s", d)
	}
	page, err := b.SettingsHistory(t.Context(), "acme", all[11].Version, 12)
	if err != nil || len(page) != 12 || page[0].Version != all[12].Version || len(page[11].Changes) != 1 {
		t.Errorf("a page: %+v, %v", page, err)
	}
	one, err := b.SettingsAt(t.Context(), "acme", versions[3])
	if err != nil || string(one.Settings) != `{"name":"xxxx"}` || len(one.Changes) != 1 {
		t.Errorf("one: %+v, %v", one, err)
	}
	ds, err := b.SettingsDiff(t.Context(), "acme", versions[0], 0)
	if err != nil || len(ds) != 1 || string(ds[0].Old) != `"x"` {
		t.Errorf("from the first to now: %+v, %v", ds, err)
	}
	if _, err := b.SettingsAt(t.Context(), "acme", versions[24]+1); !errors.Is(err, ErrNoRevision) {
		t.Errorf("a version that changed no settings: %v", err)
	}
}

func TestRollBack(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{Name: "first"})
	first := b.store.history["acme"][0].Version
	second, err := b.UpdateTenant(t.Context(), "acme", 0, Change{Settings: &tenant.Settings{Name: "second"}}, By{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.RollBack(t.Context(), "acme", second.Version-1, first, By{}); !errors.Is(err, tenant.ErrConflict) {
		t.Errorf("at another version: %v", err)
	}
	r, err := b.RollBack(t.Context(), "acme", second.Version, first, By{Actor: "bob"})
	if err != nil || r.Settings.Name != "first" {
		t.Fatalf("%+v, %v", r, err)
	}
	all, err := b.SettingsHistory(t.Context(), "acme", 0, 10)
	if err != nil || len(all) != 3 || all[0].Actor != "bob" || all[0].Detail["change"] != "rollback" || len(all[0].Changes) != 1 {
		t.Errorf("after it: %+v, %v", all, err)
	}
	if _, err := b.RollBack(t.Context(), "acme", 0, 12345, By{}); !errors.Is(err, ErrNoRevision) {
		t.Errorf("to what never was: %v", err)
	}
	for _, old := range []string{`{"tokens": {"id_token_lifetime": 1}}`, `{"tokens": {"no_more": 1}}`} {
		b.store.history["acme"][0].Settings = json.RawMessage(old)
		_, err := b.RollBack(t.Context(), "acme", 0, first, By{})
		if e, ok := errors.AsType[*Invalid](err); !ok || !strings.HasPrefix(e.Fields[0].Pointer, "/settings/tokens/") {
			t.Errorf("to %s: %v", old, err)
		}
	}
}
