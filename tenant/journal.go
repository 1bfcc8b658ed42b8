package tenant

import (
	"sync"
	"time"
)

// Revocation withdraws access tokens before they expire: those of one grant, one token by its id, or those
// of a subject (with an actor, a client, both or neither named) issued up to a time.
type Revocation struct {
	Grant     string    // grant id, or
	Token     string    // token id (jti), or
	Subject   string    // with
	Actor     string    // any actor where empty
	ClientID  string    // any client where empty
	At        time.Time // tokens issued at or before it, in whole seconds, are revoked
	ExpiresAt time.Time // from here no token it could concern is alive
}

// Issued is what the journal must know of an access token.
type Issued struct {
	Token, Grant, Subject, Actor, ClientID string
	At                                     time.Time
}

// Journal is a tenant's live revocations in memory, so that checking a JWT reads no database. It is safe for
// concurrent use.
type Journal struct {
	mu       sync.RWMutex
	ids      map[string]time.Time    // "g:"+grant or "t:"+token → until when it matters
	subjects map[string][]Revocation // by subject; those of any subject under ""
}

// NewJournal returns a journal that holds rs.
func NewJournal(rs ...Revocation) *Journal {
	j := &Journal{ids: map[string]time.Time{}, subjects: map[string][]Revocation{}}
	j.Add(rs...)
	return j
}

// Add enters rs. Entering the same one twice is harmless.
func (j *Journal) Add(rs ...Revocation) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range rs {
		switch {
		case r.Grant != "":
			j.ids["g:"+r.Grant] = r.ExpiresAt
		case r.Token != "":
			j.ids["t:"+r.Token] = r.ExpiresAt
		default:
			j.subjects[r.Subject] = append(j.subjects[r.Subject], r)
		}
	}
}

// Revoked reports whether the token i is withdrawn.
func (j *Journal) Revoked(i Issued) bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if _, ok := j.ids["t:"+i.Token]; ok && i.Token != "" {
		return true
	}
	if _, ok := j.ids["g:"+i.Grant]; ok && i.Grant != "" {
		return true
	}
	for _, key := range []string{i.Subject, ""} {
		for _, r := range j.subjects[key] {
			if r.covers(i) {
				return true
			}
		}
	}
	return false
}

func (r Revocation) covers(i Issued) bool {
	return (r.Subject == "" || r.Subject == i.Subject) && (r.Actor == "" || r.Actor == i.Actor) &&
		(r.ClientID == "" || r.ClientID == i.ClientID) && i.At.Unix() <= r.At.Unix()
}

// Prune drops what no longer matters at now.
func (j *Journal) Prune(now time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for k, until := range j.ids {
		if !now.Before(until) {
			delete(j.ids, k)
		}
	}
	for k, rs := range j.subjects {
		live := rs[:0:0]
		for _, r := range rs {
			if now.Before(r.ExpiresAt) {
				live = append(live, r)
			}
		}
		if len(live) == 0 {
			delete(j.subjects, k)
		} else {
			j.subjects[k] = live
		}
	}
}
