package main

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

// bootstrapRows let the first person in who administers the platform.
var bootstrapRows = []row{
	{words: "admin bootstrap", op: "createUser", more: []string{"listUsers", "readAdministrator", "putAdministrator", "createPasswordLink"}, run: bootstrapAdmin,
		help:    "Make a person an owner of the platform, and show the link where that person sets a password, once, within an hour.",
		without: []string{"tenant", "password", "password_hash", "claims"},
		flags:   []flag{{name: "username", to: "username", preset: "admin", help: "User name, to sign in with at the platform. Where there is such a user, that one."}},
		first:   []string{"url", "expires_at", "username", "principal"}},
}

// bootstrapAdmin gives whoever has the user name the role, and answers with the link.
func bootstrapAdmin(c *called) error {
	c.path["id"] = string(tenant.Platform)
	if c.api.app != nil {
		if _, err := c.api.app.console.EnsurePlatform(c, ""); err != nil {
			return err
		}
	}
	var user struct{ Sub, Username string }
	if err := c.userOr(&user); err != nil {
		return err
	}
	principal := admin.Person(user.Sub)
	c.path["principal"], c.path["sub"] = principal, user.Sub
	var before struct{ Roles []string }
	answer, err := c.ask("readAdministrator", nil)
	if p, ok := errors.AsType[*problem](err); ok && p.ExitCode() == exitNotFound {
		answer, err = json.RawMessage("{}"), nil
	}
	if err == nil {
		err = json.Unmarshal(answer, &before)
	}
	if err == nil && !slices.Contains(before.Roles, admin.Owner) {
		_, err = c.ask("putAdministrator", map[string][]string{"roles": append(before.Roles, admin.Owner)})
	}
	if err != nil {
		return err
	}
	if answer, err = c.ask("createPasswordLink", nil); err != nil {
		return err
	}
	var link map[string]any
	if err := json.Unmarshal(answer, &link); err != nil {
		return err
	}
	link["username"], link["principal"] = user.Username, principal
	if answer, err = json.Marshal(link); err != nil {
		return err
	}
	return c.show(answer)
}

// userOr reads the user of the name that was given, who is made where there is none.
func (c *called) userOr(user any) error {
	q := c.query
	c.query = map[string][]string{"username": {c.text("username")}}
	answer, err := c.ask("listUsers", nil)
	c.query = q
	if err != nil {
		return err
	}
	var found struct{ Users []json.RawMessage }
	if err := json.Unmarshal(answer, &found); err != nil {
		return err
	}
	if len(found.Users) == 0 {
		if answer, err = c.ask("createUser", c.body); err != nil {
			return err
		}
		found.Users = []json.RawMessage{answer}
	}
	return json.Unmarshal(found.Users[0], user)
}
