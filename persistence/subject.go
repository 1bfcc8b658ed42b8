package persistence

import (
	"context"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// What an authorization request needs to know of its subject, in one statement, by dialect. Consent given while another
// acted as the subject is not the subject's own. PostgreSQL is made to look for it with the subject in hand: in a
// table that it does not know yet, it would go through all that the client was ever given.
const (
	subjectColumns = `COALESCE(a.disabled, false), z.scope, z.claims, z.terms, z.created_at, z.updated_at`
	plainJoins     = ` LEFT JOIN accounts a ON a.tenant_id = :t AND a.subject = s.subject
		LEFT JOIN authorizations z ON z.tenant_id = :t AND z.subject = s.subject AND z.client_id = ? AND z.actor = ''`
	lateralJoins = ` LEFT JOIN LATERAL (SELECT disabled FROM accounts WHERE tenant_id = :t AND subject = s.subject LIMIT 1) a ON true
		LEFT JOIN LATERAL (SELECT scope, claims, terms, created_at, updated_at FROM authorizations
			WHERE tenant_id = :t AND subject = s.subject AND client_id = ? AND actor = '' LIMIT 1) z ON true`
	withSession = `SELECT ` + sessionColumns + `, ` + subjectColumns + ` FROM sessions s`
	ofSession   = ` WHERE s.tenant_id = :t AND s.id = ?`
)

var (
	bySession = [...]string{PostgreSQL: withSession + lateralJoins + ofSession, SQLite: withSession + plainJoins + ofSession}
	bySubject = `SELECT ` + subjectColumns + ` FROM (SELECT CAST(? AS text) AS subject) s` + plainJoins
)

// consent is what a statement tells of remembered consent, if there is any.
type consent struct {
	scope *string
	grant.Authorization
}

// columns are those of subjectColumns.
func (c *consent) columns(disabled *bool) []any {
	return []any{disabled, &c.scope, into{&c.Claims}, (*raw)(&c.Terms), when{&c.CreatedAt}, when{&c.UpdatedAt}}
}

func (c *consent) authorization(sub, clientID string) *grant.Authorization {
	if c.scope == nil {
		return nil
	}
	c.Subject, c.ClientID = sub, clientID
	c.Scope, _ = oauth.ParseScope(*c.scope) // it was one when it was written
	return &c.Authorization
}

// Subject implements authorize.Store.
func (db *DB) Subject(ctx context.Context, t tenant.ID, sessionID, clientID string) (who authorize.Subject, err error) {
	err = db.query(ctx, t, "read subject", bySession[db.engine.Dialect], []any{clientID, sessionID}, func(scan scan) error {
		var s session.Session
		var c consent
		if err := scan(append(columnsOf(&s), c.columns(&who.Disabled)...)...); err != nil {
			return err
		}
		who.Session, who.Authorization = &s, c.authorization(s.Subject, clientID)
		return nil
	})
	return who, known(err, nil)
}

// SubjectOf implements authorize.Store.
func (db *DB) SubjectOf(ctx context.Context, t tenant.ID, sub, clientID string) (who authorize.Subject, err error) {
	err = db.query(ctx, t, "read subject", bySubject, []any{sub, clientID}, func(scan scan) error {
		var c consent
		if err := scan(c.columns(&who.Disabled)...); err != nil {
			return err
		}
		who.Authorization = c.authorization(sub, clientID)
		return nil
	})
	return who, known(err, nil)
}
