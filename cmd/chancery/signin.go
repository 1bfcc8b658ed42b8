package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// platform is where people sign in who administer a server.
type platform struct {
	Resource  string `json:"-"` // what their tokens are for
	Issuer    string `json:"issuer"`
	Authorize string `json:"authorization_endpoint"`
	Token     string `json:"token_endpoint"`
	Device    string `json:"device_authorization_endpoint"`
}

// signInScope is what the command line asks for: to know who it is, and to go on while they are away.
const signInScope = "openid offline_access " + tenant.AdminScope

// signInTime is how long a person may take.
const signInTime = 10 * time.Minute

// signedIn are the tokens of a person.
type signedIn struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
}

// platformOf asks the server where people sign in (RFC 9728 §3, RFC 8414 §3). What it answers has to be about itself.
func (a *api) platformOf(ctx context.Context) (*platform, error) {
	var r struct {
		Resource string   `json:"resource"`
		Servers  []string `json:"authorization_servers"`
	}
	at := a.server.Scheme + "://" + a.server.Host + "/.well-known/oauth-protected-resource" + a.server.EscapedPath() + "/admin/v1"
	if err := a.get(ctx, at, &r); err != nil {
		return nil, err
	}
	if want := a.server.String() + "/admin/v1"; r.Resource != want || len(r.Servers) != 1 {
		return nil, fmt.Errorf("%s says that its administration is %s: sign in at the URL that it calls itself by", a.server, plain(r.Resource))
	}
	p := &platform{Resource: r.Resource}
	if err := a.get(ctx, r.Servers[0]+"/.well-known/openid-configuration", p); err != nil {
		return nil, err
	}
	if p.Issuer != r.Servers[0] {
		return nil, fmt.Errorf("%s is not the issuer that it says it is", plain(r.Servers[0]))
	}
	for _, endpoint := range []string{p.Authorize, p.Token, p.Device} {
		if u, err := url.Parse(endpoint); err != nil || endpoint != "" && u.Scheme+"://"+u.Host != a.server.Scheme+"://"+a.server.Host {
			return nil, fmt.Errorf("%s is not at the server that was named", plain(endpoint))
		}
	}
	return p, nil
}

func (a *api) get(ctx context.Context, at string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	_, err = a.read(req, into)
	return err
}

// form posts a form, and returns the error code that it is answered with, or none.
func (a *api) form(ctx context.Context, at string, values url.Values, into any) (code string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(values.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return a.read(req, into)
}

// read reads the JSON answer to a request, or the error that it is (RFC 6749 §5.2).
func (a *api) read(req *http.Request, into any) (code string, err error) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "chancery/"+version)
	res, err := a.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", err
	}
	if res.StatusCode == http.StatusOK {
		return "", json.Unmarshal(text, into)
	}
	var e struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(text, &e) != nil || e.Code == "" {
		return "", fmt.Errorf("%s answered %s", req.URL.Redacted(), res.Status)
	}
	return e.Code, &problem{Status: res.StatusCode, Code: e.Code, Detail: strings.TrimSuffix("signing in failed: "+e.Code+": "+e.Description, ": ")}
}

