package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"
	"sync"
	"time"
)

// user is somebody who may sign in.
type user struct {
	Sub     string // never changes, and is never given to anybody else
	Name    string
	Profile map[string]any // claims by their names
	salt    []byte
	hash    []byte
}

// claims are those of u that names name, as a JSON object.
func (u *user) claims(names []string) string {
	out := map[string]any{}
	for _, name := range names {
		if v, ok := u.Profile[name]; ok {
			out[name] = v
		}
	}
	return jsonOf(out)
}

// users stands for your own directory.
type users struct {
	list   []*user
	nobody *user         // what the password of an unknown user is compared with
	rounds int           // of PBKDF2
	slots  chan struct{} // hashing is slow on purpose, so only a few do it at a time

	mu    sync.Mutex
	wrong map[string]guesses // by user name; the unknown share one entry
}

type guesses struct {
	count int
	until time.Time // before which no more count
}

const (
	maxWrong = 5
	pause    = 30 * time.Second
)

var (
	errDenied  = errors.New("the user name or the password is wrong")
	errTooMany = errors.New("there were too many attempts, please wait a minute")
)

// newUsers returns two users who share a password.
func newUsers(password string, rounds int) (*users, error) {
	us := &users{nobody: &user{}, rounds: rounds, slots: make(chan struct{}, 2), wrong: map[string]guesses{}, list: []*user{
		{Sub: "u-1001", Name: "carol", Profile: map[string]any{"name": "Carol Example", "preferred_username": "carol", "email": "carol@example.com", "email_verified": true}},
		{Sub: "u-1002", Name: "dave", Profile: map[string]any{"name": "Dave Example", "preferred_username": "dave", "email": "dave@example.com", "email_verified": false}},
	}}
	for _, u := range append(us.list, us.nobody) {
		u.salt = make([]byte, 16)
		_, _ = rand.Read(u.salt) // never fails
		var err error
		if u.hash, err = pbkdf2.Key(sha256.New, password, u.salt, rounds, 32); err != nil {
			return nil, err
		}
	}
	return us, nil
}

// of returns the user with that sub; one without any claims if there is none.
func (us *users) of(sub string) *user {
	for _, u := range us.list {
		if u.Sub == sub {
			return u
		}
	}
	return us.nobody
}

// find returns the user whom a hint means: a user name, a sub or an address that is proven.
func (us *users) find(hint string) *user {
	for _, u := range us.list {
		if hint == u.Sub || strings.EqualFold(hint, u.Name) || u.Profile["email_verified"] == true && strings.EqualFold(hint, u.Profile["email"].(string)) {
			return u
		}
	}
	return us.nobody
}

// verify returns the user with that name and password. Unknown user and wrong password are told the same, after the
// same time.
func (us *users) verify(ctx context.Context, now time.Time, name, password string) (*user, error) {
	u := us.nobody
	for _, known := range us.list {
		if known.Name == name {
			u = known
		}
	}
	if us.blocked(u.Name, now) {
		return nil, errTooMany
	}
	select {
	case us.slots <- struct{}{}:
		defer func() { <-us.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	hash, err := pbkdf2.Key(sha256.New, password, u.salt, us.rounds, 32)
	if err != nil {
		return nil, err
	}
	right := subtle.ConstantTimeCompare(hash, u.hash) == 1 && u != us.nobody
	us.mu.Lock()
	defer us.mu.Unlock()
	if right {
		delete(us.wrong, u.Name)
		return u, nil
	}
	g := us.wrong[u.Name]
	if g.count++; g.count >= maxWrong {
		g = guesses{until: now.Add(pause)}
	}
	us.wrong[u.Name] = g
	return nil, errDenied
}

func (us *users) blocked(name string, now time.Time) bool {
	us.mu.Lock()
	defer us.mu.Unlock()
	return now.Before(us.wrong[name].until)
}
