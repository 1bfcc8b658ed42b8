package connect2id

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
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
		evs, err := w.db.Events(context.Background(), w.tenants["acme"].ID, time.Time{}, 1)
		if err != nil || len(evs) != 1 || evs[0].Kind != audit.KeyRevoked {
			t.Fatalf("got %+v, %v", evs, err)
		}
		for _, kid := range kids {
			if !slices.Contains(strings.Fields(evs[0].Detail["kids"]), kid) {
				t.Errorf("the record does not tell that %s was revoked: %v", kid, evs[0].Detail)
			}
		}
	})
}
