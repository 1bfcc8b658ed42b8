package main

import (
	"encoding/json"
	"errors"
	"strings"
)

var userColumns = []string{"SUBJECT", "sub", "USER NAME", "username", "ENABLED", "enabled", "CREATED", "created_at"}

// userRows administer the users that a tenant keeps with us.
var userRows = []row{
	{words: "user create", op: "createUser", help: "Create a user. The password is asked for, or read from the standard input.", without: []string{"password"}, run: createUser,
		flags: []flag{{name: "username", to: "username", arg: true},
			{name: "claim", kind: aList, whole: true, placeholder: "NAME=VALUE", help: "Claim about the user, such as email=alice@example.com; the value is JSON, or else a text."},
			{name: "password-hash", to: "password_hash", placeholder: "HASH"},
			{name: "no-password", kind: aBool, help: "The user cannot sign in with a password."}}},
	{words: "user import", op: "importUsers", help: "Import users with the hashes of their passwords, all of them or none.", list: "users",
		file: "an object whose member users has up to 1,000 of username, password_hash, claims, enabled", columns: []string{"SUBJECT", "sub", "USER NAME", "username"}},
	{words: "user list", op: "listUsers", help: "List users.", list: "users", columns: userColumns},
	{words: "user show", op: "readUser", help: "Show a user with all claims.", flat: []string{"claims"}},
	{words: "user change", op: "changeUser", help: "Change the name of a user, or all claims.", without: []string{"enabled"}, flat: []string{"claims"}},
	{words: "user set-password", op: "putPassword", help: "Give a user a new password, asked for or read from the standard input.", without: []string{"password"}, says: "user {user} has a new password",
		run: func(c *called) error { return c.typed("password") }},
	{words: "user set-user-code", op: "putUserCode", help: "Give a user the code that clients must send to ask for it by backchannel authentication, asked for or read from the standard input; or take it away.",
		without: []string{"user_code"}, flags: []flag{{name: "none", kind: aBool, help: "Take the code away."}}, says: "user {user} has a new user code",
		run: func(c *called) error { return c.typed("user_code") }},
	{words: "user totp", op: "readTOTP", help: "Show whether a user has a second factor."},
	{words: "user enrol-totp", op: "enrolTOTP", help: "Give a user a TOTP secret, shown this once; it counts once it is confirmed."},
	{words: "user confirm-totp", op: "confirmTOTP", help: "Confirm the TOTP of a user with a code of it, and show the recovery codes, this once."},
	{words: "user reset-totp", op: "removeTOTP", help: "Take the second factor of a user away.", yes: true, says: "user {user} signs in without a second factor"},
	{words: "user password-link", op: "createPasswordLink", help: "Make a link by which a user sets a password, once, within an hour."},
	{words: "user disable", op: "changeUser", help: "Disable a user: end all sessions and revoke all grants.", fixed: `{"enabled": false}`, says: "user {user} disabled"},
	{words: "user enable", op: "changeUser", help: "Let a disabled user sign in again.", fixed: `{"enabled": true}`, says: "user {user} enabled"},
	{words: "user delete", op: "deleteUser", help: "Delete a user with sessions, grants and consent.", yes: true, says: "user {user} deleted"},
}

func createUser(c *called) error {
	if _, given := c.body["claims"]; given && len(c.texts("claim")) > 0 {
		return usage("--claim and --claims exclude each other")
	}
	if len(c.texts("claim")) > 0 {
		claims, err := claimsOf(c.texts("claim"))
		if err != nil {
			return err
		}
		c.set("claims", claims)
	}
	if _, hash := c.body["password_hash"]; !hash && !c.is("no-password") {
		p, err := password()
		if err != nil {
			return err
		}
		text, _ := json.Marshal(p) // a text always can be
		c.set("password", text)
	}
	return c.answer()
}

// claimsOf makes an object of claims such as email=alice@example.com.
func claimsOf(pairs []string) (json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for _, p := range pairs {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, usage("--claim %q is not of the form name=value", p)
		}
		raw := json.RawMessage(value)
		if !json.Valid(raw) {
			raw, _ = json.Marshal(value) // a text always can be
		}
		out[name] = raw
	}
	return json.Marshal(out)
}

// typed sends what is typed, or nothing where --none is given, as that member.
func (c *called) typed(member string) error {
	text := ""
	if !c.is("none") {
		var err error
		if text, err = password(); err != nil {
			return err
		}
	}
	raw, _ := json.Marshal(text) // a text always can be
	c.set(member, raw)
	return c.answer()
}

// subject is the subject of the user that is named so, or else whose subject it is.
func (c *called) subject(user string) (string, error) {
	if user == "" {
		return "", nil
	}
	q := c.query
	defer func() { c.query = q }()
	c.query = map[string][]string{"username": {user}}
	answer, err := c.ask("listUsers", nil)
	if p, ok := errors.AsType[*problem](err); ok && p.ExitCode() != exitNotFound {
		return user, nil // who may not look for users may name subjects; what else is wrong the operation itself will tell
	}
	if err != nil {
		return "", err
	}
	var found struct {
		Users []struct{ Sub string }
	}
	if err := json.Unmarshal(answer, &found); err != nil || len(found.Users) == 0 {
		return user, err
	}
	return found.Users[0].Sub, nil
}
