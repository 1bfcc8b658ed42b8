package console

import (
	"time"

	"github.com/chancery-id/chancery/tenant/keys"
)

// shownKey is a signing key as an administrator sees it: its schedule, and nothing of the key itself.
type shownKey struct {
	ID        string    `json:"kid"`
	Alg       keys.Alg  `json:"alg"`
	CreatedAt time.Time `json:"created_at"`
	ActiveAt  time.Time `json:"active_at,omitzero"`
	RetiredAt time.Time `json:"retired_at,omitzero"`
	GoneAt    time.Time `json:"gone_at,omitzero"`
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
	return shownKeys(d.Console.RotateKeys(q.Request.Context(), q.id, b.Alg, q.by))
}

func (d *Door) listKeys(q *call) (keyList, error) {
	return shownKeys(d.Console.SigningKeys(q.Request.Context(), q.id))
}

func (d *Door) revokeKey(q *call) (keyList, error) {
	return shownKeys(d.Console.RevokeKey(q.Request.Context(), q.id, q.Param("kid"), q.by))
}

func shownKeys(ks []keys.Key, err error) (keyList, error) {
	list := keyList{Keys: make([]shownKey, len(ks))}
	for i, k := range ks {
		list.Keys[i] = shownKey{ID: k.ID, Alg: k.Alg, CreatedAt: k.CreatedAt, ActiveAt: k.ActiveAt, RetiredAt: k.RetiredAt, GoneAt: k.GoneAt}
	}
	return list, err
}
