package persistence

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Find implements tenant.Directory.
func (db *DB) Find(ctx context.Context, n tenant.Name) (tenant.ID, error) {
	where, args := "tenant_id = ?", []any{n.ID}
	switch {
	case n.Issuer != "":
		where, args = "(issuer = ? OR tenant_id = (SELECT tenant_id FROM tenant_issuers WHERE issuer = ?))", []any{n.Issuer, n.Issuer}
	case n.ServiceID != "":
		number, err := strconv.ParseInt(n.ServiceID, 10, 64)
		if err != nil || strconv.FormatInt(number, 10) != n.ServiceID {
			return "", tenant.ErrUnknown
		}
		where, args = "service_id = ?", []any{number}
	}
	var row tenantRow
	err := db.do(ctx, reads, "find tenant", func(ctx context.Context) error {
		err := db.everyTenant.read.WithContext(ctx).Select("tenant_id").Where(where, args...).Where("enabled").Take(&row).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return final{tenant.ErrUnknown}
		}
		return err
	})
	return tenant.ID(row.TenantID), known(err, tenant.ErrUnknown)
}

// Snapshot implements tenant.Directory.
func (db *DB) Snapshot(ctx context.Context, id tenant.ID, now time.Time) (*tenant.Record, []tenant.Revocation, error) {
	return db.snapshot(ctx, id, now, "enabled")
}

// revocationRow is a revocation as it is stored.
type revocationRow struct {
	TenantID  string
	GrantID   string
	TokenID   string
	Subject   string
	Actor     string
	ClientID  string
	At        moment
	ExpiresAt moment
}

// TableName is gorm's.
func (revocationRow) TableName() string { return "revocations" }

// snapshot reads a tenant that fulfils a condition, all of it as of one moment; revocations only where now is set.
func (db *DB) snapshot(ctx context.Context, id tenant.ID, now time.Time, where string) (*tenant.Record, []tenant.Revocation, error) {
	var row facedRow
	var ks []keyRow
	var tokens []tokenRow
	var revoked []revocationRow
	err := db.do(ctx, reads, "read tenant", func(ctx context.Context) error {
		row, ks, tokens, revoked = facedRow{}, nil, nil, nil
		return db.everyTenant.read.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			err := tx.Select("tenants.*, "+aliases[db.engine.Dialect]).Where("tenant_id = ?", string(id)).Where(where).Take(&row).Error
			if errors.Is(err, gorm.ErrRecordNotFound) {
				return final{tenant.ErrUnknown}
			}
			if err == nil {
				err = tx.Where("tenant_id = ?", string(id)).Order("position").Find(&ks).Error
			}
			if err == nil {
				err = tx.Where("tenant_id = ?", string(id)).Order("created_at, id").Find(&tokens).Error
			}
			if err == nil && !now.IsZero() {
				err = tx.Where("tenant_id = ? AND expires_at > ?", string(id), cut(now)).Find(&revoked).Error
			}
			return err
		}, oneMoment[db.engine.Dialect])
	})
	if err != nil {
		return nil, nil, known(err, tenant.ErrUnknown)
	}
	r, err := db.open(&row, ks, tokens)
	if err != nil {
		return nil, nil, err
	}
	rs := make([]tenant.Revocation, len(revoked))
	for i, v := range revoked {
		rs[i] = tenant.Revocation{Grant: v.GrantID, Token: v.TokenID, Subject: v.Subject, Actor: v.Actor, ClientID: v.ClientID,
			At: v.At.Time, ExpiresAt: v.ExpiresAt.Time}
	}
	return r, rs, nil
}

// open unseals what was read. A broken row is the trouble of its tenant alone.
func (db *DB) open(row *facedRow, ks []keyRow, tokens []tokenRow) (*tenant.Record, error) {
	r, err := row.Row.record()
	if err != nil {
		return nil, err
	}
	r.Aliases = row.Aliases.V
	secret, err := db.sealer.Open(row.Row.Secret, secretPlace(r.ID))
	if err == nil {
		r.Secret, err = keys.NewSecret(secret)
	}
	if err != nil {
		return nil, fmt.Errorf("persistence: tenant %s: secret: %w", r.ID, err)
	}
	for _, k := range ks {
		der, err := db.sealer.Open(k.Sealed, keyPlace(r.ID, k.Kid))
		if err != nil {
			return nil, fmt.Errorf("persistence: tenant %s: key %s: %w", r.ID, k.Kid, err)
		}
		key, err := keys.ParseKey(keys.Key{ID: k.Kid, Alg: k.Alg, CreatedAt: k.CreatedAt.Time, ActiveAt: k.ActiveAt.Time,
			RetiredAt: k.RetiredAt.Time, GoneAt: k.GoneAt.Time}, der)
		if err != nil {
			return nil, fmt.Errorf("persistence: tenant %s: key %s: %w", r.ID, k.Kid, err)
		}
		r.Keys = append(r.Keys, key)
	}
	for _, k := range tokens {
		r.Tokens = append(r.Tokens, tenant.APIToken{ID: k.ID, Label: k.Label, Hash: k.Hash, APIs: k.APIs.V, CreatedAt: k.CreatedAt.Time,
			ExpiresAt: k.ExpiresAt.Time, UsedAt: k.UsedAt.Time, ServiceAccount: k.ServiceAccount})
	}
	return &r, nil
}

// oneMoment is how several statements read as of one moment, by dialect; SQLite's transactions always do.
var oneMoment = [...]*sql.TxOptions{
	PostgreSQL: {Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	SQLite:     {},
}
