package authlete

import (
	"context"
	"errors"
	"net/http"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// tokenRevokeRequest says what is revoked: the first of a token, and of what a client or anyone was granted by a subject.
type tokenRevokeRequest struct {
	AccessToken  string `json:"accessTokenIdentifier"`
	RefreshToken string `json:"refreshTokenIdentifier"`
	Client       string `json:"clientIdentifier"`
	Subject      string `json:"subject"`
}

// tokenRevokeAnswer says how many grants, or tokens without a grant, were revoked.
type tokenRevokeAnswer struct {
	result
	Count int `json:"count"`
}

var errNoToken = oauth.NotFound("there is no such token")

// tokenRevoke revokes what the authorization server names.
func (d *Door) tokenRevoke(c *call) (int, any, error) {
	var in tokenRevokeRequest
	if err := c.read(&in); err != nil {
		return 0, nil, err
	}
	ctx, count := c.Request.Context(), 1
	var err error
	switch {
	case in.AccessToken != "":
		err = d.revokeAny(c, in.AccessToken)
	case in.RefreshToken != "":
		err = d.revokeAny(c, in.RefreshToken)
	case in.Client != "" || in.Subject != "":
		count, err = d.revokeOf(ctx, c, in.Subject, in.Client)
	default:
		err = oauth.InvalidRequest("The API call names no token, client or subject.")
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, &tokenRevokeAnswer{c.outcome(success, "The tokens are revoked.").result("", ""), count}, nil
}

// tokenDelete revokes one token, by its value.
func (d *Door) tokenDelete(c *call) (int, any, error) {
	return 0, nil, d.revokeAny(c, c.Param("token"))
}

func (c *call) revoker() access.By {
	return access.By{Actor: wire.TokenOf(c.Context).ID, Address: c.address()}
}

func (d *Door) revokeAny(c *call, token string) error {
	err := d.Access.RevokeAny(c.Request.Context(), c.tenant, token, c.revoker())
	if errors.Is(err, grant.ErrNotFound) {
		return errNoToken.Because(err)
	}
	return err
}

// revokeOf revokes what a subject granted, to a client where one is named, or all that a client has. Where that is nothing it is
// errNoToken; tokens that a client has for itself are not counted.
func (d *Door) revokeOf(ctx context.Context, c *call, subject, client string) (count int, err error) {
	if client != "" {
		if client, err = d.Clients.Numbered(ctx, c.tenant, client); err != nil {
			return 0, err
		}
		_, err = c.tenant.Clients.Client(ctx, client)
		if errors.Is(err, tenant.ErrNoClient) {
			return 0, errNoToken.Because(err)
		}
		if err != nil {
			return 0, err
		}
	}
	if subject == "" {
		return d.Access.RevokeGrants(ctx, c.tenant, "", client, c.revoker())
	}
	if count, err = d.revokeGrants(ctx, c, subject, client); err == nil && count == 0 {
		err = errNoToken
	}
	return count, err
}

// revokeGrants revokes what a subject granted: to one client, or to any. It counts those that stood.
func (d *Door) revokeGrants(ctx context.Context, c *call, subject, clientID string) (count int, err error) {
	for after := ""; ; {
		gs, next, err := d.Access.Granted(ctx, c.tenant, subject, clientID, after, maxPage)
		if err != nil {
			return count, err
		}
		for i := range gs {
			err := d.Access.RevokeGranted(ctx, c.tenant, gs[i].ID, c.revoker())
			if err != nil && !errors.Is(err, grant.ErrNotFound) {
				return count, err
			}
			if err == nil {
				count++
			}
		}
		if after = next; after == "" {
			return count, nil
		}
	}
}
