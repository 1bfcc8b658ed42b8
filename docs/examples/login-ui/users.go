package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"sync"
	"time"
)

// user is somebody who may sign in.
type user struct {
	sub  string // never changes, and is never given to anybody else
	name string
	salt []byte
	hash []byte
}

// users stands for your own directory.
type users struct {
	byName map[string]user
	decoy  user          // what the password of an unknown user is compared with
	rounds int           // of PBKDF2
	slots  chan struct{} // hashing is slow on purpose, so only a few do it at a time

	mu      sync.Mutex
	guesses map[string]guesses // by user name; the unknown share one entry
}

type guesses struct {
	wrong int
	until time.Time // before which no more guesses count
}

const (
	maxWrong = 5
	pause    = 30 * time.Second
)

var (
	errDenied  = errors.New("user name or password is wrong")
	errTooMany = errors.New("too many attempts")
)

// newUsers returns two users who share a password.
func newUsers(password string, rounds int) (*users, error) {
	us := &users{byName: map[string]user{}, rounds: rounds, slots: make(chan struct{}, 2), guesses: map[string]guesses{}}
	for _, u := range []user{{sub: "u-1001", name: "carol"}, {sub: "u-1002", name: "dave"}, {name: ""}} {
		u.salt = make([]byte, 16)
		_, _ = rand.Read(u.salt) // never fails
		var err error
		if u.hash, err = pbkdf2.Key(sha256.New, password, u.salt, rounds, 32); err != nil {
			return nil, err
		}
		if u.name == "" {
			us.decoy = u
		} else {
			us.byName[u.name] = u
		}
	}
	return us, nil
}

// verify returns the sub of the user. Unknown user and wrong password are told the same, after the same time.
func (us *users) verify(ctx context.Context, now time.Time, name, password string) (sub string, err error) {
	u, known := us.byName[name]
	if !known {
		u = us.decoy
	}
	if us.blocked(u.name, now) {
		return "", errTooMany
	}
	select {
	case us.slots <- struct{}{}:
		defer func() { <-us.slots }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	hash, err := pbkdf2.Key(sha256.New, password, u.salt, us.rounds, 32)
	if err != nil {
		return "", err
	}
	if same := subtle.ConstantTimeCompare(hash, u.hash) == 1; !same || !known {
		us.wrong(u.name, now)
		return "", errDenied
	}
	us.mu.Lock()
	defer us.mu.Unlock()
	delete(us.guesses, u.name)
	return u.sub, nil
}

func (us *users) blocked(name string, now time.Time) bool {
	us.mu.Lock()
	defer us.mu.Unlock()
	return now.Before(us.guesses[name].until)
}

func (us *users) wrong(name string, now time.Time) {
	us.mu.Lock()
	defer us.mu.Unlock()
	g := us.guesses[name]
	if g.wrong++; g.wrong >= maxWrong {
		g = guesses{until: now.Add(pause)}
	}
	us.guesses[name] = g
}
