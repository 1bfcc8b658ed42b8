package authlete

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// tokenListAnswer is a page of what was issued and lives.
type tokenListAnswer struct {
	result
	Start   int           `json:"start"`
	End     int           `json:"end"`
	Total   int           `json:"totalCount"`
	Client  *clientView   `json:"client,omitempty"`
	Subject string        `json:"subject,omitempty"`
	Tokens  []tokenRecord `json:"accessTokens,omitempty"`
}

// tokenRecord is one agreement, with the newest of its tokens. Times are milliseconds.
type tokenRecord struct {
	AccessHash    string     `json:"accessTokenHash,omitempty"`
	RefreshHash   string     `json:"refreshTokenHash,omitempty"`
	Number        int64      `json:"clientId,omitempty"`
	Subject       string     `json:"subject,omitempty"`
	GrantType     string     `json:"grantType,omitempty"`
	Scopes        []string   `json:"scopes,omitempty"`
	RefreshScopes []string   `json:"refreshTokenScopes,omitempty"`
	Properties    []property `json:"properties,omitempty"`
	AccessEnds    int64      `json:"accessTokenExpiresAt,omitempty"`
	RefreshEnds   int64      `json:"refreshTokenExpiresAt,omitempty"`
	CreatedAt     int64      `json:"createdAt,omitempty"`
	RefreshedAt   int64      `json:"lastRefreshedAt,omitempty"`
}

// tokenStatuses are those that tokens are listed by. What has ended is not kept.
var tokenStatuses = []string{"", "VALID", "INVALID", "ALL"}

// tokenList lists what was issued and lives, of a subject, to a client, or all.
func (d *Door) tokenList(c *call) (int, any, error) {
	start, end, err := c.page()
	if err != nil {
		return 0, nil, err
	}
	q, err := wire.Query(c.Context)
	if err != nil {
		return 0, nil, err
	}
	if !slices.Contains(tokenStatuses, q.Get("tokenStatus")) {
		return 0, nil, oauth.InvalidRequest("tokenStatus must be VALID, INVALID or ALL")
	}
	out := &tokenListAnswer{Start: start, End: end, Subject: q.Get("subject")}
	whose := grant.Whose{Subject: out.Subject}
	ctx := c.Request.Context()
	if name := q.Get("clientIdentifier"); name != "" {
		if whose.ClientID, err = d.Clients.Numbered(ctx, c.tenant, name); err != nil {
			return 0, nil, err
		}
		client, err := c.tenant.Clients.Client(ctx, whose.ClientID)
		if errors.Is(err, tenant.ErrNoClient) {
			return 0, nil, oauth.NotFound("there is no such client").Because(err)
		}
		if err != nil {
			return 0, nil, err
		}
		out.Client = limitedClient(client)
	}
	if q.Get("tokenStatus") != "INVALID" {
		if err := d.records(c, whose, out); err != nil {
			return 0, nil, err
		}
	}
	out.result = c.outcome(success, "The tokens are listed.").result("", "")
	return http.StatusOK, out, nil
}

// records puts the page into out.
func (d *Door) records(c *call, whose grant.Whose, out *tokenListAnswer) error {
	rs, total, err := d.Tokens.List(c.Request.Context(), c.tenant, whose, out.Start, out.End-out.Start)
	if err != nil {
		return err
	}
	out.Total = total
	numbers := map[string]int64{}
	for i := range rs {
		id := rs[i].ClientID()
		if _, known := numbers[id]; !known {
			client, err := d.Access.Client(c.Request.Context(), c.tenant, id)
			if err != nil {
				return err
			}
			if numbers[id] = 0; client != nil {
				numbers[id] = client.Number
			}
		}
		w := recordOf(c.tenant, &rs[i])
		w.Number = numbers[id]
		out.Tokens = append(out.Tokens, w)
	}
	return nil
}

// recordOf words r, but for its client.
func recordOf(t *tenant.Tenant, r *grant.Record) (w tokenRecord) {
	if a := r.Token; a != nil {
		w.AccessHash = base64.RawURLEncoding.EncodeToString(a.Hash)
		w.Scopes, w.AccessEnds, w.CreatedAt = a.Scope, a.ExpiresAt.UnixMilli(), a.IssuedAt.UnixMilli()
	}
	g := r.Grant
	if g == nil {
		w.GrantType = grantTypes.here(oauth.ClientCredentials)
		return w
	}
	w.Subject, w.GrantType, w.CreatedAt = g.Subject, grantTypes.here(g.Type()), g.CreatedAt.UnixMilli()
	if r.Token == nil {
		w.Scopes = g.Terms.Scope
	}
	for _, p := range g.Terms.Properties {
		w.Properties = append(w.Properties, property(p))
	}
	if line := g.Refresh; line != nil {
		w.RefreshHash, w.RefreshScopes, w.RefreshEnds = hashOf(grant.RefreshToken(t, g.ID, line.Generation)), g.Terms.Scope, line.End().UnixMilli()
		if line.UsedAt.After(g.CreatedAt) && line.Generation > 1 {
			w.RefreshedAt = line.UsedAt.UnixMilli()
		}
	}
	return w
}
