package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

// tokenCommands administer API tokens.
type tokenCommands struct {
	Create tokenCreate `cmd:"" help:"Create an API token and show it, this once."`
	List   tokenList   `cmd:"" help:"List API tokens."`
	Revoke tokenRevoke `cmd:"" help:"Revoke an API token."`
}

type tokenCreate struct {
	Tenant  string        `arg:"" help:"Tenant, or platform."`
	API     []string      `name:"api" placeholder:"API" help:"What it is for: authz-sessions, clients, … or * for all of a tenant's, which is the default; of the platform, admin is. console is the administration, within roles."`
	Role    []string      `placeholder:"ROLE" help:"Role at the administration, with --api console."`
	Account string        `name:"service-account" placeholder:"ID" help:"Service account whose roles it has, instead of roles of its own."`
	Label   string        `help:"To tell it from others."`
	Expires time.Duration `placeholder:"DURATION" help:"How long it lives, such as 720h; for good by default."`
	output
}

// shownToken is an API token in JSON.
type shownToken struct {
	ID        string       `json:"id"`
	Label     string       `json:"label"`
	APIs      []tenant.API `json:"apis"`
	CreatedAt time.Time    `json:"created_at"`
	ExpiresAt time.Time    `json:"expires_at,omitzero"`
	UsedAt    time.Time    `json:"last_used_at,omitzero"`
	Token     string       `json:"token,omitempty"`
}

// Run creates the token. This is the way in for the first administrator of a platform that was made without a token.
func (c *tokenCreate) Run(ctx context.Context, conf *config) error {
	id := tenant.ID(c.Tenant)
	n := admin.NewToken{Label: c.Label, Roles: c.Role, ServiceAccount: c.Account}
	for _, api := range c.API {
		n.APIs = append(n.APIs, tenant.API(api))
	}
	switch {
	case len(n.APIs) == 0 && (len(c.Role) > 0 || c.Account != ""):
		n.APIs = []tenant.API{tenant.ConsoleAPI}
	case len(n.APIs) == 0 && id == tenant.Platform:
		n.APIs = []tenant.API{tenant.AdminAPI}
	case len(n.APIs) == 0:
		n.APIs = []tenant.API{tenant.AllAPIs}
	}
	if c.Expires < 0 {
		return errors.New("--expires is negative")
	}
	return on(ctx, conf, func(a *app) error {
		if id == tenant.Platform {
			if _, err := a.console.EnsurePlatform(ctx, ""); err != nil {
				return err
			}
		}
		if c.Expires > 0 {
			n.ExpiresAt = a.console.Now().Add(c.Expires)
		}
		k, plain, err := a.console.CreateToken(ctx, id, n, byOperator)
		if err != nil {
			return err
		}
		return c.fields(shownTokenOf(k, plain), "token", plain, "id", k.ID, "label", k.Label, "APIs", joined(k.APIs), "expires", stamp(k.ExpiresAt))
	})
}

func shownTokenOf(k tenant.APIToken, plain string) shownToken {
	return shownToken{k.ID, k.Label, k.APIs, k.CreatedAt, k.ExpiresAt, k.UsedAt, plain}
}

func joined[S ~string](values []S) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, " ")
}

type tokenList struct {
	Tenant string `arg:"" help:"Tenant, or platform."`
	output
}

// Run lists tokens.
func (c *tokenList) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		ks, err := a.console.Tokens(ctx, tenant.ID(c.Tenant))
		if err != nil {
			return err
		}
		all, rows := []shownToken{}, [][]string{}
		for _, k := range ks {
			all = append(all, shownTokenOf(k, ""))
			rows = append(rows, []string{k.ID, k.Label, joined(k.APIs), stamp(k.CreatedAt), stamp(k.ExpiresAt), stamp(k.UsedAt)})
		}
		return c.table(all, []string{"ID", "LABEL", "APIS", "CREATED", "EXPIRES", "LAST USED"}, rows)
	})
}

type tokenRevoke struct {
	Tenant string `arg:"" help:"Tenant, or platform."`
	ID     string `arg:"" help:"Id of the token, as list shows it."`
	output
}

// Run revokes the token.
func (c *tokenRevoke) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		if err := a.console.RevokeToken(ctx, tenant.ID(c.Tenant), c.ID, byOperator); err != nil {
			return err
		}
		return c.done(map[string]string{"id": c.ID}, fmt.Sprintf("token %s revoked", c.ID))
	})
}
