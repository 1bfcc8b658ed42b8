package persistence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// tenantRow is a tenant as it is stored.
type tenantRow struct {
	TenantID  string `gorm:"primaryKey"`
	ServiceID int64
	Version   int64
	Issuer    string
	Enabled   bool
	Secret    []byte
	Settings  raw
	CreatedAt moment
	UpdatedAt moment
	DeletedAt moment
	PurgeAt   moment
}

// TableName is gorm's.
func (tenantRow) TableName() string { return "tenants" }

// record returns the tenant without keys, secret and tokens. Settings that cannot be read are this tenant's trouble.
func (r *tenantRow) record() (tenant.Record, error) {
	rec := tenant.Record{ID: tenant.ID(r.TenantID), ServiceID: r.ServiceID, Version: r.Version, Issuer: r.Issuer, Enabled: r.Enabled,
		CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time, DeletedAt: r.DeletedAt.Time, PurgeAt: r.PurgeAt.Time}
	if len(r.Settings) == 0 || string(r.Settings) == "null" {
		return rec, fmt.Errorf("persistence: tenant %s: it has no settings", r.TenantID)
	}
	if err := json.Unmarshal(r.Settings, &rec.Settings); err != nil {
		rec.Settings = tenant.Settings{}
		return rec, fmt.Errorf("persistence: tenant %s: settings: %w", r.TenantID, err)
	}
	return rec, nil
}

// keyRow is a key as it is stored: its private part is sealed.
type keyRow struct {
	TenantID  string `gorm:"primaryKey"`
	Kid       string `gorm:"primaryKey"`
	Alg       keys.Alg
	Position  int
	CreatedAt moment
	ActiveAt  moment
	RetiredAt moment
	GoneAt    moment
	Sealed    []byte
}

// TableName is gorm's.
func (keyRow) TableName() string { return "tenant_keys" }

// tokenRow is an API token as it is stored.
type tokenRow struct {
	TenantID  string `gorm:"primaryKey"`
	ID        string `gorm:"primaryKey"`
	Label     string
	Hash      []byte
	APIs      document[[]tenant.API] `gorm:"column:apis"`
	CreatedAt moment
	ExpiresAt moment
	UsedAt    moment

	ServiceAccount string
}

// TableName is gorm's.
func (tokenRow) TableName() string { return "api_tokens" }

// What is sealed is bound to its tenant and its place.
func secretPlace(t tenant.ID) []byte { return []byte("tenant secret\x00" + string(t)) }
func keyPlace(t tenant.ID, kid string) []byte {
	return []byte("tenant key\x00" + string(t) + "\x00" + kid)
}

// version is the first version of a tenant made at created: above any of an earlier tenant of the same id.
func version(asked int64, created time.Time) int64 { return max(asked, created.UnixMicro()) }

// CreateTenant implements admin.Store.
func (db *DB) CreateTenant(ctx context.Context, r tenant.Record, ev audit.Event) (tenant.Record, error) {
	if err := db.purge(ctx, r.ID); err != nil { // what an earlier tenant of that id may have left
		return r, err
	}
	r.Version, r.CreatedAt, r.UpdatedAt = version(r.Version, r.CreatedAt), cut(r.CreatedAt), cut(r.UpdatedAt)
	sealed, err := db.sealer.Seal(r.Secret.Bytes(), secretPlace(r.ID))
	if err != nil {
		return r, fmt.Errorf("persistence: create tenant: %w", err)
	}
	e := db.effect(r.ID)
	e.guard(`INSERT INTO tenants (tenant_id, issuer, version, enabled, secret, settings, created_at, updated_at)
		VALUES (:t, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING service_id`,
		r.Issuer, r.Version, r.Enabled, sealed, e.json(r.Settings), cut(r.CreatedAt), cut(r.UpdatedAt))
	e.insert("tenant_issuers (tenant_id, id, issuer, alias, created_at)", "", "", r.Issuer, false, cut(r.CreatedAt))
	for _, issuer := range r.Aliases {
		a := admin.AliasOf(issuer, r.CreatedAt)
		e.insert("tenant_issuers (tenant_id, id, issuer, alias, created_at)", "", a.ID, a.Issuer, true, cut(a.CreatedAt))
	}
	e.began(r.Version, r.Settings, r.CreatedAt, ev)
	for i := range r.Keys {
		e.key(i, &r.Keys[i])
	}
	for i := range r.Tokens {
		e.token(&r.Tokens[i])
		if r.Tokens[i].Reaches(tenant.AdminAPI) {
			e.give(r.Tokens[i].Principal(), admin.Owner, r.CreatedAt, ev.Actor)
		}
	}
	e.notified()
	e.event(ev)
	e.returning(guard, "service_id")
	won, id, err := e.run(ctx, "create tenant")
	switch {
	case errors.Is(err, errDuplicate): // its issuer is an alias
		return r, tenant.ErrExists
	case err != nil:
		return r, err
	case !won:
		return r, tenant.ErrExists
	}
	r.ServiceID, err = strconv.ParseInt(id[0], 10, 64)
	return r, err
}

