package connect2id

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web/wire"
)

// keyHistory is what became of a key. Times are Unix seconds, left out where they have not been set.
type keyHistory struct {
	KID       string   `json:"kid"`
	Alg       keys.Alg `json:"alg"`
	CreatedAt int64    `json:"created_at"`
	ActiveAt  int64    `json:"active_at,omitempty"`
	RetiredAt int64    `json:"retired_at,omitempty"`
	GoneAt    int64    `json:"gone_at,omitempty"`
}

// mountKeys registers the calls by which the tenant's backend looks after its keys. Their only context is op: there is no
// federation.
func (d *Door) mountKeys(r *wire.Router) {
	at := func(method, path string, h func(*Door, *call) error) {
		r.API(method, "/key-store/rest/v1/op"+path, tenant.KeyAPI, func(c *gin.Context, t *tenant.Tenant) {
			wire.EventOf(c).Flow("keys")
			if err := h(d, &call{Context: c, tenant: t, version: versions[len(versions)-1]}); err != nil {
				wire.Error(c, err)
			}
		})
	}
	at(http.MethodGet, "", (*Door).keys)
	at(http.MethodPost, "/generate", (*Door).generateKeys)
	at(http.MethodPost, "/rotate", (*Door).rotateKeys)
	at(http.MethodDelete, "/:kid", (*Door).dropKey)
	at(http.MethodGet, "/history", (*Door).keyHistory)
}

var (
	errNoKey        = oauth.NotFound("There is no such key")
	errActiveKey    = oauth.InvalidRequest("The key is not superseded")
	errKeyParameter = oauth.InvalidRequest("A parameter is none of rsa, no_eddsa and revoke_all_active_as_compromised")
	errKeyWishes    = oauth.InvalidRequest("rsa and no_eddsa are not supported: new keys are of the algorithms of the old")
)

// keys shows the keys that are published.
func (d *Door) keys(c *call) error {
	ks, err := d.Console.SigningKeys(c.Request.Context(), c.tenant.ID)
	if err != nil {
		return err
	}
	return d.showKeys(c, ks)
}

// showKeys writes the public part of ks, each with its thumbprint, which is its id.
func (d *Door) showKeys(c *call, ks []keys.Key) error {
	var set struct {
		Keys []map[string]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(keys.NewSet(ks).JWKS(d.Console.Now()), &set); err != nil {
		return err
	}
	for _, k := range set.Keys {
		k["tpr"] = k["kid"]
	}
	wire.JSON(c.Context, http.StatusOK, set)
	return nil
}

func (c *call) administrator() admin.By {
	by := c.by()
	return admin.By{Actor: by.Actor, Address: by.Address}
}

// rotateKeys gives the tenant a new key of each of its algorithms.
func (d *Door) rotateKeys(c *call) error {
	if c.Request.ContentLength != 0 {
		f, err := wire.Form(c.Context, maxBody)
		if err != nil {
			return err
		}
		if f.Has("rsa") || f.Has("no_eddsa") {
			return errKeyWishes
		}
	}
	ks, err := d.Console.RotateKeys(c.Request.Context(), c.tenant.ID, "", c.administrator())
	if err != nil {
		return err
	}
	return d.showKeys(c, ks)
}

// generateKeys gives the tenant keys of the usual algorithms, and of those it has.
func (d *Door) generateKeys(c *call) error {
	algs, compromised := []keys.Alg{keys.RS256, keys.ES256, keys.EdDSA}, false
	if c.Request.ContentLength != 0 {
		f, err := wire.Form(c.Context, maxBody)
		if err != nil {
			return err
		}
		for name := range f {
			switch v := f.Get(name); {
			case name == "rsa" && v == "2048":
			case name == "rsa":
				return oauth.InvalidRequest("rsa must be 2048")
			case name != "no_eddsa" && name != "revoke_all_active_as_compromised":
				return errKeyParameter
			case v != "true" && v != "false":
				return oauth.InvalidRequest(name + " must be true or false")
			case name == "no_eddsa" && v == "true":
				algs = algs[:2]
			case name != "no_eddsa":
				compromised = v == "true"
			}
		}
	}
	ks, err := d.Console.GenerateKeys(c.Request.Context(), c.tenant.ID, algs, compromised, c.administrator())
	if err != nil {
		return err
	}
	return d.showKeys(c, ks)
}

// dropKey takes a key out of use that no longer signs, and with it what it signed.
func (d *Door) dropKey(c *call) error {
	ks, err := d.Console.SigningKeys(c.Request.Context(), c.tenant.ID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(ks, func(k keys.Key) bool { return k.ID == c.Param("kid") })
	switch {
	case i < 0:
		return errNoKey
	case ks[i].RetiredAt.IsZero() || d.Console.Now().Before(ks[i].RetiredAt):
		return errActiveKey
	}
	if _, err := d.Console.RevokeKey(c.Request.Context(), c.tenant.ID, ks[i].ID, c.administrator()); err != nil {
		return err
	}
	wire.NoContent(c.Context)
	return nil
}

// keyHistory lists the keys with what became of them, those that are gone until the next rotation.
func (d *Door) keyHistory(c *call) error {
	ks, err := d.Console.SigningKeys(c.Request.Context(), c.tenant.ID)
	if err != nil {
		return err
	}
	out := make([]keyHistory, len(ks))
	for i, k := range ks {
		out[i] = keyHistory{KID: k.ID, Alg: k.Alg, CreatedAt: seconds(k.CreatedAt), ActiveAt: seconds(k.ActiveAt), RetiredAt: seconds(k.RetiredAt), GoneAt: seconds(k.GoneAt)}
	}
	wire.JSON(c.Context, http.StatusOK, out)
	return nil
}

// seconds is t in Unix seconds; zero: it is not set.
func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
