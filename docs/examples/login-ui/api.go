package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// API is version 3 of the authorisation-session API, for one tenant.
type API struct {
	Base   string
	Tenant string
	Token  string
	HTTP   *http.Client
}

// Step is what the API answers to each call. Type says which members count: "auth" and "consent" ask the user,
// "response" is for the client, "error" is for the user because it must not be sent to the client.
type Step struct {
	Type string `json:"type"`
	SID  string `json:"sid"` // of the authorisation session: never shown to a browser

	// Prompts.
	LoginHint   string `json:"login_hint"`
	RequiredSub string `json:"required_sub"` // only this subject will do
	Client      Client `json:"client"`
	SubSession  struct {
		SID string `json:"sid"` // of the subject's session: the value of our cookie
		Sub string `json:"sub"`
	} `json:"sub_session"`
	Scope struct {
		New       []string `json:"new"`
		Consented []string `json:"consented"`
	} `json:"scope"`
	Claims struct {
		New struct {
			Essential []string `json:"essential"`
			Voluntary []string `json:"voluntary"`
		} `json:"new"`
	} `json:"claims"`

	// Response.
	Mode       string `json:"mode"` // query, fragment or form_post
	Parameters struct {
		URI  string            `json:"uri"`
		Form map[string]string `json:"form"`
	} `json:"parameters"`
	SubSID string `json:"sub_sid"` // a new session, where no consent prompt told it

	// Error.
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// Client is what a prompt tells of the client.
type Client struct {
	ID   string `json:"client_id"`
	Name string `json:"name"`
	URI  string `json:"uri"`
}

// errGone says that the authorisation session is over: answered, cancelled or too old.
var errGone = errors.New("the authorisation session is gone")

// Start hands over an authorization request, exactly as it was received. subSID is the value of our cookie, or empty.
func (a *API) Start(ctx context.Context, query, subSID string) (Step, error) {
	in := map[string]string{"query": query}
	if subSID != "" {
		in["sub_sid"] = subSID
	}
	return a.step(ctx, http.MethodPost, "/authz-sessions/rest/v3", in)
}

// Authenticated tells who the user is.
func (a *API) Authenticated(ctx context.Context, sid, sub string) (Step, error) {
	return a.step(ctx, http.MethodPut, path(sid), map[string]any{"sub": sub, "amr": []string{"pwd"}})
}

// Consented tells what the user allowed: here, all that was asked. It is remembered, so that the user is not asked again.
func (a *API) Consented(ctx context.Context, sid string, offline bool) (Step, error) {
	return a.step(ctx, http.MethodPut, path(sid), map[string]any{
		"scope":         []string{"*"},
		"claims":        []string{"*"},
		"long_lived":    true,
		"refresh_token": map[string]any{"issue": offline},
	})
}

// Denied ends the request as its user wishes.
func (a *API) Denied(ctx context.Context, sid string) (Step, error) {
	return a.step(ctx, http.MethodDelete, path(sid)+"?error=access_denied", nil)
}

// RedirectURI is where the browser will be sent with the response.
func (a *API) RedirectURI(ctx context.Context, sid string) (string, error) {
	var session struct {
		Request struct {
			RedirectURI string `json:"redirect_uri"`
		} `json:"auth_req"`
	}
	err := a.call(ctx, http.MethodGet, path(sid), nil, &session)
	return session.Request.RedirectURI, err
}

func path(sid string) string { return "/authz-sessions/rest/v3/" + url.PathEscape(sid) }

func (a *API) step(ctx context.Context, method, path string, in any) (Step, error) {
	var s Step
	err := a.call(ctx, method, path, in, &s)
	return s, err
}

// call makes one call. Its errors hold neither token nor request, so that they can be logged.
func (a *API) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, a.Base+path, body)
	if err != nil {
		return errors.New("the API's address is not a URL")
	}
	r.Header.Set("Authorization", "Bearer "+a.Token)
	r.Header.Set("Tenant-ID", a.Tenant)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := a.HTTP.Do(r)
	if err != nil {
		// A *url.Error quotes the address, and with it the authorisation session.
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err
		}
		return fmt.Errorf("API: %w", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("API: %w", err)
	}
	switch res.StatusCode {
	case http.StatusOK:
		return json.Unmarshal(b, out)
	case http.StatusNotFound:
		return errGone
	}
	var e struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	_ = json.Unmarshal(b, &e) // what is no JSON leaves it empty
	return fmt.Errorf("API: %d %s: %s", res.StatusCode, e.Code, e.Description)
}
