package console

import (
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/tenant/keys"
)

// shownKey is a signing key as an administrator sees it: its schedule, and nothing of the key itself.
type shownKey struct {
	ID        string     `json:"kid"`
	Alg       keys.Alg   `json:"alg"`
	State     keys.State `json:"state"`
	Published bool       `json:"published" doc:"Whether the JWK set has it"`
	CreatedAt time.Time  `json:"created_at"`
	ActiveAt  time.Time  `json:"active_at,omitzero"`
	RetiredAt time.Time  `json:"retired_at,omitzero"`
	GoneAt    time.Time  `json:"gone_at,omitzero"`
}

// keyList is every signing key of a tenant.
type keyList struct {
	Keys []shownKey `json:"keys"`
}

// rotation is the body that rotates keys: those of one algorithm, or of all where none is named.
type rotation struct {
	Alg string `json:"alg"`
}

func (d *Door) rotateKeys(q *call, b *rotation) (keyList, error) {
	return d.shownKeys(d.Console.RotateKeys(q.Request.Context(), q.id, b.Alg, q.by))
}

func (d *Door) listKeys(q *call) (keyList, error) {
	return d.shownKeys(d.Console.SigningKeys(q.Request.Context(), q.id))
}

func (d *Door) revokeKey(q *call) (keyList, error) {
	return d.shownKeys(d.Console.RevokeKey(q.Request.Context(), q.id, q.Param("kid"), q.by))
}

func (d *Door) shownKeys(ks []keys.Key, err error) (keyList, error) {
	return keyList{Keys: shownKeysAt(ks, d.Console.Now())}, err
}

func shownKeysAt(ks []keys.Key, at time.Time) []shownKey {
	out := make([]shownKey, len(ks))
	for i, s := range keys.Standings(ks, at) {
		k := &ks[i]
		out[i] = shownKey{ID: k.ID, Alg: k.Alg, State: s.State, Published: s.Published, CreatedAt: k.CreatedAt, ActiveAt: k.ActiveAt,
			RetiredAt: k.RetiredAt, GoneAt: k.GoneAt}
	}
	return out
}

// keyPreview is the JWK set of a tenant as the public sees it at a time, and how each key stands then.
type keyPreview struct {
	At   time.Time       `json:"at"`
	URI  string          `json:"jwks_uri"`
	JWKS json.RawMessage `json:"jwks" doc:"As the document at jwks_uri (RFC 7517)"`
	Keys []shownKey      `json:"keys"`
}

func (d *Door) previewKeys(q *call) (*keyPreview, error) {
	at, err := timeOf(q.query, "at")
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		at = d.Console.Now()
	}
	r, err := d.Console.Tenant(q.Request.Context(), q.id)
	if err != nil {
		return nil, err
	}
	return &keyPreview{At: at.UTC(), URI: r.Issuer + discovery.JWKS, JWKS: keys.NewSet(r.Keys).JWKS(at), Keys: shownKeysAt(r.Keys, at)}, nil
}
