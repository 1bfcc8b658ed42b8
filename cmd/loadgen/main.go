// Command loadgen drives a server's public HTTP API at a given rate, or as fast as it goes, and prints latencies.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Bootstrap   string        `name:"bootstrap" default:"data/bootstrap.json" type:"existingfile" help:"The server's bootstrap.json: where it is, and as whom to call."`
	URL         string        `name:"url" help:"Where to call, if not the public URL: a proxy before the server, for example."`
	Tenants     int           `name:"tenants" default:"1" help:"Spread the load over so many tenants, evenly; those that are missing are created."`
	Connections int           `name:"connections" short:"c" default:"32" help:"At most so many requests at once."`
	Rate        float64       `name:"rate" short:"r" help:"Operations begun per second, whatever the server does; 0: as fast as the answers come."`
	Duration    time.Duration `name:"duration" short:"d" default:"10s" help:"How long each operation is driven."`
	Warmup      time.Duration `name:"warmup" default:"2s" help:"How long before that it is driven without being measured."`
	Output      string        `name:"output" short:"o" default:"table" enum:"table,json" help:"table or json."`
	Operations  []string      `arg:"" optional:"" help:"What to drive, one after the other; all of them where none is named."`
}

func main() {
	var c cli
	kong.Parse(&c, kong.Name("loadgen"), kong.Description("Drives a server's public HTTP API and prints latencies.\n\nOperations: "+
		strings.Join(operationNames(), ", ")+"."), kong.ShortUsageOnError())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := c.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

// run drives each operation in turn and prints a line for each. That an operation failed is an error, at the end.
func (c *cli) run(ctx context.Context) error {
	ops, err := operationsNamed(c.Operations)
	if err != nil {
		return err
	}
	if c.Connections < 1 || c.Tenants < 1 || c.Duration <= 0 || c.Rate < 0 {
		return fmt.Errorf("connections, tenants and duration must be positive, and rate not negative")
	}
	client := &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{MaxIdleConns: c.Connections, MaxIdleConnsPerHost: c.Connections, MaxConnsPerHost: c.Connections},
	}
	s, err := openSite(ctx, client, c.Bootstrap, c.URL, c.Tenants)
	if err != nil {
		return err
	}
	p := newPrinter(os.Stdout, c.Output)
	failed := 0
	for _, op := range ops {
		r, err := drive(ctx, s, op, plan{Connections: c.Connections, Rate: c.Rate, Warmup: c.Warmup, Duration: c.Duration})
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		if err := p.print(r); err != nil {
			return err
		}
		failed += r.Failed()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d operations failed", failed)
	}
	return nil
}
