// Command device signs a user in on a machine without a browser (RFC 8628): it shows a code and a QR code, waits until its
// user has entered the code elsewhere, and prints what UserInfo tells.
//
//	go run ./docs/examples/device -issuer http://127.0.0.1:8080/t/acme -client THE_CLIENT_ID
//
// A client with a secret takes it from DEVICE_CLIENT_SECRET.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	issuer := flag.String("issuer", "http://127.0.0.1:8080/t/acme", "whose users sign in")
	id := flag.String("client", "", "client id")
	scope := flag.String("scope", "openid profile email", "what to ask for")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	d := &device{issuer: *issuer, id: *id, secret: os.Getenv("DEVICE_CLIENT_SECRET"), http: &http.Client{Timeout: 10 * time.Second}, out: os.Stdout}
	if err := d.signIn(ctx, *scope); err != nil {
		log.Fatal(err)
	}
}

// device is a client of one issuer.
type device struct {
	issuer, id, secret string
	http               *http.Client
	out                io.Writer
	endpoints          struct {
		Device   string `json:"device_authorization_endpoint"`
		Token    string `json:"token_endpoint"`
		UserInfo string `json:"userinfo_endpoint"`
	}
}

// authorization is a device authorization response (RFC 8628 §3.2). Times are in seconds.
type authorization struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	URI        string `json:"verification_uri"`
	Complete   string `json:"verification_uri_complete"`
	ExpiresIn  int64  `json:"expires_in"`
	Interval   int64  `json:"interval"`
}

// tokens is a token response, or what is said instead.
type tokens struct {
	Access      string `json:"access_token"`
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// signIn leads a user through it.
func (d *device) signIn(ctx context.Context, scope string) error {
	if err := d.get(ctx, d.issuer+"/.well-known/openid-configuration", "", &d.endpoints); err != nil {
		return err
	}
	if d.endpoints.Device == "" {
		return errors.New("the issuer serves no devices")
	}
	var a authorization
	if err := d.post(ctx, d.endpoints.Device, url.Values{"scope": {scope}}, &a); err != nil {
		return err
	}
	if a.DeviceCode == "" {
		return errors.New("the device was refused")
	}
	if err := show(d.out, &a); err != nil {
		return err
	}
	access, err := d.wait(ctx, &a)
	if err != nil {
		return err
	}
	var who map[string]any
	if err := d.get(ctx, d.endpoints.UserInfo, access, &who); err != nil {
		return err
	}
	b, err := json.MarshalIndent(who, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(d.out, "Signed in:\n%s\n", b)
	return err
}

// wait polls until the user has answered (RFC 8628 §3.4, §3.5).
func (d *device) wait(ctx context.Context, a *authorization) (access string, err error) {
	interval := time.Duration(max(a.Interval, 1)) * time.Second
	ctx, cancel := context.WithTimeout(ctx, time.Duration(a.ExpiresIn)*time.Second)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return "", errors.New("nobody has answered in time")
		case <-time.After(interval):
		}
		var t tokens
		err := d.post(ctx, d.endpoints.Token, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {a.DeviceCode}}, &t)
		switch {
		case err != nil:
			interval *= 2 // it may be the network (RFC 8628 §3.5)
		case t.Access != "":
			return t.Access, nil
		case t.Error == "slow_down":
			interval += 5 * time.Second
		case t.Error != "authorization_pending":
			return "", fmt.Errorf("%s: %s", t.Error, t.Description)
		}
	}
}

// post sends a form as the client, and reads the answer, whatever its status.
func (d *device) post(ctx context.Context, to string, v url.Values, answer any) error {
	if d.secret == "" {
		v.Set("client_id", d.id)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, strings.NewReader(v.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if d.secret != "" {
		r.SetBasicAuth(url.QueryEscape(d.id), url.QueryEscape(d.secret))
	}
	return d.do(r, answer)
}

// get reads what is at that address, with a bearer token where there is one.
func (d *device) get(ctx context.Context, at, bearer string, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	return d.do(r, answer)
}

func (d *device) do(r *http.Request, answer any) error {
	res, err := d.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(answer)
}
