package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
)

// clientCommands administer clients.
type clientCommands struct {
	Create       clientCreate       `cmd:"" help:"Register a client and show its secret, this once."`
	List         clientList         `cmd:"" help:"List clients."`
	Show         clientShow         `cmd:"" help:"Show a client with its metadata."`
	RotateSecret clientRotateSecret `cmd:"" help:"Give a client a new secret, shown this once; the old one works on for a while."`
	Disable      clientDisable      `cmd:"" help:"Disable a client."`
	Enable       clientEnable       `cmd:"" help:"Enable a disabled client again."`
	Delete       clientDelete       `cmd:"" help:"Delete a client with its grants and all consent to it."`
}

type clientCreate struct {
	Tenant      string   `arg:""`
	ID          string   `name:"id" placeholder:"ID" help:"Client id; a random one by default."`
	Name        string   `help:"Name that users see."`
	RedirectURI []string `name:"redirect-uri" sep:"none" placeholder:"URI" help:"Where responses go; may be repeated."`
	Grant       []string `placeholder:"TYPE" help:"Grant type; may be repeated. authorization_code and refresh_token by default where there is a redirect URI, else client_credentials."`
	Scope       string   `help:"Scope values that it may ask for, in one text; any by default."`
	Audience    []string `sep:"none" placeholder:"URI" help:"Resource whose tokens it may ask for or introspect; may be repeated."`
	Public      bool     `help:"It cannot keep a secret: no client authentication, and PKCE always."`
	Native      bool     `help:"A native application."`
	RequirePKCE bool     `name:"require-pkce" help:"It must use PKCE."`
	Metadata    string   `placeholder:"FILE" help:"JSON document of client metadata, instead of the flags; - for the standard input."`
	output
}

// Run registers the client.
func (c *clientCreate) Run(ctx context.Context, conf *config) error {
	r, err := c.request()
	if err != nil {
		return spoken(err)
	}
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		made, err := a.clients.Register(ctx, t, r)
		if err != nil {
			return err
		}
		return c.client(made, &made.Client)
	})
}

func (c *clientCreate) request() (registration.Request, error) {
	doc, err := document(c.Metadata)
	if err != nil {
		return registration.Request{}, err
	}
	var r registration.Request
	if doc != nil {
		r, err = registration.Parse(doc)
	} else {
		r.Metadata = tenant.Metadata{Name: c.Name, RedirectURIs: c.RedirectURI, GrantTypes: c.Grant, Scope: c.Scope, Audience: c.Audience,
			RequirePKCE: c.RequirePKCE}
		if c.Public {
			r.Metadata.TokenEndpointAuthMethod = oauth.AuthNone
		}
		if c.Native {
			r.Metadata.ApplicationType = "native"
		}
		switch {
		case len(c.Grant) > 0:
		case len(c.RedirectURI) > 0:
			r.Metadata.GrantTypes = []string{oauth.AuthorizationCode, oauth.RefreshToken}
		default:
			r.Metadata.GrantTypes = []string{oauth.ClientCredentials}
		}
	}
	if c.ID != "" {
		r.PreferredID = c.ID
	}
	r.By = masterOperator
	return r, err
}

// client shows a client. r is its answer in JSON; secrets are in it only where they were just made.
func (o output) client(r registration.Response, c *tenant.Client) error {
	doc, err := clientDocument(r)
	if err != nil {
		return err
	}
	return o.fields(doc, "client id", c.ID, "client secret", r.Secret, "name", c.Name, "enabled", yesNo(!c.Disabled),
		"application type", c.ApplicationType, "authentication", c.TokenEndpointAuthMethod, "grant types", joined(c.GrantTypes),
		"response types", strings.Join(c.ResponseTypes, ", "), "redirect URIs", joined(c.RedirectURIs), "scope", c.Scope, "audience", joined(c.Audience),
		"PKCE required", yesNo(c.RequirePKCE), "created", stamp(c.CreatedAt), "changed", stamp(c.UpdatedAt))
}

