package ciba

import (
	"time"

	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// Ticket is a request that was found good, for whoever looks for its subject (CIBA Core §7.2).
type Ticket struct {
	Handle  string // reaches the authentication
	Client  *tenant.Client
	Request *request.Request
}

// Acknowledgement is what the client is told of a request that was accepted (CIBA Core §7.3).
type Acknowledgement struct {
	AuthReqID string
	ExpiresIn time.Duration
	Interval  time.Duration // zero: the client does not poll
}
