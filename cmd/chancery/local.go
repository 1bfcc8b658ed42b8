package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
	"github.com/chancery-id/chancery/web"
	"github.com/chancery-id/chancery/web/console"
	"github.com/chancery-id/chancery/web/wire"
)

// operator is the actor of what is done on the command line beside the database.
const operator = "command line"

// unhurried is how long one operation beside the database may take.
const unhurried = time.Hour

// local is the administration in this process, over the open database a: the same handler that serves it over HTTP. Its
// callers are the operator, who may do everything.
func (a *app) local(ctx context.Context) (*api, error) {
	home, token, err := a.operatorsHome(ctx)
	if err != nil {
		return nil, err
	}
	var cause lastCause
	h := web.New(web.Config{Resolver: oneTenant{home}, Now: time.Now, PublicURL: a.console.PublicURL, Sink: &cause, Patience: unhurried,
		Doors: []wire.Door{&console.Door{Console: a.console, Operator: operator}}})
	return &api{server: &url.URL{Scheme: "http", Host: "localhost"}, token: token, client: &http.Client{Transport: inProcess{h}}, cause: cause.get, app: a}, nil
}

// operatorsHome is where the operator is at home: the platform, also where there is none yet, with one token, which only
// this process has.
func (a *app) operatorsHome(ctx context.Context) (*tenant.Tenant, string, error) {
	token, err := a.console.RandomToken()
	if err != nil {
		return nil, "", err
	}
	hash := sha256.Sum256([]byte(token))
	home := &tenant.Tenant{ID: tenant.Platform, Settings: &tenant.Settings{}, Tokens: []tenant.APIToken{{ID: operator, Hash: hash[:], APIs: []tenant.API{tenant.AdminAPI}}}}
	switch r, err := a.console.Tenant(ctx, tenant.Platform); {
	case err == nil:
		home.Secret = r.Secret // so that cursors are good for longer than this process
		return home, token, nil
	case !errors.Is(err, tenant.ErrUnknown):
		return nil, "", err
	}
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	home.Secret, err = keys.NewSecret(b)
	return home, token, err
}

// oneTenant resolves to one tenant, whatever is asked for.
type oneTenant struct{ t *tenant.Tenant }

// Resolve returns the tenant.
func (o oneTenant) Resolve(context.Context, ...tenant.Name) (*tenant.Tenant, error) { return o.t, nil }

// Healthy reports that there is nothing to miss.
func (oneTenant) Healthy(time.Time) error { return nil }

// lastCause remembers why the last request failed, where the fault was ours.
type lastCause struct{ text atomic.Pointer[string] }

// Request implements wire.Sink.
func (l *lastCause) Request(_ context.Context, r *wire.Record) {
	if r.Status >= http.StatusInternalServerError && r.Cause != "" {
		l.text.Store(&r.Cause)
	}
}

func (l *lastCause) get() string {
	if s := l.text.Swap(nil); s != nil {
		return *s
	}
	return ""
}

// inProcess hands requests to a handler without a socket.
type inProcess struct{ handler http.Handler }

var errBroken = errors.New("the answer broke off")

// RoundTrip returns as soon as the handler has begun to answer; its body is read while it is written.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	body, pipe := io.Pipe()
	w := &pipedAnswer{header: http.Header{}, pipe: pipe, begun: make(chan struct{})}
	served := r.Clone(r.Context())
	served.RequestURI, served.Host, served.RemoteAddr = r.URL.RequestURI(), r.URL.Host, "127.0.0.1:0"
	if served.Body == nil {
		served.Body = http.NoBody
	}
	go func() {
		defer func() {
			v := recover()
			w.WriteHeader(http.StatusInternalServerError) // unless it is written
			switch {
			case v == nil:
				_ = pipe.Close()
			case v == http.ErrAbortHandler:
				_ = pipe.CloseWithError(errBroken)
			default:
				_ = pipe.CloseWithError(fmt.Errorf("%w: %v", errBroken, v))
			}
		}()
		p.handler.ServeHTTP(w, served)
		w.WriteHeader(http.StatusOK)
	}()
	<-w.begun
	return &http.Response{StatusCode: w.status, Status: fmt.Sprint(w.status, " ", http.StatusText(w.status)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: -1, Request: r}, nil
}

// pipedAnswer is an answer that is read while it is written.
type pipedAnswer struct {
	header, sent http.Header
	status       int
	pipe         *io.PipeWriter
	once         sync.Once
	begun        chan struct{}
}

// Header implements http.ResponseWriter.
func (w *pipedAnswer) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *pipedAnswer) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	})
}

// Write implements http.ResponseWriter.
func (w *pipedAnswer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(b)
}
