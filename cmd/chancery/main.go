// Command chancery is an OAuth 2.0 and OpenID Connect provider for many tenants, and the operator's tool for it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/chancery-id/chancery/tenant/keys"
)

// version is set at build time.
var version = "development"

// cli is the command line.
type cli struct {
	config
	Serve   serve                `cmd:"" default:"withargs" help:"Serve until SIGTERM."`
	Migrate migrate              `cmd:"" help:"Migrate the database to what this program needs, and exit."`
	Tenant  tenantCommands       `cmd:"" help:"Tenants."`
	User    userCommands         `cmd:"" help:"Users that a tenant keeps with us."`
	Client  clientCommands       `cmd:"" help:"Clients of a tenant."`
	Key     keyCommands          `cmd:"" help:"Signing keys of a tenant."`
	Token   tokenCommands        `cmd:"" help:"API tokens of a tenant, or of the platform."`
	Session sessionCommands      `cmd:"" help:"Sessions of subjects."`
	Grant   grantCommands        `cmd:"" help:"What subjects granted to clients."`
	Outbox  outboxCommands       `cmd:"" help:"What a tenant owes others: logout tokens, notifications, webhooks."`
	Initial initialTokenCommands `cmd:"" name:"initial-token" help:"Initial access tokens, which let their holders register clients."`
	Audit   auditCommands        `cmd:"" help:"What happened at a tenant, or at the platform."`
	Version kong.VersionFlag     `help:"Print the version."`
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("chancery"), kong.Description("An OAuth 2.0 and OpenID Connect provider for many tenants."),
		kong.Vars{"version": version}, kong.ShortUsageOnError())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k.BindTo(ctx, (*context.Context)(nil))
	k.Bind(&c.config)
	err := k.Run()
	if errors.Is(err, keys.ErrSealed) {
		err = fmt.Errorf("the key-encryption key is not the one that this database was made with (%w)", keys.ErrSealed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chancery:", err)
		os.Exit(1)
	}
}
