package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
)

// demoTenants are made on the first start in development.
var demoTenants = []tenant.Settings{
	{Name: "Acme", Color: "#0b6e4f", Demo: true},
	{Name: "Globex", Color: "#7a3e9d", Demo: true},
}

// demoIDs are the ids of demoTenants.
var demoIDs = []string{"acme", "globex"}

// bootstrap is what bootstrap.json holds: everything needed to try the server out.
type bootstrap struct {
	PublicURL  string          `json:"public_url"`
	OpsURL     string          `json:"ops_url"`
	AdminToken string          `json:"admin_token"`
	Tenants    []admin.Created `json:"tenants"`
}

// firstStart makes the platform tenant and, where they are wanted, the demo tenants with the file that tells of them.
func (a *app) firstStart(ctx context.Context, s *serve, conf *config, opsURL string) error {
	adminToken, demo := s.AdminToken, s.demo(conf)
	if adminToken == "" && demo {
		var err error
		if adminToken, err = a.console.RandomToken(); err != nil {
			return err
		}
	}
	first, err := a.console.EnsurePlatform(ctx, adminToken)
	if err != nil {
		return err
	}
	if conf.production() {
		return a.refuseDemo(ctx)
	}
	file := filepath.Join(conf.Data, "bootstrap.json")
	if !demo || !first {
		return a.greet(file)
	}
	b := bootstrap{PublicURL: a.publicURL.String(), OpsURL: opsURL, AdminToken: adminToken}
	for i, settings := range demoTenants {
		made, err := a.console.CreateTenant(ctx, admin.New{ID: demoIDs[i], Settings: settings, Template: admin.Starter}, admin.By{Actor: admin.System})
		if errors.Is(err, tenant.ErrExists) {
			continue
		}
		if err != nil {
			return err
		}
		b.Tenants = append(b.Tenants, made)
	}
	if err := writeBootstrap(file, b); err != nil {
		return err
	}
	return a.greet(file)
}

// writeBootstrap writes the file whole or not at all, for its owner alone.
func writeBootstrap(file string, b bootstrap) error {
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".bootstrap-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.Write(append(text, '\n')); err != nil {
		return err
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

// refuseDemo refuses to serve demo tenants in production: their secrets lie in a file.
func (a *app) refuseDemo(ctx context.Context) error {
	for _, id := range demoIDs {
		r, err := a.db.Tenant(ctx, tenant.ID(id))
		if errors.Is(err, tenant.ErrUnknown) {
			continue
		}
		if err != nil {
			return err
		}
		if r.Settings.Demo {
			return fmt.Errorf("the database holds the demo tenant %s: production does not serve it; delete it with: chancery tenant delete %s", id, id)
		}
	}
	return nil
}

// greet tells a developer what to open and what to try.
func (a *app) greet(file string) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var b bootstrap
	if err := json.Unmarshal(text, &b); err != nil || len(b.Tenants) == 0 || b.Tenants[0].Client == nil || b.Tenants[0].User == nil {
		return nil // another's file; it is not needed to serve
	}
	t := b.Tenants[0]
	fmt.Fprintf(os.Stderr, greeting, a.publicURL, t.Issuer, t.Client.ID, t.User.Username, t.User.Password, file, a.publicURL, t.TenantID, t.APIToken, t.Client.ID)
	return nil
}

// greeting shows where to begin.
const greeting = `
Chancery serves %s

  Sign in to an application: go run ./docs/examples/relying-party, then open http://127.0.0.1:8765
          as %[4]s with the password %[5]s at %[8]s
  Or see  %[2]s/authorize?response_type=code&scope=openid+profile+email&client_id=%[3]s&redirect_uri=http%%3A%%2F%%2F127.0.0.1%%3A8765%%2Fcb
  Secrets %[6]s

  Begin an authorisation session:

  curl -s %[7]s/authz-sessions/rest/v1 -H 'Tenant-ID: %[8]s' \
    -H 'Authorization: Bearer %[9]s' \
    -H 'Content-Type: application/json' \
    -d '{"query":"response_type=code&scope=openid+email&client_id=%[10]s&redirect_uri=http%%3A%%2F%%2F127.0.0.1%%3A8765%%2Fcb&state=1"}'

`
