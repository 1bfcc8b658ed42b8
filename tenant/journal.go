package tenant

import (
	"maps"
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
	grants   map[string]time.Time // until when it matters
	tokens   map[string]time.Time
	subjects map[string][]Revocation // by subject; those of any subject under ""
}

// NewJournal returns a journal that holds rs.
func NewJournal(rs ...Revocation) *Journal {
	j := &Journal{grants: map[string]time.Time{}, tokens: map[string]time.Time{}, subjects: map[string][]Revocation{}}
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
			j.grants[r.Grant] = later(j.grants[r.Grant], r.ExpiresAt)
		case r.Token != "":
			j.tokens[r.Token] = later(j.tokens[r.Token], r.ExpiresAt)
		default:
			j.addSubject(r)
		}
	}
}

// addSubject enters r, or widens the one of the same subject, actor and client.
func (j *Journal) addSubject(r Revocation) {
	rs := j.subjects[r.Subject]
	for i := range rs {
		if o := &rs[i]; o.Actor == r.Actor && o.ClientID == r.ClientID {
			o.At, o.ExpiresAt = later(o.At, r.At), later(o.ExpiresAt, r.ExpiresAt)
			return
		}
	}
	j.subjects[r.Subject] = append(rs, r)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Revoked reports whether the token i is withdrawn.
func (j *Journal) Revoked(i Issued) bool {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if _, ok := j.tokens[i.Token]; ok && i.Token != "" {
		return true
	}
	if _, ok := j.grants[i.Grant]; ok && i.Grant != "" {
		return true
	}
	return j.covered(i.Subject, i) || i.Subject != "" && j.covered("", i)
}

func (j *Journal) covered(subject string, i Issued) bool {
	for _, r := range j.subjects[subject] {
		if r.covers(i) {
			return true
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
	over := func(_ string, until time.Time) bool { return !now.Before(until) }
	maps.DeleteFunc(j.grants, over)
	maps.DeleteFunc(j.tokens, over)
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
