package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web"
	"github.com/chancery-id/chancery/web/wire"
)

// serve is the command that serves.
type serve struct {
	OpsListen      string   `name:"ops-listen" env:"CHANCERY_OPS_LISTEN" default:"127.0.0.1:8081" placeholder:"ADDR" help:"Address of health, readiness and metrics."`
	TLSCert        string   `name:"tls-cert" env:"CHANCERY_TLS_CERT" placeholder:"FILE" help:"Certificate chain to serve TLS with, PEM; read again when it changes."`
	TLSKey         string   `name:"tls-key" env:"CHANCERY_TLS_KEY" placeholder:"FILE" help:"Private key of the certificate, PEM."`
	MTLSListen     string   `name:"mtls-listen" env:"CHANCERY_MTLS_LISTEN" placeholder:"ADDR" help:"Address where clients are asked for a certificate, instead of at --listen."`
	MTLSURL        string   `name:"mtls-url" env:"CHANCERY_MTLS_URL" placeholder:"URL" help:"Where the outside reaches the server with client certificates, if not at the public URL; --mtls-listen by default."`
	CertHeader     string   `name:"client-cert-header" env:"CHANCERY_CLIENT_CERT_HEADER" default:"Client-Cert" placeholder:"NAME" help:"Header in which trusted proxies hand on the certificate of a client."`
	Demo           *bool    `name:"demo" env:"CHANCERY_DEMO" placeholder:"BOOL" help:"Create the demo tenants on the first start; true in development."`
	AdminToken     string   `name:"admin-token" env:"CHANCERY_ADMIN_TOKEN" placeholder:"TOKEN" help:"First platform token, at least 32 characters."`
	TrustedProxies []string `name:"trusted-proxies" env:"CHANCERY_TRUSTED_PROXIES" placeholder:"CIDR" help:"Networks whose forwarding and tenant headers count; loopback in development."`
	MaxRequests    int      `name:"max-requests" env:"CHANCERY_MAX_REQUESTS" default:"1024" help:"Requests served at once, of which one tenant may have half; what comes beyond is answered 503 at once."`
}

// drain is how long open requests may take after SIGTERM, when clients have left: with patience, it stays below 30 s.
const drain = 22 * time.Second

// Run serves until ctx ends.
func (s *serve) Run(ctx context.Context, conf *config) error {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	proxies, err := s.trusted()
	if err != nil {
		return err
	}
	if s.AdminToken != "" && len(s.AdminToken) < 32 {
		return errors.New("--admin-token has less than 32 characters")
	}
	if err := s.check(conf, proxies); err != nil {
		return err
	}
	certificate, mutual, err := s.tls(log)
	if err != nil {
		return err
	}
	public, err := net.Listen("tcp", conf.Listen)
	if err != nil {
		return err
	}
	defer public.Close()
	ops, err := net.Listen("tcp", s.OpsListen)
	if err != nil {
		return err
	}
	defer ops.Close()
	var mtls net.Listener
	if s.MTLSListen != "" {
		if mtls, err = net.Listen("tcp", s.MTLSListen); err != nil {
			return err
		}
		defer mtls.Close()
	}
	mutualURL, err := s.mutualURL(mtls)
	if err != nil {
		return err
	}
	publicURL, err := conf.publicURL(public.Addr(), certificate != nil)
	if err != nil {
		return err
	}
	telemetry, err := newTelemetry(ctx, os.Getenv)
	if err != nil {
		return err
	}
	var ready atomic.Pointer[app]
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	work, background := errgroup.WithContext(background)
	servers := []*http.Server{newServer(s.operations(&ready, telemetry.metrics), log)}
	work.Go(func() error { return serving(servers[0].Serve(ops)) })

	a, err := opened(ctx, conf, publicURL, log, telemetry.tracing)
	if a == nil {
		return err
	}
	defer a.close()
	if err := s.begin(ctx, background, work, a, conf, "http://"+reachable(ops.Addr(), s.OpsListen)); err != nil {
		return errors.Join(err, s.shutdown(servers, work, stop, telemetry)) // before the database is closed
	}
	a.mutualURL = mutualURL
	site := a.web(proxies, wire.Sinks{wire.LogSink{Log: log}, &telemetry.requests}, telemetry.tracing)
	site.CertificateHeader = s.CertHeader
	site.Places = wire.NewPlaces(s.MaxRequests)
	handler := web.New(site)
	var guests farewell
	for _, l := range []struct {
		net.Listener
		tls *tls.Config
	}{{public, certificate}, {mtls, mutual}} {
		if l.Listener == nil {
			continue
		}
		server := newServer(handler, log)
		server.TLSConfig = l.tls
		guests.of(server)
		servers = append(servers, server)
		work.Go(func() error {
			if l.tls != nil {
				return serving(server.ServeTLS(l.Listener, "", ""))
			}
			return serving(server.Serve(l.Listener))
		})
	}
	ready.Store(a)
	log.Info("ready", "public_url", publicURL.String(), "ops", ops.Addr().String(), "env", conf.Env, "version", version)
	go debug.FreeOSMemory() // what the start alone needed: nothing else would collect it while nobody calls

	select {
	case <-ctx.Done():
	case <-background.Done():
	}
	log.Info("stopping")
	ready.Store(nil)
	guests.say(context.Background())
	return s.shutdown(servers, work, stop, telemetry)
}

