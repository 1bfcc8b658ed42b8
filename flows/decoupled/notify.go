package decoupled

import (
	"context"
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// Notification is what a client that does not poll is told of an answer (CIBA Core §10.2, §10.3, §12).
type Notification struct {
	Endpoint string
	Token    string        // that the client chose, as bearer token
	Body     []byte        // JSON
	Tokens   *grant.Tokens // that were pushed, nil: none
}

// notifications is the purpose that a client's notification token is sealed for while its request waits.
const notifications = "client_notification_token"

// SealToken is a client's notification token as it is kept with a request.
func SealToken(t *tenant.Tenant, token string) (string, error) {
	return t.Secret.Encrypt(notifications, "text", token)
}

// notification is the body of a notification. What a mode does not tell is left out.
type notification struct {
	AuthReqID    string        `json:"auth_req_id"`
	AccessToken  string        `json:"access_token,omitempty"`
	TokenType    string        `json:"token_type,omitempty"`
	RefreshToken string        `json:"refresh_token,omitempty"`
	ExpiresIn    int64         `json:"expires_in,omitempty"` // seconds
	IDToken      string        `json:"id_token,omitempty"`
	Details      oauth.Details `json:"authorization_details,omitempty"`
	GrantID      string        `json:"grant_id,omitempty"` // Grant Management for OAuth 2.0 §5.2
	Error        string        `json:"error,omitempty"`
	Description  string        `json:"error_description,omitempty"`
	URI          string        `json:"error_uri,omitempty"`
}

// notify makes the notification of s, whose grant it redeems where tokens are pushed. Nil: the client polls, or is not
// to be reached any more.
func (f *Flow) notify(ctx context.Context, t *tenant.Tenant, p *Pending, s *Settlement) (*Notification, error) {
	sealed, mode := p.Request.Backchannel.Notification, p.Client.BackchannelMode
	if sealed == "" || mode != oauth.Ping && mode != oauth.Push || p.Client.NotificationEndpoint == "" {
		return nil, nil
	}
	token, err := t.Secret.Decrypt(notifications, "text", sealed)
	if err != nil {
		return nil, err
	}
	n := &Notification{Endpoint: p.Client.NotificationEndpoint, Token: token}
	body := notification{AuthReqID: f.Handle.Of(t, p.ID)}
	switch {
	case mode == oauth.Push && s.Refusal != nil:
		body.Error, body.Description, body.URI = s.Refusal.Code, s.Refusal.Description, s.Refusal.URI
	case mode == oauth.Push:
		if n.Tokens, err = f.push(ctx, t, p, s, body.AuthReqID); err != nil {
			return nil, err
		}
		k := n.Tokens
		body.AccessToken, body.TokenType, body.RefreshToken, body.IDToken, body.Details = k.AccessToken, k.TokenType, k.RefreshToken, k.IDToken, k.Details
		body.ExpiresIn, body.GrantID = int64(k.ExpiresIn/time.Second), s.Grant.Managed
	}
	n.Body, err = json.Marshal(body)
	return n, err
}

// push makes the tokens of the grant of s, and has s record them, so that no poll redeems it (CIBA Core §10.3.1).
func (f *Flow) push(ctx context.Context, t *tenant.Tenant, p *Pending, s *Settlement, authReqID string) (*grant.Tokens, error) {
	g := s.Grant
	g.Terms.IDToken.AuthReqID = authReqID
	m, err := f.Issuer.Mint(ctx, t, g, p.Client, f.Claims, g.Terms.Audience)
	if err != nil {
		return nil, err
	}
	g.Code.RedeemedAt, g.Refresh, g.ExpiresAt, s.AccessToken = f.Now(), m.Refresh, m.ExpiresAt, m.Stored
	return &m.Tokens, nil
}

// pushed is how long tokens that cannot be pushed are tried, also after the request has ended.
const pushed = time.Hour

// owed is n as it is recorded, to be sent.
func (f *Flow) owed(p *Pending, n *Notification) outbox.Message {
	now := f.Now()
	m := outbox.Message{ID: f.Issuer.NewID(), Kind: outbox.CIBA, Target: n.Endpoint, Object: p.ID, CreatedAt: now, EndsAt: p.EndsAt,
		Content: outbound.Content{Type: "application/json", Authorization: "Bearer " + n.Token, Body: n.Body}}
	if n.Tokens != nil && m.EndsAt.Before(now.Add(pushed)) {
		m.EndsAt = now.Add(pushed)
	}
	return m
}
