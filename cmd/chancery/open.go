package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// operator is the actor of what is done on the command line.
const operator = "command line"

var (
	byOperator     = admin.By{Actor: operator}
	asOperator     = account.By{Actor: operator}
	masterOperator = registration.Master(operator, "")
)

// on opens the database that conf names, beside any server that uses it, and hands it to f. What went wrong is said in
// one sentence.
func on(ctx context.Context, conf *config, f func(a *app) error) error {
	publicURL, err := conf.publicURL(nil, false)
	if err != nil {
		return err
	}
	if conf.DatabaseURL == "" {
		file := filepath.Join(conf.Data, "chancery.db")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no database at %s: start the server once, or name another with --data or --database-url", file)
		}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := newApp(ctx, conf, publicURL, log, false)
	if err != nil {
		return err
	}
	a.console.Keys = keys.NewPool(0, rand.Reader) // one command makes no keys ahead
	err = a.adoptPublicURL(ctx)
	if err == nil {
		err = f(a)
	}
	return errors.Join(spoken(err), a.close())
}

// adoptPublicURL takes the public URL of the server that made the platform, unless one is given: the issuer of a tenant is
// fixed for good, so a command must not make up another than the server would.
func (a *app) adoptPublicURL(ctx context.Context) error {
	if a.conf.PublicURL != "" {
		return nil
	}
	r, err := a.console.Tenant(ctx, tenant.Platform)
	if errors.Is(err, tenant.ErrUnknown) {
		return nil
	}
	if err != nil {
		return err
	}
	u, err := url.Parse(strings.TrimSuffix(r.Issuer, "/t/"+string(tenant.Platform)))
	if err != nil {
		return err
	}
	a.console.PublicURL = u
	return nil
}

// spoken is err in the words for an operator: without its code, and with its cause only where the server is at fault.
func spoken(err error) error {
	if e, ok := errors.AsType[*admin.Invalid](err); ok {
		var lines []string
		for _, f := range e.Fields {
			lines = append(lines, strings.TrimPrefix(f.Pointer, "/")+" "+f.Message)
		}
		return errors.New(strings.Join(lines, "; "))
	}
	if e, ok := errors.AsType[*account.Faults](err); ok {
		var lines []string
		for _, f := range e.Fields {
			lines = append(lines, strings.TrimPrefix(f.Pointer, "/")+" "+f.Message)
		}
		return errors.New(strings.Join(lines, "\n"))
	}
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok || e.Description == "" || e.Code == "server_error" || e.Code == "temporarily_unavailable" {
		return err
	}
	return errors.New(e.Description)
}

// at opens the database for clients or users of one tenant, enabled or not.
func at(ctx context.Context, conf *config, id string, f func(a *app, t *tenant.Tenant) error) error {
	if tenant.ID(id) == tenant.Platform {
		return errors.New("the platform has neither clients nor users")
	}
	return on(ctx, conf, func(a *app) error {
		r, err := a.console.Tenant(ctx, tenant.ID(id))
		if err != nil {
			return err
		}
		return f(a, &tenant.Tenant{ID: r.ID, ServiceID: r.ServiceID, Version: r.Version, Issuer: r.Issuer, Settings: &r.Settings,
			Keys: keys.NewSet(r.Keys), Secret: r.Secret, Tokens: r.Tokens, Clients: clientsOf{a, r.ID}, Revoked: tenant.NewJournal()})
	})
}

// clientsOf looks the clients of a tenant up in the database.
type clientsOf struct {
	app *app
	id  tenant.ID
}

// Client returns the client of that id, or tenant.ErrNoClient.
func (c clientsOf) Client(ctx context.Context, id string) (*tenant.Client, error) {
	return c.app.db.Client(ctx, c.id, id)
}
