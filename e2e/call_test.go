package e2e

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// direct makes calls and follows no redirect.
var direct = &http.Client{
	Timeout:       20 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 128, TLSClientConfig: &tls.Config{RootCAs: authority.pool()}},
}

// part is a part of a request.
type part func(*http.Request)

func header(name, value string) part {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func bearer(token string) part { return header("Authorization", "Bearer "+token) }

// basic is HTTP Basic authentication of a client (RFC 6749 §2.3.1).
func basic(id, secret string) part {
	return func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret)) }
}

func body(contentType, text string) part {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
	}
}

// form is a form body of names and values in turn.
func form(pairs ...string) part {
	return body("application/x-www-form-urlencoded", params(pairs...).Encode())
}

func params(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

func object(v any) part {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return body("application/json", string(b))
}

// reply is an answer, read to its end.
type reply struct {
	*http.Response
	body []byte
}

// try makes a call.
func try(client *http.Client, method, at string, parts ...part) (reply, error) {
	r, err := http.NewRequest(method, at, nil)
	if err != nil {
		return reply{}, err
	}
	for _, p := range parts {
		p(r)
	}
	res, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	suspect(reply{res, b})
	return reply{res, b}, err
}

// call makes a call that must be answered.
func call(t testing.TB, method, at string, parts ...part) reply {
	t.Helper()
	r, err := try(direct, method, at, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// code is the error code of an answer in OAuth's form, or of a problem (RFC 9457); empty where there is none.
func (r reply) code() string {
	var e struct{ Error, Code string }
	_ = json.Unmarshal(r.body, &e)
	if e.Error != "" {
		return e.Error
	}
	return e.Code
}

// is reports whether r has one of the outcomes: a status, with the error code after a space where it has one; an asterisk
// stands for any code.
func (r reply) is(outcomes ...string) bool {
	return slices.Contains(outcomes, r.outcome()) || r.code() != "" && slices.Contains(outcomes, fmt.Sprint(r.StatusCode, " *"))
}

func (r reply) outcome() string {
	return strings.TrimSpace(fmt.Sprint(r.StatusCode, " ", r.code()))
}

// want fails the test unless r has one of the outcomes.
func (r reply) want(t testing.TB, outcomes ...string) reply {
	t.Helper()
	if !r.is(outcomes...) {
		t.Fatalf("%s %s: got %s, want %s\n%s", r.Request.Method, r.Request.URL, r.outcome(), strings.Join(outcomes, " or "), r.body)
	}
	return r
}

// read decodes the JSON body into v.
func (r reply) read(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("%s %s: %d %v\n%s", r.Request.Method, r.Request.URL, r.StatusCode, err, r.body)
	}
}

// same reports whether two answers cannot be told apart: status, body, and headers that are not about time.
func same(a, b reply) bool {
	strip := func(h http.Header) string {
		h = h.Clone()
		h.Del("Date")
		var text bytes.Buffer
		_ = h.Write(&text)
		return text.String()
	}
	return a.StatusCode == b.StatusCode && bytes.Equal(a.body, b.body) && strip(a.Header) == strip(b.Header)
}
