package persistence

import (
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// storedSecret is a client's secret as it is stored.
type storedSecret struct {
	Hash      []byte    `json:"hash"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	Sealed    []byte    `json:"sealed,omitempty"` // of a client that signs with it
}

// clientSecretPlace binds a client's sealed secret to its tenant and its hash. A client's id is not in it: it may be known
// only when the row is written.
func clientSecretPlace(t tenant.ID, hash []byte) []byte {
	return append([]byte("client secret/"+string(t)+"/"), hash...)
}

// sealed returns the secrets of c as they are stored.
func (e *effect) sealed(c *tenant.Client) []storedSecret {
	out := make([]storedSecret, len(c.Secrets))
	for i, s := range c.Secrets {
		out[i] = storedSecret{Hash: s.Hash, ExpiresAt: s.ExpiresAt}
		if s.HMAC.IsZero() {
			continue
		}
		var err error
		if out[i].Sealed, err = e.db.sealer.Seal([]byte(s.HMAC.Reveal()), clientSecretPlace(e.tenant, s.Hash)); err != nil && e.err == nil {
			e.err = err
		}
	}
	return out
}

// secretsOf returns the secrets of a row.
func (db *DB) secretsOf(r *clientRow) ([]tenant.ClientSecret, error) {
	out := make([]tenant.ClientSecret, len(r.Secrets.V))
	for i, s := range r.Secrets.V {
		out[i] = tenant.ClientSecret{Hash: s.Hash, ExpiresAt: s.ExpiresAt}
		if s.Sealed == nil {
			continue
		}
		plain, err := db.sealer.Open(s.Sealed, clientSecretPlace(tenant.ID(r.TenantID), s.Hash))
		if err == nil {
			out[i].HMAC, err = keys.NewHMACKey(string(plain))
		}
		if err != nil {
			return nil, oauth.Unavailable().Because(err)
		}
	}
	return out, nil
}
