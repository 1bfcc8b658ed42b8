package main

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// keyCommands administer signing keys.
type keyCommands struct {
	List   keyList   `cmd:"" help:"List signing keys with their schedule."`
	Rotate keyRotate `cmd:"" help:"Publish new keys now, to sign in ten minutes."`
	Revoke keyRevoke `cmd:"" help:"Take a compromised key out of use at once, and with it the tokens it signed."`
}

// shownKey is a signing key in JSON, without the key itself.
type shownKey struct {
	ID        string    `json:"kid"`
	Alg       keys.Alg  `json:"alg"`
	CreatedAt time.Time `json:"created_at"`
	ActiveAt  time.Time `json:"active_at,omitzero"`
	RetiredAt time.Time `json:"retired_at,omitzero"`
	GoneAt    time.Time `json:"gone_at,omitzero"`
}

func (o output) keys(ks []keys.Key, err error) error {
	if err != nil {
		return err
	}
	all, rows := []shownKey{}, [][]string{}
	for _, k := range ks {
		all = append(all, shownKey{k.ID, k.Alg, k.CreatedAt, k.ActiveAt, k.RetiredAt, k.GoneAt})
		rows = append(rows, []string{k.ID, string(k.Alg), stamp(k.CreatedAt), stamp(k.ActiveAt), stamp(k.RetiredAt), stamp(k.GoneAt)})
	}
	return o.table(all, []string{"KID", "ALG", "PUBLISHED", "SIGNS FROM", "UNTIL", "GONE"}, rows)
}

type keyList struct {
	Tenant string `arg:""`
	output
}

// Run lists keys.
func (c *keyList) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error { return c.keys(a.console.SigningKeys(ctx, tenant.ID(c.Tenant))) })
}

type keyRotate struct {
	Tenant string `arg:""`
	Alg    string `placeholder:"ALG" help:"RS256, PS256, ES256, ES384 or EdDSA; each that the tenant has by default."`
	output
}

// Run rotates keys.
func (c *keyRotate) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		return c.keys(a.console.RotateKeys(ctx, tenant.ID(c.Tenant), c.Alg, byOperator))
	})
}

type keyRevoke struct {
	Tenant string `arg:""`
	Kid    string `arg:"" help:"Id of the key, as list shows it; after -- where it begins with a hyphen."`
	output
}

// Run revokes the key.
func (c *keyRevoke) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		return c.keys(a.console.RevokeKey(ctx, tenant.ID(c.Tenant), c.Kid, byOperator))
	})
}
