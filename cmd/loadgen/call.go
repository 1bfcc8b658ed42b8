package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// unexpected is an answer that the operation did not want.
type unexpected struct {
	status int
	code   string // its error member
	path   string
}

func (u *unexpected) Error() string {
	return fmt.Sprintf("%s answered %d %s", u.path, u.status, u.code)
}

func (u *unexpected) kind() string { return strings.TrimSpace(fmt.Sprintf("%d %s", u.status, u.code)) }

// maxAnswer is as much of an answer as is read.
const maxAnswer = 1 << 20

// call sends r and reads the answer into v, unless that is nil. Another status than want is *unexpected.
func (s *site) call(r *http.Request, want int, v any) error {
	_, err := s.answer(r, want, v)
	return err
}

// answer is call, and returns the headers of the answer.
func (s *site) answer(r *http.Request, want int, v any) (http.Header, error) {
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != want {
		var e struct {
			Code string `json:"error"`
		}
		_ = json.Unmarshal(b, &e) // an answer without one is told by its status alone
		return nil, &unexpected{resp.StatusCode, e.Code, r.URL.Path}
	}
	if v == nil {
		return resp.Header, nil
	}
	return resp.Header, json.Unmarshal(b, v)
}

// at is the address of an endpoint of t.
func (s *site) at(t *tenant, path string) string {
	u, err := url.Parse(t.Issuer)
	if err != nil {
		return t.Issuer + path
	}
	return s.url + u.Path + path
}

// values are names and values in turn.
func values(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// form posts to an endpoint of t as its client.
func (s *site) form(ctx context.Context, t *tenant, path string, want int, form url.Values, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.at(t, path), strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(t.Client.ID), url.QueryEscape(t.Client.Secret))
	return s.call(r, want, v)
}

// get reads from an endpoint of t, with an access token unless that is empty.
func (s *site) get(ctx context.Context, t *tenant, path, token string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.at(t, path), nil)
	if err != nil {
		return err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return s.call(r, http.StatusOK, v)
}

// integrate calls an API of t as the tenant's own login UI or backend does.
func (s *site) integrate(ctx context.Context, t *tenant, method, path string, want int, in, out any) (http.Header, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+t.APIToken)
	r.Header.Set("Tenant-ID", t.ID)
	return s.answer(r, want, out)
}
