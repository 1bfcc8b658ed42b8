// Command authorization-server is an example of an authorization server that leaves the protocol to the ticket API: it
// hands over each request of its clients as it came, does what the action of the answer says, and answers with what
// the API made. Its own are the endpoints, the pages, the users and their sessions. It needs nothing but Go's standard
// library.
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
		fmt.Fprintln(os.Stderr, "authorization-server:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:9091", "address to listen at")
	issuer := flag.String("issuer", "", "the service's issuer, which is where this program is reached; the listen address by default")
	api := flag.String("api", "http://127.0.0.1:8080", "base URL of the API")
	service := flag.String("service", "", "number of the service")
	resource := flag.String("resource-server", "resource-server", "who may introspect tokens")
	flag.Parse()
	if *service == "" {
		return errors.New("-service is required")
	}
	// Secrets come from the environment: a command line can be read by every process of the machine.
	token := os.Getenv("CHANCERY_API_TOKEN")
	if token == "" {
		return errors.New("set CHANCERY_API_TOKEN to an API token of the service")
	}
	users, err := newUsers(fromEnvironment("USER_PASSWORD", "password of all users"), 600_000)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	if *issuer == "" {
		*issuer = "http://" + listener.Addr().String()
	}
	at, err := url.Parse(*issuer)
	if err != nil || at.Host == "" || at.Path != "" || at.Scheme != "https" && (at.Scheme != "http" || !loopback(at.Hostname())) {
		return errors.New("-issuer must be https, or http on the loopback, without a path")
	}
	s := &Server{
		Issuer: *issuer,
		Secure: at.Scheme == "https",
		API: &API{Base: *api + "/api/" + url.PathEscape(*service), Token: token, HTTP: &http.Client{
			// A short time-out of its own: better an error than a client that waits.
			Timeout: 10 * time.Second,
			// The token goes to the API and nowhere else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}},
		Users:    users,
		Resource: credentials{ID: *resource, Secret: fromEnvironment("RESOURCE_SERVER_SECRET", "secret of "+*resource)},
		Now:      time.Now,
		Log:      slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.check(ctx); err != nil {
		return err
	}
	web := &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = web.Shutdown(grace)
	}()
	fmt.Println("the issuer is", *issuer)
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// fromEnvironment returns a secret, one of its own making where none is set.
func fromEnvironment(name, what string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	v := rand.Text()
	fmt.Printf("%s: %s\n", what, v)
	return v
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
