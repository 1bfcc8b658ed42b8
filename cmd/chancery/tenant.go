package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

// tenantCommands administer tenants.
type tenantCommands struct {
	Create  tenantCreate  `cmd:"" help:"Create a tenant and show its secrets, this once."`
	List    tenantList    `cmd:"" help:"List tenants."`
	Show    tenantShow    `cmd:"" help:"Show a tenant with its settings."`
	Set     tenantSet     `cmd:"" help:"Change settings of a tenant."`
	Check   tenantCheck   `cmd:"" help:"Explain how far a tenant and its clients fulfil a profile."`
	Disable tenantDisable `cmd:"" help:"Stop serving a tenant."`
	Enable  tenantEnable  `cmd:"" help:"Serve a disabled tenant again."`
	Delete  tenantDelete  `cmd:"" help:"Delete a tenant and everything it has; for a while it can be restored."`
	Restore tenantRestore `cmd:"" help:"Bring back a tenant that was deleted."`

	HookSecret hookSecret `cmd:"" name:"hook-secret" help:"Show the secret that calls of a tenant's hook are signed with."`
}

type tenantCreate struct {
	ID       string `arg:"" help:"1 to 63 of a-z, 0-9 and inner hyphens."`
	Issuer   string `placeholder:"URL" help:"Issuer, fixed for good; {public-url}/t/{id} by default."`
	Template string `enum:",starter" default:"" help:"starter: also a client and a user."`
	Username string `placeholder:"NAME" help:"User name of a starter's user; alice by default."`
	Settings string `placeholder:"FILE" help:"JSON document of settings; - for the standard input."`
	output
}

// Run creates the tenant.
func (c *tenantCreate) Run(ctx context.Context, conf *config) error {
	doc, err := document(c.Settings)
	if err != nil {
		return err
	}
	return on(ctx, conf, func(a *app) error {
		s, err := admin.ParseSettings(doc)
		if err != nil {
			return err
		}
		made, err := a.console.CreateTenant(ctx, admin.New{ID: c.ID, Issuer: c.Issuer, Settings: s, Template: c.Template, Username: c.Username}, byOperator)
		if err != nil {
			return err
		}
		lines := []string{"tenant", string(made.TenantID), "service id", fmt.Sprint(made.ServiceID), "issuer", made.Issuer, "API token", made.APIToken}
		if made.Client != nil {
			lines = append(lines, "client id", made.Client.ID, "client secret", made.Client.Secret, "redirect URI", strings.Join(made.Client.RedirectURIs, " "),
				"grant types", strings.Join(made.Client.GrantTypes, " "))
		}
		if made.User != nil {
			lines = append(lines, "user", made.User.Username, "subject", made.User.Subject, "password", made.User.Password)
		}
		return c.fields(made, lines...)
	})
}

// document reads a file, or the standard input for -, or nothing.
func document(file string) (json.RawMessage, error) {
	switch file {
	case "":
		return nil, nil
	case "-":
		return io.ReadAll(io.LimitReader(stdin, tenant.MaxSettings+1))
	}
	return os.ReadFile(file)
}

// shownTenant is a tenant in JSON, with the members of the administration over HTTP.
type shownTenant struct {
	ID        tenant.ID        `json:"tenant_id"`
	ServiceID int64            `json:"service_id"`
	Issuer    string           `json:"issuer"`
	Enabled   bool             `json:"enabled"`
	Version   int64            `json:"version"`
	Settings  *tenant.Settings `json:"settings"`
	CreatedAt time.Time        `json:"created_at"`
	UpdatedAt time.Time        `json:"updated_at"`
}

func shown(r *tenant.Record) shownTenant {
	return shownTenant{r.ID, r.ServiceID, r.Issuer, r.Enabled, r.Version, &r.Settings, r.CreatedAt, r.UpdatedAt}
}

type tenantList struct{ output }

// Run lists every tenant.
func (c *tenantList) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		all := []shownTenant{}
		var rows [][]string
		for after := tenant.ID(""); ; {
			page, err := a.console.Tenants(ctx, after, 1000)
			if err != nil {
				return err
			}
			for i := range page {
				r := &page[i]
				all = append(all, shown(r))
				rows = append(rows, []string{string(r.ID), fmt.Sprint(r.ServiceID), r.Issuer, yesNo(r.Enabled), stamp(r.CreatedAt)})
				after = r.ID
			}
			if len(page) == 0 {
				return c.table(all, []string{"ID", "SERVICE", "ISSUER", "ENABLED", "CREATED"}, rows)
			}
		}
	})
}

type tenantShow struct {
	ID string `arg:""`
	output
}

// Run shows one tenant.
func (c *tenantShow) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		r, err := a.console.Tenant(ctx, tenant.ID(c.ID))
		if err != nil {
			return err
		}
		return c.show(r)
	})
}

