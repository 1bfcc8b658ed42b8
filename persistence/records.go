package persistence

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// A grant has a record from when it has tokens: its code, if there was one, is redeemed.
const (
	grantRecords = `SELECT g.id AS id, NULL AS hash, g.created_at AS at FROM grants g WHERE g.tenant_id = :t AND g.revoked_at IS NULL AND g.expires_at > ?
		AND (g.code_hash IS NULL OR g.code_redeemed_at IS NOT NULL)`
	tokenRecords = `SELECT a.id AS id, a.hash AS hash, a.issued_at AS at FROM access_tokens a WHERE a.tenant_id = :t AND a.grant_id = '' AND a.expires_at > ?`
)

// of is the condition that a row is w's, with its arguments.
func of(w grant.Whose) (text string, args []any) {
	if w.Subject != "" {
		text, args = text+` AND subject = ?`, append(args, w.Subject)
	}
	if w.ClientID != "" {
		text, args = text+` AND client_id = ?`, append(args, w.ClientID)
	}
	return text, args
}

// ListRecords implements grant.Records.
func (db *DB) ListRecords(ctx context.Context, t tenant.ID, now time.Time, w grant.Whose, start, n int) (rs []grant.Record, total int, err error) {
	whose, own := of(w)
	half := append([]any{cut(now)}, own...)
	all, args := grantRecords+whose+` UNION ALL `+tokenRecords+whose, append(half, half...)
	ids, hashes := []string{}, [][]byte{}
	err = db.query(ctx, t, "list records", `SELECT id, hash, count(*) OVER () FROM (`+all+`) AS k ORDER BY k.at, k.id LIMIT ? OFFSET ?`,
		append(args[:len(args):len(args)], n, start), func(scan scan) error {
			var id string
			var hash []byte
			err := scan(&id, &hash, &total)
			ids, hashes = append(ids, id), append(hashes, hash)
			return err
		})
	if err == nil && len(ids) == 0 && start > 0 {
		err = db.query(ctx, t, "count records", `SELECT count(*) FROM (`+all+`) AS k`, args, func(scan scan) error { return scan(&total) })
	}
	if err != nil || len(ids) == 0 {
		return nil, total, known(err, nil)
	}
	grants, err := db.grantsOf(ctx, t, ids)
	if err != nil {
		return nil, 0, err
	}
	tokens, err := db.tokensOf(ctx, t, now, ids, hashes)
	if err != nil {
		return nil, 0, err
	}
	for i, id := range ids {
		r := grant.Record{Token: tokens[id]}
		if hashes[i] == nil {
			r.Grant = grants[id]
		}
		if r.Grant != nil || r.Token != nil { // else it went meanwhile
			rs = append(rs, r)
		}
	}
	return rs, total, nil
}

// among is a list of as many question marks as a power of two, with the values for them, of which the last is repeated: so
// there are few texts.
func among[T any](values []T) (marks string, args []any) {
	n := 1
	for n < len(values) {
		n *= 2
	}
	for i := range n {
		args = append(args, values[min(i, len(values)-1)])
	}
	return strings.Repeat(", ?", n)[2:], args
}

func (db *DB) grantsOf(ctx context.Context, t tenant.ID, ids []string) (map[string]*grant.Grant, error) {
	out := map[string]*grant.Grant{}
	marks, args := among(ids)
	return out, db.query(ctx, t, "read grants", `SELECT `+grantColumns+` FROM grants WHERE tenant_id = :t AND id IN (`+marks+`)`, args, func(scan scan) error {
		var r grantRow
		err := scan(r.columns()...)
		out[r.ID] = r.whole()
		return err
	})
}

