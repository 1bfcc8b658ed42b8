package main

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/challenge"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/flows/logout"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/flows/sts"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/persistence/postgres"
	"github.com/chancery-id/chancery/persistence/sqlite"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/tenant/outbound"
	"github.com/chancery-id/chancery/web"
	"github.com/chancery-id/chancery/web/authlete"
	"github.com/chancery-id/chancery/web/connect2id"
	"github.com/chancery-id/chancery/web/console"
	"github.com/chancery-id/chancery/web/firstparty"
	"github.com/chancery-id/chancery/web/login"
	"github.com/chancery-id/chancery/web/oidc"
	"github.com/chancery-id/chancery/web/wire"
)

// app is the services over one open database, as the server and the commands share them.
type app struct {
	conf      *config
	publicURL *url.URL
	mutualURL string // for clients with certificates; empty: the public URL
	log       *slog.Logger
	db        *persistence.DB
	pool      *keys.Pool
	outbound  *outbound.Client
	resolver  *tenant.Resolver
	limiter   *limit.Limiter
	accounts  *account.Service
	clients   *registration.Service
	console   *admin.Console
	sealed    atomic.Int64 // events
	uses      *admin.LastUses
	usage     *limit.Usage
	runner    *script.Runner
	workers   *script.Workers
	journal   *script.Journal
	fetches   *outbound.Client // for scripts
}

// newApp opens the database that conf names, which it migrates first, and builds the services over it.
func newApp(ctx context.Context, conf *config, publicURL *url.URL, log *slog.Logger, tracing bool) (*app, error) {
	kek, err := conf.kek(func(b []byte) { _, _ = rand.Read(b) })
	if err != nil {
		return nil, err
	}
	sealer, err := keys.NewSealer(kek)
	if err != nil {
		return nil, err
	}
	calls, err := conf.outbound()
	if err != nil {
		return nil, err
	}
	db, err := openDatabase(ctx, conf, sealer, tracing)
	if err != nil {
		return nil, err
	}
	return assemble(conf, publicURL, log, db, calls), nil
}

// assemble builds the services over an open database.
func assemble(conf *config, publicURL *url.URL, log *slog.Logger, db *persistence.DB, calls *outbound.Client) *app {
	a := &app{conf: conf, publicURL: publicURL, log: log, db: db, outbound: calls, pool: keys.NewPool(4, rand.Reader)}
	a.resolver = tenant.NewResolver(db, tenant.Options{Now: time.Now, Documents: a.documents(), Lost: func(err error) { log.Warn("changes cannot be seen", "error", err) }})
	limits := limit.Development()
	if conf.production() {
		limits = limit.Production()
	}
	a.limiter = limit.New(time.Now, limits, limit.Guesses())
	a.accounts = &account.Service{Store: db, Now: time.Now, Rand: rand.Reader, Hasher: &account.Hasher{Rand: rand.Reader}, Limit: a.limiter, Rehash: db, Events: db, Factors: db, Sent: a.limiter}
	a.clients = &registration.Service{Store: db, Numbers: db, Initial: db, Now: time.Now, Rand: rand.Reader, Limit: a.limiter, GrantTypes: token.GrantTypes(), ResponseTypes: authorize.ResponseTypes(),
		Permits: calls.Permits, Fetch: calls.Get}
	a.console = &admin.Console{Store: db, Access: db, Policy: admin.NewPolicy(db), Answers: db, Trail: db, Outbox: db, Live: a.tenant, Numbers: db, Clients: a.clients, Accounts: a.accounts, Keys: a.pool, Now: time.Now, Rand: rand.Reader, PublicURL: publicURL, Resolver: a.resolver}
	a.uses, a.usage = &admin.LastUses{Store: db}, &limit.Usage{Now: time.Now, Store: db}
	a.fetches = fetching(calls)
	a.runner = a.scripts()
	a.console.ScriptStore, a.console.Trials = db, a.runner.JavaScript
	a.console.Grace, a.console.PasswordPage = conf.DeleteGrace, login.PasswordPath
	a.console.Logins = &session.Service{Now: time.Now, Rand: rand.Reader, Store: db, Register: db}
	a.console.Webhooks, a.console.Owed, a.console.Permits = db, db, calls.Permits
	a.console.Granted = &access.Service{Now: time.Now, Issuer: &grant.Issuer{Now: time.Now, Rand: rand.Reader}, Grants: db, Register: db}
	return a
}

