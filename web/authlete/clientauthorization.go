package authlete

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// authorizationsRequest asks which clients hold live tokens of a subject.
type authorizationsRequest struct {
	Subject   string `json:"subject"`
	Developer string `json:"developer"`
	Start     int64  `json:"start"`
	End       int64  `json:"end"`
}

// authorizationsAnswer is a page of them.
type authorizationsAnswer struct {
	Start     int           `json:"start"`
	End       int           `json:"end"`
	Developer string        `json:"developer,omitempty"`
	Subject   string        `json:"subject"`
	Total     int           `json:"totalCount"`
	Clients   []*clientView `json:"clients"`
}

// maxRecords is how many grants are looked through for the clients of a subject.
const maxRecords = 1000

// authorizations reads such a request: the subject from the path, the query or the body.
func (c *call) authorizations() (out authorizationsAnswer, err error) {
	if out.Start, out.End, err = c.page(); err != nil {
		return out, err
	}
	q, err := wire.Query(c.Context)
	if err != nil {
		return out, err
	}
	var in authorizationsRequest
	if c.Request.Method == http.MethodPost && c.Request.ContentLength != 0 {
		if err := c.read(&in); err != nil {
			return out, err
		}
		if in.Start != 0 || in.End != 0 {
			end := in.End
			if end == 0 {
				end = in.Start + defaultEnd
			}
			if out.Start, out.End, err = bounded(in.Start, end); err != nil {
				return out, err
			}
		}
	}
	for _, v := range []string{in.Subject, c.Param("subject"), q.Get("subject")} {
		if out.Subject == "" {
			out.Subject = v
		}
	}
	if out.Developer = in.Developer; out.Developer == "" {
		out.Developer = q.Get("developer")
	}
	if out.Subject == "" {
		return out, oauth.InvalidRequest("subject is missing")
	}
	return out, nil
}

// bounded is a page from start to end.
func bounded(start, end int64) (int, int, error) {
	if start < 0 || end < start || end-start > maxPage || end > 1<<31 {
		return 0, 0, errPage
	}
	return int(start), int(end), nil
}

var errPage = oauth.InvalidRequest("end must be at least start, and at most 1000 more")

// authorizationList lists the clients that hold live tokens of a subject, by number.
func (d *Door) authorizationList(c *call) (int, any, error) {
	out, err := c.authorizations()
	if err != nil {
		return 0, nil, err
	}
	ctx := c.Request.Context()
	rs, _, err := d.Tokens.Records.ListRecords(ctx, c.tenant.ID, d.Now(), grant.Whose{Subject: out.Subject}, 0, maxRecords)
	if err != nil {
		return 0, nil, oauth.Unavailable().Because(err)
	}
	var found []*tenant.Client
	seen := map[string]bool{}
	for i := range rs {
		id := rs[i].ClientID()
		if seen[id] {
			continue
		}
		seen[id] = true
		client, err := d.Access.Client(ctx, c.tenant, id)
		if err != nil {
			return 0, nil, oauth.Unavailable().Because(err)
		}
		if client != nil && (out.Developer == "" || alike(client.Noted["developer"], out.Developer)) {
			found = append(found, client)
		}
	}
	slices.SortFunc(found, func(a, b *tenant.Client) int { return int(a.Number - b.Number) })
	out.Total, out.Clients = len(found), []*clientView{}
	for _, client := range found[min(out.Start, len(found)):min(out.End, len(found))] {
		out.Clients = append(out.Clients, limitedClient(client))
	}
	return http.StatusOK, out, nil
}

// authorizationUpdate gives all tokens of a subject and a client other scopes.
func (d *Door) authorizationUpdate(c *call) (int, any, error) {
	id, _, in, err := d.pair(c)
	if err != nil {
		return 0, nil, err
	}
	n, by := 0, c.actor()
	if in.Scopes != nil {
		client, err := c.tenant.Clients.Client(c.Request.Context(), id)
		if err != nil {
			return 0, nil, oauth.Unavailable().Because(err)
		}
		if n, err = d.Tokens.Rescope(c.Request.Context(), c.tenant, in.Subject, client, oauth.Scope(*in.Scopes), by.Actor, by.Address); err != nil {
			return 0, nil, err
		}
	}
	return http.StatusOK, c.told(fmt.Sprintf("%d authorizations were changed.", n)), nil
}

// authorizationDelete deletes all tokens of a subject and a client. What the subject granted stays on record.
func (d *Door) authorizationDelete(c *call) (int, any, error) {
	id, _, in, err := d.pair(c)
	if err != nil {
		return 0, nil, err
	}
	n, err := d.Access.RevokeGrants(c.Request.Context(), c.tenant, in.Subject, id, c.actor())
	if err != nil {
		return 0, nil, oauth.Unavailable().Because(err)
	}
	return http.StatusOK, c.told(fmt.Sprintf("%d authorizations were deleted.", n)), nil
}
