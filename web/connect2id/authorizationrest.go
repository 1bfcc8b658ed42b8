package connect2id

import (
	"context"
	"errors"
	"net/http"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// amendAuthorization replaces what is on record for a subject, client and actor. Tokens stay as they are.
func (d *Door) amendAuthorization(c *call) error {
	r, in, err := c.readAuthorization()
	if err != nil {
		return err
	}
	terms, err := d.Authorize.Terms(c.tenant, r)
	if err != nil {
		return err
	}
	scope, claims := terms.Scope, terms.Claims
	if in.Scs != nil {
		scope = in.Scs
	}
	if in.Cls != nil {
		claims = in.Cls
	}
	err = d.Access.Amend(c.Request.Context(), c.tenant, grant.Authorization{Subject: in.Sub, ClientID: in.CID, Actor: in.Act, Scope: scope, Claims: claims},
		&terms, access.By(c.by()))
	if errors.Is(err, grant.ErrNotFound) {
		err = errUnknownRecord
	}
	if err != nil {
		return err
	}
	wire.NoContent(c.Context)
	return nil
}

// counted answers with one of the numbers of what is on record of a subject, a client and an actor.
func (d *Door) counted(c *call, which func(grant.Counts) int64) error {
	q, err := wire.Query(c.Context)
	if err != nil {
		return err
	}
	n, err := d.Access.Counts(c.Request.Context(), c.tenant, q.Get("subject"), q.Get("client_id"), q.Get("actor"))
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, which(n))
	return nil
}

func (d *Door) countAuthorizations(c *call) error {
	return d.counted(c, func(n grant.Counts) int64 { return n.Authorizations })
}

func (d *Door) countConsenting(c *call) error {
	return d.counted(c, func(n grant.Counts) int64 { return n.Subjects })
}

func (d *Door) countConsented(c *call) error {
	return d.counted(c, func(n grant.Counts) int64 { return n.Clients })
}

// consenting lists the subjects that allowed clients something, in their order, after the one that the query names.
func (d *Door) consenting(c *call) error { return c.listed(d.Access.Consenting) }

// consented lists the clients that were allowed something.
func (d *Door) consented(c *call) error { return c.listed(d.Access.Consented) }

// authReqIDs lists the backchannel requests whose subjects have agreed, and whose tokens nobody has fetched yet.
func (d *Door) authReqIDs(c *call) error { return c.listed(d.CIBA.Redeemable) }

func (c *call) listed(of func(ctx context.Context, t *tenant.Tenant, after string) ([]string, error)) error {
	q, err := wire.Query(c.Context)
	if err != nil {
		return err
	}
	out, err := of(c.Request.Context(), c.tenant, q.Get("after"))
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, list(out))
	return nil
}
