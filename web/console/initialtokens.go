package console

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// newInitialToken is the body that creates an initial access token.
type newInitialToken struct {
	Label      string    `json:"label"`
	Scope      string    `json:"scope"`
	GrantTypes []string  `json:"grant_types"`
	Uses       int       `json:"uses"`
	ExpiresAt  time.Time `json:"expires_at"`
}

// shownInitialToken is an initial access token as an administrator sees it. Token is there only in the answer that creates
// it.
type shownInitialToken struct {
	ID         string    `json:"id"`
	Label      string    `json:"label"`
	Scope      string    `json:"scope,omitempty"`
	GrantTypes []string  `json:"grant_types,omitempty"`
	Uses       int       `json:"uses_left"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	Token      string    `json:"token,omitempty"`
}

func shownInitialTokenOf(k registration.InitialToken, plain string) shownInitialToken {
	return shownInitialToken{k.ID, k.Label, k.Scope, k.GrantTypes, k.Uses, k.CreatedAt, k.ExpiresAt, plain}
}

// initialTokenList is every initial access token of a tenant.
type initialTokenList struct {
	Tokens []shownInitialToken `json:"initial_tokens"`
}

func (d *Door) createInitialToken(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin create initial token")
	var b newInitialToken
	if err := read(c, &b); err != nil {
		fail(c, err)
		return
	}
	k, plain, err := d.Console.CreateInitialToken(c.Request.Context(), idOf(c), registration.NewInitial(b), by(c))
	if err != nil {
		fail(c, err)
		return
	}
	wire.JSON(c, http.StatusCreated, shownInitialTokenOf(k, plain))
}

func (d *Door) listInitialTokens(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin list initial tokens")
	ks, err := d.Console.InitialTokens(c.Request.Context(), idOf(c))
	if err != nil {
		fail(c, err)
		return
	}
	list := initialTokenList{Tokens: make([]shownInitialToken, len(ks))}
	for i, k := range ks {
		list.Tokens[i] = shownInitialTokenOf(k, "")
	}
	wire.JSON(c, http.StatusOK, list)
}

func (d *Door) revokeInitialToken(c *gin.Context, _ *tenant.Tenant) {
	wire.EventOf(c).Flow("admin revoke initial token")
	if err := d.Console.RevokeInitialToken(c.Request.Context(), idOf(c), c.Param("token"), by(c)); err != nil {
		fail(c, err)
		return
	}
	wire.NoContent(c)
}