// begin begins what goes on in the background, and makes what the first start makes.
func (s *serve) begin(ctx, background context.Context, work *errgroup.Group, a *app, conf *config, opsURL string) error {
	if err := observe(a); err != nil {
		return err
	}
	work.Go(func() error { a.resolver.Run(background); return nil })
	work.Go(func() error { return a.keepHouse(background) })
	work.Go(func() error { a.journal.Run(background); return nil })
	post, err := a.newPost()
	if err != nil {
		return err
	}
	work.Go(func() error { return post.run(background) })
	return a.firstStart(ctx, s, conf, opsURL)
}

// opened is newApp, which it calls again until the database can be reached: a server may be started before its database.
// It returns nil and no error when ctx ends first.
func opened(ctx context.Context, conf *config, publicURL *url.URL, log *slog.Logger, tracing bool) (*app, error) {
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		a, err := newApp(ctx, conf, publicURL, log, tracing)
		if err == nil || !errors.Is(err, oauth.Unavailable()) {
			return a, err
		}
		log.Warn("waiting for the database", "error", err)
		select {
		case <-ctx.Done():
			return nil, nil
		case <-time.After(pause):
		}
	}
}

// shutdown lets open requests end, then stops what runs in the background.
func (s *serve) shutdown(servers []*http.Server, work *errgroup.Group, stop context.CancelFunc, t *telemetry) error {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	var errs []error
	for i := len(servers) - 1; i >= 0; i-- {
		errs = append(errs, servers[i].Shutdown(ctx))
	}
	stop()
	if err := work.Wait(); !errors.Is(err, context.Canceled) {
		errs = append(errs, err)
	}
	flush, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = t.close(flush) // a collector that is away must not fail the stop
	return errors.Join(errs...)
}

func serving(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// check refuses what is not fit for production.
func (s *serve) check(conf *config, proxies []netip.Prefix) error {
	if !conf.production() {
		return nil
	}
	switch {
	case conf.KEK == "" && conf.KEKFile == "":
		return errNoKEK
	case s.TLSCert == "" && len(proxies) == 0:
		return errors.New("production needs TLS: set --tls-cert and --tls-key, or name the proxy that ends it in CHANCERY_TRUSTED_PROXIES")
	case slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Bits() == 0 }):
		return errors.New("production does not trust everyone: name the networks of the proxies in CHANCERY_TRUSTED_PROXIES, not all addresses")
	case s.Demo != nil && *s.Demo:
		return errors.New("production does not make demo tenants: leave --demo off")
	}
	if u, err := url.Parse(conf.PublicURL); conf.PublicURL == "" || err != nil || u.Scheme != "https" {
		return errors.New("production needs --public-url with https: it is part of every issuer")
	}
	return nil
}

// demo reports whether the demo tenants are to be made.
func (s *serve) demo(conf *config) bool {
	if s.Demo != nil {
		return *s.Demo
	}
	return !conf.production()
}

// trusted parses the trusted proxies; nil: none are named.
func (s *serve) trusted() ([]netip.Prefix, error) {
	return networks("--trusted-proxies", s.TrustedProxies)
}

// newServer bounds what one connection may cost.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
}

// operations serves what the operator's machines ask: whether the process lives, whether it is ready, and its metrics.
func (s *serve) operations(ready *atomic.Pointer[app], metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		a := ready.Load()
		if a == nil {
			http.Error(w, "starting or stopping", http.StatusServiceUnavailable)
			return
		}
		if err := a.healthy(r.Context()); err != nil {
			http.Error(w, "the database cannot be reached, or changes cannot be seen", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", metrics)
	return mux
}
