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

	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant/keys"
)

// version is set at build time.
var version = "development"

// cli is the command line.
type cli struct {
	config
	Serve      serve             `cmd:"" default:"withargs" help:"Serve until SIGTERM."`
	Migrate    migrate           `cmd:"" help:"Migrate the database to what this program needs, and exit."`
	Login      loginCommand      `cmd:"" help:"Keep a server and a token that opens its administration, for later commands."`
	Logout     logoutCommand     `cmd:"" help:"Forget what login has kept."`
	Completion completionCommand `cmd:"" help:"Write what lets bash, zsh or fish complete commands."`
	kong.Plugins
	Version kong.VersionFlag `help:"Print the version."`
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == script.WorkerCommand {
		os.Exit(script.Work())
	}
	c := cli{Plugins: kong.Plugins{grammar(rows)}}
	parser := kong.Must(&c, kong.Name("chancery"), kong.Description("An OAuth 2.0 and OpenID Connect provider for many tenants."),
		kong.Vars{"version": version}, kong.ShortUsageOnError(), kong.Exit(func(code int) {
			if code != 0 {
				code = exitUsage // kong ends the program only where it was not called as it may be
			}
			os.Exit(code)
		}))
	k, err := parser.Parse(os.Args[1:])
	if err != nil {
		parser.Stdout = os.Stderr // where usage belongs that nobody asked for
	}
	parser.FatalIfErrorf(err)
	c.settle()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = run(ctx, k, &c.config)
	if errors.Is(err, keys.ErrSealed) {
		err = fmt.Errorf("the key-encryption key is not the one that this database was made with (%w)", keys.ErrSealed)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chancery:", err)
		os.Exit(exitCode(err))
	}
}

// run carries out the command that was selected: a row of the table, or one of this program itself.
func run(ctx context.Context, k *kong.Context, conf *config) error {
	if r := rowOf(k.Selected()); r != nil {
		return r.perform(ctx, conf, k.Selected())
	}
	k.BindTo(ctx, (*context.Context)(nil))
	k.Bind(conf)
	return k.Run()
}