// documents finds clients by their metadata documents.
func (a *app) documents() *tenant.Documents {
	return &tenant.Documents{
		Now: time.Now,
		Fetch: func(ctx context.Context, key, url string, max int64) ([]byte, string, time.Duration, error) {
			answer, err := a.outbound.Fetch(ctx, key, url, max)
			return answer.Body, answer.Type, answer.Fresh, err
		},
		Read: func(t *tenant.Tenant, id string, doc []byte) (*tenant.Client, error) {
			return a.clients.Document(t, id, doc)
		},
		Allow: func(ctx context.Context, t tenant.ID) bool {
			_, ok := a.limiter.Allow(ctx, t, limit.Document)
			return ok
		},
	}
}

// openDatabase opens PostgreSQL where it is configured, else the embedded database in the data directory.
func openDatabase(ctx context.Context, conf *config, sealer keys.Sealer, tracing bool) (*persistence.DB, error) {
	var tracer trace.TracerProvider
	if tracing {
		tracer = otel.GetTracerProvider()
	}
	if conf.DatabaseURL != "" {
		return postgres.Open(ctx, postgres.Options{DSN: conf.DatabaseURL, ListenDSN: conf.ListenDatabaseURL, Sealer: sealer, Tracer: tracer, Durable: conf.production()})
	}
	if err := os.MkdirAll(conf.Data, 0o700); err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, filepath.Join(conf.Data, "chancery.db"), sqlite.Options{Sealer: sealer, Tracer: tracer})
}

// close ends what newApp began.
func (a *app) close() error {
	a.pool.Close()
	a.workers.Close()
	return a.db.Close()
}

// healthy reports whether the server can do its work: the database answers, and changes are seen.
func (a *app) healthy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return errors.Join(a.resolver.Healthy(time.Now()), a.db.Ping(ctx))
}

// web wires the flows to their doors.
func (a *app) web(proxies []netip.Prefix, sink wire.Sink, tracing bool) web.Config {
	clientKeys := tenant.NewClientKeys(time.Now, a.outbound.Get)
	a.clients.Keys = clientKeys
	issuer := &grant.Issuer{Now: time.Now, Rand: rand.Reader, Keys: clientKeys, Usage: a.usage, Accounts: a.accounts}
	sessions := a.console.Logins
	issuer.Sources = &access.Sources{Now: time.Now, Hooks: a.runner, Sessions: sessions}
	requests := &request.Service{Now: time.Now, Rand: rand.Reader, Store: a.db, Limit: a.limiter, ResponseTypes: authorize.ResponseTypes(), ResponseModes: authorize.ResponseModes(), Keys: clientKeys, Fetch: a.outbound.Get, Replay: a.db, Hint: func(ctx context.Context, t *tenant.Tenant, c *tenant.Client, hint string) (string, error) {
		return issuer.ParseIDToken(ctx, t, c.ID, hint)
	}}
	requests.Granted = authorize.ManagedSubject(time.Now, a.db)
	authz := &authorize.Service{Managed: a.db, Now: time.Now, Rand: rand.Reader, Requests: requests, Sessions: sessions, Issuer: issuer, Accounts: a.accounts, Store: a.db}
	backchannel := &ciba.Service{Now: time.Now, Requests: requests, Accounts: a.accounts, Claims: a.accounts, Issuer: issuer, Store: a.db, Managed: a.db, Limit: a.limiter, Register: a.db, Sessions: sessions}
	devices := &device.Service{Now: time.Now, Rand: rand.Reader, Requests: requests, Issuer: issuer, Store: a.db, Decoupled: a.db, Managed: a.db, Limit: a.limiter, Page: discovery.DevicePage}
	proofs := &proof.Service{Now: time.Now, Replay: a.db}
	questions := &access.Service{Now: time.Now, Issuer: issuer, Grants: a.db, Register: a.db, Managed: a.db, Ledger: a.db, Accounts: a.accounts, Proofs: proofs, Hooks: a.runner}
	a.clients.Access, a.clients.Grants, a.clients.Granted = questions, a.db, a.db
	a.accounts.Deliver = deliver(a.runner.Webhook)
	tokens := &token.Service{Now: time.Now, Issuer: issuer, Grants: a.db, Records: a.db, Sessions: a.db, Accounts: a.accounts, CIBA: backchannel, Device: devices, Hooks: a.runner,
		Passwords: a.accounts, Guesses: a.limiter, Access: questions, Keys: clientKeys, Replay: a.db, Tickets: a.db, TokenEndpoint: discovery.Token}
	clientAuth := &clientauth.Service{Now: time.Now, Limit: a.limiter, Keys: clientKeys, Replay: a.db, TokenEndpoint: discovery.Token}
	vouchedFor := *clientAuth // where guesses come from only the tenant's own authorization server knows
	vouchedFor.Limit = nil
	challenges := &challenge.Service{Now: time.Now, Rand: rand.Reader, Clients: clientAuth, Requests: requests,
		Authorize: authz, Decider: a.steps(), Store: a.db, Grants: a.db, Proofs: proofs, Limit: a.limiter}
	tokens.StepUps = challenges
	aliases := discovery.Aliases{Public: a.publicURL.String(), Mutual: a.mutualURL}
	signout := &logout.Service{Issuer: issuer, Sessions: sessions}
	ui := &login.UI{Now: time.Now, Rand: rand.Reader, Authorize: authz, Sessions: sessions, Accounts: a.accounts,
		Device: devices, CIBA: backchannel,
		Logout: signout, Access: questions, Links: a.accounts, Insecure: !a.conf.production()}
	meters := connect2id.NewMetrics(time.Now)
	meters.Pool, meters.Count = a.db.Pool, func(ctx context.Context) (admin.Objects, error) { return a.db.CountObjects(ctx, time.Now()) }
	sinks := wire.Sinks{meters}
	if sink != nil {
		sinks = append(sinks, sink)
	}
	c := web.Config{Resolver: a.resolver, Limiter: callLimits{a.limiter}, Uses: a.uses, Now: time.Now, PublicURL: a.publicURL, Production: a.conf.production(),
		TrustedProxies: proxies, Sink: sinks, Doors: []wire.Door{
			&oidc.Door{Now: time.Now, Authorize: authz, Tokens: tokens, Access: questions,
				Device:     devices,
				ClientAuth: clientAuth, Proofs: proofs, CIBA: backchannel, Clients: a.clients, Browser: ui, Uses: a.uses, Changed: a.resolver.Refresh, Aliases: aliases},
			ui,
			&connect2id.Door{Authorize: authz, CIBA: backchannel, Logout: signout, Access: questions, Console: a.console, Healthy: a.healthy, Metrics: meters, Now: time.Now,
				STS: &sts.Service{Now: time.Now, Rand: rand.Reader, Keys: clientKeys}},
			&authlete.Door{Now: time.Now, Rand: rand.Reader, Authorize: authz, Tokens: tokens, Access: questions, CIBA: backchannel, Device: devices,
				Proofs: proofs, ClientAuth: &vouchedFor, Clients: a.clients, Console: a.console, Changed: a.resolver.Refresh},
			&firstparty.Door{Browser: ui, Challenge: challenges, Aliases: aliases, Now: time.Now},
			&console.Door{Console: a.console, Resolve: a.tenant, Tokens: questions},
		}}
	if tracing {
		c.Tracer = otel.Tracer("github.com/chancery-id/chancery/web")
	}
	return c
}

