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

// API is the ticket API of one service, version 3.0.
type API struct {
	Base  string // with the number of the service
	Token string
	HTTP  *http.Client
}

// Answer is what every call with an action answers.
type Answer struct {
	Action  string `json:"action"`          // what to do now
	Content string `json:"responseContent"` // what to do it with: a body, a URL, a page, the value of a header
	Code    string `json:"resultCode"`      // for the log
}

// named is a scope value.
type named struct {
	Name string `json:"name"`
}

// clientRef says which client asks.
type clientRef struct {
	ID        int64  `json:"clientId"`
	Alias     string `json:"clientIdAlias"`
	AliasUsed bool   `json:"clientIdAliasUsed"`
}

// String is the client_id that the client uses.
func (c clientRef) String() string {
	if c.AliasUsed {
		return c.Alias
	}
	return fmt.Sprint(c.ID)
}

// Call makes a call; in is what is posted. An error means that there is no answer: nothing may be concluded from it. It
// holds neither token nor request, so that it can be logged.
func (a *API) Call(ctx context.Context, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.Base+path, bytes.NewReader(b))
	if err != nil {
		return errors.New("the API's address is not a URL")
	}
	r.Header.Set("Content-Type", "application/json")
	return a.do(r, out)
}

// Get reads a document of the service.
func (a *API) Get(ctx context.Context, path string) (json.RawMessage, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Base+path, nil)
	if err != nil {
		return nil, errors.New("the API's address is not a URL")
	}
	var doc json.RawMessage
	return doc, a.do(r, &doc)
}

// locked is what we make of the API's refusal to look at the request of a client that is locked.
const locked = `{"resultCode":"A001215","action":"BAD_REQUEST","responseContent":"{\"error\":\"unauthorized_client\"}"}`

func (a *API) do(r *http.Request, out any) error {
	r.Header.Set("Authorization", "Bearer "+a.Token)
	res, err := a.HTTP.Do(r)
	if err != nil {
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
	if res.StatusCode == http.StatusOK {
		return json.Unmarshal(b, out)
	}
	var e Answer
	_ = json.Unmarshal(b, &e) // what is no JSON leaves it empty
	if res.StatusCode == http.StatusForbidden && e.Code == "A001215" {
		return json.Unmarshal([]byte(locked), out)
	}
	return fmt.Errorf("API: %d %s", res.StatusCode, e.Code)
}
