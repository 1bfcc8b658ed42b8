package authlete

import (
	"errors"
	"net/http"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// pairRequest names a subject, for one client.
type pairRequest struct {
	Subject string    `json:"subject"`
	Scopes  *[]string `json:"scopes"`
}

// pair reads which client and which subject a call is about: the subject is in the path, the query or the body. It returns
// the client's number beside its id.
func (d *Door) pair(c *call) (id string, number int64, in pairRequest, err error) {
	q, err := wire.Query(c.Context)
	if err != nil {
		return "", 0, in, err
	}
	if c.Request.Method == http.MethodPost && c.Request.ContentLength != 0 {
		if err := c.read(&in); err != nil {
			return "", 0, in, err
		}
	}
	for _, sub := range []string{c.Param("subject"), q.Get("subject")} {
		if in.Subject == "" {
			in.Subject = sub
		}
	}
	if in.Subject == "" {
		return "", 0, in, oauth.InvalidRequest("subject is missing")
	}
	if id, err = d.named(c); err != nil {
		return "", 0, in, err
	}
	found, err := d.Clients.Read(c.Request.Context(), c.tenant, id, c.by())
	return id, found.Client.Number, in, err
}

// actor is whoever calls, for the record.
func (c *call) actor() access.By {
	return access.By{Actor: wire.TokenOf(c.Context).ID, Address: c.address()}
}

// grantedAnswer tells what a subject granted a client. Lists that are absent say that it never granted anything.
type grantedAnswer struct {
	Service    int64     `json:"serviceApiKey"`
	Client     int64     `json:"clientId"`
	Subject    string    `json:"subject"`
	Latest     *[]string `json:"latestGrantedScopes,omitempty"`
	Merged     *[]string `json:"mergedGrantedScopes,omitempty"`
	ModifiedAt int64     `json:"modifiedAt,omitempty"`
}

func (d *Door) grantedGet(c *call) (int, any, error) {
	id, number, in, err := d.pair(c)
	if err != nil {
		return 0, nil, err
	}
	out := grantedAnswer{Service: c.tenant.ServiceID, Client: number, Subject: in.Subject}
	g, err := d.Access.GrantedScopes(c.Request.Context(), c.tenant, in.Subject, id)
	if errors.Is(err, grant.ErrNotFound) {
		return http.StatusOK, out, nil
	}
	if err != nil {
		return 0, nil, err
	}
	out.Latest, out.Merged, out.ModifiedAt = some(g.Latest), some(g.Merged), g.GrantedAt.UnixMilli()
	return http.StatusOK, out, nil
}

// some is a list that is there, empty or not.
func some(vs []string) *[]string {
	if vs == nil {
		vs = []string{}
	}
	return &vs
}

// grantedDelete forgets what a subject granted a client. Tokens stay.
func (d *Door) grantedDelete(c *call) (int, any, error) {
	id, _, in, err := d.pair(c)
	if err == nil {
		err = d.Access.ForgetScopes(c.Request.Context(), c.tenant, in.Subject, id, c.actor())
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.told("What the subject granted is forgotten."), nil
}
