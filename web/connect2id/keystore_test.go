package connect2id

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Keys are generated of the usual algorithms and of those there are; where those before are compromised they are gone.
func TestKeysAreGenerated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		generate := func(form string) (algs, kids []string) {
			rec := w.call("POST", "/key-store/rest/v1/op/generate", form, func(r *http.Request) {
				r.Header.Set("Authorization", "Bearer "+apiToken("acme", "keys"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			})
			var set struct{ Keys []struct{ Alg, KID string } }
			if err := json.Unmarshal(rec.Body.Bytes(), &set); err != nil || rec.Code != http.StatusOK || strings.Contains(rec.Body.String(), `"d"`) {
				t.Fatalf("%s: %d %s", form, rec.Code, rec.Body)
			}
			for _, k := range set.Keys {
				algs, kids = append(algs, k.Alg), append(kids, k.KID)
			}
			slices.Sort(algs)
			return algs, kids
		}
		algs, kids := generate("rsa=2048&no_eddsa=true&revoke_all_active_as_compromised=false")
		if !slices.Equal(algs, []string{"ES256", "ES256", "RS256"}) {
			t.Errorf("beside the one that was there: %v", algs)
		}
		algs, fresh := generate("revoke_all_active_as_compromised=true")
		if !slices.Equal(algs, []string{"ES256", "EdDSA", "RS256"}) {
			t.Errorf("in place of those before: %v", algs)
		}
		for _, kid := range fresh {
			if slices.Contains(kids, kid) {
				t.Errorf("the key %s is compromised and still there", kid)
			}
		}
	})
}