func (o output) show(r *tenant.Record) error {
	settings, err := json.Marshal(r.Settings)
	if err != nil {
		return err
	}
	return o.fields(shown(r), "tenant", string(r.ID), "service id", fmt.Sprint(r.ServiceID), "issuer", r.Issuer, "enabled", yesNo(r.Enabled),
		"version", fmt.Sprint(r.Version), "created", stamp(r.CreatedAt), "changed", stamp(r.UpdatedAt), "settings", string(settings))
}

type tenantSet struct {
	ID       string   `arg:""`
	Changes  []string `arg:"" optional:"" name:"setting=value" help:"Such as name=Acme or tokens.access_token_lifetime=300; null gives the default back."`
	Settings string   `placeholder:"FILE" help:"JSON merge patch; - for the standard input."`
	output
}

// Run changes settings.
func (c *tenantSet) Run(ctx context.Context, conf *config) error {
	patch, err := document(c.Settings)
	switch {
	case err != nil:
		return err
	case patch != nil && len(c.Changes) > 0, patch == nil && len(c.Changes) == 0:
		return errors.New("give either settings with their values, or --settings")
	case patch == nil:
		if patch, err = patchOf(c.Changes); err != nil {
			return err
		}
	}
	return on(ctx, conf, func(a *app) error {
		r, err := a.console.UpdateTenant(ctx, tenant.ID(c.ID), 0, admin.Change{Patch: patch}, byOperator)
		if err != nil {
			return err
		}
		return c.show(r)
	})
}

// patchOf makes a JSON merge patch of changes such as tokens.id_token_lifetime=60. A value is JSON, except of a setting
// that is a text; null gives any its default.
func patchOf(changes []string) (json.RawMessage, error) {
	patch := map[string]any{}
	for _, ch := range changes {
		path, value, ok := strings.Cut(ch, "=")
		if !ok || path == "" {
			return nil, fmt.Errorf("%q is not of the form setting=value", ch)
		}
		at, names := patch, strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			inner, ok := at[name].(map[string]any)
			if !ok {
				inner = map[string]any{}
				at[name] = inner
			}
			at = inner
		}
		var v any = value
		if json.Valid([]byte(value)) && (value == "null" || !isText(names)) {
			v = json.RawMessage(value)
		}
		at[names[len(names)-1]] = v
	}
	return json.Marshal(patch)
}

// isText reports whether the setting that names lead to is a text.
func isText(names []string) bool {
	t := reflect.TypeFor[tenant.Settings]()
	for _, name := range names {
		switch t.Kind() {
		case reflect.Map:
			t = t.Elem()
			continue
		case reflect.Struct:
		default:
			return false
		}
		i := 0
		for ; i < t.NumField(); i++ {
			if member, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); member == name {
				break
			}
		}
		if i == t.NumField() {
			return false
		}
		t = t.Field(i).Type
	}
	return t.Kind() == reflect.String
}

type tenantDisable struct {
	ID string `arg:""`
	output
}

// Run disables the tenant.
func (c *tenantDisable) Run(ctx context.Context, conf *config) error {
	return c.enable(ctx, conf, c.ID, false)
}

type tenantEnable struct {
	ID string `arg:""`
	output
}

// Run enables the tenant.
func (c *tenantEnable) Run(ctx context.Context, conf *config) error {
	return c.enable(ctx, conf, c.ID, true)
}

func (o output) enable(ctx context.Context, conf *config, id string, enabled bool) error {
	return on(ctx, conf, func(a *app) error {
		r, err := a.console.UpdateTenant(ctx, tenant.ID(id), 0, admin.Change{Enabled: &enabled}, byOperator)
		if err != nil {
			return err
		}
		return o.done(shown(r), "tenant "+id+map[bool]string{true: " enabled", false: " disabled"}[enabled])
	})
}

type tenantDelete struct {
	ID  string `arg:""`
	Yes bool   `help:"Needed, as the tenant is unknown to everybody at once."`
	Now bool   `help:"Remove it at once, deleted before or not: nothing of it can be brought back."`
	output
}

var errYes = errors.New("nobody finds the tenant from then on: add --yes to do it")

// Run deletes the tenant.
func (c *tenantDelete) Run(ctx context.Context, conf *config) error {
	if !c.Yes {
		return errYes
	}
	return on(ctx, conf, func(a *app) error {
		del := a.console.DeleteTenant
		if c.Now {
			del = a.console.RemoveTenant
		}
		if err := del(ctx, tenant.ID(c.ID), byOperator); err != nil {
			return err
		}
		return c.done(map[string]string{"tenant_id": c.ID}, "tenant "+c.ID+" deleted")
	})
}

type tenantRestore struct {
	ID string `arg:""`
	output
}

// Run restores the tenant.
func (c *tenantRestore) Run(ctx context.Context, conf *config) error {
	return on(ctx, conf, func(a *app) error {
		if _, err := a.console.RestoreTenant(ctx, tenant.ID(c.ID), byOperator); err != nil {
			return err
		}
		return c.done(map[string]string{"tenant_id": c.ID}, "tenant "+c.ID+" restored")
	})
}
