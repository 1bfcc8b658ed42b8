// Command challenge-app is an example of a first-party app that signs its user in without a browser: it asks for user
// name and password itself, posts them to the authorization challenge endpoint, and redeems the code it gets. It needs
// nothing but Go's standard library.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "challenge-app:", err)
		os.Exit(1)
	}
}

func run() error {
	issuer := flag.String("issuer", "http://127.0.0.1:8080/t/acme", "issuer to sign in at")
	client := flag.String("client", "", "client id of this app")
	scope := flag.String("scope", "openid profile email", "what to ask for")
	flag.Parse()
	if *client == "" {
		return errors.New("-client is required")
	}
	at, err := url.Parse(*issuer)
	if err != nil || at.Host == "" || at.Scheme != "https" && (at.Scheme != "http" || !loopback(at.Hostname())) {
		return errors.New("-issuer must be https, or http on the loopback")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	user := &terminal{in: bufio.NewReader(os.Stdin), out: os.Stderr}
	defer user.echo(true)
	app := &App{
		Issuer: *issuer, ClientID: *client, Scope: *scope,
		// An app on a user's device can keep no secret. One that runs on a server takes it from the environment: a
		// command line can be read by every process of the machine.
		ClientSecret: os.Getenv("CHALLENGE_APP_SECRET"),
		HTTP: &http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // what is posted here must go nowhere else
		}},
		Now: time.Now, Rand: rand.Reader, User: user,
	}
	tokens, err := app.SignIn(ctx)
	if err != nil {
		return err
	}
	// Tokens end soon; the app goes on with new ones, and its user notices nothing.
	if tokens.Refresh != "" {
		if tokens, err = app.Renew(ctx, tokens); err != nil {
			return err
		}
	}
	claims, err := app.UserInfo(ctx, tokens)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(claims)
}

// terminal is the user at a terminal, or whatever is piped in.
type terminal struct {
	in  *bufio.Reader
	out io.Writer
}

// Ask asks for a value, which is not shown while it is typed unless it is the user name.
func (t *terminal) Ask(name string) (string, error) {
	fmt.Fprintf(t.out, "%s: ", name)
	if name != "username" {
		t.echo(false)
		defer func() { t.echo(true); fmt.Fprintln(t.out) }()
	}
	line, err := t.in.ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" && err != nil {
		return "", errors.New("nobody answers")
	}
	return line, nil
}

// Tell tells the user something.
func (t *terminal) Tell(what string) { fmt.Fprintln(t.out, what) }

// echo turns the echo of the terminal on or off, if it is one.
func (t *terminal) echo(on bool) {
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return
	}
	arg := "-echo"
	if on {
		arg = "echo"
	}
	c := exec.Command("stty", arg)
	c.Stdin = os.Stdin
	_ = c.Run() // no stty: what is typed is seen
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
