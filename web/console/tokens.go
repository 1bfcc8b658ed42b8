package console

import (
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

// newToken is the body that creates an API token.
type newToken struct {
	Label          string       `json:"label"`
	APIs           []tenant.API `json:"apis" need:"yes"`
	ExpiresAt      time.Time    `json:"expires_at"`
	Roles          []string     `json:"roles"`
	ServiceAccount string       `json:"service_account"`
}

// shownToken is an API token as an administrator sees it. Token is there only in the answer that creates it.
type shownToken struct {
	ID             string       `json:"id"`
	Label          string       `json:"label"`
	APIs           []tenant.API `json:"apis"`
	ServiceAccount string       `json:"service_account,omitempty"`
	CreatedAt      time.Time    `json:"created_at"`
	ExpiresAt      time.Time    `json:"expires_at,omitzero"`
	LastUsedAt     time.Time    `json:"last_used_at,omitzero" doc:"To the minute, and absent where it never was"`
	Token          string       `json:"token,omitempty"`
}

func shownTokenOf(k tenant.APIToken, plain string) shownToken {
	return shownToken{ID: k.ID, Label: k.Label, APIs: k.APIs, ServiceAccount: k.ServiceAccount, CreatedAt: k.CreatedAt,
		ExpiresAt: k.ExpiresAt, LastUsedAt: k.UsedAt, Token: plain}
}

// tokenList is every API token of a tenant.
type tokenList struct {
	Tokens []shownToken `json:"tokens"`
}

func (d *Door) createToken(q *call, b *newToken) (shownToken, error) {
	k, plain, err := d.Console.CreateToken(q.Request.Context(), q.id, admin.NewToken{Label: b.Label, APIs: b.APIs, ExpiresAt: b.ExpiresAt,
		Roles: b.Roles, ServiceAccount: b.ServiceAccount}, q.by)
	return shownTokenOf(k, plain), err
}

func (d *Door) listTokens(q *call) (tokenList, error) {
	ks, err := d.Console.Tokens(q.Request.Context(), q.id)
	list := tokenList{Tokens: make([]shownToken, len(ks))}
	for i, k := range ks {
		list.Tokens[i] = shownTokenOf(k, "")
	}
	return list, err
}

func (d *Door) revokeToken(q *call) (none, error) {
	return none{}, d.Console.RevokeToken(q.Request.Context(), q.id, q.Param("token"), q.by)
}
