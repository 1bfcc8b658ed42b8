package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/tenant"
)

type userImport struct {
	Tenant string `arg:""`
	File   string `arg:"" help:"JSON as of the administration over HTTP: an object whose member users has up to 1,000 of username, password_hash, claims, enabled. - for the standard input."`
	output
}

// importedUser is a user in that file.
type importedUser struct {
	Username     string                     `json:"username"`
	PasswordHash string                     `json:"password_hash"`
	Claims       map[string]json.RawMessage `json:"claims"`
	Enabled      *bool                      `json:"enabled"`
}

// Run imports the users.
func (c *userImport) Run(ctx context.Context, conf *config) error {
	doc, err := document(c.File)
	if err != nil {
		return err
	}
	ns, err := importedUsers(doc)
	if err != nil {
		return err
	}
	return at(ctx, conf, c.Tenant, func(a *app, t *tenant.Tenant) error {
		as, err := a.accounts.Import(ctx, t, ns, asOperator)
		if err != nil {
			return err
		}
		all, rows := []shownUser{}, [][]string{}
		for _, u := range as {
			all = append(all, shownUserOf(u))
			rows = append(rows, []string{u.Subject, u.Username, yesNo(!u.Disabled), stamp(u.CreatedAt)})
		}
		return c.table(all, []string{"SUBJECT", "USER NAME", "ENABLED", "CREATED"}, rows)
	})
}

// importedUsers reads the file. What in it is no user is *account.Faults.
func importedUsers(doc []byte) ([]account.Imported, error) {
	var file struct {
		Users []json.RawMessage `json:"users"`
	}
	if err := strictly(doc, &file); err != nil {
		return nil, fmt.Errorf("the file is not an object with a list of users: %w", err)
	}
	var faults account.Faults
	ns := make([]account.Imported, len(file.Users))
	for i, raw := range file.Users {
		var u *importedUser
		err := strictly(raw, &u)
		if err == nil && u == nil {
			err = errors.New("null")
		}
		if err != nil {
			faults.Fields = append(faults.Fields, tenant.FieldError{Pointer: "/users/" + strconv.Itoa(i), Message: "is not a user: " + err.Error()})
			continue
		}
		ns[i] = account.Imported{Username: u.Username, PasswordHash: u.PasswordHash, Claims: u.Claims, Disabled: u.Enabled != nil && !*u.Enabled}
	}
	if len(faults.Fields) > 0 {
		return nil, &faults
	}
	return ns, nil
}

// strictly decodes JSON without unknown members, and with nothing after it.
func strictly(doc []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after it")
	}
	return nil
}
