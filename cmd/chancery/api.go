package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/chancery-id/chancery/web/console"
)

// api performs operations of the administration: over HTTP at a server, or in this process.
type api struct {
	server *url.URL
	token  string
	client *http.Client
	cause  func() string // of the last failure, where the fault was this process's; nil: not known
	app    *app          // beside whose database it is; nil: over HTTP

	renew func(context.Context) (string, error) // gets another token where this one has expired; nil: there is none
}

// How much of an answer is read, how long one may take, and how often and for how long a request is held back that the
// server is too busy for.
const (
	maxAnswer   = 64 << 20
	answerTime  = 2 * time.Minute
	maxTries    = 5
	longestWait = 30 * time.Second
)

// newRemote returns the administration of the server at that URL.
func newRemote(server, token, extraCA string) (*api, error) {
	u, err := url.Parse(strings.TrimRight(server, "/"))
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, usage("the server %q is not an http or https URL without query and fragment", server)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return nil, usage("the server %s would see the token in plain text, and so would everybody between: use https", server)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = answerTime
	if extraCA != "" {
		pem, err := os.ReadFile(extraCA)
		if err != nil {
			return nil, err
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, err
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", extraCA)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	if u.Scheme == "http" {
		transport.Proxy = nil // a proxy would see the token
	}
	return &api{server: u, token: token, client: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the token is for this server alone
	}}}, nil
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// performed is one operation to perform.
type performed struct {
	of     *console.Operation
	path   map[string]string // values of its names
	query  url.Values
	body   []byte // nil: none
	header http.Header
}

// url is where the operation is.
func (a *api) url(p *performed) (string, error) {
	parts := strings.Split(p.of.Path, "/")
	for i, part := range parts {
		name, ok := strings.CutPrefix(part, ":")
		if !ok {
			continue
		}
		value := p.path[name]
		switch value {
		case "":
			return "", usage("an id is empty")
		case ".", "..":
			return "", usage("%q is no id", value)
		}
		parts[i] = url.PathEscape(value)
	}
	at := a.server.String() + strings.Join(parts, "/")
	if q := p.query.Encode(); q != "" {
		at += "?" + q
	}
	return at, nil
}

// do performs an operation. What is refused, or fails, is a *problem. Who only looks waits while the server is too busy.
func (a *api) do(ctx context.Context, p *performed) (*http.Response, error) {
	at, err := a.url(p)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		req, err := http.NewRequestWithContext(ctx, p.of.Method, at, bytes.NewReader(p.body))
		if err != nil {
			return nil, err
		}
		for name, values := range p.header {
			req.Header[name] = values
		}
		req.Header.Set("Authorization", "Bearer "+a.token)
		req.Header.Set("Accept", "application/json, application/jsonl, application/problem+json")
		req.Header.Set("User-Agent", "chancery/"+version)
		if p.body != nil {
			req.Header.Set("Content-Type", "application/json")
		}
		if req.Method == http.MethodPost && req.Header.Get("Idempotency-Key") == "" {
			req.Header.Set("Idempotency-Key", rand.Text())
		}
		res, err := a.client.Do(req)
		if err != nil {
			return nil, err
		}
		if res.StatusCode < http.StatusMultipleChoices {
			return res, nil
		}
		wait, busy := waitOf(req.Method, res)
		why := a.problem(res)
		if res.StatusCode == http.StatusUnauthorized && a.renew != nil {
			renew := a.renew
			a.renew = nil // once
			if a.token, err = renew(ctx); err != nil {
				return nil, err
			}
			continue
		}
		if !busy || try == maxTries {
			return nil, why
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// waitOf is how long to wait before a request is made again, and whether it may be.
func waitOf(method string, res *http.Response) (time.Duration, bool) {
	if method != http.MethodGet || res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	seconds, err := strconv.Atoi(res.Header.Get("Retry-After"))
	wait := time.Duration(seconds) * time.Second
	return wait, err == nil && seconds >= 0 && wait <= longestWait
}

// ask performs an operation, and returns its answer as JSON: nothing where it has none.
func (a *api) ask(ctx context.Context, p *performed) (json.RawMessage, error) {
	res, err := a.do(ctx, p)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxAnswer:
		return nil, errors.New("the answer is longer than any can be")
	case res.StatusCode == http.StatusNoContent:
		return nil, nil
	case !json.Valid(text):
		return nil, fmt.Errorf("%s is no JSON: is it a server of ours?", a.server)
	}
	return text, nil
}
