package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"time"
)

// pending is an authorization request that waits for its user. It holds what the browser must not: the id of the
// authorisation session.
type pending struct {
	Step     Step
	CSRF     string
	Notice   string // what went wrong at the last attempt
	Username string

	browser [sha256.Size]byte // hash of the browser's secret: no other browser can go on with this request
	returns string            // origin that the browser will be sent to, for the content security policy
	expires time.Time
}

// A request may wait as long as the authorisation session, and only so many may wait at once.
const (
	patience   = 15 * time.Minute
	maxPending = 10_000
)

// hold keeps p and returns its handle, a part of the page's address.
func (u *UI) hold(p *pending) (handle string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.pending) >= maxPending {
		for h, p := range u.pending {
			if !u.Now().Before(p.expires) {
				delete(u.pending, h)
			}
		}
	}
	if len(u.pending) >= maxPending {
		return ""
	}
	handle = rand.Text()
	p.CSRF, p.expires = rand.Text(), u.Now().Add(patience)
	u.pending[handle] = p
	return handle
}

// held returns a copy of the request of that handle, if it waits in this browser.
func (u *UI) held(handle, browser string) (pending, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	p := u.pending[handle]
	if p == nil || !u.Now().Before(p.expires) {
		delete(u.pending, handle)
		return pending{}, false
	}
	sum := sha256.Sum256([]byte(browser))
	if subtle.ConstantTimeCompare(sum[:], p.browser[:]) != 1 {
		return pending{}, false
	}
	return *p, true
}

// move changes the request of that handle.
func (u *UI) move(handle string, change func(*pending)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if p := u.pending[handle]; p != nil {
		change(p)
	}
}

// drop forgets the request of that handle.
func (u *UI) drop(handle string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.pending, handle)
}