// key records a key, or its new schedule.
func (e *effect) key(position int, k *keys.Key) {
	der, err := k.PrivateDER()
	if err == nil {
		der, err = e.db.sealer.Seal(der, keyPlace(e.tenant, k.ID))
	}
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("persistence: key %s: %w", k.ID, err)
	}
	e.insert("tenant_keys (tenant_id, kid, alg, position, created_at, active_at, retired_at, gone_at, sealed)",
		` ON CONFLICT (tenant_id, kid) DO UPDATE SET position = excluded.position, created_at = excluded.created_at,
		active_at = excluded.active_at, retired_at = excluded.retired_at, gone_at = excluded.gone_at`,
		k.ID, string(k.Alg), position, cut(k.CreatedAt), at(k.ActiveAt), at(k.RetiredAt), at(k.GoneAt), der)
}

// token records an API token.
func (e *effect) token(k *tenant.APIToken) {
	apis := k.APIs
	if apis == nil {
		apis = []tenant.API{}
	}
	e.insert("api_tokens (tenant_id, id, label, hash, apis, created_at, expires_at, service_account)", "",
		k.ID, k.Label, k.Hash, e.json(apis), cut(k.CreatedAt), at(k.ExpiresAt), k.ServiceAccount)
}

// raise is the guard of a change at a known version, when a tenant's keys or settings change.
const raise = `UPDATE tenants SET version = version + 1, updated_at = ? WHERE tenant_id = :t AND ` + there

// UpdateTenant implements admin.Store.
func (db *DB) UpdateTenant(ctx context.Context, id tenant.ID, version int64, s tenant.Settings, enabled bool, now time.Time, ev audit.Event) error {
	e := db.effect(id)
	e.guard(`UPDATE tenants SET version = version + 1, updated_at = ?, settings = ?, enabled = ?
		WHERE tenant_id = :t AND version = ? AND `+there+` RETURNING version`, cut(now), e.json(s), enabled, version)
	e.revised(s, now, ev)
	e.notified()
	e.event(ev)
	return db.atVersion(ctx, e, "update tenant")
}

// PutKeys implements admin.Store.
func (db *DB) PutKeys(ctx context.Context, id tenant.ID, version int64, ks []keys.Key, now time.Time, ev audit.Event) error {
	e := db.effect(id)
	e.guard(raise+` AND version = ? RETURNING version`, cut(now), version)
	others, kids := `DELETE FROM tenant_keys WHERE tenant_id = :t AND EXISTS (SELECT 1 FROM guard)`, []any{}
	for i := range ks {
		e.key(i, &ks[i])
		others += ` AND kid <> ?`
		kids = append(kids, ks[i].ID)
	}
	e.then(others, kids...)
	e.notified()
	e.event(ev)
	return db.atVersion(ctx, e, "put keys")
}

// atVersion runs an effect whose guard names a version.
func (db *DB) atVersion(ctx context.Context, e *effect, what string) error {
	won, _, err := e.run(ctx, what)
	if won || err != nil {
		return err
	}
	var row tenantRow
	if err := db.take(ctx, e.tenant, what, &row, tenant.ErrUnknown, there); err != nil {
		return err
	}
	return tenant.ErrConflict
}

// PutToken implements admin.Store.
func (db *DB) PutToken(ctx context.Context, id tenant.ID, k tenant.APIToken, ev audit.Event) error {
	e := db.effect(id)
	e.guard(raise+` RETURNING version`, cut(k.CreatedAt))
	e.token(&k)
	e.notified()
	e.event(ev)
	return e.needs(ctx, "put API token", tenant.ErrUnknown)
}

// DeleteTenant implements admin.Store. From the first statement on the tenant is not there; what it had is then
// removed in steps. The event is the platform's: the tenant's own go with it.
func (db *DB) DeleteTenant(ctx context.Context, id tenant.ID, ev audit.Event) error {
	e := db.effect(id)
	e.every = true
	e.guard(`DELETE FROM tenants WHERE tenant_id = :t RETURNING version`)
	e.notified()
	e.toldPlatform(ev)
	if err := e.needs(ctx, "delete tenant", tenant.ErrUnknown); err != nil {
		return err
	}
	return db.purge(ctx, id)
}

func withTenant(detail map[string]string, id tenant.ID) map[string]string {
	d := map[string]string{"tenant": string(id)}
	for k, v := range detail {
		d[k] = v
	}
	return d
}

// owned are the tables of a tenant's rows that do not vanish with its own row.
var owned = []string{"clients", "accounts", "sessions", "interactions", "grants", "access_tokens", "authorizations", "authentications", "pushed_requests", "initial_tokens", "one_time_codes", "replays", "revocations", "audit_events", "audit_seals", "idempotency", "usage_days", "usage_subjects", "webhooks", "outbox", "token_batches", "granted_scopes"}

