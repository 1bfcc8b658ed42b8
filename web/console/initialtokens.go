package console

import (
	"time"

	"github.com/chancery-id/chancery/flows/registration"
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

func (d *Door) createInitialToken(q *call, b *newInitialToken) (shownInitialToken, error) {
	k, plain, err := d.Console.CreateInitialToken(q.Request.Context(), q.id, registration.NewInitial(*b), q.by)
	return shownInitialTokenOf(k, plain), err
}

func (d *Door) listInitialTokens(q *call) (initialTokenList, error) {
	ks, err := d.Console.InitialTokens(q.Request.Context(), q.id)
	list := initialTokenList{Tokens: make([]shownInitialToken, len(ks))}
	for i, k := range ks {
		list.Tokens[i] = shownInitialTokenOf(k, "")
	}
	return list, err
}

func (d *Door) revokeInitialToken(q *call) (none, error) {
	return none{}, d.Console.RevokeInitialToken(q.Request.Context(), q.id, q.Param("token"), q.by)
}
