package console

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
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

func (d *Door) rotateKeys(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin rotate keys")
	var b rotation
	if c.Request.ContentLength != 0 {
		if err := read(c, &b); err != nil {
			fail(c, err)
			return
		}
	}
	ks, err := d.Console.RotateKeys(c.Request.Context(), idOf(c), b.Alg, by(c))
	answerKeys(c, ks, err)
}

func (d *Door) listKeys(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin list keys")
	ks, err := d.Console.SigningKeys(c.Request.Context(), idOf(c))
	answerKeys(c, ks, err)
}

func (d *Door) revokeKey(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin revoke key")
	ks, err := d.Console.RevokeKey(c.Request.Context(), idOf(c), c.Param("kid"), by(c))
	answerKeys(c, ks, err)
}

func answerKeys(c *gin.Context, ks []keys.Key, err error) {
	if err != nil {
		fail(c, err)
		return
	}
	list := keyList{Keys: make([]shownKey, len(ks))}
	for i, k := range ks {
		list.Keys[i] = shownKey{ID: k.ID, Alg: k.Alg, CreatedAt: k.CreatedAt, ActiveAt: k.ActiveAt, RetiredAt: k.RetiredAt, GoneAt: k.GoneAt}
	}
	wire.JSON(c, http.StatusOK, list)
}