// tenant returns an enabled tenant.
func (a *app) tenant(ctx context.Context, id tenant.ID) (*tenant.Tenant, error) {
	return a.resolver.Resolve(ctx, tenant.Name{ID: string(id)})
}

// callLimits puts the routes of the doors under the limits that are kept by name.
type callLimits struct{ *limit.Limiter }

// routeLimits are the limits on routes that cost more than a look: their name, and whether the source is counted or the
// client that calls.
var routeLimits = map[string]string{
	discovery.Device: limit.Authorize, discovery.DevicePage: limit.Login, discovery.DevicePage + "/:handle": limit.Login, "/account/requests": limit.Login,
	"/authorize": limit.Authorize, "/ciba": limit.Authorize, "/login/i/:handle": limit.Login, discovery.EndSession: limit.Login,
	login.PasswordPath + ":token": limit.Login, discovery.Challenge: limit.Login, firstparty.Janssen: limit.Login,
}

// Allow counts one call of a route.
func (l callLimits) Allow(ctx context.Context, t tenant.ID, client string, source netip.Addr, what string) *wire.Refusal {
	switch {
	case what == wire.AdminCall:
		return l.used(ctx, t, limit.Admin, client)
	case !source.IsValid():
		return nil // it proved that it acts for the tenant
	}
	if r := l.used(ctx, t, limit.Request, source.String()); r != nil {
		return r
	}
	if name, limited := routeLimits[what]; limited {
		return l.used(ctx, t, name, source.String())
	}
	return nil
}

// used counts one use of a limit by key, and says so where it is used up.
func (l callLimits) used(ctx context.Context, t tenant.ID, name, key string) *wire.Refusal {
	wait, ok := l.Limiter.Allow(ctx, t, name, key)
	if ok {
		return nil
	}
	quota, window := l.Policy(name)
	return &wire.Refusal{After: wait, Limit: name, Quota: quota, Window: window}
}
