package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// sessionCommands look after subjects' sessions.
type sessionCommands struct {
	List sessionList `cmd:"" help:"List open sessions."`
	End  sessionEnd  `cmd:"" help:"End a session, or all of a subject: relying parties are told, and what hangs on it is revoked."`
}

// atOnce is how many entries are read at once.
const atOnce = 500

var errEither = errors.New("give either an id or --sub")

type sessionList struct {
	Tenant string `arg:""`
	Sub    string `help:"Whose; everybody's by default."`
	output
}

// shownSession is a session in JSON.
type shownSession struct {
	ID         string    `json:"id"`
	Subject    string    `json:"sub"`
	Clients    []string  `json:"clients"`
	AuthTime   time.Time `json:"auth_time"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
}

func shownSessionOf(n *session.Session) shownSession {
	clients := n.Clients
	if clients == nil {
		clients = []string{}
	}
	return shownSession{n.ID, n.Subject, clients, n.AuthTime, n.CreatedAt, n.UsedAt, n.ExpiresAt()}
}

// Run lists the sessions.
func (c *sessionList) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		all, rows := []shownSession{}, [][]string{}
		for after := ""; ; {
			ss, next, err := a.console.Sessions(ctx, tenant.ID(c.Tenant), c.Sub, after, atOnce)
			if err != nil {
				return err
			}
			for i := range ss {
				s := shownSessionOf(&ss[i])
				all = append(all, s)
				rows = append(rows, []string{s.ID, s.Subject, stamp(s.AuthTime), stamp(s.LastUsedAt), stamp(s.ExpiresAt), strings.Join(s.Clients, " ")})
			}
			if after = next; after == "" {
				return c.table(all, []string{"ID", "SUBJECT", "SIGNED IN", "LAST USED", "EXPIRES", "CLIENTS"}, rows)
			}
		}
	})
}

type sessionEnd struct {
	Tenant string `arg:""`
	ID     string `arg:"" optional:"" help:"Id of the session, as list shows it."`
	Sub    string `help:"End all sessions of this subject."`
	output
}

// Run ends the session, or the subject's.
func (c *sessionEnd) Run(ctx context.Context, conf *config) error {
	if (c.ID == "") == (c.Sub == "") {
		return errEither
	}
	return on(ctx, conf, func(a *app) error {
		if c.ID != "" {
			if err := a.console.EndSession(ctx, tenant.ID(c.Tenant), c.ID, byOperator); err != nil {
				return err
			}
			return c.done(map[string]string{"ended": c.ID}, "Session "+c.ID+" has ended.")
		}
		if err := a.console.EndSessions(ctx, tenant.ID(c.Tenant), c.Sub, byOperator); err != nil {
			return err
		}
		return c.done(map[string]string{"ended_of": c.Sub}, "All sessions of "+c.Sub+" have ended.")
	})
}

// grantCommands look after what subjects granted.
type grantCommands struct {
	List   grantList   `cmd:"" help:"List what a subject granted."`
	Revoke grantRevoke `cmd:"" help:"Revoke a grant, or forget what a subject allowed and revoke what came of it."`
}

type grantList struct {
	Tenant  string `arg:""`
	Subject string `arg:""`
	Client  string `placeholder:"ID" help:"To that client alone."`
	output
}

// shownGrant is a grant in JSON.
type shownGrant struct {
	ID        string    `json:"id"`
	Subject   string    `json:"sub"`
	ClientID  string    `json:"client_id"`
	SessionID string    `json:"session_id,omitempty"`
	Scope     string    `json:"scope,omitempty"`
	Offline   bool      `json:"offline"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func shownGrantOf(g *grant.Grant) shownGrant {
	return shownGrant{g.ID, g.Subject, g.ClientID, g.SessionID, g.Terms.Scope.String(), g.Outlives(), g.CreatedAt, g.ExpiresAt}
}

// Run lists the grants.
func (c *grantList) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		all, rows := []shownGrant{}, [][]string{}
		for after := ""; ; {
			gs, next, err := a.console.Grants(ctx, tenant.ID(c.Tenant), c.Subject, c.Client, after, atOnce)
			if err != nil {
				return err
			}
			for i := range gs {
				g := shownGrantOf(&gs[i])
				all = append(all, g)
				rows = append(rows, []string{g.ID, g.ClientID, g.Scope, yesNo(g.Offline), stamp(g.CreatedAt), stamp(g.ExpiresAt)})
			}
			if after = next; after == "" {
				return c.table(all, []string{"ID", "CLIENT", "SCOPE", "OFFLINE", "CREATED", "EXPIRES"}, rows)
			}
		}
	})
}

type grantRevoke struct {
	Tenant string `arg:""`
	ID     string `arg:"" optional:"" help:"Id of the grant, as list shows it."`
	Sub    string `help:"Forget what this subject allowed, and revoke all that came of it."`
	Client string `placeholder:"ID" help:"With --sub: what it allowed that client alone."`
	output
}

// Run revokes the grant, or withdraws the subject's.
func (c *grantRevoke) Run(ctx context.Context, conf *config) error {
	if (c.ID == "") == (c.Sub == "") || c.ID != "" && c.Client != "" {
		return errEither
	}
	return on(ctx, conf, func(a *app) error {
		if c.ID != "" {
			if err := a.console.RevokeGrant(ctx, tenant.ID(c.Tenant), c.ID, byOperator); err != nil {
				return err
			}
			return c.done(map[string]string{"revoked": c.ID}, "Grant "+c.ID+" is revoked.")
		}
		if err := a.console.Withdraw(ctx, tenant.ID(c.Tenant), c.Sub, c.Client, byOperator); err != nil {
			return err
		}
		return c.done(map[string]string{"withdrawn_of": c.Sub, "client_id": c.Client}, "What "+c.Sub+" allowed is withdrawn.")
	})
}
