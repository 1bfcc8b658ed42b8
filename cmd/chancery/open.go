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

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// openApp opens the database that conf names, beside any server that uses it.
func (c *config) openApp(ctx context.Context) (*app, error) {
	publicURL, err := c.publicURL(nil, false)
	if err != nil {
		return nil, err
	}
	if c.DatabaseURL == "" {
		file := filepath.Join(c.Data, "chancery.db")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no database at %s: start the server once, name another with --data or --database-url, or a server with --server", file)
		}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := newApp(ctx, c, publicURL, log, false)
	if err != nil {
		return nil, err
	}
	a.console.Keys = keys.NewPool(0, rand.Reader) // one command makes no keys ahead
	if err := a.adoptPublicURL(ctx); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
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
