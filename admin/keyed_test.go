package admin

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestSettingsMakeTheKeysThatTheyList(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	s := tenant.Settings{Signing: tenant.SigningSettings{Algs: []string{"EdDSA"}}, Tokens: tenant.TokenSettings{IDTokenAlg: "EdDSA"},
		Encryption: tenant.EncryptionSettings{Algs: []string{"ECDH-ES", "ECDH-ES+A256KW"}}}
	for range 2 { // the second time there is nothing left to do
		if _, err := b.UpdateTenant(t.Context(), "acme", 0, Change{Settings: &s}, By{}); err != nil {
			t.Fatal(err)
		}
		if n := len(b.read(t, "acme").Keys); n != 5 {
			t.Errorf("there are %d keys", n)
		}
	}
	set := keys.NewSet(b.read(t, "acme").Keys)
	if got := set.Algs(b.time); !slices.Contains(got, keys.EdDSA) {
		t.Errorf("it signs with %v", got)
	}
	if got := set.OpeningAlgs(b.time); !slices.Equal(got, []keys.Alg{keys.ECDHES, keys.ECDHESA256KW}) {
		t.Errorf("it opens %v", got)
	}
	s.Encryption.Algs = s.Encryption.Algs[:1]
	if _, err := b.UpdateTenant(t.Context(), "acme", 0, Change{Settings: &s}, By{}); err != nil {
		t.Fatal(err)
	}
	set = keys.NewSet(b.read(t, "acme").Keys)
	if got := set.OpeningAlgs(b.time); !slices.Equal(got, []keys.Alg{keys.ECDHES}) || strings.Contains(string(set.JWKS(b.time)), "A256KW") {
		t.Errorf("what was taken out is still published: %v", got)
	}
	if _, err := b.RotateKeys(t.Context(), "acme", "", By{}); err != nil {
		t.Fatal(err)
	}
	if n := len(ofAlg(b.read(t, "acme").Keys, keys.ECDHESA256KW)); n != 1 {
		t.Errorf("what was taken out is rotated: %d keys", n)
	}
	if n := len(ofAlg(b.read(t, "acme").Keys, keys.ECDHES)); n != 2 {
		t.Errorf("what is on is not rotated: %d keys", n)
	}
	out, err := b.CreateTenant(t.Context(), New{ID: "globex", Settings: s}, By{})
	if err != nil || !slices.Contains(algsHeld(b.read(t, out.TenantID).Keys, b.time), keys.ECDHES) {
		t.Errorf("a new tenant does not get the keys its settings list: %v", err)
	}
}

// Keys of each algorithm have their own age: a young one of another algorithm does not put off what is due.
func TestRotateDueLooksAtEachAlgorithm(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{})
	b.time = b.time.Add(60 * 24 * time.Hour)
	if _, err := b.RotateKeys(t.Context(), "acme", "EdDSA", By{}); err != nil {
		t.Fatal(err)
	}
	b.time = b.time.Add(31 * 24 * time.Hour)
	if _, err := b.RotateDue(t.Context(), "", 10); err != nil {
		t.Fatal(err)
	}
	ks := b.read(t, "acme").Keys
	for alg, want := range map[keys.Alg]int{keys.RS256: 2, keys.ES256: 2, keys.EdDSA: 1} {
		if n := len(ofAlg(ks, alg)); n != want {
			t.Errorf("%s: %d keys, want %d", alg, n, want)
		}
	}
}

func TestARevokedKeyThatIsEncryptedToHasASuccessor(t *testing.T) {
	b := newBench(t)
	b.create(t, "acme", tenant.Settings{Encryption: tenant.EncryptionSettings{Algs: []string{"ECDH-ES"}}})
	old := ofAlg(b.read(t, "acme").Keys, keys.ECDHES)[0]
	if _, err := b.RevokeKey(t.Context(), "acme", old.ID, By{}); err != nil {
		t.Fatal(err)
	}
	left := ofAlg(b.read(t, "acme").Keys, keys.ECDHES)
	if len(left) != 1 || left[0].ID == old.ID || keys.NewSet(left).OpeningAlgs(b.time) == nil {
		t.Errorf("there are %v", left)
	}
}
