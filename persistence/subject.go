package persistence

import (
	"context"
	"encoding/json"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
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
	sessionColumns = `SELECT s.id, s.subject, s.turn, s.max_life, s.auth_life, s.max_idle, s.acr, s.amr, s.claims, s.data, s.clients,
		s.created_at, s.auth_time, s.used_at, ` + subjectColumns + ` FROM sessions s`
	ofSession = ` WHERE s.tenant_id = :t AND s.id = ?`
)

var (
	bySession = [...]string{PostgreSQL: sessionColumns + lateralJoins + ofSession, SQLite: sessionColumns + plainJoins + ofSession}
	bySubject = `SELECT ` + subjectColumns + ` FROM (SELECT CAST(? AS text) AS subject) s` + plainJoins
)

// consent is what a statement tells of remembered consent, if there is any.
type consent struct {
	scope   *string
	claims  document[[]string]
	terms   raw
	created moment
	updated moment
}

func (c *consent) authorization(sub, clientID string) *grant.Authorization {
	if c.scope == nil {
		return nil
	}
	sc, _ := oauth.ParseScope(*c.scope) // it was one when it was written
	return &grant.Authorization{Subject: sub, ClientID: clientID, Scope: sc, Claims: c.claims.V, Terms: json.RawMessage(c.terms),
		CreatedAt: c.created.Time, UpdatedAt: c.updated.Time}
}

// Subject implements authorize.Store.
func (db *DB) Subject(ctx context.Context, t tenant.ID, sessionID, clientID string) (who authorize.Subject, err error) {
	err = db.query(ctx, t, "read subject", bySession[db.engine.Dialect], []any{clientID, sessionID}, func(scan scan) error {
		var r sessionRow
		var c consent
		if err := scan(&r.ID, &r.Subject, &r.Turn, &r.MaxLife, &r.AuthLife, &r.MaxIdle, &r.ACR, &r.AMR, &r.Claims, &r.Data, &r.Clients,
			&r.CreatedAt, &r.AuthTime, &r.UsedAt, &who.Disabled, &c.scope, &c.claims, &c.terms, &c.created, &c.updated); err != nil {
			return err
		}
		who.Session, who.Authorization = r.session(), c.authorization(r.Subject, clientID)
		return nil
	})
	return who, known(err, nil)
}

// SubjectOf implements authorize.Store.
func (db *DB) SubjectOf(ctx context.Context, t tenant.ID, sub, clientID string) (who authorize.Subject, err error) {
	err = db.query(ctx, t, "read subject", bySubject, []any{sub, clientID}, func(scan scan) error {
		var c consent
		if err := scan(&who.Disabled, &c.scope, &c.claims, &c.terms, &c.created, &c.updated); err != nil {
			return err
		}
		who.Authorization = c.authorization(sub, clientID)
		return nil
	})
	return who, known(err, nil)
}
