package main

import (
	"encoding/json"

	"github.com/chancery-id/chancery/tenant"
)

// tokenRows administer API tokens.
var tokenRows = []row{
	{words: "token create", op: "createToken", help: "Create an API token and show it, this once.", first: []string{"token"}, run: createToken,
		flags: []flag{{name: "api", to: "apis", help: "What it is for: authz-sessions, clients, … or * for all of a tenant's, which is the default; of the platform, admin is. console is the administration, within roles."},
			{name: "role", to: "roles", help: "Role at the administration, with --api console."},
			{name: "service-account", to: "service_account", placeholder: "ID", help: "Service account whose roles it has, instead of roles of its own."},
			{name: "label", to: "label", help: "To tell it from others."},
			{name: "expires", to: "expires_at", placeholder: "WHEN", help: "A time as in RFC 3339, or for how long it lives, such as 720h; for good by default."}}},
	{words: "token list", op: "listTokens", list: "tokens",
		columns: []string{"ID", "id", "LABEL", "label", "APIS", "apis", "CREATED", "created_at", "EXPIRES", "expires_at", "LAST USED", "last_used_at"}},
	{words: "token revoke", op: "revokeToken", says: "token {token} revoked"},
}

// createToken creates the token. Beside the database it is the way in for the first administrator of a platform that was
// made without a token.
func createToken(c *called) error {
	_, given := c.body["apis"]
	_, roles := c.body["roles"]
	_, account := c.body["service_account"]
	platform := tenant.ID(c.path["id"]) == tenant.Platform
	if !given {
		api := tenant.AllAPIs
		switch {
		case roles || account:
			api = tenant.ConsoleAPI
		case platform:
			api = tenant.AdminAPI
		}
		raw, _ := json.Marshal([]tenant.API{api}) // texts always can be
		c.set("apis", raw)
	}
	if platform && c.api.app != nil {
		if _, err := c.api.app.console.EnsurePlatform(c, ""); err != nil {
			return err
		}
	}
	return c.answer()
}
