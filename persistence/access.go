package persistence

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// accessQuery reads who may administer a tenant in one statement, as of one moment.
const accessQuery = `SELECT 'v', CAST(version AS text), '', '', false, created_at, updated_at FROM tenants WHERE tenant_id = :t AND ` + there + `
	UNION ALL SELECT 'r', name, description, CAST(permissions AS text), false, updated_at, updated_at FROM admin_roles WHERE tenant_id = :t
	UNION ALL SELECT 's', id, name, '', disabled, created_at, updated_at FROM service_accounts WHERE tenant_id = :t
	UNION ALL SELECT 'g', principal, role, granted_by, false, granted_at, granted_at FROM admin_grants WHERE tenant_id = :t`

// Access implements admin.Access. It is in the order of names: an engine may tell rows in any, each time.
func (db *DB) Access(ctx context.Context, id tenant.ID) (*admin.AccessRecord, error) {
	var out *admin.AccessRecord
	var found bool
	err := db.do(ctx, reads, "read access", func(ctx context.Context) error {
		out, found = &admin.AccessRecord{}, false
		return db.queryOnce(ctx, id, accessQuery, func(scan scan) error {
			var kind, a, b, c string
			var flag bool
			var created, updated moment
			if err := scan(&kind, &a, &b, &c, &flag, &created, &updated); err != nil {
				return err
			}
			switch kind {
			case "v":
				found = true
				return json.Unmarshal([]byte(a), &out.Version)
			case "r":
				r := admin.Role{Name: a, Description: b, UpdatedAt: updated.Time}
				if err := json.Unmarshal([]byte(c), &r.Permissions); err != nil {
					return err
				}
				out.Roles = append(out.Roles, r)
			case "s":
				out.Accounts = append(out.Accounts, admin.ServiceAccount{ID: a, Name: b, Disabled: flag, CreatedAt: created.Time, UpdatedAt: updated.Time})
			default:
				out.Grants = append(out.Grants, admin.Grant{Principal: a, Role: b, By: c, At: created.Time})
			}
			return nil
		})
	})
	switch {
	case err != nil:
		return nil, known(err, tenant.ErrUnknown)
	case !found:
		return nil, tenant.ErrUnknown
	}
	slices.SortFunc(out.Roles, func(a, b admin.Role) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(out.Accounts, func(a, b admin.ServiceAccount) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(out.Grants, func(a, b admin.Grant) int {
		return cmp.Or(strings.Compare(a.Principal, b.Principal), strings.Compare(a.Role, b.Role))
	})
	return out, nil
}

// queryOnce is query without repetition, for callers that begin anew each time.
func (db *DB) queryOnce(ctx context.Context, t tenant.ID, text string, each func(scan) error) error {
	s, err := db.engine.Dialect.sentence(text)
	if err != nil {
		return err
	}
	args, err := s.args(t, nil)
	if err != nil {
		return err
	}
	rows, err := s.on(db.look(ctx, t), t, args).Rows()
	return eachRow(rows, err, each)
}

// accessEffect is a change of who may administer a tenant at that version.
func (db *DB) accessEffect(id tenant.ID, version int64, now time.Time, ev audit.Event) *effect {
	e := db.effect(id)
	e.guard(raise+` AND version = ? RETURNING version`, cut(now), version)
	e.notified()
	e.event(ev)
	return e
}

// give gives a role.
func (e *effect) give(principal, role string, now time.Time, by string) {
	e.insert("admin_grants (tenant_id, principal, role, granted_at, granted_by)", " ON CONFLICT (tenant_id, principal, role) DO NOTHING",
		principal, role, cut(now), by)
}

// take takes all roles but those.
func (e *effect) take(principal string, but ...string) {
	text, args := `DELETE FROM admin_grants WHERE tenant_id = :t AND principal = ? AND EXISTS (SELECT 1 FROM guard)`, []any{principal}
	for _, role := range but {
		text += ` AND role <> ?`
		args = append(args, role)
	}
	e.then(text, args...)
}

// PutRole implements admin.Access.
func (db *DB) PutRole(ctx context.Context, id tenant.ID, version int64, r admin.Role, ev audit.Event) error {
	e := db.accessEffect(id, version, ev.At, ev)
	e.insert("admin_roles (tenant_id, name, description, permissions, updated_at)", ` ON CONFLICT (tenant_id, name) DO UPDATE SET
		description = excluded.description, permissions = excluded.permissions, updated_at = excluded.updated_at`,
		r.Name, r.Description, e.json(r.Permissions), cut(ev.At))
	return db.atVersion(ctx, e, "put role")
}

// DeleteRole implements admin.Access.
func (db *DB) DeleteRole(ctx context.Context, id tenant.ID, version int64, name string, ev audit.Event) error {
	e := db.accessEffect(id, version, ev.At, ev)
	e.then(`DELETE FROM admin_roles WHERE tenant_id = :t AND name = ? AND EXISTS (SELECT 1 FROM guard)`, name)
	e.then(`DELETE FROM admin_grants WHERE tenant_id = :t AND role = ? AND EXISTS (SELECT 1 FROM guard)`, name)
	return db.atVersion(ctx, e, "delete role")
}

// PutServiceAccount implements admin.Access.
func (db *DB) PutServiceAccount(ctx context.Context, id tenant.ID, version int64, a admin.ServiceAccount, roles []string, ev audit.Event) error {
	e := db.accessEffect(id, version, ev.At, ev)
	e.insert("service_accounts (tenant_id, id, name, disabled, created_at, updated_at)", ` ON CONFLICT (tenant_id, id) DO UPDATE SET
		name = excluded.name, disabled = excluded.disabled, updated_at = excluded.updated_at`,
		a.ID, a.Name, a.Disabled, cut(a.CreatedAt), cut(a.UpdatedAt))
	for _, role := range roles {
		e.give("service:"+a.ID, role, ev.At, ev.Actor)
	}
	return db.atVersion(ctx, e, "put service account")
}

// DeleteServiceAccount implements admin.Access.
func (db *DB) DeleteServiceAccount(ctx context.Context, id tenant.ID, version int64, account string, ev audit.Event) error {
	e := db.accessEffect(id, version, ev.At, ev)
	e.then(`DELETE FROM service_accounts WHERE tenant_id = :t AND id = ? AND EXISTS (SELECT 1 FROM guard)`, account)
	e.then(`DELETE FROM api_tokens WHERE tenant_id = :t AND service_account = ? AND EXISTS (SELECT 1 FROM guard)`, account)
	e.take("service:" + account)
	return db.atVersion(ctx, e, "delete service account")
}

// PutGrants implements admin.Access.
func (db *DB) PutGrants(ctx context.Context, id tenant.ID, version int64, principal string, roles []string, ev audit.Event) error {
	e := db.accessEffect(id, version, ev.At, ev)
	e.take(principal, roles...)
	for _, role := range roles {
		e.give(principal, role, ev.At, ev.Actor)
	}
	return db.atVersion(ctx, e, "put grants")
}

// PutConsoleToken implements admin.Access.
func (db *DB) PutConsoleToken(ctx context.Context, id tenant.ID, version int64, k tenant.APIToken, roles []string, ev audit.Event) error {
	e := db.accessEffect(id, version, k.CreatedAt, ev)
	e.token(&k)
	for _, role := range roles {
		e.give("token:"+k.ID, role, ev.At, ev.Actor)
	}
	return db.atVersion(ctx, e, "put API token")
}

// DropToken implements admin.Access.
func (db *DB) DropToken(ctx context.Context, id tenant.ID, version int64, tokenID string, ev audit.Event) error {
	e := db.accessEffect(id, version, ev.At, ev)
	e.then(`DELETE FROM api_tokens WHERE tenant_id = :t AND id = ? AND EXISTS (SELECT 1 FROM guard)`, tokenID)
	e.take("token:" + tokenID)
	return db.atVersion(ctx, e, "delete API token")
}

// PutOut implements admin.Access.
func (db *DB) PutOut(ctx context.Context, id tenant.ID, version int64, out admin.PutOut, ev audit.Event) error {
	e := db.accessEffect(id, version, ev.At, ev)
	if out.Remove {
		e.then(`DELETE FROM accounts WHERE tenant_id = :t AND subject = ? AND EXISTS (SELECT 1 FROM guard)`, out.Subject)
		e.then(`DELETE FROM authorizations WHERE tenant_id = :t AND subject = ? AND EXISTS (SELECT 1 FROM guard)`, out.Subject)
		e.take(admin.Person(out.Subject))
	} else {
		e.then(`UPDATE accounts SET disabled = ?, updated_at = ? WHERE tenant_id = :t AND subject = ? AND EXISTS (SELECT 1 FROM guard)`, true, cut(ev.At), out.Subject)
	}
	e.forsake(out.Subject, ev.At, out.Revoked)
	return db.atVersion(ctx, e, "put a person out")
}