// purge removes, step by step, what a tenant that is not there any more has left.
func (db *DB) purge(ctx context.Context, id tenant.ID) error {
	const step = 5000
	for _, table := range owned {
		for n := step; n == step; {
			var err error
			if n, err = db.purgeStep(ctx, id, table, step, time.Time{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// purgeStep removes up to n rows that a tenant which is not there any more, or was deleted until end, has in a table.
func (db *DB) purgeStep(ctx context.Context, id tenant.ID, table string, n int, end time.Time) (int, error) {
	s, err := db.engine.Dialect.sentence(purges[db.engine.Dialect](table))
	if err != nil {
		return 0, err
	}
	args, err := s.args(id, []any{n, cut(end)})
	if err != nil {
		return 0, err
	}
	var deleted int64
	err = db.do(ctx, reads, "purge tenant", func(ctx context.Context) (err error) {
		deleted, err = s.exec(on(db.everyTenant.write, ctx), id, args)
		return err
	})
	return int(deleted), err
}

// kept is the condition that a tenant is there and was not deleted until a time.
const kept = `EXISTS (SELECT 1 FROM tenants WHERE tenant_id = :t AND (purge_at IS NULL OR purge_at > ?))`

// purges are the statements of purge by dialect; doing one twice does no harm.
var purges = [...]func(table string) string{
	PostgreSQL: func(table string) string {
		return `DELETE FROM ` + table + ` WHERE tenant_id = :t AND ctid = ANY (ARRAY(SELECT ctid FROM ` + table + ` WHERE tenant_id = :t LIMIT ?)) AND NOT ` + kept
	},
	SQLite: func(table string) string {
		key := rowKeys[table]
		if key == "" {
			key = "rowid"
		}
		return `DELETE FROM ` + table + ` WHERE tenant_id = :t AND (` + key + `) IN (SELECT ` + key + ` FROM ` + table + ` WHERE tenant_id = :t LIMIT ?) AND NOT ` + kept
	},
}

// rowKeys are the keys, beside the tenant, of SQLite's tables without rowid.
var rowKeys = map[string]string{"authorizations": "subject, client_id, actor", "granted_scopes": "subject, client_id, scope", "revocations": "grant_id, token_id, subject, actor, client_id", "audit_seals": "number"}

// Tenant implements admin.Store.
func (db *DB) Tenant(ctx context.Context, id tenant.ID) (*tenant.Record, error) {
	r, _, err := db.snapshot(ctx, id, time.Time{}, there)
	return r, err
}

// Tenants implements admin.Store. A tenant whose settings cannot be read is listed without them.
func (db *DB) Tenants(ctx context.Context, after tenant.ID, n int) ([]tenant.Record, error) {
	var rows []tenantRow
	err := db.do(ctx, reads, "list tenants", func(ctx context.Context) error {
		rows = nil
		return db.everyTenant.read.WithContext(ctx).Omit("secret").Where("tenant_id > ?", string(after)).Where(there).Order("tenant_id").Limit(n).Find(&rows).Error
	})
	out := make([]tenant.Record, len(rows))
	for i := range rows {
		out[i], _ = rows[i].record()
	}
	return out, known(err, nil)
}

// FindTenants implements admin.Store.
func (db *DB) FindTenants(ctx context.Context, f admin.TenantFilter, after tenant.ID, n int) ([]tenant.Record, error) {
	var rows []tenantRow
	err := db.do(ctx, reads, "find tenants", func(ctx context.Context) error {
		rows = nil
		q := db.everyTenant.read.WithContext(ctx).Omit("secret").Where("tenant_id > ? AND tenant_id <> ?", string(after), string(tenant.Platform))
		if f.Deleted {
			q = q.Where("NOT (" + there + ")")
		} else {
			q = q.Where(there)
		}
		if f.Enabled != nil {
			q = q.Where("enabled = ?", *f.Enabled)
		}
		if f.Query != "" {
			part := "%" + likeable.Replace(strings.ToLower(f.Query)) + "%"
			q = q.Where(`(tenant_id LIKE ? ESCAPE '!' OR lower(issuer) LIKE ? ESCAPE '!' OR lower(settings ->> 'name') LIKE ? ESCAPE '!')`, part, part, part)
		}
		return q.Order("tenant_id").Limit(n).Find(&rows).Error
	})
	out := make([]tenant.Record, len(rows))
	for i := range rows {
		out[i], _ = rows[i].record()
	}
	return out, known(err, nil)
}

// likeable lets a text stand for itself in a pattern of LIKE.
var likeable = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// KeysDue implements admin.Store.
func (db *DB) KeysDue(ctx context.Context, activeBefore time.Time, after tenant.ID, n int) (ids []tenant.ID, err error) {
	err = db.do(ctx, reads, "list keys due", func(ctx context.Context) error {
		ids = nil
		return db.everyTenant.read.WithContext(ctx).Model(&keyRow{}).Where("tenant_id > ? AND retired_at IS NULL AND active_at < ?", string(after), cut(activeBefore)).
			Where("tenant_id IN (SELECT tenant_id FROM tenants WHERE "+there+")").
			Distinct().Order("tenant_id").Limit(n).Pluck("tenant_id", &ids).Error
	})
	return ids, err
}
