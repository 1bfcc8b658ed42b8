package console

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// newToken is the body that creates an API token.
type newToken struct {
	Label     string       `json:"label"`
	APIs      []tenant.API `json:"apis"`
	ExpiresAt time.Time    `json:"expires_at"`
}

// shownToken is an API token as an administrator sees it. Token is there only in the answer that creates it.
type shownToken struct {
	ID        string       `json:"id"`
	Label     string       `json:"label"`
	APIs      []tenant.API `json:"apis"`
	CreatedAt time.Time    `json:"created_at"`
	ExpiresAt time.Time    `json:"expires_at,omitzero"`
	Token     string       `json:"token,omitempty"`
}

func shownTokenOf(k tenant.APIToken, plain string) shownToken {
	return shownToken{ID: k.ID, Label: k.Label, APIs: k.APIs, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, Token: plain}
}

// tokenList is every API token of a tenant.
type tokenList struct {
	Tokens []shownToken `json:"tokens"`
}

func (d *Door) createToken(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin create token")
	var b newToken
	if err := read(c, &b); err != nil {
		fail(c, err)
		return
	}
	k, plain, err := d.Console.CreateToken(c.Request.Context(), idOf(c),
		admin.NewToken{Label: b.Label, APIs: b.APIs, ExpiresAt: b.ExpiresAt}, by(c))
	if err != nil {
		fail(c, err)
		return
	}
	wire.JSON(c, http.StatusCreated, shownTokenOf(k, plain))
}

func (d *Door) listTokens(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin list tokens")
	ks, err := d.Console.Tokens(c.Request.Context(), idOf(c))
	if err != nil {
		fail(c, err)
		return
	}
	list := tokenList{Tokens: make([]shownToken, len(ks))}
	for i, k := range ks {
		list.Tokens[i] = shownTokenOf(k, "")
	}
	wire.JSON(c, http.StatusOK, list)
}

func (d *Door) revokeToken(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin revoke token")
	if err := d.Console.RevokeToken(c.Request.Context(), idOf(c), c.Param("token"), by(c)); err != nil {
		fail(c, err)
		return
	}
	wire.NoContent(c)
}
