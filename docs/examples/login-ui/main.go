// Command login-ui is an example of a tenant's own login UI. It stands at the tenant's authorization endpoint, hands
// each authorization request to the authorisation-session API, asks its user what the API prompts for, and sends the
// browser back to the client with the response. It needs nothing but Go's standard library.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "login-ui:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:9090", "address to listen at")
	public := flag.String("public-url", "", "where browsers see this program; the listen address by default")
	server := flag.String("server", "http://127.0.0.1:8080", "base URL of the authorisation-session API")
	tenant := flag.String("tenant", "acme", "tenant to act for")
	flag.Parse()

	// Secrets come from the environment: a command line can be read by every process of the machine.
	token := os.Getenv("CHANCERY_API_TOKEN")
	if token == "" {
		return errors.New("set CHANCERY_API_TOKEN to an API token of the tenant")
	}
	password := os.Getenv("LOGIN_UI_PASSWORD")
	if password == "" {
		password = rand.Text()
		fmt.Println("password of all users:", password)
	}
	users, err := newUsers(password, 600_000)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	if *public == "" {
		*public = "http://" + listener.Addr().String()
	}
	at, err := url.Parse(*public)
	if err != nil || at.Host == "" || at.Scheme != "https" && (at.Scheme != "http" || !loopback(at.Hostname())) {
		return errors.New("-public-url must be https, or http on the loopback")
	}
	ui := &UI{
		// A short time-out of its own: better an error page than a browser that waits.
		API:     &API{Base: *server, Tenant: *tenant, Token: token, HTTP: &http.Client{Timeout: 10 * time.Second}},
		Users:   users,
		Secure:  at.Scheme == "https",
		Now:     time.Now,
		Log:     slog.New(slog.NewJSONHandler(os.Stderr, nil)),
		pending: map[string]*pending{},
	}
	s := &http.Server{
		Handler:           ui.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      20 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(grace)
	}()
	fmt.Printf("set the tenant's login_url to %s/authorize\n", *public)
	if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
