package admin

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

var (
	errNoSession = oauth.NotFound("There is no such session").Because(session.ErrNotFound)
	errNoGrant   = oauth.NotFound("There is no such grant").Because(grant.ErrNotFound)
	errWhose     = oauth.InvalidRequest("Say whose they are")
)

// subjects returns a tenant as the flows see it that look after what its subjects have.
func (c *Console) subjects(ctx context.Context, id tenant.ID) (*tenant.Tenant, error) {
	r, err := c.record(ctx, id)
	if err != nil {
		return nil, err
	}
	return snapshot(*r), nil
}

// done words what a flow said, and lets this instance see what was changed.
func (c *Console) done(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, session.ErrNotFound):
		return errNoSession
	case errors.Is(err, grant.ErrNotFound):
		return errNoGrant
	case err == nil:
		c.changed(ctx)
	}
	return worded(err)
}

// Sessions lists open sessions after that id: a subject's, or where sub is empty all. It looks at n at most; next is what
// to go on after, and empty where that was all.
func (c *Console) Sessions(ctx context.Context, id tenant.ID, sub, after string, n int) (ss []session.Session, next string, err error) {
	t, err := c.subjects(ctx, id)
	if err != nil {
		return nil, "", err
	}
	ss, next, err = c.Logins.List(ctx, t, sub, after, n)
	return ss, next, worded(err)
}

// Session returns the open session of that id.
func (c *Console) Session(ctx context.Context, id tenant.ID, sessionID string) (*session.Session, error) {
	t, err := c.subjects(ctx, id)
	if err != nil {
		return nil, err
	}
	n, err := c.Logins.Get(ctx, t, sessionID)
	if errors.Is(err, session.ErrNotFound) {
		return nil, errNoSession
	}
	return n, worded(err)
}

// EndSession ends a session: its relying parties are told, and what hangs on it is revoked.
func (c *Console) EndSession(ctx context.Context, id tenant.ID, sessionID string, by By) error {
	t, err := c.subjects(ctx, id)
	if err != nil {
		return err
	}
	return c.done(ctx, c.Logins.Close(ctx, t, sessionID, "", session.By{Actor: by.Actor, Address: by.Address}))
}

// EndSessions ends all sessions of a subject in the same way.
func (c *Console) EndSessions(ctx context.Context, id tenant.ID, sub string, by By) error {
	t, err := c.subjects(ctx, id)
	switch {
	case err != nil:
		return err
	case sub == "":
		return errWhose
	}
	return c.done(ctx, c.Logins.CloseAll(ctx, t, sub, "", session.By{Actor: by.Actor, Address: by.Address}))
}

// Grants lists up to n grants of a subject that stand, after that id: to one client, or where clientID is empty to any.
// next is what to go on after, and empty where that was all.
func (c *Console) Grants(ctx context.Context, id tenant.ID, sub, clientID, after string, n int) (gs []grant.Grant, next string, err error) {
	t, err := c.subjects(ctx, id)
	switch {
	case err != nil:
		return nil, "", err
	case sub == "":
		return nil, "", errWhose
	}
	gs, next, err = c.Granted.Granted(ctx, t, sub, clientID, after, n)
	return gs, next, worded(err)
}

// RevokeGrant revokes a grant with all that came of it. What its subject allowed stays remembered.
func (c *Console) RevokeGrant(ctx context.Context, id tenant.ID, grantID string, by By) error {
	t, err := c.subjects(ctx, id)
	if err != nil {
		return err
	}
	return c.done(ctx, c.Granted.RevokeGranted(ctx, t, grantID, access.By{Actor: by.Actor, Address: by.Address}))
}

// Withdraw forgets what a subject allowed a client, or where clientID is empty any, and revokes what came of it.
func (c *Console) Withdraw(ctx context.Context, id tenant.ID, sub, clientID string, by By) error {
	t, err := c.subjects(ctx, id)
	switch {
	case err != nil:
		return err
	case sub == "":
		return errWhose
	}
	return c.done(ctx, c.Granted.Withdraw(ctx, t, sub, clientID, access.By{Actor: by.Actor, Address: by.Address}))
}
