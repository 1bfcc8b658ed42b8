package admin

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// ofAlg returns the keys of one algorithm.
func ofAlg(ks []keys.Key, alg keys.Alg) []keys.Key {
	return slices.DeleteFunc(slices.Clone(ks), func(k keys.Key) bool { return k.Alg != alg })
}

func TestRotateKeys(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	old := ofAlg(b.read(t, "acme").Keys, keys.ES256)[0]
	b.time = b.time.Add(time.Hour)
	if _, err := b.RotateKeys(t.Context(), "acme", "ES256", By{Actor: "boss"}); err != nil {
		t.Fatal(err)
	}
	r := b.read(t, "acme")
	es := ofAlg(r.Keys, keys.ES256)
	if len(es) != 2 || len(r.Keys) != 3 {
		t.Fatalf("there are %v", r.Keys)
	}
	before, after := es[0], es[1]
	if before.ID != old.ID {
		before, after = after, before
	}
	if !after.CreatedAt.Equal(b.time) || !after.ActiveAt.Equal(b.time.Add(10*time.Minute)) {
		t.Errorf("the new key is published from %s and signs from %s", after.CreatedAt, after.ActiveAt)
	}
	if !before.RetiredAt.Equal(after.ActiveAt) || before.GoneAt.Before(before.RetiredAt.Add(tenant.MaxAccessToken)) {
		t.Errorf("the old key retires at %s and is gone at %s", before.RetiredAt, before.GoneAt)
	}
	if e := b.store.events["acme"][1]; e.Kind != audit.KeysRotated || e.Actor != "boss" || e.Detail["algs"] != "ES256" {
		t.Errorf("the record of it: %+v", e)
	}

	b.time = before.GoneAt
	if _, err := b.RotateKeys(t.Context(), "acme", "", By{}); err != nil {
		t.Fatal(err)
	}
	ks := b.read(t, "acme").Keys
	if slices.ContainsFunc(ks, func(k keys.Key) bool { return k.ID == before.ID }) {
		t.Error("a key that is gone is still kept")
	}
	if len(ofAlg(ks, keys.ES256)) != 2 || len(ofAlg(ks, keys.RS256)) != 2 {
		t.Errorf("no algorithm named: not each was rotated: %v", ks)
	}
	if _, err := b.RotateKeys(t.Context(), "acme", "HS256", By{}); codeOf(err) != "invalid_request" {
		t.Errorf("a symmetric algorithm: %v", err)
	}
}

func TestRotateKeysBesideAnother(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	met := 0
	b.store.between = func(id tenant.ID) {
		if met++; met == 1 {
			r := b.store.records[id]
			r.Version++
			b.store.records[id] = r
		}
	}
	if _, err := b.RotateKeys(t.Context(), "acme", "ES256", By{}); err != nil || len(b.read(t, "acme").Keys) != 3 {
		t.Errorf("%v, and there are %v", err, b.read(t, "acme").Keys)
	}
}

func TestRevokeKey(t *testing.T) {
	t.Run("a new one signs at once where it was the only one", func(t *testing.T) {
		b := newBench(t)
		b.create(t, "acme", tenant.Settings{})
		bad := ofAlg(b.read(t, "acme").Keys, keys.ES256)[0]
		b.time = b.time.Add(time.Hour)
		if _, err := b.RevokeKey(t.Context(), "acme", bad.ID, By{}); err != nil {
			t.Fatal(err)
		}
		es := ofAlg(b.read(t, "acme").Keys, keys.ES256)
		if len(es) != 1 || es[0].ID == bad.ID || es[0].ActiveAt.After(b.time) {
			t.Errorf("there are %v", es)
		}
	})
	t.Run("the successor that waits signs at once", func(t *testing.T) {
		b := newBench(t)
		b.create(t, "acme", tenant.Settings{})
		bad := ofAlg(b.read(t, "acme").Keys, keys.ES256)[0]
		if _, err := b.RotateKeys(t.Context(), "acme", "ES256", By{}); err != nil {
			t.Fatal(err)
		}
		b.time = b.time.Add(time.Minute)
		if _, err := b.RevokeKey(t.Context(), "acme", bad.ID, By{}); err != nil {
			t.Fatal(err)
		}
		es := ofAlg(b.read(t, "acme").Keys, keys.ES256)
		if len(es) != 1 || es[0].ID == bad.ID || es[0].ActiveAt.After(b.time) {
			t.Errorf("there are %+v", es)
		}
	})
	t.Run("an unknown key is not found", func(t *testing.T) {
		b := newBench(t)
		b.create(t, "acme", tenant.Settings{})
		if _, err := b.RevokeKey(t.Context(), "acme", "nothing", By{}); codeOf(err) != "not_found" {
			t.Errorf("got %v", err)
		}
	})
}

func TestRotateDue(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		rule     string
		rotation int64 // days
		age      time.Duration
		due      bool
	}{
		{"90 days by default: not yet", 0, 90*day - time.Second, false},
		{"90 days by default: due", 0, 90 * day, true},
		{"a period of its own: not yet", 7, 7*day - time.Second, false},
		{"a period of its own: due", 7, 7 * day, true},
		{"never", -1, 10000 * day, false},
	} {
		b := newBench(t)
		b.create(t, "acme", tenant.Settings{Tokens: tenant.TokenSettings{KeyRotation: tt.rotation}})
		b.time = b.time.Add(tt.age)
		for range 2 { // the second time there is nothing left to do
			if next, err := b.RotateDue(t.Context(), "", 10); err != nil || next != "" {
				t.Errorf("%s: %q and %v", tt.rule, next, err)
			}
		}
		want := 2
		if tt.due {
			want = 4
		}
		if ks := b.read(t, "acme").Keys; len(ks) != want {
			t.Errorf("%s: there are %v", tt.rule, ks)
		}
		if n := len(b.store.events["acme"]); n != want/2 {
			t.Errorf("%s: there are %d events", tt.rule, n)
		}
	}
}

func TestRotateDueGoesRound(t *testing.T) {
	b := newBench(t)
	for _, id := range []string{"a", "b", "c"} {
		b.create(t, id, tenant.Settings{})
	}
	b.time = b.time.Add(91 * 24 * time.Hour)
	var asked []tenant.ID
	for after, rounds := tenant.ID(""), 0; rounds < 3; rounds++ {
		next, err := b.RotateDue(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		asked = append(asked, next)
		after = next
	}
	if !slices.Equal(asked, []tenant.ID{"b", "", "b"}) {
		t.Errorf("the rounds went to %q", asked)
	}
	for _, id := range []tenant.ID{"a", "b", "c"} {
		if n := len(b.read(t, id).Keys); n != 4 {
			t.Errorf("%s has %d keys", id, n)
		}
	}
}

func TestRotateDueLeavesToAnotherInstanceWhatItDoes(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	b.time = b.time.Add(91 * 24 * time.Hour)
	b.store.between = func(id tenant.ID) {
		r := b.store.records[id]
		r.Version++
		b.store.records[id] = r
	}
	if _, err := b.RotateDue(t.Context(), "", 10); err != nil || errors.Is(err, tenant.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if n := len(b.read(t, "acme").Keys); n != 2 {
		t.Errorf("there are %d keys", n)
	}
}
