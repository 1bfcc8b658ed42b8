package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// request is a call.
type request struct {
	method, url string
	token       string     // bearer
	client      *client    // Basic
	form        url.Values // or
	json        any
	tenant      string // Tenant-ID
	quiet       bool   // a question of ours, not a part of the load
}

// answer is what came of a call. Where status is 0, or 5xx, or 429, it is not known, or known not, to have had an effect.
type answer struct {
	status int
	code   string
	header http.Header
	body   []byte
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 400 }

// refused is a definite no.
func (a answer) refused() bool {
	return a.status >= 400 && a.status < 500 && a.status != http.StatusTooManyRequests
}

func (a answer) read(v any) error { return json.Unmarshal(a.body, v) }

// deadline is how long any request may take (checklist, I9), and slack what the machine may add.
const (
	deadline = 10 * time.Second
	slack    = 1500 * time.Millisecond
)

// visitor makes the calls: no redirect is followed, and none is repeated.
var visitor = &http.Client{
	Timeout:       deadline + 10*slack, // what takes longer than it should is seen below
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 256},
}

// call makes a call, and records how it ended.
func (d *deployment) call(ctx context.Context, r request) answer {
	var body io.Reader
	kind := ""
	switch {
	case r.form != nil:
		body, kind = strings.NewReader(r.form.Encode()), "application/x-www-form-urlencoded"
	case r.json != nil:
		b, err := json.Marshal(r.json)
		if err != nil {
			return answer{}
		}
		body, kind = bytes.NewReader(b), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, body)
	if err != nil {
		return answer{}
	}
	for name, value := range map[string]string{"Content-Type": kind, "Tenant-ID": r.tenant} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if r.client != nil {
		req.SetBasicAuth(url.QueryEscape(r.client.ID), url.QueryEscape(r.client.Secret))
	}
	began := time.Now()
	a, err := d.send(req)
	took := time.Since(began)
	if r.quiet || ctx.Err() != nil {
		return a
	}
	var lost *failure
	switch {
	case err != nil:
		lost = &failure{time.Now(), below(err), r.url}
	case a.status >= 500 || a.status == http.StatusTooManyRequests:
		lost = &failure{time.Now(), strconv.Itoa(a.status), r.url}
		if a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" {
			d.violated("I7", "%s: 503 without Retry-After", r.url)
		}
		if a.status == http.StatusInternalServerError {
			d.violated("I7", "%s: 500 %s", r.url, a.body)
		}
	}
	d.asked(lost)
	if took > deadline+d.machine.Patience(slack, began) && !d.frozen.Load() {
		d.violated("I9", "%s took %v", r.url, took.Round(time.Millisecond))
	}
	return a
}

func (d *deployment) send(req *http.Request) (answer, error) {
	resp, err := visitor.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: b}
	var e struct {
		Code string `json:"error"`
	}
	if json.Unmarshal(b, &e) == nil {
		a.code = e.Code
	}
	return a, nil
}

// below names an error below HTTP.
func below(err error) string {
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		return "timeout"
	}
	return "connection"
}
