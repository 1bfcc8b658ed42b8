package registration

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Authority is what the caller of the registry has shown. Its zero value is that of anybody.
type Authority struct {
	rank    rank
	token   string // registration access token, or initial one; not yet checked
	initial *InitialToken
	permit  *permit // in place of initial where it is an access token
	actor   string  // for the record
	address string
	once    *audit.Once
}

type rank string

const (
	anybody rank = ""        // may register where the tenant lets anybody
	own     rank = "client"  // holds a registration access token: may manage that client (RFC 7592 §1.2)
	initial rank = "initial" // holds an initial access token: may register what it allows (RFC 7591 §3)
	backend rank = "backend" // hands on what anybody asked for, once it has let them: may register what anybody may
	master  rank = "master"  // may do everything
)

// name is the rank in a word.
func (a Authority) name() string {
	if a.rank == anybody {
		return "open"
	}
	return string(a.rank)
}

// Master is the authority of an administrator, or of an API token that reaches tenant.ClientAPI; actor names it for
// the record.
func Master(actor, address string) Authority {
	return Authority{rank: master, actor: actor, address: address}
}

// Token returns the id of the API token that a is made from, or whoever acts in place of one; empty: there is none.
func (a Authority) Token() string { return a.actor }

// Once is a for a change that has an idempotency key, which is recorded with it.
func (a Authority) Once(key *audit.Once) Authority {
	a.once = key
	return a
}

// Own is the authority of a registration access token, which is checked against the client it is used on; or, where a
// client is registered, of an initial access token.
func Own(token, address string) Authority {
	return Authority{rank: own, token: token, address: address}
}

// Backend is the authority of the tenant's own server, which decides who may register and hands on what they ask for. What
// is registered has no more than what anybody may have, and stays; actor is as in Master.
func Backend(actor, address string) Authority {
	return Authority{rank: backend, actor: actor, address: address}
}

// Open is the authority of anybody.
func Open(address string) Authority { return Authority{address: address} }

// AuthorityOf returns the authority of a bearer token: Master for an API token of t that reaches tenant.ClientAPI,
// Own for any other, Open for none. An API token for other APIs is insufficient_scope.
func AuthorityOf(t *tenant.Tenant, bearer, address string, now time.Time) (Authority, error) {
	if bearer == "" {
		return Open(address), nil
	}
	switch k := t.Token(bearer, now); {
	case k == nil:
		return Own(bearer, address), nil
	case !k.Reaches(tenant.ClientAPI):
		return Authority{}, oauth.InsufficientScope("The token is not for the client registry")
	default:
		return Master(k.ID, address), nil
	}
}

// errToken is the one answer to a wrong registration access token and to one for a client that is not there
// (RFC 7592 §2.1).
var errToken = oauth.InvalidToken("The token is not valid here")

// errNoToken: the caller showed nothing, and that is not enough.
var errNoToken = oauth.MissingToken("A token is required")

// opens reports whether a's registration access token is that of c, which may be nil. It takes the same time either way.
func (a Authority) opens(c *tenant.Client) bool {
	sum := sha256.Sum256([]byte(a.token))
	hash := make([]byte, sha256.Size)
	if c != nil && len(c.RegistrationToken) == sha256.Size {
		hash = c.RegistrationToken
	}
	return subtle.ConstantTimeCompare(sum[:], hash) == 1 && c != nil && !c.Disabled
}
