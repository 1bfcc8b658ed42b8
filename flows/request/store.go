package request

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// PushedRequest is an authorization request that a client has pushed (RFC 9126), on its way to the authorization endpoint.
// The request_uri that reaches it is known to the client only; what is stored is its hash.
type PushedRequest struct {
	Hash     []byte // SHA-256 of the request_uri
	ClientID string
	Params   url.Values // as they were sent, without client authentication
	EndsAt   time.Time  // of its time at the authorization endpoint
}

// ErrNotFound: no such pushed request: unknown, expired, or used up.
var ErrNotFound = errors.New("request: no such pushed request")

// Store keeps pushed requests. Each method is one atomic effect. They are used up by the end of an authorization, which
// the store of those knows.
type Store interface {
	// Push records a pushed request.
	Push(ctx context.Context, t tenant.ID, p PushedRequest) error
	// Pushed returns the pushed request of that hash whose time has not ended at now, or ErrNotFound.
	Pushed(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*PushedRequest, error)
}
