package registration

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// InitialPrefix begins every initial access token, so that a leaked one is recognised.
const InitialPrefix = "chi_"

// InitialToken is an initial access token (RFC 7591 §3): it lets whoever holds it register so many clients, which may have
// what it says. It is stored as a hash.
type InitialToken struct {
	ID         string
	Label      string
	Hash       []byte   // SHA-256
	Scope      string   // that its clients may register; empty: what the tenant advertises
	GrantTypes []string // that its clients may register beside those that anybody may
	Uses       int      // clients that it may still register
	CreatedAt  time.Time
	ExpiresAt  time.Time
}

// Bounds of initial access tokens.
const (
	maxInitial     = 1000 // of a tenant
	maxInitialUses = 100_000
	maxInitialLife = 366 * 24 * time.Hour
	initialLife    = 24 * time.Hour // where nothing else is said
	maxLabel       = 128            // bytes
)

// ErrUsedUp says that an initial access token is not there any more, or has registered all that it may.
var ErrUsedUp = errors.New("registration: the initial access token is used up")

// InitialTokens keeps initial access tokens. Each method is one atomic effect.
type InitialTokens interface {
	// PutInitialToken records one; ErrFull when the tenant has most already, ErrExists when its hash or id is taken.
	PutInitialToken(ctx context.Context, t tenant.ID, k InitialToken, most int, ev audit.Event) error
	// InitialToken returns the one of that hash, if it may register at now, or ErrNotFound.
	InitialToken(ctx context.Context, t tenant.ID, now time.Time, hash []byte) (*InitialToken, error)
	// InitialTokens lists them, the oldest first.
	InitialTokens(ctx context.Context, t tenant.ID) ([]InitialToken, error)
	// DeleteInitialToken removes one, or ErrNotFound.
	DeleteInitialToken(ctx context.Context, t tenant.ID, id string, ev audit.Event) error
	// CreateClientWith is Store.CreateClient by the initial access token of that hash, of which it takes one use, or none if it
	// fails; ErrUsedUp when it has none left at now.
	CreateClientWith(ctx context.Context, t tenant.ID, c tenant.Client, most int, hash []byte, now time.Time, ev audit.Event) (tenant.Client, error)
}

// NewInitial is an initial access token to be made.
type NewInitial struct {
	Label      string   // to tell it from others; at most 128 bytes
	Scope      string   // as in InitialToken
	GrantTypes []string // as in InitialToken
	Uses       int      // 1 where zero
	ExpiresAt  time.Time
}

// Invite makes an initial access token and returns it with the token itself, this once. It takes master authority. What
// it cannot be is invalid_request; slow_down says that there are too many already.
func (s *Service) Invite(ctx context.Context, t *tenant.Tenant, n NewInitial, by Authority) (InitialToken, string, error) {
	if by.rank != master {
		return InitialToken{}, "", errToken
	}
	now := s.now()
	k := InitialToken{Label: n.Label, Scope: n.Scope, GrantTypes: n.GrantTypes, Uses: cmp.Or(n.Uses, 1), CreatedAt: now, ExpiresAt: n.ExpiresAt.UTC().Truncate(time.Microsecond)}
	if n.ExpiresAt.IsZero() {
		k.ExpiresAt = now.Add(initialLife)
	}
	if err := s.checkInitial(&k, now); err != nil {
		return InitialToken{}, "", err
	}
	var id [12]byte
	if _, err := io.ReadFull(s.Rand, id[:]); err != nil {
		return InitialToken{}, "", oauth.Unavailable().Because(err)
	}
	plain, err := s.random(32)
	if err != nil {
		return InitialToken{}, "", err
	}
	plain = InitialPrefix + plain
	k.ID, k.Hash = hex.EncodeToString(id[:]), hash(plain)
	ev := audit.Event{At: now, Kind: audit.InitialTokenCreated, Actor: by.actor, Address: by.address, Once: by.once, Detail: map[string]string{"token": k.ID, "label": k.Label}}
	if err := s.Initial.PutInitialToken(ctx, t.ID, k, maxInitial, ev); errors.Is(err, ErrFull) {
		return InitialToken{}, "", oauth.InvalidRequest("The tenant has as many initial access tokens as it may").Because(err)
	} else if err != nil {
		return InitialToken{}, "", worded(err)
	}
	return k, plain, nil
}

func (s *Service) checkInitial(k *InitialToken, now time.Time) error {
	scope, err := oauth.ParseScope(k.Scope)
	switch {
	case err != nil:
		return oauth.InvalidRequest("scope is not valid").Because(err)
	case scope.Has(ChallengeScope):
		return oauth.InvalidRequest("scope holds a value that only the master token gives")
	case len(k.Label) > maxLabel || !utf8.ValidString(k.Label) || strings.ContainsFunc(k.Label, unicode.IsControl):
		return oauth.InvalidRequest("label is longer than 128 bytes or holds control characters")
	case k.Uses < 1 || k.Uses > maxInitialUses:
		return oauth.InvalidRequest("uses must be a number from 1 to 100000")
	case !k.ExpiresAt.After(now) || k.ExpiresAt.Sub(now) > maxInitialLife:
		return oauth.InvalidRequest("expires_at must lie in the future, at most a year away")
	}
	for i, g := range k.GrantTypes {
		if !slices.Contains(s.GrantTypes, g) || slices.Contains(k.GrantTypes[:i], g) {
			return oauth.InvalidRequest("grant_types must name grant types that there are, each once")
		}
	}
	k.Scope = scope.String()
	return nil
}

// Invitations lists the initial access tokens of a tenant, the oldest first, with their hashes. It takes master authority.
func (s *Service) Invitations(ctx context.Context, t *tenant.Tenant, by Authority) ([]InitialToken, error) {
	if by.rank != master {
		return nil, errToken
	}
	ks, err := s.Initial.InitialTokens(ctx, t.ID)
	if err != nil {
		return nil, worded(err)
	}
	return ks, nil
}

// Disinvite revokes an initial access token; not_found when there is none of that id. It takes master authority.
func (s *Service) Disinvite(ctx context.Context, t *tenant.Tenant, id string, by Authority) error {
	if by.rank != master {
		return errToken
	}
	ev := audit.Event{At: s.now(), Kind: audit.InitialTokenRevoked, Actor: by.actor, Address: by.address, Detail: map[string]string{"token": id}}
	err := s.Initial.DeleteInitialToken(ctx, t.ID, id, ev)
	switch {
	case errors.Is(err, ErrNotFound):
		return oauth.NotFound("The tenant has no such initial access token").Because(err)
	case err != nil:
		return worded(err)
	}
	return nil
}

// invited returns by as the authority of the initial access token that it shows, which may be an access token; errors are
// those of granted.
func (s *Service) invited(ctx context.Context, t *tenant.Tenant, by Authority) (Authority, error) {
	switch own := strings.HasPrefix(by.token, InitialPrefix); {
	case !own && s.Access != nil:
		return s.granted(ctx, t, by)
	case !own || s.Initial == nil:
		return by, errToken
	}
	k, err := s.Initial.InitialToken(ctx, t.ID, s.now(), hash(by.token))
	switch {
	case errors.Is(err, ErrNotFound):
		return by, errToken
	case err != nil:
		return by, worded(err)
	}
	by.rank, by.actor, by.initial = initial, k.ID, k
	return by, nil
}

// base is what a client registered with k may have.
func (k *InitialToken) base(t *tenant.Tenant) *tenant.Metadata {
	m := advertised(t)
	m.GrantTypes = k.GrantTypes
	if k.Scope != "" {
		m.Scope = k.Scope
	}
	return m
}