// tokensOf returns the newest of the stored access tokens of each grant, and those of the hashes, by the ids of the list.
func (db *DB) tokensOf(ctx context.Context, t tenant.ID, now time.Time, ids []string, hashes [][]byte) (map[string]*grant.AccessToken, error) {
	out := map[string]*grant.AccessToken{}
	var grants []string
	var alone [][]byte
	for i, id := range ids {
		if hashes[i] == nil {
			grants = append(grants, id)
		} else {
			alone = append(alone, hashes[i])
		}
	}
	read := func(where string, args []any) error {
		return db.query(ctx, t, "read access tokens", `SELECT hash, id, grant_id, subject, client_id, scope, issued_at, expires_at FROM access_tokens
			WHERE tenant_id = :t AND `+where+` AND expires_at > ? ORDER BY issued_at, id`, append(args, cut(now)), func(scan scan) error {
			a, scope := &grant.AccessToken{}, ""
			if err := scan(&a.Hash, &a.ID, &a.Grant, &a.Subject, &a.ClientID, &scope, when{&a.IssuedAt}, when{&a.ExpiresAt}); err != nil {
				return err
			}
			a.Scope, _ = oauth.ParseScope(scope) // it was one when it was written
			if a.Grant != "" {
				out[a.Grant] = a
			} else {
				out[a.ID] = a
			}
			return nil
		})
	}
	if len(grants) > 0 {
		marks, args := among(grants)
		if err := read(`grant_id IN (`+marks+`)`, args); err != nil {
			return nil, err
		}
	}
	if len(alone) > 0 {
		marks, args := among(alone)
		if err := read(`hash IN (`+marks+`)`, args); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// NewestToken implements grant.Records.
func (db *DB) NewestToken(ctx context.Context, t tenant.ID, now time.Time, grantID string) (*grant.AccessToken, error) {
	if grantID == "" {
		return nil, grant.ErrNotFound
	}
	var hash []byte
	err := db.one(ctx, t, "find access token", grant.ErrNotFound, `SELECT hash FROM access_tokens WHERE tenant_id = :t AND grant_id = ? AND expires_at > ?
		ORDER BY issued_at DESC, id DESC LIMIT 1`, []any{grantID, cut(now)}, &hash)
	if err != nil {
		return nil, err
	}
	return db.AccessToken(ctx, t, now, hash)
}

// Amend implements grant.Records.
func (db *DB) Amend(ctx context.Context, t tenant.ID, now time.Time, a grant.Amendment) error {
	e := db.effect(t)
	switch {
	case a.Grant != nil:
		e.amendGrant(a.Grant, a.Replaced, now)
	case a.Replaced != nil:
		e.replace(guard, a.Replaced, a.Token, now)
	default:
		e.guard(`SELECT 1 AS version WHERE true`)
	}
	switch {
	case a.Token == nil || a.Grant == nil && a.Replaced != nil:
	case a.Replaced != nil:
		e.replace("", a.Replaced, a.Token, now)
	default:
		e.accessToken(a.Token)
	}
	if a.Rescoped {
		e.then(`UPDATE access_tokens SET scope = ? WHERE tenant_id = :t AND grant_id = ? AND EXISTS (SELECT 1 FROM guard)`, a.Grant.Terms.Scope.String(), a.Grant.ID)
	}
	if a.Revoked != nil {
		e.enter(*a.Revoked)
	}
	e.event(a.Event)
	won, _, err := e.run(ctx, "amend token")
	switch {
	case won || err != nil:
		return known(err, grant.ErrNotFound)
	case a.Grant == nil:
		return grant.ErrNotFound
	}
	g, err := db.Grant(ctx, t, a.Grant.ID)
	if err == nil && g.Live(now) && g.Revision != a.Grant.Revision {
		return grant.ErrMoved
	}
	if err == nil {
		err = grant.ErrNotFound
	}
	return err
}

// amendGrant writes what may change of a grant, where it is of the same revision, and the token of that hash is not over.
func (e *effect) amendGrant(g *grant.Grant, hash []byte, now time.Time) {
	text, args := `UPDATE grants SET revision = revision + 1, terms = ?, expires_at = ?`, []any{e.json(&g.Terms), cut(g.ExpiresAt)}
	if g.Refresh != nil {
		text, args = text+`, refresh_expires_at = ?`, append(args, cut(g.Refresh.ExpiresAt))
	}
	text, args = text+` WHERE tenant_id = :t AND id = ? AND revision = ? AND revoked_at IS NULL AND grants.expires_at > ?`, append(args, g.ID, g.Revision, cut(now))
	if hash != nil {
		text, args = text+` AND EXISTS (SELECT 1 FROM access_tokens a WHERE a.tenant_id = :t AND a.hash = ? AND a.expires_at > ?)`, append(args, hash, cut(now))
	}
	e.guard(text+` RETURNING id`, args...)
}

// replace writes a in the place of the access token of that hash.
func (e *effect) replace(name string, hash []byte, a *grant.AccessToken, now time.Time) {
	text := `UPDATE access_tokens SET hash = ?, id = ?, scope = ?, cnf = ?, details = ?, expires_at = ? WHERE tenant_id = :t AND hash = ? AND expires_at > ?`
	if name == guard {
		text += ` RETURNING id`
	} else {
		text += ` AND EXISTS (SELECT 1 FROM guard)`
	}
	e.let(name, text, a.Hash, a.ID, a.Scope.String(), e.confirmation(a.Confirmation), e.details(a.Details), cut(a.ExpiresAt), hash, cut(now))
}

// DeriveAll implements grant.Records.
func (db *DB) DeriveAll(ctx context.Context, t tenant.ID, now time.Time, b grant.Batch, ds []grant.Derivation) error {
	e := db.effect(t)
	text, args := `SELECT 1 AS version`, []any(nil)
	if len(ds) > 0 {
		subjects := make([]string, len(ds))
		for i := range ds {
			subjects[i] = ds[i].Subject
		}
		marks, in := among(subjects)
		text, args = text+` WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.tenant_id = :t AND a.disabled AND a.subject IN (`+marks+`))`, in
	}
	e.guard(text, args...)
	for i := range ds {
		if ds[i].Grant != nil {
			e.grant(ds[i].Grant)
		}
		if ds[i].AccessToken != nil {
			e.accessToken(ds[i].AccessToken)
		}
		e.event(ds[i].Event)
	}
	e.insert("token_batches (tenant_id, id, tokens, code, description, created_at, expires_at)", "",
		b.ID, b.Tokens, b.Code, b.Description, cut(b.CreatedAt), cut(b.ExpiresAt))
	err := known(e.needs(ctx, "derive tokens at once", grant.ErrNotFound), grant.ErrNotFound)
	if errors.Is(err, errDuplicate) {
		return grant.ErrTaken
	}
	return err
}

// Batch implements grant.Records.
func (db *DB) Batch(ctx context.Context, t tenant.ID, now time.Time, id string) (*grant.Batch, error) {
	b := grant.Batch{ID: id}
	err := db.one(ctx, t, "read batch", grant.ErrNotFound, `SELECT tokens, code, description, created_at, expires_at FROM token_batches
		WHERE tenant_id = :t AND id = ? AND expires_at > ?`, []any{id, cut(now)}, &b.Tokens, &b.Code, &b.Description, when{&b.CreatedAt}, when{&b.ExpiresAt})
	if err != nil {
		return nil, err
	}
	return &b, nil
}