// clientDocument is the client information response with whether the client is enabled.
func clientDocument(r registration.Response) (map[string]json.RawMessage, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	doc["enabled"] = json.RawMessage(fmt.Sprint(!r.Client.Disabled))
	return doc, nil
}

type clientList struct {
	Tenant string `arg:""`
	output
}

// Run lists every client.
func (c *clientList) Run(ctx context.Context, conf *config) error {
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		all, rows := []map[string]json.RawMessage{}, [][]string{}
		for after := ""; ; {
			page, err := a.clients.List(ctx, t, after, 1000, masterOperator)
			if err != nil {
				return err
			}
			for _, r := range page {
				doc, err := clientDocument(r)
				if err != nil {
					return err
				}
				all = append(all, doc)
				rows = append(rows, []string{r.Client.ID, r.Client.Name, joined(r.Client.GrantTypes), yesNo(!r.Client.Disabled), stamp(r.Client.CreatedAt)})
				after = r.Client.ID
			}
			if len(page) == 0 {
				return c.table(all, []string{"CLIENT ID", "NAME", "GRANT TYPES", "ENABLED", "CREATED"}, rows)
			}
		}
	})
}

// oneClient names a client of a tenant.
type oneClient struct {
	Tenant string `arg:""`
	Client string `arg:"" help:"Client id."`
	output
}

type clientShow struct{ oneClient }

// Run shows one client.
func (c *clientShow) Run(ctx context.Context, conf *config) error {
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		r, err := a.clients.Read(ctx, t, c.Client, masterOperator)
		if err != nil {
			return err
		}
		return c.client(r, &r.Client)
	})
}

type clientRotateSecret struct{ oneClient }

// Run makes a new secret.
func (c *clientRotateSecret) Run(ctx context.Context, conf *config) error {
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		r, err := a.clients.Read(ctx, t, c.Client, masterOperator)
		if err != nil {
			return err
		}
		if !r.Client.Secretive() {
			return fmt.Errorf("the client %s has no secret: its token_endpoint_auth_method is %s", r.Client.ID, r.Client.TokenEndpointAuthMethod)
		}
		r, err = a.clients.Update(ctx, t, c.Client, registration.Request{Metadata: r.Client.Metadata, RefreshSecret: true, By: masterOperator})
		if err != nil {
			return err
		}
		overlap := "none"
		if d := t.Settings.SecretOverlap(); d > 0 {
			overlap = d.String()
		}
		return c.fields(map[string]string{"client_id": r.Client.ID, "client_secret": r.Secret},
			"client id", r.Client.ID, "client secret", r.Secret, "old secret works for", overlap)
	})
}

type clientDisable struct{ oneClient }

// Run disables the client.
func (c *clientDisable) Run(ctx context.Context, conf *config) error {
	return c.disable(ctx, conf, true)
}

type clientEnable struct{ oneClient }

// Run enables the client.
func (c *clientEnable) Run(ctx context.Context, conf *config) error {
	return c.disable(ctx, conf, false)
}

func (c *oneClient) disable(ctx context.Context, conf *config, disabled bool) error {
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		r, err := a.clients.SetDisabled(ctx, t, c.Client, disabled, masterOperator)
		if err != nil {
			return err
		}
		doc, err := clientDocument(r)
		if err != nil {
			return err
		}
		return c.done(doc, "client "+r.Client.ID+map[bool]string{true: " disabled", false: " enabled"}[disabled])
	})
}

type clientDelete struct {
	oneClient
	Yes bool `help:"Needed, as the client cannot be brought back."`
}

// Run deletes the client.
func (c *clientDelete) Run(ctx context.Context, conf *config) error {
	if !c.Yes {
		return errYes
	}
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		if err := a.clients.Delete(ctx, t, c.Client, t.Settings.LongestAccessToken(), masterOperator); err != nil {
			return err
		}
		return c.done(map[string]string{"client_id": c.Client}, "client "+c.Client+" deleted")
	})
}