// withBrowser lets a person sign in with a browser of this machine, which comes back to a port of it (RFC 8252 §7.3).
func (a *api) withBrowser(ctx context.Context, p *platform, open func(string)) (*signedIn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	redirect, state, verifier := "http://"+l.Addr().String()+"/callback", rand.Text(), rand.Text()+rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	answers := make(chan url.Values, 1)
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.Method != http.MethodGet || r.URL.Path != "/callback" || subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 || q.Get("iss") != p.Issuer {
			http.NotFound(w, r) // not the answer that is waited for (RFC 6749 §10.12, RFC 9207 §2.4)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("Referrer-Policy", "no-referrer")
		fmt.Fprintln(w, "You can close this page and go back to your terminal.")
		select {
		case answers <- q:
		default:
		}
	})}
	go server.Serve(l)
	defer server.Close()
	open(p.Authorize + "?" + url.Values{"response_type": {"code"}, "client_id": {tenant.CommandLine}, "redirect_uri": {redirect}, "scope": {signInScope}, "resource": {p.Resource},
		"state": {state}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"}, "prompt": {"consent"}}.Encode())
	ctx, cancel := context.WithTimeout(ctx, signInTime)
	defer cancel()
	select {
	case <-ctx.Done():
		return nil, errNobody
	case q := <-answers:
		shutdown, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer done()
		_ = server.Shutdown(shutdown) // so that the browser gets its page
		if e := q.Get("error"); e != "" {
			return nil, &problem{Status: http.StatusForbidden, Code: e, Detail: "signing in failed: " + e}
		}
		return a.redeem(ctx, p.Token, url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")}, "redirect_uri": {redirect}, "code_verifier": {verifier}, "resource": {p.Resource}})
	}
}

var errNobody = errors.New("nobody signed in")

// withDevice lets a person sign in elsewhere, with a code (RFC 8628).
func (a *api) withDevice(ctx context.Context, p *platform, tell func(uri, code, complete string)) (*signedIn, error) {
	if p.Device == "" {
		return nil, errors.New("the platform does not serve devices: turn on device.enabled in its settings, or sign in with a browser")
	}
	var d struct {
		Code     string `json:"device_code"`
		UserCode string `json:"user_code"`
		URI      string `json:"verification_uri"`
		Complete string `json:"verification_uri_complete"`
		Lives    int    `json:"expires_in"`
		Interval int    `json:"interval"`
	}
	if _, err := a.form(ctx, p.Device, url.Values{"client_id": {tenant.CommandLine}, "scope": {signInScope}, "resource": {p.Resource}}, &d); err != nil {
		return nil, err
	}
	tell(d.URI, d.UserCode, d.Complete)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(d.Lives)*time.Second)
	defer cancel()
	for pause := time.Duration(max(d.Interval, 1)) * time.Second; ; {
		select {
		case <-ctx.Done():
			return nil, errNobody
		case <-time.After(pause):
		}
		in, err := a.redeem(ctx, p.Token, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {d.Code}, "resource": {p.Resource}})
		e, ok := errors.AsType[*problem](err)
		switch {
		case ok && e.Code == "authorization_pending":
		case ok && e.Code == "slow_down":
			pause += 5 * time.Second // RFC 8628 §3.5
		default:
			return in, err
		}
	}
}

// redeem gets tokens for what a person allowed.
func (a *api) redeem(ctx context.Context, endpoint string, values url.Values) (*signedIn, error) {
	values.Set("client_id", tenant.CommandLine)
	var in signedIn
	_, err := a.form(ctx, endpoint, values, &in)
	if err == nil && (in.Access == "" || !strings.EqualFold(in.Type, "Bearer")) {
		err = errors.New("the platform answered without a bearer token")
	}
	return &in, err
}

// revoke ends what a person signed in for (RFC 7009 §2.1).
func (a *api) revoke(ctx context.Context, at keptContext) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at.TokenEndpoint+"/revoke",
		strings.NewReader(url.Values{"token": {at.Refresh}, "client_id": {tenant.CommandLine}}.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server did not end it: %s", res.Status)
	}
	return nil
}

// openBrowser shows a person the address, and opens it too where that is wanted and there is a way to.
func openBrowser(at string, too bool) {
	fmt.Fprintf(os.Stderr, "Sign in at:\n\n  %s\n\n", at)
	command := map[string][]string{"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"}, "linux": {"xdg-open"}}[runtime.GOOS]
	if len(command) == 0 || !too {
		return
	}
	c := exec.Command(command[0], append(slices.Clone(command[1:]), at)...)
	if c.Start() == nil {
		go c.Wait()
	}
}

// showCode tells a person what to enter, and where.
func showCode(uri, code, complete string) {
	fmt.Fprintf(os.Stderr, "Open %s on any device and enter the code\n\n  %s\n\n", plain(uri), plain(code))
	if complete != "" {
		fmt.Fprintf(os.Stderr, "or open %s\n\n", plain(complete))
	}
}
