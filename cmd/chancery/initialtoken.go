package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

// initialTokenCommands administer initial access tokens.
type initialTokenCommands struct {
	Create initialTokenCreate `cmd:"" help:"Create a token that lets its holder register clients, and show it, this once."`
	List   initialTokenList   `cmd:"" help:"List initial access tokens."`
	Revoke initialTokenRevoke `cmd:"" help:"Revoke an initial access token; clients registered with it stay."`
}

type initialTokenCreate struct {
	Tenant  string        `arg:""`
	Label   string        `help:"To tell it from others."`
	Scope   string        `help:"Scope values that its clients may register, in one text; those that the tenant advertises by default."`
	Grant   []string      `placeholder:"TYPE" help:"Grant type that its clients may register beside authorization_code and refresh_token; may be repeated."`
	Uses    int           `default:"1" help:"How many clients it may register."`
	Expires time.Duration `default:"24h" placeholder:"DURATION" help:"How long it lives."`
	output
}

// shownInitialToken is an initial access token in JSON.
type shownInitialToken struct {
	ID         string    `json:"id"`
	Label      string    `json:"label"`
	Scope      string    `json:"scope,omitempty"`
	GrantTypes []string  `json:"grant_types,omitempty"`
	Uses       int       `json:"uses_left"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at"`
	Token      string    `json:"token,omitempty"`
}

func shownInitialTokenOf(k registration.InitialToken, plain string) shownInitialToken {
	return shownInitialToken{k.ID, k.Label, k.Scope, k.GrantTypes, k.Uses, k.CreatedAt, k.ExpiresAt, plain}
}

// Run creates the token.
func (c *initialTokenCreate) Run(ctx context.Context, conf *config) error {
	if c.Expires <= 0 || c.Uses < 1 {
		return errors.New("--expires and --uses must be positive")
	}
	return on(ctx, conf, func(a *app) error {
		k, plain, err := a.console.CreateInitialToken(ctx, tenant.ID(c.Tenant), registration.NewInitial{Label: c.Label, Scope: c.Scope, GrantTypes: c.Grant,
			Uses: c.Uses, ExpiresAt: a.console.Now().Add(c.Expires)}, byOperator)
		if err != nil {
			return err
		}
		return c.fields(shownInitialTokenOf(k, plain), "token", plain, "id", k.ID, "label", k.Label, "scope", k.Scope, "grant types", joined(k.GrantTypes),
			"uses", strconv.Itoa(k.Uses), "expires", stamp(k.ExpiresAt))
	})
}

type initialTokenList struct {
	Tenant string `arg:""`
	output
}

// Run lists the tokens.
func (c *initialTokenList) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		ks, err := a.console.InitialTokens(ctx, tenant.ID(c.Tenant))
		if err != nil {
			return err
		}
		all, rows := []shownInitialToken{}, [][]string{}
		for _, k := range ks {
			all = append(all, shownInitialTokenOf(k, ""))
			rows = append(rows, []string{k.ID, k.Label, k.Scope, strconv.Itoa(k.Uses), stamp(k.CreatedAt), stamp(k.ExpiresAt)})
		}
		return c.table(all, []string{"ID", "LABEL", "SCOPE", "USES LEFT", "CREATED", "EXPIRES"}, rows)
	})
}

type initialTokenRevoke struct {
	Tenant string `arg:""`
	ID     string `arg:"" help:"Id of the token, as list shows it."`
	output
}

// Run revokes the token.
func (c *initialTokenRevoke) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		if err := a.console.RevokeInitialToken(ctx, tenant.ID(c.Tenant), c.ID, byOperator); err != nil {
			return err
		}
		return c.done(map[string]string{"id": c.ID}, fmt.Sprintf("initial access token %s revoked", c.ID))
	})
}
